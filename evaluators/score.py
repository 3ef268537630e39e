"""Scores: of a finding, of a pillar, of the whole.

    finding = severity × environment × confidence                       0–100, rounded
        severity     critical 100, high 75, medium 50, low 25, info 5 (after lowering)
        environment  production and unplaced 1.0, staging 0.7, development 0.4, sandbox 0.2
        confidence   1.0 for a setting that was read, less for an indirect signal

    rule    lost    = Σ finding scores / Σ weights      over its subjects that apply
            unknown = Σ weights of unknowns / Σ weights
            where a subject's weight is the rule's own severity × environment × confidence, or that of
        its finding where this case is worse than the rule in general

    pillar  high = 100 × (1 − Σ severity × lost / Σ severity)           over its rules that apply
            low  = 100 × (1 − Σ severity × (lost + unknown) / Σ severity)
            coverage = 1 − Σ severity × unknown / Σ severity

A rule counts by its severity and not by how many resources it speaks of: a thousand jobs do not
drown one open bucket. `low` is the score if everything unknown failed, `high` if it all passed;
thresholds use `low`. The whole is the mean of the pillars by the user's weights. An accepted
finding loses nothing and is counted apart. Without a rule that applies there is no score.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evaluators.engine import Judgement
from evaluators.environment import Environment
from evaluators.rule import Pillar, Rule, Scope, Severity, Status


@dataclass(frozen=True, slots=True)
class Score:
    """A score as an interval of 0–100, the share (0–1) that is known, and the verdicts behind it."""

    low: float | None
    high: float | None
    coverage: float | None
    verdicts: Mapping[str, int] = field(default_factory=dict)


def effective_severity(judgement: Judgement) -> Severity:
    """The severity of a finding after what its verdict, its rule's scope and its environment lower."""
    return lowered_severity(judgement)[0]


def lowered_severity(judgement: Judgement) -> tuple[Severity, tuple[str, ...]]:
    """The severity and the reasons why it is below the rule's own."""
    severity, reasons = _own_severity(judgement), []
    for _ in range(judgement.verdict.lowered):
        severity = severity.lower()
    if judgement.verdict.lowered:
        reasons.append(judgement.verdict.why_lowered)
    environment = judgement.placement.environment
    open_default = environment in (Environment.SANDBOX, Environment.DEVELOPMENT)
    if judgement.rule.scope is Scope.LENIENT and open_default and severity > Severity.LOW:
        severity = Severity.LOW
        reasons.append(f"acceptable in {environment.value if environment else ''}")
    if judgement.rule.scope is Scope.PRODUCTION and environment is None:
        severity = severity.lower()
        reasons.append("not placed in an environment")
    return severity, tuple(reasons)


def _own_severity(judgement: Judgement) -> Severity:
    """The rule's severity, or that of a case which is worse."""
    return max(judgement.rule.severity, judgement.verdict.raised or Severity.INFO)


def finding_score(severity: Severity, weight: float, confidence: float) -> int:
    """severity × environment × confidence, 0–100."""
    return round(severity * weight * confidence)


@dataclass(slots=True)
class _RuleTotal:
    weight: float = 0.0
    lost: float = 0.0
    unknown: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)


class Scoreboard:
    """Adds up verdicts one by one; holds a few numbers a rule, whatever the size of the account."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._totals: dict[Rule, _RuleTotal] = {rule: _RuleTotal() for rule in rules}

    def add(self, judgement: Judgement, *, accepted: bool = False) -> None:
        """Count one verdict."""
        total = self._totals[judgement.rule]
        status = judgement.verdict.status
        total.verdicts["accepted" if accepted else status.value] += 1
        if status is Status.NOT_APPLICABLE:
            return
        weight = _own_severity(judgement) * judgement.placement.weight * judgement.rule.confidence
        total.weight += weight
        if status is Status.UNKNOWN:
            total.unknown += weight
        elif status is Status.FAIL and not accepted:
            severity = effective_severity(judgement)
            total.lost += severity * judgement.placement.weight * judgement.rule.confidence

    def verdicts(self, rule: Rule) -> dict[str, int]:
        """The verdicts of one rule by name."""
        return dict(sorted(self._totals[rule].verdicts.items()))

    def pillar(self, pillar: Pillar) -> Score:
        """The score of one pillar."""
        mine = [(rule, total) for rule, total in self._totals.items() if rule.pillar is pillar]
        verdicts = sum((total.verdicts for _, total in mine), Counter[str]())
        counted = [(rule.severity, total) for rule, total in mine if total.weight]
        whole = sum(severity for severity, _ in counted)
        if not whole:
            return Score(None, None, None, dict(sorted(verdicts.items())))
        lost = math.fsum(s * t.lost / t.weight for s, t in counted) / whole
        unknown = math.fsum(s * t.unknown / t.weight for s, t in counted) / whole
        return Score(
            round(100 * (1 - lost - unknown), 1),
            round(100 * (1 - lost), 1),
            round(1 - unknown, 3),
            dict(sorted(verdicts.items())),
        )

    def worth(self, weights: Mapping[str, float]) -> dict[Rule, float]:
        """Points of the whole score that each unit of a rule's lost weight costs."""
        scored = [pillar for pillar in Pillar if self.pillar(pillar).low is not None]
        whole = math.fsum(weights.get(pillar.value, 1.0) for pillar in scored)
        found: dict[Rule, float] = {}
        for pillar in scored if whole else ():
            counted = [(r, t) for r, t in self._totals.items() if r.pillar is pillar and t.weight]
            severities = sum(rule.severity for rule, _ in counted)
            share = weights.get(pillar.value, 1.0) / whole
            for rule, total in counted:
                found[rule] = 100 * share * rule.severity / severities / total.weight
        return found

    def overall(self, weights: Mapping[str, float]) -> Score:
        """The mean of the pillars that have a score, by the user's weights."""
        scores = [(weights.get(p.value, 1.0), self.pillar(p)) for p in Pillar]
        counted = [(w, s.low, s.high, s.coverage) for w, s in scores if s.low is not None and w > 0]
        whole = math.fsum(w for w, *_ in counted)
        verdicts = sum((Counter(s.verdicts) for _, s in scores), Counter[str]())
        if not whole:
            return Score(None, None, None, dict(sorted(verdicts.items())))
        low, high, coverage = (
            math.fsum(row[0] * (row[i] or 0.0) for row in counted) / whole for i in (1, 2, 3)
        )
        return Score(round(low, 1), round(high, 1), round(coverage, 3), dict(sorted(verdicts.items())))
