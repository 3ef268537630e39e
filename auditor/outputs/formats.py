"""The output formats by name. A format's module is imported when it is asked for."""

import importlib
from collections.abc import Iterable, Iterator

from auditor.feed_v1 import Feed

FORMATS = {
    "table": "auditor.outputs.table:table_chunks",
    "json": "auditor.outputs.json_v1:json_chunks",
    "ndjson": "auditor.outputs.json_v1:ndjson_chunks",
}
"""Where each format is made: a function from a feed to pieces of bytes (the table's are text, for a terminal)."""

EXTRAS = {"parquet": "parquet"}
"""The extra that a format needs."""


class MissingExtraError(ImportError):
    """A format whose libraries are not installed; the text says what to install."""


def chunks_of(name: str, feed: Feed, *, color: bool = False, width: int = 110) -> Iterable[bytes]:
    """A feed in a format. `color` and `width` are a terminal's. Raises `MissingExtraError`."""
    module, _, function = FORMATS[name].partition(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if name not in EXTRAS:
            raise
        wanted = f"pip install 'sagemaker-auditor[{EXTRAS[name]}]'"
        raise MissingExtraError(f"the format {name} needs {error.name}: {wanted}") from error
    if name == "table":
        return _text(make(feed, color=color, width=width))
    made: Iterable[bytes] = make(feed)
    return made


def _text(chunks: Iterable[str]) -> Iterator[bytes]:
    for text in chunks:
        yield text.encode("utf-8", "backslashreplace")
