"""Networks: VPCs, subnets, security groups, routes, VPC endpoints and flow logs of a Region, a page of each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.attachments import HOLDERS, attachments
from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

VPCS = Operation("ec2", "DescribeVpcs", result="Vpcs[]", page_size=1000)
SUBNETS = Operation("ec2", "DescribeSubnets", result="Subnets[]", page_size=1000)
GROUPS = Operation("ec2", "DescribeSecurityGroups", result="SecurityGroups[]", page_size=1000)
ROUTES = Operation("ec2", "DescribeRouteTables", result="RouteTables[]", page_size=100)
ENDPOINTS = Operation("ec2", "DescribeVpcEndpoints", result="VpcEndpoints[]", page_size=1000)
FLOW_LOGS = Operation("ec2", "DescribeFlowLogs", result="FlowLogs[]", page_size=1000)
REPOSITORIES = Operation("codeartifact", "ListRepositories", result="repositories[]", page_size=1000)


class Vpc(View, kind="vpc", type="AWS::EC2::VPC", listing=(VPCS,), name="VpcId", tags=(VPCS, "Tags")):
    """A VPC. One that another account shares has that account as its owner."""

    owner_id = required(VPCS, "OwnerId", str, "123456789012")

    @property
    def is_own(self) -> bool:
        """Whether it belongs to this account: of a shared one neither flow logs nor endpoints are seen."""
        return self.owner_id == self.region.account


class Subnet(
    View,
    kind="subnet",
    type="AWS::EC2::Subnet",
    listing=(SUBNETS,),
    name="SubnetId",
    arn="SubnetArn",
    tags=(SUBNETS, "Tags"),
):
    """A subnet. The id of its zone is the same place in every account, the zone's name is not."""

    availability_zone_id = required(SUBNETS, "AvailabilityZoneId", str, "euw1-az1")
    vpc_id = required(SUBNETS, "VpcId", str, "vpc-1")
    map_public_ip_on_launch = optional(SUBNETS, "MapPublicIpOnLaunch", bool)


class Range(Part):
    """Addresses of IPv4 or IPv6."""

    cidr_ip = optional(PART, "CidrIp", str)


class Range6(Part):
    """Addresses of IPv6."""

    cidr_ipv6 = optional(PART, "CidrIpv6", str)


class Permission(Part):
    """One rule of a security group: a protocol, ports, and from or to where."""

    ip_protocol = optional(PART, "IpProtocol", str)
    from_port = optional(PART, "FromPort", int)
    to_port = optional(PART, "ToPort", int)
    ip_ranges = items(PART, "IpRanges[]", Range)
    ipv6_ranges = items(PART, "Ipv6Ranges[]", Range6)

    @property
    def anywhere(self) -> bool:
        """Whether it names the whole internet."""
        return bool(self.open_families)

    @property
    def open_families(self) -> frozenset[str]:
        """The blocks by which it names the whole internet: that of IPv4, of IPv6, or both."""
        named = {
            *(found.cidr_ip for found in self.ip_ranges),
            *(found.cidr_ipv6 for found in self.ipv6_ranges),
        }
        return frozenset(block for block in EVERYWHERE if block in named)

    @property
    def all_traffic(self) -> bool:
        """Whether it is for every protocol, or every port of TCP."""
        whole = self.ip_protocol == "tcp" and (self.from_port or 0) <= 1 and (self.to_port or 0) >= _LAST
        return self.ip_protocol == "-1" or whole


_LAST = 65_535

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""The whole internet, of IPv4 and of IPv6."""


class SecurityGroup(
    View,
    kind="security-group",
    type="AWS::EC2::SecurityGroup",
    listing=(GROUPS,),
    name="GroupId",
    arn="SecurityGroupArn",
    tags=(GROUPS, "Tags"),
):
    """A security group: what may come in, and go out."""

    ip_permissions = items(GROUPS, "IpPermissions[]", Permission)
    ip_permissions_egress = items(GROUPS, "IpPermissionsEgress[]", Permission)


class Association(Part):
    """A subnet that a route table is for, or that it is the VPC's main one."""

    subnet_id = optional(PART, "SubnetId", str)
    main = optional(PART, "Main", bool)


class Route(Part):
    """One route."""

    destination_cidr_block = optional(PART, "DestinationCidrBlock", str)
    destination_ipv6_cidr_block = optional(PART, "DestinationIpv6CidrBlock", str)
    gateway_id = optional(PART, "GatewayId", str)
    nat_gateway_id = optional(PART, "NatGatewayId", str)
    transit_gateway_id = optional(PART, "TransitGatewayId", str)
    egress_only_internet_gateway_id = optional(PART, "EgressOnlyInternetGatewayId", str)
    state = optional(PART, "State", str)

    @property
    def to_everywhere(self) -> bool:
        """Whether it is the way to all that no other route leads to, and leads anywhere."""
        return self.destination in EVERYWHERE and self.state != "blackhole"

    @property
    def destination(self) -> str | None:
        """The block that it is for; a list of prefixes has none."""
        return self.destination_cidr_block or self.destination_ipv6_cidr_block

    @property
    def is_public(self) -> bool:
        """Whether it leads to an internet gateway, by which the internet reaches in; an egress-only one does not."""
        return self.to_everywhere and (self.gateway_id or "").startswith("igw-")


class RouteTable(
    View,
    kind="route-table",
    type="AWS::EC2::RouteTable",
    listing=(ROUTES,),
    name="RouteTableId",
    arn="RouteTableId",
):
    """A route table."""

    vpc_id = required(ROUTES, "VpcId", str, "vpc-1")
    associations = items(ROUTES, "Associations[]", Association)
    routes = items(ROUTES, "Routes[]", Route)


class EndpointGroup(Part):
    """A security group of an endpoint's network interfaces."""

    group_id = required(PART, "GroupId", str, "sg-1")


class VpcEndpoint(
    View,
    kind="vpc-endpoint",
    type="AWS::EC2::VPCEndpoint",
    listing=(ENDPOINTS,),
    name="VpcEndpointId",
    tags=(ENDPOINTS, "Tags"),
):
    """A private way from a VPC to a service."""

    vpc_id = required(ENDPOINTS, "VpcId", str, "vpc-1")
    service_name = required(ENDPOINTS, "ServiceName", str, "com.amazonaws.eu-west-1.s3")
    vpc_endpoint_type = optional(ENDPOINTS, "VpcEndpointType", str)
    state = optional(ENDPOINTS, "State", str)
    private_dns_enabled = optional(ENDPOINTS, "PrivateDnsEnabled", bool)
    route_table_ids = optional(ENDPOINTS, "RouteTableIds", list[str])
    policy_document = optional(ENDPOINTS, "PolicyDocument", str)
    groups = items(ENDPOINTS, "Groups[]", EndpointGroup)

    @property
    def is_available(self) -> bool:
        """Whether it works: one that its service has not accepted yet does not."""
        return (self.state or "").lower() == "available"

    @property
    def serves_sagemaker(self) -> bool:
        """Whether it is a way to one of SageMaker's APIs, notebooks or Studio."""
        return "sagemaker" in self.service_name


class FlowLog(
    View, kind="flow-log", type="AWS::EC2::FlowLog", listing=(FLOW_LOGS,), name="FlowLogId", arn="FlowLogId"
):
    """A record of a network's traffic."""

    resource_id = required(FLOW_LOGS, "ResourceId", str, "vpc-1")
    flow_log_status = optional(FLOW_LOGS, "FlowLogStatus", str)
    traffic_type = optional(FLOW_LOGS, "TrafficType", str)
    deliver_logs_status = optional(FLOW_LOGS, "DeliverLogsStatus", str)


class PackageRepository(
    View,
    kind="package-repository",
    type="AWS::CodeArtifact::Repository",
    listing=(REPOSITORIES,),
    name="name",
    arn="arn",
):
    """A repository of CodeArtifact."""

    domain_name = optional(REPOSITORIES, "domainName", str)


def _listed(reader: "Reader", operation: Operation, **parameters: Any) -> Iterator[Resource]:
    for document in reader.list(operation, **parameters):
        yield from reader.resource({operation: document})


def _named(reader: "Reader", operation: Operation, path: str, member: str) -> Iterator[Resource]:
    """Resources whose documents have no ARN: it is made of their id."""
    place = reader.region
    for document in reader.list(operation):
        arn = f"arn:{place.partition}:ec2:{place.name}:{place.account}:{path}/{document[member]}"
        yield from reader.resource({operation: document}, key=arn)


@collects(Vpc)
def vpcs(reader: "Reader") -> Iterator[Resource]:
    """Every VPC of the Region, shared ones too."""
    yield from _named(reader, VPCS, "vpc", "VpcId")


@collects(Subnet)
def subnets(reader: "Reader") -> Iterator[Resource]:
    """Every subnet of the Region, those that other accounts share with it too."""
    yield from _listed(reader, SUBNETS)


@collects(SecurityGroup, follows=(*HOLDERS, VpcEndpoint))
def security_groups(reader: "Reader") -> Iterator[Resource]:
    """The groups of ML resources and of the endpoints that lead to SageMaker.

    All are listed: asked for by id, one that is gone would fail the whole request.
    """
    used = {group for held in attachments(reader.region).seen for group in held.groups}
    for endpoint in reader.known(VpcEndpoint):
        if endpoint.serves_sagemaker:
            used.update(found.group_id for found in endpoint.groups)
    for document in reader.list(GROUPS) if used else ():
        if document["GroupId"] in used:
            yield from reader.resource({GROUPS: document})


@collects(RouteTable)
def route_tables(reader: "Reader") -> Iterator[Resource]:
    """Every route table."""
    yield from _listed(reader, ROUTES)


@collects(VpcEndpoint)
def vpc_endpoints(reader: "Reader") -> Iterator[Resource]:
    """Every VPC endpoint."""
    yield from _named(reader, ENDPOINTS, "vpc-endpoint", "VpcEndpointId")


@collects(FlowLog)
def flow_logs(reader: "Reader") -> Iterator[Resource]:
    """Every flow log."""
    yield from _listed(reader, FLOW_LOGS)


@collects(PackageRepository)
def package_repositories(reader: "Reader") -> Iterator[Resource]:
    """Every repository of packages."""
    yield from _listed(reader, REPOSITORIES)
