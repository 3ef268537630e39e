"""Availability Zones: whether the loss of one leaves an endpoint something to run on."""

from collections.abc import Iterator
from typing import Any

from collectors.ec2 import InstanceTypeOffering, zones_by_type
from collectors.model import Reason, Unread
from collectors.network import Subnet
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.deployments import models_behind
from evaluators.production import counts_as_production
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import configured, runs_components

_LEAST = 2


def _subnet(name: str, zone: str) -> Sample:
    return sample(Subnet, name, availability_zone_id=zone)


def _offered(*zones: str, instance_type: str = "m5.xlarge") -> list[Sample]:
    return [
        sample(InstanceTypeOffering, f"{instance_type}/{zone}", instance_type=instance_type, location=zone)
        for zone in zones
    ]


_SUBNETS = (_subnet("subnet-a", "euw1-az1"), _subnet("subnet-b", "euw1-az1"), _subnet("subnet-c", "euw1-az2"))
_ANYWHERE = _offered("euw1-az1", "euw1-az2", "euw1-az3")


def _served(
    *others: Sample,
    subnets: list[str] | None = None,
    own: list[str] | None = None,
    model_name: str | None = "scorer",
    variant: dict[str, Any] | None = None,
    offered: list[Sample] | None = None,
    tags: dict[str, str] | None = None,
    **values: Any,
) -> Given:
    """An endpoint whose model lies in `subnets`, its configuration in `own`."""
    served = {"variant_name": "main", "current_instance_count": 2, **(variant or {})}
    planned = {"variant_name": "main", "model_name": model_name, "instance_type": "ml.m5.xlarge"}
    return given(
        sample(
            Endpoint, tags=tags, **{"endpoint_config_name": "c", "production_variants": [served], **values}
        ),
        sample(EndpointConfig, "c", production_variants=[planned], subnets=own),
        sample(Model, "scorer", subnets=subnets),
        *_SUBNETS,
        *(_ANYWHERE if offered is None else offered),
        *others,
    )


@rule(
    "REL-002",
    Severity.HIGH,
    bad=[
        _served(subnets=["subnet-a"]),
        # Two subnets, and one zone.
        _served(subnets=["subnet-a", "subnet-b"]),
        _served(own=["subnet-a"], model_name=None),
        _served(subnets=["subnet-a"], tags={"Environment": "dev"}),
        _served(subnets=["subnet-a"], variant={"current_instance_count": 1}),
    ],
    good=[
        _served(subnets=["subnet-a", "subnet-c"]),
        _served(own=["subnet-a", "subnet-c"], model_name=None),
        # SageMaker spreads instances itself where nobody chose subnets.
        _served(),
    ],
    exempt=[
        _served(
            subnets=["subnet-a"],
            variant={"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}},
        ),
        _served(subnets=["subnet-a"], variant={"current_instance_count": 1}, tags={"Environment": "dev"}),
        # Nobody can ask for a second zone of a type that only one has.
        _served(subnets=["subnet-a"], offered=_offered("euw1-az1")),
        _served(subnets=["subnet-a"], endpoint_status="Failed"),
    ],
    remedy="Create the model anew with subnets in two Availability Zones, and deploy it.",
    command="aws sagemaker create-model --model-name MODEL --execution-role-arn ROLE "
    "--primary-container Image=IMAGE --vpc-config SecurityGroupIds=GROUP,Subnets=SUBNET_1,SUBNET_2",
    change=Change.RECREATE,
    maps=[lens("MLREL05-BP01")],
)
def single_zone_endpoint(endpoint: Endpoint) -> Verdict:
    """Endpoints in a VPC should have subnets in at least two Availability Zones.

    Two instances in one zone fail together. The zones' ids are compared, since their names mean other
    zones in other accounts. Without subnets SageMaker spreads the instances itself. The network is
    the model's; of endpoints with inference components it is the configuration's. A type that EC2
    offers in one zone only, and a single instance outside production, need no second zone.
    """
    if endpoint.endpoint_status not in ("InService", "Updating"):
        return not_applicable("the endpoint is not in service", EndpointStatus=endpoint.endpoint_status)
    if all(variant.is_serverless for variant in endpoint.production_variants):
        return not_applicable("a serverless endpoint has no subnets")
    few: list[tuple[list[str], list[str]]] = []
    unread: Unread | None = None
    for subnets in _networks(endpoint):
        try:
            zones = sorted({_zone(endpoint, name) for name in subnets})
        except Unread as gap:
            unread = unread or gap
            continue
        if len(zones) < _LEAST:
            few.append((subnets, zones))
    if not few:
        if unread is not None:
            raise unread
        return passed()
    instances = sum(variant.current_instance_count or 0 for variant in endpoint.production_variants)
    if instances < _LEAST and not counts_as_production(endpoint):
        return not_applicable("a single instance outside production")
    if not _may_spread(endpoint):
        return not_applicable("its instance type is offered in one zone only")
    subnets, zones = few[0]
    return failed(
        "all its subnets are in one zone", AvailabilityZoneId=zones, subnets=subnets[:10], instances=instances
    )


def _networks(endpoint: Endpoint) -> Iterator[list[str]]:
    """The subnets of each network that it runs in; none where SageMaker places it."""
    models = models_behind(endpoint)
    config = endpoint.config
    if config is not None and config.subnets:
        yield config.subnets
    elif not runs_components(endpoint):
        for model in models:
            if model.subnets:
                yield model.subnets


def _zone(endpoint: Endpoint, name: str) -> str:
    """The zone of a subnet. Raises `Unread` for one that is not listed: deleted, or shared by another account."""
    subnet = endpoint.region.find(Subnet, name)
    if subnet is None:
        raise Unread(endpoint.gap("ec2:DescribeSubnets", Reason.VANISHED, f"{name} is not listed"))
    return subnet.availability_zone_id


def _may_spread(endpoint: Endpoint) -> bool:
    """Whether a type that it runs on is offered in two zones. Raises `Unread` where EC2 knows none of them."""
    offered = zones_by_type(endpoint.region)
    names = [
        name.removeprefix("ml.")
        for variant in endpoint.production_variants
        for name in configured(variant).instance_types
    ]
    known = [offered[name] for name in names if name in offered]
    if not known:
        message = f"where {', '.join(sorted(set(names)))} is offered"
        raise Unread(endpoint.gap("ec2:DescribeInstanceTypeOfferings", Reason.MISSING, message))
    return any(len(zones) >= _LEAST for zones in known)
