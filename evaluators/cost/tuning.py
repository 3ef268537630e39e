"""Tuning jobs: whether they end when nothing is gained any more, and learn from those before."""

import json
from collections.abc import Hashable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_RANGES = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0", "MaxValue": "1"}]}


def _tuning(name: str = "churn-hpo-2", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "strategy": "Bayesian",
        "training_job_early_stopping_type": "Auto",
        "max_number_of_training_jobs": 50,
        "metric_name": "validation:auc",
        "parameter_ranges": _RANGES,
        "training_job_definition": {"training_image": "image:1"},
    }
    return sample(TuningJob, name, **{**base, **values})


@rule(
    "COST-027",
    Severity.LOW,
    bad=[
        _tuning(training_job_early_stopping_type="Off"),
        _tuning(training_job_early_stopping_type=None),
        _tuning(strategy="Random", max_number_of_training_jobs=400, max_runtime_in_seconds=3600),
        _tuning(strategy="Grid", max_number_of_training_jobs=400),
        _tuning(max_number_of_training_jobs=400),
        # Without a number there is no limit.
        _tuning(max_number_of_training_jobs=None),
        _tuning(
            max_number_of_training_jobs=400,
            tuning_job_completion_criteria={"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}},
        ),
    ],
    good=[
        _tuning(max_number_of_training_jobs=None, max_runtime_in_seconds=36_000),
        _tuning(
            max_number_of_training_jobs=400,
            tuning_job_completion_criteria={
                "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 20}
            },
        ),
        _tuning(),
        _tuning(max_number_of_training_jobs=400, max_runtime_in_seconds=36_000),
        _tuning(
            max_number_of_training_jobs=400,
            tuning_job_completion_criteria={"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}},
        ),
    ],
    exempt=[_tuning(strategy="Hyperband", training_job_early_stopping_type="Off")],
    remedy="Set TrainingJobEarlyStoppingType to Auto, and completion criteria.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP10"), lens("MLCOST04-BP11")],
)
def unbounded_tuning(job: TuningJob, *, max_jobs: int = 100) -> Verdict:
    """Tuning jobs should be bounded, and stop runs that lead nowhere.

    A tuning job starts as many training jobs as it may. Early stopping ends those that are worse than
    the median, completion criteria end the search when it gains nothing. Hyperband stops by itself.
    Whether Autotune chose the bounds only Describe tells, which is not asked: where it did, accept this.
    """
    if job.strategy == "Hyperband":
        return not_applicable("Hyperband stops runs by itself")
    limit = job.max_number_of_training_jobs
    early = job.training_job_early_stopping_type
    bounded = job.max_runtime_in_seconds is not None or _completes(job.tuning_job_completion_criteria or {})
    many, jobs = limit is None or limit > max_jobs, "any number of" if limit is None else limit
    wrong = [
        text
        for holds, text in (
            (early != "Auto", "runs that lead nowhere go on to their end"),
            (
                job.strategy in ("Grid", "Random") and many,
                f"{job.strategy} search of {jobs} jobs",
            ),
            (many and not bounded, f"up to {jobs} jobs, and nothing ends the search before"),
        )
        if holds
    ]
    figures: dict[str, Any] = {
        "Strategy": job.strategy,
        "TrainingJobEarlyStoppingType": early,
        "MaxNumberOfTrainingJobs": limit,
    }
    return failed("; ".join(dict.fromkeys(wrong)), **figures) if wrong else passed(**figures)


def _completes(criteria: Mapping[str, Any]) -> bool:
    """Whether criteria end a search: a target, too many runs that gain nothing, or convergence that is on."""
    stale = (criteria.get("BestObjectiveNotImproving") or {}).get("MaxNumberOfTrainingJobsNotImproving")
    converged = (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence") == "Enabled"
    return converged or bool(stale) or criteria.get("TargetObjectiveMetricValue") is not None


_BEFORE = _tuning("churn-hpo-1", creation_time=NOW - timedelta(days=9))


@rule(
    "COST-028",
    Severity.LOW,
    confidence=0.7,
    bad=[given(_tuning(), _BEFORE)],
    good=[given(_tuning(warm_start_config={"WarmStartType": "TransferLearning"}), _BEFORE)],
    exempt=[
        _tuning(),
        given(_tuning(metric_name="validation:logloss"), _BEFORE),
        given(_tuning(training_job_definition={"training_image": "other:1"}), _BEFORE),
        given(_tuning(parameter_ranges={"IntegerParameterRanges": [{"Name": "depth"}]}), _BEFORE),
        given(_tuning(strategy="Hyperband"), _BEFORE),
        given(_tuning(strategy="Grid"), _BEFORE),
        given(_tuning(), _BEFORE, window_days=5),
    ],
    remedy="Pass WarmStartConfig with up to five earlier tuning jobs.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP10")],
)
def forgetful_tuning(job: TuningJob, *, window_days: float = 90) -> Verdict:
    """Repeated tuning jobs should start from what earlier ones found.

    A search with the same image, objective and parameters begins at nothing without WarmStartConfig. A
    warm start takes longer to begin, does not reach through its parents to theirs, and allows ten changed
    parameters; Hyperband and grid search have none. Only the look-back window's jobs are seen.
    """
    if job.strategy in ("Hyperband", "Grid"):
        return not_applicable(f"{job.strategy} takes no warm start")
    since = job.creation_time - timedelta(days=window_days)
    search = _search(job)
    earlier = [
        other.name
        for other in job.region.all(TuningJob)
        if since <= other.creation_time < job.creation_time and _search(other) == search
    ]
    if not earlier:
        return not_applicable("no earlier search of the same kind in the window")
    if job.warm_start_config is not None:
        return passed(WarmStartConfig=job.warm_start_config.get("WarmStartType"))
    return failed(
        f"{len(earlier)} earlier searches of the same kind are forgotten",
        WarmStartConfig=None,
        Strategy=job.strategy,
        earlier=sorted(earlier)[:5],
    )


def _search(job: TuningJob) -> Hashable:
    """What a search is the same by: images, objectives and the names of the parameters."""
    images = tuple(d.training_image or d.algorithm_name for d in job.definitions)
    objectives = (job.metric_name, *(d.metric_name for d in job.definitions))
    ranges = [job.parameter_ranges or {}, *(d.hyper_parameter_ranges or {} for d in job.definitions)]
    return images, objectives, tuple(sorted({name for held in ranges for name in _names(held)}))


def _names(ranges: dict[str, Any]) -> Iterator[str]:
    for listed in ranges.values():
        for parameter in listed if isinstance(listed, list) else ():
            yield parameter["Name"] if isinstance(parameter, dict) else json.dumps(parameter)
