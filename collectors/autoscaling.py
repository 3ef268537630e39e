"""Application Auto Scaling: the targets of a Region's endpoints, their policies and what these did."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import PART, Part, Region, View, index, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SAGEMAKER = (("ServiceNamespace", "sagemaker"),)
TARGETS = Operation(
    "application-autoscaling",
    "DescribeScalableTargets",
    result="ScalableTargets[]",
    parameters=_SAGEMAKER,
    page_size=50,
)
POLICIES = Operation(
    "application-autoscaling",
    "DescribeScalingPolicies",
    result="ScalingPolicies[]",
    parameters=_SAGEMAKER,
    page_size=10,
)
ACTIVITIES = Operation(
    "application-autoscaling",
    "DescribeScalingActivities",
    result="ScalingActivities[]",
    parameters=_SAGEMAKER,
    page_size=50,
)

SCHEDULED = Operation(
    "application-autoscaling",
    "DescribeScheduledActions",
    result="ScheduledActions[]",
    parameters=_SAGEMAKER,
    page_size=50,
)

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
COPIES = "sagemaker:inference-component:DesiredCopyCount"


class PolicyAlarm(Part):
    """An alarm that a policy acts on."""

    alarm_name = optional(PART, "AlarmName", str)


class ScalingPolicy(View, kind="scaling-policy", listing=(POLICIES,), name="PolicyName", arn="PolicyARN"):
    """What makes a target scale."""

    resource_id = required(POLICIES, "ResourceId", str, "endpoint/example/variant/main")
    scalable_dimension = required(POLICIES, "ScalableDimension", str, INSTANCES)
    policy_type = required(POLICIES, "PolicyType", str, "TargetTrackingScaling")
    predefined_metric_type = optional(
        POLICIES,
        "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
        str,
    )
    metric_name = optional(
        POLICIES, "TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.MetricName", str
    )
    alarms = items(POLICIES, "Alarms[]", PolicyAlarm)


class ScalingActivity(
    View, kind="scaling-activity", listing=(ACTIVITIES,), name="ActivityId", arn="ActivityId"
):
    """Something that a policy did, or tried to do. AWS keeps six weeks of them."""

    resource_id = required(ACTIVITIES, "ResourceId", str, "endpoint/example/variant/main")
    status_code = required(ACTIVITIES, "StatusCode", str, "Successful")
    status_message = optional(ACTIVITIES, "StatusMessage", str)
    start_time = required(
        ACTIVITIES, "StartTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )


class ScheduledAction(
    View, kind="scheduled-action", listing=(SCHEDULED,), name="ScheduledActionName", arn="ScheduledActionARN"
):
    """A change of a target's limits by the clock."""

    max_capacity = optional(SCHEDULED, "ScalableTargetAction.MaxCapacity", int)


class ScalableTarget(
    View, kind="scalable-target", type="AWS::ApplicationAutoScaling::ScalableTarget", listing=(TARGETS,)
):
    """Something of SageMaker's that may scale: a variant's instances, its concurrency, a component's copies."""

    resource_id = required(TARGETS, "ResourceId", str, "endpoint/example/variant/main")
    scalable_dimension = required(TARGETS, "ScalableDimension", str, INSTANCES)
    min_capacity = required(TARGETS, "MinCapacity", int, 2)
    max_capacity = required(TARGETS, "MaxCapacity", int, 6)
    dynamic_scaling_out_suspended = optional(TARGETS, "SuspendedState.DynamicScalingOutSuspended", bool)

    @property
    def policies(self) -> tuple[ScalingPolicy, ...]:
        """Its policies."""
        return policies_by_target(self.region).get((self.resource_id, self.scalable_dimension), ())

    @property
    def activities(self) -> tuple[ScalingActivity, ...]:
        """What its policies did."""
        return activities_by_resource(self.region).get(self.resource_id, ())


@index
def policies_by_target(region: Region) -> Mapping[tuple[str, str], tuple[ScalingPolicy, ...]]:
    """The policies of each target, by resource id and dimension."""
    found: dict[tuple[str, str], tuple[ScalingPolicy, ...]] = {}
    for policy in region.all(ScalingPolicy):
        key = (policy.resource_id, policy.scalable_dimension)
        found[key] = (*found.get(key, ()), policy)
    return found


@index
def activities_by_resource(region: Region) -> Mapping[str, tuple[ScalingActivity, ...]]:
    """The activities of each resource id."""
    found: dict[str, tuple[ScalingActivity, ...]] = {}
    for activity in region.all(ScalingActivity):
        found[activity.resource_id] = (*found.get(activity.resource_id, ()), activity)
    return found


@index
def targets_by_resource(region: Region) -> Mapping[str, tuple[ScalableTarget, ...]]:
    """The targets of each resource id: `endpoint/NAME/variant/VARIANT`, `inference-component/NAME`."""
    found: dict[str, tuple[ScalableTarget, ...]] = {}
    for target in region.all(ScalableTarget):
        found[target.resource_id] = (*found.get(target.resource_id, ()), target)
    return found


@collects(ScalableTarget)
def scalable_targets(reader: "Reader") -> Iterator[Resource]:
    """Every target of SageMaker's in the Region; one listing, never a call for each endpoint."""
    for document in reader.list(TARGETS):
        resource, dimension = document["ResourceId"], document["ScalableDimension"]
        key = document.get("ScalableTargetARN") or f"{resource}/{dimension}"
        yield from reader.resource({TARGETS: document}, key=key, name=resource)


@collects(ScalingPolicy)
def scaling_policies(reader: "Reader") -> Iterator[Resource]:
    """Every policy of SageMaker's targets."""
    for document in reader.list(POLICIES):
        yield from reader.resource({POLICIES: document})


@collects(ScalingActivity)
def scaling_activities(reader: "Reader") -> Iterator[Resource]:
    """Everything that was done in the last six weeks."""
    for document in reader.list(ACTIVITIES):
        yield from reader.resource({ACTIVITIES: document})


@collects(ScheduledAction)
def scheduled_actions(reader: "Reader") -> Iterator[Resource]:
    """Every scheduled action on SageMaker's targets."""
    for document in reader.list(SCHEDULED):
        yield from reader.resource({SCHEDULED: document})
