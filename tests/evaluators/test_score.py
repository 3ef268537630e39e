"""Scores against their formulas, worked by hand."""

from dataclasses import replace

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from collectors.model import Gap, Reason
from evaluators.engine import Judgement, Subject
from evaluators.environment import Environment, Placement
from evaluators.finding import filled, finding_id, finding_of
from evaluators.rule import Pillar, Rule, Scope, Severity, Status, Verdict, all_rules
from evaluators.score import Scoreboard, finding_score, lowered_severity

RULE = next(rule for rule in all_rules() if rule.code == "SEC-003")  # high, lenient
SUBJECT = Subject("notebook-instance", "", "123456789012", "eu-west-1", "arn:aws:x:eu-west-1:1:n/a", "a")


def judgement(
    status: Status,
    environment: Environment | None = Environment.PRODUCTION,
    rule: Rule = RULE,
    lowered: int = 0,
) -> Judgement:
    verdict = Verdict(status, "why", {"RootAccess": "Enabled"}, lowered, "reason" if lowered else "")
    gap = Gap("sagemaker:X", Reason.DENIED) if status is Status.UNKNOWN else None
    return Judgement(rule, SUBJECT, verdict, Placement(environment, "tag"), gap=gap)


@pytest.mark.parametrize(
    ("severity", "weight", "confidence", "score"),
    [
        (Severity.CRITICAL, 1.0, 1.0, 100),
        (Severity.HIGH, 0.7, 1.0, 52),
        (Severity.MEDIUM, 0.4, 0.7, 14),
        (Severity.INFO, 0.2, 0.4, 0),
    ],
)
def test_a_findings_score(severity: Severity, weight: float, confidence: float, score: int) -> None:
    assert finding_score(severity, weight, confidence) == score


@pytest.mark.parametrize(
    ("scope", "environment", "lowered", "severity"),
    [
        (Scope.EVERYWHERE, Environment.SANDBOX, 0, Severity.HIGH),
        (Scope.LENIENT, Environment.SANDBOX, 0, Severity.LOW),
        (Scope.LENIENT, Environment.DEVELOPMENT, 0, Severity.LOW),
        (Scope.LENIENT, Environment.STAGING, 0, Severity.HIGH),
        (Scope.LENIENT, None, 0, Severity.HIGH),
        (Scope.PRODUCTION, None, 0, Severity.MEDIUM),
        (Scope.PRODUCTION, Environment.PRODUCTION, 0, Severity.HIGH),
        (Scope.EVERYWHERE, Environment.PRODUCTION, 1, Severity.MEDIUM),
        (Scope.EVERYWHERE, Environment.PRODUCTION, 9, Severity.INFO),
    ],
)
def test_what_lowers_a_severity(
    scope: Scope, environment: Environment | None, lowered: int, severity: Severity
) -> None:
    found, reasons = lowered_severity(
        judgement(Status.FAIL, environment, replace(RULE, scope=scope), lowered)
    )
    assert found is severity
    assert bool(reasons) is (found is not RULE.severity)


def board(*judgements: Judgement) -> Scoreboard:
    made = Scoreboard({j.rule for j in judgements})
    for each in judgements:
        made.add(each)
    return made


def test_a_pillars_score_is_an_interval_that_unknown_widens() -> None:
    found = board(
        judgement(Status.PASS), judgement(Status.PASS), judgement(Status.FAIL), judgement(Status.UNKNOWN)
    ).pillar(Pillar.SECURITY)
    assert (found.low, found.high, found.coverage) == (50.0, 75.0, 0.75)
    assert found.verdicts == {"pass": 2, "fail": 1, "unknown": 1}


def test_a_rule_counts_by_its_severity_and_not_by_its_resources() -> None:
    low = replace(RULE, code="SEC-998", severity=Severity.LOW)
    many = [judgement(Status.PASS, rule=low) for _ in range(1000)]
    found = board(judgement(Status.FAIL), *many).pillar(Pillar.SECURITY)
    assert (found.low, found.high) == (25.0, 25.0)


def test_not_applicable_and_accepted_lose_nothing() -> None:
    made = Scoreboard([RULE])
    made.add(judgement(Status.NOT_APPLICABLE))
    assert made.pillar(Pillar.SECURITY).low is None
    made.add(judgement(Status.FAIL), accepted=True)
    assert made.pillar(Pillar.SECURITY).low == 100.0
    assert made.verdicts(RULE) == {"accepted": 1, "not_applicable": 1}


def test_the_whole_is_the_mean_by_the_users_weights() -> None:
    cost = replace(RULE, code="COST-999")
    made = board(judgement(Status.FAIL), judgement(Status.PASS, rule=cost))
    assert made.overall({}).low == 50.0
    assert made.overall({"security": 3.0, "cost": 1.0}).low == 25.0
    assert made.overall({"security": 0.0}).low == 100.0


@hypothesis_given(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=30))
def test_scores_stay_in_bounds_and_in_order(statuses: list[Status]) -> None:
    found = board(*(judgement(status) for status in statuses)).pillar(Pillar.SECURITY)
    if found.low is None or found.high is None or found.coverage is None:
        assert set(statuses) == {Status.NOT_APPLICABLE}
    else:
        assert 0 <= found.low <= found.high <= 100
        assert 0 <= found.coverage <= 1
        assert (found.low == found.high) is (Status.UNKNOWN not in statuses)


def test_identity_is_of_rule_resource_and_part_alone() -> None:
    first = finding_of(judgement(Status.FAIL))
    later = finding_of(
        replace(
            judgement(Status.FAIL, Environment.SANDBOX),
            verdict=Verdict(Status.FAIL, "other words", {"RootAccess": "x"}),
        )
    )
    assert first.id == later.id == finding_id("SEC-003", SUBJECT.arn, "")
    assert first.score != later.score
    assert len({finding_id("A", "b", ""), finding_id("A", "", "b"), finding_id("Ab", "", "")}) == 3


def test_a_command_quotes_hostile_names() -> None:
    subject = replace(SUBJECT, name="x; rm -rf ~ #{arn}")
    assert filled("aws sagemaker stop --name {name}", subject) == (
        "aws sagemaker stop --name 'x; rm -rf ~ #{arn}' --region eu-west-1"
    )
