"""Optimization jobs: quantized, compiled or sharded editions of a model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListOptimizationJobs", result="OptimizationJobSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeOptimizationJob")


class OptimizationJob(
    View,
    kind="optimization-job",
    type="AWS::SageMaker::OptimizationJob",
    listing=(LIST,),
    name="OptimizationJobName",
    arn="OptimizationJobArn",
):
    """One such job. It names its model by name or by artifact, and where it put the result."""

    optimization_job_status = required(LIST, "OptimizationJobStatus", str, "COMPLETED")
    s3_uri = optional(DESCRIBE, "ModelSource.S3.S3Uri", str)
    model_name = optional(DESCRIBE, "ModelSource.SageMakerModel.ModelName", str)
    s3_output_location = optional(DESCRIBE, "OutputConfig.S3OutputLocation", str)


@collects(OptimizationJob)
def optimization_jobs(reader: "Reader") -> Iterator[Resource]:
    """Every optimization job; those that completed with their models."""
    listed = list(reader.list(LIST))
    done = {s["OptimizationJobName"] for s in listed if s["OptimizationJobStatus"] == "COMPLETED"}
    yield from described(reader, LIST, listed, DESCRIBE, "OptimizationJobName", only=done)
