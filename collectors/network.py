"""Networks: the subnets of a Region, and the Availability Zones that they lie in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

SUBNETS = Operation("ec2", "DescribeSubnets", result="Subnets[]", page_size=1000)


class Subnet(
    View, kind="subnet", type="AWS::EC2::Subnet", listing=(SUBNETS,), name="SubnetId", arn="SubnetArn"
):
    """A subnet. The id of its zone is the same place in every account, the zone's name is not."""

    availability_zone_id = required(SUBNETS, "AvailabilityZoneId", str, "euw1-az1")


@collects(Subnet)
def subnets(reader: "Reader") -> Iterator[Resource]:
    """Every subnet of the Region, those that other accounts share with it too."""
    for document in reader.list(SUBNETS):
        yield from reader.resource({SUBNETS: document})
