"""Jobs: a window of them in few calls, the newest of a family in full, and which are runs of the same."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.collector import Collector
from collectors.model import Gap, Reason, Resource
from collectors.reads import Reads
from collectors.sagemaker.job_families import family_name, is_made_by_aws
from collectors.sagemaker.processing_jobs import ProcessingJob, processing_jobs
from collectors.sagemaker.training_jobs import TrainingJob, training_jobs
from collectors.sagemaker.transform_jobs import TransformJob, transform_jobs
from collectors.sagemaker.tuning_jobs import TuningJob, tuning_jobs
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region, View

ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
TOKEN = "hf_" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4Fg"
RESOURCES = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
S3_INPUT = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://churn-data/train/"}}


def add_training(state: DemoState, name: str, days: float = 1, **more: Any) -> None:
    document = {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://churn-models/model.tar.gz"},
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "AlgorithmSpecification": {"TrainingImage": "churn:1", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "CreationTime": NOW - timedelta(days=days),
        **more,
    }
    state.add("TrainingJob", REGION, document, {"Environment": "prod"})


def add_processing(state: DemoState, name: str, days: float) -> None:
    document = {
        "ProcessingJobName": name,
        "ProcessingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/{name}",
        "ProcessingResources": {"ClusterConfig": RESOURCES},
        "AppSpecification": {"ImageUri": "features:1", "ContainerArguments": ["--api-token", TOKEN]},
        "ProcessingJobStatus": "Completed",
        "CreationTime": NOW - timedelta(days=days),
    }
    state.add("ProcessingJob", REGION, document)


def add_transform(state: DemoState, name: str, days: float) -> None:
    document = {
        "TransformJobName": name,
        "TransformJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:transform-job/{name}",
        "TransformJobStatus": "Completed",
        "ModelName": "churn",
        "TransformInput": {"DataSource": S3_INPUT},
        "TransformOutput": {"S3OutputPath": "s3://churn-scores/"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "CreationTime": NOW - timedelta(days=days),
        "Environment": {"API_TOKEN": TOKEN},
    }
    state.add("TransformJob", REGION, document)


def kept(found: Iterable[Resource]) -> Region:
    """A Region that holds what a collector yielded."""
    snapshot = snapshot_of([])
    for resource in found:
        assert TOKEN not in bytes(resource.documents).decode()
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION)


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        ((), {"sagemaker:Search": 3}),
        (
            ("sagemaker:Search",),
            {"sagemaker:Search": 1, "sagemaker:ListTrainingJobs": 3, "sagemaker:DescribeTrainingJob": 202},
        ),
    ],
)
def test_only_the_training_jobs_of_the_window_are_read(
    denied: tuple[str, ...], expected: Mapping[str, int]
) -> None:
    state = DemoState(NOW, denied=denied)
    for number in range(300):
        add_training(state, f"churn-{number:03d}", days=number * 0.149)
    reader = reader_of(training_jobs, state)

    names = {job.name for job in kept(training_jobs.function(reader)).all(TrainingJob)}

    assert names == {f"churn-{number:03d}" for number in range(202)}
    assert (dict(state.calls), reader.gap) == (expected, None)


def test_a_training_job_that_cannot_be_described_is_kept_as_a_gap() -> None:
    state = DemoState(NOW, denied=("sagemaker:Search", "sagemaker:DescribeTrainingJob"))
    add_training(state, "churn-1")
    (found,) = training_jobs.function(reader_of(training_jobs, state))
    described = found.readings()["sagemaker:DescribeTrainingJob"]
    assert found.name == "churn-1"
    assert isinstance(described, Gap)
    assert described.reason is Reason.DENIED


def test_a_list_that_is_denied_as_well_marks_the_listing() -> None:
    state = DemoState(NOW, denied=("sagemaker:Search", "sagemaker:ListTrainingJobs"))
    reader = reader_of(training_jobs, state)
    assert list(training_jobs.function(reader)) == []
    assert reader.gap is not None
    assert (reader.gap.operation, reader.gap.reason) == ("sagemaker:ListTrainingJobs", Reason.DENIED)


@pytest.mark.parametrize("denied", [(), ("sagemaker:Search",)])
def test_secrets_of_a_training_job_are_not_kept(denied: tuple[str, ...]) -> None:
    state = DemoState(NOW, denied=denied)
    add_training(
        state,
        "churn-1",
        Environment={"HF_TOKEN": TOKEN},
        HyperParameters={"hub_token": TOKEN},
        AlgorithmSpecification={
            "TrainingImage": "churn:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["train", TOKEN],
            "ContainerArguments": ["--token", TOKEN],
        },
    )
    (job,) = kept(training_jobs.function(reader_of(training_jobs, state))).all(TrainingJob)
    assert {secret.key for secret in job.secrets(TrainingJob.environment.operations)} == {
        "Environment.HF_TOKEN",
        "HyperParameters.hub_token",
        "AlgorithmSpecification.ContainerArguments[1]",
        "AlgorithmSpecification.ContainerEntrypoint[1]",
    }


@pytest.mark.parametrize("denied", [(), ("sagemaker:Search",)])
@pytest.mark.parametrize("plural", [False, True])
def test_secrets_of_a_tuning_jobs_definitions_are_not_kept(denied: tuple[str, ...], plural: bool) -> None:
    state = DemoState(NOW, denied=denied)
    definition = {
        "AlgorithmSpecification": {"TrainingImage": "churn:1", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://churn-models/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Environment": {"HF_TOKEN": TOKEN},
        "StaticHyperParameters": {"hub_token": TOKEN},
        "EnableManagedSpotTraining": True,
    }
    document = {
        "HyperParameterTuningJobName": "churn",
        "HyperParameterTuningJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:hyper-parameter-tuning-job/churn",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        },
        "HyperParameterTuningJobStatus": "Completed",
        "CreationTime": NOW - timedelta(days=1),
        "TrainingJobStatusCounters": {},
        "ObjectiveStatusCounters": {},
        **({"TrainingJobDefinitions": [definition]} if plural else {"TrainingJobDefinition": definition}),
    }
    state.add("HyperParameterTuningJob", REGION, document)
    (job,) = kept(tuning_jobs.function(reader_of(tuning_jobs, state))).all(TuningJob)
    member = "TrainingJobDefinitions[0]" if plural else "TrainingJobDefinition"
    assert {secret.key for secret in job.secrets(TuningJob.training_job_definition.operations)} == {
        f"{member}.Environment.HF_TOKEN",
        f"{member}.StaticHyperParameters.hub_token",
    }
    assert [definition.enable_managed_spot_training for definition in job.definitions] == [True]


LISTED = [
    pytest.param(processing_jobs, ProcessingJob, add_processing, ProcessingJob.environment, id="processing"),
    pytest.param(transform_jobs, TransformJob, add_transform, TransformJob.model_name, id="transform"),
]


@pytest.mark.parametrize(("collector", "view", "add", "declared"), LISTED)
@pytest.mark.parametrize("wanted", [True, False])
def test_only_the_newest_of_a_family_is_described(
    collector: Collector, view: type[View], add: Any, declared: Any, wanted: bool
) -> None:
    state = DemoState(NOW)
    for name, days in {"score-001": 9, "score-002": 2, "score-003": 1, "daily": 3, "gone-001": 31}.items():
        add(state, name, days)
    reads = Reads(views={view}, fields={declared} if wanted else set())
    reader = reader_of(collector, state, reads=reads)

    found = {job.name: job.is_described for job in kept(collector.function(reader)).all(view)}

    newest = {"score-003": wanted, "daily": wanted}
    assert found == {"score-001": False, "score-002": False, **newest}
    assert reader.gap is None
    kind = view.__name__
    assert dict(state.calls) == {
        f"sagemaker:List{kind}s": 1,
        **({f"sagemaker:Describe{kind}": 2} if wanted else {}),
    }


@pytest.mark.parametrize(("collector", "view", "add", "declared"), LISTED)
def test_a_job_that_cannot_be_described_keeps_its_summary(
    collector: Collector, view: type[View], add: Any, declared: Any
) -> None:
    state = DemoState(NOW, denied=(f"sagemaker:Describe{view.__name__}",))
    add(state, "score-001", 1)
    (found,) = collector.function(reader_of(collector, state, reads=Reads(fields={declared})))
    readings = found.readings()
    assert readings[f"sagemaker:List{view.__name__}s"][view.name_path] == "score-001"
    assert isinstance(readings[f"sagemaker:Describe{view.__name__}"], Gap)


def test_the_buckets_that_jobs_name() -> None:
    transform = sample(
        TransformJob, s3_uri="s3://data/in/", transform_output={"s3_output_path": "s3://scores/"}
    )
    training = sample(
        TrainingJob,
        input_data_config=[{"s3_uri": "s3://data/train/"}, {"s3_uri": None}],
        s3_output_path="s3://models/churn/",
        s3_model_artifacts="s3://models/churn/model.tar.gz",
        checkpoint_config={"s3_uri": "s3://checkpoints"},
    )
    processing = sample(
        ProcessingJob,
        processing_inputs=[{"s3_uri": "s3://data/raw/"}],
        outputs=[{"s3_uri": "s3://features/"}],
    )
    region = Region(snapshot_of([transform, training, processing]), ACCOUNT, REGION)
    found = {v: next(iter(region.all(v))).buckets for v in (TransformJob, TrainingJob, ProcessingJob)}
    assert found == {
        TransformJob: {"data", "scores"},
        TrainingJob: {"data", "models", "checkpoints"},
        ProcessingJob: {"data", "features"},
    }


MEASURED = {"instance_type": "ml.m5.xlarge", "instance_count": 1, "training_time_in_seconds": 7200}


def measured(name: str, **values: Any) -> Sample:
    return sample(TrainingJob, name, **{**MEASURED, **values})


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([measured("churn-1")], {"churn-1": ["churn-1/algo-1"]}),
        # An older run of the same is not worth asking for; the same name with another role is no run of it.
        ([measured("churn-1"), measured("churn-2", creation_time=NOW)], {"churn-2": ["churn-2/algo-1"]}),
        (
            [measured("churn-1"), measured("churn-2", role_arn="arn:aws:iam::123456789012:role/other")],
            {"churn-1": ["churn-1/algo-1"], "churn-2": ["churn-2/algo-1"]},
        ),
        ([measured("churn-1", training_time_in_seconds=599)], {}),
        ([measured("churn-1", training_time_in_seconds=None)], {}),
        ([measured("churn-1", auto_ml_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:automl-job/a")], {}),
        ([measured("model-monitoring-1")], {}),
        # Of many hosts four.
        (
            [
                measured(
                    "churn-1",
                    instance_type=None,
                    instance_count=None,
                    instance_groups=[
                        {"instance_type": "ml.m5.large", "instance_count": 3},
                        {"instance_type": "ml.g5.xlarge", "instance_count": 3},
                    ],
                )
            ],
            {"churn-1": [f"churn-1/algo-{number}" for number in (1, 2, 3, 4)]},
        ),
        # A job that nobody can place is not measured, and hides no other.
        (
            [measured("churn-1"), measured("fraud-1", role_arn=Gap("test:Describe", Reason.DENIED))],
            {"churn-1": ["churn-1/algo-1"]},
        ),
    ],
)
def test_what_is_measured_of_training_jobs(jobs: list[Sample], expected: dict[str, list[str]]) -> None:
    region = Region(snapshot_of(jobs), ACCOUNT, REGION)
    readable = [job for job in region.all(TrainingJob) if job.name != "fraud-1"]
    found = {job.name: [host["Host"] for host in job.metric_dimensions()] for job in readable}
    assert {name: hosts for name, hosts in found.items() if hosts} == expected


def test_of_many_families_the_newest_two_hundred_are_measured() -> None:
    jobs = [
        measured(f"family{'x' * number}", creation_time=NOW - timedelta(hours=number))
        for number in range(1, 203)
    ]
    region = Region(snapshot_of(jobs), ACCOUNT, REGION)
    found = [len(job.name) - 6 for job in region.all(TrainingJob) if job.metric_dimensions()]
    assert sorted(found) == list(range(1, 201))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOW - timedelta(hours=2), NOW, (NOW - timedelta(hours=2), NOW)),
        # Still running: the run's own window.
        (NOW - timedelta(hours=2), None, None),
        (None, None, None),
    ],
)
def test_metrics_are_asked_for_from_start_to_end(start: Any, end: Any, expected: Any) -> None:
    made = sample(TrainingJob, training_start_time=start, training_end_time=end)
    (job,) = Region(snapshot_of([made]), ACCOUNT, REGION).all(TrainingJob)
    assert job.metric_window() == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("churn-2026-11-18", "churn-2026-11-18-06-30-00-123", "churn-20261118T063000Z"), "churn"),
        (("churn20261118", "churn-261118-0630", "churn-1763447400", "churn-1763447400-beef"), "churn"),
        (("churn-7f3a9c1", "churn-ab12cd34", "churn-Ab3dEf6hIj"), "churn"),
        (("churn-b3c1d2e4-0000-4111-8222-123456789abc",), "churn"),
        (("churn-1", "churn-003", "churn-v2", "churn-run-3", "churn-01-02-2026", "churn"), "churn"),
        (("churn-2026-11-18-run-3", "churn-2026-11-18-7f3a9c1b2d"), "churn"),
        # A number that belongs to the name, before or inside of the word.
        (("resnet-50-2026-11-18",), "resnet-50"),
        (("train-resnet50", "train-resnet50-2026-11-18"), "train-resnet50"),
        (("train-resnet50large-20261118",), "train-resnet50large"),
        (("llama-3-8b-7f3a9c1",), "llama-3-8b"),
        # Pipelines put an id before the step, and after it one that may have no digit.
        (
            (
                "pipelines-cfvy1tjuxdq8-Train-Churn-tavdAfwdfX",
                "pipelines-8pk6dxn4cfvl-Train-Churn-bPV7sMzUlc",
            ),
            "pipelines-Train-Churn",
        ),
        # Nothing but an ending.
        (("20261118",), "20261118"),
        (("2026-11-18",), "2026-11-18"),
    ],
)
def test_families_of_names(names: tuple[str, ...], expected: str) -> None:
    assert {name: family_name(name) for name in names} == dict.fromkeys(names, expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model-monitoring-202611190900-4f2a", True),
        ("Clarify-Explainability-2026-11-18-06-30-00-123", True),
        ("sagemaker-clarify-1", True),
        ("automl-churn-1", True),
        ("sagemaker-xgboost-2026-11-18", False),
        ("churn-model-monitoring-1", False),
        ("clarifying-churn", False),
    ],
)
def test_jobs_that_services_of_aws_start(name: str, expected: bool) -> None:
    assert is_made_by_aws(name) is expected
