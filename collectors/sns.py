"""The SNS topics that alarms on SageMaker notify: whether anybody subscribed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.cloudwatch import CompositeAlarm, MetricAlarm
from collectors.collector import collects
from collectors.model import Gap, Operation, Reading, Reason, Resource, Unread
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

GET_TOPIC = Operation("sns", "GetTopicAttributes")
# An HTTPS subscriber's URL may hold a token.
SUBSCRIPTIONS = Operation("sns", "ListSubscriptionsByTopic", secrets=("Subscriptions[].Endpoint",))


class Topic(View, kind="sns-topic", type="AWS::SNS::Topic", listing=(GET_TOPIC,)):
    """A topic named by an alarm's action. Its attributes are a map of texts."""

    attributes = required(GET_TOPIC, "Attributes", dict[str, str], {"SubscriptionsConfirmed": "1"})

    @property
    def subscriptions_confirmed(self) -> int:
        """How many subscribers get its messages."""
        count = self.attributes.get("SubscriptionsConfirmed")
        if count is None:
            raise Unread(self.gap(str(GET_TOPIC), Reason.MISSING, "SubscriptionsConfirmed"))
        return int(count)


class Subscriber(Part):
    """Who gets the messages of a topic, and how."""

    protocol = optional(PART, "Protocol", str)


class TopicSubscribers(View, kind="sns-topic-subscribers", listing=(SUBSCRIPTIONS,)):
    """The subscribers of a topic named by an alarm's action."""

    subscriptions = items(SUBSCRIPTIONS, "Subscriptions[]", Subscriber)


@collects(Topic, follows=(MetricAlarm, CompositeAlarm))
def topics(reader: "Reader") -> Iterator[Resource]:
    """The topics of the alarms that could speak of SageMaker; one that is gone is left out."""
    named = sorted({action for action in _actions(reader) if ":sns:" in action})

    def read(arn: str) -> Reading:
        return reader.read(GET_TOPIC, TopicArn=arn, region=arn.split(":")[3])

    for arn, reading in zip(named, reader.gather(read, named), strict=True):
        if not (isinstance(reading, Gap) and reading.reason is Reason.VANISHED):
            yield from reader.resource({GET_TOPIC: reading}, key=arn, name=arn.rpartition(":")[2])


@collects(TopicSubscribers, follows=(MetricAlarm, CompositeAlarm))
def topic_subscribers(reader: "Reader") -> Iterator[Resource]:
    """The subscribers of the alarms' topics; of a topic that is gone there are none."""
    named = sorted({action for action in _actions(reader) if ":sns:" in action})

    def read(arn: str) -> Reading:
        try:
            pages = list(reader.pages(SUBSCRIPTIONS, TopicArn=arn, region=arn.split(":")[3]))
        except Unread as unread:
            return unread.gap
        return {"Subscriptions": [found for page in pages for found in page.get("Subscriptions", ())]}

    for arn, reading in zip(named, reader.gather(read, named), strict=True):
        if not (isinstance(reading, Gap) and reading.reason is Reason.VANISHED):
            yield from reader.resource({SUBSCRIPTIONS: reading}, key=arn, name=arn.rpartition(":")[2])


def _actions(reader: "Reader") -> Iterator[str]:
    """What alarms on SageMaker do, and the composite alarms that are made of them."""
    relevant = {alarm.name: alarm for alarm in reader.known(MetricAlarm) if alarm.about_sagemaker}
    named = {*relevant, *(alarm.id for alarm in relevant.values())}
    for alarm in relevant.values():
        yield from alarm.alarm_actions or ()
    composites = list(reader.known(CompositeAlarm))
    grown = True
    while grown:
        found = [
            alarm for alarm in composites if alarm.name not in named and not named.isdisjoint(alarm.children)
        ]
        grown = bool(found)
        for composite in found:
            named |= {composite.name, composite.id}
            yield from composite.alarm_actions or ()
