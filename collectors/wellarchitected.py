"""The Well-Architected Tool: workloads and when their review was last touched."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("wellarchitected", "ListWorkloads", result="WorkloadSummaries[]", page_size=50)


class Workload(
    View,
    kind="well-architected-workload",
    type="AWS::WellArchitected::Workload",
    listing=(LIST,),
    name="WorkloadName",
    arn="WorkloadArn",
):
    """A workload under review, its own or shared with the account. Lenses are aliases or ARNs."""

    lenses = optional(LIST, "Lenses", list[str])
    updated_at = required(LIST, "UpdatedAt", datetime, datetime.fromisoformat("2026-09-01T06:00:00+00:00"))


@collects(Workload)
def workloads(reader: "Reader") -> Iterator[Resource]:
    """Every workload of the Region."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})
