"""Each operation, and each service, refused in turn: every verdict is what it was, or unknown."""

import functools
from collections.abc import Mapping

import pytest
from answers import answers

from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session
from auditor.permissions import operations_for
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.collector import all_collectors
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.answers import Answer
from evaluators.engine import judge
from evaluators.rule import Rule, Status, all_rules

OPERATIONS = sorted({str(op) for op in operations_for(all_rules())})
SERVICES = sorted({operation.partition(":")[0] for operation in OPERATIONS})
Verdicts = Mapping[tuple[str, str, str, str], Status]


ANSWERS = {code: Answer(given.answer, given.owner, given.date) for code, given in answers(NOW.date()).items()}


@functools.cache
def readers() -> Mapping[str, tuple[Rule, ...]]:
    """The rules that each operation matters to: no other's verdict can change with it."""
    found: dict[str, list[Rule]] = {}
    for rule in all_rules():
        for operation in {str(op) for op in operations_for([rule])}:
            found.setdefault(operation, []).append(rule)
    return {operation: tuple(rules) for operation, rules in found.items()}


def verdicts(
    denied: frozenset[str], rules: tuple[Rule, ...], *, search: bool = True
) -> tuple[Verdicts, set[tuple[str, str]]]:
    """The verdicts on the demo account by rule, kind, resource and part, and the listings that are unknown."""
    found: dict[tuple[str, str, str, str], Status] = {}
    unlisted: set[tuple[str, str]] = set()
    settings = Settings(regions=("eu-west-1", "us-east-1"), rate_share=UNPACED, search=search)
    with demo_session(build(NOW, denied=denied)) as session:
        outcome = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"test"))
    for judgement in judge(rules, outcome.snapshot, answers=ANSWERS):
        subject = judgement.subject
        assert judgement.gap is None or not judgement.gap.operation.startswith("rule "), judgement
        if subject.arn:
            found[judgement.rule.code, subject.kind, subject.arn, subject.part] = judgement.verdict.status
        else:
            assert judgement.verdict.status is Status.UNKNOWN
            unlisted.add((judgement.rule.code, subject.kind))
    return found, unlisted


@functools.cache
def whole() -> Verdicts:
    """The verdicts with nothing refused."""
    found, unlisted = verdicts(frozenset(), all_rules())
    assert unlisted == set()
    return found


def compare(denied: frozenset[str], rules: tuple[Rule, ...]) -> None:
    after, unlisted = verdicts(denied, rules)
    codes = {rule.code for rule in rules}
    before = {key: status for key, status in whole().items() if key[0] in codes}
    changed = {
        key: (before.get(key), status)
        for key, status in after.items()
        if status is not Status.UNKNOWN and before.get(key) is not status
    }
    assert changed == {}
    # What is not seen any more is not taken for gone: its rule says that the listing is unknown.
    silent = {key for key in before.keys() - after.keys() if key[:2] not in unlisted}
    parts_unread = {
        key for key in silent if any(k[:3] == key[:3] and s is Status.UNKNOWN for k, s in after.items())
    }
    assert silent - parts_unread == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_refused_changes_no_verdict_but_to_unknown(operation: str) -> None:
    compare(frozenset({operation}), readers()[operation])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refused_changes_no_verdict_but_to_unknown(service: str) -> None:
    mine = [rules for operation, rules in readers().items() if operation.partition(":")[0] == service]
    compare(frozenset({service}), tuple(dict.fromkeys(rule for rules in mine for rule in rules)))


SEARCH_ONLY = {"OPS-008"}
"""What a run is part of stands in Search's records of trial components and nowhere else."""


def test_search_refused_changes_nothing_that_list_and_describe_tell() -> None:
    """They tell the same, tags by the tagging API."""
    by_list, unlisted = verdicts(frozenset(), all_rules(), search=False)
    assert unlisted == set()
    refused, _ = verdicts(frozenset({"sagemaker:Search"}), all_rules())
    for found in (by_list, refused):
        assert found.keys() == whole().keys()
        changed = {key: status for key, status in found.items() if status is not whole()[key]}
        assert {key[0] for key in changed} <= SEARCH_ONLY
        assert set(changed.values()) <= {Status.UNKNOWN}


def test_every_operation_of_every_collector_is_refused_here() -> None:
    """All that the collectors may call, but what they fall back on where Search is refused."""
    fallbacks = {
        str(operation)
        for collector in all_collectors()
        for operation in collector.operations()
        if collector.view.listing[:1] and collector.view.listing[0].name == "Search"
    }
    declared = {str(op) for collector in all_collectors() for op in collector.operations()}
    assert declared - fallbacks <= set(OPERATIONS)
