"""The findings feed as files: a day's rows for a lake, and the latest picture for a dashboard.

    findings/dt=2026-11-23/findings.jsonl.gz       one flat row a finding
    parquet/dt=2026-11-23/findings.parquet         the same rows (extra `parquet`)
    runs/dt=2026-11-23/run.json                    the run: scores, gaps, rules, practices, changes
    findings.json                                  the latest run, whole, as `-o json` writes it
    latest.json                                    which run that is, and where its files are; written last

Each table of a lake has a folder of its own, since Athena reads every file that it finds in one. A second run of a day
takes the place of the first.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from importlib.util import find_spec
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from auditor.delivery.store import Store
from auditor.feed_v1 import SCHEMA_VERSION, Feed, FixV1, GapV1, PracticeV1, RuleV1, RunV1, ScoreV1
from auditor.outputs.formats import chunks_of
from auditor.outputs.json_v1 import encoded, schema_of
from auditor.outputs.rows import jsonl_gz_chunks


class RunFileV1(msgspec.Struct, frozen=True):
    """`run.json`: a run without its findings."""

    schema_version: Annotated[Literal["1.0"], Meta(description="Version of this shape.")]
    run: Annotated[RunV1, Meta(description="The run.")]
    pillars: Annotated[dict[str, ScoreV1], Meta(description="Scores by pillar.")]
    gaps: Annotated[list[GapV1], Meta(description="Calls that did not tell.")]
    rules: Annotated[list[RuleV1], Meta(description="The rules that ran.")]
    fixes: Annotated[list[FixV1], Meta(description="The hundred changes that are worth most.")]
    coverage: Annotated[list[PracticeV1], Meta(description="Every practice, and what the run says of it.")]


class FileV1(msgspec.Struct, frozen=True):
    """A file of the feed."""

    path: Annotated[str, Meta(description="Below the feed's root.")]
    bytes: Annotated[int, Meta(description="Its size.")]
    sha256: Annotated[str, Meta(description="Of its bytes, in hex.")]


class LatestV1(msgspec.Struct, frozen=True):
    """`latest.json`: the run whose files are whole."""

    schema_version: Annotated[Literal["1.0"], Meta(description="Version of this shape.")]
    run_id: Annotated[str, Meta(description="The run's name in the ledger.")]
    account: Annotated[str, Meta(description="12-digit account id; of several all, with commas.")]
    started: Annotated[datetime, Meta(description="When its snapshot was taken.")]
    complete: Annotated[bool, Meta(description="False when anything was not known.")]
    files: Annotated[list[FileV1], Meta(description="Its files.")]


FIXES = 100


def publish(feed: Feed, store: Store) -> list[FileV1]:
    """Write a run's files; `latest.json` comes last. Raises `StoreError`."""
    day = f"dt={feed.run.started:%Y-%m-%d}"
    run_file = RunFileV1(
        SCHEMA_VERSION,
        feed.run,
        dict(feed.pillars),
        list(feed.gaps),
        list(feed.rules),
        list(feed.fixes[:FIXES]),
        list(feed.coverage),
    )
    wanted: list[tuple[str, Iterable[bytes]]] = [
        (f"findings/{day}/findings.jsonl.gz", jsonl_gz_chunks(feed)),
        (f"runs/{day}/run.json", [encoded(run_file), b"\n"]),
        ("findings.json", chunks_of("json", feed)),
    ]
    if has_parquet():
        wanted.insert(1, (f"parquet/{day}/findings.parquet", chunks_of("parquet", feed)))
    files = [_put(store, *each) for each in wanted]
    latest = LatestV1(
        SCHEMA_VERSION, feed.run.id, feed.run.account, feed.run.started, feed.run.complete, files
    )
    store.put("latest.json", [encoded(latest), b"\n"])
    return files


def has_parquet() -> bool:
    """Whether the extra `parquet` is installed."""
    return find_spec("pyarrow") is not None


def _put(store: Store, path: str, chunks: Iterable[bytes]) -> FileV1:
    counted = _Counted(chunks)
    store.put(path, counted)
    return FileV1(path, counted.bytes, counted.digest.hexdigest())


class _Counted:
    """Chunks that are measured as they go by."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.bytes = 0
        self.digest = sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.bytes += len(chunk)
            self.digest.update(chunk)
            yield chunk


def schema(shape: Literal["run", "latest"]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of `run.json` or `latest.json`."""
    return schema_of(RunFileV1 if shape == "run" else LatestV1, f"auditor {shape}.json")
