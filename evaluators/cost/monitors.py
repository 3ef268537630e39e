"""Monitoring schedules that watch nothing any more."""

from datetime import timedelta
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.monitoring_schedules import MonitoringRuns, MonitoringSchedule
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.cost.endpoints import idleness
from evaluators.drift import lacked_data
from evaluators.money import HOURS, Usage
from evaluators.rule import (
    Change,
    Given,
    Severity,
    Status,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)

_NO_DATA = {
    "monitoring_execution_status": "Failed",
    "failure_reason": "No S3 objects found under S3 URL s3://captured",
}


def _schedule(*around: Sample, **values: Any) -> Given:
    made: dict[str, Any] = {"endpoint_name": "example", "schedule_expression": "cron(0 * ? * * *)", **values}
    return given(sample(MonitoringSchedule, "example", **made), *around)


def _serving(calls: float, **values: Any) -> tuple[Sample, Sample]:
    variant = {
        "variant_name": "main",
        "current_instance_count": 1,
        "cpu_utilization": [1.0],
        "invocations": [calls],
    }
    config = {"variant_name": "main", "model_name": "m", "instance_type": "ml.m7i.large"}
    return (
        sample(Endpoint, "example", endpoint_config_name="c", production_variants=[variant], **values),
        sample(EndpointConfig, "c", production_variants=[config]),
    )


def _runs(*runs: dict[str, Any]) -> Sample:
    return sample(MonitoringRuns, "example", monitoring_execution_summaries=list(runs))


_TIMED = sample(
    MonitoringRuns,
    "example",
    monitoring_execution_summaries=[_NO_DATA] * 3,
    processing_start_time=NOW - timedelta(hours=2),
    processing_end_time=NOW - timedelta(hours=1),
    instance_type="ml.m5.large",
    instance_count=1,
)


@rule(
    "COST-007",
    Severity.MEDIUM,
    bad=[
        _schedule(),
        _schedule(*_serving(0.0)),
        _schedule(
            *_serving(9.0), _runs(_NO_DATA, _NO_DATA, _NO_DATA), last_monitoring_execution_summary=_NO_DATA
        ),
        _schedule(*_serving(9.0), _TIMED, last_monitoring_execution_summary=_NO_DATA),
        _schedule(
            _runs(_NO_DATA, _NO_DATA, _NO_DATA),
            endpoint_name=None,
            last_monitoring_execution_summary=_NO_DATA,
        ),
    ],
    good=[
        _schedule(
            *_serving(9.0), last_monitoring_execution_summary={"monitoring_execution_status": "Completed"}
        ),
        _schedule(
            *_serving(0.0, creation_time=NOW - timedelta(days=1)), last_monitoring_execution_summary=None
        ),
        _schedule(*_serving(9.0), _runs(_NO_DATA, {}, _NO_DATA), last_monitoring_execution_summary=_NO_DATA),
        _schedule(
            endpoint_name=None, last_monitoring_execution_summary={"monitoring_execution_status": "Completed"}
        ),
    ],
    exempt=[
        _schedule(monitoring_schedule_status="Stopped"),
        _schedule(monitoring_schedule_status="Failed"),
    ],
    remedy="Stop or delete the schedule; before its endpoint, as DeleteEndpoint can be refused while it is there.",
    command="aws sagemaker stop-monitoring-schedule --monitoring-schedule-name {name}",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08")],
)
def needless_schedule(
    schedule: MonitoringSchedule, *, idle_days: int = 7, standby_tag: str = "dr-standby", empty_runs: int = 3
) -> Verdict:
    """Schedules that watch nothing should be stopped.

    Each run starts machines, also where it then finds no data. A schedule is needless when its endpoint
    is gone, when nobody calls it (as COST-001 has it), or when its last runs all found nothing. For a
    schedule of batch predictions only the last counts.
    """
    if not schedule.is_active:
        return not_applicable(
            "it starts no runs", MonitoringScheduleStatus=schedule.monitoring_schedule_status
        )
    evidence: dict[str, Any] = {"EndpointName": schedule.endpoint_name}
    if schedule.endpoint_name:
        endpoint = schedule.region.find(Endpoint, schedule.endpoint_name)
        if endpoint is None:
            return failed("its endpoint is gone", waste=_runs_a_month(schedule), **evidence)
        idle = idleness(endpoint, idle_days, standby_tag)
        if idle.status is Status.FAIL:
            return failed(
                f"nobody called its endpoint in {idle_days} days",
                waste=_runs_a_month(schedule),
                **evidence,
                **idle.evidence,
            )
    if _found_nothing(schedule, empty_runs):
        return failed(f"its last {empty_runs} runs found no data", waste=_runs_a_month(schedule), **evidence)
    return passed(**evidence)


def _found_nothing(schedule: MonitoringSchedule, most: int) -> bool:
    last = schedule.last_monitoring_execution_summary
    if last is None or not lacked_data(last):
        return False
    runs = schedule.region.find(MonitoringRuns, schedule.name)
    newest = runs.monitoring_execution_summaries[:most] if runs is not None else ()
    return len(newest) == most and all(lacked_data(run) for run in newest)


def _runs_a_month(schedule: MonitoringSchedule) -> list[Usage]:
    """What a month of its runs takes, if each is like the last that ended; nothing where none is known."""
    runs, interval = schedule.region.find(MonitoringRuns, schedule.name), schedule.interval
    if runs is None or interval is None or not runs.has_job:
        return []
    start, end = runs.processing_start_time, runs.processing_end_time
    if start is None or end is None or not runs.instance_type:
        return []
    often = HOURS / (interval.total_seconds() / 3600)
    hours = often * (end - start).total_seconds() / 3600
    return [Usage("processing", runs.instance_type, hours=hours, count=runs.instance_count or 1)]
