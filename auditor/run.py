"""`auditor run`: one configured run that nobody watches, as cron, a container or Lambda calls it.

It reads and judges as `auditor scan` does, and then, in this order: writes the run into the ledger and forgets what is
too old; renders the outputs and the feed from the ledger; pushes findings and tells people what changed; says how it
went. Whatever of that fails costs none of what comes after it. A run that is killed leaves the ledger as the last one
left it.
"""

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.console import Console, Judging, drop_stdout, guarded, note
from auditor.delivery.outbox import deliver, ways_of
from auditor.delivery.store import ChangedError, bucket_of, is_bucket, store_of
from auditor.exits import Exit
from auditor.feed_v1 import Feed
from auditor.files import user_path
from auditor.home import READING, SNAPSHOT, Health, Home, open_home
from auditor.ledger.history import History
from auditor.ledger.layout import LedgerError, only_writer, opened, trouble
from auditor.ledger.record import Recorded, record
from auditor.ledger.retention import forget
from auditor.pipeline import Prepared, check_writable
from auditor.publish import feed_of
from auditor.report import Report
from auditor.settings import SettingsError
from collectors.model import CollectorError, Snapshot
from evaluators.rule import Severity

if TYPE_CHECKING:
    from collectors.session import Sessions

ATTEMPTS = 3
"""How often a run is recorded anew where another one replaced the ledger in the bucket meanwhile."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Two ways into AWS: `reader` has the role that may read the account, `own` are the run's own credentials.

    Results are kept and told with the run's own: the reader's role needs no right to write.
    """

    reader: "Sessions"
    own: "Sessions"


@dataclass(frozen=True, slots=True)
class Around:
    """What a test gives in place of the world: doors into AWS, the clock, how to wait, how long a minute is."""

    doors: Doors | None = None
    now: datetime | None = None
    pause: Callable[[float], None] = time.sleep
    minute: float = 60.0


def run_scheduled(
    config: Path | str | None,
    flags: Mapping[str, Any],
    console: Console,
    judging: Judging | None = None,
    around: Around | None = None,
) -> int:
    """One run by its settings; the exit code is that of a scan.

    `config` may be `s3://bucket/key`. Failed messages and pushes are said, recorded and tried again by the next run;
    they leave the exit code alone. An output, a feed or a ledger that could not be written is 3.
    """
    around = around or Around()

    def run() -> int:
        with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
            file = _fetched(config, Path(folder), flags, around)
            wanted = judging or Judging([], [], [], None, [])
            try:
                prepared = Prepared.of(file, flags, wanted, None, console, scheduled=True)
            except SettingsError as error:
                # The name of a copy says nothing to whoever has to mend the settings.
                raise SettingsError(str(error).replace(f"{folder}{os.sep}", "(from the bucket) ")) from error
        settings = prepared.settings
        if settings.health_file:
            check_writable(user_path(settings.health_file))
        if settings.jitter_seconds:
            around.pause(random.uniform(0, settings.jitter_seconds))  # noqa: S311 - spreads load, guards nothing
        own = _own(around, settings.profile)
        if settings.feed:
            store_of(settings.feed, own).check()
        with open_home(settings.state, own) as home, only_writer(home.ledger):
            return _Scheduled(prepared, home, own, around).attempt()

    return guarded(run)


def _own(around: Around, profile: str) -> "Sessions":
    if around.doors is not None:
        return around.doors.own
    from collectors.session import open_sessions

    return open_sessions(profile=profile or None)


def _fetched(
    config: Path | str | None, folder: Path, flags: Mapping[str, Any], around: Around
) -> Path | None:
    """The settings file: as it is, or copied from a bucket."""
    named = str(config) if config is not None else os.environ.get("AUDITOR_CONFIG", "").strip()
    if not is_bucket(named):
        return Path(named) if named else None
    place, _, name = named.rpartition("/")
    sessions = _own(around, str(flags.get("profile") or os.environ.get("AUDITOR_PROFILE", "")))
    path = folder / name
    if not name or not bucket_of(place, sessions).get(name, path):
        raise LedgerError(f"{named}: there is no such settings file")
    return path


class _Scheduled:
    def __init__(self, prepared: Prepared, home: Home, own: "Sessions", around: Around) -> None:
        self.prepared = prepared
        self.settings = prepared.settings
        self.console = prepared.console
        self.home = home
        self.own = own
        self.ways = ways_of(self.settings, own, note, around.pause)
        self.around = around
        self.before = Health()
        self.now = (around.now or datetime.now(UTC)).replace(microsecond=0)

    def attempt(self) -> int:
        """The run, and how it went, whatever happens."""
        self.home.tidy()
        self.before = self.home.health()
        try:
            return self.run()
        except CollectorError as error:
            self.say_health(Exit.NOT_STARTED, None, str(error))
            raise
        except KeyboardInterrupt:
            self.say_health(Exit.INTERRUPTED, None, "interrupted")
            raise
        except Exception as error:
            self.say_health(Exit.BROKEN, None, f"broken off: {type(error).__name__}")
            raise

    def run(self) -> int:
        with opened(self.home.ledger, write=True):
            pass  # What cannot be used is said before an hour of reading.
        snapshot = self.read()
        severity, self.prepared.severity = self.prepared.severity, Severity.INFO
        report = self.prepared.judged(snapshot, self.prepared.scan.rules)
        if snapshot.ends[-1].why == "interrupted":
            # Somebody stopped it: what it did not get to see is no news about any finding.
            self.write_outputs(feed_of(report), severity)
            self.say_health(Exit.INTERRUPTED, report, "interrupted")
            return int(Exit.INTERRUPTED)
        recorded = self.recorded(report, snapshot)
        if recorded is None:
            feed = feed_of(report)
            self.write_outputs(feed, severity)
            self.publish(feed)
        else:
            self.tell(recorded, severity)
        code = self.prepared.exit_code(report)
        self.say_health(code, report, "; ".join(self.prepared.lost), recorded)
        return int(code)

    def write_outputs(self, feed: Feed, severity: Severity) -> None:
        """The outputs; where nobody reads stdout any more, the run goes on all the same."""
        try:
            self.prepared.tell(feed.above(severity.label))
        except BrokenPipeError:
            drop_stdout()
            self.prepared.lose("stdout was closed before everything was told")

    def read(self) -> Snapshot:
        """The account, with the snapshot on disk; jobs that had ended before come out of the last complete one."""
        doors = self.around.doors
        if doors is None:
            from collectors.session import open_sessions

            doors = Doors(
                open_sessions(
                    profile=self.settings.profile or None,
                    role_arn=self.settings.role_arn or None,
                    external_id=self.settings.external_id or None,
                    concurrency=self.settings.concurrency,
                ),
                self.own,
            )
        written = self.home.folder / READING
        limit = self.settings.time_limit_minutes
        scan = replace(
            self.prepared.scan,
            snapshot_path=written,
            earlier=self.earlier(),
            limit=limit * self.around.minute if limit else None,
            now=self.now,
        )
        snapshot = self.prepared.read(doors.reader, scan)
        if snapshot.complete and written.is_file():
            try:
                self.home.keep_snapshot(written)
            except (OSError, CollectorError) as error:
                self.prepared.lost.append(f"the snapshot was not kept: {error}")
        written.unlink(missing_ok=True)
        return snapshot

    def earlier(self) -> Snapshot | None:
        """The last complete run's snapshot; one that cannot be used costs only that all jobs are read."""
        if not self.settings.since_last:
            return None
        from collectors.snapshot_file import SnapshotError, read_snapshot

        try:
            if self.home.bucket is not None:
                self.home.bucket.get(SNAPSHOT, self.home.snapshot)
            return read_snapshot(self.home.snapshot) if self.home.snapshot.is_file() else None
        except (SnapshotError, CollectorError) as error:
            note(f"all jobs are read: {error}")
            return None

    def recorded(self, report: Report, snapshot: Snapshot) -> Recorded | None:
        """The run in the ledger; `None` where it cannot be written, which costs the states and nothing else."""
        try:
            for _ in range(ATTEMPTS):
                found = self.write(report, snapshot)
                try:
                    self.home.keep_ledger()
                except ChangedError:
                    self.home.fetch_ledger()
                else:
                    return found
            self.prepared.lost.append(
                "the run was not recorded: other runs replaced the ledger again and again"
            )
        except (OSError, CollectorError) as error:
            self.prepared.lost.append(f"the run was not recorded: {error}")
        return None

    def write(self, report: Report, snapshot: Snapshot) -> Recorded:
        with opened(self.home.ledger, write=True) as connection:
            found = record(connection, report, snapshot, tuple(self.ways))
            try:
                forget(connection, self.now - timedelta(days=self.settings.keep_days))
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                note(f"old runs were not forgotten: {trouble(error)}")
        return found

    def tell(self, recorded: Recorded, severity: Severity) -> None:
        """Everything that is told of a run comes out of the ledger, so that it can be told again."""
        with opened(self.home.ledger, write=True) as connection:
            history = History(connection)
            run = history.find(recorded.name)
            feed = history.feed(run)
            self.write_outputs(feed, severity)
            self.publish(feed)
        if not self.ways:
            return
        # Which messages arrived is kept as well; where that fails the next run may tell them again.
        try:
            with opened(self.home.ledger, write=True) as connection:
                deliver(connection, self.ways, note)
            self.home.keep_ledger()
        except CollectorError as error:
            note(f"which messages arrived was not kept: {error}")

    def publish(self, feed: Feed) -> None:
        if not self.settings.feed:
            return
        from auditor.delivery.lake import publish

        try:
            publish(feed, store_of(self.settings.feed, self.own))
        except CollectorError as error:
            self.prepared.lose(f"the feed was not written: {error}")

    def say_health(
        self,
        code: Exit,
        report: Report | None,
        message: str,
        recorded: Recorded | None = None,
    ) -> None:
        """Note how it went, for a monitor. A run that was recorded and ended with 0, 1 or 3 is a success."""
        succeeded = recorded is not None and code in (Exit.CLEAN, Exit.FINDINGS, Exit.INCOMPLETE)
        health = Health(
            last_success=self.now if succeeded else self.before.last_success,
            last_run=self.now,
            exit_code=int(code),
            complete=report.complete if report is not None else None,
            run=recorded.name if recorded is not None else "",
            message=message,
        )
        for error in self.home.keep_health(health, self.settings.health_file):
            note(f"the health file was not written: {error}")
