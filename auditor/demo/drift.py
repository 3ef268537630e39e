"""How Model Monitor's schedules of both accounts are written down: definition, runs, and the job of the last one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from auditor.demo.company import ago, arn
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState, Series

_OWNERS = {"eu-west-1": ("468650794304", "131013547314"), "us-east-1": ("156813124566", "205585389593")}
"""AWS's registries of Model Monitor and of Clarify."""

SLUGS = {
    "DataQuality": "data-quality",
    "ModelQuality": "model-quality",
    "ModelBias": "bias",
    "ModelExplainability": "explainability",
}
"""The four types of monitoring, and what the company calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A schedule, what it runs and how that went: `runs` newest first; percentages over all cores.

    `network` is a definition's NetworkConfig, `minutes` how long its last job took.
    """

    endpoint: str
    type: str
    role: str
    bucket: str
    network: Document | None = None
    key: str = ""
    instance: str = "ml.m5.large"
    count: int = 1
    hourly: bool = False
    minutes: float = 8
    cpu: float = 90
    memory: float = 46
    runs: Sequence[str] = ("Completed",)
    reason: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the schedule and of its definition."""
        return f"{self.endpoint}-{SLUGS[self.type]}"


def watch(state: DemoState, region: str, made: Watch) -> None:
    """Add a schedule with all that belongs to it."""
    _definition(state, region, made)
    job = f"model-monitoring-{ago(state, hours=0.5):%Y%m%d%H%M}-{made.name}"[:63]
    step = timedelta(hours=1 if made.hourly else 24)
    document = arn(region, f"processing-job/{job}")
    runs = [
        {
            "MonitoringScheduleName": made.name,
            "ScheduledTime": ago(state, hours=0.6) - number * step,
            "CreationTime": ago(state, hours=0.6) - number * step,
            "LastModifiedTime": ago(state, hours=0.4) - number * step,
            "MonitoringExecutionStatus": status,
            "EndpointName": made.endpoint,
            "MonitoringJobDefinitionName": made.name,
            "MonitoringType": made.type,
            **({"FailureReason": made.reason} if status == "Failed" else {"ProcessingJobArn": document}),
        }
        for number, status in enumerate(made.runs)
    ]
    state.add(
        "MonitoringSchedule",
        region,
        {
            "MonitoringScheduleArn": arn(region, f"monitoring-schedule/{made.name}"),
            "MonitoringScheduleName": made.name,
            "MonitoringScheduleStatus": "Scheduled",
            "MonitoringType": made.type,
            "EndpointName": made.endpoint,
            "CreationTime": ago(state, days=19),
            "LastModifiedTime": ago(state, days=19),
            "MonitoringScheduleConfig": {
                "ScheduleConfig": {
                    "ScheduleExpression": "cron(0 * ? * * *)" if made.hourly else "cron(0 6 ? * * *)"
                },
                "MonitoringJobDefinitionName": made.name,
                "MonitoringType": made.type,
            },
            "LastMonitoringExecutionSummary": runs[0],
        },
        made.tags,
    )
    by_name = {"MonitoringScheduleName": made.name}
    state.answer(
        "sagemaker:ListMonitoringExecutions",
        {"MonitoringExecutionSummaries": runs},
        region=region,
        when=by_name,
    )
    alert = {
        "MonitoringAlertName": f"{made.name}-alert",
        "CreationTime": ago(state, days=19),
        "LastModifiedTime": ago(state, days=19),
        "AlertStatus": "OK",
        "DatapointsToAlert": 1,
        "EvaluationPeriod": 1,
        "Actions": {"ModelDashboardIndicator": {"Enabled": False}},
    }
    state.answer(
        "sagemaker:ListMonitoringAlerts", {"MonitoringAlertSummaries": [alert]}, region=region, when=by_name
    )
    if "ProcessingJobArn" in runs[0]:
        _job(state, region, made, job)


def _image(region: str, type_: str) -> str:
    monitor, clarify = _OWNERS[region]
    if type_ in ("ModelBias", "ModelExplainability"):
        return f"{clarify}.dkr.ecr.{region}.amazonaws.com/sagemaker-clarify-processing:1.0"
    return f"{monitor}.dkr.ecr.{region}.amazonaws.com/sagemaker-model-monitor-analyzer"


def _definition(state: DemoState, region: str, made: Watch) -> None:
    kind, place = made.type, f"s3://{made.bucket}/monitoring/{made.name}"
    application: dict[str, Any] = {"ImageUri": _image(region, kind)}
    if kind in ("ModelBias", "ModelExplainability"):
        application["ConfigUri"] = f"{place}/analysis_config.json"
    if kind == "ModelQuality":
        application["ProblemType"] = "BinaryClassification"
    watched: Document = {
        "EndpointInput": {"EndpointName": made.endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"}
    }
    if kind in ("ModelQuality", "ModelBias"):
        watched["GroundTruthS3Input"] = {"S3Uri": f"{place}/truth"}
    output: Document = {
        "MonitoringOutputs": [
            {"S3Output": {"S3Uri": f"{place}/reports", "LocalPath": "/opt/ml/processing/output"}}
        ]
    }
    cluster = _cluster(made)
    if made.key:
        output["KmsKeyId"] = made.key
    document: Document = {
        "JobDefinitionName": made.name,
        "JobDefinitionArn": arn(region, f"{SLUGS[kind]}-job-definition/{made.name}"),
        "CreationTime": ago(state, days=19),
        f"{kind}BaselineConfig": {"ConstraintsResource": {"S3Uri": f"{place}/constraints.json"}},
        f"{kind}AppSpecification": application,
        f"{kind}JobInput": watched,
        f"{kind}JobOutputConfig": output,
        "JobResources": {"ClusterConfig": cluster},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{made.role}",
        "StoppingCondition": {"MaxRuntimeInSeconds": 3000},
    }
    if made.network is not None:
        document["NetworkConfig"] = made.network
    state.add(f"{kind}JobDefinition", region, document, made.tags)


def _cluster(made: Watch) -> Document:
    held = {"InstanceCount": made.count, "InstanceType": made.instance, "VolumeSizeInGB": 20}
    return {**held, "VolumeKmsKeyId": made.key} if made.key else held


def _job(state: DemoState, region: str, made: Watch, name: str) -> None:
    start = ago(state, hours=0.5)
    end = start + timedelta(minutes=made.minutes)
    document: Document = {
        "ProcessingJobName": name,
        "ProcessingJobArn": arn(region, f"processing-job/{name}"),
        "ProcessingResources": {"ClusterConfig": _cluster(made)},
        "AppSpecification": {"ImageUri": _image(region, made.type)},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{made.role}",
        "StoppingCondition": {"MaxRuntimeInSeconds": 3000},
        "ProcessingJobStatus": "Completed",
        "CreationTime": ago(state, hours=0.6),
        "ProcessingStartTime": start,
        "ProcessingEndTime": end,
        "LastModifiedTime": end,
        "MonitoringScheduleArn": arn(region, f"monitoring-schedule/{made.name}"),
    }
    if made.network is not None:
        document["NetworkConfig"] = made.network
    state.add("ProcessingJob", region, document, made.tags)
    host = {"Host": f"{name}/algo-1"}
    for metric, value in (("CPUUtilization", made.cpu), ("MemoryUtilization", made.memory)):
        series = Series(start, end, 60, ((value * 0.8, 1), (value, 1)))
        state.metric(region, "/aws/sagemaker/ProcessingJobs", metric, host, series)
