"""The commands that run: read an account or a snapshot, judge it, write the outputs, and end with the right code."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.console import Console, Judging, UsageError, fail, guarded, settings_from, show
from auditor.exits import Exit
from auditor.pipeline import Prepared
from auditor.settings import Settings

if TYPE_CHECKING:
    from collectors.session import Sessions

UNPACED = 1000.0
"""A share of the published rates that slows nothing down."""


def _sessions(
    settings: Settings, profile: str | None, role_arn: str | None, external_id: str | None
) -> "Sessions":
    """The way into the account, by flags or else by the settings."""
    from collectors.session import open_sessions

    return open_sessions(
        profile=profile or settings.profile or None,
        role_arn=role_arn or settings.role_arn or None,
        external_id=external_id or settings.external_id or None,
        concurrency=settings.concurrency,
    )


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
        prepared = Prepared.of(config, flags, judging, snapshot_path, console)
        sessions = _sessions(prepared.settings, profile, role_arn, external_id)
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
        prepared = Prepared.of(config, flags, judging, snapshot_path, console)
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
        prepared = Prepared.of(config, flags, judging, snapshot_path, console)
        sessions = _sessions(prepared.settings, profile, role_arn, external_id)
        snapshot = prepared.read(sessions, prepared.scan)
        console.say(
            f"{len(snapshot)} resources, {len(snapshot.gaps)} gaps in {snapshot_path}: "
            f"auditor evaluate {snapshot_path}"
        )
        if prepared.lost:
            return fail("; ".join(prepared.lost), Exit.INCOMPLETE)
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
        prepared = Prepared.of(config, flags, judging, None, console)
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

        sessions = _sessions(settings, profile, role_arn, external_id)
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
