"""Properties that hold for every rule at once, so that no rule needs tests of its own for them."""

import re
import sys
from types import FrameType
from typing import Any

import msgspec
import pytest

from collectors.model import Gap, Listing, Reason, Snapshot, pack
from collectors.sample import Sample, sample, snapshot_of
from collectors.view import Field, Metric, View
from evaluators.engine import Judgement, judge
from evaluators.rule import PREFIXES, Change, Example, Given, Rule, Scope, Status, all_rules

RULES = all_rules()
CASES = [
    pytest.param(rule, kind, example, id=f"{rule.code}-{kind}-{number}")
    for rule in RULES
    for kind in ("bad", "good", "exempt")
    for number, example in enumerate(getattr(rule, kind))
]


def as_given(rule: Rule, example: Example) -> Given:
    if isinstance(example, Given):
        return example
    if isinstance(example, Sample):
        return Given(example)
    (view,) = rule.views
    return Given(sample(view, **dict(example)))


def snapshot_for(rule: Rule, example: Example) -> tuple[Given, Snapshot]:
    made = as_given(rule, example)
    return made, snapshot_of([made.subject, *made.others], gaps=made.gaps, regions=made.regions)


def judged(rule: Rule, snapshot: Snapshot, made: Given) -> list[Judgement]:
    return list(judge([rule], snapshot, {rule.code: made.thresholds}, answers=made.answers))


def about_subject(rule: Rule, made: Given, judgements: list[Judgement]) -> list[Judgement]:
    """The verdicts on the example's subject; the resources around it may be subjects as well."""
    if not rule.views:
        return [j for j in judgements if j.subject.region == made.subject.region]
    return [
        j
        for j in judgements
        if j.subject.name == made.subject.name and j.subject.kind == made.subject.view.kind
    ]


@pytest.mark.parametrize(("rule", "kind", "example"), CASES)
def test_examples_are_true(rule: Rule, kind: str, example: Example) -> None:
    made, snapshot = snapshot_for(rule, example)
    found = about_subject(rule, made, judged(rule, snapshot, made))
    verdicts = [j.verdict.status for j in found]
    notes = [(j.verdict.status.value, j.verdict.message, dict(j.verdict.evidence)) for j in found]
    match kind:
        case "bad":
            assert Status.FAIL in verdicts, notes
            assert Status.UNKNOWN not in verdicts, notes
        case "good":
            assert Status.PASS in verdicts, notes
            assert set(verdicts) <= {Status.PASS, Status.NOT_APPLICABLE}, notes
        case _:
            assert verdicts, notes
            assert set(verdicts) == {Status.NOT_APPLICABLE}, notes


@pytest.mark.parametrize(("rule", "kind", "example"), [c for c in CASES if c.values[1] != "exempt"])
def test_blind_is_unknown(rule: Rule, kind: str, example: Example) -> None:
    """With every document refused a rule knows nothing, and says so without crashing."""
    made, snapshot = snapshot_for(rule, example)
    blind = Snapshot(snapshot.manifests)
    blind.ends.extend(snapshot.ends)
    for resource in snapshot.resources():
        gap = Gap("test:Refuse", Reason.DENIED, "AccessDenied")
        refused = pack(dict.fromkeys(resource.readings(), gap))
        blind.add(msgspec.structs.replace(resource, documents=refused))
    for kind_, account, region in snapshot.listings:
        blind.close(Listing(kind_, account, region, Gap("test:List", Reason.DENIED, "AccessDenied")))
    found = judged(rule, blind, made)
    assert found
    assert {j.verdict.status for j in found} == {Status.UNKNOWN}
    assert [j.gap for j in found if j.gap is not None and j.gap.operation.startswith("rule ")] == []


@pytest.mark.parametrize(("rule", "kind", "example"), CASES)
def test_each_document_refused_in_turn_changes_no_verdict_but_to_unknown(
    rule: Rule, kind: str, example: Example
) -> None:
    made, snapshot = snapshot_for(rule, example)
    before = {key(j): j.verdict.status for j in judged(rule, snapshot, made)}
    for refused in snapshot.resources():
        for operation in refused.readings():
            readings = dict(refused.readings())
            readings[operation] = Gap(operation, Reason.DENIED, "AccessDenied")
            partly = snapshot_for(rule, example)[1]
            partly.add(msgspec.structs.replace(refused, documents=pack(readings)))
            for judgement in judged(rule, partly, made):
                after = judgement.verdict.status
                assert after in (before.get(key(judgement)), Status.UNKNOWN), (refused.kind, operation)
                assert judgement.gap is None or not judgement.gap.operation.startswith("rule ")


@pytest.mark.parametrize(("rule", "kind", "example"), CASES)
def test_each_listing_refused_in_turn_changes_no_verdict_but_to_unknown(
    rule: Rule, kind: str, example: Example
) -> None:
    """A denied list reads neither as "there are none" nor as "not configured"."""
    made, snapshot = snapshot_for(rule, example)
    before = {key(j): j.verdict.status for j in judged(rule, snapshot, made)}
    for refused in sorted({view.kind for view in rule.reads.views}):
        partly = Snapshot(snapshot.manifests)
        partly.ends.extend(snapshot.ends)
        for resource in snapshot.resources():
            if resource.kind != refused:
                partly.add(resource)
        gap = Gap("test:List", Reason.DENIED, "AccessDenied")
        for kind_, account, region in snapshot.listings:
            partly.close(Listing(kind_, account, region, gap if kind_ == refused else None))
        for judgement in judged(rule, partly, made):
            after = judgement.verdict.status
            assert after in (before.get(key(judgement)), Status.UNKNOWN), refused
            assert judgement.gap is None or not judgement.gap.operation.startswith("rule ")


def key(judgement: Judgement) -> tuple[str, str, str]:
    subject = judgement.subject
    return subject.kind, subject.arn or subject.region, subject.part


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_every_rule_is_documented_named_and_mapped(rule: Rule) -> None:
    package, pillar_package, *_ = rule.function.__module__.split(".")
    assert (package, pillar_package) == ("evaluators", rule.pillar.value)
    assert re.fullmatch(r"(OPS|SEC|REL|PERF|COST)-\d{3}", rule.code)
    assert rule.code.partition("-")[0] in PREFIXES
    assert rule.title.endswith(".")
    assert len(rule.title) <= 90
    assert rule.rationale
    # Named for the weakness: reads after "allow", never "ensure ..." or "... enabled".
    assert not re.search(r"^(ensure|check|no|has|is)-|-(enabled|disabled|ok)$", rule.name)
    assert rule.maps
    for reference in rule.maps:
        assert reference.title
    assert rule.bad
    assert rule.good
    assert 0 < rule.confidence <= 1
    assert isinstance(rule.change, Change)
    assert isinstance(rule.scope, Scope)
    assert rule.remedy.text.endswith(".")
    placeholders = set(re.findall(r"{(\w+)}", rule.remedy.command))
    assert placeholders <= {"name", "arn", "region", "account", "part", "partition"}
    for name, (annotation, default) in rule.thresholds.items():
        assert msgspec.convert(default, annotation, strict=False) == default, name


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_evidence_of_a_failure_names_the_operation_that_it_was_read_with(rule: Rule) -> None:
    for example in rule.bad:
        made, snapshot = snapshot_for(rule, example)
        for judgement in judged(rule, snapshot, made):
            if judgement.verdict.status is Status.FAIL:
                assert judgement.verdict.evidence
                assert set(judgement.operations) <= set(judgement.verdict.evidence)
                assert judgement.operations, judgement.verdict
                assert judgement.verdict.message


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_a_rule_reads_nothing_that_is_not_derived_from_its_code(rule: Rule) -> None:
    """Else its collector might not run, and the IAM policy would lack an action."""
    getters = (Field.__get__.__code__, Metric.__get__.__code__)
    seen: set[Field[Any] | Metric] = set()

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in getters and frame.f_locals["node"] is not None:
            seen.add(frame.f_locals["self"])

    for example in (*rule.bad, *rule.good, *rule.exempt):
        made, snapshot = snapshot_for(rule, example)
        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            judged(rule, snapshot, made)
        finally:
            sys.setprofile(before)
    # SEC-031 alone reads no field: it asks what was found when the documents were redacted.
    assert bool(seen) is (rule.code != "SEC-031")
    assert {item.name for item in seen - rule.reads.fields - rule.reads.metrics} == set()


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_rule_that_crashes_is_unknown_and_the_others_go_on() -> None:
    def crash(view: View) -> None:
        raise ZeroDivisionError

    rule = next(r for r in RULES if r.code == "SEC-003")
    crashing = Rule(
        **{
            **{name: getattr(rule, name) for name in Rule.__dataclass_fields__},
            "code": "SEC-999",
            "function": crash,
        }
    )
    snapshot = snapshot_of([sample(rule.views[0], root_access="Enabled")])
    found = {j.rule.code: j.verdict.status for j in judge([crashing, rule], snapshot)}
    assert found == {"SEC-999": Status.UNKNOWN, "SEC-003": Status.FAIL}
