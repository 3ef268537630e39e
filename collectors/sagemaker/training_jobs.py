"""Training jobs: what made the models, with what, on what, and for how long."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource, Unread
from collectors.s3_uri import buckets_in
from collectors.sagemaker.job_families import family_name, is_made_by_aws
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, Region, View, index, items, metric, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SECRETS = (
    "Environment",
    "HyperParameters",
    "AlgorithmSpecification.ContainerArguments[]",
    "AlgorithmSpecification.ContainerEntrypoint[]",
)
SEARCH = search_operation("TrainingJob", secrets=_SECRETS)
LIST = Operation("sagemaker", "ListTrainingJobs", result="TrainingJobSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeTrainingJob", secrets=_SECRETS)
SOURCE = (SEARCH, DESCRIBE)

_HOSTS = "/aws/sagemaker/TrainingJobs"
_WORTH_MEASURING = 600
"""Seconds of training below which no rule looks at the metrics of a job."""
_MOST_HOSTS = 4
"""How many hosts of a job are measured: they do alike, and each is a series of its own."""
_MOST_MEASURED = 200
"""How many families are measured, those with the newest runs: AWS bills GetMetricData by the series."""


class InstanceGroup(Part):
    """One of the groups of a heterogeneous cluster."""

    instance_type = optional(PART, "InstanceType", str)
    instance_count = optional(PART, "InstanceCount", int)


class Channel(Part):
    """One input of a job."""

    s3_uri = optional(PART, "DataSource.S3DataSource.S3Uri", str)
    s3_data_distribution_type = optional(PART, "DataSource.S3DataSource.S3DataDistributionType", str)
    input_mode = optional(PART, "InputMode", str)
    file_system_access_mode = optional(PART, "DataSource.FileSystemDataSource.FileSystemAccessMode", str)
    file_system_id = optional(PART, "DataSource.FileSystemDataSource.FileSystemId", str)
    file_system_type = optional(PART, "DataSource.FileSystemDataSource.FileSystemType", str)


class Checkpoints(Part):
    """Where a job keeps its checkpoints."""

    s3_uri = optional(PART, "S3Uri", str)


class MetricDefinition(Part):
    """A figure that SageMaker finds in a job's log."""

    name = optional(PART, "Name", str)


class FinalMetric(Part):
    """The last value of a figure of the model's quality."""

    metric_name = optional(PART, "MetricName", str)


class RuleEvaluation(Part):
    """What a rule of Debugger or of the profiler found."""

    rule_configuration_name = required(PART, "RuleConfigurationName", str, "Overfit")
    rule_evaluation_status = optional(PART, "RuleEvaluationStatus", str)


class Transition(Part):
    """One step in the life of a job."""

    status = optional(PART, "Status", str)
    start_time = optional(PART, "StartTime", datetime)
    end_time = optional(PART, "EndTime", datetime)


class TrainingJob(
    View,
    kind="training-job",
    type="AWS::SageMaker::TrainingJob",
    listing=(SEARCH, LIST),
    name="TrainingJobName",
    arn="TrainingJobArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
    windowed=True,
):
    """A training job. Jobs are immutable, and accounts keep them for ever: a window of them is read."""

    training_job_status = required(SOURCE, "TrainingJobStatus", str, "Completed")
    secondary_status = optional(SOURCE, "SecondaryStatus", str)
    failure_reason = optional(SOURCE, "FailureReason", str)
    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    training_start_time = optional(SOURCE, "TrainingStartTime", datetime)
    training_end_time = optional(SOURCE, "TrainingEndTime", datetime)
    training_time_in_seconds = optional(SOURCE, "TrainingTimeInSeconds", int)
    billable_time_in_seconds = optional(SOURCE, "BillableTimeInSeconds", int)
    role_arn = required(SOURCE, "RoleArn", str, "arn:aws:iam::123456789012:role/training")
    tuning_job_arn = optional(SOURCE, "TuningJobArn", str)
    auto_ml_job_arn = optional(SOURCE, "AutoMLJobArn", str)
    labeling_job_arn = optional(SOURCE, "LabelingJobArn", str)
    training_image = optional(SOURCE, "AlgorithmSpecification.TrainingImage", str)
    algorithm_name = optional(SOURCE, "AlgorithmSpecification.AlgorithmName", str)
    training_input_mode = optional(SOURCE, "AlgorithmSpecification.TrainingInputMode", str)
    container_arguments = optional(SOURCE, "AlgorithmSpecification.ContainerArguments", list)
    container_entrypoint = optional(SOURCE, "AlgorithmSpecification.ContainerEntrypoint", list)
    environment = optional(SOURCE, "Environment", dict)
    hyper_parameters = optional(SOURCE, "HyperParameters", dict)
    input_data_config = items(SOURCE, "InputDataConfig[]", Channel)
    s3_output_path = optional(SOURCE, "OutputDataConfig.S3OutputPath", str)
    kms_key_id = optional(SOURCE, "OutputDataConfig.KmsKeyId", str)
    s3_model_artifacts = optional(SOURCE, "ModelArtifacts.S3ModelArtifacts", str)
    checkpoint_config = part(SOURCE, "CheckpointConfig", Checkpoints)
    resource_config = optional(SOURCE, "ResourceConfig", dict)
    instance_type = optional(SOURCE, "ResourceConfig.InstanceType", str)
    instance_count = optional(SOURCE, "ResourceConfig.InstanceCount", int)
    instance_groups = items(SOURCE, "ResourceConfig.InstanceGroups[]", InstanceGroup)
    volume_kms_key_id = optional(SOURCE, "ResourceConfig.VolumeKmsKeyId", str)
    keep_alive_period_in_seconds = optional(SOURCE, "ResourceConfig.KeepAlivePeriodInSeconds", int)
    training_plan_arn = optional(SOURCE, "ResourceConfig.TrainingPlanArn", str)
    subnets = optional(SOURCE, "VpcConfig.Subnets", list)
    security_group_ids = optional(SOURCE, "VpcConfig.SecurityGroupIds", list[str])
    enable_network_isolation = optional(SOURCE, "EnableNetworkIsolation", bool)
    enable_inter_container_traffic_encryption = optional(
        SOURCE, "EnableInterContainerTrafficEncryption", bool
    )
    enable_managed_spot_training = optional(SOURCE, "EnableManagedSpotTraining", bool)
    metric_definitions = items(SOURCE, "AlgorithmSpecification.MetricDefinitions[]", MetricDefinition)
    final_metric_data_list = items(SOURCE, "FinalMetricDataList[]", FinalMetric)
    max_runtime_in_seconds = optional(SOURCE, "StoppingCondition.MaxRuntimeInSeconds", int)
    max_wait_time_in_seconds = optional(SOURCE, "StoppingCondition.MaxWaitTimeInSeconds", int)
    experiment_name = optional(SOURCE, "ExperimentConfig.ExperimentName", str)
    profiler_config = optional(SOURCE, "ProfilerConfig", dict)
    disable_profiler = optional(SOURCE, "ProfilerConfig.DisableProfiler", bool)
    debug_hook_config = optional(SOURCE, "DebugHookConfig", dict)
    debug_rule_configurations = optional(SOURCE, "DebugRuleConfigurations", list)
    tensor_board_output_config = optional(SOURCE, "TensorBoardOutputConfig", dict)
    debug_rule_evaluation_statuses = items(SOURCE, "DebugRuleEvaluationStatuses[]", RuleEvaluation)
    status = optional(SOURCE, "WarmPoolStatus.Status", str)
    resource_retained_billable_time_in_seconds = optional(
        SOURCE, "WarmPoolStatus.ResourceRetainedBillableTimeInSeconds", int
    )
    reused_by_job = optional(SOURCE, "WarmPoolStatus.ReusedByJob", str)
    secondary_status_transitions = items(SOURCE, "SecondaryStatusTransitions[]", Transition)

    cpu_utilization = metric(_HOSTS, "CPUUtilization", "Average", dimensions=("Host",), period=300)
    memory_utilization = metric(_HOSTS, "MemoryUtilization", "Maximum", dimensions=("Host",), period=300)
    gpu_utilization = metric(_HOSTS, "GPUUtilization", "Average", dimensions=("Host",), period=300)

    @property
    def parent(self) -> str | None:
        """The ARN of the tuning, AutoML or labeling job that made it, `None` for a job of the user's own."""
        return self.tuning_job_arn or self.auto_ml_job_arn or self.labeling_job_arn

    @property
    def is_child(self) -> bool:
        """Whether another job made it."""
        return self.parent is not None

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Every instance type of the job; none for a serverless one."""
        found = (self.instance_type, *(group.instance_type for group in self.instance_groups))
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def total_instances(self) -> int:
        """The instances of all groups together."""
        return (self.instance_count or 0) + sum(group.instance_count or 0 for group in self.instance_groups)

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that it reads and writes."""
        checkpoints = self.checkpoint_config
        return buckets_in(
            *(channel.s3_uri for channel in self.input_data_config),
            self.s3_output_path,
            self.s3_model_artifacts,
            checkpoints.s3_uri if checkpoints else None,
        )

    @property
    def lustre_file_systems(self) -> frozenset[str]:
        """The ids of the FSx for Lustre file systems that it reads."""
        return frozenset(
            channel.file_system_id
            for channel in self.input_data_config
            if channel.file_system_id and channel.file_system_type == "FSxLustre"
        )

    @property
    def family(self) -> tuple[str, str]:
        """What it is a run of: the role that it runs with, and its name without the run's own ending."""
        return self.role_arn, family_name(self.name)

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        """One series a host; only the latest run of a family, and one that ran for a while, is measured."""
        if (self.training_time_in_seconds or 0) < _WORTH_MEASURING:
            return ()
        if latest_runs(self.region).get(self.family) != self.id:
            return ()
        hosts = min(self.total_instances, _MOST_HOSTS)
        return [{"Host": f"{self.name}/algo-{number}"} for number in range(1, hosts + 1)]

    def metric_window(self) -> tuple[datetime, datetime] | None:
        start, end = self.training_start_time, self.training_end_time
        return None if start is None or end is None else (start, end)


@index
def latest_runs(region: Region) -> Mapping[tuple[str, str], str]:
    """The ARN of the newest run of each family among the jobs that were read, of the newest families.

    Children of other jobs, and jobs that services of AWS start, are of no family.
    """
    newest: dict[tuple[str, str], tuple[datetime, str]] = {}
    for job in region.known(TrainingJob):
        try:
            if not job.is_child and not is_made_by_aws(job.name):
                found = (job.creation_time, job.id)
                newest[job.family] = max(found, newest.get(job.family, found))
        except Unread:
            continue
    latest = sorted(newest.items(), key=lambda item: item[1], reverse=True)[:_MOST_MEASURED]
    return {family: arn for family, (_, arn) in latest}


@collects(TrainingJob)
def training_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window, newest first."""
    kind = Searchable(SEARCH, LIST, DESCRIBE, "TrainingJobName", "TrainingJobName")
    yield from searched(reader, kind)
