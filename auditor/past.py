"""The commands that look back: diff, history, report, baseline and compact. None of them reads an account."""

import contextlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.console import Console, Judging, UsageError, guarded, settings_from, show
from auditor.exits import Exit
from auditor.files import user_path, write_private
from auditor.ledger.history import Change, History, Run
from auditor.ledger.layout import LedgerError, memory_ledger, only_writer, opened
from auditor.ledger.record import record
from auditor.pipeline import Prepared, check_writable, severity_of
from auditor.settings import Settings
from evaluators.rule import Severity

SNAPSHOTS = (".jsonl.gz", ".jsonl")


@contextlib.contextmanager
def _ledger(settings: Settings, *, write: bool = False) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """The ledger of the state that the settings name, copied here where that is in a bucket."""
    from auditor.delivery.store import is_bucket
    from auditor.home import open_home

    with contextlib.ExitStack() as stack:
        if is_bucket(settings.state):
            from collectors.session import open_sessions

            home = stack.enter_context(
                open_home(settings.state, open_sessions(profile=settings.profile or None))
            )
            path = home.ledger
        else:
            from auditor.home import LEDGER, default_home

            path = (user_path(settings.state) if settings.state else default_home()) / LEDGER
        if write:
            if not path.is_file():
                raise LedgerError(f"{path}: there is no ledger yet: `auditor run` makes one")
            stack.enter_context(only_writer(path))
        with opened(path, write=write) as connection:
            yield connection, path
        if write and is_bucket(settings.state):
            home.keep_ledger()


def diff(
    old: str,
    new: str,
    flags: Mapping[str, Any],
    config: Path | None,
    severity: str | None,
    output: str,
    console: Console,
    *,
    fail_on_new: bool,
) -> int:
    """`auditor diff`: what changed between two runs of the ledger, or between two snapshots."""

    def run() -> int:
        least = severity_of(severity) or Severity.INFO
        name, _, target = output.partition("=")
        if name not in ("table", "json"):
            raise UsageError(f"no format of a comparison is called {name!r}; there are table, json")
        if target:
            check_writable(Path(target))
        color = console.colored and not target
        files = [_is_snapshot(old), _is_snapshot(new)]
        if any(files) and not all(files):
            raise UsageError("compare two runs, or two snapshots: one of these is a run and one a file")
        with contextlib.ExitStack() as stack:
            if all(files):
                history, first, last = _of_snapshots(Path(old), Path(new), flags, config, console)
            else:
                settings, _ = settings_from(config, flags)
                connection, _ = stack.enter_context(_ledger(settings))
                history = History(connection)
                first, last = history.find(old), history.find(new)
                if first.id > last.id:
                    raise UsageError(f"{first.name} is later than {last.name}: the earlier run comes first")
                _require_same(history.run_v1(first).account, history.run_v1(last).account)
            changes = _changes(history, first, last, least)
        _put(changes, first, last, name, Path(target) if target else None, color=color)
        fresh = [change for change in changes if change.what in ("new", "reopened")]
        return int(Exit.FINDINGS if fail_on_new and fresh else Exit.CLEAN)

    return guarded(run)


def _is_snapshot(text: str) -> bool:
    return text.endswith(SNAPSHOTS) or Path(text).is_file()


def _require_same(old: str, new: str) -> None:
    if old != new:
        raise UsageError(f"these are of different accounts ({old} and {new}): nothing can be compared")


def _of_snapshots(
    old: Path, new: Path, flags: Mapping[str, Any], config: Path | None, console: Console
) -> tuple[History, Run, Run]:
    """Both snapshots judged by today's rules and settings, as two runs of a ledger that nobody keeps."""
    from collectors.snapshot_file import read_snapshot

    prepared = Prepared.of(config, flags, Judging([], [], [], None, []), None, console)
    connection = memory_ledger()
    accounts = []
    for path in (old, new):
        snapshot = read_snapshot(path)
        recorded = {code for manifest in snapshot.manifests for code in manifest.rules}
        rules = tuple(rule for rule in prepared.scan.rules if not recorded or rule.code in recorded)
        report = prepared.judged(snapshot, rules)
        accounts.append(report.run.account)
        record(connection, report, snapshot)
    _require_same(*accounts)
    history = History(connection)
    first, last = history.runs()
    if first.started > last.started:
        raise UsageError(f"{old} was taken after {new}: the earlier snapshot comes first")
    return history, first, last


def _changes(history: History, old: Run, new: Run, least: Severity) -> list[Change]:
    from auditor.outputs.changes import sorted_changes

    return sorted_changes(
        change for change in history.changes(old, new) if Severity[change.finding.severity.upper()] >= least
    )


def _put(changes: list[Change], old: Run, new: Run, name: str, path: Path | None, *, color: bool) -> None:
    from auditor.outputs.changes import diff_json, diff_text

    width = shutil.get_terminal_size((110, 40)).columns
    chunks: Iterable[bytes] = (
        diff_json(old, new, changes)
        if name == "json"
        else (text.encode() for text in diff_text(old, new, changes, color=color, width=width))
    )
    if path is not None:
        try:
            write_private(path, chunks)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
        return
    sys.stdout.flush()
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def history(
    flags: Mapping[str, Any], config: Path | None, account: str, pillar: str, last: int, *, as_json: bool
) -> int:
    """`auditor history`: scores, counts and waste of the runs, as a plot and as a table."""

    def run() -> int:
        from evaluators.rule import Pillar

        if pillar and pillar not in tuple(Pillar):
            raise UsageError(f"no pillar is called {pillar!r}; there are {', '.join(Pillar)}")
        settings, _ = settings_from(config, flags)
        with _ledger(settings) as (connection, path):
            book = History(connection)
            runs = book.runs(account)
            if not runs:
                raise LedgerError(f"{path}: holds no run" + (f" of account {account}" if account else " yet"))
            by_account: dict[str, list[Run]] = {}
            for each in runs:
                by_account.setdefault(book.run_v1(each).account, []).append(each)
            courses = {name: book.points(mine[-last:]) for name, mine in sorted(by_account.items())}
        if as_json:
            import msgspec

            points = [
                {"account": name, **msgspec.to_builtins(p)}
                for name, course in courses.items()
                for p in course
            ]
            show(msgspec.json.format(msgspec.json.encode(points), indent=1).decode())
            return int(Exit.CLEAN)
        from auditor.outputs.trend import trend_text

        width = shutil.get_terminal_size((110, 40)).columns
        for name, course in courses.items():
            show(f"Account {name}\n")
            show("".join(trend_text(course, width, pillar)))
        return int(Exit.CLEAN)

    return guarded(run)


def report(
    wanted: str,
    flags: Mapping[str, Any],
    config: Path | None,
    severity: str | None,
    outputs: list[str],
    console: Console,
) -> int:
    """`auditor report`: any output of any run of the ledger, as it was when it ran."""

    def run() -> int:
        judging = Judging([], [], [], severity, outputs)
        prepared = Prepared.of(config, flags, judging, None, console, judges=False)
        with _ledger(prepared.settings) as (connection, _):
            book = History(connection)
            prepared.tell(book.feed(book.find(wanted)).above(prepared.severity.label))
        return int(Exit.INCOMPLETE if prepared.lost else Exit.CLEAN)

    return guarded(run)


def baseline(
    source: str,
    until: str,
    reason: str,
    file: Path | None,
    flags: Mapping[str, Any],
    config: Path | None,
    severity: str | None,
    rules: list[str],
    console: Console,
) -> int:
    """`auditor baseline`: accept what a run, or a snapshot, found, until a day and for a reason."""

    def run() -> int:
        from auditor.baseline import accepting, baseline_chunks, read_baseline
        from auditor.publish import findings_v1

        expires = _day(until)
        today = datetime.now(UTC).date()
        if expires < today:
            raise UsageError(f"--until {until}: is past, so that nothing would be accepted")
        if not reason.strip():
            raise UsageError("--reason: say why these findings are accepted")
        judging = Judging(rules, [], [], None, [])
        prepared = Prepared.of(config, flags, judging, None, console, judges=False)
        least = severity_of(severity) or Severity.INFO
        path = file or user_path(prepared.settings.baseline or "auditor-baseline.jsonl")
        check_writable(path)
        codes = {rule.code for rule in prepared.scan.rules}
        with contextlib.ExitStack() as stack:
            if _is_snapshot(source):
                from collectors.snapshot_file import read_snapshot

                findings = findings_v1(prepared.judged(read_snapshot(Path(source)), prepared.scan.rules))
            else:
                connection, _ = stack.enter_context(_ledger(prepared.settings))
                book = History(connection)
                findings = book.findings(book.find(source))
            chosen = [f for f in findings if f.rule in codes and Severity[f.severity.upper()] >= least]
        earlier = read_baseline(path) if path.is_file() else {}
        entries = accepting(earlier, chosen, reason=reason, expires=expires, today=today)
        try:
            write_private(path, baseline_chunks(entries))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
        added = sum(entry != earlier.get(key) for key, entry in entries.items())
        show(f"{path}: {len(entries)} findings are accepted, {added} of them now until {expires}.")
        if not prepared.settings.baseline or user_path(prepared.settings.baseline) != path:
            show(f'Say `baseline = "{path}"` in auditor.toml, or set AUDITOR_BASELINE, and it counts.')
        return int(Exit.CLEAN)

    return guarded(run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text!r}: expected a day such as 2027-01-31") from error


def serve(flags: Mapping[str, Any], config: Path | None, host: str, port: int, token_env: str | None) -> int:
    """`auditor serve`: the ledger over HTTP, until it is interrupted."""

    def run() -> int:
        settings, _ = settings_from(config, flags)
        try:
            from auditor.server import serve as listen
            from auditor.server.security import token_from
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the server needs {error.name}: pip install 'sagemaker-auditor[serve]'"
            ) from error
        token = token_from(token_env, os.environ)
        with _ledger(settings) as (connection, path):
            connection.close()
            try:
                listen(path, host=host, port=port, token=token)
            except ModuleNotFoundError as error:
                raise UsageError(
                    f"the server needs {error.name}: pip install 'sagemaker-auditor[serve]'"
                ) from error
        return int(Exit.CLEAN)

    return guarded(run)


def push(wanted: str, flags: Mapping[str, Any], config: Path | None) -> int:
    """`auditor push securityhub`: a run's findings, with the credentials of the environment or profile."""

    def run() -> int:
        import time

        from auditor.delivery.push import push_securityhub
        from collectors.session import open_sessions

        settings, _ = settings_from(config, flags)
        with _ledger(settings) as (connection, _):
            book = History(connection)
            feed = book.feed(book.find(wanted))
            sessions = open_sessions(profile=settings.profile or None)
            pushed = push_securityhub(feed, sessions.identity().account, sessions.call, time.sleep)
        show(f"Run {feed.run.id}: {pushed.text}.")
        return int(Exit.CLEAN if pushed.whole else Exit.INCOMPLETE)

    return guarded(run)


def compact(flags: Mapping[str, Any], config: Path | None) -> int:
    """`auditor compact`: forget findings of runs that are older than `keep_days`, and give back their room."""

    def run() -> int:
        from auditor.ledger.retention import forget, shrink

        settings, _ = settings_from(config, flags)
        with _ledger(settings, write=True) as (connection, path):
            before = path.stat().st_size
            forgotten = forget(connection, datetime.now(UTC) - timedelta(days=settings.keep_days))
            shrink(connection)
            after = path.stat().st_size
            runs = sum(not each.compacted for each in History(connection).runs())
        noun = "run" if forgotten == 1 else "runs"
        show(
            f"{path}: findings of {forgotten} {noun} older than {settings.keep_days} days are forgotten, {runs} kept; "
            f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now."
        )
        return int(Exit.CLEAN)

    return guarded(run)
