"""Monitoring schedules: whole from their endpoint's record, described where no record holds them."""

from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of, reader_over

from auditor.demo.drift import Watch, watch
from auditor.demo.state import DemoState
from collectors.cloudwatch import MetricAlarm
from collectors.collector import Collector
from collectors.model import GLOBAL, Gap, Snapshot, Unread
from collectors.reads import Reads
from collectors.sagemaker.endpoints import Endpoint, endpoints
from collectors.sagemaker.monitoring_definitions import DataQualityDefinition, data_quality_definitions
from collectors.sagemaker.monitoring_schedules import (
    MonitoringAlerts,
    MonitoringRuns,
    MonitoringSchedule,
    monitoring_alerts,
    monitoring_runs,
    monitoring_schedules,
)
from collectors.sample import ACCOUNT, NOW, REGION, sample, snapshot_of
from collectors.view import Region

READS = Reads(views={MonitoringSchedule}, fields={MonitoringSchedule.monitoring_inputs})
DESCRIBE = "sagemaker:DescribeMonitoringSchedule"


def definition(**more: Any) -> dict[str, Any]:
    """What a schedule runs where it names no definition."""
    captured = {"DataCapturedDestinationS3Uri": "s3://churn/captured/", "LocalPath": "/opt/ml/input"}
    return {
        "MonitoringInputs": [
            {"BatchTransformInput": {**captured, "DatasetFormat": {"Csv": {"Header": True}}}},
        ],
        "MonitoringOutputConfig": {
            "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://churn/drift/", "LocalPath": "/opt/ml/output"}}]
        },
        "MonitoringResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        "MonitoringAppSpecification": {"ImageUri": "i"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/monitor",
        **more,
    }


def add_schedule(state: DemoState, name: str) -> None:
    """One that watches captured batch predictions: no endpoint's record has it."""
    document = {
        "MonitoringScheduleArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:monitoring-schedule/{name}",
        "MonitoringScheduleName": name,
        "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": "DataQuality",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": "cron(0 6 ? * * *)"},
            "MonitoringJobDefinition": definition(),
            "MonitoringType": "DataQuality",
        },
    }
    state.add("MonitoringSchedule", REGION, document)


def collected(state: DemoState, reads: Reads = READS) -> Snapshot:
    snapshot = snapshot_of([])
    for resource in monitoring_schedules.function(reader_of(monitoring_schedules, state, reads=reads)):
        snapshot.add(resource)
    return snapshot


def test_a_schedule_of_batch_predictions_is_described() -> None:
    state = DemoState(NOW)
    add_schedule(state, "churn-batch")
    (schedule,) = Region(collected(state), ACCOUNT, REGION).all(MonitoringSchedule)
    (watched,) = schedule.monitoring_inputs
    assert watched.batch_transform_input is not None
    assert watched.batch_transform_input.data_captured_destination_s3_uri == "s3://churn/captured/"
    assert dict(state.calls) == {"sagemaker:ListMonitoringSchedules": 1, DESCRIBE: 1}


def test_what_is_in_the_list_is_not_asked_for_again() -> None:
    state = DemoState(NOW)
    add_schedule(state, "churn-batch")
    collected(state, Reads(views={MonitoringSchedule}, fields={MonitoringSchedule.endpoint_name}))
    assert dict(state.calls) == {"sagemaker:ListMonitoringSchedules": 1}


def test_a_denied_description_is_a_gap() -> None:
    state = DemoState(NOW, denied=(DESCRIBE,))
    add_schedule(state, "churn-batch")
    (found,) = collected(state).resources()
    assert isinstance(found.readings()[DESCRIBE], Gap)


WATCHED = {
    "role": "monitor",
    "bucket": "churn",
    "type": "DataQuality",
}


def demo(*runs: str, state: DemoState | None = None, endpoint: str = "churn", **values: Any) -> DemoState:
    """An endpoint that a schedule watches, with a definition of its own and these runs, newest first."""
    made = state or DemoState(NOW)
    config = {"EndpointConfigName": f"{endpoint}-1", "EndpointStatus": "InService", "CreationTime": NOW}
    document = {
        "EndpointName": endpoint,
        "EndpointArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{endpoint}",
        "LastModifiedTime": NOW,
        **config,
    }
    made.add("Endpoint", REGION, document)
    watch(made, REGION, Watch(endpoint=endpoint, runs=runs or ("Completed",), **WATCHED, **values))
    return made


def run(state: DemoState, *collectors: Collector, reads: Reads) -> Region:
    """What these collectors read one after the other."""
    snapshot = snapshot_of([])
    for collector in collectors:
        for resource in collector.function(reader_over(collector, state, snapshot, reads=reads)):
            snapshot.add(resource)
    return Region(snapshot, ACCOUNT, GLOBAL).sibling(REGION)


WHOLE = Reads(
    views={Endpoint, MonitoringSchedule}, fields={MonitoringSchedule.last_monitoring_execution_summary}
)


def test_an_endpoints_schedule_comes_whole_with_its_record() -> None:
    state = demo()
    place = run(state, endpoints, monitoring_schedules, reads=WHOLE)
    (schedule,) = place.all(MonitoringSchedule)
    assert schedule.last_monitoring_execution_summary is not None
    assert schedule.interval == timedelta(days=1)
    assert dict(state.calls) == {"sagemaker:Search": 1, "sagemaker:ListMonitoringSchedules": 1}


def test_without_search_each_schedule_is_described() -> None:
    state = demo()
    state.denied.add("sagemaker:Search")
    place = run(state, endpoints, monitoring_schedules, reads=WHOLE)
    (schedule,) = place.all(MonitoringSchedule)
    assert schedule.last_monitoring_execution_summary is not None
    assert state.calls[DESCRIBE] == 1


def test_only_definitions_that_a_schedule_runs_are_described() -> None:
    state = demo()
    (document,) = state.documents("DataQualityJobDefinition", REGION)
    other = {**document, "JobDefinitionName": "left-over"}
    other["JobDefinitionArn"] = other["JobDefinitionArn"].replace("churn-data-quality", "left-over")
    state.add("DataQualityJobDefinition", REGION, other)
    reads = Reads(views={DataQualityDefinition}, fields={DataQualityDefinition.network_config})
    place = run(state, monitoring_schedules, data_quality_definitions, reads=reads)
    assert {found.name for found in place.all(DataQualityDefinition)} == {"churn-data-quality", "left-over"}
    assert state.calls["sagemaker:DescribeDataQualityJobDefinition"] == 1


RUNS = Reads(
    views={Endpoint, MonitoringSchedule, MonitoringRuns},
    fields={
        MonitoringSchedule.last_monitoring_execution_summary,
        MonitoringRuns.monitoring_execution_summaries,
        MonitoringRuns.instance_type,
    },
)


@pytest.mark.parametrize(
    ("runs", "listed", "described"),
    [
        pytest.param(("Completed",), 0, 1, id="the last was clean"),
        pytest.param(("CompletedWithViolations", "Completed"), 1, 1, id="it found something"),
        pytest.param(("Failed", "Failed"), 1, 0, id="none had a job"),
    ],
)
def test_runs_are_listed_where_the_last_was_not_clean(
    runs: tuple[str, ...], listed: int, described: int
) -> None:
    state = demo(*runs, reason="no data")
    place = run(state, endpoints, monitoring_schedules, monitoring_runs, reads=RUNS)
    (found,) = place.all(MonitoringRuns)
    assert found.has_job is bool(described)
    assert state.calls["sagemaker:ListMonitoringExecutions"] == listed
    assert state.calls["sagemaker:DescribeProcessingJob"] == described


def test_runs_that_were_refused_are_not_none() -> None:
    state = demo("Failed", reason="no data")
    state.denied.add("sagemaker:ListMonitoringExecutions")
    place = run(state, endpoints, monitoring_schedules, monitoring_runs, reads=RUNS)
    (found,) = place.all(MonitoringRuns)
    with pytest.raises(Unread):
        _ = found.has_job


def test_alerts_are_read_where_no_alarm_names_the_schedule() -> None:
    state = demo()
    demo(state=state, endpoint="fraud")
    alarm = sample(
        MetricAlarm,
        "drift",
        namespace="aws/sagemaker/Endpoints/data-metrics",
        dimensions=[
            {"name": "Endpoint", "value": "churn"},
            {"name": "MonitoringSchedule", "value": "churn-data-quality"},
        ],
    )
    snapshot = snapshot_of([alarm])
    reads = Reads(views={MonitoringAlerts}, fields={MonitoringAlerts.monitoring_alert_summaries})
    for collector in (monitoring_schedules, monitoring_alerts):
        for resource in collector.function(reader_over(collector, state, snapshot, reads=reads)):
            snapshot.add(resource)
    found = [view.name for view in Region(snapshot, ACCOUNT, GLOBAL).sibling(REGION).all(MonitoringAlerts)]
    assert found == ["fraud-data-quality"]
    assert state.calls["sagemaker:ListMonitoringAlerts"] == 1


@pytest.mark.parametrize("search", [True, False], ids=["in the endpoint's record", "described"])
def test_secrets_of_a_schedule_end_at_the_door(search: bool) -> None:
    state = demo()
    (document,) = state.documents("MonitoringSchedule", REGION)
    secret = "9fK2" + "wQ7xLm4T" + "vZ8rBn3Y"
    document["MonitoringScheduleConfig"]["MonitoringJobDefinition"] = definition(
        Environment={"WANDB_API_KEY": secret},
        MonitoringAppSpecification={"ImageUri": "i", "ContainerArguments": ["--api-token", secret]},
    )
    if not search:
        state.denied.add("sagemaker:Search")
    place = run(state, endpoints, monitoring_schedules, reads=WHOLE)
    texts = [str(resource.readings()) for resource in place.snapshot.resources()]
    assert any("MonitoringScheduleConfig" in text for text in texts)
    assert [text for text in texts if secret in text] == []
