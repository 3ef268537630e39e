"""Quotas, offerings, load tests and compilers: few calls, the whole list, and gaps where AWS says no."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Series
from collectors.cloudwatch import node_metrics
from collectors.collector import Collector
from collectors.ec2 import (
    ALTERNATIVES,
    InstanceType,
    InstanceTypeOffering,
    instance_type_offerings,
    named_instance_types,
    zones_by_type,
)
from collectors.model import Gap, Reason
from collectors.network import Subnet, subnets
from collectors.reads import Reads
from collectors.sagemaker.compilation_jobs import CompilationJob, compilation_jobs
from collectors.sagemaker.endpoints import FOUR_WEEKS, Endpoint
from collectors.sagemaker.inference_components import InferenceComponent, inference_components
from collectors.sagemaker.inference_recommendations import (
    BenchmarkJob,
    InferenceRecommendationsJob,
    benchmark_jobs,
    inference_recommendations_jobs,
)
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.optimization_jobs import OptimizationJob, optimization_jobs
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.service_quotas import endpoint_quotas, quotas_by_type
from collectors.view import METRIC_DATA, NodeMetrics, Region

SUBNETS = "ec2:DescribeSubnets"
LIST_QUOTAS = "service-quotas:ListServiceQuotas"
OFFERINGS = "ec2:DescribeInstanceTypeOfferings"
DETAILS = Reads(
    fields={
        BenchmarkJob.identifier,
        CompilationJob.s3_uri,
        OptimizationJob.model_name,
        InferenceComponent.current_copy_count,
    }
)


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def collected(
    collector: Collector, state: DemoState, samples: Iterable[Sample] = (), *, reads: Reads = DETAILS
) -> tuple[Region, Gap | None]:
    """A Region that holds what a collector yielded, and its listing's gap."""
    made = list(samples)
    reader = reader_of(collector, state, made, reads=reads)
    snapshot = snapshot_of(made)
    for resource in collector.function(reader):
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION), reader.gap


def quota(name: str, value: float = 4.0) -> Document:
    return {"QuotaName": name, "Value": value, "QuotaCode": "L-1A2B3C4D", "QuotaArn": f"arn:aws:sq:::{name}"}


class Paged(DemoState):
    """An account whose list of quotas goes on after the first page."""

    def given(self, operation: str, region: str, parameters: Any) -> Document | None:
        if operation != LIST_QUOTAS:
            return super().given(operation, region, parameters)
        assert parameters["ServiceCode"] == "sagemaker"
        assert parameters["MaxResults"] == 100
        if "NextToken" not in parameters:
            return {"Quotas": [quota("ml.m5.xlarge for endpoint usage", 6)], "NextToken": "more"}
        return {
            "Quotas": [
                quota("ml.m5.xlarge for training job usage", 20),
                quota("Maximum number of endpoints per account", 100),
                quota("ML.G5.xlarge for endpoint usage", 1),
            ]
        }


def test_the_accounts_own_quotas_on_endpoints_are_kept_and_no_default_is_asked_for() -> None:
    """23: what AWS gives everybody says nothing of what this account has."""
    state = Paged(NOW)
    region, gap = collected(endpoint_quotas, state)
    found = {name: held.value for name, held in quotas_by_type(region).items()}
    assert (found, gap) == ({"ml.m5.xlarge": 6.0, "ml.g5.xlarge": 1.0}, None)
    assert dict(state.calls) == {LIST_QUOTAS: 2}


def offering(name: str, zone: str) -> Document:
    return {"InstanceType": name, "LocationType": "availability-zone-id", "Location": zone}


def test_zones_are_asked_for_what_was_seen_and_for_what_could_replace_it() -> None:
    state = DemoState(NOW)
    names = sorted({"g5.12xlarge", *ALTERNATIVES})
    asked = {
        "LocationType": "availability-zone-id",
        "Filters": [{"Name": "instance-type", "Values": names}],
        "MaxResults": 1000,
    }
    held = [offering("g5.12xlarge", "euw1-az1"), offering("inf2.xlarge", "euw1-az1")]
    held.append(offering("inf2.xlarge", "euw1-az3"))
    state.answer(OFFERINGS, {"InstanceTypeOfferings": held}, when=asked)
    seen = [sample(NotebookInstance, "n", instance_type="ml.g5.12xlarge")]
    reads = Reads(views={NotebookInstance, InstanceTypeOffering})
    region, gap = collected(instance_type_offerings, state, seen, reads=reads)
    assert zones_by_type(region) == {
        "g5.12xlarge": frozenset({"euw1-az1"}),
        "inf2.xlarge": frozenset({"euw1-az1", "euw1-az3"}),
    }
    assert (state.calls[OFFERINGS], gap) == (1, None)


def test_what_could_replace_a_type_is_no_type_that_was_seen() -> None:
    offered = [sample(InstanceTypeOffering, "c7g.large", instance_type="c7g.large")]
    reads = Reads(views={InstanceTypeOffering, InstanceType})
    assert (
        list(named_instance_types(reader_of(instance_type_offerings, DemoState(NOW), offered, reads=reads)))
        == []
    )


def test_subnets_are_found_by_id_with_their_zone() -> None:
    state = DemoState(NOW)
    held = {"SubnetId": "subnet-1", "AvailabilityZone": "eu-west-1b", "AvailabilityZoneId": "euw1-az3"}
    state.answer(SUBNETS, {"Subnets": [held]}, when={"MaxResults": 1000})
    region, gap = collected(subnets, state)
    found = region.find(Subnet, "subnet-1")
    assert found is not None
    assert (found.availability_zone_id, region.find(Subnet, "subnet-2"), gap) == ("euw1-az3", None, None)
    assert dict(state.calls) == {SUBNETS: 1}


def test_load_tests_of_models_and_of_versions_are_listed_without_a_describe() -> None:
    state = DemoState(NOW)
    for number in range(101):
        target = (
            {"ModelName": "scorer"} if number else {"ModelPackageVersionArn": arn("model-package", "c/7")}
        )
        job = {
            "JobName": f"test-{number:03d}",
            "JobDescription": "",
            "JobType": "Default",
            "JobArn": arn("inference-recommendations-job", f"test-{number:03d}"),
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/tests",
            "Status": "COMPLETED",
            "CreationTime": NOW - timedelta(days=9),
            "CompletionTime": NOW - timedelta(days=8),
            "LastModifiedTime": NOW - timedelta(days=8),
            "InputConfig": target,
        }
        state.add("InferenceRecommendationsJob", REGION, job)
    region, gap = collected(inference_recommendations_jobs, state)
    found = list(region.all(InferenceRecommendationsJob))
    assert (len(found), gap) == (101, None)
    assert dict(state.calls) == {"sagemaker:ListInferenceRecommendationsJobs": 2}
    assert (found[0].model_name, found[0].model_package_version_arn) == (None, arn("model-package", "c/7"))
    assert (found[1].model_name, found[1].completion_time) == ("scorer", NOW - timedelta(days=8))


def add_compilation(state: DemoState, name: str, status: str) -> None:
    job = {
        "CompilationJobName": name,
        "CompilationJobArn": arn("compilation-job", name),
        "CompilationJobStatus": status,
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "FailureReason": "",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://models/compiled.tar.gz"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/neo",
        "InputConfig": {"S3Uri": "s3://models/model.tar.gz", "Framework": "PYTORCH"},
        "OutputConfig": {"S3OutputLocation": "s3://models/", "TargetDevice": "ml_inf2"},
    }
    state.add("CompilationJob", REGION, job)


def add_optimization(state: DemoState, name: str, status: str) -> None:
    job = {
        "OptimizationJobName": name,
        "OptimizationJobArn": arn("optimization-job", name),
        "OptimizationJobStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "ModelSource": {"SageMakerModel": {"ModelName": "chat"}},
        "DeploymentInstanceType": "ml.g6.xlarge",
        "OptimizationConfigs": [{"ModelCompilationConfig": {}}],
        "OutputConfig": {"S3OutputLocation": "s3://models/"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/neo",
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
    }
    state.add("OptimizationJob", REGION, job)


def add_benchmarks(state: DemoState) -> None:
    listed = [
        {
            "AIBenchmarkJobName": name,
            "AIBenchmarkJobArn": arn("ai-benchmark-job", name),
            "AIBenchmarkJobStatus": status,
            "CreationTime": NOW,
        }
        for name, status in (("done", "Completed"), ("broken", "Failed"))
    ]
    state.answer("sagemaker:ListAIBenchmarkJobs", {"AIBenchmarkJobs": listed})
    details = {
        **listed[0],
        "BenchmarkTarget": {"Endpoint": {"Identifier": "scorer"}},
        "AIWorkloadConfigIdentifier": "load",
        "OutputConfig": {"S3OutputLocation": "s3://tests/"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/tests",
    }
    state.answer("sagemaker:DescribeAIBenchmarkJob", details, when={"AIBenchmarkJobName": "done"})


COMPILERS: list[tuple[Collector, str, str]] = [
    (compilation_jobs, "ListCompilationJobs", "DescribeCompilationJob"),
    (optimization_jobs, "ListOptimizationJobs", "DescribeOptimizationJob"),
    (benchmark_jobs, "ListAIBenchmarkJobs", "DescribeAIBenchmarkJob"),
]


def filled(*, denied: tuple[str, ...] = ()) -> DemoState:
    state = DemoState(NOW, denied=denied)
    for name, status in (("done", "COMPLETED"), ("broken", "FAILED")):
        add_compilation(state, name, status)
        add_optimization(state, name, status)
    add_benchmarks(state)
    return state


@pytest.mark.parametrize(("collector", "listing", "describe"), COMPILERS)
def test_only_jobs_that_completed_are_described(collector: Collector, listing: str, describe: str) -> None:
    state = filled()
    region, gap = collected(collector, state)
    read = {found.name: set(found.readings) for found in region.all(collector.view)}
    listed, described = f"sagemaker:{listing}", f"sagemaker:{describe}"
    assert (read, gap) == ({"done": {listed, described}, "broken": {listed}}, None)
    assert dict(state.calls) == {listed: 1, described: 1}


def test_what_a_job_made_and_of_what_is_told() -> None:
    state = filled()
    compiled = next(c for c in collected(compilation_jobs, state)[0].all(CompilationJob) if c.name == "done")
    optimized = next(
        o for o in collected(optimization_jobs, state)[0].all(OptimizationJob) if o.name == "done"
    )
    measured = next(b for b in collected(benchmark_jobs, state)[0].all(BenchmarkJob) if b.name == "done")
    assert (compiled.s3_uri, compiled.s3_model_artifacts) == (
        "s3://models/model.tar.gz",
        "s3://models/compiled.tar.gz",
    )
    assert (optimized.model_name, optimized.s3_output_location) == ("chat", "s3://models/")
    assert measured.identifier == "scorer"


@pytest.mark.parametrize(("collector", "describe"), [(found, name) for found, _, name in COMPILERS])
def test_a_denied_describe_is_a_gap_of_that_job(collector: Collector, describe: str) -> None:
    state = filled(denied=(f"sagemaker:{describe}",))
    region, gap = collected(collector, state)
    reading = next(f for f in region.all(collector.view) if f.name == "done").readings[
        f"sagemaker:{describe}"
    ]
    assert isinstance(reading, Gap)
    assert (reading.reason, gap) == (Reason.DENIED, None)


@pytest.mark.parametrize(
    ("collector", "operation"),
    [
        (endpoint_quotas, LIST_QUOTAS),
        (subnets, SUBNETS),
        (instance_type_offerings, OFFERINGS),
        (inference_recommendations_jobs, "sagemaker:ListInferenceRecommendationsJobs"),
        *((collector, f"sagemaker:{listing}") for collector, listing, _ in COMPILERS),
    ],
)
def test_a_denied_list_is_a_gap_of_the_listing(collector: Collector, operation: str) -> None:
    _, gap = collected(collector, filled(denied=(operation,)))
    assert gap is not None
    assert (gap.operation, gap.reason) == (operation, Reason.DENIED)


def test_a_component_is_described_with_its_copies() -> None:
    state = DemoState(NOW)
    document = {
        "InferenceComponentName": "ranker",
        "InferenceComponentArn": arn("inference-component", "ranker"),
        "EndpointName": "shared",
        "EndpointArn": arn("endpoint", "shared"),
        "VariantName": "blue",
        "InferenceComponentStatus": "InService",
        "Specification": {"ModelName": "m", "SchedulingConfig": {"PlacementStrategy": "BINPACK"}},
        "RuntimeConfig": {"DesiredCopyCount": 3, "CurrentCopyCount": 2},
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    state.add("InferenceComponent", REGION, document)
    region, _ = collected(inference_components, state)
    (found,) = region.all(InferenceComponent)
    told = (found.variant_name, found.current_copy_count, found.desired_copy_count, found.placement_strategy)
    assert told == ("blue", 2, 3, "BINPACK")
    assert found.metric_dimensions() == ({"InferenceComponentName": "ranker"},)


def test_four_weeks_of_calls_are_read_over_all_variants() -> None:
    state = DemoState(NOW)
    for name, calls in (("blue", 2.0), ("green", 3.0)):
        dimensions = {"EndpointName": "scorer", "VariantName": name}
        series = Series(NOW - timedelta(days=40), NOW, 3600, ((1.0, calls),))
        state.metric(REGION, "AWS/SageMaker", "Invocations", dimensions, series)
    served = [
        sample(Endpoint, "scorer", production_variants=[{"variant_name": "blue"}, {"variant_name": "green"}])
    ]
    reads = Reads(views={Endpoint, NodeMetrics}, metrics={Endpoint.hourly_invocations})
    reader = reader_of(node_metrics, state, served, reads=reads)
    (document,) = (r.readings()[str(METRIC_DATA)] for r in node_metrics.function(reader))
    assert isinstance(document, dict)
    values = document["hourly_invocations"]["Values"]
    assert (sum(values), len(values)) == (FOUR_WEEKS * 24 * 5.0, FOUR_WEEKS * 24 * 2)
