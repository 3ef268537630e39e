"""Model Monitor's schedules: whether they run, compare with something, and tell somebody."""

from datetime import timedelta
from typing import Any

from collectors.cloudwatch import CompositeAlarm, MetricAlarm
from collectors.events import EventRule
from collectors.model import Reason, Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.monitoring_definitions import (
    BiasDefinition,
    DataQualityDefinition,
    ExplainabilityDefinition,
    ModelQualityDefinition,
)
from collectors.sagemaker.monitoring_schedules import (
    DELAY,
    EXECUTIONS,
    Execution,
    MonitoringAlerts,
    MonitoringRuns,
    MonitoringSchedule,
)
from collectors.sample import NOW, Sample, sample
from collectors.sns import Topic
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.drift import lacked_data, runs_by
from evaluators.operations.alarms import certain_any, endpoint_alarms, reaches_somebody
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_HOURLY = "cron(0 * ? * * *)"
_DAILY = "cron(0 6 ? * * *)"
_BASELINE = {"s3_uri": "s3://baselines/constraints.json"}
_NAMED = sample(DataQualityDefinition, "watch", data_quality_baseline_config=_BASELINE)


def _run(status: str = "Completed", hours: float = 1, reason: str = "") -> dict[str, Any]:
    return {
        "scheduled_time": NOW - timedelta(hours=hours),
        "monitoring_execution_status": status,
        "failure_reason": reason or None,
    }


def _schedule(
    *others: Sample,
    definition: Sample | None = _NAMED,
    last: dict[str, Any] | None = None,
    runs: list[dict[str, Any]] | None = None,
    **values: Any,
) -> Given:
    """An hourly schedule of an endpoint that exists, with its last run and its runs before that."""
    base: dict[str, Any] = {
        "endpoint_name": "example",
        "monitoring_type": "DataQuality",
        "monitoring_job_definition_name": "watch",
        "schedule_expression": _HOURLY,
        "last_monitoring_execution_summary": _run() if last is None else last or None,
    }
    around = [sample(Endpoint, "example"), *others]
    around += [definition] if definition is not None else []
    around += (
        [sample(MonitoringRuns, "example", monitoring_execution_summaries=runs)] if runs is not None else []
    )
    return given(sample(MonitoringSchedule, "example", **{**base, **values}), *around)


_VIOLATED = _run("CompletedWithViolations")
_EMPTY = _run("Failed", reason="AlgorithmError: No S3 objects found under S3 URL s3://captured/endpoints")
_OWN: dict[str, Any] = {"monitoring_job_definition_name": None, "definition": None}


@rule(
    "OPS-024",
    Severity.MEDIUM,
    bad=[
        _schedule(monitoring_schedule_status="Failed", failure_reason="role cannot be assumed"),
        _schedule(monitoring_schedule_status="Stopped"),
        _schedule(last={}),
        _schedule(last=_run(hours=3)),
        _schedule(last=_run(hours=50), schedule_expression=_DAILY),
        _schedule(last=_run("Failed", reason="AlgorithmError: exit code 1"), runs=[]),
        _schedule(last=_VIOLATED, runs=[_VIOLATED, _VIOLATED, _VIOLATED]),
        _schedule(definition=sample(DataQualityDefinition, "watch")),
        _schedule(definition=None),
        _schedule(
            definition=sample(ModelQualityDefinition, "watch", model_quality_baseline_config={}),
            monitoring_type="ModelQuality",
        ),
        _schedule(definition=sample(BiasDefinition, "watch"), monitoring_type="ModelBias"),
        _schedule(
            definition=sample(ExplainabilityDefinition, "watch"), monitoring_type="ModelExplainability"
        ),
        _schedule(**_OWN),
        given(
            _schedule(last=_VIOLATED).subject,
            _NAMED,
            sample(MonitoringRuns, "example", monitoring_execution_summaries=[_VIOLATED]),
            max_violation_runs=1,
        ),
    ],
    good=[
        _schedule(),
        # AWS may start a run up to twenty minutes late.
        _schedule(last=_run(hours=2.2)),
        _schedule(last=_run(hours=30), schedule_expression=_DAILY),
        _schedule(last=_run(hours=10), schedule_expression="cron(0 17/6 ? * * *)"),
        _schedule(last=_EMPTY, runs=[_EMPTY]),
        _schedule(last=_VIOLATED, runs=[_VIOLATED, _VIOLATED, _run()]),
        _schedule(last=_run("InProgress"), runs=[]),
        _schedule(baseline_config=_BASELINE, **_OWN),
        _schedule(
            definition=sample(
                DataQualityDefinition, "watch", data_quality_baseline_config={"baselining_job_name": "j"}
            )
        ),
        # The endpoint's capture is what a batch schedule has instead of an endpoint.
        _schedule(endpoint_name=None),
    ],
    exempt=[
        _schedule(schedule_expression="NOW"),
        _schedule(last={}, creation_time=NOW - timedelta(hours=1)),
        _schedule(monitoring_schedule_status="Pending"),
        _schedule(monitoring_schedule_status="Stopped", endpoint_name="gone"),
    ],
    remedy="Correct what the reason says, give the definition a baseline, then start the schedule again.",
    command="aws sagemaker start-monitoring-schedule --monitoring-schedule-name {name}",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS06-BP02"), lens("MLPERF06-BP04")],
)
def unhealthy_schedule(schedule: MonitoringSchedule, *, max_violation_runs: int = 3) -> Verdict:
    """Monitoring schedules should run, compare with a baseline, and be answered.

    A schedule that fails, waits or violates the same constraints run after run looks like a watch and
    is none. A run that found no captured data is no fault of the monitor. Runs may start twenty
    minutes late. A schedule whose endpoint is gone is not mended but removed.
    """
    status = schedule.monitoring_schedule_status
    if status == "Pending":
        return not_applicable("it is being set up")
    if schedule.runs_once:
        return not_applicable("it was for one run only", ScheduleExpression=schedule.schedule_expression)
    if not schedule.is_active:
        if schedule.endpoint_name and schedule.region.find(Endpoint, schedule.endpoint_name) is None:
            return not_applicable("its endpoint is gone", EndpointName=schedule.endpoint_name)
        return failed(
            f"the schedule is {status.lower()}",
            MonitoringScheduleStatus=status,
            FailureReason=(schedule.failure_reason or "")[:200],
        )
    interval = schedule.interval
    if interval is None:
        message = f"a schedule expression that AWS does not describe: {schedule.schedule_expression}"
        raise Unread(schedule.gap("sagemaker:DescribeMonitoringSchedule", Reason.MISSING, message))
    if schedule.creation_time > schedule.region.now - 2 * interval:
        return not_applicable("younger than two of its intervals")
    return _health(schedule, interval, max_violation_runs)


def _health(schedule: MonitoringSchedule, interval: timedelta, most: int) -> Verdict:
    """The verdict on a schedule that is old enough to have run."""
    last = schedule.last_monitoring_execution_summary
    if last is None:
        return failed("it has never run", LastMonitoringExecutionSummary=None)
    evidence: dict[str, Any] = {
        "MonitoringExecutionStatus": last.monitoring_execution_status,
        "ScheduledTime": last.scheduled_time.isoformat(),
        "ScheduleExpression": schedule.schedule_expression,
    }
    if last.scheduled_time < schedule.region.now - 2 * interval - DELAY:
        return failed("its last run was more than two intervals ago", **evidence)
    if last.monitoring_execution_status == "Failed" and not lacked_data(last):
        return failed("its last run failed", FailureReason=(last.failure_reason or "")[:200], **evidence)
    if last.monitoring_execution_status == "CompletedWithViolations" and _always_violated(schedule, most):
        return failed(f"its last {most} runs all found violations, and nothing changed", **evidence)
    source = runs_by(schedule)
    if source is None:
        name = schedule.monitoring_job_definition_name
        return failed("its definition is gone", MonitoringJobDefinitionName=name)
    baseline = source.baseline
    if baseline is None or not (baseline.s3_uri or baseline.baselining_job_name):
        return failed("it has no baseline to compare with", BaselineConfig=None, **evidence)
    return passed("no data had been captured" if lacked_data(last) else "", **evidence)


def _always_violated(schedule: MonitoringSchedule, most: int) -> bool:
    ended = [
        run
        for run in _executions(schedule)
        if run.monitoring_execution_status not in ("Pending", "InProgress", "Stopping")
    ][:most]
    return len(ended) == most and all(
        run.monitoring_execution_status == "CompletedWithViolations" for run in ended
    )


def _executions(schedule: MonitoringSchedule) -> tuple[Execution, ...]:
    """The newest runs, newest first. Raises `Unread` where they were not listed."""
    runs = schedule.region.find(MonitoringRuns, schedule.name)
    if runs is None:
        raise Unread(schedule.gap(str(EXECUTIONS), Reason.NOT_READ, schedule.name))
    return runs.monitoring_execution_summaries


_TOPIC = "arn:aws:sns:eu-west-1:123456789012:drift"
_TOLD = sample(Topic, "drift", arn=_TOPIC, attributes={"SubscriptionsConfirmed": "1"})
_NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
_BY_SCHEDULE = [{"name": "Endpoint", "value": "example"}, {"name": "MonitoringSchedule", "value": "example"}]


def _alarm(namespace: str = _NAMESPACE, **values: Any) -> Sample:
    made = {
        "namespace": namespace,
        "metric_name": "feature_baseline_drift_age",
        "dimensions": _BY_SCHEDULE,
        "alarm_actions": [_TOPIC],
        **values,
    }
    return sample(MetricAlarm, "drift", **made)


def _alerts(*, enabled: bool) -> Sample:
    return sample(MonitoringAlerts, "example", monitoring_alert_summaries=[{"enabled": enabled}])


_EVENTS = '{"source": ["aws.sagemaker"], "detail-type": ["SageMaker Monitoring Execution State Change"]}'


def _event_rule(**values: Any) -> Sample:
    made = {"event_pattern": _EVENTS, "targets": [{"arn": _TOPIC}], **values}
    return sample(EventRule, "runs", **made)


_QUIET = _alerts(enabled=False)


@rule(
    "OPS-025",
    Severity.MEDIUM,
    bad=[
        _schedule(_QUIET),
        _schedule(_TOLD, _QUIET, _alarm(dimensions=[{"name": "Endpoint", "value": "another"}])),
        # An alarm on one schedule of an endpoint says nothing of the others.
        _schedule(
            _TOLD,
            _QUIET,
            _alarm(
                dimensions=[
                    {"name": "Endpoint", "value": "example"},
                    {"name": "MonitoringSchedule", "value": "another"},
                ]
            ),
        ),
        _schedule(_TOLD, _QUIET, _alarm("AWS/SageMaker")),
        _schedule(_TOLD, _QUIET, _alarm(actions_enabled=False)),
        _schedule(_QUIET, _alarm(alarm_actions=[])),
        # The dashboard's alerts tell nobody.
        _schedule(_alerts(enabled=True)),
        _schedule(_QUIET, _event_rule(state="DISABLED")),
        _schedule(_QUIET, _event_rule(event_pattern='{"source": ["aws.sagemaker"], "detail-type": ["x"]}')),
    ],
    good=[
        _schedule(_TOLD, _alarm()),
        # AWS spells the namespaces and the dimensions in several ways.
        _schedule(_TOLD, _alarm("/aws/sagemaker/Endpoint/data-metric")),
        _schedule(_TOLD, _alarm("aws/sagemaker/ModelMonitoring/data-metrics")),
        _schedule(_TOLD, _alarm(dimensions=[{"name": "EndpointName", "value": "example"}])),
        _schedule(
            _TOLD,
            _alarm("", dimensions=[], metrics=[{"namespace": _NAMESPACE, "dimensions": _BY_SCHEDULE}]),
        ),
        _schedule(
            _TOLD,
            _alarm(alarm_actions=[]),
            sample(CompositeAlarm, "any", alarm_rule='ALARM("drift")', alarm_actions=[_TOPIC]),
        ),
        _schedule(_TOLD, _event_rule()),
    ],
    exempt=[
        _schedule(monitoring_schedule_status="Stopped"),
        _schedule(environment={"publish_cloudwatch_metrics": "Disabled"}, baseline_config=_BASELINE, **_OWN),
        _schedule(
            definition=sample(
                DataQualityDefinition, "watch", environment={"publish_cloudwatch_metrics": "Disabled"}
            )
        ),
    ],
    remedy="Create an alarm on feature_baseline_drift_* or on model quality, with an action that tells somebody.",
    command="aws cloudwatch put-metric-alarm --alarm-name NAME --namespace aws/sagemaker/Endpoints/data-metrics "
    "--metric-name METRIC --dimensions Name=Endpoint,Value=ENDPOINT Name=MonitoringSchedule,Value={name} "
    "--statistic Average --period 3600 --evaluation-periods 1 --threshold 0.1 "
    "--comparison-operator GreaterThanThreshold --alarm-actions TOPIC",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS06-BP02"), lens("MLPERF06-BP04")],
)
def silent_monitor(schedule: MonitoringSchedule) -> Verdict:
    """What Model Monitor finds should tell somebody.

    A violation that stands in a bucket is read by nobody. An alarm on the monitor's metrics counts under
    any of the spellings that AWS has for namespaces and dimensions, also in metric math and below a
    composite alarm; so does an EventBridge rule on the runs. Alerts of the model dashboard only colour
    it: with one the finding is one step lower.
    """
    if not schedule.is_active:
        return not_applicable(
            "it starts no runs", MonitoringScheduleStatus=schedule.monitoring_schedule_status
        )
    source = runs_by(schedule)
    told = (source.environment or {}) if source is not None else {}
    if str(told.get("publish_cloudwatch_metrics", "")).lower() == "disabled":
        return not_applicable("it publishes no metrics by design", publish_cloudwatch_metrics="Disabled")
    names = {schedule.name, schedule.endpoint_name} - {None}
    region = schedule.region
    alarms = [alarm for alarm in endpoint_alarms(region) if not names.isdisjoint(alarm.drift_of)]
    if certain_any(alarms, reaches_somebody):
        return passed(alarms=sorted(alarm.name for alarm in alarms)[:5])
    watching = _rules_on_runs(region)
    if watching:
        return passed(rules=list(watching)[:5])
    shown = alarms or _colours_dashboard(schedule)
    return failed(
        "its alarms tell nobody" if alarms else "no alarm looks at what it finds",
        lowered=0 if alarms or not shown else 1,
        why_lowered="an alert colours the model dashboard" if shown and not alarms else "",
        alarms=sorted(alarm.name for alarm in alarms)[:5],
        EndpointName=schedule.endpoint_name,
    )


def _colours_dashboard(schedule: MonitoringSchedule) -> bool:
    found = schedule.region.find(MonitoringAlerts, schedule.name)
    return found is not None and any(alert.enabled for alert in found.monitoring_alert_summaries)


@index
def _rules_on_runs(region: Region) -> tuple[str, ...]:
    """The enabled rules on the runs of schedules that start or tell something. Raises `Unread`."""
    return tuple(rule.name for rule in region.all(EventRule) if rule.is_enabled and _on_runs(rule))


def _on_runs(rule: EventRule) -> bool:
    pattern = rule.pattern
    if "aws.sagemaker" not in (pattern.get("source") or ()):
        return False
    types = pattern.get("detail-type")
    speaks = not types or any("monitoring" in str(type_).lower() for type_ in types)
    return speaks and bool(rule.targets)
