"""The snapshot file: gzip'd JSON lines. A manifest first, then resources, listings and gaps, an end last.

A file without its end record is incomplete, and still readable up to where it broke off. Parts put
one behind the other (`cat a.jsonl.gz b.jsonl.gz`) are one valid file.
"""

import contextlib
import errno
import gzip
import os
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from collectors.model import CollectorError, End, Gap, Listing, Manifest, Resource, Snapshot

SCHEMA = 1
"""The version of the file's layout; a reader refuses a newer one."""


class SnapshotError(CollectorError):
    """A snapshot file that cannot be used; the text says which and why."""


class _Line(msgspec.Struct, omit_defaults=True):
    """One line: exactly one of these is set."""

    manifest: Manifest | None = None
    resource: Resource | None = None
    listing: Listing | None = None
    gap: Gap | None = None
    end: End | None = None


class _Version(msgspec.Struct):
    schema: int


class _FirstLine(msgspec.Struct):
    manifest: _Version


class SnapshotWriter:
    """Writes a snapshot as it is read: to a private file beside the target, renamed when it is done.

    An interrupted run that can still close leaves a readable file with `complete` false; one that
    was killed leaves `NAME.part`, readable as well. Raises `OSError` (disk full, not writable).
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "not a file")
        self.path = path = path.resolve()
        self._lock = threading.Lock()
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        self._part = Path(name)
        self._raw: IO[bytes] = os.fdopen(handle, "wb")
        self._file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=6, mtime=0)
        self._write(_Line(manifest=manifest))

    def resource(self, resource: Resource) -> None:
        """Write one resource."""
        self._write(_Line(resource=resource))

    def listing(self, listing: Listing) -> None:
        """Write whether a listing was whole."""
        self._write(_Line(listing=listing))

    def gap(self, gap: Gap) -> None:
        """Write one gap."""
        self._write(_Line(gap=gap))

    def close(self, end: End) -> None:
        """Write the end record and give the file its name."""
        self._write(_Line(end=end))
        self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._part.replace(self.path)

    def _write(self, line: _Line) -> None:
        with self._lock:
            self._file.write(msgspec.json.encode(line) + b"\n")

    def __enter__(self) -> Self:
        return self

    def discard(self) -> None:
        """Remove a file that cannot be finished."""
        self.__exit__(None, None, None)
        self._part.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no open file behind; what was written so far stays readable under its `.part` name."""
        if not self._raw.closed:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._raw.close()


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot of one or several parts; one that broke off comes out as not complete.

    Raises `SnapshotError` where it is no snapshot, damaged in the middle, or from a newer version.
    """
    manifests: list[Manifest] = []
    snapshot = Snapshot(())
    for number, line in _lines(path):
        match line:
            case _Line(manifest=Manifest() as manifest):
                manifests.append(manifest)
            case _Line(end=End()) if not manifests:
                continue
            case _ if not manifests:
                raise SnapshotError(f"{path}:{number}: is no snapshot: it does not begin with a manifest")
            case _Line(resource=Resource() as resource):
                snapshot.add(resource)
            case _Line(listing=Listing() as listing):
                snapshot.close(listing)
            case _Line(gap=Gap() as gap):
                snapshot.gaps.append(gap)
            case _Line(end=End() as end):
                snapshot.ends.append(end)
            case _:
                pass
    if not manifests:
        raise SnapshotError(f"{path}: is empty: nothing was written before it broke off")
    snapshot.manifests = tuple(manifests)
    return snapshot


def _lines(path: Path) -> Iterator[tuple[int, _Line]]:
    """The decoded lines with their numbers; a file that is cut off ends with an end that says so."""
    decoder = msgspec.json.Decoder(_Line)
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            for number, text in enumerate(file, 1):
                if not text.endswith(b"\n"):
                    return
                yield number, _decoded(decoder, text, path, number)
    except EOFError:
        yield number + 1, _Line(end=End(complete=False, why="the snapshot file is cut off"))
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SnapshotError(f"{path}: is no snapshot, or damaged after line {number}: {error}") from error
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error


def _decoded(decoder: msgspec.json.Decoder[_Line], text: bytes, path: Path, number: int) -> _Line:
    if text.startswith(b'{"manifest"'):
        with contextlib.suppress(msgspec.DecodeError):
            schema = msgspec.json.decode(text, type=_FirstLine).manifest.schema
            if schema > SCHEMA:
                raise SnapshotError(
                    f"{path}: was written by a newer auditor (layout {schema}, this one reads {SCHEMA}): "
                    "upgrade with `pip install -U sagemaker-auditor`"
                )
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"{path}:{number}: is no line of a snapshot: {error}") from error
