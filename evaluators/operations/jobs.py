"""Jobs: how often they fail."""

from collections import Counter
from datetime import timedelta
from typing import Any

from collectors.sagemaker.job_families import is_made_by_aws
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import (
    Families,
    older_run,
    processing_families,
    runs_of,
    training_families,
    transform_families,
)
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

Job = TrainingJob | ProcessingJob | TransformJob


def _runs(failures: int, completed: int, stopped: int = 0, **values: Any) -> Given:
    """Runs of one family, the failed ones the latest."""
    statuses = ["Failed"] * failures + ["Completed"] * completed + ["Stopped"] * stopped
    made = [
        sample(
            TrainingJob,
            f"churn-{number:03d}",
            training_job_status=status,
            creation_time=NOW - timedelta(hours=number),
            failure_reason="AlgorithmError: exit code 1" if status == "Failed" else None,
            **values,
        )
        for number, status in enumerate(statuses)
    ]
    return given(made[0], *made[1:])


def _processing(number: int, status: str) -> Sample:
    return sample(
        ProcessingJob,
        f"features-{number:03d}",
        processing_job_status=status,
        creation_time=NOW - timedelta(hours=number),
    )


@rule(
    "OPS-033",
    Severity.MEDIUM,
    bad=[
        _runs(3, 7),
        given(
            _processing(0, "Failed"),
            *(_processing(n, "Failed" if n < 5 else "Completed") for n in range(1, 12)),
        ),
        given(
            sample(TransformJob, "score-000", transform_job_status="Failed", creation_time=NOW),
            *(sample(TransformJob, f"score-{n:03d}", transform_job_status="Failed") for n in range(1, 11)),
        ),
    ],
    good=[_runs(1, 9), _runs(1, 9, stopped=20)],
    exempt=[
        _runs(5, 4),
        _runs(5, 4, stopped=10),
        # Runs of another role are another family.
        given(
            _runs(3, 7).subject,
            *_runs(3, 7, role_arn="arn:aws:iam::123456789012:role/research").others,
        ),
        given(*reversed(_runs(3, 7).others[:1]), _runs(3, 7).subject, *_runs(3, 7).others[1:]),
        _runs(8, 8, tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"),
        given(
            sample(ProcessingJob, "model-monitoring-000", processing_job_status="Failed", creation_time=NOW),
            *(
                sample(ProcessingJob, f"model-monitoring-{n:03d}", processing_job_status="Failed")
                for n in range(1, 12)
            ),
        ),
    ],
    remedy="Group the failures by the start of FailureReason, and mend the largest group first.",
    change=Change.NEXT_RUN,
    maps=[lens("MLOPS05-BP01")],
)
def failing_jobs(
    job: TrainingJob | ProcessingJob | TransformJob, *, min_jobs: int = 10, max_failed_share: float = 0.2
) -> Verdict:
    """Jobs should rarely fail.

    Repeated failure wastes money and hides faults. Counted over the look-back window, a family of
    runs at a time, and told once, on its latest run. Stopped is not failed. Children of tuning, AutoML
    and labeling jobs are not counted, nor are jobs that AWS's own services start.
    """
    if is_made_by_aws(job.name):
        return not_applicable("a service of AWS made it")
    if isinstance(job, TrainingJob) and job.is_child:
        return not_applicable("its parent started it and handles its failure")
    families = _families(job)
    why = older_run(job, families)
    if why:
        return not_applicable(why)
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for run in runs_of(job, families):
        status = _status(run)
        statuses[status] += 1
        if status == "Failed":
            # FailureReason begins with its kind, such as AlgorithmError or CapacityError.
            reasons[(run.failure_reason or "unknown").partition(":")[0][:40]] += 1
    ended = statuses["Failed"] + statuses["Completed"]
    if ended < min_jobs:
        return not_applicable(f"only {ended} runs ended in the window")
    share = statuses["Failed"] / ended
    if share < max_failed_share:
        return passed()
    return failed(
        f"{statuses['Failed']} of {ended} runs failed",
        FailureReason=dict(sorted(reasons.items(), key=lambda found: (-found[1], found[0]))[:3]),
        failed_share=round(share, 2),
        runs=ended,
    )


def _families(job: Job) -> Families:
    match job:
        case TrainingJob():
            return training_families(job.region)
        case ProcessingJob():
            return processing_families(job.region)
        case TransformJob():
            return transform_families(job.region)


def _status(job: Job) -> str:
    match job:
        case TrainingJob():
            return job.training_job_status
        case ProcessingJob():
            return job.processing_job_status
        case TransformJob():
            return job.transform_job_status
