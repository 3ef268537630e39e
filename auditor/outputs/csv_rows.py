"""Findings as CSV for a spreadsheet: the flat rows, one finding each, in which no cell is taken for a formula.

UTF-8 with a byte order mark, by which Excel knows it, and CRLF, as RFC 4180 has it.
"""

import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from defusedcsv import csv

from auditor.feed_v1 import Feed
from auditor.outputs.rows import RowV1, rows
from auditor.outputs.text import safe

COLUMNS = RowV1.__struct_fields__
_MARK = b"\xef\xbb\xbf"


def csv_chunks(feed: Feed) -> Iterator[bytes]:
    """A heading and a row for each finding."""
    held = io.StringIO(newline="")
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield _MARK + _taken(held)
    for row in rows(feed):
        writer.writerow([_cell(getattr(row, name)) for name in COLUMNS])
        yield _taken(held)


def _cell(value: Any) -> str:
    """A value as text in which nothing moves the cursor, breaks a row or turns the writing round."""
    if value is None:
        return ""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return safe(str(value))


def _taken(held: io.StringIO) -> bytes:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text.encode()
