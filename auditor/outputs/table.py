"""The report for a person at a terminal: scores first, then findings worst first, then what is not known."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tabulate import tabulate

from auditor.outputs.text import paint, plain, safe
from auditor.report import Report
from evaluators.finding import Evidence, Finding
from evaluators.fixes import Fix
from evaluators.rule import Pillar
from evaluators.score import Score

_EVIDENCE = 4
"""How many pieces of evidence a row shows; the feed has them all."""


def table_chunks(report: Report, *, color: bool = False, width: int = 120) -> Iterator[str]:
    """The report as text, part by part. `width` is the terminal's, in columns."""
    width = max(80, min(width, 160))
    yield _heading(report, color)
    yield _scores(report) + "\n"
    if report.findings:
        yield "\n" + paint("Findings, worst first", "bold", color=color) + "\n"
        for finding in report.findings:
            yield _finding(finding, color, width)
        yield from _fixes(report, width, color)
    if report.unknown:
        yield "\n" + paint("Not known", "bold", color=color)
        yield " (grant what was refused: `auditor doctor`; answer what was asked: `auditor questions`)\n"
        yield _unknown(report) + "\n"
    yield from _notes(report, width)
    yield "\n" + _last_line(report) + "\n"


def _heading(report: Report, color: bool) -> str:
    run = report.run
    noun = "Accounts" if ", " in run.account else "Account"
    title = paint(f"{noun} {run.account}", "bold", color=color)
    kinds = sum(run.resources.values())
    return f"{title} in {', '.join(run.regions)}: {kinds} resources read, {len(report.rules)} rules\n\n"


def _scores(report: Report) -> str:
    names = ("pass", "fail", "unknown", "not_applicable", "accepted")
    rows = [
        [pillar.value, *_interval(score), *(score.verdicts.get(name, 0) for name in names)]
        for pillar, score in report.pillars.items()
    ]
    rows.append(
        ["all", *_interval(report.overall), *(report.overall.verdicts.get(name, 0) for name in names)]
    )
    headers = ["pillar", "score", "coverage", "pass", "fail", "unknown", "n/a", "accepted"]
    return tabulate(rows, headers=headers, tablefmt="simple", colalign=("left", *["right"] * 7))


def _interval(score: Score) -> tuple[str, str]:
    """`71-88` or `80`, and `91 %`; a dash where no rule applied."""
    if score.low is None or score.high is None or score.coverage is None:
        return "-", "-"
    low, high = int(score.low), int(score.high)
    # Rounded down: 99.6 % known is not all known.
    return (f"{low}" if low == high else f"{low}-{high}"), f"{int(score.coverage * 100)} %"


def _finding(finding: Finding, color: bool, width: int) -> str:
    """One finding: a line that can be scanned, then why, evidence and the fix, wrapped."""
    subject, rule = finding.subject, finding.rule
    label = paint(f"{finding.severity.label:<8}", finding.severity.label, color=color)
    part = f" [{safe(subject.part)}]" if subject.part else ""
    place = f"{safe(subject.name) or subject.kind}{part} ({subject.kind}, {subject.region})"
    first = f"{finding.score:>3} {label} {rule.code:<8} {place}"
    rows = [["why", safe(finding.why)], ["rule", rule.title]]
    if finding.lowered:
        rows.append(["lowered", f"from {rule.severity.label}: {safe('; '.join(finding.lowered))}"])
    if finding.environment_source:
        rows.append(["where", f"{finding.environment} ({safe(finding.environment_source)})"])
    shown = [_evidence(item) for item in finding.evidence[:_EVIDENCE]]
    rest = len(finding.evidence) - _EVIDENCE
    rows.append(["evidence", ", ".join(shown) + (f", and {rest} more" if rest > 0 else "")])
    if finding.chain:
        rows.append(["serves", safe(" > ".join(finding.chain))])
    rows += [["weigh", f"{o.code} says: {safe(o.why)}; {o.weigh}"] for o in finding.opposed]
    if finding.savings:
        # What an indirect signal calls idle may be half in use: its figure is the most that there is to save.
        most = "up to " if rule.confidence < 1 else ""
        rows.append(["saves", most + "; ".join(safe(s.text) for s in finding.savings) + " a month"])
    elif finding.rule.pillar is Pillar.COST:
        rows.append(["saves", "no figure"])
    rows.append(["fix", f"{rule.remedy.text} ({rule.change.value})"])
    wrapped = [[name, textwrap.fill(text, width - 18, break_on_hyphens=False)] for name, text in rows]
    if finding.command:
        # A command is never wrapped: it is there to be copied.
        wrapped.append(["run", safe(finding.command)])
    body = tabulate(wrapped, tablefmt="plain", disable_numparse=True)
    return first + "\n" + textwrap.indent(body, " " * 4) + "\n\n"


def _evidence(item: Evidence) -> str:
    value = plain(item.value)
    short = value if len(value) <= 160 else value[:157] + "..."
    source = f" ({item.operation})" if item.operation else ""
    return f"{item.field}={short}{source}"


def _unknown(report: Report) -> str:
    """Unknowns by what was refused: rules, Regions and how many resources."""
    grouped: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.unknown:
        gap = finding.evidence[0]
        grouped[gap.operation, gap.field].append(finding)
    rows = []
    for (operation, reason), findings in sorted(grouped.items()):
        codes = sorted({finding.rule.code for finding in findings})
        regions = sorted({finding.subject.region for finding in findings})
        rows.append(
            [
                safe(operation),
                safe(reason),
                len(findings),
                textwrap.fill(", ".join(codes), 48, break_on_hyphens=False),
                textwrap.fill(", ".join(regions), 24, break_on_hyphens=False),
            ]
        )
    return tabulate(rows, headers=["not read", "because", "verdicts", "rules", "Regions"], tablefmt="simple")


def _notes(report: Report, width: int) -> Iterator[str]:
    yield from _waste(report, width)
    if report.accepted:
        soonest = min(acceptance.expires for _, acceptance in report.accepted)
        yield f"\n{len(report.accepted)} findings are accepted and not shown; the first acceptance ends {soonest}.\n"
    for expired in report.expired:
        text = f"The acceptance of {expired.rule} on {expired.resource} ended {expired.expires}: it counts again."
        yield "\n" + textwrap.fill(safe(text), width) + "\n"
    if not report.run.complete:
        yield f"\nThis run is not complete: {safe(report.run.why_incomplete)}. What was not read is unknown.\n"


_FIXES = 5
"""How many of the next best fixes a report shows; `auditor fixes` has them all."""


def _fixes(report: Report, width: int, color: bool) -> Iterator[str]:
    if not report.fixes:
        return
    shown = fixes_table(report.fixes[:_FIXES], width)
    yield paint("Next best fixes", "bold", color=color)
    yield f" ({len(report.fixes)} changes remove all findings: `auditor fixes`)\n{shown}\n"


def fixes_table(fixes: Sequence[Fix], width: int) -> str:
    """Changes with what they are worth: points of the whole score, and money a month."""
    rows = [
        [
            f"{fix.gain:.2f}",
            money(fix.savings) or "-",
            textwrap.fill(safe(f"{fix.kind} {fix.target}"), 40, break_on_hyphens=False),
            fix.region,
            fix.change.value,
            len(fix.findings),
            textwrap.fill(", ".join(fix.codes), max(24, width - 90), break_on_hyphens=False),
        ]
        for fix in fixes
    ]
    headers = ["points", "a month", "change", "Region", "how", "findings", "rules"]
    return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)


def _waste(report: Report, width: int) -> Iterator[str]:
    """What is wasted a month, where, and how much of it has no price."""
    waste = report.waste
    if not waste.priced and not waste.unpriced:
        return
    parts = [f"Waste seen: up to {money(waste.total)} a month"] if waste.total else []
    if parts:
        parts[0] += " (" + ", ".join(f"{e} {money(t)}" for e, t in waste.by_environment.items() if t) + ")"
    if waste.unpriced:
        parts.append(
            f"{waste.unpriced} of {waste.priced + waste.unpriced} findings on cost have no full figure"
        )
    yield "\n" + textwrap.fill("; ".join(parts) + ".", width) + "\n"


def money(totals: Mapping[str, float]) -> str:
    """`USD 1,204.10`, or several currencies."""
    return " + ".join(f"{currency} {amount:,.2f}" for currency, amount in totals.items())


def _last_line(report: Report) -> str:
    run = report.run
    counted = ", ".join(f"{number} {label}" for label, number in report.by_severity().items() if number)
    unknown = f"; {len(report.unknown)} unknown" if report.unknown else ""
    noun = "finding" if len(report.findings) == 1 else "findings"
    return (
        f"{len(report.findings)} {noun} ({counted or 'none'}){unknown}; "
        f"jobs since {run.jobs_since:%Y-%m-%d} ({run.lookback_days} days); "
        f"{run.calls} calls, {run.throttles} throttles, {run.seconds:.1f} s"
    )
