"""Which operation gave each piece of a verdict's evidence."""

import functools
from collections.abc import Collection, Hashable, Mapping
from typing import Any, cast

from collectors.view import METRIC_DATA, Field, Metric, Node, Part, Region, View, index
from evaluators.rule import Rule, Verdict


def operations_of(rule: Rule, judged: View | Region, verdict: Verdict) -> Mapping[str, str]:
    """The operation behind each name in the evidence; a figure that was computed has none.

    Where several fields have one name, those of the resource that was judged are meant, then those of its
    parts, then those of the other resources that the rule reads; a list of values is not of a single one.
    """
    named: dict[str, str] = {}
    for name, value in verdict.evidence.items():
        if name == "Tags" and isinstance(judged, View):
            named[name] = judged.tags_operation
        candidates = _by_name(rule).get(name, ())
        if candidates:
            several = isinstance(value, list | tuple)
            origins = [_origin(rule, judged, item, several=several) for item in candidates]
            named[name] = min(origins, key=lambda origin: origin[0])[1]
    return named


def _origin(
    rule: Rule, judged: View | Region, item: Field[Any] | Metric, *, several: bool
) -> tuple[float, str]:
    """How far from what was judged a field or a metric is, and the operation that gave it."""
    mine = item.owner is not None and isinstance(judged, item.owner)
    if isinstance(item, Metric):
        return (0 if mine else 2), str(METRIC_DATA)
    if isinstance(judged, View):
        holders = (item,) if mine else _holders(cast(Hashable, type(judged))).get(item.owner, ())
        holder = next((held for held in holders if held in rule.reads.fields), None)
        if holder is not None:
            single = several and item.type in (str, int, float, bool)
            return (1.5 if single else 0) if mine else 1, _made(holder, judged.readings)
    holder = item if item.operations else _holder_elsewhere(rule, item)
    if holder is None:
        return 2, ""
    region = judged.region if isinstance(judged, View) else judged
    return 2, _made(holder, _seen(region, holder.owner))


def _made(item: Field[Any], made: Collection[str]) -> str:
    """Which of a field's operations was made; the first where none was."""
    return next((str(op) for op in item.operations if str(op) in made), str(item.operations[0]))


@index
def _memory(region: Region) -> dict[type[Node], frozenset[str]]:  # noqa: ARG001 -- one for each Region
    return {}


def _seen(region: Region, view: type[Node] | None) -> frozenset[str]:
    """The operations that a kind of resource was read with in a Region: those of the first one."""
    memory = _memory(region)
    if view is not None and issubclass(view, View) and view not in memory:
        first = next(iter(region.known(view)), None)
        memory[view] = frozenset(first.readings) if first is not None else frozenset()
    return memory.get(view, frozenset()) if view is not None else frozenset()


@functools.cache
def _by_name(rule: Rule) -> Mapping[str, tuple[Field[Any] | Metric, ...]]:
    found: dict[str, list[Field[Any] | Metric]] = {}
    for item in sorted(rule.reads.fields, key=_place):
        found.setdefault(item.keys[-1], []).append(item)
    for measured in sorted(rule.reads.metrics, key=lambda metric: (metric.namespace, metric.name)):
        found.setdefault(measured.metric, []).append(measured)
    return {name: tuple(items) for name, items in found.items()}


def _place(item: Field[Any]) -> tuple[str, str]:
    """Fields in an order that is the same in every process: two views may have a path in common."""
    return item.owner.__name__ if item.owner else "", item.path


@functools.cache
def _holders(view: type[View]) -> Mapping[type[Node] | None, tuple[Field[Any], ...]]:
    """The parts inside a kind of resource, however deep, with the fields of the resource that hold them."""
    found: dict[type[Node] | None, list[Field[Any]]] = {}

    def note(part: type[Part], holder: Field[Any]) -> None:
        if holder in found.get(part, ()):
            return
        # A field may be declared by what the part is made of.
        for base in part.__mro__:
            if issubclass(base, Part):
                found.setdefault(base, []).append(holder)
        for inner in part.fields().values():
            if inner.part is not None:
                note(inner.part, holder)

    for item in view.fields().values():
        if item.part is not None:
            note(item.part, item)
    return {part: tuple(holders) for part, holders in found.items()}


@functools.cache
def _holder_elsewhere(rule: Rule, item: Field[Any]) -> Field[Any] | None:
    """The field of another resource that holds a field of its part."""
    for holder in sorted(rule.reads.fields, key=_place):
        if _is_inside(item, holder) and holder is not item:
            return holder if holder.operations else _holder_elsewhere(rule, holder)
    return None


def _is_inside(item: Field[Any], holder: Field[Any]) -> bool:
    """Whether a field belongs to the part that another field holds."""
    return item.owner is not None and holder.part is not None and issubclass(holder.part, item.owner)
