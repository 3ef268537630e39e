"""Next best fixes: findings by the one change that removes them, ordered by what that change is worth.

One change is one act on one thing. What is told of a job is mended in what launches jobs of its
family, what is told of a user profile, space or app in its domain's defaults; what is told of a whole
Region or account is a change of its own for each rule; everything else is mended on the resource
itself. Acts of different kinds on one resource (in place, restart, recreate)
are different changes, since one can be made today and another waits for a window.

A change is worth the points that the whole score gains once its findings pass: the score is a sum,
so each finding has its share of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.sagemaker.job_families import family_name
from evaluators.finding import Finding
from evaluators.money import monthly
from evaluators.rule import Change, Rule

_JOBS = frozenset(
    {"automl-job", "labeling-job", "processing-job", "training-job", "transform-job", "tuning-job"}
)
_IN_DOMAINS = frozenset({"app", "space", "user-profile"})
_WHOLE = frozenset({"account", "region"})


@dataclass(frozen=True, slots=True)
class Fix:
    """One change: what is changed and how, its findings worst first, and what it is worth.

    `gain` is in points (0–100) of the whole score; `savings` a month by currency.
    """

    target: str
    kind: str
    account: str
    region: str
    change: Change
    findings: tuple[Finding, ...]
    gain: float
    savings: Mapping[str, float]

    @property
    def codes(self) -> tuple[str, ...]:
        """The rules that it satisfies."""
        return tuple(sorted({finding.rule.code for finding in self.findings}))


def next_fixes(findings: Iterable[Finding], worth: Mapping[Rule, float]) -> list[Fix]:
    """The changes that remove all findings, the most worthwhile first.

    `worth` is what a unit of a rule's lost weight costs the whole score (`Scoreboard.worth`).
    """
    grouped: dict[tuple[str, str, str, str, Change], list[Finding]] = {}
    for finding in findings:
        kind, target = _target(finding)
        place = (kind, target, finding.subject.account, finding.subject.region, finding.rule.change)
        grouped.setdefault(place, []).append(finding)
    fixes = [
        Fix(
            target,
            kind,
            account,
            region,
            change,
            tuple(sorted(found, key=lambda f: f.rank)),
            sum(finding.loss * worth.get(finding.rule, 0.0) for finding in found),
            _saved(found),
        )
        for (kind, target, account, region, change), found in grouped.items()
    ]
    return sorted(
        fixes, key=lambda fix: (-round(fix.gain, 6), -sum(fix.savings.values()), fix.kind, fix.target)
    )


def _target(finding: Finding) -> tuple[str, str]:
    """What is changed to mend a finding: a kind and a name."""
    subject = finding.subject
    if subject.kind in _JOBS:
        return "launcher", f"{subject.kind}s {family_name(subject.name)}"
    if subject.kind in _WHOLE:
        return subject.kind, f"{subject.name}, {finding.rule.name}"
    if subject.kind in _IN_DOMAINS:
        domain = subject.arn.rpartition(":")[2].split("/")[1:2]
        if domain:
            return "domain", domain[0]
    return subject.kind, subject.name


def _saved(findings: list[Finding]) -> dict[str, float]:
    """What the change saves a month: of several figures for one thing the largest."""
    largest: dict[tuple[str, str], dict[str, float]] = {}
    for finding in findings:
        held = largest.setdefault((finding.subject.arn, finding.subject.part), {})
        for currency, amount in monthly(finding.savings).items():
            held[currency] = max(held.get(currency, 0.0), amount)
    total: dict[str, float] = {}
    for amounts in largest.values():
        for currency, amount in amounts.items():
            total[currency] = total.get(currency, 0.0) + amount
    return {currency: round(amount, 2) for currency, amount in sorted(total.items())}
