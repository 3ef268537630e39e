"""Where a scheduled run keeps its state: ledger, last complete snapshot and health, in a directory or a bucket.

    ledger.sqlite3          runs and findings
    snapshot.jsonl.gz       the last complete run's snapshot, for `--since-last`
    health.json             when a run last succeeded, and how the last one ended

State in a bucket is copied here for the run and back at its end. The ledger's object is replaced only where nobody
else replaced it meanwhile; so two runs at once cannot undo each other.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.delivery.store import Bucket, Folder, Store, bucket_of, is_bucket
from auditor.files import make_private, user_path
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

LEDGER, SNAPSHOT, HEALTH = "ledger.sqlite3", "snapshot.jsonl.gz", "health.json"
READING = "reading.jsonl.gz"
"""The snapshot of a run that is still going on, or was not complete."""
_CHUNK = 1 << 20


class HomeError(CollectorError):
    """State that cannot be kept where the settings say."""


class Health(msgspec.Struct, frozen=True):
    """`health.json`: what a monitor looks at."""

    last_success: datetime | None = None
    last_run: datetime | None = None
    exit_code: int | None = None
    complete: bool | None = None
    run: str = ""
    message: str = ""


def default_home() -> Path:
    """`$XDG_STATE_HOME/sagemaker-auditor`, by default below `~/.local/state`."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return user_path(base) / "sagemaker-auditor"


@dataclass(slots=True)
class Home:
    """The state's directory, and the bucket that it is a copy of; `version` is of the ledger's object."""

    folder: Path
    bucket: Bucket | None = None
    version: str = ""

    @property
    def ledger(self) -> Path:
        return self.folder / LEDGER

    @property
    def snapshot(self) -> Path:
        return self.folder / SNAPSHOT

    def tidy(self) -> None:
        """Remove what runs left behind that were killed: files that never got their names."""
        for name in (SNAPSHOT, READING, HEALTH):
            for path in self.folder.glob(f".{name}.*"):
                path.unlink(missing_ok=True)
        (self.folder / READING).unlink(missing_ok=True)

    def fetch_ledger(self) -> None:
        """Copy the ledger here as it is in the bucket now. Raises `StoreError`."""
        if self.bucket is not None:
            for name in (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"):
                (self.folder / name).unlink(missing_ok=True)
            self.version = self.bucket.get(LEDGER, self.ledger)

    def keep_ledger(self) -> None:
        """Copy the ledger back. Raises `ChangedError` where somebody else did so meanwhile."""
        if self.bucket is not None:
            self.version = self.bucket.put(LEDGER, file_chunks(self.ledger), version=self.version)

    def keep_snapshot(self, written: Path) -> None:
        """Put a complete run's snapshot in the place of the last one."""
        written.replace(self.snapshot)
        if self.bucket is not None:
            self.bucket.put(SNAPSHOT, file_chunks(self.snapshot))

    def health(self) -> Health:
        """How the last run ended; nothing is known where there is no file, or one that nobody can read."""
        if self.bucket is not None:
            self.bucket.get(HEALTH, self.folder / HEALTH)
        try:
            return msgspec.json.decode((self.folder / HEALTH).read_bytes(), type=Health)
        except (OSError, msgspec.DecodeError):
            return Health()

    def keep_health(self, health: Health, also: str = "") -> list[str]:
        """Write how this run ended, also to the file that the settings name; what could not be written comes back.

        One place that fails, such as a full disk, does not keep the others from telling a monitor.
        """
        body = msgspec.json.format(msgspec.json.encode(health), indent=1) + b"\n"
        named = user_path(also)
        places: list[tuple[Store | None, str]] = [
            (Folder(self.folder), HEALTH),
            (Folder(named.parent) if also else None, named.name),
            (self.bucket, HEALTH),
        ]
        failed = []
        for store, name in places:
            try:
                if store is not None:
                    store.put(name, [body])
            except CollectorError as error:
                failed.append(str(error))
        return failed


@contextlib.contextmanager
def open_home(target: str, sessions: "Sessions") -> Iterator[Home]:
    """The state at `target`: a directory that is made where it is missing, or a copy of a bucket's prefix."""
    if is_bucket(target):
        with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
            home = Home(Path(folder), bucket_of(target, sessions))
            home.fetch_ledger()
            yield home
        return
    place = user_path(target) if target else default_home()
    if place.exists() and not place.is_dir():
        raise HomeError(f"cannot keep state in {place}: it is no directory")
    try:
        make_private(place)
    except OSError as error:
        raise HomeError(f"cannot keep state in {place}: {error.strerror or error}") from error
    if not os.access(place, os.W_OK):
        raise HomeError(f"cannot keep state in {place}: no permission to write there")
    yield Home(place)


def file_chunks(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
