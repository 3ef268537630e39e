"""The networks of ML resources: security groups, subnets, flow logs; judged where something uses them."""

from typing import Any

from collectors.attachments import attachments
from collectors.model import Reason, Unread
from collectors.network import FlowLog, RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.workforces import Workforce
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.routes import exits, route_table_of, subnets_by_vpc, unknown_exit, where_it_leads
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

_ANYWHERE = {"ip_ranges": [{"cidr_ip": "0.0.0.0/0"}]}
_ANYWHERE_6 = {"ipv6_ranges": [{"cidr_ipv6": "::/0"}]}
_ALL = {"ip_protocol": "-1"}
_HTTPS = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443}
_MODEL = sample(Model, "scorer", subnets=["subnet-1"], security_group_ids=["sg-1"])
_NOTEBOOK = sample(NotebookInstance, subnet_id="subnet-1", security_groups=["sg-1"])
_SUBNET = sample(Subnet, "subnet-1")


def _group(**values: Any) -> Sample:
    return sample(SecurityGroup, "sg-1", **values)


@rule(
    "SEC-033",
    Severity.HIGH,
    bad=[
        given(_group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]), _MODEL),
        given(_group(ip_permissions=[{**_ALL, **_ANYWHERE_6}]), _NOTEBOOK),
        given(
            _group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]),
            sample(
                Domain, subnet_ids=["subnet-1"], default_user_settings={"security_groups": ["sg-1", "sg-2"]}
            ),
        ),
        given(_group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]), sample(Cluster, security_group_ids=["sg-1"])),
        given(
            _group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]), sample(Workforce, security_group_ids=["sg-1"])
        ),
        given(
            _group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]),
            sample(
                VpcEndpoint,
                "vpce-1",
                service_name="com.amazonaws.eu-west-1.sagemaker.api",
                groups=[{"group_id": "sg-1"}],
            ),
        ),
    ],
    good=[
        given(_group(), _MODEL),
        given(_group(ip_permissions=[{**_HTTPS, "ip_ranges": [{"cidr_ip": "10.0.0.0/8"}]}]), _MODEL),
        # Studio needs its own members: NFS, and the ports of its kernels.
        given(_group(ip_permissions=[{"ip_protocol": "tcp", "from_port": 2049, "to_port": 2049}]), _MODEL),
        given(_group(ip_permissions=[{"ip_protocol": "tcp", "from_port": 8192, "to_port": 65535}]), _MODEL),
    ],
    exempt=[given(_group(ip_permissions=[{**_HTTPS, **_ANYWHERE}]))],
    remedy="Revoke the rule: nothing on the internet calls these interfaces.",
    command="aws ec2 revoke-security-group-ingress --group-id {name} --ip-permissions file://permissions.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("EC2.18"),
        security_hub("EC2.19"),
        config_rule("vpc-sg-open-only-to-authorized-ports"),
        prowler("ec2_securitygroup_allow_ingress_from_internet_to_all_ports"),
        lens("MLSEC03-BP02"),
    ],
)
def open_ingress(group: SecurityGroup) -> Verdict:
    """Security groups of ML resources should let nothing in from the internet.

    Callers of SageMaker come by AWS's own interface; the network interfaces in your VPC never serve the
    internet. Groups of notebooks, domains and profiles, jobs, models, clusters, workforces and of the
    endpoints that lead to SageMaker are looked at.
    """
    users = [f"{h.kind} {h.name}" for h in attachments(group.region).seen if group.name in h.groups]
    users = users or _endpoints_with(group)
    if not users:
        attachments(group.region).require_whole()
        return not_applicable("no ML resource uses it")
    open_ = [found for found in group.ip_permissions if found.open_families]
    if not open_:
        return passed(rules=len(group.ip_permissions))
    return failed(
        "the whole internet may come in",
        IpProtocol=[found.ip_protocol for found in open_][:10],
        FromPort=[found.from_port for found in open_][:10],
        CidrIp=sorted({block for found in open_ for block in found.open_families}),
        used_by=users[:10],
    )


def _endpoints_with(group: SecurityGroup) -> list[str]:
    """The endpoints to SageMaker with this group. Raises `Unread` unless all were listed."""
    return [
        f"{endpoint.kind} {endpoint.name}"
        for endpoint in group.region.all(VpcEndpoint)
        if endpoint.serves_sagemaker and any(found.group_id == group.name for found in endpoint.groups)
    ]


def _table(*routes: dict[str, Any], subnet: str | None = "subnet-1", vpc: str = "vpc-1") -> Sample:
    association = {"subnet_id": subnet} if subnet else {"main": True}
    return sample(
        RouteTable, f"rtb-{subnet or 'main'}", vpc_id=vpc, associations=[association], routes=list(routes)
    )


def _to(**target: str) -> dict[str, Any]:
    return {"destination_cidr_block": "0.0.0.0/0", "state": "active", **target}


_NAT = _table(_to(nat_gateway_id="nat-1"))
_CLOSED = _table({"destination_cidr_block": "10.0.0.0/16", "gateway_id": "local"})
_OPEN = _group(ip_permissions_egress=[{**_ALL, **_ANYWHERE}])


@rule(
    "SEC-034",
    Severity.MEDIUM,
    bad=[
        given(_OPEN, _MODEL, _SUBNET, _NAT),
        given(_OPEN, _NOTEBOOK, _SUBNET, _table(_to(gateway_id="igw-1"))),
        given(_OPEN, _MODEL, _SUBNET, _table(_to(nat_gateway_id="nat-1"), subnet=None)),
        given(
            _group(
                ip_permissions_egress=[
                    {"ip_protocol": "tcp", "from_port": 0, "to_port": 65535, **_ANYWHERE_6}
                ]
            ),
            _MODEL,
            _SUBNET,
            _table({"destination_ipv6_cidr_block": "::/0", "egress_only_internet_gateway_id": "eigw-1"}),
        ),
    ],
    good=[
        given(_group(ip_permissions_egress=[{**_HTTPS, **_ANYWHERE}]), _MODEL, _SUBNET, _NAT),
        # Every new group may send anywhere: the route decides.
        given(_OPEN, _MODEL, _SUBNET, _CLOSED),
        given(_OPEN, _MODEL, _SUBNET, _table(_to(nat_gateway_id="nat-1", state="blackhole"))),
        given(
            _OPEN,
            _MODEL,
            _SUBNET,
            _table(_to(transit_gateway_id="tgw-1")),
            inspected_tgw_ids=("tgw-1",),
        ),
        # IPv4 may leave the group, and only IPv6 has a way out.
        given(
            _OPEN,
            _MODEL,
            _SUBNET,
            _table({"destination_ipv6_cidr_block": "::/0", "egress_only_internet_gateway_id": "eigw-1"}),
        ),
        # The subnet's own table counts, not the VPC's main one.
        given(_OPEN, _MODEL, _SUBNET, _CLOSED, _table(_to(gateway_id="igw-1"), subnet=None)),
    ],
    exempt=[
        given(_OPEN, _SUBNET, _NAT),
        given(_OPEN, _MODEL, _NAT),
        given(
            sample(
                SecurityGroup,
                "sg-1",
                tags={"Environment": "sandbox"},
                ip_permissions_egress=[{**_ALL, **_ANYWHERE}],
            ),
            _MODEL,
            _SUBNET,
            _NAT,
        ),
    ],
    remedy="Let it send to endpoints' prefix lists, the VPC's own addresses and proxies only.",
    command="aws ec2 revoke-security-group-egress --group-id {name} --ip-permissions file://permissions.json",
    change=Change.IN_PLACE,
    scope=Scope.NOT_SANDBOX,
    maps=[lens("MLSEC03-BP02")],
)
def open_egress(group: SecurityGroup, *, inspected_tgw_ids: tuple[str, ...] = ()) -> Verdict:
    """Security groups of ML resources should not let everything out to the internet.

    Open egress with a NAT is direct internet access for whoever wants to take data out. New groups are
    open by default, so that the subnets' routes decide. A default route to a transit gateway is closed
    where the settings name it as inspected; without that, and by peerings or appliances, it is unknown.
    """
    held = attachments(group.region)
    users = held.of_group(group.name)
    if not users:
        return not_applicable("no ML resource uses it")
    open_ = [found for found in group.ip_permissions_egress if found.all_traffic]
    families = frozenset(block for found in open_ for block in found.open_families)
    if not families:
        return passed(rules=len(group.ip_permissions_egress))
    doubt: Unread | None = None
    present = False
    for name in sorted({name for user in users for name in user.subnets}):
        subnet = group.region.find(Subnet, name)
        for route, leaves in exits(subnet, inspected_tgw_ids) if subnet is not None else ():
            if route.destination not in families:
                continue
            if leaves:
                return failed(
                    "everything may leave for the internet",
                    IpProtocol=sorted({found.ip_protocol or "" for found in open_}),
                    CidrIp=sorted(families),
                    subnet=name,
                    by=where_it_leads(route),
                    used_by=[f"{user.kind} {user.name}" for user in users][:10],
                )
            if leaves is None:
                doubt = doubt or unknown_exit(group.region, route)
        present = present or subnet is not None
    held.require_whole()
    if doubt is not None:
        raise doubt
    if not present:
        return not_applicable("the subnets of what names it are gone")
    return passed("no subnet of its resources leads to the internet", CidrIp=sorted(families))


def _vpc(**values: Any) -> Sample:
    return sample(Vpc, "vpc-1", **values)


def _log(resource_id: str = "vpc-1", **values: Any) -> Sample:
    active = {"flow_log_status": "ACTIVE", "traffic_type": "ALL", "deliver_logs_status": "SUCCESS"}
    return sample(FlowLog, f"fl-{resource_id}", resource_id=resource_id, **{**active, **values})


def _recorded(*others: Sample) -> Given:
    return given(_vpc(), _MODEL, _SUBNET, *others)


@rule(
    "SEC-035",
    Severity.MEDIUM,
    bad=[
        _recorded(),
        _recorded(_log("vpc-2")),
        _recorded(_log(traffic_type="ACCEPT")),
        _recorded(_log(deliver_logs_status="FAILED")),
        _recorded(_log(flow_log_status="INACTIVE")),
        _recorded(
            _log("subnet-1"),
            sample(Subnet, "subnet-2"),
            sample(Model, "other", subnets=["subnet-2"]),
        ),
    ],
    good=[
        _recorded(_log()),
        _recorded(_log(traffic_type="REJECT")),
        _recorded(_log("subnet-1")),
        # No record was due yet.
        _recorded(_log(deliver_logs_status=None)),
    ],
    exempt=[given(_vpc()), given(_vpc(), sample(Subnet, "subnet-1", vpc_id="vpc-2"), _MODEL)],
    remedy="Create a flow log for the VPC.",
    command="aws ec2 create-flow-logs --resource-type VPC --resource-ids {name} --traffic-type ALL"
    " --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET",
    change=Change.IN_PLACE,
    maps=[
        security_hub("EC2.6"),
        config_rule("vpc-flow-logs-enabled"),
        prowler("vpc_flow_logs_enabled"),
        lens("MLSEC03-BP02"),
    ],
)
def unrecorded_network(vpc: Vpc) -> Verdict:
    """VPCs with ML resources should have flow logs that record refused traffic at least.

    Without them nobody can say after an incident what left. A log on the VPC counts, or one on each
    subnet that ML resources are in; one that cannot be delivered does not. The flow logs of a VPC that
    another account shares are not seen here: unknown.
    """
    region = vpc.region
    subnets = subnets_by_vpc(region).get(vpc.name, ())
    if not subnets:
        attachments(region).require_whole()
        return not_applicable("no ML resource is in it")
    _require_own(vpc, "ec2:DescribeFlowLogs")
    recorded = {log.resource_id for log in region.all(FlowLog) if _works(log)}
    if vpc.name in recorded:
        return passed(ResourceId=vpc.name)
    bare = [subnet.name for subnet in subnets if subnet.name not in recorded]
    if bare:
        return failed("its traffic is not recorded", VpcId=vpc.name, SubnetId=bare[:10], subnets=len(bare))
    attachments(region).require_whole()
    return passed("each subnet of ML resources has its own", SubnetId=[s.name for s in subnets][:10])


def _works(log: FlowLog) -> bool:
    return (
        log.flow_log_status == "ACTIVE"
        and log.traffic_type in ("ALL", "REJECT")
        and log.deliver_logs_status != "FAILED"
    )


def _require_own(vpc: Vpc, operation: str) -> None:
    """Raises `Unread` for a VPC that another account shares: what is about it is seen there only."""
    if not vpc.is_own:
        raise Unread(vpc.gap(operation, Reason.NOT_READ, f"account {vpc.owner_id} owns {vpc.name}"))


@rule(
    "SEC-038",
    Severity.MEDIUM,
    bad=[
        given(_SUBNET, _MODEL, _table(_to(gateway_id="igw-1"))),
        given(_SUBNET, _NOTEBOOK, _table(_to(gateway_id="igw-1"), subnet=None)),
        given(_SUBNET, _MODEL, _table({"destination_ipv6_cidr_block": "::/0", "gateway_id": "igw-1"})),
        given(sample(Subnet, "subnet-1", map_public_ip_on_launch=True), _MODEL, _CLOSED),
    ],
    good=[
        given(_SUBNET, _MODEL, _CLOSED),
        given(_SUBNET, _MODEL, _NAT),
        # An egress-only gateway lets nothing in.
        given(
            _SUBNET,
            _MODEL,
            _table({"destination_ipv6_cidr_block": "::/0", "egress_only_internet_gateway_id": "eigw-1"}),
        ),
        given(_SUBNET, _MODEL, _CLOSED, _table(_to(gateway_id="igw-1"), subnet=None)),
    ],
    exempt=[
        given(_SUBNET, _table(_to(gateway_id="igw-1"))),
        given(sample(Subnet, "subnet-2", map_public_ip_on_launch=True), _MODEL),
    ],
    remedy="Move the resources to private subnets; let instances get no public address here.",
    command="aws ec2 modify-subnet-attribute --subnet-id {name} --no-map-public-ip-on-launch",
    change=Change.RECREATE,
    maps=[
        security_hub("EC2.15"),
        config_rule("subnet-auto-assign-public-ip-disabled"),
        prowler("vpc_subnet_no_public_ip_by_default"),
        lens("MLSEC03-BP02"),
    ],
)
def public_subnet(subnet: Subnet) -> Verdict:
    """ML resources should not be in public subnets.

    SageMaker's interfaces get no public address: in a public subnet they cannot reach out at all, and
    whatever else lands beside them is open. A subnet without a route table of its own has the VPC's main
    one. Subnets that jobs named and that are gone by now are not judged.
    """
    users = attachments(subnet.region).of_subnets(frozenset((subnet.name,)))
    if not users:
        return not_applicable("no ML resource is in it")
    used_by = [f"{user.kind} {user.name}" for user in users][:10]
    if subnet.map_public_ip_on_launch:
        return failed("it gives public addresses", MapPublicIpOnLaunch=True, used_by=used_by)
    public = [route for route in route_table_of(subnet).routes if route.is_public]
    if public:
        return failed(
            "the internet reaches it by a gateway",
            GatewayId=public[0].gateway_id,
            DestinationCidrBlock=public[0].destination,
            used_by=used_by,
        )
    return passed(MapPublicIpOnLaunch=subnet.map_public_ip_on_launch)
