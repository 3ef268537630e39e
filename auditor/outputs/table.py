"""The report for a person at a terminal: scores first, then findings worst first, then what is not known."""

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tabulate import tabulate

from auditor.feed_v1 import (
    SEVERITIES,
    AcceptedV1,
    EvidenceV1,
    Feed,
    FindingV1,
    FixV1,
    RunV1,
    ScoreV1,
    WasteV1,
)
from auditor.outputs.text import paint, plain, safe

_EVIDENCE = 4
"""How many pieces of evidence a row shows; the feed has them all."""


def table_chunks(feed: Feed, *, color: bool = False, width: int = 120) -> Iterator[str]:
    """The report as text, part by part. `width` is the terminal's, in columns."""
    width = max(80, min(width, 160))
    seen = _Seen()
    yield _heading(feed, color)
    yield _scores(feed) + "\n"
    for finding in feed.findings():
        if seen.shows(finding):
            if seen.shown == 1:
                yield "\n" + paint("Findings, worst first", "bold", color=color) + "\n"
            yield _finding(finding, color, width)
    if seen.shown:
        yield from _fixes(feed.fixes, width, color)
    if seen.unknown:
        yield "\n" + paint("Not known", "bold", color=color)
        yield " (grant what was refused: `auditor doctor`; answer what was asked: `auditor questions`)\n"
        yield _unknown(seen.unknown) + "\n"
    yield from _notes(feed, seen, width)
    yield "\n" + _last_line(feed.run, seen) + "\n"


@dataclass(slots=True)
class _Seen:
    """What went by: findings that are shown are counted, the others kept for what follows."""

    shown: int = 0
    severities: Counter[str] = field(default_factory=Counter)
    unconfirmed: int = 0
    unknown: list[FindingV1] = field(default_factory=list)
    accepted: list[AcceptedV1] = field(default_factory=list)

    def shows(self, finding: FindingV1) -> bool:
        """Take one in; whether it is shown."""
        if finding.accepted is not None:
            self.accepted.append(finding.accepted)
        elif finding.verdict == "unknown":
            self.unknown.append(finding)
        else:
            self.shown += 1
            self.severities[finding.severity] += 1
            self.unconfirmed += finding.state == "unconfirmed"
            return True
        return False


def _heading(feed: Feed, color: bool) -> str:
    run = feed.run
    noun = "Accounts" if ", " in run.account else "Account"
    title = paint(f"{noun} {run.account}", "bold", color=color)
    kinds = sum(run.resources.values())
    return f"{title} in {', '.join(run.regions)}: {kinds} resources read, {len(feed.rules)} rules\n\n"


def _scores(feed: Feed) -> str:
    names = ("pass", "fail", "unknown", "not_applicable", "accepted")
    rows = [
        [name, *interval(score), *(score.verdicts.get(verdict, 0) for verdict in names)]
        for name, score in (*feed.pillars.items(), ("all", feed.run.score))
    ]
    headers = ["pillar", "score", "coverage", "pass", "fail", "unknown", "n/a", "accepted"]
    return tabulate(rows, headers=headers, tablefmt="simple", colalign=("left", *["right"] * 7))


def interval(score: ScoreV1) -> tuple[str, str]:
    """`71-88` or `80`, and `91 %`; a dash where no rule applied."""
    if score.low is None or score.high is None or score.coverage is None:
        return "-", "-"
    low, high = int(score.low), int(score.high)
    # Rounded down: 99.6 % known is not all known.
    return (f"{low}" if low == high else f"{low}-{high}"), f"{int(score.coverage * 100)} %"


def _finding(finding: FindingV1, color: bool, width: int) -> str:
    """One finding: a line that can be scanned, then why, evidence and the fix, wrapped."""
    label = paint(f"{finding.severity:<8}", finding.severity, color=color)
    part = f" [{safe(finding.part)}]" if finding.part else ""
    place = f"{safe(finding.resource_name) or finding.resource_kind}{part} ({finding.resource_kind}, {finding.region})"
    state = f" - {finding.state}" if finding.state else ""
    first = f"{finding.score:>3} {label} {finding.rule:<8} {place}{state}"
    rows = [["why", safe(finding.why)], ["rule", finding.title]]
    if finding.state and finding.first_seen and finding.last_seen:
        rows.append(["seen", f"first {finding.first_seen:%Y-%m-%d}, last {finding.last_seen:%Y-%m-%d}"])
    if finding.lowered:
        rows.append(["lowered", f"from {finding.rule_severity}: {safe('; '.join(finding.lowered))}"])
    if finding.environment_source:
        rows.append(["where", f"{finding.environment} ({safe(finding.environment_source)})"])
    shown = [_evidence(item) for item in finding.evidence[:_EVIDENCE]]
    rest = len(finding.evidence) - _EVIDENCE
    rows.append(["evidence", ", ".join(shown) + (f", and {rest} more" if rest > 0 else "")])
    if finding.chain:
        rows.append(["serves", safe(" > ".join(finding.chain))])
    rows += [["weigh", f"{o.rule} says: {safe(o.why)}; {o.weigh}"] for o in finding.opposed]
    if finding.savings:
        # What an indirect signal calls idle may be half in use: its figure is the most that there is to save.
        most = "up to " if finding.confidence < 1 else ""
        rows.append(["saves", most + "; ".join(safe(s.text) for s in finding.savings) + " a month"])
    elif finding.pillar == "cost":
        rows.append(["saves", "no figure"])
    rows.append(["fix", f"{finding.remedy} ({finding.change})"])
    wrapped = [[name, textwrap.fill(text, width - 18, break_on_hyphens=False)] for name, text in rows]
    if finding.command:
        # A command is never wrapped: it is there to be copied.
        wrapped.append(["run", safe(finding.command)])
    body = tabulate(wrapped, tablefmt="plain", disable_numparse=True)
    return first + "\n" + textwrap.indent(body, " " * 4) + "\n\n"


def _evidence(item: EvidenceV1) -> str:
    value = plain(item.value)
    short = value if len(value) <= 160 else value[:157] + "..."
    source = f" ({item.operation})" if item.operation else ""
    return f"{item.field}={short}{source}"


def _unknown(unknown: Iterable[FindingV1]) -> str:
    """Unknowns by what was refused: rules, Regions and how many resources."""
    grouped: dict[tuple[str, str], list[FindingV1]] = defaultdict(list)
    for finding in unknown:
        gap = finding.evidence[0]
        grouped[gap.operation, gap.field].append(finding)
    rows = []
    for (operation, reason), findings in sorted(grouped.items()):
        codes = sorted({finding.rule for finding in findings})
        regions = sorted({finding.region for finding in findings})
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


def _notes(feed: Feed, seen: _Seen, width: int) -> Iterator[str]:
    run = feed.run
    yield from _waste(run.waste, width)
    if run.changes:
        told = ", ".join(f"{number} {state}" for state, number in run.changes.items() if number)
        yield "\n" + textwrap.fill(f"Since the run before: {told or 'nothing changed'}.", width) + "\n"
    if seen.accepted:
        soonest = min(acceptance.expires for acceptance in seen.accepted)
        yield f"\n{len(seen.accepted)} findings are accepted and not shown; the first acceptance ends {soonest}.\n"
    for expired in run.expired_acceptances[:_EXPIRED]:
        text = f"The acceptance of {expired.rule} on {expired.resource} ended {expired.expires}: it counts again."
        yield "\n" + textwrap.fill(safe(text), width) + "\n"
    if len(run.expired_acceptances) > _EXPIRED:
        yield f"\n{len(run.expired_acceptances) - _EXPIRED} more acceptances have ended: they count again, too.\n"
    if run.why_incomplete:
        yield f"\nThis run is not complete: {safe(run.why_incomplete)}. What was not read is unknown.\n"


_EXPIRED = 5
"""How many acceptances that have ended are told one by one."""
_FIXES = 5
"""How many of the next best fixes a report shows; `auditor fixes` has them all."""


def _fixes(fixes: Sequence[FixV1], width: int, color: bool) -> Iterator[str]:
    if not fixes:
        return
    shown = fixes_table(fixes[:_FIXES], width)
    yield paint("Next best fixes", "bold", color=color)
    yield f" ({len(fixes)} changes remove all findings: `auditor fixes`)\n{shown}\n"


def fixes_table(fixes: Sequence[FixV1], width: int) -> str:
    """Changes with what they are worth: points of the whole score, and money a month."""
    rows = [
        [
            f"{fix.gain:.2f}",
            money(fix.savings) or "-",
            textwrap.fill(safe(f"{fix.kind} {fix.target}"), 40, break_on_hyphens=False),
            fix.region,
            fix.change,
            len(fix.findings),
            textwrap.fill(", ".join(fix.rules), max(24, width - 90), break_on_hyphens=False),
        ]
        for fix in fixes
    ]
    headers = ["points", "a month", "change", "Region", "how", "findings", "rules"]
    return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)


def _waste(waste: WasteV1, width: int) -> Iterator[str]:
    """What is wasted a month, where, and how much of it has no price."""
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


def _last_line(run: RunV1, seen: _Seen) -> str:
    counted = ", ".join(f"{seen.severities[s]} {s}" for s in SEVERITIES if seen.severities[s])
    unconfirmed = f"; {seen.unconfirmed} of them unconfirmed" if seen.unconfirmed else ""
    unknown = f"; {len(seen.unknown)} unknown" if seen.unknown else ""
    noun = "finding" if seen.shown == 1 else "findings"
    return (
        f"{seen.shown} {noun} ({counted or 'none'}){unconfirmed}{unknown}; "
        f"jobs since {run.jobs_since:%Y-%m-%d} ({run.lookback_days} days); "
        f"{run.calls} calls, {run.throttles} throttles, {run.seconds:.1f} s"
    )
