"""Batch transform jobs: all of the window from the list, the newest of each family in full."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.job_families import newest_of_families
from collectors.sagemaker.search import described
from collectors.view import PART, Part, View, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "sagemaker",
    "ListTransformJobs",
    result="TransformJobSummaries[]",
    parameters=(("SortBy", "CreationTime"), ("SortOrder", "Descending")),
)
DESCRIBE = Operation("sagemaker", "DescribeTransformJob", secrets=("Environment",))


class TransformOutput(Part):
    """Where a job puts its answers."""

    kms_key_id = optional(PART, "KmsKeyId", str)
    s3_output_path = optional(PART, "S3OutputPath", str)


class BatchCapture(Part):
    """Where a job keeps what it was asked and answered."""

    kms_key_id = optional(PART, "KmsKeyId", str)
    destination_s3_uri = optional(PART, "DestinationS3Uri", str)


class TransformResources(Part):
    """What a job runs on."""

    volume_kms_key_id = optional(PART, "VolumeKmsKeyId", str)
    instance_type = optional(PART, "InstanceType", str)
    instance_count = optional(PART, "InstanceCount", int)


class TransformJob(
    View,
    kind="transform-job",
    type="AWS::SageMaker::TransformJob",
    listing=(LIST,),
    name="TransformJobName",
    arn="TransformJobArn",
    tagged=True,
    windowed=True,
):
    """A batch transform job. Only the newest of a family is described."""

    transform_job_status = required(LIST, "TransformJobStatus", str, "Completed")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    failure_reason = optional(LIST, "FailureReason", str)
    model_name = optional(DESCRIBE, "ModelName", str)
    labeling_job_arn = optional(DESCRIBE, "LabelingJobArn", str)
    auto_ml_job_arn = optional(DESCRIBE, "AutoMLJobArn", str)
    batch_strategy = optional(DESCRIBE, "BatchStrategy", str)
    max_concurrent_transforms = optional(DESCRIBE, "MaxConcurrentTransforms", int)
    transform_start_time = optional(DESCRIBE, "TransformStartTime", datetime)
    transform_end_time = optional(DESCRIBE, "TransformEndTime", datetime)
    split_type = optional(DESCRIBE, "TransformInput.SplitType", str)
    s3_data_type = optional(DESCRIBE, "TransformInput.DataSource.S3DataSource.S3DataType", str)
    s3_uri = optional(DESCRIBE, "TransformInput.DataSource.S3DataSource.S3Uri", str)
    transform_output = part(DESCRIBE, "TransformOutput", TransformOutput)
    transform_resources = part(DESCRIBE, "TransformResources", TransformResources)
    data_capture_config = part(DESCRIBE, "DataCaptureConfig", BatchCapture)

    @property
    def is_described(self) -> bool:
        """Whether more than its summary was asked for."""
        return str(DESCRIBE) in self.readings

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that it reads and writes; of an older run of a family none is known."""
        if not self.is_described:
            return frozenset()
        output, capture = self.transform_output, self.data_capture_config
        return buckets_in(
            self.s3_uri,
            output.s3_output_path if output else None,
            capture.destination_s3_uri if capture else None,
        )


@collects(TransformJob)
def transform_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window, newest first."""
    summaries = list(reader.list(LIST, CreationTimeAfter=reader.lookback))
    newest = newest_of_families(summary["TransformJobName"] for summary in summaries)
    yield from described(reader, LIST, summaries, DESCRIBE, "TransformJobName", only=newest)
