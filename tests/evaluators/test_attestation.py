"""People's answers: what counts as one, for how long, and that silence is never a pass."""

from datetime import date

import pytest

from collectors.iam import Account
from collectors.model import Reason
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import NOW, sample, snapshot_of
from evaluators.answers import Answer, said
from evaluators.engine import judge
from evaluators.rule import Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}
ASKED = [rule for rule in RULES.values() if rule.question]


@pytest.mark.parametrize(
    ("answer", "on", "expected"),
    [
        ("RTO 4 h, rebuilt in eu-central-1, tested 2026-09-12", "2026-10-01", Status.PASS),
        (False, "2026-10-01", Status.FAIL),
        ("no", "2026-10-01", Status.FAIL),
        ("n/a: nothing that would be missed", "2026-10-01", Status.NOT_APPLICABLE),
        # The answer has to name the plan: a bare yes does not.
        (True, "2026-10-01", Status.UNKNOWN),
        ("yes", "2026-10-01", Status.UNKNOWN),
        # Too old to count, to the day.
        ("RTO 4 h", "2025-11-20", Status.PASS),
        ("RTO 4 h", "2025-11-19", Status.UNKNOWN),
        (False, "2024-01-01", Status.UNKNOWN),
        (None, "", Status.UNKNOWN),
    ],
)
def test_an_answer_is_judged(answer: bool | str | None, on: str, expected: Status) -> None:
    snapshot = snapshot_of([sample(Account), sample(Endpoint, "churn")])
    answers = {} if answer is None else said("REL-024", answer, on)
    (found,) = judge([RULES["REL-024"]], snapshot, answers=answers)
    assert found.verdict.status is expected
    if expected is Status.UNKNOWN:
        assert found.gap is not None
        assert found.gap.reason is Reason.UNANSWERED
        assert found.gap.reason.is_expected


def test_every_question_is_a_question_with_an_age() -> None:
    assert len(ASKED) >= 9
    for rule in ASKED:
        assert "?" in rule.question
        assert rule.thresholds["max_age_days"][1] == 365


def test_the_clock_of_an_answer_is_the_snapshots() -> None:
    answer = Answer("RTO 4 h", "ops@example.com", NOW.date())
    assert answer.date == date(2026, 11, 20)
    assert not answer.denies
    assert not answer.exempts
