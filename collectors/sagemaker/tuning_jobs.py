"""Hyperparameter tuning jobs: parents of many training jobs."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SECRETS = (
    "TrainingJobDefinition.Environment",
    "TrainingJobDefinition.StaticHyperParameters",
    "TrainingJobDefinitions[].Environment",
    "TrainingJobDefinitions[].StaticHyperParameters",
)
SEARCH = search_operation("HyperParameterTuningJob", secrets=_SECRETS)
LIST = Operation("sagemaker", "ListHyperParameterTuningJobs", result="HyperParameterTuningJobSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeHyperParameterTuningJob", secrets=_SECRETS)
SOURCE = (SEARCH, DESCRIBE)


class InstanceGroup(Part):
    """One of the groups of a heterogeneous cluster."""

    instance_count = optional(PART, "InstanceCount", int)


class Cluster(Part):
    """What each child runs on."""

    instance_count = optional(PART, "InstanceCount", int)
    instance_groups = items(PART, "InstanceGroups[]", InstanceGroup)

    @property
    def total(self) -> int:
        """The instances of all groups together."""
        return (self.instance_count or 0) + sum(group.instance_count or 0 for group in self.instance_groups)


class InstanceChoice(Part):
    """One of the types that a child may run on."""

    instance_count = optional(PART, "InstanceCount", int)


class FlexibleCluster(Part):
    """What children run on where several types are allowed: the first that has capacity."""

    instance_count = optional(PART, "InstanceCount", int)
    instance_configs = items(PART, "InstanceConfigs[]", InstanceChoice)

    @property
    def most(self) -> int:
        """The most instances of its choices."""
        return max(self.instance_count or 0, *(c.instance_count or 0 for c in self.instance_configs), 0)


class Definition(Part):
    """What each child trains; a job has one, or several in the plural member."""

    enable_managed_spot_training = optional(PART, "EnableManagedSpotTraining", bool)
    training_image = optional(PART, "AlgorithmSpecification.TrainingImage", str)
    algorithm_name = optional(PART, "AlgorithmSpecification.AlgorithmName", str)
    metric_name = optional(PART, "TuningObjective.MetricName", str)
    hyper_parameter_ranges = optional(PART, "HyperParameterRanges", dict[str, Any])
    definition_name = optional(PART, "DefinitionName", str)
    subnets = optional(PART, "VpcConfig.Subnets", list)
    kms_key_id = optional(PART, "OutputDataConfig.KmsKeyId", str)
    s3_output_path = optional(PART, "OutputDataConfig.S3OutputPath", str)
    enable_inter_container_traffic_encryption = optional(PART, "EnableInterContainerTrafficEncryption", bool)
    resource_config = part(PART, "ResourceConfig", Cluster)
    hyper_parameter_tuning_resource_config = part(PART, "HyperParameterTuningResourceConfig", FlexibleCluster)

    @property
    def total_instances(self) -> int:
        """The instances that a training job of it may have at most."""
        plain, flexible = self.resource_config, self.hyper_parameter_tuning_resource_config
        return max(plain.total if plain else 0, flexible.most if flexible else 0)


class TuningJob(
    View,
    kind="tuning-job",
    type="AWS::SageMaker::HyperParameterTuningJob",
    listing=(SEARCH, LIST),
    name="HyperParameterTuningJobName",
    arn="HyperParameterTuningJobArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
    windowed=True,
):
    """A tuning job."""

    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    strategy = optional(SOURCE, "HyperParameterTuningJobConfig.Strategy", str)
    training_job_early_stopping_type = optional(
        SOURCE, "HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType", str
    )
    metric_name = optional(
        SOURCE, "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.MetricName", str
    )
    parameter_ranges = optional(SOURCE, "HyperParameterTuningJobConfig.ParameterRanges", dict[str, Any])
    max_number_of_training_jobs = optional(
        SOURCE, "HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs", int
    )
    max_runtime_in_seconds = optional(
        SOURCE, "HyperParameterTuningJobConfig.ResourceLimits.MaxRuntimeInSeconds", int
    )
    tuning_job_completion_criteria = optional(
        SOURCE, "HyperParameterTuningJobConfig.TuningJobCompletionCriteria", dict[str, Any]
    )
    warm_start_config = optional(SOURCE, "WarmStartConfig", dict[str, Any])
    training_job_definition = part(SOURCE, "TrainingJobDefinition", Definition)
    training_job_definitions = items(SOURCE, "TrainingJobDefinitions[]", Definition)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Its definitions, whichever member holds them."""
        one = self.training_job_definition
        return self.training_job_definitions if one is None else (one, *self.training_job_definitions)

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that its children write."""
        return buckets_in(*(definition.s3_output_path for definition in self.definitions))


@collects(TuningJob)
def tuning_jobs(reader: "Reader") -> Iterator[Resource]:
    """The tuning jobs of the look-back window."""
    name = "HyperParameterTuningJobName"
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, name, name))
