"""Judge a snapshot: every rule over every subject, one verdict each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from collectors.model import GLOBAL, Gap, Reason, Snapshot, Unread
from collectors.view import Part, Region, View
from evaluators.answers import Answer
from evaluators.environment import Placement, Placing, account_placement, placement
from evaluators.provenance import operations_of
from evaluators.rule import (
    Rule,
    Scope,
    Status,
    Verdict,
    in_scope,
    not_applicable,
    parts_field,
)

Thresholds = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a verdict is about. A listing that could not be read has the kind and no resource."""

    kind: str
    type: str
    account: str
    region: str
    arn: str = ""
    name: str = ""
    part: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule's verdict on one subject, where that subject was placed, and the gap behind an unknown."""

    rule: Rule
    subject: Subject
    verdict: Verdict
    placement: Placement
    operations: Mapping[str, str] = field(default_factory=dict)
    gap: Gap | None = None


def judge(
    rules: Iterable[Rule],
    snapshot: Snapshot,
    thresholds: Thresholds | None = None,
    placing: Placing | None = None,
    excluded: Mapping[str, tuple[str, ...]] | None = None,
    answers: Mapping[str, Answer] | None = None,
) -> Iterator[Judgement]:
    """Judge each resource of a snapshot once by all the rules about it.

    A listing that was not whole gives one *unknown* a rule and Region beside the verdicts on what
    was seen. `thresholds` maps rule codes to the values that differ from the defaults; `excluded`
    maps kinds to globs of names that no rule speaks of; `answers` are people's, by rule code.
    """
    judge_ = _Judge(thresholds or {}, placing or Placing(), excluded or {})
    chosen = list(rules)
    roots: dict[str, Region] = {}
    for account, name in snapshot.places():
        root = roots.setdefault(account, Region(snapshot, account, GLOBAL))
        root.context.update(placing=judge_.placing, answers=answers or {})
        region = root.sibling(name)
        if name != GLOBAL:
            yield from (judge_.region(rule, region) for rule in chosen if not rule.views)
        for view, about in _by_view(chosen).items():
            if view.is_global == (name == GLOBAL):
                yield from judge_.kind(about, view, region)


def judge_resource(
    rules: Iterable[Rule],
    view: View,
    thresholds: Thresholds | None = None,
    placing: Placing | None = None,
    excluded: Mapping[str, tuple[str, ...]] | None = None,
    answers: Mapping[str, Answer] | None = None,
) -> Iterator[Judgement]:
    """Judge one resource, with its parts, by those of the rules that are about its kind."""
    judge_ = _Judge(thresholds or {}, placing or Placing(), excluded or {})
    view.region.context.update(placing=judge_.placing, answers=answers or {})
    yield from judge_.resource(_by_view(list(rules)).get(type(view), []), view)


def _by_view(rules: list[Rule]) -> dict[type[View], list[Rule]]:
    grouped: dict[type[View], list[Rule]] = {}
    for rule in rules:
        for view in rule.views:
            grouped.setdefault(view, []).append(rule)
    return grouped


class _Judge:
    def __init__(
        self, thresholds: Thresholds, placing: Placing, excluded: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.thresholds = thresholds
        self.placing = placing
        self.excluded = excluded
        self.subjects: dict[str, Subject] = {}

    def kind(self, rules: list[Rule], view: type[View], region: Region) -> Iterator[Judgement]:
        """All resources of a kind in one Region."""
        gap = region.snapshot.listing_gap(view.kind, region.account, region.name)
        if gap is not None:
            subject = Subject(view.kind, view.type, region.account, region.name)
            placed = account_placement(region.account, self.placing)
            for rule in rules:
                yield Judgement(rule, subject, _unknown(gap), placed, gap=gap)
        for found in region.known(view):
            yield from self.resource(rules, found)

    def resource(self, rules: list[Rule], view: View) -> Iterator[Judgement]:
        """One resource and its parts. Verdicts share a subject: one resource can fail many rules."""
        self.subjects = {}
        placed = placement(view, self.placing)
        if any(fnmatchcase(view.name, pattern) for pattern in self.excluded.get(view.kind, ())):
            verdict = not_applicable("excluded by the settings")
            yield from (self.said(rule, view, verdict, placed) for rule in rules)
            return
        for rule in rules:
            judged = rule.subject_in(type(view))
            if issubclass(judged, Part):
                try:
                    parts = parts_field(type(view), judged).__get__(view, type(view))
                except Unread as unread:
                    yield self.unread(rule, view, placed, unread.gap)
                    continue
                for part in parts:
                    yield self.one(rule, part, placed)
            else:
                yield self.one(rule, view, placed)

    def region(self, rule: Rule, region: Region) -> Judgement:
        """A rule about a Region as a whole."""
        arn = f"arn:{region.partition}:sagemaker:{region.name}:{region.account}:*"
        subject = Subject("region", "", region.account, region.name, arn, region.name)
        placed = account_placement(region.account, self.placing)
        try:
            verdict = self.apply(rule, region)
        except Unread as unread:
            return Judgement(rule, subject, _unknown(unread.gap), placed, gap=unread.gap)
        return Judgement(rule, subject, verdict, placed, operations_of(rule, region, verdict))

    def one(self, rule: Rule, node: View | Part, placed: Placement) -> Judgement:
        """One rule on one resource or part."""
        view = node.view
        outside = in_scope(rule.scope, placed.environment)
        if outside:
            return self.said(rule, node, not_applicable(outside), placed)
        decides = rule.scope in (Scope.PRODUCTION, Scope.NOT_SANDBOX)
        try:
            verdict = self.apply(rule, node)
        except Unread as unread:
            return self.unread(rule, node, placed, unread.gap)
        if placed.gap is not None and decides and verdict.status is not Status.NOT_APPLICABLE:
            return self.unread(rule, view if node is view else node, placed, placed.gap)
        return self.said(rule, node, verdict, placed)

    def apply(self, rule: Rule, node: View | Part | Region) -> Verdict:
        """Call the rule. A rule that crashes is a gap with its own name, and the run goes on."""
        try:
            return rule.function(node, **self.thresholds.get(rule.code, {}))
        except Unread:
            raise
        except Exception as error:
            # The one place that catches all: a rule's own fault is told as unknown, and costs no other verdict.
            where = node.view.id if not isinstance(node, Region) else node.name
            text = f"{type(error).__name__} in rule {rule.code}"
            raise Unread(Gap(f"rule {rule.code}", Reason.FAILED, text, resource=where)) from error

    def said(self, rule: Rule, node: View | Part, verdict: Verdict, placed: Placement) -> Judgement:
        return Judgement(rule, self.subject(node), verdict, placed, operations_of(rule, node.view, verdict))

    def unread(self, rule: Rule, node: View | Part, placed: Placement, gap: Gap) -> Judgement:
        return Judgement(rule, self.subject(node), _unknown(gap), placed, gap=gap)

    def subject(self, node: View | Part) -> Subject:
        """What a verdict on this node is about, made once for each resource and part."""
        if node.key not in self.subjects:
            self.subjects[node.key] = _subject(node)
        return self.subjects[node.key]


def _unknown(gap: Gap) -> Verdict:
    return Verdict(Status.UNKNOWN, str(gap))


def _subject(node: View | Part) -> Subject:
    view = node.view
    return Subject(
        view.kind,
        view.type,
        view.region.account,
        _region_of(view),
        view.id,
        view.name,
        node.key,
        _tags(view),
    )


def _region_of(view: View) -> str:
    """Where it lives; where that could not be read, where it was listed."""
    try:
        return view.shown_region
    except Unread:
        return view.region.name


def _tags(view: View) -> Mapping[str, str]:
    try:
        return view.tags
    except Unread:
        return {}
