"""Small endpoints of the same kind that could share instances."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from collectors.ec2 import InstanceType
from collectors.model import Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import model_containers
from collectors.sample import NOW, Sample, sample
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.deployments import models_behind
from evaluators.environment import placed
from evaluators.hosting import hosting_usage
from evaluators.instances import family, is_accelerated
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set
from evaluators.traffic import configured, delivered, host, is_async, of_cores, recent, runs_components

_WINDOW_DAYS = 7
_DEDICATED = "dedicated"
"""The tag of an endpoint that may share its instances with no other."""


@dataclass(frozen=True, slots=True)
class _Small:
    """An endpoint that could share: what it has to have in common with the others, and how much it does."""

    endpoint: Endpoint
    common: tuple[str, ...]
    image: str
    calls_per_day: float
    cpu_percent: float


def _endpoint(number: int, **more: Any) -> list[Sample]:
    """One of several small endpoints, with its config and its model."""
    variant, planned = more.pop("variant", {}), more.pop("planned", {})
    model, config = more.pop("model", {}), more.pop("config", {})
    name = f"small-{number}"
    served = {
        "variant_name": "main",
        "current_instance_count": 1,
        "invocations": [300.0],
        "cpu_utilization": [20.0],
        **variant,
    }
    plan = {"variant_name": "main", "model_name": name, "instance_type": "ml.m5.xlarge", **planned}
    tags = more.pop("tags", None)
    return [
        sample(
            Endpoint,
            name,
            tags=tags,
            **{"endpoint_config_name": name, "production_variants": [served], **more},
        ),
        sample(EndpointConfig, name, production_variants=[plan], **config),
        sample(
            Model,
            name,
            **{
                "execution_role_arn": "arn:aws:iam::123456789012:role/serving",
                "primary_container": {"image": "xgboost:1.7", "mode": "SingleModel"},
                **model,
            },
        ),
    ]


_KIND = sample(InstanceType, "m5.xlarge")
_TWO_MORE = (*_endpoint(2), *_endpoint(3), _KIND)


def _group(*others: Sample, **own: Any) -> Given:
    """An endpoint with its surroundings; `thresholds` as they are set."""
    thresholds = own.pop("thresholds", {})
    subject, *rest = _endpoint(1, **own)
    return given(subject, *rest, *(others or _TWO_MORE), **thresholds)


_SUBNETS = {"subnets": ["subnet-1"]}


@rule(
    "COST-010",
    Severity.MEDIUM,
    bad=[
        _group(),
        _group(
            *_endpoint(2),
            *_endpoint(3, planned={"instance_type": "ml.m5.large"}),
            _KIND,
            sample(InstanceType, "m5.large", default_v_cpus=2),
        ),
        _group(*_endpoint(2), _KIND, thresholds={"min_group": 2}),
        _group(tags={"dedicated": "no"}),
    ],
    good=[
        _group(*_endpoint(2), _KIND),
        _group(variant={"invocations": [8000.0]}),
        # 4 vCPUs: 100 of 400 is a quarter.
        _group(variant={"cpu_utilization": [100.0]}),
        _group(model={"primary_container": {"image": "sklearn:1.2"}}),
        _group(model={"execution_role_arn": "arn:aws:iam::123456789012:role/other"}),
        _group(model=_SUBNETS),
        _group(tags={"Environment": "dev"}),
    ],
    exempt=[
        _group(tags={"Dedicated": "true"}),
        _group(model={"primary_container": {"image": "xgboost:1.7", "mode": "MultiModel"}}),
        _group(model={"primary_container": None, "containers": [{"image": "a"}, {"image": "b"}]}),
        _group(variant={"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}),
        _group(planned={"model_name": None}),
        _group(config={"output_config": {"s3_output_path": "s3://answers"}}),
        _group(creation_time=NOW - timedelta(days=2)),
        _group(variant={"invocations": None}),
        _group(
            *_TWO_MORE,
            sample(InstanceType, "g5.xlarge", gpus=[{"count": 1}]),
            planned={"instance_type": "ml.g5.xlarge"},
        ),
        _group(endpoint_status="Failed"),
    ],
    remedy="Serve the models from one endpoint: multi-model, multi-container, or inference components.",
    command="aws sagemaker create-model --model-name SHARED --execution-role-arn ROLE "
    "--primary-container Image=IMAGE,Mode=MultiModel,ModelDataUrl=s3://BUCKET/MODELS/",
    change=Change.RECREATE,
    confidence=0.4,
    maps=[lens("MLCOST05-BP01"), lens("MLSUS05-BP04")],
)
def scattered_small_endpoints(
    endpoint: Endpoint, *, min_group: int = 3, low_invocations_per_day: float = 1000, low_percent: float = 20
) -> Verdict:
    """Small endpoints with the same container should share instances.

    One endpoint with several models replaces several that hardly compute. Endpoints are alike when
    image, instance family, role, network and environment are the same; what may not be shared is told
    by a tag. A container has to know how to serve several models, and Model Monitor cannot watch
    them: then inference components are the way. Endpoints that nobody calls are another rule's, and
    accelerators are not judged. The first of a group, by name, is the one that stays.
    """
    own = _small(endpoint)
    if isinstance(own, Verdict):
        return own
    figures: dict[str, Any] = {
        "CPUUtilization": round(own.cpu_percent, 1),
        "instance_family": own.common[0],
        "invocations_per_day": round(own.calls_per_day),
    }
    if own.calls_per_day >= low_invocations_per_day or own.cpu_percent >= low_percent:
        return passed(**figures)
    found, unsure = _candidates(endpoint.region)
    group = [
        small.endpoint
        for small in found
        if (small.common, small.image) == (own.common, own.image)
        and small.calls_per_day < low_invocations_per_day
        and small.cpu_percent < low_percent
    ]
    if len(group) < min_group:
        if unsure is not None:
            raise unsure
        return passed(**figures)
    names = sorted(found.name for found in group)
    stays = names[0] == endpoint.name
    return failed(
        f"{len(group)} small endpoints run the same container",
        waste=[] if stays else hosting_usage(endpoint, endpoint.production_variants),
        Image=own.image,
        endpoints=names[:10],
        number_of_endpoints=len(names),
        **figures,
    )


@index
def _candidates(region: Region) -> tuple[tuple[_Small, ...], Unread | None]:
    """The endpoints of a Region that could share, and a gap where that of one could not be told."""
    found: list[_Small] = []
    unsure: Unread | None = None
    for endpoint in region.all(Endpoint):
        try:
            small = _small(endpoint)
        except Unread as unread:
            unsure = unsure or unread
            continue
        if isinstance(small, _Small):
            found.append(small)
    return tuple(found), unsure


def _small(endpoint: Endpoint) -> _Small | Verdict:
    """What an endpoint has in common with others, or why it does not share."""
    beyond = _beyond(endpoint)
    if beyond is not None:
        return beyond
    (variant,) = endpoint.production_variants
    kind = host(variant)
    if is_accelerated(kind):
        return not_applicable("accelerators do the work", InstanceType=f"ml.{kind.name}")
    models = models_behind(endpoint)
    containers = [container for model in models for container in model_containers(model)]
    modes = {container.mode for model in models for container in model.all_containers}
    if len(containers) != 1 or "MultiModel" in modes or not containers[0].image:
        return not_applicable("it serves several models or containers already")
    called = recent(variant.invocations, variant, _WINDOW_DAYS).sum()
    cpu = delivered(recent(variant.cpu_utilization, variant, _WINDOW_DAYS), variant, "CPUUtilization")
    if not called:
        return not_applicable(f"nobody called it in {_WINDOW_DAYS} days")
    (model,) = models
    where = placed(endpoint)
    if where.gap is not None:
        raise Unread(where.gap)
    common = (
        family(kind.name),
        model.execution_role_arn or "",
        ",".join(sorted(model.subnets or ())),
        str(bool(model.enable_network_isolation)),
        where.environment or "",
    )
    return _Small(
        endpoint, common, containers[0].image, called / _WINDOW_DAYS, of_cores(max(cpu.values), kind)
    )


def _beyond(endpoint: Endpoint) -> Verdict | None:
    """Why an endpoint shares its instances with no other, whatever it runs; `None` where it could."""
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    if is_set(endpoint.tags, _DEDICATED):
        return not_applicable(f"it may not share by its tag {_DEDICATED}")
    if any(variant.is_serverless for variant in endpoint.production_variants):
        return not_applicable("a serverless endpoint has no instances to share")
    if is_async(endpoint):
        return not_applicable("its calls wait in a queue of their own")
    if runs_components(endpoint):
        return not_applicable("its components share instances already")
    if len(endpoint.production_variants) != 1:
        return not_applicable("it has several variants")
    if len(configured(endpoint.production_variants[0]).instance_types) != 1:
        return not_applicable("it may run on several instance types")
    config = endpoint.config
    made = max(endpoint.creation_time, config.creation_time if config is not None else endpoint.creation_time)
    if made > endpoint.region.ago(_WINDOW_DAYS):
        return not_applicable(f"younger than {_WINDOW_DAYS} days")
    return None
