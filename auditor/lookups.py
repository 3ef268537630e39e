"""The commands that read nothing from AWS: what a snapshot and the rules themselves can tell."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from auditor.console import Judging, UsageError, guarded, note, settings_from, show
from auditor.exits import Exit
from auditor.prices import own_prices
from auditor.report import make_report
from collectors.model import Snapshot
from evaluators.rule import all_rules


def coverage(snapshot: Path | None, config: Path | None, judging: Judging, as_json: bool) -> int:
    """`auditor coverage`: the ledger of practices, with a snapshot's results where one is given."""

    def run() -> int:
        settings, thresholds = settings_from(config, {})
        from auditor.coverage import coverage_json, coverage_text
        from evaluators.coverage import ledger

        rules = judging.chosen()
        verdicts: Mapping[str, Mapping[str, int]] = {}
        if snapshot is not None:
            report = make_report(_read(snapshot), rules, settings, thresholds)
            verdicts = {rule.code: counted for rule, counted in report.rules}
        entries = ledger(rules, verdicts)
        show(coverage_json(entries) if as_json else coverage_text(entries))
        return int(Exit.CLEAN)

    return guarded(run)


def fixes(snapshot: Path, config: Path | None, judging: Judging, top: int, as_json: bool) -> int:
    """`auditor fixes`: the changes that remove a snapshot's findings, the most worthwhile first."""

    def run() -> int:
        settings, thresholds = settings_from(config, {})
        from auditor.outputs.table import fixes_table
        from auditor.publish import fix_v1

        prices = own_prices(settings)
        report = make_report(_read(snapshot), judging.chosen(), settings, thresholds, prices=prices)
        chosen = report.fixes[: top or None]
        if as_json:
            import msgspec

            show(msgspec.json.format(msgspec.json.encode([fix_v1(fix) for fix in chosen]), indent=1).decode())
        else:
            show(fixes_table([fix_v1(fix) for fix in chosen], shutil.get_terminal_size((110, 40)).columns))
            removed = sum(len(fix.findings) for fix in chosen)
            whole = sum(len(fix.findings) for fix in report.fixes)
            show(
                f"\n{len(chosen)} of {len(report.fixes)} changes, which remove {removed} of {whole} findings."
            )
        return int(Exit.CLEAN)

    return guarded(run)


def show_one(wanted: str, snapshot: Path, config: Path | None) -> int:
    """`auditor show`: one resource of a snapshot."""

    def run() -> int:
        settings, thresholds = settings_from(config, {})
        from auditor.show import NotFoundError, show_resource

        try:
            show(show_resource(_read(snapshot), wanted, all_rules(), settings, thresholds))
        except NotFoundError as error:
            raise UsageError(str(error)) from error
        return int(Exit.CLEAN)

    return guarded(run)


def questions(config: Path | None, *, every: bool) -> int:
    """`auditor questions`: what people are asked, as a piece of a settings file."""

    def run() -> int:
        settings, thresholds = settings_from(config, {})
        from auditor.coverage import questions_text

        today = datetime.now(UTC).date()
        show(questions_text(all_rules(), settings.attestations, thresholds, today, every=every))
        return int(Exit.CLEAN)

    return guarded(run)


def _read(path: Path) -> Snapshot:
    """A snapshot; where it is not whole, a line says so."""
    from collectors.snapshot_file import read_snapshot

    snapshot = read_snapshot(path)
    if not snapshot.complete:
        note(f"{path} is not a complete run: what was not read is unknown")
    return snapshot
