"""Load tests that SageMaker ran: Inference Recommender's jobs, and AI benchmark jobs."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListInferenceRecommendationsJobs", result="InferenceRecommendationsJobs[]")
LIST_BENCHMARKS = Operation("sagemaker", "ListAIBenchmarkJobs", result="AIBenchmarkJobs[]")
DESCRIBE_BENCHMARK = Operation("sagemaker", "DescribeAIBenchmarkJob")


class InferenceRecommendationsJob(
    View,
    kind="inference-recommendations-job",
    type="AWS::SageMaker::InferenceRecommendationsJob",
    listing=(LIST,),
    name="JobName",
    arn="JobArn",
):
    """A load test of a model, or of a registered version, on some instance types. The list tells all of it."""

    status = required(LIST, "Status", str, "COMPLETED")
    completion_time = optional(LIST, "CompletionTime", datetime)
    model_name = optional(LIST, "ModelName", str)
    model_package_version_arn = optional(LIST, "ModelPackageVersionArn", str)


class BenchmarkJob(
    View,
    kind="ai-benchmark-job",
    type="AWS::SageMaker::AIBenchmarkJob",
    listing=(LIST_BENCHMARKS,),
    name="AIBenchmarkJobName",
    arn="AIBenchmarkJobArn",
):
    """A load test of an endpoint that runs. Only completed ones are described."""

    ai_benchmark_job_status = required(LIST_BENCHMARKS, "AIBenchmarkJobStatus", str, "Completed")
    end_time = optional(LIST_BENCHMARKS, "EndTime", datetime)
    identifier = optional(DESCRIBE_BENCHMARK, "BenchmarkTarget.Endpoint.Identifier", str)


@collects(InferenceRecommendationsJob)
def inference_recommendations_jobs(reader: "Reader") -> Iterator[Resource]:
    """Every job of Inference Recommender, a hundred a page."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})


@collects(BenchmarkJob)
def benchmark_jobs(reader: "Reader") -> Iterator[Resource]:
    """Every benchmark; those that completed with the endpoint that they were run against."""
    listed = list(reader.list(LIST_BENCHMARKS))
    done = {s["AIBenchmarkJobName"] for s in listed if s["AIBenchmarkJobStatus"] == "Completed"}
    yield from described(reader, LIST_BENCHMARKS, listed, DESCRIBE_BENCHMARK, "AIBenchmarkJobName", only=done)
