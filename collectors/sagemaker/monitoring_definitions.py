"""Model Monitor: what schedules run, in four kinds of definitions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource, Unread
from collectors.sagemaker.monitoring_schedules import (
    Baseline,
    BatchInput,
    MonitoringCluster,
    MonitoringNetwork,
    MonitoringSchedule,
)
from collectors.sagemaker.search import described
from collectors.view import View, optional, part

if TYPE_CHECKING:
    from collectors.reader import Reader


def _listing(kind: str) -> Operation:
    return Operation("sagemaker", f"List{kind}JobDefinitions", result="JobDefinitionSummaries[]")


def _describe(kind: str, *members: str) -> Operation:
    secrets = tuple(f"{kind}AppSpecification.{member}" for member in ("Environment", *members))
    return Operation("sagemaker", f"Describe{kind}JobDefinition", secrets=secrets)


_CONTAINER = ("ContainerArguments[]", "ContainerEntrypoint[]")
_LIST_DATA_QUALITY = _listing("DataQuality")
_DATA_QUALITY = _describe("DataQuality", *_CONTAINER)
_LIST_MODEL_QUALITY = _listing("ModelQuality")
_MODEL_QUALITY = _describe("ModelQuality", *_CONTAINER)
_LIST_BIAS = _listing("ModelBias")
_BIAS = _describe("ModelBias")
_LIST_EXPLAINABILITY = _listing("ModelExplainability")
_EXPLAINABILITY = _describe("ModelExplainability")
_NAME = "MonitoringJobDefinitionName"
_ARN = "MonitoringJobDefinitionArn"


class DataQualityDefinition(
    View,
    kind="data-quality-job-definition",
    type="AWS::SageMaker::DataQualityJobDefinition",
    listing=(_LIST_DATA_QUALITY,),
    name=_NAME,
    arn=_ARN,
    tagged=True,
):
    """What compares the data of calls with those of training."""

    data_quality_baseline_config = part(_DATA_QUALITY, "DataQualityBaselineConfig", Baseline)
    batch_transform_input = part(_DATA_QUALITY, "DataQualityJobInput.BatchTransformInput", BatchInput)
    environment = optional(_DATA_QUALITY, "DataQualityAppSpecification.Environment", dict)
    network_config = part(_DATA_QUALITY, "NetworkConfig", MonitoringNetwork)
    cluster_config = part(_DATA_QUALITY, "JobResources.ClusterConfig", MonitoringCluster)

    @property
    def baseline(self) -> Baseline | None:
        """What the data are compared with."""
        return self.data_quality_baseline_config


class ModelQualityDefinition(
    View,
    kind="model-quality-job-definition",
    type="AWS::SageMaker::ModelQualityJobDefinition",
    listing=(_LIST_MODEL_QUALITY,),
    name=_NAME,
    arn=_ARN,
    tagged=True,
):
    """What compares predictions with what turned out to be true."""

    model_quality_baseline_config = part(_MODEL_QUALITY, "ModelQualityBaselineConfig", Baseline)
    batch_transform_input = part(_MODEL_QUALITY, "ModelQualityJobInput.BatchTransformInput", BatchInput)
    environment = optional(_MODEL_QUALITY, "ModelQualityAppSpecification.Environment", dict)
    network_config = part(_MODEL_QUALITY, "NetworkConfig", MonitoringNetwork)
    cluster_config = part(_MODEL_QUALITY, "JobResources.ClusterConfig", MonitoringCluster)

    @property
    def baseline(self) -> Baseline | None:
        """What the data are compared with."""
        return self.model_quality_baseline_config


class BiasDefinition(
    View,
    kind="model-bias-job-definition",
    type="AWS::SageMaker::ModelBiasJobDefinition",
    listing=(_LIST_BIAS,),
    name=_NAME,
    arn=_ARN,
    tagged=True,
):
    """What compares predictions for groups of people, by Clarify."""

    model_bias_baseline_config = part(_BIAS, "ModelBiasBaselineConfig", Baseline)
    batch_transform_input = part(_BIAS, "ModelBiasJobInput.BatchTransformInput", BatchInput)
    environment = optional(_BIAS, "ModelBiasAppSpecification.Environment", dict)
    network_config = part(_BIAS, "NetworkConfig", MonitoringNetwork)
    cluster_config = part(_BIAS, "JobResources.ClusterConfig", MonitoringCluster)

    @property
    def baseline(self) -> Baseline | None:
        """What the data are compared with."""
        return self.model_bias_baseline_config


class ExplainabilityDefinition(
    View,
    kind="model-explainability-job-definition",
    type="AWS::SageMaker::ModelExplainabilityJobDefinition",
    listing=(_LIST_EXPLAINABILITY,),
    name=_NAME,
    arn=_ARN,
    tagged=True,
):
    """What compares how much each feature decides, by Clarify."""

    model_explainability_baseline_config = part(
        _EXPLAINABILITY, "ModelExplainabilityBaselineConfig", Baseline
    )
    batch_transform_input = part(
        _EXPLAINABILITY, "ModelExplainabilityJobInput.BatchTransformInput", BatchInput
    )
    environment = optional(_EXPLAINABILITY, "ModelExplainabilityAppSpecification.Environment", dict)
    network_config = part(_EXPLAINABILITY, "NetworkConfig", MonitoringNetwork)
    cluster_config = part(_EXPLAINABILITY, "JobResources.ClusterConfig", MonitoringCluster)

    @property
    def baseline(self) -> Baseline | None:
        """What the data are compared with."""
        return self.model_explainability_baseline_config


Definition = DataQualityDefinition | ModelQualityDefinition | BiasDefinition | ExplainabilityDefinition


def definition_of(schedule: MonitoringSchedule) -> Definition | None:
    """The definition that a schedule names; `None` for one with its own, or where it was deleted.

    Raises `Unread` where the definitions were not listed whole.
    """
    name = schedule.monitoring_job_definition_name
    region = schedule.region
    match schedule.watches:
        case "ModelQuality":
            return region.find(ModelQualityDefinition, name)
        case "ModelBias":
            return region.find(BiasDefinition, name)
        case "ModelExplainability":
            return region.find(ExplainabilityDefinition, name)
    return region.find(DataQualityDefinition, name)


def _in_use(reader: "Reader", listing: Operation, describe: Operation) -> Iterator[Resource]:
    """The definitions of a kind: those that a schedule names with their details."""
    named: set[str] = set()
    for schedule in reader.known(MonitoringSchedule):
        try:
            named.add(schedule.monitoring_job_definition_name or "")
        except Unread as unread:
            reader.incomplete(unread.gap)
    summaries = reader.list(listing)
    yield from described(reader, listing, summaries, describe, "JobDefinitionName", _NAME, only=named)


@collects(DataQualityDefinition, follows=(MonitoringSchedule,))
def data_quality_definitions(reader: "Reader") -> Iterator[Resource]:
    """Those of data quality."""
    yield from _in_use(reader, _LIST_DATA_QUALITY, _DATA_QUALITY)


@collects(ModelQualityDefinition, follows=(MonitoringSchedule,))
def model_quality_definitions(reader: "Reader") -> Iterator[Resource]:
    """Those of model quality."""
    yield from _in_use(reader, _LIST_MODEL_QUALITY, _MODEL_QUALITY)


@collects(BiasDefinition, follows=(MonitoringSchedule,))
def bias_definitions(reader: "Reader") -> Iterator[Resource]:
    """Those of bias."""
    yield from _in_use(reader, _LIST_BIAS, _BIAS)


@collects(ExplainabilityDefinition, follows=(MonitoringSchedule,))
def explainability_definitions(reader: "Reader") -> Iterator[Resource]:
    """Those of explainability."""
    yield from _in_use(reader, _LIST_EXPLAINABILITY, _EXPLAINABILITY)
