"""Private ways from VPCs to AWS: the endpoints that are there, and whom they serve."""

import json
from collections.abc import Iterator
from typing import Any

from collectors.attachments import Attachment, attachments
from collectors.model import Reason, Unread
from collectors.network import RouteTable, Subnet, Vpc, VpcEndpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.workforces import Workforce
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import Effect, Statement
from evaluators.roles import parsed
from evaluators.routes import route_table_of, subnets_by_vpc
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_REQUIRED = ("sagemaker.api", "sagemaker.runtime", "s3", "logs")
_RECOMMENDED = (
    "monitoring",
    "sts",
    "ecr.api",
    "ecr.dkr",
    "kms",
    "aws.sagemaker.REGION.notebook",
    "aws.sagemaker.REGION.studio",
)
_MODEL = sample(Model, "scorer", subnets=["subnet-1"], security_group_ids=["sg-1"])
_NOTEBOOK = sample(NotebookInstance, subnet_id="subnet-1")
_SUBNET = sample(Subnet, "subnet-1")
_DOMAIN = sample(Domain, "d-1", subnet_ids=["subnet-1"], app_network_access_type="VpcOnly")


def _table(**route: str) -> Sample:
    everywhere = [{"destination_cidr_block": "0.0.0.0/0", "state": "active", **route}] if route else []
    return sample(
        RouteTable, "rtb-1", arn="rtb-1", associations=[{"subnet_id": "subnet-1"}], routes=everywhere
    )


def _endpoint(service: str, **values: Any) -> Sample:
    service = service if service.startswith("aws.") else f"com.amazonaws.eu-west-1.{service}"
    given_ = {"vpc_endpoint_type": "Interface", "state": "available", "private_dns_enabled": True}
    made = {"service_name": service, **given_, **values}
    return sample(VpcEndpoint, f"vpce-{service}", **made)


def _gateway(*tables: str) -> Sample:
    values = {"vpc_endpoint_type": "Gateway", "private_dns_enabled": False, "route_table_ids": list(tables)}
    return _endpoint("s3", **values)


_ALL_REQUIRED = [_endpoint("sagemaker.api"), _endpoint("sagemaker.runtime"), _endpoint("logs")]
_ALL_RECOMMENDED = [
    *(_endpoint(name) for name in ("monitoring", "sts", "ecr.api", "ecr.dkr", "kms")),
    _endpoint("aws.sagemaker.eu-west-1.notebook"),
]


def _in_vpc(*others: Sample, owner: str = "123456789012", **thresholds: Any) -> Given:
    return given(sample(Vpc, "vpc-1", owner_id=owner), _SUBNET, _table(), *others, **thresholds)


@rule(
    "SEC-036",
    Severity.MEDIUM,
    bad=[
        _in_vpc(_MODEL),
        _in_vpc(_NOTEBOOK, *_ALL_REQUIRED, *_ALL_RECOMMENDED),
        # A gateway helps only the subnets whose route table it is on.
        _in_vpc(_NOTEBOOK, *_ALL_REQUIRED, *_ALL_RECOMMENDED, _gateway("rtb-2")),
        _in_vpc(_MODEL, _endpoint("s3", state="pendingAcceptance")),
        _in_vpc(_MODEL, _endpoint("s3", private_dns_enabled=False)),
        _in_vpc(_MODEL, _endpoint("s3", vpc_id="vpc-2")),
        _in_vpc(_NOTEBOOK, *_ALL_REQUIRED, _gateway("rtb-1")),
        # Notebooks and Studio have a service each.
        _in_vpc(_DOMAIN, *_ALL_REQUIRED, *_ALL_RECOMMENDED, _gateway("rtb-1")),
    ],
    good=[
        _in_vpc(_MODEL, _gateway("rtb-1")),
        _in_vpc(_MODEL, _endpoint("s3")),
        _in_vpc(_NOTEBOOK, *_ALL_REQUIRED, *_ALL_RECOMMENDED, _gateway("rtb-1")),
        _in_vpc(
            _DOMAIN,
            *_ALL_REQUIRED,
            *_ALL_RECOMMENDED,
            _endpoint("aws.sagemaker.eu-west-1.studio"),
            _gateway("rtb-1"),
        ),
        # In China some services' names begin with the reversed domain.
        _in_vpc(_MODEL, _endpoint("s3", service_name="cn.com.amazonaws.eu-west-1.s3")),
        _in_vpc(
            _NOTEBOOK,
            _endpoint("sagemaker.api-fips"),
            _endpoint("sagemaker.runtime-fips"),
            _endpoint("logs"),
            _gateway("rtb-1"),
            recommended=(),
        ),
        # Central endpoints are reached by zones of their own: nothing is in this VPC.
        _in_vpc(
            _MODEL,
            _endpoint("s3", vpc_id="vpc-9", private_dns_enabled=False),
            central_endpoint_vpcs=("vpc-9",),
        ),
    ],
    exempt=[
        _in_vpc(),
        # Workers' browsers are all that comes through it.
        _in_vpc(sample(Workforce, subnets=["subnet-1"])),
        # It reaches AWS by an interface of SageMaker's own.
        _in_vpc(sample(NotebookInstance, subnet_id="subnet-1", direct_internet_access="Enabled")),
    ],
    remedy="Create the missing endpoints; put the gateway for S3 on the route tables of all ML subnets.",
    command="aws ec2 create-vpc-endpoint --vpc-id {name} --vpc-endpoint-type Interface --service-name"
    " com.amazonaws.{region}.sagemaker.api --subnet-ids SUBNET --security-group-ids GROUP"
    " --private-dns-enabled",
    change=Change.IN_PLACE,
    maps=[
        security_hub("EC2.10"),
        config_rule("service-vpc-endpoint-enabled"),
        prowler("vpc_endpoint_for_ec2_enabled"),
        lens("MLSEC03-BP02"),
    ],
)
def missing_vpc_endpoint(
    vpc: Vpc,
    *,
    required: tuple[str, ...] = _REQUIRED,
    recommended: tuple[str, ...] = _RECOMMENDED,
    central_endpoint_vpcs: tuple[str, ...] = (),
) -> Verdict:
    """VPCs with ML resources should have endpoints for the services that these use.

    Without them traffic to AWS needs a NAT and the internet. Containers of jobs and models read S3 by
    the VPC; people's code in notebooks, VpcOnly domains and clusters calls the rest. The finding is low
    where only recommended ones are missing. `central_endpoint_vpcs` are VPCs whose endpoints are reached
    from here by a transit gateway; of a shared VPC, and of a central one in another account, nothing is seen.
    """
    region = vpc.region
    subnets = subnets_by_vpc(region).get(vpc.name, ())
    held = attachments(region)
    users = held.of_subnets(frozenset(subnet.name for subnet in subnets)) if subnets else ()
    wanted = [name for name in (*required, *recommended) if _is_used(name, users)]
    if not wanted:
        held.require_whole()
        return not_applicable("nothing in it calls AWS by it")
    if not vpc.is_own:
        raise Unread(vpc.gap("ec2:DescribeVpcEndpoints", Reason.NOT_READ, f"{vpc.owner_id} owns it"))
    there = list(_usable(vpc, subnets, central_endpoint_vpcs))
    lacking = [name for name in wanted if not any(_serves(found, name) for found in there)]
    missing = [name.replace("REGION", region.name) for name in lacking]
    figures: dict[str, Any] = {
        "VpcId": vpc.name,
        "ServiceName": sorted(endpoint.service_name for endpoint in there)[:15],
    }
    if not missing:
        held.require_whole()
        return passed(**figures)
    message = f"no endpoint for {', '.join(missing)}"
    if set(lacking) & set(required):
        return failed(message, missing=missing, **figures)
    return failed(
        message,
        lowered=1,
        why_lowered="what is missing is recommended, not required",
        missing=missing,
        **figures,
    )


def _is_used(service: str, users: tuple[Attachment, ...]) -> bool:
    """Whether one of these resources needs a service by its VPC."""
    callers = {user.kind for user in users if user.calls_aws}
    match service.rpartition(".")[2]:
        case "s3":
            return bool(callers) or any(user.kind != "workforce" and not _is_hosted(user) for user in users)
        case "notebook":
            return "notebook-instance" in callers
        case "studio":
            return "domain" in callers
    return bool(callers)


def _is_hosted(user: Attachment) -> bool:
    """Whether people's code runs in it with a way of SageMaker's own to AWS."""
    return user.kind in ("notebook-instance", "domain", "user-profile") and not user.calls_aws


def _usable(vpc: Vpc, subnets: tuple[Subnet, ...], central: tuple[str, ...]) -> Iterator[VpcEndpoint]:
    """The endpoints that resources in these subnets reach a service by.

    Raises `Unread` where a central VPC shows no endpoint: it is in another account.
    """
    endpoints = [found for found in vpc.region.all(VpcEndpoint) if found.is_available]
    unseen = set(central) - {found.vpc_id for found in endpoints}
    if unseen:
        message = f"the endpoints of {', '.join(sorted(unseen))}"
        raise Unread(vpc.gap("ec2:DescribeVpcEndpoints", Reason.NOT_READ, message))
    for found in endpoints:
        if found.vpc_endpoint_type == "Gateway":
            on = set(found.route_table_ids or ())
            if found.vpc_id == vpc.name and all(route_table_of(subnet).name in on for subnet in subnets):
                yield found
        elif found.vpc_id in central or (found.vpc_id == vpc.name and found.private_dns_enabled):
            yield found


def _serves(endpoint: VpcEndpoint, service: str) -> bool:
    """Whether it is for a service. Prefixes differ by service and partition; FIPS editions count."""
    region = endpoint.region.name
    name = endpoint.service_name.removesuffix("-fips")
    if service.startswith("aws."):
        return name == service.replace("REGION", region)
    return name.endswith(f".{region}.{service}")


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


_FULL = _document(Principal="*", Action="*", Resource="*")
_OWN_ORG = {"StringEquals": {"aws:ResourceOrgID": "o-larkspur"}}


def _policed(policy: str | None, service: str = "s3", **values: Any) -> Sample:
    return sample(
        VpcEndpoint,
        "vpce-1",
        service_name=f"com.amazonaws.eu-west-1.{service}",
        policy_document=policy,
        **{"state": "available", **values},
    )


@rule(
    "SEC-037",
    Severity.LOW,
    bad=[
        given(_policed(_FULL), _SUBNET, _MODEL),
        given(_policed(_FULL, "sagemaker.runtime"), _SUBNET, _NOTEBOOK),
        given(_policed(_document(Principal={"AWS": "*"}, Action=["*"], Resource=["*"])), _SUBNET, _MODEL),
    ],
    good=[
        given(
            _policed(_document(Principal="*", Action="*", Resource="*", Condition=_OWN_ORG)), _SUBNET, _MODEL
        ),
        given(_policed(_document(Principal="*", Action="s3:GetObject", Resource="*")), _SUBNET, _MODEL),
        given(
            _policed(
                json.dumps(
                    {
                        "Statement": [
                            *json.loads(_FULL)["Statement"],
                            {
                                "Effect": "Deny",
                                "Principal": "*",
                                "Action": "s3:*",
                                "Resource": "*",
                                "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "o-larkspur"}},
                            },
                        ]
                    }
                )
            ),
            _SUBNET,
            _MODEL,
        ),
    ],
    exempt=[
        given(_policed(None), _SUBNET, _MODEL),
        given(_policed(_FULL, "logs"), _SUBNET, _MODEL),
        given(_policed(_FULL), _SUBNET),
        given(_policed(_FULL, state="rejected"), _SUBNET, _MODEL),
    ],
    remedy="Limit it to your organization by aws:PrincipalOrgID and aws:ResourceOrgID; let AWS's own buckets "
    "stay open to reading (image layers of ECR, JumpStart).",
    command="aws ec2 modify-vpc-endpoint --vpc-endpoint-id {name} --policy-document file://policy.json",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP01")],
)
def unlimited_endpoint_policy(endpoint: VpcEndpoint) -> Verdict:
    """Endpoints to S3 and SageMaker should have a policy that limits whom and what they serve.

    By the default policy data can be copied through the endpoint into anybody's bucket with anybody's
    credentials. Only the default counts as a weakness: everything to everyone, with no condition and no
    denial beside it. Endpoints of services without policies have none.
    """
    name = endpoint.service_name
    if not (endpoint.serves_sagemaker or name.endswith(f".{endpoint.region.name}.s3")):
        return not_applicable("it leads to neither S3 nor SageMaker", ServiceName=name)
    if endpoint.vpc_id not in subnets_by_vpc(endpoint.region):
        attachments(endpoint.region).require_whole()
        return not_applicable("no ML resource is in its VPC", VpcId=endpoint.vpc_id)
    if not endpoint.is_available:
        return not_applicable("it is not in use", State=endpoint.state)
    text = endpoint.policy_document
    if text is None:
        return not_applicable("its service takes no policies", ServiceName=name)
    statements = parsed(endpoint, text).statements
    denied = any(found.effect is Effect.DENY for found in statements)
    if not denied and any(_is_unlimited(found) for found in statements):
        return failed("everybody may do everything by it", ServiceName=name, PolicyDocument=text[:500])
    return passed(ServiceName=name)


def _is_unlimited(statement: Statement) -> bool:
    named = statement.principals
    return (
        statement.effect is Effect.ALLOW
        and named is not None
        and named.everyone
        and "*" in statement.actions
        and "*" in statement.resources
        and not statement.conditions
    )
