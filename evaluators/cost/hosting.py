"""Endpoints whose traffic fits another way of hosting: batches, or serverless inference."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.deployments import models_behind
from evaluators.hosting import hosting_usage
from evaluators.instances import is_accelerated
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import delivered, has_traffic, host, is_async, recent, runs_components

_SLO = "latency-slo-ms"
_WEEK = 7 * 24
_SERVERLESS_MIB = 6144
"""The most memory of a serverless variant."""


def _served(
    *others: Sample,
    tags: dict[str, str] | None = None,
    variant: dict[str, Any] | None = None,
    planned: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    kind: dict[str, Any] | None = None,
    thresholds: dict[str, Any] | None = None,
    **values: Any,
) -> Given:
    """An endpoint with one variant on two instances, watched for two weeks, and what it runs."""
    served = {
        "variant_name": "main",
        "current_instance_count": 2,
        "cpu_utilization": [5.0],
        "memory_utilization": [20.0],
        **(variant or {}),
    }
    plan = {"variant_name": "main", "model_name": "m", "instance_type": "ml.m5.xlarge", **(planned or {})}
    return given(
        sample(
            Endpoint,
            tags=tags,
            **{"endpoint_config_name": "c", "production_variants": [served], **values},
        ),
        sample(EndpointConfig, "c", **{"production_variants": [plan], **(config or {})}),
        sample(Model, "m", **{"primary_container": {"image": "i", "mode": "SingleModel"}, **(model or {})}),
        sample(InstanceType, "m5.xlarge", **(kind or {})),
        *others,
        **{"lookback_days": 14, **(thresholds or {})},
    )


def _every_day(*hours: int, calls: float = 50.0) -> list[float]:
    """Two weeks of hours with calls at the same hours of each day."""
    return [calls if hour % 24 in hours else 0.0 for hour in range(14 * 24)]


_NIGHTLY = _every_day(2, 3)
_OFFICE = [50.0 if 8 <= h % 24 < 17 and (h // 24) % 7 < 5 else 0.0 for h in range(14 * 24)]
_WEEKLY = [900.0 if h % _WEEK in (30, 31, 32, 33) else 0.0 for h in range(14 * 24)]
_NOW_AND_THEN = [40.0 if h % 37 == 0 else 0.0 for h in range(14 * 24)]
_ASYNC = {"output_config": {"s3_output_path": "s3://answers"}}
_SERVERLESS = {"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}
_RECENT = NOW - timedelta(days=5)


@rule(
    "COST-011",
    Severity.MEDIUM,
    bad=[
        _served(hourly_invocations=_NIGHTLY),
        _served(hourly_invocations=_WEEKLY),
        _served(hourly_invocations=_OFFICE, thresholds={"max_active_hours_share": 0.3}),
    ],
    good=[
        _served(hourly_invocations=_every_day(*range(24))),
        # People at work look like a burst: nine hours of five days are no batch.
        _served(hourly_invocations=_OFFICE),
        # Few calls, but none at the same hour of the next week.
        _served(hourly_invocations=_NOW_AND_THEN),
        # One burst in all that time is no pattern.
        _served(hourly_invocations=[0.0] * 300 + [500.0] * 2 + [0.0] * 34),
    ],
    exempt=[
        _served(hourly_invocations=_NIGHTLY, tags={"latency-slo-ms": "200"}),
        _served(hourly_invocations=_NIGHTLY, creation_time=_RECENT),
        _served(hourly_invocations=_NIGHTLY, config={"creation_time": _RECENT}),
        _served(hourly_invocations=_NIGHTLY, config=_ASYNC),
        _served(hourly_invocations=_NIGHTLY, variant=_SERVERLESS),
        _served(hourly_invocations=_NIGHTLY, planned={"model_name": None}),
        _served(),
        _served(hourly_invocations=_NIGHTLY, endpoint_status="Failed"),
    ],
    remedy="Run a batch transform job on the schedule, once nobody waits for the single answers.",
    command="aws sagemaker create-transform-job --transform-job-name JOB --model-name MODEL "
    "--transform-input file://input.json --transform-output S3OutputPath=s3://BUCKET/PREFIX "
    "--transform-resources InstanceType=ml.m5.large,InstanceCount=1",
    change=Change.RECREATE,
    confidence=0.4,
    maps=[lens("MLCOST05-BP01"), lens("MLPERF05-BP02")],
)
def endpoint_for_batches(
    endpoint: Endpoint, *, lookback_days: int = 28, max_active_hours_share: float = 0.15
) -> Verdict:
    """Endpoints that are called in bursts by the clock should be batch jobs.

    A batch job is paid for the minutes of its work, an endpoint for every hour. All calls have to
    fall in few hours of the week that come again each week. Tools that people use in office hours
    look alike to a clock: ask the callers first, and tag endpoints that have to answer at once with
    their latency target. The figure is of the hours without calls.
    """
    beyond = _beyond(endpoint, lookback_days)
    if beyond is not None:
        return beyond
    hours = _called_hours(endpoint, lookback_days)
    if not hours:
        return not_applicable(f"no traffic in {lookback_days} days")
    slots = {(moment.weekday(), moment.hour) for moment in hours}
    weeks = {(endpoint.region.now - moment) // timedelta(days=7) for moment in hours}
    share = len(hours) / (24 * lookback_days)
    figures: dict[str, Any] = {"active_hours": len(hours), "active_hours_share": round(share, 3)}
    whole = lookback_days // 7
    returns = len(weeks) >= whole and 2 * len(hours) > len(slots) * whole
    if share > max_active_hours_share or len(slots) > max_active_hours_share * _WEEK or not returns:
        return passed(**figures)
    return failed(
        "all its calls come in the same few hours of the week",
        waste=[
            replace(usage, hours=round(usage.hours * (1 - share)))
            for usage in hosting_usage(endpoint, endpoint.production_variants)
        ],
        Invocations=recent(endpoint.hourly_invocations, endpoint, lookback_days).sum(),
        **figures,
    )


def _beyond(endpoint: Endpoint, days: int) -> Verdict | None:
    """Why another way of hosting is nothing for an endpoint, whatever its traffic; `None` where it could be."""
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    if any(variant.is_serverless for variant in endpoint.production_variants):
        return not_applicable("a serverless endpoint is paid by the call already")
    if is_async(endpoint):
        return not_applicable("an asynchronous endpoint may rest already")
    if runs_components(endpoint):
        return not_applicable("its inference components publish their own invocations")
    if any(key.lower() == _SLO for key in endpoint.tags):
        return not_applicable(f"it has to answer at once by its tag {_SLO}")
    config = endpoint.config
    made = [endpoint.creation_time, *([config.creation_time] if config is not None else [])]
    if max(made) > endpoint.region.ago(days):
        return not_applicable(f"made or changed within {days} days")
    return None


def _called_hours(endpoint: Endpoint, days: int) -> frozenset[datetime]:
    """The hours of the last days in which it was called.

    Without any, a host metric has to prove that metrics arrive, else `Unread` is raised.
    """
    series = recent(endpoint.hourly_invocations, endpoint, days)
    found = frozenset(t for t, calls in zip(series.timestamps, series.values, strict=True) if calls > 0)
    if not found:
        for variant in endpoint.production_variants:
            has_traffic(variant, min(days, 7))
    return found


_FEW = _every_day(5, 9, 14, calls=12.0)


@rule(
    "COST-012",
    Severity.LOW,
    bad=[
        _served(hourly_invocations=_FEW),
        _served(hourly_invocations=_NOW_AND_THEN),
        # 35 % of 16 GiB are just below 6 GiB.
        _served(hourly_invocations=_FEW, variant={"memory_utilization": [35.0]}),
    ],
    good=[
        _served(hourly_invocations=_every_day(*range(24), calls=20.0)),
        _served(hourly_invocations=_every_day(1, 2, calls=9_000.0)),
        _served(hourly_invocations=_FEW, thresholds={"max_rate_per_hour": 1}),
    ],
    exempt=[
        _served(hourly_invocations=_FEW, kind={"gpus": [{"count": 1}]}),
        _served(hourly_invocations=_FEW, model={"primary_container": {"image": "i", "mode": "MultiModel"}}),
        _served(hourly_invocations=_FEW, model={"subnets": ["subnet-1"]}),
        _served(hourly_invocations=_FEW, model={"enable_network_isolation": True}),
        _served(
            hourly_invocations=_FEW,
            model={"primary_container": None, "containers": [{"image": "a"}, {"image": "b"}]},
        ),
        _served(
            hourly_invocations=_FEW,
            model={"primary_container": {"image": "i", "repository_access_mode": "Vpc"}},
        ),
        _served(
            hourly_invocations=_FEW,
            model={
                "primary_container": {
                    "model_package_name": "arn:aws:sagemaker:eu-west-1:865070037744:model-package/vendor"
                }
            },
        ),
        _served(hourly_invocations=_FEW, data_capture_config={"enable_capture": True}),
        _served(hourly_invocations=_FEW, variant={"memory_utilization": [40.0]}),
        _served(hourly_invocations=_FEW, tags={"latency-slo-ms": "200"}),
        _served(hourly_invocations=_FEW, variant=_SERVERLESS),
        _served(hourly_invocations=_FEW, config=_ASYNC),
        _served(hourly_invocations=_FEW, planned={"model_name": None}),
        _served(hourly_invocations=_FEW, creation_time=_RECENT),
        _served(),
    ],
    remedy="Make a new endpoint with a serverless configuration: one on instances cannot be turned into it.",
    command="aws sagemaker create-endpoint-config --endpoint-config-name SERVERLESS "
    "--production-variants file://serverless.json",
    change=Change.RECREATE,
    confidence=0.7,
    maps=[lens("MLCOST05-BP01")],
)
def instances_for_sporadic_calls(
    endpoint: Endpoint,
    *,
    max_rate_per_hour: float = 100,
    min_zero_hours_share: float = 0.6,
    lookback_days: int = 28,
) -> Verdict:
    """Endpoints that are called now and then should be serverless.

    Serverless inference is paid by the call. It has no GPU, VPC, network isolation, data capture,
    Model Monitor, multi-model or pipeline endpoints, no Marketplace models and no private registry,
    and six gigabytes at most: endpoints with any of these are not judged, and neither are those with
    a latency target, since the first call after a pause waits. The figure is of the instances; the
    calls' own price is not in it.
    """
    if endpoint.region.partition == "aws-cn":
        return not_applicable("China has no serverless inference")
    beyond = _beyond(endpoint, lookback_days) or _unfit(endpoint)
    if beyond is not None:
        return beyond
    hours = _called_hours(endpoint, lookback_days)
    if not hours:
        return not_applicable(f"no traffic in {lookback_days} days")
    total = recent(endpoint.hourly_invocations, endpoint, lookback_days).sum()
    rate, zero = total / (24 * lookback_days), 1 - len(hours) / (24 * lookback_days)
    figures: dict[str, Any] = {
        "Invocations": total,
        "invocations_per_hour": round(rate, 1),
        "zero_hours_share": round(zero, 2),
    }
    if rate >= max_rate_per_hour or zero < min_zero_hours_share:
        return passed(**figures)
    if not _fits(endpoint.production_variants):
        return not_applicable("it needs more memory than serverless inference has", **figures)
    return failed(
        "it is hardly called, and paid for by the hour",
        waste=hosting_usage(endpoint, endpoint.production_variants),
        **figures,
    )


def _unfit(endpoint: Endpoint) -> Verdict | None:
    """What an endpoint has that serverless inference lacks; `None` without any of it."""
    capture = endpoint.data_capture_config
    if capture is not None and capture.enable_capture:
        return not_applicable("serverless inference captures no data")
    models = models_behind(endpoint)
    if any(model.subnets or model.enable_network_isolation for model in models):
        return not_applicable("serverless inference has neither VPC nor network isolation")
    if any(len(model.all_containers) > 1 for model in models):
        return not_applicable("serverless inference runs no pipelines")
    for container in (c for model in models for c in model.all_containers):
        if container.mode == "MultiModel" or container.package_is_foreign:
            return not_applicable("serverless inference runs neither many models nor the Marketplace's")
        if container.repository_access_mode == "Vpc":
            return not_applicable("serverless inference reads no private registry")
    if any(is_accelerated(host(variant)) for variant in endpoint.production_variants):
        return not_applicable("serverless inference has no accelerators")
    return None


def _fits(variants: Iterable[Variant]) -> bool:
    """Whether what each variant's hosts used of their memory fits the largest serverless size."""
    for variant in variants:
        used = delivered(recent(variant.memory_utilization, variant, 7), variant, "MemoryUtilization")
        if max(used.values) / 100 * host(variant).size_in_mi_b > _SERVERLESS_MIB:
            return False
    return True
