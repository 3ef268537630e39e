"""Whether new versions are tried on part of the traffic before all of it."""

from datetime import timedelta
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, EndpointDeployment
from collectors.sagemaker.inference_experiments import InferenceExperiment
from collectors.sample import NOW, Sample, sample
from collectors.view import Region, index
from evaluators.controls import lens
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

_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"
_OLD, _NEW = NOW - timedelta(days=300), NOW - timedelta(days=9)


def _changed(*others: Sample, created: Any = _NEW, variants: int = 1, **values: Any) -> Given:
    held = [{"variant_name": f"v{n}", "current_weight": 1.0} for n in range(variants)]
    return given(
        sample(
            Endpoint,
            "churn",
            arn=_ARN,
            creation_time=_OLD,
            last_modified_time=created,
            endpoint_config_name="churn-2",
            production_variants=held,
            **values,
        ),
        sample(EndpointConfig, "churn-2", creation_time=created),
        *others,
    )


def _deployed(**values: Any) -> Sample:
    return sample(EndpointDeployment, "churn", arn=_ARN, last_deployment_config={"A": 1}, **values)


@rule(
    "REL-017",
    Severity.LOW,
    confidence=0.7,
    scope=Scope.PRODUCTION,
    bad=[
        _changed(),
        _changed(_deployed(traffic_routing_configuration={"type": "ALL_AT_ONCE"})),
        _changed(sample(InferenceExperiment, "other", endpoint_name="fraud")),
    ],
    good=[
        _changed(variants=2),
        _changed(shadow_production_variants=[{"variant_name": "shadow"}]),
        _changed(sample(InferenceExperiment, "shadow", endpoint_name="churn", status="Completed")),
        _changed(_deployed(traffic_routing_configuration={"type": "CANARY"})),
        _changed(_deployed(rolling_update_policy={"MaximumBatchSize": {"Value": 1}})),
    ],
    exempt=[
        _changed(created=_OLD + timedelta(minutes=5)),
        _changed(created=NOW - timedelta(days=120)),
        _changed(tags={"Environment": "dev"}),
        _changed(endpoint_status="Failed"),
    ],
    remedy="Run a shadow test first, or send the new version a part of the traffic.",
    command="aws sagemaker create-inference-experiment --name NAME --type ShadowMode --role-arn ROLE_ARN "
    "--endpoint-name {name} --model-variants file://variants.json --shadow-mode-config file://shadow.json",
    change=Change.IN_PLACE,
    maps=[lens("MLREL04-BP02")],
)
def untried_release(endpoint: Endpoint, *, lookback_days: float = 90) -> Verdict:
    """New versions should be tried by A/B, canary or shadow test before they take all traffic.

    An endpoint whose configuration is newer than itself changed what it serves. Two variants with
    traffic, a shadow variant, an experiment on it, or a deployment in steps are evidence. Evidence of
    earlier tests is gone with their configurations, so its absence is a weak sign.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    config = endpoint.config
    changed = config.creation_time if config is not None else endpoint.last_modified_time
    if changed < endpoint.region.ago(lookback_days) or changed <= endpoint.creation_time + timedelta(hours=1):
        return not_applicable("what it serves did not change in the window")
    weighted = [v for v in endpoint.production_variants if v.current_weight]
    if len(weighted) > 1 or endpoint.shadow_production_variants:
        return passed("several variants get its traffic", variants=len(weighted))
    deployment = endpoint.deployment
    if deployment is not None:
        routing = deployment.traffic_routing_configuration
        if deployment.rolling_update_policy or (routing is not None and routing.type in ("CANARY", "LINEAR")):
            return passed("it was deployed in steps", Type=routing.type if routing is not None else "ROLLING")
    if endpoint.name in _tested(endpoint.region):
        return passed("an experiment ran on it")
    return failed(
        "its newest version took all traffic at once, untried",
        CreationTime=changed.isoformat(),
        EndpointConfigName=endpoint.endpoint_config_name,
        variants=len(weighted),
    )


@index
def _tested(region: Region) -> frozenset[str]:
    """The endpoints that experiments ran on. Raises `Unread` where one could not be read."""
    return frozenset(e.endpoint_name for e in region.all(InferenceExperiment) if e.endpoint_name)
