"""Asynchronous endpoints: instances that wait for a queue that is empty."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from collectors.autoscaling import INSTANCES, ScalableTarget, targets_by_resource
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.hosting import hosting_usage
from evaluators.money import Usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import delivered, is_async, recent

_ANSWERS = {"s3_output_path": "s3://answers"}
_SERVERLESS = {"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}
_RECENT = NOW - timedelta(days=5)
_RESTING = [4.0 if hour % 24 in (1, 2, 3) else 0.0 for hour in range(14 * 24)]
_BUSY = [4.0 if hour % 24 < 20 else 0.0 for hour in range(14 * 24)]

_RESOURCE = "endpoint/example/variant/main"


def _target(least: int) -> Sample:
    return sample(
        ScalableTarget, _RESOURCE, resource_id=_RESOURCE, scalable_dimension=INSTANCES, min_capacity=least
    )


def _queued(
    *others: Sample,
    backlog: list[float],
    variant: dict[str, Any] | None = None,
    output: dict[str, Any] | None = _ANSWERS,
    thresholds: dict[str, Any] | None = None,
    **values: Any,
) -> Given:
    served = {
        "variant_name": "main",
        "current_instance_count": 2,
        "approximate_backlog_size": backlog,
        **(variant or {}),
    }
    planned = {"variant_name": "main", "model_name": "m", "instance_type": "ml.g5.xlarge"}
    return given(
        sample(Endpoint, **{"endpoint_config_name": "c", "production_variants": [served], **values}),
        sample(EndpointConfig, "c", production_variants=[planned], output_config=output),
        *others,
        **(thresholds or {}),
    )


@rule(
    "COST-013",
    Severity.MEDIUM,
    bad=[
        _queued(backlog=_RESTING),
        _queued(_target(1), backlog=_RESTING),
        _queued(_target(1), backlog=_BUSY, thresholds={"min_idle_share": 0.1}),
        # The managed scaling of instances keeps one.
        _queued(backlog=_RESTING, variant={"status": "ENABLED", "min_instance_count": 1}),
    ],
    good=[
        _queued(_target(0), backlog=_RESTING),
        _queued(_target(1), backlog=_BUSY),
        _queued(backlog=_RESTING, variant={"status": "ENABLED", "min_instance_count": 0}),
        # Few datapoints prove few idle hours.
        _queued(_target(1), backlog=[0.0] * 24),
    ],
    exempt=[
        _queued(backlog=_RESTING, output=None),
        _queued(backlog=_RESTING, output=None, variant=_SERVERLESS),
        _queued(_target(1), backlog=_RESTING, creation_time=_RECENT),
        _queued(_target(1), backlog=_RESTING, endpoint_status="Creating"),
    ],
    remedy="Set MinCapacity to 0, with a step policy on HasBacklogWithoutCapacity that wakes the endpoint.",
    command="aws application-autoscaling register-scalable-target --service-namespace sagemaker "
    "--resource-id endpoint/{name}/variant/VARIANT --scalable-dimension sagemaker:variant:DesiredInstanceCount "
    "--min-capacity 0 --max-capacity 4",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST05-BP01"), lens("MLCOST06-BP03")],
)
def sleepless_async_endpoint(
    endpoint: Endpoint, *, min_idle_share: float = 0.5, lookback_days: int = 14
) -> Verdict:
    """Asynchronous endpoints should scale to zero while their queue is empty.

    A queue can wait for an instance to start, and no instance has to wait for the queue. Hours in
    which the backlog was measured and empty count as idle, hours without a datapoint do not. The
    figure is of the idle hours of the instances that scaling keeps.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    if any(variant.is_serverless for variant in endpoint.production_variants) or not is_async(endpoint):
        return not_applicable("not asynchronous")
    kept = {variant.variant_name: _kept(endpoint, variant) for variant in endpoint.production_variants}
    if all(count == 0 for count in kept.values()):
        return passed(MinCapacity=0)
    if endpoint.creation_time > endpoint.region.ago(lookback_days):
        return not_applicable(f"younger than {lookback_days} days")
    # The queue is the endpoint's: every variant shows the same one.
    first = endpoint.production_variants[0]
    queue = recent(first.approximate_backlog_size, first, lookback_days)
    sizes = delivered(queue, first, "ApproximateBacklogSize").values
    idle = sum(not size for size in sizes) / (24 * lookback_days)
    figures: dict[str, Any] = {
        "ApproximateBacklogSize": max(sizes),
        "MinCapacity": max((count for count in kept.values() if count is not None), default=None),
        "idle_share": round(idle, 2),
    }
    if idle < min_idle_share:
        return passed(**figures)
    return failed(
        "it keeps instances while its queue is empty", waste=_idle_hours(endpoint, kept, idle), **figures
    )


def _kept(endpoint: Endpoint, variant: Variant) -> int | None:
    """How many instances scaling keeps of a variant; `None` where nothing scales it."""
    if variant.status == "ENABLED":
        return variant.min_instance_count
    resource = f"endpoint/{endpoint.name}/variant/{variant.variant_name}"
    targets = targets_by_resource(endpoint.region).get(resource, ())
    return min((t.min_capacity for t in targets if t.scalable_dimension == INSTANCES), default=None)


def _idle_hours(endpoint: Endpoint, kept: dict[str, int | None], share: float) -> list[Usage]:
    """The idle hours of a month of the instances that stay whatever comes."""
    found: list[Usage] = []
    for variant in endpoint.production_variants:
        for usage in hosting_usage(endpoint, (variant,)):
            least = kept[variant.variant_name]
            count = usage.count if least is None else min(least, usage.count)
            found.append(replace(usage, hours=round(usage.hours * share), count=count))
    return [usage for usage in found if usage.count]
