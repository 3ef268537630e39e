"""Model Monitor's jobs: whether they end before the next one, on machines that they need."""

from datetime import timedelta
from typing import Any

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.sagemaker.monitoring_schedules import MonitoringRuns, MonitoringSchedule
from collectors.sample import NOW, Sample, sample
from collectors.view import METRIC_DATA
from evaluators.controls import lens
from evaluators.instances import facts
from evaluators.money import HOURS, Usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import of_cores

_SMALLEST_CORES = 2
_TYPES = (
    sample(InstanceType, "m5.large", arn="m5.large", default_v_cpus=2),
    sample(InstanceType, "m5.4xlarge", arn="m5.4xlarge", default_v_cpus=16),
)


def _schedule(
    minutes: float = 20,
    cpu: list[float] | None = None,
    *others: Sample,
    **values: Any,
) -> Given:
    """An hourly schedule whose last job took so long."""
    start = NOW - timedelta(hours=1)
    job: dict[str, Any] = {
        "processing_job_name": "model-monitoring-1",
        "processing_job_status": "Completed",
        "processing_start_time": start,
        "processing_end_time": start + timedelta(minutes=minutes),
        "instance_type": "ml.m5.4xlarge",
        "instance_count": 1,
        "cpu_utilization": [800.0] if cpu is None else cpu or None,
        "memory_utilization": [12.0],
        **values,
    }
    schedule = sample(MonitoringSchedule, "example", schedule_expression="cron(0 * ? * * *)")
    return given(schedule, sample(MonitoringRuns, "example", **job), *_TYPES, *others)


_STOPPED: dict[str, Any] = {
    "processing_job_status": "Stopped",
    "max_runtime_in_seconds": 1200,
    "monitoring_execution_summaries": [{"monitoring_execution_status": "Stopped"}],
}
_NO_JOB = sample(
    MonitoringRuns, "example", monitoring_execution_summaries=[{"monitoring_execution_status": "Pending"}]
)


@rule(
    "PERF-016",
    Severity.LOW,
    confidence=0.8,
    bad=[
        _schedule(50),
        _schedule(20, [30.0, 120.0]),
        _schedule(20, **_STOPPED),
    ],
    good=[
        _schedule(),
        _schedule(20, [60.0], memory_utilization=[71.0]),
        # There is no smaller machine.
        _schedule(20, [10.0], instance_type="ml.m5.large"),
        _schedule(10, **_STOPPED),
    ],
    exempt=[
        sample(MonitoringSchedule, "example", last_monitoring_execution_summary=None),
        sample(MonitoringSchedule, "example", monitoring_schedule_status="Stopped"),
        given(sample(MonitoringSchedule, "example"), _NO_JOB),
    ],
    remedy="Create a new job definition with another ClusterConfig and let the schedule run that one.",
    change=Change.RECREATE,
    maps=[lens("MLCOST03-BP03"), lens("MLPERF04-BP01")],
)
def badly_sized_monitor(
    schedule: MonitoringSchedule, *, max_ratio: float = 0.8, low_percent: float = 15
) -> Verdict:
    """Monitoring jobs should end well before the next one begins, on machines that they use.

    A job that takes as long as its interval will soon miss runs; one that idles on a large machine is
    paid every hour. The last job that finished is looked at. CPU and memory both have to be low, and
    types with two vCPUs are the smallest that there are.
    """
    if not schedule.is_active:
        return not_applicable("it starts no runs")
    runs = schedule.region.find(MonitoringRuns, schedule.name)
    if runs is None or not runs.has_job:
        return not_applicable("no run of it has ended")
    start, end = runs.processing_start_time, runs.processing_end_time
    if start is None or end is None:
        return not_applicable("its last job never started, or still runs")
    seconds = (end - start).total_seconds()
    evidence: dict[str, Any] = {
        "seconds": seconds,
        "InstanceType": runs.instance_type,
        "InstanceCount": runs.instance_count,
        "MaxRuntimeInSeconds": runs.max_runtime_in_seconds,
    }
    if runs.processing_job_status == "Stopped" and seconds >= (runs.max_runtime_in_seconds or seconds + 1):
        return failed("its last job was stopped at its longest time", **evidence)
    interval = schedule.interval
    if interval is None and not schedule.runs_once:
        message = f"a schedule expression that AWS does not describe: {schedule.schedule_expression}"
        raise Unread(schedule.gap("sagemaker:DescribeMonitoringSchedule", Reason.MISSING, message))
    if interval is not None and seconds / interval.total_seconds() >= max_ratio:
        return failed("its jobs take nearly as long as the time between them", **evidence)
    if interval is None or not runs.instance_type:
        return passed(**evidence)
    kind = facts(schedule.region, runs.instance_type)
    if kind.default_v_cpus <= _SMALLEST_CORES:
        return passed("on the smallest kind of machine", **evidence)
    cpu, memory = runs.cpu_utilization.maximum(), runs.memory_utilization.maximum()
    if cpu is None or memory is None:
        message = f"no datapoints of {runs.processing_job_name}"
        raise Unread(runs.gap(str(METRIC_DATA), Reason.MISSING, message))
    used: dict[str, Any] = {
        "CPUUtilization": round(of_cores(cpu, kind), 1),
        "MemoryUtilization": round(memory, 1),
    }
    if max(of_cores(cpu, kind), memory) >= low_percent:
        return passed(**evidence, **used)
    monthly = HOURS / (interval.total_seconds() / 3600)
    half = Usage(
        "processing", runs.instance_type, hours=monthly * seconds / 3600 / 2, count=runs.instance_count or 1
    )
    return failed("its jobs idle on a machine that is too large", waste=[half], **evidence, **used)
