"""Monitoring schedules: whole from their endpoint's record, described where no record holds them."""

from typing import Any

from readers import reader_of

from auditor.demo.state import DemoState
from collectors.model import Gap, Snapshot
from collectors.reads import Reads
from collectors.sagemaker.monitoring_schedules import MonitoringSchedule, monitoring_schedules
from collectors.sample import ACCOUNT, NOW, REGION, snapshot_of
from collectors.view import Region

READS = Reads(views={MonitoringSchedule}, fields={MonitoringSchedule.monitoring_inputs})
DESCRIBE = "sagemaker:DescribeMonitoringSchedule"


def add_schedule(state: DemoState, name: str) -> None:
    """One that watches captured batch predictions: no endpoint's record has it."""
    captured = {"DataCapturedDestinationS3Uri": "s3://churn/captured/", "LocalPath": "/opt/ml/input"}
    definition: dict[str, Any] = {
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
    }
    document = {
        "MonitoringScheduleArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:monitoring-schedule/{name}",
        "MonitoringScheduleName": name,
        "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": "DataQuality",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": "cron(0 6 ? * * *)"},
            "MonitoringJobDefinition": definition,
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
