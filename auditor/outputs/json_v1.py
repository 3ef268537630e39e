"""The feed as one JSON document or as one finding a line, and its JSON Schema."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from auditor.feed_v1 import SCHEMA_VERSION, Feed, FeedV1


def json_chunks(feed: Feed) -> Iterator[bytes]:
    """The feed as JSON, a finding a line: a million findings never stand in memory."""
    yield b'{\n"schema_version": ' + encoded(SCHEMA_VERSION) + b',\n"run": ' + encoded(feed.run)
    yield b',\n"pillars": ' + encoded(feed.pillars)
    yield from _array("findings", feed.findings())
    yield from _array("gaps", feed.gaps)
    yield from _array("rules", feed.rules)
    yield from _array("fixes", feed.fixes)
    yield from _array("coverage", feed.coverage)
    yield b"\n}\n"


def _array(name: str, values: Iterable[Any]) -> Iterator[bytes]:
    yield f',\n"{name}": ['.encode()
    before = b"\n"
    for value in values:
        yield before + encoded(value)
        before = b",\n"
    yield b"\n]"


def encoded(value: Any) -> bytes:
    """A shape of the feed as JSON on one line."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def ndjson_chunks(feed: Feed) -> Iterator[bytes]:
    """One flat finding a line, each with the run it belongs to."""
    run = {"schema_version": SCHEMA_VERSION, "run_started": feed.run.started}
    for finding in feed.findings():
        yield encoded({**run, **msgspec.structs.asdict(finding)}) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the feed."""
    return schema_of(FeedV1, "auditor findings")


def schema_of(shape: type[msgspec.Struct], title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape."""
    made = msgspec.json.schema(shape)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}
