"""Model Monitor: the schedules that look for drift, and what came of their runs."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collectors.cloudwatch import MetricAlarm
from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.endpoints import MONITORED, Endpoint
from collectors.sagemaker.processing_jobs import DESCRIBE as DESCRIBE_JOB
from collectors.view import PART, Part, View, items, metric, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListMonitoringSchedules", result="MonitoringScheduleSummaries[]")
_INLINE = "MonitoringScheduleConfig.MonitoringJobDefinition"
DESCRIBE = Operation(
    "sagemaker",
    "DescribeMonitoringSchedule",
    secrets=(
        f"{_INLINE}.Environment",
        f"{_INLINE}.MonitoringAppSpecification.ContainerArguments[]",
        f"{_INLINE}.MonitoringAppSpecification.ContainerEntrypoint[]",
    ),
)
SOURCE = (DESCRIBE, MONITORED)
EXECUTIONS = Operation(
    "sagemaker",
    "ListMonitoringExecutions",
    parameters=(("SortBy", "ScheduledTime"), ("SortOrder", "Descending"), ("MaxResults", 20)),
)
ALERTS = Operation("sagemaker", "ListMonitoringAlerts")

DELAY = timedelta(minutes=20)
"""How long after its time AWS may start a run."""

_HOURS = re.compile(r"cron\(\s*\S+\s+(?P<hours>\S+)\s+\S+\s+\S+\s+\S+(\s+\S+)?\s*\)")
_KINDS = (
    ("model-quality", "ModelQuality"),
    ("explainability", "ModelExplainability"),
    ("bias", "ModelBias"),
)
_FINISHED = frozenset({"Completed", "CompletedWithViolations"})


class BatchInput(Part):
    """Captured batch predictions that are watched in place of an endpoint's."""

    data_captured_destination_s3_uri = optional(PART, "DataCapturedDestinationS3Uri", str)


class MonitoringNetwork(Part):
    """Where monitoring jobs run, and what they may reach."""

    enable_network_isolation = optional(PART, "EnableNetworkIsolation", bool)
    enable_inter_container_traffic_encryption = optional(PART, "EnableInterContainerTrafficEncryption", bool)


class MonitoringCluster(Part):
    """The machines of a monitoring job."""

    instance_count = required(PART, "InstanceCount", int, 1)


class Baseline(Part):
    """What the captured data are compared with."""

    s3_uri = optional(PART, "ConstraintsResource.S3Uri", str)
    baselining_job_name = optional(PART, "BaseliningJobName", str)


class MonitoringInput(Part):
    """What an inline definition watches."""

    endpoint_name = optional(PART, "EndpointInput.EndpointName", str)
    batch_transform_input = part(PART, "BatchTransformInput", BatchInput)


class LastExecution(Part):
    """The newest run of a schedule."""

    scheduled_time = required(PART, "ScheduledTime", datetime, datetime.fromisoformat("2026-11-19T05:00:00Z"))
    monitoring_execution_status = required(PART, "MonitoringExecutionStatus", str, "Completed")
    failure_reason = optional(PART, "FailureReason", str)
    processing_job_arn = optional(PART, "ProcessingJobArn", str)


class MonitoringSchedule(
    View,
    kind="monitoring-schedule",
    type="AWS::SageMaker::MonitoringSchedule",
    listing=(LIST,),
    name="MonitoringScheduleName",
    arn="MonitoringScheduleArn",
    tagged=True,
):
    """A schedule of monitoring jobs, with a definition of its own (old ones) or the name of one."""

    monitoring_schedule_status = required(LIST, "MonitoringScheduleStatus", str, "Scheduled")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    endpoint_name = optional(LIST, "EndpointName", str)
    monitoring_job_definition_name = optional(LIST, "MonitoringJobDefinitionName", str)
    monitoring_type = optional(LIST, "MonitoringType", str)
    schedule_expression = optional(SOURCE, "MonitoringScheduleConfig.ScheduleConfig.ScheduleExpression", str)
    failure_reason = optional(SOURCE, "FailureReason", str)
    last_monitoring_execution_summary = part(SOURCE, "LastMonitoringExecutionSummary", LastExecution)
    monitoring_inputs = items(SOURCE, f"{_INLINE}.MonitoringInputs[]", MonitoringInput)
    baseline_config = part(SOURCE, f"{_INLINE}.BaselineConfig", Baseline)
    environment = optional(SOURCE, f"{_INLINE}.Environment", dict)
    network_config = part(SOURCE, f"{_INLINE}.NetworkConfig", MonitoringNetwork)
    cluster_config = part(SOURCE, f"{_INLINE}.MonitoringResources.ClusterConfig", MonitoringCluster)

    @property
    def baseline(self) -> Baseline | None:
        """What the data are compared with, where the schedule has a definition of its own."""
        return self.baseline_config

    @property
    def watches(self) -> str:
        """What it looks at: `DataQuality`, `ModelQuality`, `ModelBias` or `ModelExplainability`.

        Old schedules do not say; then what they are called and run tells, and data quality is what is left.
        """
        if self.monitoring_type:
            return self.monitoring_type
        texts = (str((self.environment or {}).get("analysis_type", "")), self.name)
        for text in texts:
            for word, kind in _KINDS:
                if word in text.lower().replace("_", "-"):
                    return kind
        return "DataQuality"

    @property
    def is_active(self) -> bool:
        """Whether runs are started."""
        return self.monitoring_schedule_status == "Scheduled"

    @property
    def runs_once(self) -> bool:
        """Whether it was for one run only."""
        return (self.schedule_expression or "").strip().upper() == "NOW"

    @property
    def interval(self) -> timedelta | None:
        """The time between two runs; `None` for one run only, or an expression that says something else."""
        return interval_of(self.schedule_expression or "")


def interval_of(expression: str) -> timedelta | None:
    """The time between two runs of a schedule: hourly, every few hours or daily is all that AWS offers."""
    found = _HOURS.fullmatch(expression.strip())
    if found is None:
        return None
    hours = found["hours"]
    if hours == "*":
        return timedelta(hours=1)
    first, _, step = hours.partition("/")
    if step:
        return timedelta(hours=int(step)) if step.isdigit() and int(step) else None
    return timedelta(days=1) if first.isdigit() else None


class Execution(Part):
    """One run of a schedule."""

    key_path = "ScheduledTime"

    scheduled_time = required(PART, "ScheduledTime", datetime, datetime.fromisoformat("2026-11-19T05:00:00Z"))
    monitoring_execution_status = required(PART, "MonitoringExecutionStatus", str, "Completed")
    failure_reason = optional(PART, "FailureReason", str)


class MonitoringRuns(
    View, kind="monitoring-runs", listing=(LIST,), name="MonitoringScheduleName", arn="MonitoringScheduleArn"
):
    """The newest runs of an active schedule, and the job of the last one that finished, else of the newest."""

    monitoring_execution_summaries = items(EXECUTIONS, "MonitoringExecutionSummaries[]", Execution)
    processing_start_time = optional(DESCRIBE_JOB, "ProcessingStartTime", datetime)
    processing_end_time = optional(DESCRIBE_JOB, "ProcessingEndTime", datetime)
    processing_job_name = optional(DESCRIBE_JOB, "ProcessingJobName", str)
    processing_job_status = optional(DESCRIBE_JOB, "ProcessingJobStatus", str)
    instance_type = optional(DESCRIBE_JOB, "ProcessingResources.ClusterConfig.InstanceType", str)
    instance_count = optional(DESCRIBE_JOB, "ProcessingResources.ClusterConfig.InstanceCount", int)
    max_runtime_in_seconds = optional(DESCRIBE_JOB, "StoppingCondition.MaxRuntimeInSeconds", int)

    cpu_utilization = metric(
        "/aws/sagemaker/ProcessingJobs", "CPUUtilization", "Maximum", dimensions=("Host",), period=300
    )
    memory_utilization = metric(
        "/aws/sagemaker/ProcessingJobs", "MemoryUtilization", "Maximum", dimensions=("Host",), period=300
    )

    @property
    def has_job(self) -> bool:
        """Whether a run with a job was found. Raises `Unread` where the runs could not be listed."""
        if not self._described and str(EXECUTIONS) in self.readings:
            _ = self.monitoring_execution_summaries
        return self._described

    @property
    def _described(self) -> bool:
        return str(DESCRIBE_JOB) in self.readings

    def metric_dimensions(self) -> tuple[dict[str, str], ...]:
        """Those of the job's first instance: AWS spreads the data over all of them."""
        if not self._described or not self.processing_job_name:
            return ()
        return ({"Host": f"{self.processing_job_name}/algo-1"},)

    def metric_window(self) -> tuple[datetime, datetime] | None:
        if not self._described or self.processing_start_time is None or self.processing_end_time is None:
            return None
        return self.processing_start_time, self.processing_end_time


class Alert(Part):
    """An alert of the model dashboard: it colours the dashboard and tells nobody."""

    key_path = "MonitoringAlertName"

    enabled = optional(PART, "Actions.ModelDashboardIndicator.Enabled", bool)


class MonitoringAlerts(
    View,
    kind="monitoring-alerts",
    listing=(LIST,),
    name="MonitoringScheduleName",
    arn="MonitoringScheduleArn",
):
    """The dashboard's alerts of an active schedule."""

    monitoring_alert_summaries = items(ALERTS, "MonitoringAlertSummaries[]", Alert)


@collects(MonitoringSchedule, after=(Endpoint,))
def monitoring_schedules(reader: "Reader") -> Iterator[Resource]:
    """Every schedule, a hundred a page; whole from the record of its endpoint, else with a Describe."""
    wanted = reader.wants(DESCRIBE)
    whole = _inside_endpoints(reader) if wanted else {}

    def read(summary: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {LIST: summary}
        if summary["MonitoringScheduleArn"] in whole:
            readings[MONITORED] = whole[summary["MonitoringScheduleArn"]]
        elif wanted:
            name = summary["MonitoringScheduleName"]
            readings[DESCRIBE] = reader.read(DESCRIBE, MonitoringScheduleName=name)
        return list(reader.resource(readings))

    for found in reader.gather(read, reader.list(LIST)):
        yield from found


def _inside_endpoints(reader: "Reader") -> dict[str, dict[str, Any]]:
    """The schedules that Search sent inside its records of endpoints, by their ARNs."""
    found: dict[str, dict[str, Any]] = {}
    for endpoint in reader.known(Endpoint):
        record = endpoint.readings.get(str(MONITORED))
        for schedule in (record.get("MonitoringSchedules") or ()) if isinstance(record, dict) else ():
            if schedule.get("MonitoringScheduleArn") and schedule.get("MonitoringScheduleConfig"):
                found[schedule["MonitoringScheduleArn"]] = schedule
    return found


def _active(reader: "Reader") -> Iterator[MonitoringSchedule]:
    """The schedules that start runs; one whose state cannot be read marks the listing as not whole."""
    for schedule in reader.known(MonitoringSchedule):
        try:
            if schedule.is_active:
                yield schedule
        except Unread as unread:
            reader.incomplete(unread.gap)


@collects(MonitoringRuns, follows=(MonitoringSchedule,))
def monitoring_runs(reader: "Reader") -> Iterator[Resource]:
    """The newest runs of each active schedule: listed only where the last one was not clean."""

    def read(schedule: MonitoringSchedule) -> list[Resource]:
        readings: dict[Operation, Reading] = {}
        try:
            last = schedule.last_monitoring_execution_summary
        except Unread as unread:
            readings[EXECUTIONS] = unread.gap
            return list(reader.resource(readings, key=schedule.id, name=schedule.name))
        if last is None:
            return []
        newest = [(last.monitoring_execution_status, last.processing_job_arn)]
        if last.monitoring_execution_status != "Completed" and reader.wants(EXECUTIONS):
            found = reader.read(EXECUTIONS, MonitoringScheduleName=schedule.name)
            readings[EXECUTIONS] = found
            if isinstance(found, dict):
                newest = [
                    (run["MonitoringExecutionStatus"], run.get("ProcessingJobArn"))
                    for run in found.get("MonitoringExecutionSummaries") or ()
                ]
        finished = (arn for status, arn in newest if status in _FINISHED and arn)
        job = next(finished, "") or next((arn for _, arn in newest if arn), "") or ""
        if job and reader.wants(DESCRIBE_JOB):
            name = job.rpartition("/")[2]
            document = reader.read(DESCRIBE_JOB, ProcessingJobName=name)
            readings[DESCRIBE_JOB] = document
        return list(reader.resource(readings, key=schedule.id, name=schedule.name))

    for found in reader.gather(read, _active(reader)):
        yield from found


@collects(MonitoringAlerts, follows=(MonitoringSchedule,), after=(MetricAlarm,))
def monitoring_alerts(reader: "Reader") -> Iterator[Resource]:
    """The alerts of each active schedule that no alarm of CloudWatch names: they matter for those only."""
    named = {text for alarm in reader.known(MetricAlarm) for text in alarm.drift_of}

    def read(schedule: MonitoringSchedule) -> list[Resource]:
        reading = reader.read(ALERTS, MonitoringScheduleName=schedule.name)
        return list(reader.resource({ALERTS: reading}, key=schedule.id, name=schedule.name))

    quiet = [found for found in _active(reader) if named.isdisjoint((found.name, found.endpoint_name))]
    for found in reader.gather(read, quiet):
        yield from found
