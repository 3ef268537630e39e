"""Findings as Parquet with fixed columns: the flat rows, for Athena and any lake (extra `parquet`).

Rows are written in groups, so that memory does not grow with findings. Texts are UTF-8; what JSON can hold and UTF-8
cannot (half a surrogate pair) is escaped.
"""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.feed_v1 import Feed
from auditor.outputs.rows import RowV1, rows

GROUP = 20_000
_CHUNK = 1 << 20

_MOMENTS = ("run_started", "first_seen", "last_seen")
_REQUIRED = frozenset(RowV1.__struct_fields__) - {
    *("state", "first_seen", "last_seen", "accepted_reason", "accepted_until", "monthly_savings", "currency"),
}


def _type(name: str) -> Any:
    if name in _MOMENTS:
        return pa.timestamp("ms", tz="UTC")
    return {
        "run_complete": pa.bool_(),
        "score": pa.int32(),
        "confidence": pa.float64(),
        "monthly_savings": pa.float64(),
        "accepted_until": pa.date32(),
    }.get(name, pa.string())


SCHEMA = pa.schema(
    [pa.field(name, _type(name), nullable=name not in _REQUIRED) for name in RowV1.__struct_fields__]
)


def parquet_chunks(feed: Feed) -> Iterator[bytes]:
    """The file, in pieces: its footer is written last, so that it is made on disk first."""
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            for group in _groups(rows(feed)):
                columns = {name: [_value(getattr(row, name)) for row in group] for name in SCHEMA.names}
                writer.write_table(pa.table(columns, schema=SCHEMA))
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _value(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _groups(found: Iterable[RowV1]) -> Iterator[list[RowV1]]:
    iterator = iter(found)
    while group := list(islice(iterator, GROUP)):
        yield group
