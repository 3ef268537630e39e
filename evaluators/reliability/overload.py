"""Overload of endpoints without instances of their own to count: queues, and serverless concurrency."""

from collections.abc import Iterator
from typing import Any

from collectors.autoscaling import INSTANCES, ScalableTarget, ScalingPolicy, targets_by_resource
from collectors.cloudwatch import MetricAlarm
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.rule import (
    Change,
    Given,
    Severity,
    Verdict,
    expect,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.traffic import delivered, is_async, recent

_WINDOW_DAYS = 14
_WAKING = ("HasBacklogWithoutCapacity", "ApproximateBacklogSize")
"""Metrics that a queue has while no instance runs; the backlog by instance is none of them."""

_RESOURCE = "endpoint/example/variant/main"
_ANSWERS = {"s3_output_path": "s3://answers", "error_topic": "arn:aws:sns:eu-west-1:123456789012:errors"}
_QUEUE: dict[str, Any] = {"approximate_backlog_size": [0.0, 3.0]}


def _queued(
    *others: Sample,
    output: dict[str, Any] | None = None,
    variant: dict[str, Any] | None = None,
    thresholds: dict[str, Any] | None = None,
    **values: Any,
) -> Given:
    """An asynchronous endpoint with one variant, its queue and its configuration."""
    served = {"variant_name": "main", "current_instance_count": 1, **_QUEUE, **(variant or {})}
    planned = {"variant_name": "main", "model_name": "m", "instance_type": "ml.g5.xlarge"}
    return given(
        sample(Endpoint, **{"endpoint_config_name": "c", "production_variants": [served], **values}),
        sample(EndpointConfig, "c", production_variants=[planned], output_config=output or _ANSWERS),
        *others,
        **(thresholds or {}),
    )


def _serverless(*, instance_type: str | None = None, **variant: Any) -> Given:
    served = {
        "variant_name": "main",
        "current_serverless_config": {"MaxConcurrency": 5, "MemorySizeInMB": 2048},
        "invocations": [40.0],
        **variant,
    }
    return given(
        sample(Endpoint, endpoint_config_name="c", production_variants=[served]),
        sample(
            EndpointConfig,
            "c",
            production_variants=[{"variant_name": "main", "instance_type": instance_type}],
        ),
    )


def _resting(*alarms: str, **policy: Any) -> list[Sample]:
    return [
        sample(
            ScalableTarget, _RESOURCE, resource_id=_RESOURCE, scalable_dimension=INSTANCES, min_capacity=0
        ),
        sample(
            ScalingPolicy,
            "p",
            resource_id=_RESOURCE,
            scalable_dimension=INSTANCES,
            alarms=[{"alarm_name": name} for name in alarms],
            **policy,
        ),
    ]


def _alarm(metric: str) -> Sample:
    return sample(MetricAlarm, "wake", metric_name=metric, namespace="AWS/SageMaker")


@rule(
    "REL-013",
    Severity.MEDIUM,
    bad=[
        _queued(output={"s3_output_path": "s3://answers"}),
        _queued(*_resting(metric_name="ApproximateBacklogSizePerInstance")),
        # The alarm that the policy acts on is gone.
        _queued(*_resting("wake", policy_type="StepScaling")),
        _queued(*_resting("wake", policy_type="StepScaling"), _alarm("ApproximateBacklogSizePerInstance")),
        _queued(variant={"expired_requests": [0.0, 2.0]}),
        _queued(variant={"approximate_age_of_oldest_request": [20.0, 3601.0]}),
        _queued(
            variant={"approximate_age_of_oldest_request": [70.0]}, thresholds={"max_backlog_age_seconds": 60}
        ),
        _serverless(concurrent_executions_utilization=[0.2, 1.0]),
    ],
    good=[
        _queued(),
        _queued(output={"s3_output_path": "s3://answers", "s3_failure_path": "s3://failures"}),
        # Without calls there may be no queue to measure: the hosts show that metrics arrive.
        _queued(variant={"approximate_backlog_size": None, "cpu_utilization": [2.0]}),
        _queued(variant={"approximate_age_of_oldest_request": [20.0], "expired_requests": [0.0]}),
        _queued(*_resting("wake", policy_type="StepScaling"), _alarm("HasBacklogWithoutCapacity")),
        _queued(*_resting(metric_name="HasBacklogWithoutCapacity")),
        _serverless(concurrent_executions_utilization=[0.2, 0.8]),
    ],
    exempt=[
        _serverless(current_serverless_config=None, current_instance_count=2, instance_type="ml.m5.large"),
        _serverless(invocations=None),
        _queued(endpoint_status="Failed"),
    ],
    remedy="Name an ErrorTopic or an S3FailurePath, wake the endpoint by a step policy on "
    "HasBacklogWithoutCapacity, and raise the most that it may run.",
    command="aws application-autoscaling put-scaling-policy --service-namespace sagemaker "
    "--resource-id endpoint/{name}/variant/VARIANT --scalable-dimension sagemaker:variant:DesiredInstanceCount "
    "--policy-name wake --policy-type StepScaling --step-scaling-policy-configuration file://step.json",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP01")],
)
def silent_overload(endpoint: Endpoint, *, max_backlog_age_seconds: int = 3600) -> Verdict:
    """Asynchronous and serverless endpoints should survive overload, and tell of errors.

    Nobody waits at the other end of a queue: a call that fails or expires is lost in silence unless
    a topic or a failure path keeps it. One that rests on no instance needs a policy on a metric that
    it has then, or calls wait until the queue is long. Serverless calls beyond the concurrency are
    refused. `Invocations` is never asked of asynchronous endpoints, which do not publish it.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    serverless = [variant for variant in endpoint.production_variants if variant.is_serverless]
    if serverless:
        return _concurrency(serverless)
    if not is_async(endpoint):
        return not_applicable("neither asynchronous nor serverless")
    return _queue(endpoint, max_backlog_age_seconds)


def _concurrency(variants: list[Variant]) -> Verdict:
    if not any(recent(variant.invocations, variant, _WINDOW_DAYS) for variant in variants):
        return not_applicable(f"no traffic in {_WINDOW_DAYS} days")
    peaks = []
    for variant in variants:
        series = recent(variant.concurrent_executions_utilization, variant, _WINDOW_DAYS)
        if series or recent(variant.invocations, variant, _WINDOW_DAYS):
            metric = "ServerlessConcurrentExecutionsUtilization"
            peaks.append(max(delivered(series, variant, metric).values))
    return expect(
        max(peaks) < 1,
        "it reached its concurrency, and calls beyond it are refused",
        ServerlessConcurrentExecutionsUtilization=round(max(peaks), 2),
        MaxConcurrency=[variant.max_concurrency for variant in variants],
    )


def _queue(endpoint: Endpoint, oldest: int) -> Verdict:
    config = endpoint.config
    output = config.output_config if config is not None else None
    topic, folder = (output.error_topic, output.s3_failure_path) if output is not None else (None, None)
    wrong: list[str] = []
    evidence: dict[str, Any] = {"ErrorTopic": topic, "S3FailurePath": folder}
    if not topic and not folder:
        wrong.append("nothing keeps calls that fail")
    if any(not _wakes(target) for target in _at_rest(endpoint)):
        wrong.append("nothing wakes it at the first call")
        evidence["MinCapacity"] = 0
    if wrong:
        return failed("; ".join(wrong), **evidence)
    expired, age = _waits(endpoint)
    evidence |= {"ExpiredRequests": expired, "ApproximateAgeOfOldestRequest": age}
    if expired:
        return failed(f"{expired:.0f} calls expired in its queue", **evidence)
    if age > oldest:
        return failed(f"a call waited {age:.0f} seconds", **evidence)
    return passed(**evidence)


def _at_rest(endpoint: Endpoint) -> Iterator[ScalableTarget]:
    """The targets that may take one of its variants down to no instance."""
    targets = targets_by_resource(endpoint.region)
    for variant in endpoint.production_variants:
        for target in targets.get(f"endpoint/{endpoint.name}/variant/{variant.variant_name}", ()):
            if target.scalable_dimension == INSTANCES and target.min_capacity == 0:
                yield target


def _wakes(target: ScalableTarget) -> bool:
    """Whether a policy acts on something that is measured while no instance runs."""
    return any(
        policy.metric_name in _WAKING or any(_watches_queue(policy, a.alarm_name) for a in policy.alarms)
        for policy in target.policies
    )


def _watches_queue(policy: ScalingPolicy, name: str | None) -> bool:
    alarm = policy.region.find(MetricAlarm, name)
    if alarm is None:
        return False
    return bool({alarm.metric_name, *(query.metric_name for query in alarm.metrics)} & {*_WAKING})


def _waits(endpoint: Endpoint) -> tuple[float, float]:
    """How many calls expired, and the longest wait in seconds.

    Raises `Unread` unless something shows that the queue's metrics arrive.
    """
    expired = age = 0.0
    for variant in endpoint.production_variants:
        ages = recent(variant.approximate_age_of_oldest_request, variant, _WINDOW_DAYS)
        lost = recent(variant.expired_requests, variant, _WINDOW_DAYS)
        if not ages and not lost:
            queue = recent(variant.approximate_backlog_size, variant, _WINDOW_DAYS)
            proof = queue or recent(variant.cpu_utilization, variant, _WINDOW_DAYS)
            delivered(proof, variant, "ApproximateBacklogSize or CPUUtilization")
        expired, age = expired + lost.sum(), max(age, ages.maximum() or 0.0)
    return expired, age
