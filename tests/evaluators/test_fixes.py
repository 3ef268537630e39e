"""Fixes group findings by one change; trade-offs are told once; the ledger knows every practice."""

from dataclasses import replace

import pytest

from collectors.sample import ACCOUNT, REGION
from evaluators.controls import lens_ids
from evaluators.coverage import Observed, Source, ledger, observed, practices
from evaluators.engine import Judgement, Subject
from evaluators.environment import Environment, Placement
from evaluators.finding import Finding, finding_of
from evaluators.fixes import next_fixes
from evaluators.rule import Change, all_rules, failed, passed
from evaluators.score import Scoreboard
from evaluators.tradeoffs import TRADE_OFFS, settled

RULES = {rule.code: rule for rule in all_rules()}
PRODUCTION = Placement(Environment.PRODUCTION, "tag")


def judged(code: str, kind: str, name: str, part: str = "") -> Judgement:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
    return Judgement(
        RULES[code], Subject(kind, "", ACCOUNT, REGION, arn, name, part), failed("bad"), PRODUCTION
    )


def found(code: str, kind: str, name: str, part: str = "") -> Finding:
    return finding_of(judged(code, kind, name, part))


def test_one_change_mends_all_that_it_touches() -> None:
    fixes = next_fixes(
        [
            found("SEC-013", "training-job", "churn-2026-11-18-06-00-00-000"),
            found("SEC-012", "training-job", "churn-2026-11-19-06-00-00-000"),
            found("SEC-013", "training-job", "fraud-2026-11-18-06-00-00-000"),
            found("SEC-003", "notebook-instance", "lab"),
            found("SEC-005", "notebook-instance", "lab"),
            found("OPS-031", "notebook-instance", "lab"),
        ],
        dict.fromkeys(RULES.values(), 1.0),
    )
    assert {(fix.kind, fix.target, fix.change): fix.codes for fix in fixes} == {
        ("launcher", "training-jobs churn", Change.NEXT_RUN): ("SEC-012", "SEC-013"),
        ("launcher", "training-jobs fraud", Change.NEXT_RUN): ("SEC-013",),
        ("notebook-instance", "lab", Change.RESTART): ("SEC-003", "SEC-005"),
        ("notebook-instance", "lab", Change.IN_PLACE): ("OPS-031",),
    }
    assert [fix.gain for fix in fixes] == sorted((fix.gain for fix in fixes), reverse=True)


def test_what_lies_in_a_domain_is_mended_there() -> None:
    space = "arn:aws:sagemaker:eu-west-1:123456789012:space/d-abc/team"
    subject = Subject("space", "", ACCOUNT, REGION, space, "team")
    (fix,) = next_fixes([finding_of(Judgement(RULES["OPS-031"], subject, failed("bad"), PRODUCTION))], {})
    assert (fix.kind, fix.target) == ("domain", "d-abc")


def test_the_gains_of_all_fixes_are_what_the_score_lacks() -> None:
    judgements = [
        judged("SEC-003", "notebook-instance", "a"),
        judged("SEC-003", "notebook-instance", "b"),
        judged("OPS-031", "notebook-instance", "a"),
        judged("COST-001", "endpoint", "c"),
        judged("COST-002", "notebook-instance", "a"),
    ]
    passing = [replace(judged("SEC-003", "notebook-instance", "ok"), verdict=passed())]
    board = Scoreboard(RULES.values())
    for judgement in (*judgements, *passing):
        board.add(judgement)
    weights = {"security": 2.0}
    fixes = next_fixes([finding_of(j) for j in judgements], board.worth(weights))
    assert board.overall(weights).high == pytest.approx(100 - sum(fix.gain for fix in fixes), abs=0.1)


def test_two_rules_that_pull_against_each_other_give_one_finding() -> None:
    two = found("REL-001", "endpoint", "churn", "main")
    small = found("PERF-002", "endpoint", "churn", "main")
    elsewhere = found("PERF-002", "endpoint", "fraud", "main")
    other_part = found("PERF-002", "endpoint", "churn", "shadow")
    shown = settled([two, small, elsewhere, other_part])
    assert [f.id for f in shown] == [two.id, elsewhere.id, other_part.id]
    (note,) = shown[0].opposed
    assert (note.code, note.id) == ("PERF-002", small.id)
    assert note.weigh
    assert [f.opposed for f in shown[1:]] == [(), ()]


@pytest.mark.parametrize(
    ("one", "other", "kind", "part"),
    [
        ("REL-002", "COST-011", "endpoint", ""),
        ("REL-011", "COST-011", "endpoint", "main"),
        ("REL-014", "COST-009", "inference-component", ""),
        ("PERF-002", "COST-010", "endpoint", "main"),
        ("PERF-002", "COST-011", "endpoint", "main"),
        ("PERF-002", "COST-012", "endpoint", "main"),
        ("PERF-003", "COST-011", "endpoint", "main"),
        ("PERF-004", "COST-010", "endpoint", "main"),
        *((perf, f"COST-0{n}", "endpoint", "") for perf in ("PERF-012", "PERF-014") for n in (10, 11, 12)),
        ("PERF-012", "COST-001", "endpoint", ""),
        ("PERF-014", "COST-001", "endpoint", "main"),
    ],
)
def test_a_variant_s_finding_and_its_endpoint_s_become_one(
    one: str, other: str, kind: str, part: str
) -> None:
    findings = [found(one, kind, "churn", part), found(other, kind, "churn")]
    (shown,) = settled(findings)
    assert {shown.rule.code, *(note.code for note in shown.opposed)} == {one, other}


def test_an_old_gpu_that_is_hardly_used_is_told_once() -> None:
    findings = [found(code, "endpoint", "churn", "main") for code in ("PERF-003", "PERF-013")]
    (shown,) = settled(findings)
    assert [note.code for note in shown.opposed] == ["PERF-013"]


def test_what_is_told_of_the_account_stands_beside_each_resource_that_it_pulls_against() -> None:
    """Spot against a Savings Plan: the plan is the account's, the jobs are many."""
    jobs = [found("COST-014", "training-job", name) for name in ("churn-1", "fraud-1")]
    plan = found("COST-016", "account", ACCOUNT)
    shown = settled([*jobs, plan])
    assert [f.id for f in shown] == [jobs[0].id, jobs[1].id, plan.id]
    assert [[note.id for note in f.opposed] for f in shown] == [[plan.id], [plan.id], []]


def test_trade_offs_are_between_rules_that_there_are() -> None:
    assert {code for trade_off in TRADE_OFFS for code in trade_off.codes} <= set(RULES)
    assert len({trade_off.codes for trade_off in TRADE_OFFS}) == len(TRADE_OFFS)
    assert all(len(trade_off.codes) == 2 for trade_off in TRADE_OFFS)


def test_every_practice_has_its_rules() -> None:
    held = practices(RULES.values())
    guide = [practice for practice in held if practice.source is Source.GUIDE]
    of_lens = [practice for practice in held if practice.source is Source.ML_LENS]
    assert len(guide) == 120
    assert [practice.id for practice in of_lens] == lens_ids()
    assert len(of_lens) == 105
    assert [practice.id for practice in guide if not practice.rules] == []
    assert {code for practice in guide for code in practice.rules} <= set(RULES)
    # A rule that observes no practice, of the guide or of the lens, would be here for its own sake.
    assert set(RULES) - {code for practice in held for code in practice.rules} == set()


def test_the_ledger_tells_observed_from_asked_and_gives_the_worst_verdict() -> None:
    by_id = {p.id: p for p in practices(RULES.values())}
    assert observed(by_id["P101"], RULES) is Observed.OBSERVED
    assert observed(by_id["P138"], RULES) is Observed.ASKED
    assert observed(by_id["MLSUS01-BP01"], RULES) is Observed.NOT_OBSERVABLE
    verdicts = {
        "OPS-001": {"pass": 3, "fail": 1},
        "OPS-029": {"unknown": 1},
        "SEC-003": {"not_applicable": 2},
    }
    entries = {e.practice.id: e for e in ledger(RULES.values(), verdicts)}
    assert (entries["P101"].result, entries["P101"].failing) == ("fail", ("OPS-001",))
    assert (entries["P138"].result, entries["P138"].failing) == ("unknown", ())
    assert entries["P213"].result == "not_applicable"
    assert entries["P232"].result == ""
