"""Whether drift and alarms start something, or only tell somebody."""

import json
from typing import Any

from collectors.cloudwatch import CompositeAlarm, MetricAlarm
from collectors.events import EventRule
from collectors.sagemaker.monitoring_schedules import MonitoringSchedule
from collectors.sample import Sample, sample
from collectors.sns import TopicSubscribers
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.operations.alarms import endpoint_alarms
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.signs import first_of, first_sign

_ALARM_CHANGES = "CloudWatch Alarm State Change"
_PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn"
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:roll-back"
_TOPIC = "arn:aws:sns:eu-west-1:123456789012:drift"
_WATCHED = sample(MonitoringSchedule, "churn-drift")


def _rule(target: str | None, state: str = "ENABLED", **pattern: Any) -> Sample:
    text = json.dumps({key.replace("_", "-"): value for key, value in pattern.items()})
    targets = [{"arn": target}] if target else []
    return sample(EventRule, "drift", state=state, event_pattern=text, targets=targets)


def _alarm(*actions: str, **values: Any) -> Sample:
    made = {"namespace": "aws/sagemaker/Endpoints/data-metrics", "alarm_actions": list(actions), **values}
    return sample(MetricAlarm, "drift", **made)


def _subscribers(*protocols: str) -> Sample:
    found = [{"protocol": protocol} for protocol in protocols]
    return sample(TopicSubscribers, "drift", arn=_TOPIC, subscriptions=found)


@rule(
    "OPS-026",
    Severity.LOW,
    bad=[
        _WATCHED,
        given(_WATCHED, _rule(None, source=["aws.sagemaker"])),
        given(_WATCHED, _rule(_PIPELINE, state="DISABLED", source=["aws.sagemaker"])),
        given(_WATCHED, _rule(_PIPELINE, source=["aws.ec2"])),
        given(_WATCHED, _rule(_TOPIC, source=["aws.sagemaker"])),
        given(
            _WATCHED, _rule(_FUNCTION, source=["aws.cloudwatch"], detail_type=["CloudWatch Metric Stream"])
        ),
        given(_WATCHED, _alarm(_TOPIC), _subscribers("email")),
        given(_WATCHED, _alarm(_FUNCTION, actions_enabled=False)),
        given(_WATCHED, _alarm(_FUNCTION, namespace="AWS/EC2")),
        given(_WATCHED, _alarm("arn:aws:ssm:eu-west-1:123456789012:opsitem:3")),
    ],
    good=[
        given(_WATCHED, _rule(_PIPELINE, source=["aws.sagemaker"])),
        given(_WATCHED, _rule(_FUNCTION, source=["aws.cloudwatch"], detail_type=[_ALARM_CHANGES])),
        given(_WATCHED, _rule(_FUNCTION, source=[{"prefix": "aws.sage"}])),
        given(_WATCHED, _rule(_FUNCTION, detail_type=[_ALARM_CHANGES])),
        given(_WATCHED, _alarm(_FUNCTION)),
        given(_WATCHED, _alarm(_TOPIC), _subscribers("email", "lambda")),
        given(
            _WATCHED,
            _alarm(),
            sample(CompositeAlarm, "any-drift", alarm_rule='ALARM("drift")', alarm_actions=[_FUNCTION]),
        ),
    ],
    exempt=[
        sample(MonitoringSchedule, "stopped", monitoring_schedule_status="Stopped"),
        _rule(None, source=["aws.sagemaker"]),
    ],
    remedy="Add a rule from the alarm on drift to the pipeline that retrains, or to a function that rolls back.",
    command="aws events put-rule --name NAME --event-pattern file://pattern.json",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLPERF06-BP05"), lens("MLOPS02-BP05")],
)
def unanswered_drift(region: Region) -> Verdict:
    """Drift and alarms should start a remedy by themselves.

    The longer a drifted model serves, the more it costs. One enabled rule on events of SageMaker or on
    alarms is enough that starts a pipeline, a workflow, a function or a runbook, or one alarm on
    SageMaker's metrics that calls a function, also by way of a topic. That a person decides may be
    policy: low. What the function does is not seen.
    """
    watching = [
        (found.name, found.monitoring_schedule_status)
        for found in region.all(MonitoringSchedule)
        if found.monitoring_schedule_status != "Stopped"
    ]
    if not watching:
        return not_applicable("nothing looks for drift here")
    seen = first_sign(
        (
            lambda: first_of(region.all(EventRule), _remedying_rule),
            lambda: first_of(_alarm_actions(region), lambda action: _remedying_action(region, action)),
        )
    )
    if seen:
        return passed(seen)
    return failed(
        "drift and alarms start nothing",
        MonitoringScheduleStatus=sorted({status for _, status in watching}),
        schedules=sorted(name for name, _ in watching)[:10],
    )


def _remedying_rule(found: EventRule) -> str:
    if not found.is_enabled or not _speaks_of_ml(found.pattern):
        return ""
    return f"rule {found.name}" if any(_acts(target.arn) for target in found.targets) else ""


def _speaks_of_ml(pattern: dict[str, Any]) -> bool:
    """Whether a pattern takes SageMaker's events or changes of alarms' states."""
    if _takes(pattern.get("source"), "aws.sagemaker"):
        return True
    alarms = _takes(pattern.get("detail-type"), _ALARM_CHANGES)
    if "source" not in pattern:
        return alarms
    return _takes(pattern["source"], "aws.cloudwatch") and (alarms or "detail-type" not in pattern)


def _takes(values: Any, wanted: str) -> bool:
    """Whether one of a pattern's values, texts or prefixes, matches."""
    for value in values if isinstance(values, list) else ():
        prefix = value.get("prefix") if isinstance(value, dict) else None
        if value == wanted or (isinstance(prefix, str) and wanted.startswith(prefix)):
            return True
    return False


def _acts(arn: str) -> bool:
    """Whether a target does something: a pipeline, workflow, function, delivery pipeline or runbook."""
    _, _, service, *rest = [*arn.split(":", 5), "", "", ""]
    resource = rest[2]
    return (
        service in ("lambda", "states", "codepipeline")
        or (service == "sagemaker" and resource.startswith("pipeline/"))
        or (service == "ssm" and resource.startswith("automation-definition/"))
    )


@index
def _alarm_actions(region: Region) -> tuple[str, ...]:
    """What alarms on SageMaker's metrics, and composites made of them, do. Raises `Unread`."""
    alarms: list[MetricAlarm | CompositeAlarm] = list(endpoint_alarms(region))
    names = {alarm.name for alarm in alarms} | {alarm.id for alarm in alarms}
    alarms += [found for found in region.all(CompositeAlarm) if not names.isdisjoint(found.children)]
    found = {action for alarm in alarms if alarm.actions_enabled for action in alarm.alarm_actions or ()}
    return tuple(sorted(found))


def _remedying_action(region: Region, action: str) -> str:
    if _acts(action):
        return f"alarm action {action}"
    if ":sns:" not in action:
        return ""
    topic = region.find(TopicSubscribers, action)
    calls = topic is not None and any(each.protocol == "lambda" for each in topic.subscriptions)
    return f"a function subscribed to {action}" if calls else ""
