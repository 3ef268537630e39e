"""Autoscaling: whether endpoints scale, and whether what is set up can act."""

from datetime import timedelta
from typing import Any

from collectors.autoscaling import (
    CONCURRENCY,
    COPIES,
    INSTANCES,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    targets_by_resource,
)
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.instances import family
from evaluators.production import counts_as_production
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

_RESOURCE = "endpoint/example/variant/main"


def _config(instance_type: str = "ml.m5.xlarge", model_name: str | None = "m", **values: Any) -> Sample:
    variant = {"variant_name": "main", "model_name": model_name, "instance_type": instance_type}
    return sample(EndpointConfig, "config", production_variants=[variant], **values)


def _endpoint(
    *, variant: dict[str, Any] | None = None, tags: dict[str, str] | None = None, **values: Any
) -> Sample:
    served = {"variant_name": "main", "current_instance_count": 2, **(variant or {})}
    return sample(
        Endpoint, tags=tags, **{"endpoint_config_name": "config", "production_variants": [served], **values}
    )


def _target(resource: str = _RESOURCE, dimension: str = INSTANCES, **values: Any) -> Sample:
    return sample(ScalableTarget, resource, resource_id=resource, scalable_dimension=dimension, **values)


@rule(
    "REL-011",
    Severity.MEDIUM,
    bad=[
        given(_endpoint(), _config()),
        given(_endpoint(tags={"Environment": "prod"}), _config(), _target("endpoint/example/variant/other")),
        given(_endpoint(variant={"status": "DISABLED"}), _config()),
        # Nothing scales the component either; another endpoint's may scale.
        given(
            _endpoint(),
            _config(model_name=None),
            sample(InferenceComponent, "copy", endpoint_name="example"),
            sample(InferenceComponent, "other", endpoint_name="other"),
            _target("inference-component/other", COPIES),
        ),
    ],
    good=[
        given(_endpoint(), _config(), _target()),
        given(_endpoint(variant={"status": "ENABLED"}), _config()),
    ],
    exempt=[
        given(
            _endpoint(variant={"current_serverless_config": {}, "current_instance_count": None}), _config()
        ),
        given(_endpoint(), _config("ml.t2.medium")),
        given(_endpoint(tags={"Environment": "sandbox"}), _config()),
        given(_endpoint(creation_time=NOW - timedelta(days=2)), _config()),
        given(_endpoint(endpoint_status="Creating"), _config()),
        given(
            _endpoint(),
            _config(model_name=None),
            sample(InferenceComponent, "copy", endpoint_name="example"),
            _target("inference-component/copy", COPIES),
        ),
    ],
    remedy="Register a scalable target for the variant and give it a target-tracking policy.",
    command="aws application-autoscaling register-scalable-target --service-namespace sagemaker "
    "--resource-id endpoint/{name}/variant/{part} --scalable-dimension sagemaker:variant:DesiredInstanceCount "
    "--min-capacity 2 --max-capacity 6",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[lens("MLREL05-BP01"), lens("MLCOST06-BP03")],
)
def unscaled_variant(variant: Variant, *, grace_days: int = 7) -> Verdict:
    """Real-time endpoints should scale automatically.

    Without it spikes are dropped and idle capacity is paid for. A scalable target of any dimension
    counts, and so does managed instance scaling; whether it can act is another rule. Serverless
    variants scale by themselves, burstable t2 types cannot, and an endpoint of inference components
    may scale their copies instead. Shadow variants take no traffic of users and are not judged.
    """
    endpoint = endpoint_of(variant)
    if endpoint.endpoint_status in ("Creating", "Deleting", "Failed"):
        return not_applicable(f"the endpoint is {endpoint.endpoint_status}")
    if endpoint.creation_time > endpoint.region.ago(grace_days):
        return not_applicable(f"younger than {grace_days} days")
    if variant.is_serverless:
        return not_applicable("a serverless variant scales by itself")
    if variant.status == "ENABLED":
        return passed("managed instance scaling")
    targets = targets_by_resource(endpoint.region)
    if f"endpoint/{endpoint.name}/variant/{variant.variant_name}" in targets:
        return passed()
    found = configured(variant)
    if any(family(name) == "t2" for name in found.instance_types):
        return not_applicable("burstable t2 instances cannot scale", InstanceType=found.instance_type)
    if not found.model_name and _components_scale(endpoint):
        return not_applicable("its inference components scale")
    return failed("nothing scales it", Status=variant.status, ResourceId=None, variant=variant.variant_name)


def _components_scale(endpoint: Endpoint) -> bool:
    targets = targets_by_resource(endpoint.region)
    return any(
        f"inference-component/{component.name}" in targets
        for component in endpoint.region.all(InferenceComponent)
        if component.endpoint_name == endpoint.name
    )


_POLICY = sample(
    ScalingPolicy, "p", resource_id=_RESOURCE, predefined_metric_type="SageMakerVariantInvocationsPerInstance"
)
_ASYNC: dict[str, Any] = {"output_config": {"s3_output_path": "s3://answers"}}


def _scaled(
    *others: Sample,
    endpoint: Sample | None = None,
    config: Sample | None = None,
    policy: Sample = _POLICY,
    **values: Any,
) -> Given:
    return given(_target(**values), endpoint or _endpoint(), config or _config(), policy, *others)


def _activities(*statuses: str) -> list[Sample]:
    return [
        sample(
            ScalingActivity,
            f"a{number}",
            resource_id=_RESOURCE,
            status_code=status,
            start_time=NOW - timedelta(days=1),
            status_message="no capacity" if status == "Failed" else None,
        )
        for number, status in enumerate(statuses)
    ]


@rule(
    "REL-012",
    Severity.MEDIUM,
    bad=[
        given(_target(), _endpoint(), _config()),
        _scaled(min_capacity=3, max_capacity=3),
        _scaled(dynamic_scaling_out_suspended=True),
        _scaled(min_capacity=1),
        _scaled(*_activities("Failed", "Successful")),
        _scaled(policy=sample(ScalingPolicy, "p", resource_id=_RESOURCE, policy_type="StepScaling")),
        _scaled(config=_config(**_ASYNC)),
        given(
            _target("endpoint/gone/variant/main"),
            sample(ScalingPolicy, "p", resource_id="endpoint/gone/variant/main"),
        ),
        given(
            _target("endpoint/example/variant/gone"),
            _endpoint(),
            _config(),
            sample(ScalingPolicy, "p", resource_id="endpoint/example/variant/gone"),
        ),
        given(
            _target("inference-component/gone", COPIES),
            sample(ScalingPolicy, "p", resource_id="inference-component/gone", scalable_dimension=COPIES),
        ),
        # A policy of another dimension is not this target's.
        _scaled(
            policy=sample(ScalingPolicy, "p", resource_id=_RESOURCE, scalable_dimension=CONCURRENCY),
        ),
        # Calls of a real-time endpoint do not wait: it may not scale to zero.
        _scaled(min_capacity=0),
    ],
    good=[
        _scaled(),
        _scaled(*_activities("Successful")),
        # Older than the look-back.
        _scaled(
            sample(
                ScalingActivity,
                "old",
                resource_id=_RESOURCE,
                status_code="Failed",
                start_time=NOW - timedelta(days=20),
            )
        ),
        # While an endpoint is updated its variants are not all there.
        _scaled(endpoint=_endpoint(endpoint_status="Updating", production_variants=[])),
        _scaled(min_capacity=1, endpoint=_endpoint(tags={"Environment": "dev"})),
        _scaled(
            policy=sample(
                ScalingPolicy,
                "p",
                resource_id=_RESOURCE,
                policy_type="StepScaling",
                alarms=[{"alarm_name": "backlog"}],
            )
        ),
        _scaled(
            config=_config(**_ASYNC),
            min_capacity=0,
            policy=sample(
                ScalingPolicy, "p", resource_id=_RESOURCE, metric_name="ApproximateBacklogSizePerInstance"
            ),
        ),
        given(
            _target("inference-component/copy", COPIES, min_capacity=1),
            sample(InferenceComponent, "copy", endpoint_name="example"),
            sample(ScalingPolicy, "p", resource_id="inference-component/copy", scalable_dimension=COPIES),
        ),
        given(
            _target(_RESOURCE, CONCURRENCY, min_capacity=1),
            _endpoint(),
            _config(),
            sample(ScalingPolicy, "p", resource_id=_RESOURCE, scalable_dimension=CONCURRENCY),
        ),
    ],
    remedy="Give the target a policy, room between its bounds, a least capacity of two, and resume scaling.",
    command="aws application-autoscaling register-scalable-target --service-namespace sagemaker --resource-id {name} "
    "--scalable-dimension sagemaker:variant:DesiredInstanceCount --min-capacity 2 --max-capacity 8",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP01")],
)
def powerless_autoscaling(target: ScalableTarget, *, lookback_days: int = 14) -> Verdict:
    """Autoscaling should be set up so that it can act.

    Registered is not the same as working: a target needs a policy, bounds that differ, scaling out
    that is not suspended, and for a production variant two instances at least. Step policies without
    alarms do nothing, invocations never trigger on asynchronous endpoints, and failed activities of
    the last days show that it could not act. Targets outlive what they scale: an orphan is told as
    one. How long it ran at its most is not published and not judged. A target has no tags: its
    endpoint's decide whether it is production.
    """
    region = target.region
    endpoint, gone = _scaled_by(target)
    if gone:
        return failed(f"its {gone} is gone", ResourceId=target.resource_id)
    wrong: list[str] = []
    policies = target.policies
    if not policies:
        wrong.append("it has no policy")
    elif all(_is_dead(policy, endpoint) for policy in policies):
        wrong.append("none of its policies can trigger")
    if target.min_capacity == target.max_capacity:
        wrong.append(f"least and most are both {target.max_capacity}")
    if target.dynamic_scaling_out_suspended:
        wrong.append("scaling out is suspended")
    since = region.ago(lookback_days)
    failures = [a for a in target.activities if a.status_code == "Failed" and a.start_time >= since]
    if failures:
        wrong.append(f"{len(failures)} activities failed")
    few = target.scalable_dimension == INSTANCES and target.min_capacity < 2
    if few and endpoint is not None and counts_as_production(endpoint) and not _may_rest(target, endpoint):
        wrong.append(f"it may go down to {target.min_capacity}")
    if not wrong:
        return passed()
    return failed(
        "; ".join(wrong),
        MinCapacity=target.min_capacity,
        MaxCapacity=target.max_capacity,
        DynamicScalingOutSuspended=target.dynamic_scaling_out_suspended,
        PolicyType=[policy.policy_type for policy in policies],
        AlarmName=[alarm.alarm_name for policy in policies for alarm in policy.alarms][:10],
        StatusMessage=failures[0].status_message if failures else None,
    )


def _scaled_by(target: ScalableTarget) -> tuple[Endpoint | None, str]:
    """The endpoint whose variant a target scales, and what of it is gone, if anything is."""
    kind, _, rest = target.resource_id.partition("/")
    name, _, variant = rest.partition("/")
    if kind == "inference-component":
        component = target.region.find(InferenceComponent, name)
        return None, "inference component" if component is None else ""
    endpoint = target.region.find(Endpoint, name)
    if endpoint is None:
        return None, "endpoint"
    if endpoint.endpoint_status != "InService":
        return endpoint, ""
    names = {f"variant/{found.variant_name}" for found in endpoint.production_variants}
    return endpoint, "" if variant in names else "variant"


def _may_rest(target: ScalableTarget, endpoint: Endpoint) -> bool:
    """Whether it may scale to zero: calls of an asynchronous endpoint wait in a queue."""
    return target.min_capacity == 0 and is_async(endpoint)


def _is_dead(policy: ScalingPolicy, endpoint: Endpoint | None) -> bool:
    """Whether a policy can never trigger."""
    if policy.policy_type == "StepScaling":
        return not policy.alarms
    invocations = policy.predefined_metric_type or policy.metric_name or ""
    return "InvocationsPerInstance" in invocations and endpoint is not None and is_async(endpoint)
