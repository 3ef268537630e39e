"""Rules, schedules, workflows and delivery pipelines: all pages and all buses, and a gap where AWS says no."""

from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.codepipeline import code_pipelines
from collectors.collector import Collector
from collectors.events import EventRule, event_rules
from collectors.model import Gap, Reason
from collectors.reads import Reads
from collectors.sample import ACCOUNT, NOW, REGION
from collectors.stepfunctions import StateMachine, state_machines

DETAILS = Reads(fields={EventRule.targets, StateMachine.definition})
TARGETS = "events:ListTargetsByRule"


def rule(name: str, bus: str = "default", **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
    return {"Name": name, "Arn": arn, "State": "ENABLED", "EventBusName": bus, **more}


def test_rules_of_every_bus_with_the_targets_of_those_that_fire() -> None:
    state = DemoState(NOW)
    buses = [
        {"Name": name, "Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}"}
        for name in ("default", "ml")
    ]
    state.answer("events:ListEventBuses", {"EventBuses": buses})
    mine = [rule("drift"), rule("off", State="DISABLED"), rule("aws", ManagedBy="autoscaling.amazonaws.com")]
    state.answer("events:ListRules", {"Rules": mine}, when={"EventBusName": "default"})
    state.answer("events:ListRules", {"Rules": [rule("denied", "ml")]}, when={"EventBusName": "ml"})
    target = {
        "Id": "1",
        "Arn": "arn:aws:lambda:eu-west-1:1:function:f",
        "Input": '{"password": "vT8kQ2mZx9Lw"}',
    }
    state.answer(TARGETS, {"Targets": [target]}, when={"Rule": "drift"})
    state.refuse(TARGETS, code="AccessDeniedException", when={"Rule": "denied"})
    reader = reader_of(event_rules, state, reads=DETAILS)

    found = {r.name: r for r in event_rules.function(reader)}

    readings = {name: r.readings()[TARGETS] for name, r in found.items()}
    assert sorted(found) == ["aws", "denied", "drift", "off"]
    assert (readings["off"], readings["aws"], state.calls[TARGETS]) == ({}, {}, 2)
    assert isinstance(readings["denied"], Gap)
    assert b"vT8kQ2mZx9Lw" not in bytes(found["drift"].documents)
    assert reader.gap is None


def test_a_denied_bus_listing_marks_the_rules_as_not_whole() -> None:
    reader = reader_of(event_rules, DemoState(NOW, denied=["events:ListEventBuses"]), reads=DETAILS)
    assert list(event_rules.function(reader)) == []
    assert reader.gap is not None
    assert reader.gap.reason is Reason.DENIED


@pytest.mark.parametrize(("count", "described", "whole"), [(3, 3, True), (201, 200, False)])
def test_beyond_the_newest_state_machines_nobody_knows(count: int, described: int, whole: bool) -> None:
    state = DemoState(NOW)
    machines = [
        {
            "stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m{number}",
            "name": f"m{number}",
            "type": "STANDARD",
            "creationDate": NOW + timedelta(hours=number),
        }
        for number in range(count)
    ]
    state.answer("stepfunctions:ListStateMachines", {"stateMachines": machines})
    for machine in machines:
        whole_one = {**machine, "definition": "{}", "roleArn": "arn:aws:iam::123456789012:role/r"}
        state.answer(
            "stepfunctions:DescribeStateMachine",
            whole_one,
            when={"stateMachineArn": machine["stateMachineArn"]},
        )
    reader = reader_of(state_machines, state, reads=DETAILS)
    found = [r.name for r in state_machines.function(reader)]
    assert (len(found), found[0], reader.gap is None) == (described, f"m{count - 1}", whole)


@pytest.mark.parametrize("collector", [code_pipelines], ids=lambda c: c.name)
def test_a_pipeline_that_is_denied_is_a_gap_of_its_own(collector: Collector) -> None:
    state = DemoState(NOW, denied=["codepipeline:GetPipeline"])
    state.answer("codepipeline:ListPipelines", {"pipelines": [{"name": "deliver"}]})
    reader = reader_of(collector, state)
    (resource,) = collector.function(reader)
    assert resource.id == f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:deliver"
    assert getattr(resource.readings()["codepipeline:GetPipeline"], "reason", None) is Reason.DENIED
    assert reader.gap is None
