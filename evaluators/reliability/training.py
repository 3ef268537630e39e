"""Training jobs: what an interruption costs, and a time limit that is too short."""

import re
from typing import Any

from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import not_judged, runs_of, training_families
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_WITHOUT_CHECKPOINTS = re.compile(
    r"/(blazingtext|factorization-machines|forecasting-deepar|ipinsights|kmeans|knn|lda|linear-learner|ntm|"
    r"object2vec|pca|randomcutforest|seq2seq|xgboost|autogluon[\w-]*|catboost[\w-]*|lightgbm[\w-]*)[:@]"
)
"""Built-in algorithms that cannot write checkpoints (SageMaker developer guide, "Checkpoints"). Image
classification, object detection, semantic segmentation and `sagemaker-xgboost` from 0.90-1 on can."""

_BUILT_IN = "685385470294.dkr.ecr.eu-west-1.amazonaws.com"


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "training_time_in_seconds": 20_000,
    }
    return sample(TrainingJob, name, **{**base, **values})


@rule(
    "REL-003",
    Severity.HIGH,
    bad=[
        _job(),
        _job(training_time_in_seconds=900, enable_managed_spot_training=True),
        _job(training_image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"),
        _job(training_image=f"{_BUILT_IN}/sagemaker-xgboost:1.7-1"),
    ],
    good=[
        _job(checkpoint_config={"s3_uri": "s3://churn-checkpoints/"}),
        _job(input_data_config=[{"file_system_access_mode": "rw"}]),
    ],
    exempt=[
        _job(training_time_in_seconds=900),
        _job(training_time_in_seconds=None),
        _job(training_image=f"{_BUILT_IN}/kmeans:1"),
        _job(training_image=f"{_BUILT_IN}/xgboost:1"),
        _job(tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"),
        given(_job(), _job("churn-2026-11-19", creation_time=NOW)),
    ],
    remedy="Set CheckpointConfig, and load the last checkpoint when the script starts.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP10"), lens("MLREL03-BP01")],
)
def training_without_checkpoints(job: TrainingJob, *, long_job_seconds: int = 14_400) -> Verdict:
    """Long-running training jobs should write checkpoints.

    An interruption loses hours of work, and a Spot job is interrupted by design. CheckpointConfig
    proves that checkpoints are uploaded, not that the script resumes from them; Hugging Face trainers
    need output_dir as well. A file system that is mounted for writing may hold checkpoints: it
    passes. Built-in algorithms that cannot write any are left out.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    seconds = job.training_time_in_seconds
    spot = job.enable_managed_spot_training is True
    if not spot and (seconds is None or seconds < long_job_seconds):
        return not_applicable("it is short, or never trained")
    checkpoints = job.checkpoint_config
    if checkpoints is not None and checkpoints.s3_uri:
        return passed()
    if any(channel.file_system_access_mode == "rw" for channel in job.input_data_config):
        return passed("a file system mounted for writing may hold checkpoints")
    if _cannot_checkpoint(job):
        return not_applicable(
            "this built-in algorithm cannot write checkpoints", TrainingImage=job.training_image
        )
    return failed(
        "an interruption loses all of its work",
        TrainingTimeInSeconds=seconds,
        EnableManagedSpotTraining=spot,
        S3Uri=None,
    )


def _cannot_checkpoint(job: TrainingJob) -> bool:
    image = job.training_image or ""
    return bool(_WITHOUT_CHECKPOINTS.search(image)) and image.split(".")[0] != job.region.account


_CUT: dict[str, Any] = {
    "training_job_status": "Stopped",
    "secondary_status": "MaxRuntimeExceeded",
    "max_runtime_in_seconds": 20_000,
}
_WAITED: dict[str, Any] = {
    "training_job_status": "Stopped",
    "secondary_status": "MaxWaitTimeExceeded",
    "max_runtime_in_seconds": 20_000,
    "max_wait_time_in_seconds": 3_600,
    "enable_managed_spot_training": True,
}


@rule(
    "REL-005",
    Severity.MEDIUM,
    bad=[
        _job(**_CUT),
        _job(**_WAITED),
        _job(**_WAITED, training_image=f"{_BUILT_IN}/kmeans:1"),
        given(
            _job("churn-2026-11-19", creation_time=NOW, max_runtime_in_seconds=20_000),
            _job(**_CUT),
        ),
    ],
    good=[
        _job(secondary_status="Completed"),
        # Stopped by a person.
        _job(training_job_status="Stopped", secondary_status="Stopped"),
        # The limit was raised since.
        given(_job("churn-2026-11-19", creation_time=NOW, max_runtime_in_seconds=40_000), _job(**_CUT)),
        given(_job("fraud-2026-11-19", creation_time=NOW), _job(**_CUT)),
    ],
    exempt=[
        _job(**_CUT, tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"),
        given(_job(**_CUT), _job("churn-2026-11-19", creation_time=NOW)),
    ],
    remedy="Raise MaxRuntimeInSeconds or MaxWaitTimeInSeconds, or make the job smaller, and write checkpoints.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP06")],
)
def training_stopped_by_limit(job: TrainingJob) -> Verdict:
    """Training jobs should end before their time limit ends them.

    A job that its limit stops has been paid for and leaves no finished model; its status is Stopped, not
    Failed, so nobody is told. A family's runs in the window are judged together; those before the limit
    was raised do not count. With Spot, built-in algorithms without checkpoints may wait for an hour at most.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    stopped = [run for run in runs_of(job, training_families(job.region)) if _stopped_by_limit(run, job)]
    if not stopped:
        return passed()
    newest = stopped[0]
    waited = newest.secondary_status == "MaxWaitTimeExceeded"
    hour = " (an hour is the most for this algorithm)" if waited and _cannot_checkpoint(newest) else ""
    return failed(
        f"{len(stopped)} runs were stopped by their time limit{hour}",
        SecondaryStatus=newest.secondary_status,
        MaxRuntimeInSeconds=newest.max_runtime_in_seconds,
        MaxWaitTimeInSeconds=newest.max_wait_time_in_seconds,
        TrainingTimeInSeconds=newest.training_time_in_seconds,
        runs=[run.name for run in stopped[:5]],
    )


def _stopped_by_limit(run: TrainingJob, latest: TrainingJob) -> bool:
    """Whether a limit ended a run that the latest run has no longer."""
    match run.secondary_status:
        case "MaxRuntimeExceeded":
            before, now = run.max_runtime_in_seconds, latest.max_runtime_in_seconds
        case "MaxWaitTimeExceeded":
            before, now = run.max_wait_time_in_seconds, latest.max_wait_time_in_seconds
        case _:
            return False
    return before is None or now is None or now <= before
