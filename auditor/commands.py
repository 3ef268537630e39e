"""The commands that run: read an account or a snapshot, judge it, write the outputs, and end with the right code."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli import Exit
from auditor.console import Console, Judging, UsageError, fail, guarded, progress_bar, settings_from, show
from auditor.feed_v1 import Feed
from auditor.files import write_private
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

UNPACED = 1000.0
"""A share of the published rates that slows nothing down."""

FORMATS = ("table", "json", "ndjson")


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
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {folder}")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: no permission in {folder}")


def scan_account(
    profile: str | None,
    role_arn: str | None,
    external_id: str | None,
    flags: Mapping[str, Any],
    config: Path | None,
    judging: Judging,
    snapshot_path: Path | None,
    console: Console,
) -> int:
    """`auditor scan`."""

    def run() -> int:
        prepared = _Prepared.of(config, flags, judging, snapshot_path, console)
        from collectors.session import open_sessions

        sessions = open_sessions(
            profile=profile,
            role_arn=role_arn,
            external_id=external_id,
            concurrency=prepared.settings.concurrency,
        )
        return prepared.scan_and_report(sessions)

    return guarded(run)


def scan_demo(
    flags: Mapping[str, Any],
    config: Path | None,
    judging: Judging,
    snapshot_path: Path | None,
    console: Console,
    *,
    good: bool = False,
) -> int:
    """`auditor demo`: the same pipeline over an embedded account."""

    def run() -> int:
        prepared = _Prepared.of(config, flags, judging, snapshot_path, console)
        try:
            from auditor.demo.account import build, demo_session, exemplary
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the demo account needs {error.name}: pip install 'sagemaker-auditor[demo]'"
            ) from error
        from collectors.session import Sessions

        now = datetime.now(UTC).replace(microsecond=0)
        # No account's limits are at stake here, so the published rates do not slow it down.
        settings = replace(prepared.settings, rate_share=UNPACED)
        scan = replace(prepared.scan, settings=settings, now=now)
        prepared.keeps_prices = False
        with demo_session(exemplary(now) if good else build(now)) as session:
            return prepared.scan_and_report(Sessions(session), scan)

    return guarded(run)


def print_plan(flags: Mapping[str, Any], config: Path | None, judging: Judging, like: Path | None) -> int:
    """`auditor scan --plan`: the calls of a scan, before anything runs."""

    def run() -> int:
        settings, _ = settings_from(config, flags)
        from auditor.plan import plan_text
        from collectors.snapshot_file import read_snapshot

        earlier = read_snapshot(like) if like is not None else None
        show(plan_text(judging.chosen(), settings, earlier))
        return int(Exit.CLEAN)

    return guarded(run)


def collect_account(
    profile: str | None,
    role_arn: str | None,
    external_id: str | None,
    flags: Mapping[str, Any],
    config: Path | None,
    judging: Judging,
    snapshot_path: Path,
    console: Console,
) -> int:
    """`auditor collect`: the first half of a scan."""

    def run() -> int:
        prepared = _Prepared.of(config, flags, judging, snapshot_path, console)
        from collectors.session import open_sessions

        sessions = open_sessions(
            profile=profile,
            role_arn=role_arn,
            external_id=external_id,
            concurrency=prepared.settings.concurrency,
        )
        snapshot = prepared.read(sessions, prepared.scan)
        console.say(
            f"{len(snapshot)} resources, {len(snapshot.gaps)} gaps in {snapshot_path}: "
            f"auditor evaluate {snapshot_path}"
        )
        if prepared.lost:
            return fail(prepared.lost, Exit.INCOMPLETE)
        if snapshot.ends[-1].why == "interrupted":
            return int(Exit.INTERRUPTED)
        whole = snapshot.complete and not snapshot.gaps
        return int(Exit.CLEAN if whole or prepared.settings.allow_gaps else Exit.INCOMPLETE)

    return guarded(run)


def evaluate_snapshot(
    path: Path, flags: Mapping[str, Any], config: Path | None, judging: Judging, console: Console
) -> int:
    """`auditor evaluate`: the second half of a scan. Without a selection, the rules of that scan."""

    def run() -> int:
        prepared = _Prepared.of(config, flags, judging, None, console)
        from collectors.snapshot_file import read_snapshot

        snapshot = read_snapshot(path)
        rules = prepared.scan.rules
        recorded = {code for manifest in snapshot.manifests for code in manifest.rules}
        if judging.all and recorded:
            rules = tuple(rule for rule in rules if rule.code in recorded)
        return prepared.report(snapshot, rules)

    return guarded(run)


def examine(
    profile: str | None,
    role_arn: str | None,
    external_id: str | None,
    flags: Mapping[str, Any],
    config: Path | None,
    judging: Judging,
) -> int:
    """`auditor doctor`."""

    def run() -> int:
        settings, _ = settings_from(config, flags)
        rules = judging.chosen()
        import json

        from auditor.doctor import probe
        from auditor.permissions import allowing, operations_for
        from collectors.session import open_sessions

        sessions = open_sessions(profile=profile, role_arn=role_arn, external_id=external_id)
        identity = sessions.identity()
        show(f"You are {identity.arn} in account {identity.account} ({identity.partition}).")
        regions, note = sessions.regions(identity, settings.regions, settings.exclude_regions)
        show(f"Regions: {', '.join(regions)}" + (f" ({note})" if note else ""))
        operations = operations_for(rules, search=settings.search)
        tried = list(probe(sessions, identity, regions, operations))
        for said in ("not tried", "not offered", "unclear", "refused"):
            for found in tried:
                if found.verdict == said:
                    show(found.text)
        refused = [found for found in tried if found.verdict == "refused"]
        allowed = sum(found.verdict == "allowed" for found in tried)
        show(f"{allowed} of {len(tried)} calls are allowed.")
        if not refused:
            return int(Exit.CLEAN)
        actions = sorted(
            {found.operation.iam_action for found in refused} | ({"ec2:DescribeRegions"} if note else set())
        )
        show("\nGrant what is missing:\n")
        show(json.dumps(allowing(actions), indent=1))
        return int(Exit.INCOMPLETE)

    return guarded(run)


class _Prepared:
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
        self.lost = ""
        self.keeps_prices = True
        self.prices: Own = {}

    @classmethod
    def of(
        cls,
        config: Path | None,
        flags: Mapping[str, Any],
        judging: Judging,
        snapshot_path: Path | None,
        console: Console,
    ) -> "_Prepared":
        from auditor.scan import Scan

        settings, thresholds = settings_from(config, flags)
        rules = judging.chosen()
        outputs = parse_outputs(judging.outputs)
        severity = severity_of(judging.severity) or Severity.INFO
        if snapshot_path is not None:
            check_writable(snapshot_path)
        _ = console.colored
        made = cls(
            settings, thresholds, Scan(rules, settings, thresholds, snapshot_path), outputs, severity, console
        )
        made.prices = own_prices(settings)
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
            self.lost = (
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
        with progress_bar(self.console, "judging") as advance:
            report = make_report(
                snapshot,
                rules,
                self.settings,
                self.thresholds,
                severity=self.severity,
                prices=self.prices,
                on_finding=advance,
            )
        feed = feed_of(report)
        for name, path in self.outputs:
            try:
                self.write(feed, name, path)
            except BrokenPipeError:
                raise
            except OSError as error:
                self.lost = f"cannot write {path or 'stdout'}: {error.strerror or error}"
                if path is not None and all(other is not None for _, other in self.outputs):
                    self.write(feed, "table", None)
        if self.lost:
            fail(self.lost, Exit.INCOMPLETE)
        return int(self.exit_code(report))

    def write(self, feed: Feed, name: str, path: Path | None) -> None:
        """One output, to a private file or to stdout."""
        chunks = self.chunks(feed, name, to_terminal=path is None)
        if path is not None:
            write_private(path, chunks)
            return
        sys.stdout.flush()
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    def chunks(self, feed: Feed, name: str, *, to_terminal: bool) -> Iterable[bytes]:
        if name == "table":
            return self.table(feed, color=to_terminal and self.console.colored)
        from auditor.outputs.json_v1 import json_chunks, ndjson_chunks

        return json_chunks(feed) if name == "json" else ndjson_chunks(feed)

    def table(self, feed: Feed, *, color: bool) -> Iterator[bytes]:
        from auditor.outputs.table import table_chunks

        for text in table_chunks(feed, color=color, width=shutil.get_terminal_size((110, 40)).columns):
            yield text.encode("utf-8", "backslashreplace")

    def exit_code(self, report: Report) -> Exit:
        """A real finding outranks incomplete, and an incomplete run is never clean unless gaps are allowed."""
        limit = severity_of(self.settings.fail_on)
        if limit is not None and report.at_or_over(limit):
            return Exit.FINDINGS
        if self.lost or not (report.complete or self.settings.allow_gaps):
            return Exit.INCOMPLETE
        return Exit.CLEAN
