"""`auditor scan --plan`: the calls of a scan, how many, how long at the paced rates, and what AWS bills."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tabulate import tabulate

from auditor.permissions import plan_for
from auditor.settings import Settings
from collectors.collector import Collector
from collectors.model import Operation, Snapshot
from collectors.pacing import published_rate
from evaluators.rule import Rule

_BY_METRIC = "cloudwatch:GetMetricData"
_EACH = ("Describe", "Get", "Head")


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation of a scan. `calls` is `None` where only AWS knows how many there will be."""

    operation: str
    kinds: tuple[str, ...]
    each: str
    calls: int | None
    least: int
    seconds: float | None
    charge: float


def planned(rules: Iterable[Rule], settings: Settings, earlier: Snapshot | None) -> list[Planned]:
    """The operations of a scan, sorted by name, with their numbers as far as an earlier run tells them.

    `least` is what an empty account costs: each listing once in each Region. Nothing is called.
    """
    plan = plan_for(rules, prices=settings.pricing == "api")
    regions = len(settings.regions) or (len(earlier.manifests[0].regions) if earlier else 1)
    seen: Counter[str] = Counter()
    for end in earlier.ends if earlier else ():
        seen.update(end.operations)
    wanted = {str(op) for op in plan.operations(fallbacks=not settings.search)}
    by_name: dict[str, list[tuple[Collector, Operation]]] = {}
    for collector in plan.collectors:
        for operation in collector.operations():
            if str(operation) in wanted and (settings.search or operation.name != "Search"):
                by_name.setdefault(str(operation), []).append((collector, operation))
    return [_planned(name, by_name[name], settings, regions, seen) for name in sorted(by_name)]


def _planned(
    name: str,
    callers: list[tuple[Collector, Operation]],
    settings: Settings,
    regions: int,
    seen: Counter[str],
) -> Planned:
    operation = callers[0][1]
    kinds = tuple(sorted({collector.name for collector, _ in callers}))
    places = [1 if collector.is_global else regions for collector, _ in callers]
    listings = [op in collector.view.listing[:1] for collector, op in callers]
    least = sum(place for place, lists in zip(places, listings, strict=True) if lists)
    calls = seen[name] if seen else None
    if operation.charge and not settings.cost_explorer:
        calls, least = 0, 0
    paced = published_rate(operation.service, operation.name) * settings.rate_share
    seconds = None if calls is None else calls / paced / max(places)
    return Planned(name, kinds, _each(operation, any(listings)), calls, least, seconds, operation.charge)


def _each(operation: Operation, lists: bool) -> str:
    """What one call is for."""
    if str(operation) == _BY_METRIC:
        return "500 metrics"
    if lists or operation.name == "Search" or operation.name.startswith("List"):
        return "page"
    return "resource" if operation.name.startswith(_EACH) else "request"


def plan_text(rules: Iterable[Rule], settings: Settings, earlier: Snapshot | None) -> str:
    """The plan as a table with its sums."""
    chosen = planned(rules, settings, earlier)
    rows = [
        [
            item.operation,
            _short(item.kinds),
            item.each,
            "-" if item.calls is None else item.calls,
            item.least or "-",
            "-" if item.seconds is None else f"{item.seconds:.1f}",
            _bill(item, settings),
        ]
        for item in chosen
    ]
    headers = ["operation", "for", "one call a", "calls", "at least", "seconds", "AWS bills"]
    table = tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=_ALIGN)
    return f"{table}\n\n{_sums(chosen, settings, earlier)}"


_ALIGN = ("left", "left", "left", "right", "right", "right", "left")


def _short(kinds: tuple[str, ...]) -> str:
    return ", ".join(kinds[:2]) + (f" and {len(kinds) - 2} more" if len(kinds) > 2 else "")


def _bill(item: Planned, settings: Settings) -> str:
    if item.charge:
        if not settings.cost_explorer:
            return "not called without --cost-explorer"
        return f"USD {item.charge:.2f} a request"
    return "by the metric" if item.operation == _BY_METRIC else "-"


def _sums(chosen: list[Planned], settings: Settings, earlier: Snapshot | None) -> str:
    regions = ", ".join(settings.regions) or "each enabled Region"
    least = sum(item.least for item in chosen)
    pace = f"at {settings.rate_share:.0%} of the published rates"
    if earlier is None:
        return (
            f"{len(chosen)} operations over {regions}; an empty account takes at least {least} calls"
            f"{'' if settings.regions else ' for one Region'}, {pace}. How many more there are only the account "
            "knows: --like SNAPSHOT takes the numbers of an earlier run."
        )
    calls = sum(item.calls or 0 for item in chosen)
    # Operations run side by side: the slowest decides.
    seconds = max((item.seconds or 0.0 for item in chosen), default=0.0)
    cost = math.fsum(item.charge * (item.calls or 0) for item in chosen)
    bill = f"USD {cost:.2f} for Cost Explorer, and " if cost else ""
    return (
        f"{len(chosen)} operations, {calls} calls as in the run of {earlier.manifests[0].taken_at:%Y-%m-%d}, "
        f"about {seconds:.0f} s {pace}. AWS bills {bill}GetMetricData by the metric; the rest is free."
    )
