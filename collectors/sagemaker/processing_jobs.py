"""Processing jobs: all of the window from the list, the newest of each family in full."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.job_families import newest_of_families
from collectors.sagemaker.search import described
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "sagemaker",
    "ListProcessingJobs",
    result="ProcessingJobSummaries[]",
    parameters=(("SortBy", "CreationTime"), ("SortOrder", "Descending")),
)
DESCRIBE = Operation(
    "sagemaker",
    "DescribeProcessingJob",
    secrets=(
        "Environment",
        "AppSpecification.ContainerArguments[]",
        "AppSpecification.ContainerEntrypoint[]",
    ),
)


class ProcessingInput(Part):
    """One input."""

    s3_uri = optional(PART, "S3Input.S3Uri", str)


class ProcessingOutput(Part):
    """One output."""

    s3_uri = optional(PART, "S3Output.S3Uri", str)


class ProcessingJob(
    View,
    kind="processing-job",
    type="AWS::SageMaker::ProcessingJob",
    listing=(LIST,),
    name="ProcessingJobName",
    arn="ProcessingJobArn",
    tagged=True,
    windowed=True,
):
    """A processing job. Only the newest of a family is described: the others ran the same."""

    processing_job_status = required(LIST, "ProcessingJobStatus", str, "Completed")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    failure_reason = optional(LIST, "FailureReason", str)
    role_arn = optional(DESCRIBE, "RoleArn", str)
    monitoring_schedule_arn = optional(DESCRIBE, "MonitoringScheduleArn", str)
    auto_ml_job_arn = optional(DESCRIBE, "AutoMLJobArn", str)
    training_job_arn = optional(DESCRIBE, "TrainingJobArn", str)
    image_uri = optional(DESCRIBE, "AppSpecification.ImageUri", str)
    instance_type = optional(DESCRIBE, "ProcessingResources.ClusterConfig.InstanceType", str)
    instance_count = optional(DESCRIBE, "ProcessingResources.ClusterConfig.InstanceCount", int)
    selected_instance_type = optional(DESCRIBE, "ProcessingResources.ClusterConfig.SelectedInstanceType", str)
    selected_instance_count = optional(
        DESCRIBE, "ProcessingResources.ClusterConfig.SelectedInstanceCount", int
    )
    volume_kms_key_id = optional(DESCRIBE, "ProcessingResources.ClusterConfig.VolumeKmsKeyId", str)
    kms_key_id = optional(DESCRIBE, "ProcessingOutputConfig.KmsKeyId", str)
    enable_network_isolation = optional(DESCRIBE, "NetworkConfig.EnableNetworkIsolation", bool)
    enable_inter_container_traffic_encryption = optional(
        DESCRIBE, "NetworkConfig.EnableInterContainerTrafficEncryption", bool
    )
    subnets = optional(DESCRIBE, "NetworkConfig.VpcConfig.Subnets", list[str])
    security_group_ids = optional(DESCRIBE, "NetworkConfig.VpcConfig.SecurityGroupIds", list[str])
    environment = optional(DESCRIBE, "Environment", dict)
    container_arguments = optional(DESCRIBE, "AppSpecification.ContainerArguments", list)
    container_entrypoint = optional(DESCRIBE, "AppSpecification.ContainerEntrypoint", list)
    processing_inputs = items(DESCRIBE, "ProcessingInputs[]", ProcessingInput)
    outputs = items(DESCRIBE, "ProcessingOutputConfig.Outputs[]", ProcessingOutput)

    @property
    def is_described(self) -> bool:
        """Whether more than its summary was asked for."""
        return str(DESCRIBE) in self.readings

    @property
    def parent(self) -> str | None:
        """The ARN of what started it (a monitoring schedule, an AutoML job, a training job's debugger)."""
        return self.monitoring_schedule_arn or self.auto_ml_job_arn or self.training_job_arn

    @property
    def type_used(self) -> str | None:
        """Its instance type; of a list of preferences the one that SageMaker took."""
        return self.instance_type or self.selected_instance_type

    @property
    def total_instances(self) -> int | None:
        """How many instances it ran on; `None` where preferences were given and none is taken yet."""
        return self.instance_count or self.selected_instance_count

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that it reads and writes; of an older run of a family none is known."""
        if not self.is_described:
            return frozenset()
        return buckets_in(*(i.s3_uri for i in self.processing_inputs), *(o.s3_uri for o in self.outputs))


@collects(ProcessingJob)
def processing_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window, newest first."""
    summaries = list(reader.list(LIST, CreationTimeAfter=reader.lookback))
    newest = newest_of_families(summary["ProcessingJobName"] for summary in summaries)
    yield from described(reader, LIST, summaries, DESCRIBE, "ProcessingJobName", only=newest)
