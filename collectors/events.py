"""EventBridge: the rules of every bus and what they start."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST_BUSES = Operation("events", "ListEventBuses", result="EventBuses[]", page_size=100)
LIST_RULES = Operation("events", "ListRules", result="Rules[]", page_size=100)
LIST_TARGETS = Operation(
    "events",
    "ListTargetsByRule",
    page_size=100,
    secrets=(
        "Targets[].Input",
        "Targets[].InputTransformer.InputTemplate",
        "Targets[].HttpParameters.HeaderParameters",
        "Targets[].HttpParameters.QueryStringParameters",
    ),
)


class EventTarget(Part):
    """What a rule starts."""

    arn = required(PART, "Arn", str, "arn:aws:lambda:eu-west-1:123456789012:function:example")


class EventRule(
    View, kind="event-rule", type="AWS::Events::Rule", listing=(LIST_RULES,), name="Name", arn="Arn"
):
    """A rule: what it matches or when it runs, and its targets."""

    state = required(LIST_RULES, "State", str, "ENABLED")
    event_pattern = optional(LIST_RULES, "EventPattern", str)
    targets = items(LIST_TARGETS, "Targets[]", EventTarget)

    @property
    def is_enabled(self) -> bool:
        """Whether it fires."""
        return self.state != "DISABLED"

    @property
    def pattern(self) -> dict[str, Any]:
        """What it matches; nothing for a rule on a schedule, and for a pattern that is no JSON object."""
        try:
            found = json.loads(self.event_pattern or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@collects(EventRule)
def event_rules(reader: "Reader") -> Iterator[Resource]:
    """The rules of all buses, and the targets of those that fire and that no service keeps for itself."""

    def targets(rule: Document) -> Reading:
        names = {"Rule": rule["Name"], "EventBusName": rule.get("EventBusName", "default")}
        try:
            pages = list(reader.pages(LIST_TARGETS, **names))
        except Unread as unread:
            return unread.gap
        return {"Targets": [target for page in pages for target in page.get("Targets", ())]}

    def read(rule: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {LIST_RULES: rule}
        if reader.wants(LIST_TARGETS) and rule.get("State") != "DISABLED" and not rule.get("ManagedBy"):
            readings[LIST_TARGETS] = targets(rule)
        else:
            readings[LIST_TARGETS] = {}
        return list(reader.resource(readings))

    for bus in list(reader.list(LIST_BUSES)):
        for found in reader.gather(read, reader.list(LIST_RULES, EventBusName=bus["Name"])):
            yield from found
