"""Models and endpoints of the exemplary account: real-time, serverless, asynchronous, multi-model, by component."""

import json
from collections.abc import Mapping
from typing import Any

from auditor.demo.alarms import alarm
from auditor.demo.exemplary.names import (
    CAPTURE,
    KEY,
    MODELS,
    ONCALL,
    REGION,
    TAGS,
    XGBOOST,
    ago,
    arn,
    network,
    role,
)
from auditor.demo.hosting import Load, observe
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState, Series

_PERSON = {"IamIdentity": {"Arn": role("pipeline"), "PrincipalId": "AROAALDERPIPELINE0001"}}
_APPROVER = {"IamIdentity": {"Arn": role("reviewer"), "PrincipalId": "AROAALDERREVIEWER0001"}}
_DAY = (400, 300, 260, 240, 260, 400, 900, 1800, 2600, 2900, 3000, 2900)
_BUSY = _DAY + _DAY[::-1]


def package_arn(group: str, version: int) -> str:
    """A version in the registry."""
    return arn(f"model-package/{group}/{version}")


def _group(state: DemoState, group: str) -> None:
    state.add(
        "ModelPackageGroup",
        REGION,
        {
            "ModelPackageGroupName": group,
            "ModelPackageGroupArn": arn(f"model-package-group/{group}"),
            "CreationTime": ago(state, 400),
            "CreatedBy": _PERSON,
            "ModelPackageGroupStatus": "Completed",
        },
        TAGS,
    )
    for version, days in ((1, 120), (2, 40)):
        state.add(
            "ModelPackage",
            REGION,
            {
                "ModelPackageName": group,
                "ModelPackageGroupName": group,
                "ModelPackageVersion": version,
                "ModelPackageArn": package_arn(group, version),
                "CreationTime": ago(state, days),
                "LastModifiedTime": ago(state, days - 1),
                "InferenceSpecification": {
                    "Containers": [{"Image": XGBOOST, "ModelDataUrl": f"s3://{MODELS}/{group}/model.tar.gz"}],
                    "SupportedContentTypes": ["text/csv"],
                },
                "ModelMetrics": {
                    "ModelQuality": {
                        "Statistics": {
                            "ContentType": "application/json",
                            "S3Uri": f"s3://{MODELS}/{group}/quality.json",
                        }
                    }
                },
                "MetadataProperties": {
                    "CommitId": "4f1c2d9a8b7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a",
                    "Repository": f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/readmission",
                    "GeneratedBy": arn("pipeline/readmission"),
                },
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "ModelApprovalStatus": "Approved",
                "CreatedBy": _PERSON,
                "LastModifiedBy": _APPROVER,
            },
            TAGS,
        )


def _model(state: DemoState, name: str, container: Document, **more: Any) -> None:
    document = {
        "ModelName": name,
        "ModelArn": arn(f"model/{name}"),
        "CreationTime": ago(state, 40),
        "ExecutionRoleArn": role("inference"),
        "EnableNetworkIsolation": True,
        "VpcConfig": network(),
        "PrimaryContainer": container,
        **more,
    }
    state.add("Model", REGION, {key: value for key, value in document.items() if value is not None}, TAGS)
    state.add(
        "ModelCard",
        REGION,
        {
            "ModelCardName": name,
            "ModelCardArn": arn(f"model-card/{name}"),
            "ModelCardVersion": 1,
            "Content": json.dumps({"model_overview": {"model_id": arn(f"model/{name}")}}),
            "ModelCardStatus": "Approved",
            "CreationTime": ago(state, 40),
            "CreatedBy": _PERSON,
            "LastModifiedTime": ago(state, 39),
        },
        TAGS,
    )


def _alarms(state: DemoState, endpoint: str, *metrics: str, component: str = "") -> list[str]:
    """Alarms on errors and latency of an endpoint's one variant, or of a component on it, or on what is given."""
    names = []
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}]
    if component:
        dimensions = [{"Name": "InferenceComponentName", "Value": component}]
    for metric in metrics or ("Invocation5XXErrors", "ModelLatency"):
        name = f"{component or endpoint}-{metric.lower()}"
        names.append(name)
        alarm(
            state,
            REGION,
            name,
            [ONCALL],
            MetricName=metric,
            Namespace="AWS/SageMaker",
            Statistic="Average" if metric == "ModelLatency" else "Sum",
            Period=300,
            Dimensions=dimensions,
        )
    return names


def _capture() -> Document:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": f"s3://{CAPTURE}/endpoints",
        "KmsKeyId": KEY,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def _captured() -> Document:
    return {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 20,
        "DestinationS3Uri": f"s3://{CAPTURE}/endpoints",
        "KmsKeyId": KEY,
    }


def _deployed(alarms: list[str]) -> Document:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 600,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
            },
            "TerminationWaitInSeconds": 600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


def _endpoint(
    state: DemoState,
    name: str,
    configured: Document,
    running: Document,
    *,
    config: Mapping[str, Any] | None = None,
    live: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    variant = {"VariantName": "main", "InitialVariantWeight": 1.0, **configured}
    state.add(
        "EndpointConfig",
        REGION,
        {
            "EndpointConfigName": f"{name}-2",
            "EndpointConfigArn": arn(f"endpoint-config/{name}-2"),
            "ProductionVariants": [variant],
            "CreationTime": ago(state, 19),
            "EnableNetworkIsolation": False,
            **(config or {}),
        },
        TAGS,
    )
    state.add(
        "Endpoint",
        REGION,
        {
            "EndpointName": name,
            "EndpointArn": arn(f"endpoint/{name}"),
            "EndpointConfigName": f"{name}-2",
            "EndpointStatus": "InService",
            "ProductionVariants": [
                {"VariantName": "main", "CurrentWeight": 1.0, "DesiredWeight": 1.0, **running}
            ],
            "CreationTime": ago(state, 200),
            "LastModifiedTime": ago(state, 19),
            **(live or {}),
        },
        {**TAGS, "latency-slo-ms": "150", "rps-slo": "5", **(tags or {})},
    )


_SCALED = "/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"


def _scale(
    state: DemoState, resource: str, least: int, most: int, metric: str, value: float, dimension: str = ""
) -> None:
    dimension = dimension or "sagemaker:variant:DesiredInstanceCount"
    state.add(
        "ScalableTarget",
        REGION,
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": dimension,
            "MinCapacity": least,
            "MaxCapacity": most,
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role{_SCALED}AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            "CreationTime": ago(state, 150),
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": False,
                "ScheduledScalingSuspended": False,
            },
            "ScalableTargetARN": arn(
                f"scalable-target/{resource.replace('/', '-')}", "application-autoscaling"
            ),
        },
    )
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
    name = f"{resource.split('/')[1]}-tracking"
    alarms = [f"TargetTracking-{resource}-Alarm{side}-{name}" for side in ("High", "Low")]
    state.add(
        "ScalingPolicy",
        REGION,
        {
            "PolicyARN": arn(f"scalingPolicy:{name}:resource/sagemaker/{resource}", "autoscaling"),
            "PolicyName": name,
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": dimension,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": value, **measured},
            "Alarms": [
                {"AlarmName": held, "AlarmARN": arn(f"alarm:{held}", "cloudwatch")} for held in alarms
            ],
            "CreationTime": ago(state, 150),
        },
    )


def _realtime(state: DemoState) -> None:
    _group(state, "readmission")
    _model(state, "readmission-2", {"ModelPackageName": package_arn("readmission", 2)})
    alarms = _alarms(state, "readmission")
    _endpoint(
        state,
        "readmission",
        {"ModelName": "readmission-2", "InstanceType": "ml.c7i.xlarge", "InitialInstanceCount": 2},
        {"CurrentInstanceCount": 2, "DesiredInstanceCount": 2},
        config={"KmsKeyId": KEY, "DataCaptureConfig": _capture()},
        live={"DataCaptureConfig": _captured(), "LastDeploymentConfig": _deployed(alarms)},
    )
    observe(
        state,
        REGION,
        "readmission",
        "main",
        Load(hourly=_BUSY, cpu=210, memory=48, latency=(38, 84), errors=0.0004),
    )
    _scale(state, "endpoint/readmission/variant/main", 2, 6, "SageMakerVariantInvocationsPerInstance", 900)


def _serverless(state: DemoState) -> None:
    """No instances, no network, no capture: it supports none of them."""
    _group(state, "triage")
    _model(
        state,
        "triage-2",
        {"ModelPackageName": package_arn("triage", 2)},
        EnableNetworkIsolation=False,
        VpcConfig=None,
    )
    alarms = _alarms(state, "triage")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 20}
    _endpoint(
        state,
        "triage",
        {"ModelName": "triage-2", "ServerlessConfig": serverless},
        {"CurrentServerlessConfig": serverless},
        live={"LastDeploymentConfig": _deployed(alarms)},
    )
    rare = (0, 0, 0, 0, 0, 0, 4, 9, 12, 14, 9, 3)
    observe(state, REGION, "triage", "main", Load(hourly=rare + rare[::-1], memory=41, latency=(60, 90)))


def _asynchronous(state: DemoState) -> None:
    """Long calls that wait in a queue, and no instance while nobody calls."""
    _group(state, "notes")
    _model(state, "notes-2", {"ModelPackageName": package_arn("notes", 2)})
    alarms = _alarms(state, "notes")
    output = {
        "S3OutputPath": f"s3://{CAPTURE}/notes",
        "S3FailurePath": f"s3://{CAPTURE}/notes-failed",
        "KmsKeyId": KEY,
        "NotificationConfig": {"SuccessTopic": ONCALL, "ErrorTopic": ONCALL},
    }
    queued = {"OutputConfig": output, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4}}
    _endpoint(
        state,
        "notes",
        {"ModelName": "notes-2", "InstanceType": "ml.c7i.xlarge", "InitialInstanceCount": 1},
        {"CurrentInstanceCount": 0, "DesiredInstanceCount": 0},
        config={"KmsKeyId": KEY, "AsyncInferenceConfig": queued, "DataCaptureConfig": _capture()},
        live={
            "AsyncInferenceConfig": queued,
            "DataCaptureConfig": _captured(),
            "LastDeploymentConfig": _deployed(alarms),
        },
        tags={"ground-truth": "none", "affects-people": "false", "modality": "text"},
    )
    load = Load(cpu=180, memory=44)
    observe(state, REGION, "notes", "main", load, invocations=False)
    _scale(state, "endpoint/notes/variant/main", 0, 4, "ApproximateBacklogSizePerInstance", 5)
    (wake,) = _alarms(state, "notes", "HasBacklogWithoutCapacity")
    state.add(
        "ScalingPolicy",
        REGION,
        {
            "PolicyARN": arn(
                "scalingPolicy:notes-wake:resource/sagemaker/endpoint/notes/variant/main", "autoscaling"
            ),
            "PolicyName": "notes-wake",
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/notes/variant/main",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
                "Cooldown": 300,
            },
            "Alarms": [{"AlarmName": wake, "AlarmARN": arn(f"alarm:{wake}", "cloudwatch")}],
            "CreationTime": ago(state, 150),
        },
    )


def _multi_model(state: DemoState) -> None:
    """Several models behind one endpoint: one address that ends in a slash."""
    container = {"Image": XGBOOST, "Mode": "MultiModel", "ModelDataUrl": f"s3://{MODELS}/shared/"}
    _model(state, "wards-2", container)
    alarms = _alarms(state, "wards")
    _endpoint(
        state,
        "wards",
        {"ModelName": "wards-2", "InstanceType": "ml.c7i.xlarge", "InitialInstanceCount": 2},
        {"CurrentInstanceCount": 2, "DesiredInstanceCount": 2},
        config={"KmsKeyId": KEY, "DataCaptureConfig": _capture()},
        live={"DataCaptureConfig": _captured(), "LastDeploymentConfig": _deployed(alarms)},
    )
    observe(state, REGION, "wards", "main", Load(hourly=_BUSY, cpu=190, memory=55, latency=(30, 70)))
    _scale(state, "endpoint/wards/variant/main", 2, 6, "SageMakerVariantInvocationsPerInstance", 900)


def _components(state: DemoState) -> None:
    """An endpoint of components: role, network and isolation stand on its configuration."""
    _group(state, "ranker")
    _model(state, "ranker-2", {"ModelPackageName": package_arn("ranker", 2)})
    managed = {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 6}
    alarms = _alarms(state, "wards-ranking", component="ranker")
    _endpoint(
        state,
        "wards-ranking",
        {
            "InstanceType": "ml.c7i.2xlarge",
            "InitialInstanceCount": 2,
            "ManagedInstanceScaling": managed,
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        },
        {"CurrentInstanceCount": 2, "DesiredInstanceCount": 2, "ManagedInstanceScaling": managed},
        config={
            "KmsKeyId": KEY,
            "ExecutionRoleArn": role("inference"),
            "VpcConfig": network(),
            "EnableNetworkIsolation": True,
        },
        live={"LastDeploymentConfig": _deployed(alarms)},
    )
    name = "ranker"
    state.add(
        "InferenceComponent",
        REGION,
        {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn(f"inference-component/{name}"),
            "EndpointName": "wards-ranking",
            "EndpointArn": arn("endpoint/wards-ranking"),
            "VariantName": "main",
            "Specification": {
                "ModelName": "ranker-2",
                "ComputeResourceRequirements": {
                    "NumberOfCpuCoresRequired": 2.0,
                    "MinMemoryRequiredInMb": 4096,
                },
            },
            "RuntimeConfig": {"DesiredCopyCount": 2, "CurrentCopyCount": 2},
            "CreationTime": ago(state, 60),
            "LastModifiedTime": ago(state, 19),
            "InferenceComponentStatus": "InService",
        },
        TAGS,
    )
    end, start = state.now, ago(state, 15)
    calls = tuple((1.0, float(number)) for number in _BUSY)
    state.metric(
        REGION,
        "AWS/SageMaker",
        "Invocations",
        {"InferenceComponentName": name},
        Series(start, end, 3600, calls),
    )
    observe(state, REGION, "wards-ranking", "main", Load(cpu=380, memory=52))
    copies = "sagemaker:inference-component:DesiredCopyCount"
    metric = "SageMakerInferenceComponentInvocationsPerCopy"
    _scale(state, f"inference-component/{name}", 2, 6, metric, 300, copies)


def fill(state: DemoState) -> None:
    """Add them to the account. Its registry is its own: no group has a policy."""
    state.refuse(
        "sagemaker:GetModelPackageGroupPolicy",
        code="ValidationException",
        message="Cannot find resource policy for the model package group.",
    )
    for seed in (_realtime, _serverless, _asynchronous, _multi_model, _components):
        seed(state)
