"""Alarms on endpoints: is somebody told when errors or latency rise?"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from collectors.cloudwatch import CompositeAlarm, Dimension, MetricAlarm
from collectors.model import Gap, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sample import ACCOUNT, REGION, Sample, sample
from collectors.sns import Topic
from collectors.view import Region, index
from evaluators.controls import config_rule, lens, security_hub
from evaluators.rule import (
    Change,
    Given,
    Scope,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.traffic import configured, endpoint_of

T = TypeVar("T")

ERRORS = frozenset({"Invocation5XXErrors", "InvocationModelErrors"})
LATENCY = frozenset({"ModelLatency", "OverheadLatency"})

_NAMESPACE = "AWS/SageMaker"
_SILENT = frozenset({"autoscaling", "automate", "swf", "ec2"})
"""Services whose alarm actions change capacity or machines and tell nobody."""

_INSIGHTS = re.compile(
    r"""SELECT\s+\w+\(\s*"?(?P<metric>\w+)"?\s*\)\s+
        FROM\s+(?:SCHEMA\(\s*"AWS/SageMaker"(?P<schema>[^)]*)\)|"AWS/SageMaker")\s*
        (?:WHERE\s+(?P<where>.*?))?\s*(?:GROUP\s+BY.*|ORDER\s+BY.*|LIMIT.*)?$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BEYOND_AND = re.compile(r"\b(OR|IN|LIKE|NOT)\b", re.IGNORECASE)
_CONDITION = re.compile(r"""(tag\."?[^"=!]+?"?|"?\w+"?)\s*(!=|=)\s*'([^']*)'""", re.IGNORECASE)


def certain_any(values: Iterable[T], test: Callable[[T], bool]) -> bool:
    """Whether the test holds for any value. Raises `Unread` only where it certainly holds for none
    of those that could be read, and one could not.
    """
    gap: Gap | None = None
    for value in values:
        try:
            if test(value):
                return True
        except Unread as unread:
            gap = gap or unread.gap
    if gap is not None:
        raise Unread(gap)
    return False


@index
def endpoint_alarms(region: Region) -> tuple[MetricAlarm, ...]:
    """The alarms that can be about SageMaker, without those that autoscaling made for itself."""
    alarms = (alarm for alarm in region.all(MetricAlarm) if not alarm.name.startswith("TargetTracking-"))
    return tuple(alarm for alarm in alarms if alarm.about_sagemaker)


@index
def parents(region: Region) -> Mapping[str, tuple[CompositeAlarm, ...]]:
    """The composite alarms by name or ARN of the alarms that they are made of."""
    found: dict[str, tuple[CompositeAlarm, ...]] = {}
    for composite in region.all(CompositeAlarm):
        for child in composite.children:
            found[child] = (*found.get(child, ()), composite)
    return found


def reaches_somebody(alarm: MetricAlarm | CompositeAlarm, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an action of this alarm, or of a composite alarm made of it, tells somebody."""
    if alarm.actions_enabled and certain_any(alarm.alarm_actions or (), lambda a: _tells(alarm.region, a)):
        return True
    above = parents(alarm.region)
    composites = [*above.get(alarm.name, ()), *above.get(alarm.id, ())]
    known = seen | {alarm.id}
    return certain_any((c for c in composites if c.id not in known), lambda c: reaches_somebody(c, known))


def _tells(region: Region, action: str) -> bool:
    """Whether an alarm's action (an ARN) tells somebody: a topic without subscribers does not."""
    service = action.split(":")[2] if action.count(":") > 2 else ""
    if service == "sns":
        topic = region.find(Topic, action)
        return topic is not None and topic.subscriptions_confirmed > 0
    return service not in _SILENT


def watches(
    alarm: MetricAlarm,
    metrics: frozenset[str],
    place: Mapping[str, str],
    tags: Callable[[], Mapping[str, str]],
) -> bool:
    """Whether an alarm looks at one of these metrics where a variant or component publishes them.

    Invocation metrics carry `EndpointName` and `VariantName`: an alarm on `EndpointName` alone
    looks at a metric that does not exist. Metric math and Metrics Insights count.
    """
    if alarm.namespace == _NAMESPACE and alarm.metric_name in metrics and _at(alarm.dimensions, place):
        return True
    for query in alarm.metrics:
        local = query.account_id in (None, alarm.region.account)
        if (
            query.namespace == _NAMESPACE
            and query.metric_name in metrics
            and local
            and _at(query.dimensions, place)
        ):
            return True
        if query.expression and local and _selects(query.expression, metrics, place, tags):
            return True
    # A PromQL selector that names neither the endpoint nor its label takes in every endpoint.
    text = alarm.query or ""
    named = [value for key, value in place.items() if key in text]
    return any(metric in text for metric in metrics) and all(value in text for value in named)


def _at(dimensions: Iterable[Dimension], place: Mapping[str, str]) -> bool:
    given_ = {dimension.name: dimension.value for dimension in dimensions}
    return place.items() <= given_.items()


def _selects(
    expression: str, metrics: frozenset[str], place: Mapping[str, str], tags: Callable[[], Mapping[str, str]]
) -> bool:
    """Whether a Metrics Insights query takes in this place. Its WHERE joins comparisons by AND."""
    found = _INSIGHTS.search(expression.strip())
    if found is None or found["metric"] not in metrics:
        return False
    keys = {key.strip(' "') for key in (found["schema"] or "").split(",")} - {""}
    if keys and keys != set(place):
        return False
    where = found["where"] or ""
    if _BEYOND_AND.search(where):
        return all(f"'{value}'" in where for key, value in place.items() if key in where)
    for key, operator, value in _CONDITION.findall(where):
        plain = key.replace('"', "")
        own = tags().get(plain[4:]) if plain.lower().startswith("tag.") else place.get(plain)
        if (own == value) != (operator == "="):
            return False
    return True


def _places(variant: Variant) -> list[dict[str, str]]:
    """The dimensions under which a variant's calls are measured: its own, or its endpoint's components'."""
    endpoint = endpoint_of(variant)
    if configured(variant).model_name:
        return [{"EndpointName": endpoint.name, "VariantName": variant.variant_name}]
    components = endpoint.region.all(InferenceComponent)
    return [{"InferenceComponentName": c.name} for c in components if c.endpoint_name == endpoint.name]


_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
_VARIANT = [{"name": "EndpointName", "value": "example"}, {"name": "VariantName", "value": "main"}]
_ALL = 'SELECT MAX({}) FROM SCHEMA("AWS/SageMaker", EndpointName, VariantName) GROUP BY EndpointName'

_LATENCY_WHERE = 'SELECT MAX(ModelLatency) FROM "AWS/SageMaker" WHERE {}'


def _alarm(metric: str = "", name: str = "", **values: Any) -> Sample:
    """An alarm on the example's variant that notifies the example's topic."""
    direct = {"namespace": _NAMESPACE, "metric_name": metric, "dimensions": _VARIANT} if metric else {}
    return sample(MetricAlarm, name or metric, **{"alarm_actions": [_TOPIC], **direct, **values})


def _query(metric: str, **values: Any) -> dict[str, Any]:
    return {"namespace": _NAMESPACE, "metric_name": metric, "dimensions": _VARIANT, **values}


def _watched(*others: Sample, confirmed: str = "1", model_name: str | None = "m", **endpoint: Any) -> Given:
    """An endpoint with one variant, its config, a topic with so many subscribers, and other resources."""
    return given(
        sample(
            Endpoint,
            **{
                "endpoint_config_name": "config",
                "production_variants": [{"variant_name": "main"}],
                **endpoint,
            },
        ),
        sample(
            EndpointConfig, "config", production_variants=[{"variant_name": "main", "model_name": model_name}]
        ),
        sample(Topic, "oncall", arn=_TOPIC, attributes={"SubscriptionsConfirmed": confirmed}),
        *others,
    )


_BOTH = (_alarm("Invocation5XXErrors"), _alarm("ModelLatency"))
_SILENT_PAIR = (_alarm("Invocation5XXErrors", alarm_actions=None), _alarm("ModelLatency", alarm_actions=None))


@rule(
    "OPS-027",
    Severity.MEDIUM,
    bad=[
        _watched(),
        _watched(tags={"Environment": "prod"}),
        _watched(_alarm("Invocation5XXErrors")),
        _watched(_alarm("OverheadLatency")),
        _watched(_alarm("Invocation4XXErrors"), _alarm("ModelLatency")),
        _watched(*_BOTH, confirmed="0"),
        _watched(*_SILENT_PAIR),
        _watched(_alarm("Invocation5XXErrors", actions_enabled=False), _alarm("ModelLatency")),
        _watched(
            _alarm("Invocation5XXErrors", alarm_actions=[f"{_TOPIC}-that-is-gone"]), _alarm("ModelLatency")
        ),
        # Autoscaling's own alarms, and alarms that only scale, tell nobody.
        _watched(
            _alarm("Invocation5XXErrors", "TargetTracking-endpoint/example-AlarmHigh"), _alarm("ModelLatency")
        ),
        _watched(
            _alarm(
                "Invocation5XXErrors",
                alarm_actions=[f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1"],
            ),
            _alarm("ModelLatency"),
        ),
        # Invocation metrics carry the variant: an alarm on the endpoint alone sees nothing.
        _watched(_alarm("Invocation5XXErrors", dimensions=_VARIANT[:1]), _alarm("ModelLatency")),
        _watched(
            _alarm(
                name="insights", metrics=[{"expression": _ALL.format("Invocation5XXErrors") + " LIMIT 5"}]
            ),
            _alarm(
                name="other",
                metrics=[{"expression": _LATENCY_WHERE.format("EndpointName = 'x'")}],
            ),
        ),
        _watched(
            _alarm(name="elsewhere", metrics=[_query("Invocation5XXErrors", account_id="999999999999")]),
            _alarm("ModelLatency"),
        ),
        _watched(
            *_SILENT_PAIR,
            sample(CompositeAlarm, "both", alarm_rule="ALARM(other)", alarm_actions=[_TOPIC]),
        ),
        _watched(*_BOTH, sample(InferenceComponent, "part", endpoint_name="example"), model_name=None),
    ],
    good=[
        _watched(*_BOTH),
        _watched(_alarm("InvocationModelErrors"), _alarm("OverheadLatency")),
        _watched(
            _alarm("Invocation5XXErrors", alarm_actions=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:page"]),
            _alarm("ModelLatency", alarm_actions=[f"arn:aws:ssm:{REGION}:{ACCOUNT}:opsitem:1"]),
            confirmed="0",
        ),
        # Metric math: errors over invocations.
        _watched(
            _alarm(
                name="share",
                metrics=[_query("Invocation5XXErrors"), _query("Invocations"), {"expression": "m1 / m2"}],
            ),
            _alarm("ModelLatency"),
        ),
        # One query over many endpoints.
        _watched(
            _alarm(name="errors", metrics=[{"expression": _ALL.format("Invocation5XXErrors")}]),
            _alarm(
                name="latency",
                metrics=[
                    {"expression": _LATENCY_WHERE.format("EndpointName != 'x' AND tag.Environment = 'prod'")}
                ],
            ),
            tags={"Environment": "prod"},
        ),
        _watched(
            _alarm(name="prom", query="sum(Invocation5XXErrors) > 1"),
            _alarm(name="prom latency", query='ModelLatency{EndpointName="example",VariantName="main"} > 1'),
        ),
        _watched(
            _alarm("Invocation5XXErrors"),
            _alarm(
                name="latency",
                metrics=[{"expression": _LATENCY_WHERE.format("EndpointName IN ('a', 'example')")}],
            ),
        ),
        # A composite alarm speaks for its children, also through another one.
        _watched(
            *_SILENT_PAIR,
            sample(CompositeAlarm, "inner", alarm_rule='ALARM(Invocation5XXErrors) OR ALARM("ModelLatency")'),
            sample(CompositeAlarm, "outer", alarm_rule="ALARM(inner)", alarm_actions=[_TOPIC]),
        ),
        _watched(
            *(
                _alarm(metric, dimensions=[{"name": "InferenceComponentName", "value": "part"}])
                for metric in ("Invocation5XXErrors", "ModelLatency")
            ),
            sample(InferenceComponent, "part", endpoint_name="example"),
            model_name=None,
        ),
    ],
    exempt=[
        _watched(endpoint_status="Creating"),
        _watched(tags={"Environment": "dev"}),
        _watched(model_name=None),
    ],
    remedy="Create alarms on errors and on latency that notify a topic with confirmed subscribers.",
    command=(
        "aws cloudwatch put-metric-alarm --alarm-name {name}-5xx --namespace AWS/SageMaker "
        "--metric-name Invocation5XXErrors --dimensions Name=EndpointName,Value={name} "
        "Name=VariantName,Value={part} --statistic Average --period 60 --evaluation-periods 3 "
        "--threshold 0.01 --comparison-operator GreaterThanThreshold --alarm-actions TOPIC_ARN"
    ),
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[
        security_hub("CloudWatch.15"),
        security_hub("CloudWatch.17"),
        config_rule("cloudwatch-alarm-action-check"),
        lens("MLOPS05-BP01"),
        lens("MLOPS06-BP02"),
    ],
)
def unalarmed_endpoint(variant: Variant) -> Verdict:
    """Production endpoints should have alarms on errors and latency that notify someone.

    Failures go unnoticed otherwise. Alarms on one metric, metric math, Metrics Insights and PromQL
    queries count, with the actions of composite alarms made of them. An action tells somebody when
    it is a topic with a confirmed subscriber, or anything but scaling and machine actions. Alarms
    that autoscaling made for itself do not count. Where inference components serve, each needs both.
    """
    status = endpoint_of(variant).endpoint_status
    if status != "InService":
        return not_applicable("the endpoint is not in service", EndpointStatus=status)
    places = _places(variant)
    if not places:
        return not_applicable("no inference component runs on it")
    alarms = endpoint_alarms(variant.region)
    missing: list[str] = []
    silent: list[str] = []
    for word, metrics in (("errors", ERRORS), ("latency", LATENCY)):
        for place in places:
            found = [a for a in alarms if watches(a, metrics, place, lambda: endpoint_of(variant).tags)]
            if not found:
                missing.append(word)
            elif not certain_any(found, reaches_somebody):
                silent += [alarm.name for alarm in found]
    if missing:
        words = " and ".join(dict.fromkeys(missing))
        return failed(
            f"no alarm on {words}", VariantName=variant.variant_name, silent_alarms=sorted(silent)[:10]
        )
    if silent:
        return failed(
            "its alarms notify nobody", VariantName=variant.variant_name, silent_alarms=sorted(silent)[:10]
        )
    return passed(VariantName=variant.variant_name)
