"""What one run goes through: settings checked before anything happens, an account read, judged and told."""

import contextlib
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.baseline import Baseline, read_baseline
from auditor.console import Console, Judging, UsageError, fail, progress_bar, settings_from
from auditor.exits import Exit
from auditor.feed_v1 import Feed
from auditor.files import user_path, write_private
from auditor.outputs.formats import FORMATS, MissingExtraError, chunks_of, maker_of
from auditor.prices import cache_path, own_prices, read_cache, write_cache
from auditor.publish import feed_of
from auditor.report import Report, make_report
from auditor.settings import Settings
from collectors.model import Snapshot
from evaluators.money import Own
from evaluators.rule import Rule, Severity

if TYPE_CHECKING:
    from auditor.scan import Scan
    from collectors.run import Progress
    from collectors.session import Sessions


def severity_of(name: str | None) -> Severity | None:
    """A severity by its label. Raises `UsageError`."""
    if name is None:
        return None
    try:
        return Severity[name.upper()]
    except KeyError as error:
        labels = ", ".join(severity.label for severity in sorted(Severity, reverse=True))
        raise UsageError(f"no severity is called {name!r}; there are {labels}") from error


def parse_outputs(outputs: list[str]) -> list[tuple[str, Path | None]]:
    """`json=findings.json` as format and path. Raises `UsageError`, also for a path that cannot be written."""
    parsed: list[tuple[str, Path | None]] = []
    for text in outputs or ["table"]:
        name, _, target = text.partition("=")
        if name not in FORMATS:
            raise UsageError(f"no output format is called {name!r}; there are {', '.join(FORMATS)}")
        try:
            maker_of(name)
        except MissingExtraError as error:
            raise UsageError(str(error)) from error
        path = Path(target) if target else None
        if path is not None:
            check_writable(path)
        parsed.append((name, path))
    if sum(path is None for _, path in parsed) > 1:
        raise UsageError(
            "only one --output can go to stdout: give the others a path, such as json=findings.json"
        )
    return parsed


def check_writable(path: Path) -> None:
    """Raises `UsageError` where a file cannot be made, before an hour of reading is lost over it."""
    folder = path.parent
    try:
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a directory")
        if not folder.is_dir():
            raise UsageError(f"cannot write {path}: there is no directory {folder}")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: no permission in {folder}")


def write_output(feed: Feed, name: str, path: Path | None, console: Console) -> None:
    """One output, to a private file or to stdout. Raises `OSError`."""
    width = shutil.get_terminal_size((110, 40)).columns
    chunks = chunks_of(name, feed, color=path is None and console.colored, width=width)
    if path is not None:
        write_private(path, chunks)
        return
    sys.stdout.flush()
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


class Prepared:
    """A run whose flags and settings were checked before anything else happens."""

    def __init__(
        self,
        settings: Settings,
        thresholds: dict[str, dict[str, Any]],
        scan: "Scan",
        outputs: list[tuple[str, Path | None]],
        severity: Severity,
        console: Console,
    ) -> None:
        self.settings = settings
        self.thresholds = thresholds
        self.scan = scan
        self.outputs = outputs
        self.severity = severity
        self.console = console
        self.lost: list[str] = []
        self.keeps_prices = True
        self.prices: Own = {}
        self.baseline: Baseline = {}

    @classmethod
    def of(
        cls,
        config: Path | None,
        flags: Mapping[str, Any],
        judging: Judging,
        snapshot_path: Path | None,
        console: Console,
        *,
        scheduled: bool = False,
        judges: bool = True,
    ) -> "Prepared":
        """Check everything that can be wrong before anything is read. The settings' outputs are a scheduled run's.

        Who does not judge, or is about to write the baseline, does not need it to be there.
        """
        from auditor.scan import Scan

        settings, thresholds = settings_from(config, flags)
        rules = judging.chosen()
        outputs = parse_outputs(judging.outputs or (list(settings.outputs) if scheduled else []))
        severity = severity_of(judging.severity) or Severity.INFO
        if snapshot_path is not None:
            check_writable(snapshot_path)
        _ = console.colored
        made = cls(
            settings, thresholds, Scan(rules, settings, thresholds, snapshot_path), outputs, severity, console
        )
        made.prices = own_prices(settings)
        if settings.baseline:
            path = user_path(settings.baseline)
            if judges or path.is_file():
                made.baseline = read_baseline(path)
        return made

    def scan_and_report(self, sessions: "Sessions", scan: "Scan | None" = None) -> int:
        """Read, judge, write; the snapshot is on disk before judging begins."""
        scan = scan or self.scan
        snapshot = self.read(sessions, scan)
        code = self.report(snapshot, scan.rules)
        return int(Exit.INTERRUPTED) if snapshot.ends[-1].why == "interrupted" else code

    def read(self, sessions: "Sessions", scan: "Scan") -> Snapshot:
        """Read the account with progress on a terminal."""
        from auditor.scan import run_scan

        cache = cache_path(os.environ)
        today = (scan.now or datetime.now(UTC)).date()
        if self.keeps_prices and self.settings.pricing != "off":
            scan = replace(scan, cached_prices=read_cache(cache, today))
        with progress_bar(self.console, "reading") as advance:

            def listed(state: "Progress") -> None:
                if advance is not None:
                    text = f"{state.kind} in {state.region}, {state.resources} resources, {state.calls} calls"
                    advance(state.done, state.total, f"{state.done} of {state.total} listings: {text}")

            outcome = run_scan(sessions, scan, listed)
        if self.keeps_prices and self.settings.pricing == "api":
            # A cache that cannot be written costs the next run some calls, nothing else.
            with contextlib.suppress(OSError):
                write_cache(cache, outcome.snapshot, scan.cached_prices, today)
        if outcome.lost:
            self.lost.append(
                f"{scan.snapshot_path} was not written: {outcome.lost}; what was read is judged all the same"
            )
        if self.console.verbose:
            for operation, calls in sorted(outcome.calls.items()):
                self.console.say(f"{calls:>6} {operation}")
            for gap in outcome.snapshot.gaps:
                self.console.say(f"   gap {gap}: {gap.message}")
        return outcome.snapshot

    def report(self, snapshot: Snapshot, rules: tuple[Rule, ...]) -> int:
        """Judge, write every output, and choose the exit code."""
        report = self.judged(snapshot, rules)
        self.tell(feed_of(report))
        return int(self.exit_code(report))

    def judged(self, snapshot: Snapshot, rules: tuple[Rule, ...]) -> Report:
        """Judge what was read, with progress on a terminal."""
        with progress_bar(self.console, "judging") as advance:
            return make_report(
                snapshot,
                rules,
                self.settings,
                self.thresholds,
                severity=self.severity,
                prices=self.prices,
                baseline=self.baseline,
                on_finding=advance,
            )

    def tell(self, feed: Feed) -> None:
        """Write every output, stdout last; one that cannot be written costs none of the others.

        Raises `BrokenPipeError` where nobody reads stdout any more.
        """
        before = len(self.lost)
        for name, path in self.outputs:
            if path is not None:
                try:
                    write_output(feed, name, path, self.console)
                except OSError as error:
                    self.lost.append(f"cannot write {path}: {error.strerror or error}")
        spoken = [name for name, path in self.outputs if path is None]
        # What cannot be had from a file is told here, so that an hour of reading is not lost.
        for name in spoken or (["table"] if len(self.lost) > before else []):
            try:
                write_output(feed, name, None, self.console)
            except BrokenPipeError:
                raise
            except OSError as error:
                self.lost.append(f"cannot write stdout: {error.strerror or error}")
        for text in self.lost:
            fail(text, Exit.INCOMPLETE)

    def lose(self, text: str) -> None:
        """Say what could not be written; the run is not complete then."""
        self.lost.append(text)
        fail(text, Exit.INCOMPLETE)

    def exit_code(self, report: Report) -> Exit:
        """A real finding outranks incomplete, and an incomplete run is never clean unless gaps are allowed."""
        limit = severity_of(self.settings.fail_on)
        if limit is not None and report.at_or_over(limit):
            return Exit.FINDINGS
        if self.lost or not (report.complete or self.settings.allow_gaps):
            return Exit.INCOMPLETE
        return Exit.CLEAN
