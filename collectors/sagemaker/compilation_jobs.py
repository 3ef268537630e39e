"""Compilation jobs: models that Neo compiled for a kind of hardware."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListCompilationJobs", result="CompilationJobSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeCompilationJob")


class CompilationJob(
    View,
    kind="compilation-job",
    type="AWS::SageMaker::CompilationJob",
    listing=(LIST,),
    name="CompilationJobName",
    arn="CompilationJobArn",
):
    """One such job: from which artifact, or registered version, to which."""

    compilation_job_status = required(LIST, "CompilationJobStatus", str, "COMPLETED")
    compilation_target_device = optional(LIST, "CompilationTargetDevice", str)
    s3_uri = optional(DESCRIBE, "InputConfig.S3Uri", str)
    model_package_version_arn = optional(DESCRIBE, "ModelPackageVersionArn", str)
    s3_model_artifacts = optional(DESCRIBE, "ModelArtifacts.S3ModelArtifacts", str)


@collects(CompilationJob)
def compilation_jobs(reader: "Reader") -> Iterator[Resource]:
    """Every compilation job; those that completed with their models."""
    listed = list(reader.list(LIST))
    done = {s["CompilationJobName"] for s in listed if s["CompilationJobStatus"] == "COMPLETED"}
    yield from described(reader, LIST, listed, DESCRIBE, "CompilationJobName", only=done)
