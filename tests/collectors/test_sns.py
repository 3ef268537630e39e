"""Topics are asked for only where an alarm that can be about SageMaker leads to them."""

from readers import reader_of

from auditor.demo.state import DemoState
from collectors.cloudwatch import CompositeAlarm, MetricAlarm
from collectors.model import Reason
from collectors.sample import ACCOUNT, NOW, REGION, sample
from collectors.sns import topics

GET = "sns:GetTopicAttributes"


def topic(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"


ALARMS = [
    sample(MetricAlarm, "errors", namespace="AWS/SageMaker", alarm_actions=[topic("direct"), topic("gone")]),
    sample(MetricAlarm, "disk", namespace="AWS/EC2", alarm_actions=[topic("unrelated")]),
    sample(
        MetricAlarm,
        "page",
        namespace="AWS/SageMaker",
        alarm_actions=["arn:aws:lambda:eu-west-1:1:function:f"],
    ),
    sample(CompositeAlarm, "inner", alarm_rule="ALARM(errors)"),
    sample(CompositeAlarm, "outer", alarm_rule="ALARM(inner)", alarm_actions=[topic("above")]),
    sample(CompositeAlarm, "other", alarm_rule="ALARM(disk)", alarm_actions=[topic("unrelated")]),
]


def test_topics_of_sagemakers_alarms_and_of_composites_made_of_them() -> None:
    state = DemoState(NOW)
    for name in ("direct", "above"):
        found = {"Attributes": {"SubscriptionsConfirmed": "2"}}
        state.answer(GET, found, when={"TopicArn": topic(name)})
    state.refuse(GET, code="NotFound", status=404, when={"TopicArn": topic("gone")})
    reader = reader_of(topics, state, ALARMS)

    resources = list(topics.function(reader))

    assert [(r.id, r.name) for r in resources] == [(topic("above"), "above"), (topic("direct"), "direct")]
    assert (state.calls[GET], reader.gap) == (3, None)


def test_a_denied_topic_is_a_gap_of_its_own() -> None:
    reader = reader_of(topics, DemoState(NOW, denied=[GET]), ALARMS)
    reasons = [getattr(r.readings()[GET], "reason", None) for r in topics.function(reader)]
    assert reasons == [Reason.DENIED] * 3
