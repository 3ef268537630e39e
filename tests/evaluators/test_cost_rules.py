"""Rules on cost where an example beside the rule cannot say what was read, or how bad it is."""

from typing import Any

import pytest

from collectors.access_analyzer import Organization
from collectors.iam import Account
from collectors.model import pack
from collectors.sagemaker.endpoint_configs import DESCRIBE, EndpointConfig
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ACCOUNT, NOW, REGION, resources_of, sample, snapshot_of
from collectors.view import moment
from evaluators.engine import judge
from evaluators.rule import Severity, Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}


def test_a_config_that_no_endpoint_uses_has_no_accelerator_that_counts() -> None:
    """Only its summary was read, and its accelerator costs nothing."""
    snapshot = snapshot_of([])
    config = next(r for r in resources_of(sample(EndpointConfig), NOW) if r.kind == EndpointConfig.kind)
    readings: dict[str, Any] = {k: v for k, v in config.readings().items() if k != str(DESCRIBE)}
    snapshot.add(type(config)(config.kind, ACCOUNT, REGION, config.id, config.name, pack(readings)))
    (judgement,) = judge([RULES["COST-035"]], snapshot)
    assert judgement.verdict.status is Status.NOT_APPLICABLE


def test_the_volume_of_a_notebook_that_stays_stopped_is_what_it_costs() -> None:
    old = moment("2026-09-01T06:00:00+00:00")
    stopped = sample(
        NotebookInstance, notebook_instance_status="Stopped", last_modified_time=old, volume_size_in_gb=500
    )
    (judgement,) = judge([RULES["COST-003"]], snapshot_of([stopped]))
    assert [(usage.component, usage.gigabytes) for usage in judgement.verdict.waste] == [
        ("notebook-volume", 500)
    ]


@pytest.mark.parametrize(
    ("status", "severity"), [("Available", Severity.MEDIUM), ("Terminated", Severity.LOW)]
)
def test_a_pool_that_is_billed_now_is_worse(status: str, severity: Severity) -> None:
    job = sample(
        TrainingJob,
        keep_alive_period_in_seconds=1800,
        status=status,
        resource_retained_billable_time_in_seconds=600,
    )
    (judgement,) = judge([RULES["COST-029"]], snapshot_of([job]))
    assert judgement.verdict.status is Status.FAIL
    assert (judgement.verdict.raised or RULES["COST-029"].severity) is severity


def test_a_member_of_an_organisation_does_not_see_the_plans_that_cover_it() -> None:
    runs = [
        sample(TrainingJob, f"churn-{n:03d}", creation_time=NOW, enable_managed_spot_training=True)
        for n in range(10)
    ]
    made = [sample(Account), sample(Organization, "o-1", master_account_id="210987654321"), *runs]
    (judgement,) = judge([RULES["COST-016"]], snapshot_of(made))
    assert judgement.verdict.status is Status.UNKNOWN
