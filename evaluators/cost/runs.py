"""Families of training jobs: how often they fail at once, sweep by hand, keep machines warm, and are capped."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import not_judged, runs_of, training_families
from evaluators.instances import family
from evaluators.money import Usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311"
_TUNING = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"
_GPU_FAMILIES = ("g", "p")


def _job(number: int = 0, **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.g5.xlarge",
        "instance_count": 1,
        "training_image": _IMAGE,
        "training_time_in_seconds": 3_600,
        "billable_time_in_seconds": 3_600,
        "creation_time": NOW - timedelta(hours=number + 1),
        "resource_config": {"InstanceCount": 1},
    }
    return sample(TrainingJob, f"churn-{number:03d}", **{**base, **values})


def _family(count: int, values: Iterable[Mapping[str, Any]] = ({},), **thresholds: Any) -> Given:
    """A family whose latest run is the subject; `values` repeat over its runs, newest first."""
    given_values = list(values)
    first, *others = (_job(n, **given_values[n % len(given_values)]) for n in range(count))
    return given(first, *others, **thresholds)


_CRASH: dict[str, Any] = {
    "training_job_status": "Failed",
    "failure_reason": "AlgorithmError: ExecuteUserScriptError",
    "training_time_in_seconds": 60,
}


@rule(
    "COST-023",
    Severity.LOW,
    confidence=0.7,
    bad=[
        _family(5, [_CRASH]),
        _family(5, [{**_CRASH, "instance_type": "ml.m5.xlarge", "instance_count": 4}]),
        _family(8, [_CRASH, {}], min_short_failures=4),
    ],
    good=[
        _family(4, [_CRASH]),
        _family(6, [{**_CRASH, "training_time_in_seconds": 4_000}]),
        _family(6, [{**_CRASH, "instance_type": "ml.m5.xlarge"}]),
        _family(6, [{**_CRASH, "failure_reason": "InternalServerError"}]),
    ],
    exempt=[
        _family(6),
        _family(6, [{**_CRASH, "tuning_job_arn": _TUNING}]),
    ],
    remedy="Run the script in local mode on a small part of the data first; iterate on a warm pool.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP03"), lens("MLCOST04-BP09")],
)
def debugging_on_clusters(
    job: TrainingJob, *, min_short_failures: int = 5, max_seconds: int = 300
) -> Verdict:
    """Code should be debugged on one's own machine, not on GPUs and clusters.

    A script that breaks in its first minutes has paid for starting machines and for nothing else.
    Runs of a family in the window that failed by their own code, early, on GPUs or on several
    instances, are counted. Local mode works on notebooks, and in Studio where Docker is allowed.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    runs = list(runs_of(job, training_families(job.region)))
    broken = [run for run in runs if run.training_job_status == "Failed"]
    if not broken:
        return not_applicable("no run of it failed in the window")
    early = [run for run in broken if _broke_early(run, max_seconds)]
    if len(early) < min_short_failures:
        return passed(runs=len(runs), early_failures=len(early))
    return failed(
        f"{len(early)} of {len(runs)} runs broke within {max_seconds} seconds on paid machines",
        FailureReason=(early[0].failure_reason or "")[:200],
        TrainingTimeInSeconds=early[0].training_time_in_seconds,
        InstanceType=early[0].instance_type,
        runs=len(runs),
        early_failures=len(early),
    )


def _broke_early(run: TrainingJob, seconds: int) -> bool:
    own_fault = (run.failure_reason or "").startswith(("AlgorithmError", "ClientError"))
    dear = run.total_instances > 1 or any(
        family(name).startswith(_GPU_FAMILIES) for name in run.instance_types
    )
    return own_fault and dear and (run.training_time_in_seconds or 0) <= seconds


_SDK = ("sagemaker_job_name", "sagemaker_submit_directory", "sagemaker_region", "sagemaker_program")


def _sweep(count: int, **more: Any) -> Given:
    return _family(
        count,
        [{"hyper_parameters": {"eta": str(n), "sagemaker_job_name": f"j{n}"}, **more} for n in range(count)],
    )


@rule(
    "COST-026",
    Severity.LOW,
    confidence=0.4,
    bad=[_sweep(16), _sweep(40)],
    good=[
        # The same parameters every hour: retraining, not a sweep.
        _family(20, [{"hyper_parameters": {"eta": "1", "sagemaker_job_name": "j"}}]),
        _family(20, [{"hyper_parameters": {"sagemaker_job_name": f"j{n}"}} for n in range(20)]),
        given(_sweep(16).subject, *_sweep(16).others, min_runs=20),
    ],
    exempt=[
        _sweep(10),
        _sweep(16, tuning_job_arn=_TUNING),
        _family(
            16,
            [
                {"hyper_parameters": {"eta": str(n)}, "input_data_config": [{"s3_uri": f"s3://data/{n}/"}]}
                for n in range(16)
            ],
        ),
    ],
    remedy="Let a hyperparameter tuning job search: it picks the next values, and stops runs that lead nowhere.",
    command="aws sagemaker create-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name NAME "
    "--hyper-parameter-tuning-job-config file://config.json --training-job-definition file://job.json",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP11")],
)
def manual_parameter_sweep(job: TrainingJob, *, min_runs: int = 15, window_days: float = 7) -> Verdict:
    """Sweeps over hyperparameters should be left to automatic model tuning.

    Many runs of a family in a week, with the same image and input and other hyperparameters each time,
    look like a search by hand. Tuners of other makers (Optuna, Ray) look the same. What the SDK writes
    into hyperparameters itself does not count as a difference.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    since = job.creation_time - timedelta(days=window_days)
    runs = [r for r in runs_of(job, training_families(job.region)) if r.creation_time >= since]
    alike = [run for run in runs if _work(run) == _work(job)]
    if len(alike) < min(min_runs, 15):
        return not_applicable("few runs with the same image and input")
    tried = {_parameters(run) for run in alike}
    if len(alike) >= min_runs and len(tried) >= min_runs:
        return failed(
            f"{len(alike)} runs in {window_days:g} days tried {len(tried)} sets of hyperparameters",
            TrainingImage=job.training_image,
            HyperParameters=sorted(name for name in job.hyper_parameters or {} if name not in _SDK)[:10],
            runs=len(alike),
            sets=len(tried),
        )
    return passed(runs=len(alike), sets=len(tried))


def _work(run: TrainingJob) -> tuple[str | None, tuple[str, ...]]:
    return run.training_image or run.algorithm_name, tuple(c.s3_uri or "" for c in run.input_data_config)


def _parameters(run: TrainingJob) -> str:
    kept = {k: v for k, v in (run.hyper_parameters or {}).items() if k not in _SDK}
    return json.dumps(kept, sort_keys=True, default=str)


_WARM: dict[str, Any] = {"keep_alive_period_in_seconds": 1800}
_WASTED: dict[str, Any] = {
    **_WARM,
    "status": "Terminated",
    "resource_retained_billable_time_in_seconds": 1800,
}
_REUSED: dict[str, Any] = {**_WARM, "status": "Reused", "reused_by_job": "churn-next"}
_SHORT: dict[str, Any] = {"training_time_in_seconds": 120}


@rule(
    "COST-029",
    Severity.LOW,
    bad=[
        _family(2, [_WASTED]),
        _family(4, [_WASTED, _REUSED]),
        _family(12, [_SHORT]),
        _family(1, [{**_WARM, "status": "Available", "resource_retained_billable_time_in_seconds": 600}]),
    ],
    good=[
        _family(4, [_REUSED]),
        _family(4, [_REUSED, _REUSED, _REUSED, _WASTED]),
    ],
    exempt=[
        _family(5),
        _family(5, [_SHORT]),
        _family(12, [{**_SHORT, "enable_managed_spot_training": True}]),
        _family(12, [{**_SHORT, "tuning_job_arn": _TUNING}]),
    ],
    remedy="Set KeepAlivePeriodInSeconds to 0 where no job follows; set it where short jobs follow each other.",
    command="aws sagemaker update-training-job --training-job-name {name} "
    "--resource-config KeepAlivePeriodInSeconds=0",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP06")],
)
def wasted_warm_pool(job: TrainingJob, *, waste_share: float = 0.5, min_short_jobs: int = 10) -> Verdict:
    """Warm pools should be used by the next job, and only kept where one follows.

    Machines that are kept warm are billed until a job takes them or their time is over. Short jobs
    that follow each other wait for new machines every time. The quota of warm pools is zero until it
    is raised; Spot has none.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    runs = list(runs_of(job, training_families(job.region)))
    kept = [run for run in runs if run.keep_alive_period_in_seconds]
    if kept:
        return _kept(job, kept, waste_share)
    if job.enable_managed_spot_training:
        return not_applicable("Spot has no warm pools")
    short = [run for run in runs if 0 < (run.training_time_in_seconds or 0) < _SHORT_RUN]
    if len(short) < min_short_jobs or not _close(short[:min_short_jobs]):
        return not_applicable("no warm pool, and no short jobs that follow each other")
    return failed(
        f"{len(short)} short runs waited for new machines each time",
        TrainingTimeInSeconds=job.training_time_in_seconds,
        KeepAlivePeriodInSeconds=job.keep_alive_period_in_seconds,
        short_runs=len(short),
    )


_SHORT_RUN = 600
"""Seconds below which starting machines takes longer than the work."""
_CLOSE = timedelta(hours=2)
"""How soon after each other jobs have to start so that machines could have stayed warm between them."""


def _close(runs: list[TrainingJob]) -> bool:
    """Whether runs, newest first, follow each other within what a warm pool can be kept."""
    return all(newer.creation_time - older.creation_time <= _CLOSE for newer, older in pairwise(runs))


def _kept(job: TrainingJob, kept: list[TrainingJob], waste_share: float) -> Verdict:
    idle = [
        run for run in kept if run.reused_by_job is None and run.resource_retained_billable_time_in_seconds
    ]
    seconds = sum(run.resource_retained_billable_time_in_seconds or 0 for run in idle)
    now_billing = any(run.status == "Available" for run in kept)
    if not now_billing and len(idle) / len(kept) < waste_share:
        return passed(pools=len(kept), unused=len(idle))
    hours = seconds / 3600
    name = job.instance_type or ""
    waste = [Usage("training", name, hours=hours, count=max(1, job.total_instances))]
    return failed(
        "a pool is kept warm now, and billed"
        if now_billing
        else f"{len(idle)} of {len(kept)} pools were never used",
        waste=waste if name and hours else (),
        raised=Severity.MEDIUM if now_billing else None,
        Status=job.status,
        KeepAlivePeriodInSeconds=job.keep_alive_period_in_seconds,
        ResourceRetainedBillableTimeInSeconds=seconds,
        pools=len(kept),
    )


_CAPPED: dict[str, Any] = {"max_runtime_in_seconds": 7_200}
_LOOSE: dict[str, Any] = {"max_runtime_in_seconds": 432_000}


@rule(
    "COST-030",
    Severity.LOW,
    bad=[
        _family(6, [_LOOSE]),
        _family(
            6,
            [
                {
                    **_CAPPED,
                    "training_job_status": "InProgress",
                    "training_time_in_seconds": None,
                    "training_start_time": NOW - timedelta(hours=9),
                    "creation_time": NOW - timedelta(minutes=1),
                },
                *[_CAPPED] * 5,
            ],
        ),
    ],
    good=[
        _family(6, [_CAPPED]),
        # A high cap on runs that take hours is no waste.
        _family(6, [{"max_runtime_in_seconds": 86_400, "training_time_in_seconds": 30_000}]),
        _family(6, [{"max_runtime_in_seconds": 80_000}]),
    ],
    exempt=[_family(3, [_LOOSE]), _family(6, [{}]), _family(6, [{**_LOOSE, "tuning_job_arn": _TUNING}])],
    remedy="Set MaxRuntimeInSeconds to a few times what the runs take, and stop runs that hang.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP06")],
)
def loose_training_time_limit(
    job: TrainingJob, *, cap_ratio: float = 10, min_cap_seconds: int = 86_400, stuck_ratio: float = 5
) -> Verdict:
    """The time limit of training jobs should be near what they need.

    A run that hangs is billed until its limit. The limit is compared with the 95th percentile of the
    family's completed runs in the window, and so is a run that is still going on.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    runs = list(runs_of(job, training_families(job.region)))
    took = sorted(r.training_time_in_seconds or 0 for r in runs if r.training_job_status == "Completed")
    took = [seconds for seconds in took if seconds]
    if len(took) < _FEW:
        return not_applicable(f"fewer than {_FEW} completed runs in the window")
    usual = took[min(len(took) - 1, int(0.95 * len(took)))]
    for run in runs:
        if run.training_job_status == "InProgress" and run.training_start_time is not None:
            running = (job.region.now - run.training_start_time).total_seconds()
            if running > stuck_ratio * usual:
                return failed(
                    f"{run.name} has been running {running / usual:.0f} times as long as usual",
                    TrainingJobStatus=run.training_job_status,
                    TrainingStartTime=run.training_start_time.isoformat(),
                    usual_seconds=usual,
                )
    limit = job.max_runtime_in_seconds
    if limit is None:
        return not_applicable("it has no time limit of its own")
    if limit >= cap_ratio * usual and limit >= min_cap_seconds:
        return failed(
            f"it may run {limit / usual:.0f} times as long as its runs take",
            MaxRuntimeInSeconds=limit,
            usual_seconds=usual,
        )
    return passed(MaxRuntimeInSeconds=limit, usual_seconds=usual)


_FEW = 5
