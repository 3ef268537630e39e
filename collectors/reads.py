"""What a piece of code reads: derived from the code itself, so that no list is kept by hand.

A rule names the attributes of views. Walking its code, and every helper, property and relation
that it reaches, gives the views, fields, metrics and operations that it can touch. From that
follow the collectors that have to run, the IAM policy, and the documentation of what a rule reads.
The walk is by name and may take in a little too much, never too little: `getattr` with a computed
name is the one thing that it cannot see, and no rule uses it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from collectors.model import Operation
from collectors.view import Field, Metric, Node, NodeMetrics, Part, View

_PACKAGES = ("collectors", "evaluators")
_MACHINERY = ("collectors.collector", "collectors.reads")
"""Code about collectors and about this walk: it names everything, and reads nothing."""


@dataclass(slots=True)
class Reads:
    """The views, fields, metrics and operations that some code can touch."""

    views: set[type[View]] = field(default_factory=set)
    fields: set[Field[Any]] = field(default_factory=set)
    metrics: set[Metric] = field(default_factory=set)
    named: set[Operation] = field(default_factory=set)
    tags_of: set[type[View]] = field(default_factory=set)

    def update(self, other: "Reads") -> None:
        """Take in what other code reads."""
        self.views |= other.views
        self.fields |= other.fields
        self.metrics |= other.metrics
        self.named |= other.named
        self.tags_of |= other.tags_of

    def operations(self, *, fallbacks: bool = False) -> set[Operation]:
        """The operations that have to be called; with `fallbacks` also those used where Search is refused."""
        until = None if fallbacks else 1
        found = set(self.named)
        for view in self.views:
            found.update(view.listing[:until])
        for declared in self.fields:
            found.update(declared.operations[:until])
        for view in self.tags_of:
            if view.tag_source is not None:
                found.add(view.tag_source[0])
        return found


def reads_of(functions: Iterable[Any], views: Iterable[type[Node]] = ()) -> Reads:
    """What these functions can touch, starting from these views and parts."""
    walk = _Walk()
    for view in views:
        walk.reach(view)
    for function in functions:
        walk.visit(function)
    walk.settle()
    return walk.reads


class _Walk:
    def __init__(self) -> None:
        self.reads = Reads()
        self.names: set[str] = set()
        self.nodes: set[type[Node]] = set()
        self.seen: set[int] = set()

    def reach(self, node: type[Node]) -> None:
        if node in (Node, View, Part):
            return
        self.nodes.add(node)
        if issubclass(node, View):
            self.reads.views.add(node)

    def visit(self, function: Any) -> None:
        """A function, a property's getter, or something that wraps one."""
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        function = getattr(function, "__func__", function)
        if not isinstance(function, FunctionType) or id(function) in self.seen:
            return
        if function.__module__ in _MACHINERY:
            return
        self.seen.add(id(function))
        names = _names(function.__code__)
        self.names |= names
        for cell in function.__closure__ or ():
            self.meet(cell.cell_contents, names)
        for name in names & function.__globals__.keys():
            self.meet(function.__globals__[name], names)

    def meet(self, value: Any, names: set[str]) -> None:
        """Something that visited code refers to by name."""
        match value:
            case Operation():
                self.reads.named.add(value)
            case tuple():
                for item in value:
                    self.meet(item, names)
            case ModuleType() if value.__name__.startswith(_PACKAGES):
                for name in names & vars(value).keys():
                    self.meet(vars(value)[name], names)
            case type() if issubclass(value, Node):
                self.reach(value)
            case type() if value.__module__.startswith(_PACKAGES):
                for member in vars(value).values():
                    self.visit(member.fget if isinstance(member, property) else member)
            case _ if getattr(value, "__module__", "").startswith(_PACKAGES):
                self.visit(value)
            case _:
                pass

    def settle(self) -> None:
        """Until nothing new turns up: match the names against the attributes of the nodes reached."""
        before = -1
        while before != (now := len(self.names) + len(self.nodes) + len(self.seen) + len(self.reads.fields)):
            before = now
            for node in list(self.nodes):
                for base in node.__mro__:
                    for name in self.names & vars(base).keys():
                        self.attribute(node, name, vars(base)[name])

    def attribute(self, node: type[Node], name: str, value: Any) -> None:
        """An attribute of a reached node that visited code names."""
        match value:
            case Field():
                self.reads.fields.add(value)
                if value.part is not None:
                    self.reach(value.part)
            case Metric():
                self.reads.metrics.add(value)
                self.reach(NodeMetrics)
                self.visit(node.metric_dimensions)
                self.visit(node.metric_window)
            case property():
                if name in ("tags", "all_tags") and issubclass(node, View):
                    self.reads.tags_of.add(node)
                self.visit(value.fget)
            case FunctionType():
                self.visit(value)
            case _:
                pass


def _names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names(constant)
    return found
