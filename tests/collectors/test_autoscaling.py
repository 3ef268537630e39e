"""Application Auto Scaling: one listing of each kind a Region, and what belongs to a target."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.autoscaling import (
    CONCURRENCY,
    COPIES,
    INSTANCES,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    scalable_targets,
    scaling_activities,
    scaling_policies,
    targets_by_resource,
)
from collectors.collector import Collector
from collectors.model import Reason
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region

VARIANT = "endpoint/scorer/variant/blue"
COMPONENT = "inference-component/copy"


def common(resource: str, dimension: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource,
        "ScalableDimension": dimension,
        "CreationTime": NOW - timedelta(days=40),
    }


def add_target(state: DemoState, resource: str, dimension: str = INSTANCES, **more: Any) -> None:
    document = {
        **common(resource, dimension),
        "MinCapacity": 2,
        "MaxCapacity": 6,
        "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/scaling",
        "ScalableTargetARN": f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/"
        f"{resource}/{dimension}",
        **more,
    }
    state.add("ScalableTarget", REGION, document)


def add_policy(state: DemoState, name: str, resource: str = VARIANT, dimension: str = INSTANCES) -> None:
    document = {
        **common(resource, dimension),
        "PolicyARN": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{name}",
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {"MetricName": "ApproximateBacklogSizePerInstance"},
        },
        "Alarms": [{"AlarmName": f"{name}-high", "AlarmARN": "arn:aws:cloudwatch:eu-west-1:1:alarm:high"}],
    }
    state.add("ScalingPolicy", REGION, document)


def add_activity(state: DemoState, name: str, resource: str = VARIANT) -> None:
    document = {
        **common(resource, INSTANCES),
        "ActivityId": name,
        "Description": "Setting desired instance count to 3.",
        "Cause": "an alarm",
        "StartTime": NOW - timedelta(days=1),
        "StatusCode": "Failed",
        "StatusMessage": "InsufficientInstanceCapacity",
    }
    del document["CreationTime"]
    state.add("ScalingActivity", REGION, document)


def region_of(state: DemoState) -> Region:
    """A Region that holds what the three collectors yielded."""
    snapshot = snapshot_of([])
    for collector in (scalable_targets, scaling_policies, scaling_activities):
        reader = reader_of(collector, state)
        for resource in collector.function(reader):
            snapshot.add(resource)
        assert reader.gap is None
    return Region(snapshot, ACCOUNT, REGION)


def test_a_region_costs_one_listing_of_each_kind_in_the_largest_pages() -> None:
    state = DemoState(NOW)
    for number in range(101):
        add_target(state, f"endpoint/scorer-{number}/variant/blue")
        add_activity(state, f"a{number}")
    for number in range(21):
        add_policy(state, f"p{number}")
    region = region_of(state)
    counts = [len(list(region.all(view))) for view in (ScalableTarget, ScalingPolicy, ScalingActivity)]
    assert counts == [101, 21, 101]
    assert dict(state.calls) == {
        "application-autoscaling:DescribeScalableTargets": 3,
        "application-autoscaling:DescribeScalingPolicies": 3,
        "application-autoscaling:DescribeScalingActivities": 3,
    }


def test_targets_of_all_three_dimensions_have_their_own_policies() -> None:
    state = DemoState(NOW)
    for resource, dimension, policy in (
        (VARIANT, INSTANCES, "calls"),
        (VARIANT, CONCURRENCY, "concurrency"),
        (COMPONENT, COPIES, "copies"),
    ):
        add_target(state, resource, dimension)
        add_policy(state, policy, resource, dimension)
    add_target(state, "endpoint/bare/variant/blue")
    add_activity(state, "failed")
    region = region_of(state)

    targets = targets_by_resource(region)
    assert {resource: len(found) for resource, found in targets.items()} == {
        VARIANT: 2,
        COMPONENT: 1,
        "endpoint/bare/variant/blue": 1,
    }
    told = {
        (target.resource_id, target.scalable_dimension): [policy.name for policy in target.policies]
        for target in region.all(ScalableTarget)
    }
    assert told == {
        (VARIANT, INSTANCES): ["calls"],
        (VARIANT, CONCURRENCY): ["concurrency"],
        (COMPONENT, COPIES): ["copies"],
        ("endpoint/bare/variant/blue", INSTANCES): [],
    }
    messages = [activity.status_message for activity in targets[VARIANT][0].activities]
    assert messages == ["InsufficientInstanceCapacity"]
    assert targets[COMPONENT][0].activities == ()


def test_what_a_policy_tracks_and_which_alarms_it_acts_on() -> None:
    state = DemoState(NOW)
    add_policy(state, "backlog")
    (policy,) = region_of(state).all(ScalingPolicy)
    assert (policy.predefined_metric_type, policy.metric_name) == (None, "ApproximateBacklogSizePerInstance")
    assert [alarm.alarm_name for alarm in policy.alarms] == ["backlog-high"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        (
            {
                "SuspendedState": {
                    "DynamicScalingInSuspended": True,
                    "DynamicScalingOutSuspended": False,
                    "ScheduledScalingSuspended": True,
                }
            },
            False,
        ),
        ({"SuspendedState": {"DynamicScalingOutSuspended": True}}, True),
    ],
)
def test_scaling_out_that_is_suspended(more: Mapping[str, Any], expected: bool | None) -> None:
    state = DemoState(NOW)
    add_target(state, VARIANT, **more)
    (target,) = region_of(state).all(ScalableTarget)
    assert target.dynamic_scaling_out_suspended is expected


@pytest.mark.parametrize("dimension", [INSTANCES, CONCURRENCY])
def test_targets_of_before_there_were_arns_are_told_apart_by_their_dimension(dimension: str) -> None:
    state = DemoState(NOW)
    bare = {
        **common(VARIANT, dimension),
        "MinCapacity": 0,
        "MaxCapacity": 1,
        "RoleARN": "arn:aws:iam::1:role/s",
    }
    state.answer("application-autoscaling:DescribeScalableTargets", {"ScalableTargets": [bare]})
    (found,) = scalable_targets.function(reader_of(scalable_targets, state))
    assert (found.id, found.name) == (f"{VARIANT}/{dimension}", VARIANT)


@pytest.mark.parametrize("collector", [scalable_targets, scaling_policies, scaling_activities])
def test_a_denied_listing_is_not_an_empty_one(collector: Collector) -> None:
    state = DemoState(NOW, denied=("application-autoscaling",))
    reader = reader_of(collector, state)
    assert list(collector.function(reader)) == []
    assert reader.gap is not None
    assert reader.gap.reason is Reason.DENIED


@pytest.mark.parametrize("others", [[], [sample(ScalingPolicy, "p", resource_id="endpoint/other/variant/v")]])
def test_a_target_without_policy(others: list[Sample]) -> None:
    region = Region(
        snapshot_of([sample(ScalableTarget, VARIANT, resource_id=VARIANT), *others]), ACCOUNT, REGION
    )
    (target,) = region.all(ScalableTarget)
    assert target.policies == ()
