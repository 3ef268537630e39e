"""Model Monitor: the schedules that look for drift."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListMonitoringSchedules", result="MonitoringScheduleSummaries[]")


class MonitoringSchedule(
    View,
    kind="monitoring-schedule",
    type="AWS::SageMaker::MonitoringSchedule",
    listing=(LIST,),
    name="MonitoringScheduleName",
    arn="MonitoringScheduleArn",
    tagged=True,
):
    """A schedule of monitoring jobs."""

    monitoring_schedule_status = required(LIST, "MonitoringScheduleStatus", str, "Scheduled")


@collects(MonitoringSchedule)
def monitoring_schedules(reader: "Reader") -> Iterator[Resource]:
    """Every schedule, a hundred a page."""
    for summary in reader.list(LIST):
        yield from reader.resource({LIST: summary})
