"""The file: its tables, how it is opened, who may write, and how an older one is brought up to date.

A verdict is a row that holds from the run `since` until the run `until`; one without `until` is current. A run that
finds what the last one found writes nothing but itself. Texts of rules and facts about resources are rows of their
own, by digest, and so are the documents of a run (gaps, fixes, coverage), which mostly stay what they are.

    CollectorError
    └── LedgerError        the file cannot be used, or somebody else is writing to it
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from auditor.files import make_private
from collectors.model import CollectorError

APPLICATION_ID = 0x41554449
"""`AUDI`: what tells our file from any other SQLite file."""

FAIL, ACCEPTED, UNKNOWN, RESOLVED, MERGED = range(5)
"""A verdict's status. `MERGED` failed, and is told by another finding whose advice pulls the other way."""


class LedgerError(CollectorError):
    """A ledger that cannot be used; the text says which, why, and what to do."""


_FIRST = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    complete INTEGER NOT NULL,
    run BLOB NOT NULL,
    pillars BLOB NOT NULL,
    point BLOB NOT NULL,
    scope INTEGER REFERENCES documents,
    rules INTEGER REFERENCES documents,
    gaps INTEGER REFERENCES documents,
    fixes INTEGER REFERENCES documents,
    coverage INTEGER REFERENCES documents
);
CREATE TABLE documents (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE rules (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    code TEXT NOT NULL,
    pillar TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE resources (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    account TEXT NOT NULL,
    place TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    arn TEXT NOT NULL,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    finding BLOB NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    status INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    score INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    first INTEGER,
    opened INTEGER,
    seen INTEGER,
    rule INTEGER NOT NULL REFERENCES rules,
    resource INTEGER NOT NULL REFERENCES resources,
    part TEXT NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX verdicts_by_finding ON verdicts (finding, since);
CREATE INDEX verdicts_now ON verdicts (status, score DESC, severity DESC, finding) WHERE until IS NULL;
CREATE INDEX verdicts_closed ON verdicts (until) WHERE until IS NOT NULL;
CREATE TABLE events (
    run INTEGER NOT NULL,
    finding BLOB NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (run, finding)
) WITHOUT ROWID;
CREATE TABLE covered (
    account TEXT NOT NULL,
    place TEXT NOT NULL,
    code TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (account, place, code)
) WITHOUT ROWID;
CREATE TABLE deliveries (
    run INTEGER NOT NULL,
    channel TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered TEXT,
    error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, channel)
) WITHOUT ROWID;
"""

_PRIMARY = 0xFF
"""The part of SQLite's extended error codes that says what kind of error it is."""

STEPS = (_FIRST,)
"""SQL that brings a file from each layout to the next; the first makes an empty file the first layout."""


def open_ledger(path: Path, *, write: bool = False, steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """The ledger at `path`, made or brought up to date where `write` is set. Raises `LedgerError`.

    A reader sees the last run that was written whole, also while another one is being written.
    """
    if not write and not path.is_file():
        raise LedgerError(f"{path}: there is no ledger yet: `auditor run` makes one")
    try:
        if write:
            make_private(path.parent)
            # The mode is there before anything is: SQLite gives its side files the mode of the file.
            path.touch(mode=0o600)
        connection = _connect(path, write=write)
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: {trouble(error)}") from error
    try:
        _check(connection, path, write=write, steps=steps)
    except sqlite3.Error as error:
        connection.close()
        raise LedgerError(f"{path}: {trouble(error)}") from error
    except LedgerError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def opened(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """The ledger for as long as it is needed; what SQLite complains of meanwhile is a `LedgerError`, too."""
    connection = open_ledger(path, write=write)
    try:
        yield connection
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: {trouble(error)}") from error
    finally:
        connection.close()


def trouble(error: sqlite3.Error) -> str:
    """What ails a ledger's file, and what to do about it."""
    match getattr(error, "sqlite_errorcode", 0) & _PRIMARY:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return f"{error}: make room on that disk, or keep the state elsewhere (--state)"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"is no ledger, or damaged ({error}): move it away, and the next run begins a new one"
        case _:
            return str(error)


def memory_ledger() -> sqlite3.Connection:
    """A ledger that nobody keeps, to compare two snapshots in."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in STEPS:
        connection.executescript(step)
    return connection


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={'rw' if write else 'ro'}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
    if write:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
    return connection


def _check(connection: sqlite3.Connection, path: Path, *, write: bool, steps: Sequence[str]) -> None:
    """Refuse what is not ours or newer; bring what is older up to date, all of it or nothing."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise LedgerError(f"{path}: is an SQLite file of something else")
    if layout > len(steps):
        raise LedgerError(
            f"{path}: was written by a newer auditor (layout {layout}, this one knows {len(steps)}): "
            "upgrade with `pip install -U sagemaker-auditor`"
        )
    if layout == len(steps):
        return
    if not write:
        older = "is empty" if not layout else f"has the older layout {layout}"
        raise LedgerError(
            f"{path}: {older}: the next `auditor run` or `auditor compact` brings it up to date"
        )
    for number in range(layout, len(steps)):
        with transaction(connection):
            for statement in _statements(steps[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _statements(script: str) -> Iterator[str]:
    """A script's statements: `executescript` would end the transaction before it begins."""
    statement = ""
    for piece in script.split(";")[:-1]:
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; another process that writes is waited for, half a minute at most."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the lock of a ledger for a whole run. Raises `LedgerError` where another run holds it.

    The lock is the operating system's: it ends with the process that holds it, however that ends.
    """
    from filelock import FileLock, Timeout

    make_private(path.parent)
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise LedgerError(f"{path}: another run is writing to it: wait for that one to end") from error
    except OSError as error:
        raise LedgerError(f"{path}: cannot be locked: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()
