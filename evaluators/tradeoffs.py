"""Rules that pull against each other on one resource: the finding says so once.

Both verdicts stand in the scores. Of the two findings the worse one is shown; it names the other
rule and what has to be weighed, so that nobody follows one line of a report into the next. What is
told of the whole account stands beside each resource that it pulls against, which names it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from evaluators.finding import Finding, Opposed


@dataclass(frozen=True, slots=True)
class TradeOff:
    """Two rules whose advice cannot both be followed on one resource, and what to weigh."""

    codes: frozenset[str]
    text: str


def _between(first: str, second: str, text: str) -> TradeOff:
    return TradeOff(frozenset((first, second)), text)


TRADE_OFFS: tuple[TradeOff, ...] = (
    _between(
        "REL-001",
        "PERF-002",
        "a second instance halves the load of the first: take two of the next smaller size",
    ),
    _between(
        "REL-001",
        "COST-001",
        "a second instance of an endpoint that nobody calls costs twice: delete it, or name what it waits for",
    ),
    _between(
        "REL-001",
        "COST-010",
        "moving the model to a shared endpoint with two instances or more settles both",
    ),
    _between(
        "REL-001",
        "COST-012",
        "a serverless endpoint has no instances to lose: it settles both, where its limits fit",
    ),
    _between(
        "REL-001",
        "COST-011",
        "batch jobs need no standing instances: move the work, or keep two instances for callers that wait",
    ),
    _between(
        "COST-010",
        "COST-011",
        "share an endpoint where callers wait for the answer; run batches where they do not",
    ),
    _between(
        "COST-010",
        "COST-012",
        "serverless fits rare calls of one model; sharing fits several models with steady traffic",
    ),
    _between(
        "COST-011",
        "COST-012",
        "run batches where nobody waits; take serverless where somebody does",
    ),
    _between(
        "REL-011",
        "COST-012",
        "a serverless endpoint scales by itself: moving it settles both",
    ),
    _between(
        "COST-014",
        "COST-016",
        "Spot does not draw on a Savings Plan: keep steady work on the plan, and Spot for what comes and goes",
    ),
    _between(
        "REL-002",
        "COST-011",
        "batch jobs need no standing zones: move the work, or spread the instances for callers that wait",
    ),
    _between(
        "REL-011",
        "COST-011",
        "batch jobs start and end with the work: moving it settles both",
    ),
    _between(
        "REL-014",
        "COST-009",
        "a second copy of a component that nobody calls is idle too: release it, or name what it waits for",
    ),
    _between(
        "PERF-002",
        "COST-010",
        "move the model to the shared endpoint first, then choose the size by the load of all",
    ),
    _between(
        "PERF-002",
        "COST-011",
        "a smaller instance is still paid between the batches: move the work, or take the size for its peak",
    ),
    _between(
        "PERF-002",
        "COST-012",
        "a serverless endpoint has memory instead of an instance type: moving it settles both",
    ),
    _between(
        "PERF-003",
        "COST-011",
        "a smaller GPU is still paid between the batches: move the work, or take the size for its peak",
    ),
    _between(
        "PERF-003",
        "PERF-013",
        "try the other hardware at the size that the load needs: one benchmark settles both",
    ),
    _between(
        "PERF-004",
        "COST-010",
        "an endpoint that is full has no room to share: give it room first, or share a larger one",
    ),
    _between(
        "PERF-012",
        "COST-001",
        "an endpoint that nobody calls needs no load test: delete it, or name what it waits for",
    ),
    _between(
        "PERF-014",
        "COST-001",
        "an endpoint that nobody calls needs no other hardware: delete it, or name what it waits for",
    ),
    _between(
        "PERF-012",
        "COST-010",
        "choose where the model is to run first, then load-test the shared endpoint",
    ),
    _between(
        "PERF-014",
        "COST-010",
        "choose where the model is to run first, then try Graviton for the shared endpoint",
    ),
    _between(
        "PERF-012",
        "COST-011",
        "choose between endpoint and batch job first, then load-test what stays an endpoint",
    ),
    _between(
        "PERF-014",
        "COST-011",
        "choose between endpoint and batch job first, then try Graviton for what stays an endpoint",
    ),
    _between(
        "PERF-012",
        "COST-012",
        "choose between instances and serverless first, then load-test what stays on instances",
    ),
    _between(
        "PERF-014",
        "COST-012",
        "choose between instances and serverless first, then try Graviton for what stays on instances",
    ),
)
"""The pairs, in the order in which they are looked for."""


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with one instead of two wherever a trade-off is between them; the order is kept."""
    chosen = list(findings)
    by_resource: dict[tuple[str, str], list[Finding]] = {}
    wide: dict[tuple[str, str], Finding] = {}
    for finding in chosen:
        if finding.rule.code in _CODES:
            by_resource.setdefault((finding.subject.arn, finding.rule.code), []).append(finding)
            if finding.subject.kind == "account":
                wide[finding.subject.account, finding.rule.code] = finding
    folded: set[str] = set()
    opposed: dict[str, list[Opposed]] = {}
    for finding in sorted(chosen, key=lambda f: f.rank):
        if finding.id in folded or finding.rule.code not in _CODES:
            continue
        for trade_off in TRADE_OFFS:
            if finding.rule.code not in trade_off.codes:
                continue
            (other,) = trade_off.codes - {finding.rule.code}
            above = wide.get((finding.subject.account, other))
            if above is not None:
                note = Opposed(above.id, other, above.why, trade_off.text)
                opposed.setdefault(finding.id, []).append(note)
                continue
            for against in by_resource.get((finding.subject.arn, other), ()):
                if against.id not in folded and _same_part(finding, against):
                    folded.add(against.id)
                    note = Opposed(against.id, other, against.why, trade_off.text)
                    opposed.setdefault(finding.id, []).append(note)
    return [
        replace(finding, opposed=tuple(opposed.get(finding.id, ())))
        for finding in chosen
        if finding.id not in folded
    ]


_CODES = frozenset(code for trade_off in TRADE_OFFS for code in trade_off.codes)


def _same_part(one: Finding, other: Finding) -> bool:
    """Whether they speak of the same part, or one of them of the whole."""
    return one.subject.part == other.subject.part or not (one.subject.part and other.subject.part)
