"""CloudWatch dashboards and what they show."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("cloudwatch", "ListDashboards", result="DashboardEntries[]")
GET = Operation("cloudwatch", "GetDashboard")


class Dashboard(
    View,
    kind="dashboard",
    type="AWS::CloudWatch::Dashboard",
    listing=(LIST,),
    name="DashboardName",
    arn="DashboardArn",
    is_global=True,
):
    """A dashboard; dashboards belong to the account, whatever Regions they show."""

    dashboard_body = required(GET, "DashboardBody", str, "{}")


@collects(Dashboard)
def dashboards(reader: "Reader") -> Iterator[Resource]:
    """Every dashboard with its body."""
    listed = list(reader.list(LIST))
    names = [document["DashboardName"] for document in listed]
    bodies = reader.gather(lambda name: reader.read(GET, DashboardName=name), names)
    for document, body in zip(listed, bodies, strict=True):
        yield from reader.resource({LIST: document, GET: body})
