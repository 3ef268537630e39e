"""An account that is built as it should be yields nothing: every finding here would be a false one."""

import pytest

from auditor.commands import UNPACED
from auditor.demo.account import demo_session, exemplary
from auditor.report import Report, make_report
from auditor.scan import Scan, run_scan
from auditor.settings import Attestation, Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

ANSWERS = {
    rule.code: Attestation("as asked: alder.example/ml/handbook", "ml-platform@alder.example", NOW.date())
    for rule in all_rules()
    if rule.question
}
SETTINGS = Settings(rate_share=UNPACED, attestations=ANSWERS, cost_explorer=True)


@pytest.fixture(scope="module")
def report() -> Report:
    with demo_session(exemplary(NOW)) as session:
        scan = Scan(all_rules(), SETTINGS, {}, now=NOW, salt=b"test")
        outcome = run_scan(Sessions(session), scan)
    return make_report(outcome.snapshot, all_rules(), SETTINGS, {})


def test_nothing_is_found(report: Report) -> None:
    assert [(f.rule.code, f.subject.name, f.why) for f in report.findings] == []


def test_everything_is_known(report: Report) -> None:
    assert [(f.rule.code, f.subject.name, f.why) for f in report.unknown] == []
    assert report.complete
    assert report.overall.low == report.overall.high == 100


def test_it_holds_every_kind_of_endpoint(report: Report) -> None:
    counted = {rule.code: dict(verdicts) for rule, verdicts in report.rules}
    # Real-time, serverless, asynchronous, multi-model and by component.
    assert report.run.resources["endpoint"] == 5
    assert report.run.resources["inference-component"] == 1
    assert counted["REL-001"]["pass"] >= 2


def test_it_holds_what_a_team_works_with(report: Report) -> None:
    kinds = {
        *("domain", "user-profile", "space", "app", "notebook-instance", "pipeline"),
        *("training-job", "tuning-job", "processing-job", "transform-job", "labeling-job", "feature-group"),
        *("monitoring-schedule", "cluster", "inference-experiment", "model-card", "model-package"),
    }
    assert {kind for kind in kinds if not report.run.resources.get(kind)} == set()


def test_most_rules_have_something_to_pass(report: Report) -> None:
    idle = {rule.code for rule, verdicts in report.rules if not verdicts.get("pass")}
    assert len(idle) <= len(report.rules) / 6, sorted(idle)
