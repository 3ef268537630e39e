"""Processing jobs: all of the window from the list, the newest of each family in full."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.job_families import family_name
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
):
    """A processing job. Only the newest of a family is described: the others ran the same."""

    processing_job_status = required(LIST, "ProcessingJobStatus", str, "Completed")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    failure_reason = optional(LIST, "FailureReason", str)
    role_arn = optional(DESCRIBE, "RoleArn", str)
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
    def buckets(self) -> frozenset[str]:
        """The buckets that it reads and writes; of an older run of a family none is known."""
        if not self.is_described:
            return frozenset()
        return buckets_in(*(i.s3_uri for i in self.processing_inputs), *(o.s3_uri for o in self.outputs))


@collects(ProcessingJob)
def processing_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window, newest first."""
    newest: set[str] = set()
    families: set[str] = set()
    summaries = list(reader.list(LIST, CreationTimeAfter=reader.lookback))
    for summary in summaries:
        family = family_name(summary["ProcessingJobName"])
        if family not in families:
            families.add(family)
            newest.add(summary["ProcessingJobName"])

    def described(summary: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {LIST: summary}
        name = summary["ProcessingJobName"]
        if name in newest and reader.wants(DESCRIBE):
            readings[DESCRIBE] = reader.read(DESCRIBE, ProcessingJobName=name)
        return list(reader.resource(readings))

    for found in reader.gather(described, summaries):
        yield from found
