"""Scalable targets, policies and activities of the demo account."""

from auditor.demo.company import (
    PROD,
    ago,
    arn,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def target(
    state: DemoState, resource: str, least: int, most: int, *, suspended: bool = False, dimension: str = ""
) -> None:
    """A scalable target; the resource is endpoint/NAME/variant/VARIANT or inference-component/NAME."""
    state.add(
        "ScalableTarget",
        PROD,
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": dimension or "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": least,
            "MaxCapacity": most,
            "RoleARN": role(
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
                "/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/",
            ),
            "CreationTime": ago(state, days=20),
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": suspended,
                "ScheduledScalingSuspended": False,
            },
            "ScalableTargetARN": arn(
                PROD, f"scalable-target/{resource.replace('/', '-')}", "application-autoscaling"
            ),
        },
    )


def _policy(
    state: DemoState, resource: str, name: str, metric: str, value: float, dimension: str = ""
) -> None:
    measured: Document = {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}
    if not metric.startswith("SageMaker"):
        names = [{"Name": "EndpointName", "Value": resource.split("/")[1]}]
        measured = {
            "CustomizedMetricSpecification": {
                "MetricName": metric,
                "Namespace": "AWS/SageMaker",
                "Dimensions": names,
                "Statistic": "Average",
            }
        }
    alarms = [f"TargetTracking-{resource}-AlarmHigh-{name}", f"TargetTracking-{resource}-AlarmLow-{name}"]
    state.add(
        "ScalingPolicy",
        PROD,
        {
            "PolicyARN": arn(PROD, f"scalingPolicy:{name}:resource/sagemaker/{resource}", "autoscaling"),
            "PolicyName": name,
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": dimension or "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": value, **measured},
            "Alarms": [
                {"AlarmName": held, "AlarmARN": arn(PROD, f"alarm:{held}", "cloudwatch")} for held in alarms
            ],
            "CreationTime": ago(state, days=20),
        },
    )


def _scaling(state: DemoState) -> None:
    """One that scales, one that cannot grow, one held back, one without policy, one to nothing, one of nothing."""
    calls = "SageMakerVariantInvocationsPerInstance"
    target(state, "endpoint/churn-realtime/variant/AllTraffic", 2, 6)
    _policy(state, "endpoint/churn-realtime/variant/AllTraffic", "churn-calls", calls, 900)
    target(state, "endpoint/search-ranking/variant/ranker", 2, 2)
    _policy(state, "endpoint/search-ranking/variant/ranker", "ranker-calls", calls, 500)
    target(state, "endpoint/churn-legacy/variant/AllTraffic", 1, 3, suspended=True)
    _policy(state, "endpoint/churn-legacy/variant/AllTraffic", "legacy-calls", calls, 200)
    target(state, "endpoint/search-markets/variant/AllTraffic", 2, 8)
    target(state, "endpoint/document-ocr/variant/AllTraffic", 0, 4)
    _policy(
        state, "endpoint/document-ocr/variant/AllTraffic", "backlog", "ApproximateBacklogSizePerInstance", 5
    )
    copies = "sagemaker:inference-component:DesiredCopyCount"
    target(state, "inference-component/ranker-en", 2, 6, dimension=copies)
    _policy(
        state,
        "inference-component/ranker-en",
        "ranker-en-calls",
        "SageMakerInferenceComponentInvocationsPerCopy",
        300,
        copies,
    )
    target(state, "endpoint/retired-ranker/variant/AllTraffic", 1, 4)
    for resource, days, status, message in (
        (
            "endpoint/churn-realtime/variant/AllTraffic",
            0.4,
            "Successful",
            "Successfully set desired instance count to 3.",
        ),
        (
            "endpoint/search-markets/variant/AllTraffic",
            4,
            "Failed",
            "Failed to set desired instance count to 4. Reason: InsufficientInstanceCapacity for ml.m7i.2xlarge.",
        ),
    ):
        state.add(
            "ScalingActivity",
            PROD,
            {
                "ActivityId": f"6f1d2c3b-0000-4000-8000-{int(days * 10):012d}",
                "ServiceNamespace": "sagemaker",
                "ResourceId": resource,
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "Description": "Setting desired instance count.",
                "Cause": "monitor alarm TargetTracking AlarmHigh in state ALARM triggered the policy",
                "StartTime": ago(state, days=days),
                "EndTime": ago(state, days=days, hours=-0.1),
                "StatusCode": status,
                "StatusMessage": message,
            },
        )


def fill(state: DemoState) -> None:
    """Add what scales, and what only seems to."""
    _scaling(state)
