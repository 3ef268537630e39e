"""Training jobs: what an interruption costs."""

import re
from typing import Any

from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import not_judged
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
    image = job.training_image or ""
    if _WITHOUT_CHECKPOINTS.search(image) and image.split(".")[0] != job.region.account:
        return not_applicable("this built-in algorithm cannot write checkpoints", TrainingImage=image)
    return failed(
        "an interruption loses all of its work",
        TrainingTimeInSeconds=seconds,
        EnableManagedSpotTraining=spot,
        S3Uri=None,
    )
