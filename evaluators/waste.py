"""What the findings of a run say is wasted each month: by pillar, by environment, and what has no price.

Several findings may speak of the same resource (idle, too large, without a schedule): following one
of them ends what the others would save. So each part of a resource counts once, with the largest, and
a resource with the larger of what is said of it whole and of its parts together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluators.finding import Finding
from evaluators.money import monthly
from evaluators.rule import Pillar

Totals = Mapping[str, float]
"""Amounts a month by currency."""


@dataclass(frozen=True, slots=True)
class Waste:
    """Monthly waste by currency; `unpriced` findings on cost have no figure, `priced` have one."""

    total: Totals = field(default_factory=dict)
    by_pillar: Mapping[str, Totals] = field(default_factory=dict)
    by_environment: Mapping[str, Totals] = field(default_factory=dict)
    priced: int = 0
    unpriced: int = 0


class WasteBoard:
    """Adds up findings: the largest saving of each part of a resource, in each currency."""

    def __init__(self) -> None:
        self._largest: dict[tuple[str, str, str], dict[str, dict[str, float]]] = {}
        self._priced = self._unpriced = 0

    def add(self, finding: Finding) -> None:
        """Count one finding that failed."""
        amounts = monthly(finding.savings)
        if finding.rule.pillar is not Pillar.COST and not finding.savings:
            return
        if amounts and all(saving.rate is not None for saving in finding.savings):
            self._priced += 1
        else:
            self._unpriced += 1
        place = (finding.subject.arn, finding.rule.pillar.value, finding.environment)
        held = self._largest.setdefault(place, {}).setdefault(finding.subject.part, {})
        for currency, amount in amounts.items():
            held[currency] = max(held.get(currency, 0.0), amount)

    def total(self) -> Waste:
        """The sums so far."""
        by_pillar: dict[str, dict[str, float]] = {}
        by_environment: dict[str, dict[str, float]] = {}
        whole: dict[str, dict[str, float]] = {}
        environments: dict[str, str] = {}
        for (arn, pillar, environment), parts in self._largest.items():
            environments[arn] = environment
            for currency, amount in _of_resource(parts).items():
                _add(by_pillar.setdefault(pillar, {}), currency, amount)
                held = whole.setdefault(arn, {})
                held[currency] = max(held.get(currency, 0.0), amount)
        total: dict[str, float] = {}
        for arn, amounts in whole.items():
            for currency, amount in amounts.items():
                _add(total, currency, amount)
                _add(by_environment.setdefault(environments[arn], {}), currency, amount)
        return Waste(
            _rounded(total),
            {pillar: _rounded(amounts) for pillar, amounts in sorted(by_pillar.items())},
            {place: _rounded(amounts) for place, amounts in sorted(by_environment.items())},
            self._priced,
            self._unpriced,
        )


def _of_resource(parts: Mapping[str, Totals]) -> dict[str, float]:
    """What is said of a resource whole (part ""), or of its parts together, whichever is more."""
    together: dict[str, float] = {}
    for part, amounts in parts.items():
        for currency, amount in amounts.items() if part else ():
            _add(together, currency, amount)
    whole = parts.get("", {})
    return {c: max(whole.get(c, 0.0), together.get(c, 0.0)) for c in {**whole, **together}}


def _add(totals: dict[str, float], currency: str, amount: float) -> None:
    totals[currency] = totals.get(currency, 0.0) + amount


def _rounded(totals: Mapping[str, float]) -> dict[str, float]:
    return {currency: round(amount, 2) for currency, amount in sorted(totals.items())}
