"""Private workforces: the people who label, and from where they may log in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListWorkforces", result="Workforces[]")


class Workforce(
    View,
    kind="workforce",
    type="AWS::SageMaker::Workforce",
    listing=(LIST,),
    name="WorkforceName",
    arn="WorkforceArn",
):
    """A Region's private workforce; the list has all that Describe answers."""

    status = required(LIST, "Status", str, "Active")
    cidrs = optional(LIST, "SourceIpConfig.Cidrs", list)
    vpc_id = optional(LIST, "WorkforceVpcConfig.VpcId", str)
    subnets = optional(LIST, "WorkforceVpcConfig.Subnets", list[str])
    security_group_ids = optional(LIST, "WorkforceVpcConfig.SecurityGroupIds", list[str])


@collects(Workforce)
def workforces(reader: "Reader") -> Iterator[Resource]:
    """Every private workforce; public and vendor workforces belong to others."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})
