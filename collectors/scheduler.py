"""EventBridge Scheduler: schedules and what they start."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import PART, Part, View, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("scheduler", "ListSchedules", result="Schedules[]", page_size=100)


class ScheduleTarget(Part):
    """What a schedule starts: a resource, or an API call (`arn:aws:scheduler:::aws-sdk:sagemaker:…`)."""

    arn = required(PART, "Arn", str, "arn:aws:lambda:eu-west-1:123456789012:function:example")


class Schedule(
    View, kind="schedule", type="AWS::Scheduler::Schedule", listing=(LIST,), name="Name", arn="Arn"
):
    """A schedule with its target."""

    state = required(LIST, "State", str, "ENABLED")
    target = part(LIST, "Target", ScheduleTarget)

    @property
    def is_enabled(self) -> bool:
        """Whether it fires."""
        return self.state == "ENABLED"


@collects(Schedule)
def schedules(reader: "Reader") -> Iterator[Resource]:
    """Every schedule of all groups; the listing has all that is needed of them."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})
