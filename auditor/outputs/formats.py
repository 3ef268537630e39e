"""The output formats by name. A format's module is imported when it is asked for."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from auditor.feed_v1 import Feed

FORMATS = {
    "table": "auditor.outputs.table:table_chunks",
    "json": "auditor.outputs.json_v1:json_chunks",
    "ndjson": "auditor.outputs.json_v1:ndjson_chunks",
    "html": "auditor.outputs.html:html_chunks",
    "csv": "auditor.outputs.csv_rows:csv_chunks",
    "markdown": "auditor.outputs.markdown:markdown_chunks",
    "sarif": "auditor.outputs.sarif:sarif_chunks",
    "junit": "auditor.outputs.junit:junit_chunks",
    "ocsf": "auditor.outputs.ocsf:ocsf_chunks",
    "asff": "auditor.outputs.asff:asff_chunks",
    "openmetrics": "auditor.outputs.openmetrics:openmetrics_chunks",
    "emf": "auditor.outputs.emf:emf_chunks",
    "parquet": "auditor.outputs.parquet:parquet_chunks",
}
"""Where each format is made: a function from a feed to pieces of bytes (the table's are text, for a terminal)."""

EXTRAS = {"parquet": ("parquet", ("pyarrow",))}
"""The extra that a format needs, and the libraries in it."""


class MissingExtraError(ImportError):
    """A format whose libraries are not installed; the text says what to install."""


def maker_of(name: str) -> Callable[..., Iterable[Any]]:
    """The function behind a format. Raises `MissingExtraError`."""
    module, _, function = FORMATS[name].partition(":")
    try:
        for library in EXTRAS.get(name, ("", ()))[1]:
            importlib.import_module(library)
        made: Callable[..., Iterable[Any]] = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if name not in EXTRAS:
            raise
        wanted = f"pip install 'sagemaker-auditor[{EXTRAS[name][0]}]'"
        raise MissingExtraError(f"the format {name} needs {error.name}: {wanted}") from error
    return made


def chunks_of(name: str, feed: Feed, *, color: bool = False, width: int = 110) -> Iterable[bytes]:
    """A feed in a format. `color` and `width` are a terminal's. Raises `MissingExtraError`."""
    make = maker_of(name)
    return _text(make(feed, color=color, width=width)) if name == "table" else make(feed)


def _text(chunks: Iterable[str]) -> Iterator[bytes]:
    for text in chunks:
        yield text.encode("utf-8", "backslashreplace")
