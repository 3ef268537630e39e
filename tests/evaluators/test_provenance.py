"""Evidence names the operation that it was read with, also where several fields have one name."""

import pytest

from collectors.s3 import Bucket
from collectors.sagemaker.monitoring_definitions import ModelQualityDefinition
from collectors.sagemaker.monitoring_schedules import MonitoringRuns, MonitoringSchedule
from collectors.sample import NOW, Sample, sample, snapshot_of
from evaluators.engine import judge
from evaluators.rule import Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}
SCHEDULE = sample(
    MonitoringSchedule, "watch", monitoring_type="ModelQuality", monitoring_job_definition_name="watch"
)
VIOLATED = {"monitoring_execution_status": "CompletedWithViolations", "scheduled_time": NOW}

CASES = [
    pytest.param(
        "SEC-024",
        [sample(ModelQualityDefinition, "watch", network_config={}), SCHEDULE],
        {"EnableNetworkIsolation": "sagemaker:DescribeModelQualityJobDefinition"},
        id="its own, not that of another view with the same part",
    ),
    pytest.param(
        "OPS-024",
        [
            sample(
                MonitoringSchedule,
                "watch",
                schedule_expression="cron(0 * ? * * *)",
                last_monitoring_execution_summary=VIOLATED,
            ),
            sample(MonitoringRuns, "watch", monitoring_execution_summaries=[VIOLATED] * 3),
        ],
        {"MonitoringExecutionStatus": "sagemaker:DescribeMonitoringSchedule"},
        id="that of its own part, not of another resource's",
    ),
    pytest.param(
        "COST-031",
        [sample(Bucket, "data", rules=[{"status": "Disabled", "days": 3}])],
        {"Status": "s3:GetBucketLifecycleConfiguration"},
        id="a list is of its parts",
    ),
]


@pytest.mark.parametrize(("code", "samples", "wanted"), CASES)
def test_a_namesake_is_not_taken_for_what_was_read(
    code: str, samples: list[Sample], wanted: dict[str, str]
) -> None:
    found = [j for j in judge([RULES[code]], snapshot_of(samples)) if j.verdict.status is Status.FAIL]
    assert len(found) == 1
    assert {name: found[0].operations[name] for name in wanted} == wanted
