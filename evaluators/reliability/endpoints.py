"""Endpoints: spare instances, and how updates reach users."""

from datetime import timedelta
from typing import Any

from collectors.autoscaling import INSTANCES, ScalableTarget, targets_by_resource
from collectors.cloudwatch import CompositeAlarm, MetricAlarm
from collectors.model import Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import SETTLING, Endpoint, EndpointDeployment, Variant
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.deployments import models_behind
from evaluators.instances import family
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
from evaluators.traffic import configured, endpoint_of, is_async

_CONFIG = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "main", "model_name": "scorer", "instance_type": "ml.m5.xlarge"}],
)
_MODEL = sample(
    Model, "scorer", primary_container={"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/s:1"}
)


def _endpoint(
    *others: Sample, variant: dict[str, Any] | None = None, tags: dict[str, str] | None = None, **values: Any
) -> Given:
    served = {"variant_name": "main", "current_instance_count": 1, "current_weight": 1.0, **(variant or {})}
    base = {"endpoint_config_name": "scorer-1", "production_variants": [served]}
    around = {made.view: made for made in (_CONFIG, _MODEL, *others)}
    return given(sample(Endpoint, tags=tags, **{**base, **values}), *around.values())


def _scaled(least: int, most: int = 6, name: str = "main") -> Sample:
    return sample(
        ScalableTarget,
        f"endpoint/example/variant/{name}",
        resource_id=f"endpoint/example/variant/{name}",
        scalable_dimension=INSTANCES,
        min_capacity=least,
        max_capacity=most,
    )


_CONFIGURED_TWO = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "main", "model_name": "scorer", "initial_instance_count": 2}],
)
_ASYNC = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "main", "model_name": "scorer", "instance_type": "ml.m5.xlarge"}],
    output_config={"s3_output_path": "s3://answers"},
)
_SERVERLESS = {"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}


@rule(
    "REL-001",
    Severity.HIGH,
    bad=[
        _endpoint(),
        _endpoint(tags={"Environment": "prod"}),
        _endpoint(_scaled(1)),
        _endpoint(_scaled(1), variant={"current_instance_count": 3}),
        _endpoint(variant={"current_instance_count": 2, "min_instance_count": 1, "status": "ENABLED"}),
        # The configuration's two are one by now: the live count decides.
        _endpoint(_CONFIGURED_TWO, _scaled(2)),
        # The only variant serves everything, whatever AWS says of its weight.
        _endpoint(variant={"current_weight": None}),
        # Only an asynchronous endpoint may scale to zero.
        _endpoint(_scaled(0), variant={"current_instance_count": 2}),
        _endpoint(_ASYNC, _scaled(1), variant={"current_instance_count": 2}),
    ],
    good=[
        _endpoint(variant={"current_instance_count": 2}),
        _endpoint(_scaled(2), variant={"current_instance_count": 2}),
        _endpoint(_scaled(1, name="other"), variant={"current_instance_count": 2}),
        _endpoint(variant={"current_instance_count": 2, "min_instance_count": 1, "status": "DISABLED"}),
    ],
    exempt=[
        _endpoint(variant=_SERVERLESS),
        _endpoint(variant={"current_weight": 0.0}),
        _endpoint(tags={"Environment": "dev"}),
        _endpoint(tags={"Environment": "staging"}),
        _endpoint(endpoint_status="Creating"),
        _endpoint(_ASYNC, _scaled(0), variant={"current_instance_count": 0}),
    ],
    remedy="Raise the instance count, or the least capacity of autoscaling, to two.",
    command="aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {name} "
    "--desired-weights-and-capacities VariantName={part},DesiredInstanceCount=2",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[
        security_hub("SageMaker.4"),
        config_rule("sagemaker-endpoint-config-prod-instance-count"),
        prowler("sagemaker_endpoint_config_prod_variant_instances"),
        lens("MLREL05-BP01"),
    ],
)
def single_instance_variant(variant: Variant) -> Verdict:
    """Production endpoint variants should run on at least two instances.

    One instance lies in one Availability Zone: any failure is an outage. The live count decides, not
    the configuration's; a least capacity of one lets autoscaling go down to one at night. Serverless
    variants have no instances, and an asynchronous endpoint may scale to zero.
    """
    endpoint = endpoint_of(variant)
    if endpoint.endpoint_status in ("Creating", "Deleting", "Failed"):
        return not_applicable(f"the endpoint is {endpoint.endpoint_status}")
    if variant.is_serverless:
        return not_applicable("a serverless variant has no instances")
    if variant.current_weight == 0:
        return not_applicable("the variant takes no traffic")
    count = variant.current_instance_count
    if count is None:
        return not_applicable("the variant has no instances of its own")
    scaled_by, least = _least(endpoint, variant)
    if least == 0 and is_async(endpoint):
        return not_applicable("an asynchronous endpoint may scale to zero")
    evidence: dict[str, Any] = {"CurrentInstanceCount": count, **_configured_count(variant)}
    if least is not None:
        evidence[scaled_by] = least
    if count < 2:
        return failed(f"it runs on {count} instance", **evidence)
    if least is not None and least < 2:
        return failed(f"autoscaling may go down to {least}", **evidence)
    return passed(**evidence)


def _configured_count(variant: Variant) -> dict[str, int | None]:
    """What Security Hub looks at, told beside the live count; it decides nothing, so a gap there is none here."""
    try:
        return {"InitialInstanceCount": configured(variant).initial_instance_count}
    except Unread:
        return {}


def _least(endpoint: Endpoint, variant: Variant) -> tuple[str, int | None]:
    """The least number of instances that scaling keeps, and AWS's word for it; `None` where nothing scales it."""
    if variant.status == "ENABLED" and variant.min_instance_count is not None:
        return "MinInstanceCount", variant.min_instance_count
    resource = f"endpoint/{endpoint.name}/variant/{variant.variant_name}"
    targets = targets_by_resource(endpoint.region).get(resource, ())
    capacities = (t.min_capacity for t in targets if t.scalable_dimension == INSTANCES)
    return "MinCapacity", min(capacities, default=None)


_UPDATED: dict[str, Any] = {
    "creation_time": NOW - timedelta(days=90),
    "last_modified_time": NOW - timedelta(days=10),
}


def _updated(type_: str | None = None, alarms: tuple[str, ...] = (), **values: Any) -> Sample:
    """The example's last deployment."""
    return sample(
        EndpointDeployment,
        "example",
        arn="arn:aws:sagemaker:eu-west-1:123456789012:endpoint/example",
        last_deployment_config={"AutoRollbackConfiguration": {}} if type_ or values else None,
        traffic_routing_configuration={"type": type_} if type_ else None,
        alarms=[{"alarm_name": name} for name in alarms] if alarms else None,
        **values,
    )


_ACCELERATED = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[
        {
            "variant_name": "main",
            "model_name": "scorer",
            "instance_type": "ml.m5.xlarge",
            "accelerator_type": "ml.eia2.medium",
        }
    ],
)
_INF1 = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "main", "model_name": "scorer", "instance_type": "ml.inf1.xlarge"}],
)


_NEW_CONFIG = sample(
    EndpointConfig,
    "scorer-1",
    creation_time=NOW - timedelta(days=10),
    production_variants=[{"variant_name": "main", "model_name": "scorer", "instance_type": "ml.m5.xlarge"}],
)


@rule(
    "REL-015",
    Severity.MEDIUM,
    bad=[
        _endpoint(_updated(), _NEW_CONFIG, **_UPDATED),
        _endpoint(_updated("ALL_AT_ONCE"), **_UPDATED),
        _endpoint(_updated("ALL_AT_ONCE"), tags={"Environment": "prod"}, **_UPDATED),
    ],
    good=[
        _endpoint(_updated("CANARY"), **_UPDATED),
        _endpoint(_updated("LINEAR"), **_UPDATED),
        _endpoint(_updated("ALL_AT_ONCE", ("scorer-5xx",)), **_UPDATED),
        _endpoint(_updated(rolling_update_policy={"WaitIntervalInSeconds": 300}), **_UPDATED),
    ],
    exempt=[
        _endpoint(),
        # Only its time of change has moved: autoscaling and weights do that.
        _endpoint(_updated(), **_UPDATED),
        _endpoint(_updated(), _NEW_CONFIG, tags={"Environment": "dev"}, **_UPDATED),
        _endpoint(_updated(), _NEW_CONFIG, variant=_SERVERLESS, **_UPDATED),
        _endpoint(_updated(), _INF1, **_UPDATED),
        _endpoint(_updated(), _ACCELERATED, **_UPDATED),
        _endpoint(
            _updated(),
            _NEW_CONFIG,
            sample(
                Model,
                "scorer",
                primary_container={
                    "image": "x",
                    "model_package_name": "arn:aws:sagemaker:eu-west-1:865070037744:model-package/vendor",
                },
            ),
            **_UPDATED,
        ),
    ],
    remedy="Pass a DeploymentConfig with canary or linear traffic shifting to UpdateEndpoint.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name CONFIG "
    "--deployment-config file://canary.json",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    confidence=0.7,
    maps=[lens("MLREL04-BP02")],
)
def update_all_at_once(endpoint: Endpoint) -> Verdict:
    """Endpoint updates should shift traffic gradually.

    All at once shows every consumer a bad model before anybody can stop it. That an endpoint was
    updated is told from its last deployment, or from a configuration that is newer than itself: its
    time of change alone proves nothing, since autoscaling and weights move it. Serverless,
    Marketplace, Inf1 and Elastic Inference endpoints do not support deployment guardrails.
    """
    if not endpoint.was_updated:
        return not_applicable("the endpoint was never updated")
    if any(variant.is_serverless for variant in endpoint.production_variants):
        return not_applicable("serverless endpoints do not support it")
    variants = [configured(variant) for variant in endpoint.production_variants]
    types = [name for variant in variants for name in variant.instance_types]
    if any(family(name) == "inf1" for name in types) or any(variant.accelerator_type for variant in variants):
        return not_applicable("its instance type does not support it")
    deployment = endpoint.deployment
    config = deployment.last_deployment_config if deployment is not None else None
    type_: str | None = None
    if deployment is not None and config is not None:
        if deployment.rolling_update_policy is not None:
            return passed("rolling")
        routing = deployment.traffic_routing_configuration
        type_ = routing.type if routing is not None else None
        if type_ in ("CANARY", "LINEAR"):
            return passed(type_.lower())
        if deployment.alarms:
            return passed("all at once, with alarms that roll it back")
    if _from_the_marketplace(endpoint):
        return not_applicable("containers of the Marketplace do not support it")
    if deployment is None or config is None:
        if not _has_newer_config(endpoint):
            return not_applicable("only its time of change has moved, as autoscaling moves it")
        return failed("its last update had no deployment configuration", LastDeploymentConfig=None)
    return failed("its last update moved all traffic at once", Type=type_, alarms=[])


def _has_newer_config(endpoint: Endpoint) -> bool:
    """Whether it runs on a configuration that was made after it: so it was updated to it."""
    config = endpoint.config
    return config is not None and config.creation_time > endpoint.creation_time + SETTLING


def _from_the_marketplace(endpoint: Endpoint) -> bool:
    return any(c.package_is_foreign for model in models_behind(endpoint) for c in model.all_containers)


_DIMENSIONS = [{"name": "EndpointName", "value": "example"}, {"name": "VariantName", "value": "main"}]


@rule(
    "REL-016",
    Severity.MEDIUM,
    bad=[
        _endpoint(_updated("CANARY"), **_UPDATED),
        _endpoint(_updated("CANARY", ("gone",)), **_UPDATED),
        _endpoint(
            _updated("CANARY", ("scorer-5xx",)),
            sample(MetricAlarm, "scorer-5xx", dimensions=[{"name": "EndpointName", "value": "other"}]),
            **_UPDATED,
        ),
        _endpoint(
            _updated("CANARY", ("scorer-5xx",)),
            sample(
                MetricAlarm,
                "scorer-5xx",
                dimensions=_DIMENSIONS,
                state_value="INSUFFICIENT_DATA",
                state_updated_timestamp=NOW - timedelta(days=30),
            ),
            **_UPDATED,
        ),
    ],
    good=[
        _endpoint(
            _updated("CANARY", ("scorer-5xx",)),
            sample(MetricAlarm, "scorer-5xx", dimensions=_DIMENSIONS),
            **_UPDATED,
        ),
        _endpoint(
            _updated("CANARY", ("scorer",)),
            sample(CompositeAlarm, "scorer", alarm_rule="ALARM(a)"),
            **_UPDATED,
        ),
        _endpoint(
            _updated("CANARY", ("math",)),
            sample(MetricAlarm, "math", metrics=[{"metric_name": "ModelLatency", "dimensions": _DIMENSIONS}]),
            **_UPDATED,
        ),
        _endpoint(
            _updated("CANARY", ("quiet",)),
            sample(
                MetricAlarm,
                "quiet",
                dimensions=_DIMENSIONS,
                state_value="INSUFFICIENT_DATA",
                state_updated_timestamp=NOW - timedelta(days=1),
            ),
            **_UPDATED,
        ),
    ],
    exempt=[_endpoint(), _endpoint(_updated(), **_UPDATED)],
    remedy="Name alarms on this endpoint's errors and latency in AutoRollbackConfiguration (ten at most).",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name CONFIG "
    "--deployment-config file://guardrail.json",
    change=Change.IN_PLACE,
    maps=[lens("MLREL04-BP02"), lens("MLREL05-BP02")],
)
def update_without_rollback_alarm(endpoint: Endpoint, *, silent_days: int = 7) -> Verdict:
    """Endpoint updates should roll back automatically on alarms.

    A guardrail without alarms never rolls back, and one on an alarm that is gone, watches another
    endpoint, or has had no data for a week, does not either. Composite alarms and metric math count.
    """
    deployment = endpoint.deployment
    if deployment is None or deployment.last_deployment_config is None:
        return not_applicable("its last update had no deployment configuration")
    names = [alarm.alarm_name for alarm in deployment.alarms if alarm.alarm_name]
    if not names:
        return failed("no alarm rolls an update back", AlarmName=[])
    wrong = [f"{name} {why}" for name in names if (why := _useless(endpoint, name, silent_days))]
    return failed("; ".join(wrong), AlarmName=names) if wrong else passed()


def _useless(endpoint: Endpoint, name: str, silent_days: int) -> str:
    """Why an alarm would never roll this endpoint back; nothing where it would."""
    unread: Unread | None = None
    try:
        if endpoint.region.find(CompositeAlarm, name) is not None:
            return ""
    except Unread as gap:
        unread = gap
    alarm = endpoint.region.find(MetricAlarm, name)
    if alarm is None:
        if unread is not None:
            raise unread
        return "does not exist"
    dimensions = [*alarm.dimensions, *(d for query in alarm.metrics for d in query.dimensions)]
    named = [d.value for d in dimensions if d.name == "EndpointName"]
    if named and endpoint.name not in named:
        return f"watches {named[0]}"
    if alarm.state_value == "INSUFFICIENT_DATA" and alarm.state_updated_timestamp < endpoint.region.ago(
        silent_days
    ):
        return "has had no data for days"
    return ""
