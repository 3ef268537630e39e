"""What a rule is: one function, its documentation, its examples and its references.

A rule is a function from a view (or a part of one, a `Region` or an `Account`) to a `Verdict`. The
decorator's return value is found by a walk of the package; nothing is registered anywhere else.
Keyword-only parameters with defaults are its thresholds, which a settings file may change.
"""

import functools
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import Any

import evaluators
from collectors.model import Listing
from collectors.reads import Reads, reads_of
from collectors.sample import Sample
from collectors.view import Part, Region, View
from evaluators.answers import Answer
from evaluators.controls import Reference
from evaluators.environment import Environment, placement
from evaluators.money import Usage


class Severity(IntEnum):
    """How bad a finding is where it counts in full: its base points towards the score."""

    INFO = 5
    LOW = 25
    MEDIUM = 50
    HIGH = 75
    CRITICAL = 100

    @property
    def label(self) -> str:
        """`critical`, `high`, `medium`, `low` or `info`."""
        return self.name.lower()

    def lower(self) -> "Severity":
        """One level down; info stays info."""
        ordered = sorted(Severity)
        return ordered[max(0, ordered.index(self) - 1)]


class Pillar(StrEnum):
    """The five pillars; the value is the name of the package that holds its rules."""

    OPERATIONS = "operations"
    SECURITY = "security"
    RELIABILITY = "reliability"
    PERFORMANCE = "performance"
    COST = "cost"


PREFIXES = {
    "OPS": Pillar.OPERATIONS,
    "SEC": Pillar.SECURITY,
    "REL": Pillar.RELIABILITY,
    "PERF": Pillar.PERFORMANCE,
    "COST": Pillar.COST,
}


class Change(StrEnum):
    """What a fix does to the resource while it is applied."""

    IN_PLACE = "in place"
    RESTART = "restart"
    RECREATE = "recreate"
    NEXT_RUN = "next run"


class Scope(Enum):
    """Where a rule counts, by environment. An unplaced resource counts as production."""

    EVERYWHERE = "everywhere"
    """In every environment alike."""
    LENIENT = "lenient"
    """An open default that is acceptable in sandbox and development: low there."""
    PRODUCTION = "production"
    """Not applicable outside production; one severity lower on an unplaced resource."""
    NOT_SANDBOX = "not in a sandbox"
    """Not applicable in a sandbox."""


class Status(StrEnum):
    """The four verdicts. No rule returns `UNKNOWN`: it comes of touching a gap."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one subject.

    `evidence` maps AWS's own field names (or a figure's name, in snake_case) to values.
    `lowered` is how many severities below the rule's own this case is, with `why_lowered`; `raised` is
    the severity of a case that is worse than the rule in general. `waste` is what would no longer be
    billed, each month, once the advice is followed.
    """

    status: Status
    message: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    lowered: int = 0
    why_lowered: str = ""
    waste: tuple[Usage, ...] = ()
    raised: Severity | None = None


def expect(holds: bool, otherwise: str, **evidence: Any) -> Verdict:
    """Pass when `holds`; else fail with the message `otherwise`."""
    return passed(**evidence) if holds else failed(otherwise, **evidence)


def passed(message: str = "", /, **evidence: Any) -> Verdict:
    """The subject is as it should be; a message is a note on how."""
    return Verdict(Status.PASS, message, evidence)


def failed(
    message: str,
    /,
    *,
    lowered: int = 0,
    why_lowered: str = "",
    waste: Iterable[Usage] = (),
    raised: Severity | None = None,
    **evidence: Any,
) -> Verdict:
    """The subject is not as it should be."""
    return Verdict(Status.FAIL, message, evidence, lowered, why_lowered, tuple(waste), raised)


def not_applicable(why: str, /, **evidence: Any) -> Verdict:
    """The rule does not speak of this subject."""
    return Verdict(Status.NOT_APPLICABLE, why, evidence)


@dataclass(frozen=True, slots=True)
class Given:
    """An executed example: the subject, the other resources around it, thresholds, and unread listings."""

    subject: Sample
    others: tuple[Sample, ...] = ()
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    gaps: tuple[Listing, ...] = ()
    regions: tuple[str, ...] = ("eu-west-1",)
    answers: Mapping[str, Answer] = field(default_factory=dict)


def given(
    subject: Sample,
    *others: Sample,
    regions: tuple[str, ...] = ("eu-west-1",),
    answers: Mapping[str, Answer] | None = None,
    **thresholds: Any,
) -> Given:
    """Make an example that needs more than one resource, another threshold or a person's answer."""
    return Given(subject, others, thresholds, (), regions, answers or {})


Example = Mapping[str, Any] | Sample | Given
Subject = View | Part | Region


@dataclass(frozen=True, slots=True)
class Remedy:
    """How to mend it: a sentence, and a command in which {name}, {arn}, {region}, {part} are filled in."""

    text: str
    command: str = ""


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule with all that is known of it. `code` is stable; `name` is named for the weakness."""

    code: str
    severity: Severity
    function: Callable[..., Verdict]
    subjects: tuple[type[View] | type[Part] | type[Region], ...]
    remedy: Remedy
    change: Change
    maps: tuple[Reference, ...]
    question: str
    scope: Scope
    confidence: float
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    exempt: tuple[Example, ...]

    @property
    def name(self) -> str:
        """`notebook-root-access`: reads well after "allow"."""
        return self.function.__name__.replace("_", "-")

    @property
    def pillar(self) -> Pillar:
        """By the code's prefix."""
        return PREFIXES[self.code.partition("-")[0]]

    @functools.cached_property
    def title(self) -> str:
        """The first line of the docstring: what should be true."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0].strip()

    @functools.cached_property
    def rationale(self) -> str:
        """The rest of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[2].strip()

    @functools.cached_property
    def thresholds(self) -> dict[str, tuple[Any, Any]]:
        """Name, annotated type and default of each threshold."""
        hints = typing.get_type_hints(self.function)
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: (hints[p.name], p.default) for p in parameters if p.kind is p.KEYWORD_ONLY}

    @functools.cached_property
    def views(self) -> tuple[type[View], ...]:
        """The views whose resources, or parts of them, it judges; none for a rule about a Region."""
        return tuple(dict.fromkeys(_view_of(s) for s in self.subjects if not issubclass(s, Region)))

    def subject_in(self, view: type[View]) -> type[View] | type[Part]:
        """What it judges of a view: the view itself, or a part."""
        return self._subjects[view]

    @functools.cached_property
    def _subjects(self) -> dict[type[View], type[View] | type[Part]]:
        return {_view_of(s): s for s in self.subjects if not issubclass(s, Region)}

    @functools.cached_property
    def reads(self) -> Reads:
        """What it can touch, with what places its subject in an environment."""
        parts = [subject for subject in self.subjects if issubclass(subject, Part)]
        where = [view.shown_region.fget for view in self.views]  # type: ignore[attr-defined]  # a property
        found = reads_of([self.function, *where], [*self.views, *parts])
        found.fields |= {parts_field(owner_of(part), part) for part in parts}
        placed = [view for view in self.views if view.tagged or view.tag_source]
        if placed:
            found.update(reads_of([placement], placed))
        return found


def _view_of(subject: type[View] | type[Part]) -> type[View]:
    return subject if issubclass(subject, View) else owner_of(subject)


def rule(
    code: str,
    severity: Severity,
    *,
    remedy: str,
    change: Change,
    maps: Iterable[Reference],
    bad: Iterable[Example],
    good: Iterable[Example],
    exempt: Iterable[Example] = (),
    command: str = "",
    question: str = "",
    scope: Scope = Scope.EVERYWHERE,
    confidence: float = 1.0,
) -> Callable[[Callable[..., Verdict]], Rule]:
    """Make a rule of a function; its first argument's type, or union of types, is what it judges.

    `bad`, `good` and `exempt` are examples that the tests execute: they have to fail, to pass, and
    to be not applicable. `confidence` (0–1) is below 1 for signals that are indirect. `question` is
    what a person is asked where no API tells.
    """

    def made(function: Callable[..., Verdict]) -> Rule:
        first = next(iter(inspect.signature(function).parameters.values())).annotation
        return Rule(
            code,
            severity,
            function,
            typing.get_args(first) or (first,),
            Remedy(remedy, command),
            change,
            tuple(maps),
            question,
            scope,
            confidence,
            tuple(bad),
            tuple(good),
            tuple(exempt),
        )

    return made


def owner_of(part: type[Part]) -> type[View]:
    """The view whose documents hold parts of this type. Raises `LookupError` unless there is one."""
    owners = [view for view in _views(View) if any(f.part is part and f.many for f in view.fields().values())]
    if len(owners) != 1:
        raise LookupError(f"{part.__name__} is a list in {len(owners)} views")
    return owners[0]


def parts_field(view: type[View], part: type[Part]) -> Any:
    """The field of a view that lists parts of this type."""
    return next(f for f in view.fields().values() if f.part is part and f.many)


def _views(view: type[View]) -> list[type[View]]:
    return [view, *(found for child in view.__subclasses__() for found in _views(child))]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of the package, sorted by code. Raises `ValueError` on a code that is used twice."""
    found: dict[str, Rule] = {}
    for module in pkgutil.walk_packages(evaluators.__path__, "evaluators."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Rule) and found.setdefault(value.code, value) is not value:
                raise ValueError(f"two rules are called {value.code}")
    return tuple(found[code] for code in sorted(found, key=_by_pillar))


def _by_pillar(code: str) -> tuple[int, str]:
    return list(PREFIXES).index(code.partition("-")[0]), code


def in_scope(scope: Scope, environment: Environment | None) -> str:
    """Why a rule of this scope does not speak of this environment; nothing where it does."""
    if scope is Scope.PRODUCTION and environment not in (None, Environment.PRODUCTION):
        return f"only production counts, this is {environment.value if environment else 'unplaced'}"
    if scope is Scope.NOT_SANDBOX and environment is Environment.SANDBOX:
        return "a sandbox may do this"
    return ""
