"""Answers: JSON and problems, entity tags, compression, and what a client says that it takes."""

import zlib
from collections.abc import Iterable

import msgspec
from starlette.responses import Response

from auditor.outputs.json_v1 import encoded
from auditor.server.shapes import ProblemV1

JSON = "application/json"
NDJSON = "application/x-ndjson"
PROBLEM = "application/problem+json"
METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
HTML = "text/html; charset=utf-8"

SMALL = 1000
"""A body of fewer bytes is not worth compressing."""

LEVEL = 3
"""Of zlib: a page of a hundred findings takes a millisecond."""

KEPT = "private, no-cache"
"""Kept by the client alone, and asked about each time: the tag tells whether it is still good."""


def problem(status: int, title: str, detail: str, parameter: str | None = None) -> Response:
    """What went wrong, for a program. The detail never names a path, and never a value of a header."""
    body = encoded(ProblemV1(title, status, detail, parameter))
    headers = {"Cache-Control": "no-store"}
    if status in (429, 503):
        headers["Retry-After"] = "5"
    return Response(body, status, headers, media_type=PROBLEM)


def document(value: msgspec.Struct) -> bytes:
    """A shape as JSON."""
    return encoded(value) + b"\n"


def compressed(body: bytes) -> bytes:
    """A body as gzip."""
    packer = zlib.compressobj(LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


def takes_gzip(header: str) -> bool:
    """Whether `Accept-Encoding` takes gzip."""
    weights = _weights(header)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def takes_lines(header: str) -> bool:
    """Whether `Accept` asks for one finding a line, and does not like JSON better."""
    weights = _weights(header)
    lines = max(weights.get(name, 0.0) for name in (NDJSON, "application/ndjson", "application/jsonl"))
    return lines > 0 and lines >= weights.get(JSON, 0.0)


def _weights(header: str) -> dict[str, float]:
    """The parts of an Accept header with their weights; what cannot be read weighs nothing."""
    found: dict[str, float] = {}
    for part in header.split(",")[:32]:
        name, *settings = (each.strip().lower() for each in part.split(";"))
        weight = 1.0
        for setting in settings:
            if setting.startswith("q="):
                try:
                    weight = float(setting[2:])
                except ValueError:
                    weight = 0.0
        found[name] = weight
    return found


def matches(header: str, tag: str) -> bool:
    """Whether `If-None-Match` names a tag. They are weak: the same answer, compressed or not."""
    return tag.removeprefix("W/") in (part.strip().removeprefix("W/") for part in header.split(","))


def answer(
    body: bytes, tag: str, media: str = JSON, *, packed: bool = False, more: Iterable[tuple[str, str]] = ()
) -> Response:
    """A body with its tag."""
    headers = {"ETag": tag, "Cache-Control": KEPT, "Vary": "Accept, Accept-Encoding", **dict(more)}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, media_type=media)


def unchanged(tag: str) -> Response:
    """304: what the client has is still good."""
    return Response(
        status_code=304, headers={"ETag": tag, "Cache-Control": KEPT, "Vary": "Accept, Accept-Encoding"}
    )
