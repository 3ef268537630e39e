"""Where subnets lead to: their route tables, and whether a route goes to the internet."""

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.attachments import attachments
from collectors.model import Gap, Reason, Unread
from collectors.network import Route, RouteTable, Subnet
from collectors.view import Region, index

_INSIDE = ("vpce-", "vgw-", "local")
"""Gateways by which nothing leaves for the internet directly: a firewall's endpoint, the company's own network."""


@dataclass(frozen=True, slots=True)
class RouteTables:
    """The route tables of a Region by the subnets that name them, and the main one of each VPC."""

    explicit: Mapping[str, RouteTable]
    main: Mapping[str, RouteTable]


@index
def route_tables(region: Region) -> RouteTables:
    """All route tables. Raises `Unread` unless they were listed."""
    explicit: dict[str, RouteTable] = {}
    main: dict[str, RouteTable] = {}
    for table in region.all(RouteTable):
        for association in table.associations:
            if association.subnet_id:
                explicit[association.subnet_id] = table
            elif association.main:
                main[table.vpc_id] = table
    return RouteTables(explicit, main)


def route_table_of(subnet: Subnet) -> RouteTable:
    """The table that a subnet names, else its VPC's main one.

    Raises `Unread` where neither is seen: the VPC is another account's.
    """
    tables = route_tables(subnet.region)
    found = tables.explicit.get(subnet.name) or tables.main.get(subnet.vpc_id)
    if found is None:
        message = f"no table of {subnet.name} is listed"
        raise Unread(subnet.gap("ec2:DescribeRouteTables", Reason.VANISHED, message))
    return found


def leaves_to_internet(route: Route, inspected: tuple[str, ...]) -> bool | None:
    """Whether a route leads to the internet by a gateway or NAT; `None` where nobody can tell from here.

    A transit gateway is closed if it is named as inspected; peerings, appliances and other networks may
    lead out.
    """
    gateway = route.gateway_id or ""
    if route.nat_gateway_id or route.egress_only_internet_gateway_id or gateway.startswith("igw-"):
        return True
    if gateway.startswith(_INSIDE) or route.transit_gateway_id in inspected:
        return False
    return None


def exits(subnet: Subnet, inspected: tuple[str, ...] = ()) -> tuple[tuple[Route, bool | None], ...]:
    """The active default routes of a subnet, each with whether it leads to the internet."""
    return tuple(
        (route, leaves_to_internet(route, inspected))
        for route in route_table_of(subnet).routes
        if route.to_everywhere
    )


def where_it_leads(route: Route) -> str:
    """The gateway of a route, by its id."""
    named = (
        route.gateway_id,
        route.nat_gateway_id,
        route.transit_gateway_id,
        route.egress_only_internet_gateway_id,
    )
    return next((name for name in named if name), "another network")


@index
def subnets_by_vpc(region: Region) -> Mapping[str, tuple[Subnet, ...]]:
    """The subnets that ML resources name, by their VPC; those that are gone by now are left out.

    Raises `Unread` where the subnets were not listed; what was not seen of the resources is for the
    caller to ask.
    """
    named = sorted({name for held in attachments(region).seen for name in held.subnets})
    found: dict[str, list[Subnet]] = {}
    for name in named:
        subnet = region.find(Subnet, name)
        if subnet is not None:
            found.setdefault(subnet.vpc_id, []).append(subnet)
    return {vpc: tuple(subnets) for vpc, subnets in found.items()}


def unknown_exit(region: Region, route: Route) -> Unread:
    """What to raise where it cannot be told whether a route leads to the internet."""
    message = f"whether {where_it_leads(route)} leads to the internet"
    return Unread(Gap("ec2:DescribeRouteTables", Reason.NOT_READ, "", message, region.account, region.name))
