"""The ledger as the server reads it: a few read-only connections, pictures of findings, and a cache of answers.

All of it belongs to a generation of the ledger: a run that is recorded or compacted away begins the next one, and
what was kept of the last one is not asked again. A request reads in one transaction, so that it sees one generation.
"""

import contextlib
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from auditor.ledger.current import Picture, current_picture, picture_of
from auditor.ledger.history import History, Run
from auditor.ledger.layout import LedgerError, open_ledger
from auditor.server.query import AskedWrongly, digest

T = TypeVar("T")

STEPS = 10_000
"""After so many steps SQLite asks whether the time is over: some milliseconds."""

PICTURES = 3
"""How many pictures are kept: the current one and those of two runs."""


class TooLong(Exception):
    """A request that took longer than it may."""


class NotYet(Exception):
    """A quick reading that would have to make a picture first: a slow one may."""


class NoRun(LookupError):
    """A ledger without a run."""


class Generation(NamedTuple):
    """What tells one state of the ledger from the next: the file, how many runs it holds, and how many of them whole.

    SQLite counts changes, too, but anew for each connection: an answer's tag has to outlive a restart.
    """

    file: tuple[int, int]
    runs: int
    whole: int
    last: int
    name: str

    @property
    def label(self) -> str:
        """The same after a restart of the server."""
        return digest(repr(self[1:]).encode())

    def grew_into(self, later: "Generation") -> bool:
        """Whether a later state only has more runs, so that no row is gone."""
        more = later.last - self.last
        return later.file == self.file and later.runs - self.runs == later.whole - self.whole == more


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a request has to be answered, by the monotonic clock."""

    at: float

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds that are left; negative where none are."""
        return self.at - time.monotonic()

    def check(self) -> None:
        """Raise `TooLong` where the time is over."""
        if self.left <= 0:
            raise TooLong


@dataclass(slots=True)
class _Opened:
    file: tuple[int, int]
    history: History
    generation: Generation | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One request's view of the ledger."""

    history: History
    generation: Generation
    deadline: Deadline
    store: "Store"
    slow: bool

    def run(self, wanted: str, account: str = "") -> Run:
        """A run by what it is called, or the latest one, of an account if one is given."""
        if wanted:
            if not self.generation.runs:
                raise NoRun
            try:
                return self.history.find(wanted)
            except LedgerError as error:
                raise AskedWrongly(str(error), "run", 404) from error
        if account:
            return self._about(account)
        return self.latest()

    def latest(self) -> Run:
        """The latest run. Raises `NoRun`."""
        if not self.generation.runs:
            raise NoRun
        row = self.history.connection.execute(
            "SELECT id, name, started, complete FROM runs WHERE id = ?", (self.generation.last,)
        ).fetchone()
        return Run(row[0], row[1], datetime.fromisoformat(row[2]), bool(row[3]))

    def _about(self, account: str) -> Run:
        runs = [run for run in self.history.runs(account) if not run.compacted]
        if not runs:
            raise AskedWrongly("no run in the ledger is about this account", "account", 404)
        return runs[-1]

    def picture(self, run: Run | None) -> Picture:
        """The findings of a run, or the current ones over all accounts."""
        return self.store.picture(self, run)


@contextlib.contextmanager
def limited(connection: sqlite3.Connection, deadline: Deadline) -> Iterator[None]:
    """Cut off statements that run beyond the deadline. Raises `TooLong`."""
    connection.set_progress_handler(lambda: deadline.left <= 0, STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if deadline.left <= 0:
            raise TooLong from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


class Store:
    """Reads one ledger for many requests at a time."""

    def __init__(self, path: Path, cached: int = 64 << 20) -> None:
        self.path = path
        self.cache = Cache(cached)
        self._idle: list[_Opened] = []
        self._lock = threading.Lock()
        self._pictures: OrderedDict[tuple[Generation, int | None], Picture] = OrderedDict()

    # ------------------------------------------------------------------------------------- reading

    @contextlib.contextmanager
    def reading(self, deadline: Deadline, *, slow: bool = False) -> Iterator[Reading]:
        """A connection for one request, in one transaction. Raises `LedgerError`, `sqlite3.Error` and `TooLong`."""
        deadline.check()
        opened = self._take()
        try:
            with limited(opened.history.connection, deadline):
                opened.history.connection.execute("BEGIN")
                try:
                    generation = self._generation(opened)
                    yield Reading(opened.history, generation, deadline, self, slow)
                finally:
                    opened.history.connection.execute("ROLLBACK")
        except sqlite3.Error:
            opened.history.connection.close()
            raise
        except BaseException:
            self._give(opened)
            raise
        self._give(opened)

    def _take(self) -> _Opened:
        try:
            status = self.path.stat()
        except OSError as error:
            raise LedgerError("the ledger is not there") from error
        file = (status.st_dev, status.st_ino)
        with self._lock:
            while self._idle:
                opened = self._idle.pop()
                if opened.file == file:
                    return opened
                # Another file has taken the place of the one that this reads.
                opened.history.connection.close()
        connection = open_ledger(self.path)
        connection.execute("PRAGMA query_only = ON")
        # A reader of a write-ahead log waits only while somebody recovers it.
        connection.execute("PRAGMA busy_timeout = 5000")
        return _Opened(file, History(connection))

    def _give(self, opened: _Opened) -> None:
        with self._lock:
            self._idle.append(opened)

    def _generation(self, opened: _Opened) -> Generation:
        (version,) = opened.history.connection.execute("PRAGMA data_version").fetchone()
        if opened.generation is not None and opened.version == version:
            return opened.generation
        row = opened.history.connection.execute(
            "SELECT count(*), count(scope), coalesce(max(id), 0), "
            "coalesce((SELECT name FROM runs ORDER BY id DESC LIMIT 1), '') FROM runs"
        ).fetchone()
        found = Generation(opened.file, *row)
        if opened.generation != found:
            # What a history keeps of rules and runs may be of rows that are gone.
            opened.history = History(opened.history.connection)
        opened.generation, opened.version = found, version
        return found

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            while self._idle:
                self._idle.pop().history.connection.close()

    # ------------------------------------------------------------------------------------ pictures

    def picture(self, reading: Reading, run: Run | None) -> Picture:
        """A picture of this generation, made once. Raises `NotYet` where it is not made and the reading is quick.

        Making one reads all findings: it may take longer than a request, and is not cut off.
        """
        key = (reading.generation, run.id if run else None)
        with self._lock:
            held = self._pictures.get(key)
            if held is not None:
                self._pictures.move_to_end(key)
                return held
        if not reading.slow:
            raise NotYet
        connection = reading.history.connection
        connection.set_progress_handler(None, 0)
        made = picture_of(reading.history, run) if run else current_picture(reading.history)
        connection.set_progress_handler(lambda: reading.deadline.left <= 0, STEPS)
        with self._lock:
            self._pictures[key] = made
            for other in [each for each in self._pictures if each[0] != key[0]]:
                del self._pictures[other]
            while len(self._pictures) > PICTURES:
                self._pictures.popitem(last=False)
        return made


class Cache:
    """Values by key, the least lately used of them dropped where all take more than `room` bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._held: OrderedDict[Hashable, tuple[int, object]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What is kept, or what `make` gives; two that ask at once may both make it."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return cast(T, self._held[key][1])
        made = make()
        room = size(made)
        with self._lock:
            if key not in self._held and room * 2 <= self.room:
                self._held[key] = (room, made)
                self._size += room
            while self._size > self.room:
                _, (freed, _) = self._held.popitem(last=False)
                self._size -= freed
        return made
