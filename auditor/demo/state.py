"""What the demo account holds: documents as Describe answers them, tags, metrics and refusals."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_to_aware_datetime

from auditor.demo.shapes import Document, operation_model, require_known_values, require_valid, service_model

ACCOUNT = "123456789012"

SAGEMAKER_KINDS = (
    "App",
    "AutoMLJobV2",
    "Cluster",
    "CodeRepository",
    "CompilationJob",
    "DataQualityJobDefinition",
    "DeviceFleet",
    "Domain",
    "EdgePackagingJob",
    "Endpoint",
    "EndpointConfig",
    "FeatureGroup",
    "Hub",
    "HyperParameterTuningJob",
    "InferenceComponent",
    "InferenceExperiment",
    "InferenceRecommendationsJob",
    "LabelingJob",
    "MlflowTrackingServer",
    "Model",
    "ModelBiasJobDefinition",
    "ModelCard",
    "ModelExplainabilityJobDefinition",
    "ModelPackage",
    "ModelPackageGroup",
    "ModelQualityJobDefinition",
    "MonitoringSchedule",
    "NotebookInstance",
    "NotebookInstanceLifecycleConfig",
    "OptimizationJob",
    "Pipeline",
    "PipelineExecution",
    "ProcessingJob",
    "Project",
    "Space",
    "StudioLifecycleConfig",
    "TrainingJob",
    "TrainingPlan",
    "TransformJob",
    "TrialComponent",
    "UserProfile",
    "Workforce",
    "Workteam",
)

WRAPPED = frozenset({"Workforce", "Workteam"})
"""Kinds whose Describe holds them in a member of their own name."""

_SHAPES = {
    "Alias": ("kms", "AliasListEntry"),
    "CompositeAlarm": ("cloudwatch", "CompositeAlarm"),
    "Group": ("iam", "GroupDetail"),
    "Key": ("kms", "KeyMetadata"),
    "MetricAlarm": ("cloudwatch", "MetricAlarm"),
    "Policy": ("iam", "ManagedPolicyDetail"),
    "Role": ("iam", "RoleDetail"),
    "ScalableTarget": ("application-autoscaling", "ScalableTarget"),
    "ScalingActivity": ("application-autoscaling", "ScalingActivity"),
    "ScalingPolicy": ("application-autoscaling", "ScalingPolicy"),
    "Trail": ("cloudtrail", "Trail"),
    "User": ("iam", "UserDetail"),
    **{kind: ("sagemaker", kind) for kind in WRAPPED},
}

_OUTPUTS = {
    "AccountSummary": ("iam", "GetAccountSummary"),
    "EventDataStore": ("cloudtrail", "GetEventDataStore"),
    "EventSelectors": ("cloudtrail", "GetEventSelectors"),
    "KeyPolicy": ("kms", "GetKeyPolicy"),
    "KeyRotation": ("kms", "GetKeyRotationStatus"),
    "TrailStatus": ("cloudtrail", "GetTrailStatus"),
    **{kind: ("sagemaker", f"Describe{kind}") for kind in SAGEMAKER_KINDS if kind not in WRAPPED},
}

KINDS = frozenset({*_SHAPES, *_OUTPUTS})
"""What `DemoState.add` takes: a SageMaker kind holds what its Describe answers, the others AWS's own shape."""


class Refusal(Exception):
    """AWS says no: an error code, its message and the HTTP status it comes with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Series:
    """A metric: every `step` seconds from `start` to `end` the next of `values`, over and over.

    A value is (measurement, times measured), so that Sum, SampleCount and percentiles are all true of it.
    """

    start: datetime
    end: datetime
    step: int
    values: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    """A refusal or an answer that holds for one operation, Region and some of its parameters."""

    operation: str
    region: str | None
    when: Mapping[str, Any]

    def holds(self, operation: str, region: str, parameters: Mapping[str, Any]) -> bool:
        return (
            self.operation == operation
            and self.region in (None, region)
            and all(parameters.get(name) == value for name, value in self.when.items())
        )


def shape_of(kind: str) -> Shape:
    """The shape that documents of a kind have."""
    if kind in _SHAPES:
        service, name = _SHAPES[kind]
        return service_model(service).shape_for(name)
    service, operation = _OUTPUTS[kind]
    shape = operation_model(service, operation).output_shape
    if shape is None:
        raise LookupError(f"{service}:{operation} answers nothing")
    return shape


def moment(value: Any) -> datetime:
    """A time parameter as boto3 takes it (datetime, ISO 8601 or seconds), with its zone."""
    found: datetime = parse_to_aware_datetime(value)
    return found


class DemoState:
    """The account's documents, per Region and kind. Safe to read from many threads once it is filled."""

    def __init__(
        self,
        now: datetime,
        *,
        account: str = ACCOUNT,
        regions: Sequence[str] = ("eu-west-1", "us-east-1"),
        denied: Iterable[str] = (),
    ) -> None:
        self.now = now
        self.account = account
        self.regions = tuple(regions)
        self.denied = set(denied)
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._documents: dict[tuple[str, str], list[Document]] = defaultdict(list)
        self._keys: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
        self._tags: dict[str, dict[str, str]] = {}
        self._series: dict[tuple[str, str, str, frozenset[tuple[str, str]]], list[Series]] = defaultdict(list)
        self._refusals: list[tuple[_Condition, Refusal]] = []
        self._answers: list[tuple[_Condition, Document]] = []

    def add(
        self,
        kind: str,
        region: str,
        document: Document,
        tags: Mapping[str, str] | None = None,
        *,
        key: str = "",
    ) -> str:
        """Keep a document, as Describe answers it, and its tags; its ARN, or its key, comes back.

        Raises `InvalidAnswer` for what AWS could not send. `key` names documents without an ARN, such as
        a trail's status. IAM and other global things live in the Region "us-east-1".
        """
        shape = shape_of(kind)
        require_valid(shape, document, kind)
        require_known_values(shape, document, kind)
        arn = key or arn_of(kind, document)
        self._documents[kind, region].append(document)
        for name in {arn, str(document.get(name_member(kind), arn))}:
            self._keys[kind, region, name].append(document)
        if tags:
            self.tag(arn, tags)
        return arn

    def remove(self, kind: str, region: str, name: str) -> None:
        """Take away the documents of that name or ARN, as if somebody had deleted them."""
        gone = self._keys.pop((kind, region, name), [])
        held = self._documents[kind, region]
        held[:] = [document for document in held if not any(document is each for each in gone)]
        for key in [key for key, documents in self._keys.items() if documents and documents[0] in gone]:
            del self._keys[key]

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tag an ARN, of SageMaker's or of any other service."""
        self._tags[arn] = dict(tags)

    def documents(self, kind: str, region: str) -> list[Document]:
        """All documents of a kind in a Region, in the order they were added."""
        return list(self._documents.get((kind, region), ()))

    def named(self, kind: str, region: str, name: str) -> list[Document]:
        """Documents of that name, ARN or key."""
        return list(self._keys.get((kind, region, name), ()))

    def tags(self, arn: str) -> list[Document]:
        """The tags of an ARN, as AWS lists them."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]

    def tagged(self, region: str) -> list[str]:
        """The ARNs with tags in a Region; S3's name no Region and belong to every one."""
        return sorted(arn for arn in self._tags if arn.split(":")[3] in (region, ""))

    def metric(
        self, region: str, namespace: str, name: str, dimensions: Mapping[str, str], series: Series
    ) -> None:
        """Keep measurements of a metric."""
        self._series[region, namespace, name, frozenset(dimensions.items())].append(series)

    def series(self, region: str, namespace: str, name: str, dimensions: Mapping[str, str]) -> list[Series]:
        """The measurements of exactly these dimensions, as CloudWatch matches them."""
        return list(self._series.get((region, namespace, name, frozenset(dimensions.items())), ()))

    def refuse(
        self,
        operation: str,
        *,
        code: str,
        message: str = "",
        status: int = 400,
        region: str | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """Let "service:Operation" fail, in one Region or for some parameters where these are given."""
        condition = _Condition(operation, region, dict(when or {}))
        self._refusals.append((condition, Refusal(code, message or "refused by the demo account", status)))

    def answer(
        self,
        operation: str,
        document: Document,
        *,
        region: str | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """Let "service:Operation" answer this document. Raises `InvalidAnswer` for what AWS could not send."""
        service, _, name = operation.partition(":")
        shape = operation_model(service, name).output_shape
        if shape is not None:
            require_valid(shape, document, operation)
        self._answers.append((_Condition(operation, region, dict(when or {})), document))

    def refusal(self, operation: str, region: str, parameters: Mapping[str, Any]) -> Refusal | None:
        """The first refusal that holds for a call."""
        held = (no for condition, no in self._refusals if condition.holds(operation, region, parameters))
        return next(held, None)

    def given(self, operation: str, region: str, parameters: Mapping[str, Any]) -> Document | None:
        """The first document that `answer` gave for a call."""
        held = (doc for condition, doc in self._answers if condition.holds(operation, region, parameters))
        return next(held, None)

    def count(self, operation: str) -> None:
        """Note a call, whoever answers it."""
        with self._lock:
            self.calls[operation] += 1

    def size(self) -> Counter[str]:
        """How many documents of each kind there are, over all Regions."""
        sizes: Counter[str] = Counter()
        for (kind, _), documents in self._documents.items():
            sizes[kind] += len(documents)
        return sizes

    def __iter__(self) -> Iterator[tuple[str, str, Document]]:
        for (kind, region), documents in self._documents.items():
            for document in documents:
                yield kind, region, document


_JOB_DEFINITIONS = tuple(kind for kind in SAGEMAKER_KINDS if kind.endswith("JobDefinition"))

_ARNS = {
    "AutoMLJobV2": "AutoMLJobArn",
    "CompositeAlarm": "AlarmArn",
    "InferenceRecommendationsJob": "JobArn",
    "MetricAlarm": "AlarmArn",
    "MlflowTrackingServer": "TrackingServerArn",
    "ScalableTarget": "ScalableTargetARN",
    "ScalingActivity": "ActivityId",
    "ScalingPolicy": "PolicyARN",
    "Trail": "TrailARN",
    "EventDataStore": "EventDataStoreArn",
    "Alias": "AliasArn",
    **dict.fromkeys(_JOB_DEFINITIONS, "JobDefinitionArn"),
}
_NAMES = {
    "AutoMLJobV2": "AutoMLJobName",
    "CompositeAlarm": "AlarmName",
    "InferenceExperiment": "Name",
    "InferenceRecommendationsJob": "JobName",
    "MetricAlarm": "AlarmName",
    "MlflowTrackingServer": "TrackingServerName",
    "Domain": "DomainId",
    "Key": "KeyId",
    "PipelineExecution": "PipelineExecutionArn",
    "ScalableTarget": "ResourceId",
    "Trail": "Name",
    "EventDataStore": "Name",
    **dict.fromkeys(_JOB_DEFINITIONS, "JobDefinitionName"),
}
_PLAIN_ARNS = frozenset({"Group", "InferenceExperiment", "Key", "Policy", "Role", "User"})


def arn_of(kind: str, document: Mapping[str, Any]) -> str:
    """The ARN in a document of a kind."""
    return str(document["Arn" if kind in _PLAIN_ARNS else _ARNS.get(kind, f"{kind}Arn")])


def name_member(kind: str) -> str:
    """The member that holds a document's name."""
    return _NAMES.get(kind, f"{kind}Name")


def page(
    items: list[Any], parameters: Mapping[str, Any], *, size: str, token: str, default: int, most: int
) -> tuple[list[Any], str | None]:
    """One page of a listing, and the token of the next.

    Raises `Refusal` for a size over the operation's limit and for a token that no page gave.
    """
    wanted = int(parameters.get(size) or default)
    if wanted > most:
        raise Refusal(
            "ValidationException",
            f"Value '{wanted}' at '{size}' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}",
        )
    given = str(parameters.get(token) or "page-0")
    start = given.removeprefix("page-")
    if not given.startswith("page-") or not start.isdigit():
        raise Refusal("ValidationException", f"Invalid {token}: {given}")
    end = int(start) + wanted
    return items[int(start) : end], f"page-{end}" if end < len(items) else None
