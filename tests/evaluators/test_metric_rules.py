"""What rules on metrics and alarms say where something they need could not be read or never arrived."""

from collections.abc import Mapping
from typing import Any

import pytest

from collectors.cloudwatch import MetricAlarm
from collectors.ec2 import InstanceType
from collectors.model import Gap, Reason
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import ACCOUNT, REGION, Sample, sample, snapshot_of
from collectors.sns import Topic
from evaluators.engine import Judgement, judge
from evaluators.rule import Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}
REFUSED = Gap("test:Refuse", Reason.DENIED, "AccessDenied")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
PAGER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:page"
PLACE = [{"name": "EndpointName", "value": "example"}, {"name": "VariantName", "value": "a"}]


def served(instance_type: str = "ml.m7i.xlarge", **variant: Any) -> list[Sample]:
    measured = {"variant_name": "a", "current_instance_count": 2, "invocations": [5.0], **variant}
    planned = {"variant_name": "a", "model_name": "m", "instance_type": instance_type}
    return [
        sample(
            Endpoint,
            endpoint_config_name="config",
            production_variants=[measured],
            tags={"latency-slo-ms": "9"},
        ),
        sample(EndpointConfig, "config", production_variants=[planned]),
        sample(InstanceType, "m7i.xlarge"),
        sample(InstanceType, "m99.large"),
        sample(InstanceType, "g5.xlarge", gpus=[{"count": 1}]),
    ]


def alarms(*actions: str, topic: Any = None) -> list[Sample]:
    values = {"namespace": "AWS/SageMaker", "dimensions": PLACE, "alarm_actions": list(actions)}
    found = [sample(MetricAlarm, m, metric_name=m, **values) for m in ("Invocation5XXErrors", "ModelLatency")]
    return [*served(), *found, sample(Topic, "oncall", arn=TOPIC, attributes=topic)]


def verdict(code: str, samples: list[Sample], thresholds: Mapping[str, Any]) -> Judgement:
    (found,) = judge([RULES[code]], snapshot_of(samples), {code: thresholds})
    return found


LOW = {"cpu_utilization": [1.0], "memory_utilization": [1.0]}


@pytest.mark.parametrize(
    ("code", "samples", "thresholds"),
    [
        ("PERF-001", served("ml.unheard.large"), {}),
        ("PERF-002", served("ml.unheard.large", **LOW), {}),
        ("PERF-002", served(**LOW), {"lookback_days": 30}),
        ("PERF-002", served(**{**LOW, "memory_utilization": None}), {}),
        ("PERF-002", served(**{**LOW, "memory_utilization": REFUSED}), {}),
        # Nobody knows whether SageMaker hosts a smaller size of a family that is new.
        ("PERF-002", served("ml.m99.large", **LOW), {}),
        # A container that does not report its GPUs.
        ("PERF-003", served("ml.g5.xlarge", **LOW), {}),
        ("PERF-004", served(p95_cpu_utilization=[1.0]), {}),
        ("PERF-005", served(model_latency=None), {}),
        ("PERF-005", served(model_latency=[1.0], overhead_latency=[1.0]), {"lookback_days": 15}),
        # Neither calls nor host metrics arrive: that is no proof of idleness.
        ("COST-001", served(invocations=None), {}),
        ("COST-001", served(invocations=REFUSED, **LOW), {}),
        ("COST-001", served(invocations=None, **LOW), {"idle_days": 20}),
        ("REL-018", served(invocation5_xx_errors=REFUSED), {}),
        ("OPS-027", alarms(TOPIC, topic=REFUSED), {}),
        ("OPS-027", alarms(TOPIC, topic={"TopicArn": TOPIC}), {}),
    ],
)
def test_what_nobody_knows_is_unknown(
    code: str, samples: list[Sample], thresholds: Mapping[str, Any]
) -> None:
    found = verdict(code, samples, thresholds)
    assert found.verdict.status is Status.UNKNOWN, found.verdict
    assert found.gap is not None
    assert not found.gap.operation.startswith("rule ")


def test_a_topic_that_cannot_be_read_matters_not_where_another_action_tells_somebody() -> None:
    found = verdict("OPS-027", alarms(TOPIC, PAGER, topic=REFUSED), {})
    assert found.verdict.status is Status.PASS


def test_a_failed_update_is_one_level_lower_than_an_endpoint_that_is_down() -> None:
    samples = served(invocations=[5000.0])
    samples[0] = sample(
        Endpoint, failure_reason="no capacity", production_variants=[{"invocations": [5000.0]}]
    )
    assert verdict("REL-018", samples, {}).verdict.lowered == 1
