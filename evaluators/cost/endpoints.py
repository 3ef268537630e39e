"""Endpoints that cost money and serve nobody."""

from datetime import timedelta
from typing import Any

from collectors.autoscaling import ScalableTarget
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import NOW, sample
from evaluators.controls import lens
from evaluators.hosting import hosting_usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set, said
from evaluators.traffic import calls, delivered, recent, runs_components

_CYCLES = {
    "daily": 1,
    "weekly": 7,
    "biweekly": 14,
    "fortnightly": 14,
    "monthly": 31,
    "quarterly": 92,
    "yearly": 366,
}
_ASYNC = {"output_config": {"s3_output_path": "s3://results"}}
_SERVERLESS: dict[str, Any] = {
    "cpu_utilization": None,
    "current_instance_count": None,
    "current_serverless_config": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}


def _idle(
    *variants: dict[str, Any],
    endpoint: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    planned: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    scaled: bool = False,
    **thresholds: Any,
) -> Given:
    """An endpoint whose host metrics arrive; its config plans each variant alike."""
    served = [
        {"variant_name": f"v{i}", "current_instance_count": 1, "cpu_utilization": [1.0], **variant}
        for i, variant in enumerate(variants or ({},))
    ]
    plan = {"model_name": "m", "instance_type": "ml.m7i.large", **(planned or {})}
    targets = [sample(ScalableTarget, resource_id="endpoint/example/variant/v0")] if scaled else []
    return given(
        sample(
            Endpoint,
            tags=tags,
            **{"endpoint_config_name": "c", "production_variants": served, **(endpoint or {})},
        ),
        sample(
            EndpointConfig,
            "c",
            **{
                "production_variants": [{"variant_name": v["variant_name"], **plan} for v in served],
                **(config or {}),
            },
        ),
        *targets,
        **thresholds,
    )


_YESTERDAY = NOW - timedelta(days=1)


@rule(
    "COST-001",
    Severity.HIGH,
    bad=[
        _idle(),
        _idle({}, {}),
        _idle({"invocations": [0.0, 0.0]}),
        # Autoscaling moves LastModifiedTime: it is no sign of a change then.
        _idle(endpoint={"last_modified_time": _YESTERDAY}, scaled=True),
        _idle({"approximate_backlog_size": [0.0]}, config=_ASYNC),
        _idle(tags={"dr-standby": "false"}),
        _idle(tags={"schedule": "daily"}),
    ],
    good=[
        _idle({"invocations": [1.0]}),
        _idle({}, {"invocations": [0.0, 3.0, 0.0]}),
        _idle({"approximate_backlog_size": [0.0, 2.0]}, config=_ASYNC),
        _idle({"invocations_processed": [4.0]}, config=_ASYNC),
        _idle({"cpu_utilization": None, "invocations": [1.0], "provisioned_concurrency": 2}),
    ],
    exempt=[
        _idle(_SERVERLESS),
        _idle({"current_instance_count": 0}, config=_ASYNC),
        _idle(endpoint={"creation_time": _YESTERDAY}),
        _idle(config={"creation_time": _YESTERDAY}),
        _idle(endpoint={"last_modified_time": _YESTERDAY}),
        _idle(tags={"dr-standby": "true"}),
        _idle(tags={"standby": "yes"}, standby_tag="standby"),
        _idle(tags={"Schedule": "weekly"}),
        _idle(planned={"model_name": None}),
        _idle(endpoint={"endpoint_status": "Failed"}),
    ],
    remedy="Delete the endpoint (config and model stay), or make it serverless or asynchronous.",
    command="aws sagemaker delete-endpoint --endpoint-name {name}",
    change=Change.RECREATE,
    maps=[lens("MLCOST04-BP08"), lens("MLCOST06-BP03"), lens("MLSUS03-BP01")],
)
def idle_endpoint(endpoint: Endpoint, *, idle_days: int = 7, standby_tag: str = "dr-standby") -> Verdict:
    """Endpoints that nobody calls should be removed.

    An endpoint is billed by the hour, called or not. `Invocations` has no datapoints without calls,
    so each variant's host metric has to prove that metrics arrive. Set the number of days above the
    longest cycle of callers, or tag such an endpoint with `schedule` (`weekly`, `monthly`). Of
    asynchronous endpoints the backlog and the processed calls count. Where autoscaling moves
    `LastModifiedTime`, only the age of the config tells when the endpoint was last changed.
    """
    return idleness(endpoint, idle_days, standby_tag)


def idleness(endpoint: Endpoint, idle_days: int, standby_tag: str) -> Verdict:
    """Whether nobody called an endpoint in so many days; not applicable where that would be no sign."""
    status = endpoint.endpoint_status
    if status != "InService":
        return not_applicable("the endpoint is not in service", EndpointStatus=status)
    if is_set(endpoint.tags, standby_tag):
        return not_applicable(f"a standby for disaster recovery by its tag {standby_tag}")
    often = said(endpoint.tags, "schedule")
    cycle = _CYCLES.get(often, 0)
    if cycle >= idle_days:
        return not_applicable(f"called {often}: {idle_days} days without calls are no sign")
    if runs_components(endpoint):
        return not_applicable("its inference components publish their own invocations")
    billed = [variant for variant in endpoint.production_variants if _is_billed(variant)]
    if not billed:
        return not_applicable("nothing runs while nobody calls")
    changed = _changed(endpoint, idle_days)
    if changed:
        return not_applicable(changed)
    called = sum(calls(variant, idle_days) for variant in endpoint.production_variants)
    if called > 0:
        return passed(Invocations=called)
    for variant in billed:
        delivered(recent(variant.cpu_utilization, variant, idle_days), variant, "CPUUtilization")
    return failed(
        f"nobody called it in {idle_days} days",
        waste=hosting_usage(endpoint, billed),
        Invocations=called,
        CreationTime=endpoint.creation_time.isoformat(),
        CurrentInstanceCount=sum(variant.current_instance_count or 0 for variant in billed),
    )


def _is_billed(variant: Variant) -> bool:
    """Whether it costs money while nobody calls it."""
    if variant.is_serverless:
        return bool(variant.provisioned_concurrency)
    return variant.current_instance_count != 0


def _changed(endpoint: Endpoint, days: int) -> str:
    """Why an endpoint is too new to be called idle; nothing where it is old enough."""
    since = endpoint.region.ago(days)
    config = endpoint.config
    if endpoint.creation_time > since or (config is not None and config.creation_time > since):
        return f"created or changed within {days} days"
    if endpoint.last_modified_time > since and not _autoscaled(endpoint):
        return f"updated within {days} days"
    return ""


def _autoscaled(endpoint: Endpoint) -> bool:
    prefix = f"endpoint/{endpoint.name}/"
    return any(target.resource_id.startswith(prefix) for target in endpoint.region.all(ScalableTarget))
