"""Training jobs: how long they wait for their data."""

from datetime import datetime, timedelta
from typing import Any

from collectors.sagemaker.training_jobs import Channel, TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import not_judged
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_S3: dict[str, Any] = {"s3_uri": "s3://churn/features/"}
_LUSTRE: dict[str, Any] = {"file_system_id": "fs-1", "file_system_type": "FSxLustre"}


def _phases(*lasting: tuple[str, int]) -> list[dict[str, Any]]:
    """Phases one after another, each with its seconds."""
    found: list[dict[str, Any]] = []
    start: datetime = NOW - timedelta(days=2)
    for status, seconds in lasting:
        end = start + timedelta(seconds=seconds)
        found.append({"status": status, "start_time": start, "end_time": end})
        start = end
    return found


_SLOW = _phases(("Starting", 200), ("Downloading", 900), ("Training", 900), ("Uploading", 10))
_FAST = _phases(("Downloading", 60), ("DownloadingTrainingImage", 3_000), ("Training", 3_600))


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "training_time_in_seconds": 3_600,
        "training_input_mode": "File",
        "input_data_config": [_S3],
        "secondary_status_transitions": _SLOW,
    }
    return sample(TrainingJob, name, **{**base, **values})


@rule(
    "PERF-007",
    Severity.LOW,
    bad=[
        _job(),
        _job(training_input_mode=None),
        # A channel's own mode counts before the job's.
        _job(training_input_mode="Pipe", input_data_config=[{**_S3, "input_mode": "File"}]),
        _job(input_data_config=[{**_S3, "input_mode": "FastFile"}, _S3]),
        # An interrupted Spot job downloads again.
        _job(
            secondary_status_transitions=_phases(
                ("Downloading", 400),
                ("Training", 1_000),
                ("Interrupted", 9),
                ("Downloading", 400),
                ("Training", 800),
            )
        ),
    ],
    good=[
        # The image is not the data.
        _job(secondary_status_transitions=_FAST),
        _job(secondary_status_transitions=_phases(("Training", 3_600))),
        _job(training_input_mode="FastFile"),
        _job(input_data_config=[{**_S3, "input_mode": "Pipe"}]),
        _job(input_data_config=[_LUSTRE]),
        given(_job(), max_download_share=0.6),
    ],
    exempt=[
        _job(training_time_in_seconds=600),
        _job(training_time_in_seconds=None),
        _job(input_data_config=[]),
        _job(secondary_status_transitions=_phases(("Starting", 900), ("Downloading", 900))),
        _job(tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"),
        given(_job(), _job("churn-2026-11-19", creation_time=NOW)),
    ],
    remedy="Use FastFile or Pipe mode, or FSx for Lustre, in the next run.",
    change=Change.NEXT_RUN,
    maps=[lens("MLPERF04-BP02"), lens("MLCOST04-BP13")],
)
def training_input_bottleneck(
    job: TrainingJob, *, max_download_share: float = 0.3, min_seconds: int = 900
) -> Verdict:
    """Training should not spend its time on downloading data.

    In File mode every instance is paid for while it copies the whole input. The phases of all attempts
    of a Spot job are added up; loading the image is another phase. FastFile and Pipe mode stream, and
    file systems are mounted. The latest run of a family is judged.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if (job.training_time_in_seconds or 0) < min_seconds:
        return not_applicable("it ran too short to tell")
    if not job.input_data_config:
        return not_applicable("it has no input channels")
    if not any(_copies(job, channel) for channel in job.input_data_config):
        return passed("its input is streamed or mounted")
    loading, training = _seconds_in(job, "Downloading"), _seconds_in(job, "Training")
    if not training:
        return not_applicable("it never trained")
    share = loading / (loading + training)
    figures: dict[str, Any] = {"downloading_seconds": round(loading), "training_seconds": round(training)}
    if share < max_download_share:
        return passed(**figures)
    return failed(
        f"{share:.0%} of its time went into downloading data",
        TrainingInputMode=job.training_input_mode,
        InputMode=sorted({_mode(job, channel) for channel in job.input_data_config}),
        TrainingTimeInSeconds=job.training_time_in_seconds,
        **figures,
    )


def _mode(job: TrainingJob, channel: Channel) -> str:
    return channel.input_mode or job.training_input_mode or "File"


def _copies(job: TrainingJob, channel: Channel) -> bool:
    return channel.s3_uri is not None and _mode(job, channel) == "File"


def _seconds_in(job: TrainingJob, status: str) -> float:
    """The seconds of all phases of a status that have ended."""
    return sum(
        (step.end_time - step.start_time).total_seconds()
        for step in job.secondary_status_transitions
        if step.status == status and step.start_time is not None and step.end_time is not None
    )
