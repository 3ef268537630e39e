"""What starts things by itself: rules and schedules of EventBridge, by their targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from collectors.events import EventRule
from collectors.model import Unread
from collectors.scheduler import Schedule
from collectors.view import Region, index


@dataclass(slots=True)
class Triggers:
    """Which rule or schedule starts which target, by its ARN in lower case; the gap that may hide more."""

    by_target: dict[str, str] = field(default_factory=dict)
    unread: Unread | None = None

    def of(self, arn: str) -> str:
        """What starts a target; nothing where nothing does. Raises `Unread` where not all was read."""
        found = self.by_target.get(arn.lower(), "")
        if not found and self.unread is not None:
            raise self.unread
        return found


@index
def rule_triggers(region: Region) -> Triggers:
    """The targets of the rules that fire, on all buses. Raises `Unread` where not all rules were listed."""
    found = Triggers()
    for rule in region.all(EventRule):
        try:
            if rule.is_enabled:
                for target in rule.targets:
                    found.by_target.setdefault(target.arn.lower(), f"rule {rule.name}")
        except Unread as unread:
            found.unread = unread
    return found


@index
def schedule_triggers(region: Region) -> Triggers:
    """The targets of the schedules that fire. Raises `Unread` where not all were listed."""
    found = Triggers()
    for schedule in region.all(Schedule):
        try:
            if schedule.is_enabled and schedule.target is not None:
                found.by_target.setdefault(schedule.target.arn.lower(), f"schedule {schedule.name}")
        except Unread as unread:
            found.unread = unread
    return found


def triggers(region: Region) -> Iterator[Triggers]:
    """Those of rules, then those of schedules. Raises `Unread`."""
    yield rule_triggers(region)
    yield schedule_triggers(region)
