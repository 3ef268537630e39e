"""Collectors: functions that fill views, found by a walk of this package."""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import collectors
from collectors.model import Operation, Resource
from collectors.reads import Reads, reads_of
from collectors.view import View

if TYPE_CHECKING:
    from collectors.reader import Reader

_DOORS = ("collectors.reader", "collectors.run", "collectors.session")
"""Modules that need boto3: no collector is there."""

CollectorFunction = Callable[["Reader"], Iterator[Resource]]


@dataclass(frozen=True, slots=True)
class Collector:
    """A function that fills one view.

    `follows` are views whose resources name what this collector reads: they have to be collected
    first, and a gap in their listing is a gap in this one. `after` only orders: those of them that
    are read anyway are read first. `last` collectors look at everything else that was read.
    """

    view: type[View]
    function: CollectorFunction
    follows: tuple[type[View], ...]
    after: tuple[type[View], ...]
    last: bool = False

    @property
    def name(self) -> str:
        """The kind that it collects, for progress and gaps."""
        return self.view.kind

    @property
    def is_global(self) -> bool:
        """Whether it runs once per account instead of once per Region."""
        return self.view.is_global

    def declared(self) -> set[Operation]:
        """The operations that its view declares: called where a selected rule reads them."""
        fields = {op for item in self.view.fields().values() for op in item.operations}
        tags = {self.view.tag_source[0]} if self.view.tag_source else set()
        return fields | tags | set(self.view.listing)

    def operations(self) -> set[Operation]:
        """What it may call: the operations that its view declares, and those that its code names."""
        return self.declared() | _code_reads(self).named


@functools.cache
def _code_reads(collector: Collector) -> Reads:
    return reads_of((collector.function,), (*collector.follows, *collector.after))


def collects(
    view: type[View],
    *,
    follows: Iterable[type[View]] = (),
    after: Iterable[type[View]] = (),
    last: bool = False,
) -> Callable[[CollectorFunction], Collector]:
    """Make a collector of a function that yields the resources of `view`."""

    def made(function: CollectorFunction) -> Collector:
        return Collector(view, function, tuple(follows), tuple(after), last)

    return made


@functools.cache
def all_collectors() -> tuple[Collector, ...]:
    """Every collector of the package, sorted by kind. Raises `ValueError` where two fill one view."""
    found: dict[str, Collector] = {}
    for module in pkgutil.walk_packages(collectors.__path__, "collectors."):
        if module.name in _DOORS:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Collector) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two collectors fill {value.name}")
    return tuple(found[name] for name in sorted(found))


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be read for a selection of rules: collectors in stages, and all that they touch."""

    stages: tuple[tuple[Collector, ...], ...]
    reads: Reads

    def operations(self, *, fallbacks: bool = False) -> set[Operation]:
        """The operations that may be called, the least IAM policy in other words."""
        return self.reads.operations(fallbacks=fallbacks)

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """All collectors in the order in which they may run."""
        return tuple(collector for stage in self.stages for collector in stage)


def plan(reads: Reads) -> Plan:
    """The collectors for what some rules read, and what those collectors follow in turn."""
    by_view = {collector.view: collector for collector in all_collectors()}
    total = Reads()
    total.update(reads)
    chosen: set[Collector] = set()
    while new := {by_view[view] for view in total.views if view in by_view} - chosen:
        chosen |= new
        for collector in new:
            code = _code_reads(collector)
            followed = set(collector.follows) | {collector.view}
            total.views |= followed
            total.named |= code.named - collector.declared()
            total.fields |= code.fields
            total.tags_of |= code.tags_of
    return Plan(tuple(_stages(chosen)), total)


def _stages(chosen: set[Collector]) -> Iterator[tuple[Collector, ...]]:
    """Collectors whose sources are done, stage by stage. Raises `ValueError` on a circle."""
    waiting = set(chosen)
    while waiting:
        views = {collector.view for collector in waiting}
        ready = {c for c in waiting if not views & {*c.follows, *c.after} - {c.view} and not c.last}
        if all(collector.last for collector in waiting):
            ready = waiting.copy()
        if not ready:
            raise ValueError(f"collectors follow each other in a circle: {sorted(c.name for c in waiting)}")
        yield tuple(sorted(ready, key=lambda c: c.name))
        waiting -= ready
