"""A place for files: a directory, or a prefix of an S3 bucket. Each file is there whole or not at all."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from auditor.files import make_private, user_path, write_private
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

SCHEME = "s3://"
MEDIA_TYPES = {
    ".gz": "application/gzip",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}


class StoreError(CollectorError):
    """A place that cannot be read or written; the text says which and why."""


class ChangedError(StoreError):
    """Somebody else wrote the file since it was read."""


class Store(Protocol):
    """Files by name; a name may have slashes."""

    def check(self) -> None:
        """Raises `StoreError` where it is plain that nothing can be written; it writes nothing."""

    def put(self, name: str, chunks: Iterable[bytes]) -> str:
        """Write a file whole; its version comes back. Raises `StoreError`."""

    def get(self, name: str, path: Path) -> str:
        """Copy a file to `path`; its version comes back, nothing where there is no such file."""


_THERE = "there"
"""The version of every file in a directory."""


class Folder:
    """A directory; what it lacks of subdirectories is made."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def check(self) -> None:
        try:
            there = next(path for path in (self.root, *self.root.absolute().parents) if path.exists())
        except OSError as error:
            raise StoreError(f"cannot write {self.root}: {error.strerror or error}") from error
        if not there.is_dir():
            raise StoreError(f"cannot write {self.root}: {there} is no directory")
        if not os.access(there, os.W_OK):
            raise StoreError(f"cannot write {self.root}: no permission in {there}")

    def put(self, name: str, chunks: Iterable[bytes]) -> str:
        path = self.root / name
        try:
            make_private(path.parent)
            write_private(path, chunks)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
        return _THERE

    def get(self, name: str, path: Path) -> str:
        try:
            path.write_bytes((self.root / name).read_bytes())
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise StoreError(f"cannot read {self.root / name}: {error.strerror or error}") from error
        return _THERE


class Bucket:
    """A prefix of a bucket. A file is one object, up to five gigabytes, and appears when all of it has arrived."""

    def __init__(self, sessions: "Sessions", bucket: str, prefix: str) -> None:
        self.sessions = sessions
        self.bucket = bucket
        self.prefix = prefix

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"

    def check(self) -> None:
        """Whether a bucket takes an object is known only when it is written."""

    def put(self, name: str, chunks: Iterable[bytes], *, version: str | None = None) -> str:
        """Write an object; with `version` only where it still is that one (nothing: where there is none yet).

        Raises `ChangedError` where somebody else was quicker.
        """
        with tempfile.TemporaryFile() as file:
            try:
                file.writelines(chunks)
            except OSError as error:
                raise StoreError(f"cannot write {self}{name}: {error.strerror or error}") from error
            file.seek(0)
            kind = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
            given: dict[str, Any] = {"ContentType": kind}
            if version is not None:
                given |= {"IfMatch": version} if version else {"IfNoneMatch": "*"}
            return str(self._call("PutObject", name, given | {"Body": file}).get("ETag", ""))

    def get(self, name: str, path: Path) -> str:
        from collectors.session import CallError

        try:
            with path.open("wb") as file:
                answer = self._call("GetObject", name, {}, file)
        except StoreError as error:
            path.unlink(missing_ok=True)
            cause = error.__cause__
            if isinstance(cause, CallError) and cause.code in ("NoSuchKey", "404"):
                return ""
            raise
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
        return str(answer["ETag"])

    def _call(self, operation: str, name: str, more: dict[str, Any], into: Any = None) -> dict[str, Any]:
        from collectors.session import CallError

        place = {"Bucket": self.bucket, "Key": f"{self.prefix}{name}"}
        try:
            return self.sessions.call("s3", self.sessions.default_region, operation, place | more, into)
        except CallError as error:
            if error.code in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409"):
                raise ChangedError(f"{self}{name}: somebody else wrote it meanwhile") from error
            raise StoreError(f"{self}{name}: {error}") from error


def is_bucket(target: str) -> bool:
    """Whether a target names a bucket."""
    return target.startswith(SCHEME)


def bucket_of(target: str, sessions: "Sessions") -> Bucket:
    """The prefix that `s3://bucket/prefix` names. Raises `StoreError`."""
    bucket, _, prefix = target.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise StoreError(f"{target!r} names no bucket: s3://bucket/prefix")
    return Bucket(sessions, bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else "")


def store_of(target: str, sessions: "Sessions") -> Store:
    """The place that a target names: `s3://bucket/prefix`, or a directory."""
    return bucket_of(target, sessions) if is_bucket(target) else Folder(user_path(target))
