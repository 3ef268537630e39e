"""Training jobs: Managed Spot."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.environment import Environment, Placing, placement
from evaluators.families import not_judged, older_run, runs_of, training_families, tuning_families
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_CHECKPOINTS: dict[str, Any] = {"checkpoint_config": {"s3_uri": "s3://churn-checkpoints/"}}
_STEADY = frozenset({"steady", "deadline"})
_INTERRUPTIBLE = frozenset({"prototype", "interruptible"})


def _job(name: str = "churn-2026-11-18", tags: dict[str, str] | None = None, **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "training_time_in_seconds": 7_200,
        "billable_time_in_seconds": 7_200,
    }
    return sample(TrainingJob, name, tags=tags, **{**base, **values})


_SPOT: dict[str, Any] = {"enable_managed_spot_training": True, "billable_time_in_seconds": 2_160}
_NEWER = _job("churn-2026-11-19", creation_time=NOW, **_CHECKPOINTS, **_SPOT)


def _words(job: TrainingJob | TuningJob) -> set[str]:
    """Its tags' keys and values in lower case."""
    return {word.strip().lower() for pair in job.tags.items() for word in pair}


def _may_be_interrupted(job: TrainingJob | TuningJob, words: set[str]) -> bool:
    """Whether its tags say so: `prototype`, `interruptible`, or an environment that is not for work."""
    environment = placement(job, Placing()).environment
    return bool(words & _INTERRUPTIBLE) or environment in (Environment.DEVELOPMENT, Environment.SANDBOX)


@rule(
    "COST-014",
    Severity.MEDIUM,
    bad=[
        _job(**_CHECKPOINTS),
        _job(tags={"Environment": "dev"}),
        sample(TuningJob, "churn", tags={"Environment": "dev"}, training_job_definition={}),
        sample(TuningJob, "churn", tags={"Environment": "dev"}, training_job_definitions=[{}, {}]),
    ],
    good=[
        _job(**_CHECKPOINTS, **_SPOT),
        given(_NEWER, _job(**_CHECKPOINTS, billable_time_in_seconds=2_000)),
        sample(
            TuningJob,
            "churn",
            tags={"Environment": "dev"},
            training_job_definitions=[{"enable_managed_spot_training": True}],
        ),
    ],
    exempt=[
        _job(),
        _job(**_CHECKPOINTS, tags={"schedule": "steady"}),
        _job(**_CHECKPOINTS, tags={"deadline": "true"}),
        _job(**_CHECKPOINTS, training_time_in_seconds=500, billable_time_in_seconds=500),
        _job(**_CHECKPOINTS, keep_alive_period_in_seconds=600),
        _job(**_CHECKPOINTS, training_plan_arn="arn:aws:sagemaker:eu-west-1:123456789012:training-plan/p"),
        sample(TrainingJob, "customise-llama", **_CHECKPOINTS),
        given(_job(**_CHECKPOINTS), _NEWER),
        _job(tags={"Team": "dev"}),
        sample(TuningJob, "churn", training_job_definition={}),
        given(
            sample(TuningJob, "churn-1", tags={"Environment": "dev"}, training_job_definition={}),
            sample(TuningJob, "churn-2", creation_time=NOW, training_job_definition={}),
        ),
    ],
    remedy="Set EnableManagedSpotTraining with MaxWaitTimeInSeconds of at least MaxRuntimeInSeconds, and checkpoints.",
    change=Change.NEXT_RUN,
    confidence=0.7,
    maps=[lens("MLCOST04-BP06")],
)
def interruptible_training_on_demand(
    job: TrainingJob | TuningJob, *, min_seconds: int = 600, max_on_demand_share: float = 0.5
) -> Verdict:
    """Interruptible training should use Managed Spot.

    Spot is up to 90 % cheaper. A family whose jobs write checkpoints, or that is tagged as
    development, sandbox or prototype, can be interrupted; what is tagged steady or deadline cannot,
    and warm pools and training plans do not take Spot. Billable seconds times instances of all runs in
    the window are compared. Savings Plans and the Spot quota are not seen here.
    """
    if isinstance(job, TuningJob):
        return _tuning(job)
    why = not_judged(job)
    if why:
        return not_applicable(why)
    words = _words(job)
    if words & _STEADY:
        return not_applicable("its tags say that it must not be interrupted")
    if job.keep_alive_period_in_seconds or job.training_plan_arn:
        return not_applicable("warm pools and training plans do not take Spot")
    if job.checkpoint_config is None and not _may_be_interrupted(job, words):
        return not_applicable("nothing says that it may be interrupted")
    runs = [
        run for run in map(_billed, runs_of(job, training_families(job.region))) if run.trained >= min_seconds
    ]
    seconds = {spot: sum(run.cost for run in runs if run.spot is spot) for spot in (True, False)}
    total = sum(seconds.values())
    if not total:
        return not_applicable("its runs are short")
    share = seconds[False] / total
    figures: dict[str, Any] = {
        "runs": len(runs),
        "on_demand_share": round(share, 2),
        "on_demand_seconds": seconds[False],
    }
    if share >= max_on_demand_share and not job.enable_managed_spot_training:
        return failed(
            "it may be interrupted and pays on-demand prices",
            EnableManagedSpotTraining=job.enable_managed_spot_training,
            BillableTimeInSeconds=job.billable_time_in_seconds,
            **figures,
        )
    return passed()


@dataclass(frozen=True, slots=True)
class _Billed:
    """What a run cost: seconds trained and billed, seconds times instances, and how Spot went."""

    spot: bool
    trained: int
    billable: int
    cost: int
    gave_up: bool
    interrupted: bool


def _billed(run: TrainingJob) -> _Billed:
    steps = {step.status for step in run.secondary_status_transitions}
    billable = run.billable_time_in_seconds or 0
    return _Billed(
        spot=run.enable_managed_spot_training is True,
        trained=run.training_time_in_seconds or 0,
        billable=billable,
        cost=billable * max(1, run.total_instances),
        gave_up="MaxWaitTimeExceeded" in {run.secondary_status, *steps},
        interrupted="Interrupted" in steps,
    )


def _tuning(job: TuningJob) -> Verdict:
    why = older_run(job, tuning_families(job.region))
    if why:
        return not_applicable(why)
    if any(definition.enable_managed_spot_training for definition in job.definitions):
        return passed()
    words = _words(job)
    if words & _STEADY or not _may_be_interrupted(job, words):
        return not_applicable("nothing says that it may be interrupted")
    return failed("its children may be interrupted and pay on-demand prices", EnableManagedSpotTraining=False)


_LONG = 3600


@rule(
    "COST-015",
    Severity.LOW,
    bad=[
        _job(**_CHECKPOINTS, enable_managed_spot_training=True, billable_time_in_seconds=6_500),
        _job(**_SPOT),
        given(
            _NEWER,
            _job(
                **_CHECKPOINTS,
                enable_managed_spot_training=True,
                training_time_in_seconds=0,
                billable_time_in_seconds=0,
                secondary_status="MaxWaitTimeExceeded",
            ),
        ),
    ],
    good=[
        _job(**_CHECKPOINTS, **_SPOT),
        _job(enable_managed_spot_training=True, training_time_in_seconds=1_000, billable_time_in_seconds=300),
    ],
    exempt=[
        _job(),
        given(_job(**_SPOT), _NEWER),
        # The family has given Spot up: nothing of it is left to mend.
        given(_job(), _job("churn-2026-11-17", creation_time=NOW - timedelta(days=3), **_SPOT)),
        _job(enable_managed_spot_training=True, training_time_in_seconds=0, billable_time_in_seconds=0),
    ],
    remedy="Add checkpoints, and allow more instance types or another Region.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP06"), lens("MLCOST04-BP10")],
)
def ineffective_spot_training(
    job: TrainingJob, *, min_saving: float = 0.3, max_wait_fail_share: float = 0.2
) -> Verdict:
    """Managed Spot should really save.

    Interruptions without checkpoints burn what Spot saves. Over all Spot runs of the family in the
    window: the saving is 1 - billable / training seconds; runs that gave up waiting are counted; and
    a run of more than an hour without checkpoints starts over at every interruption. Jobs that never
    started are left out of the division.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if not job.enable_managed_spot_training:
        return not_applicable("its latest run pays on-demand prices")
    runs = [run for run in map(_billed, runs_of(job, training_families(job.region))) if run.spot]
    trained = sum(run.trained for run in runs)
    gave_up = sum(run.gave_up for run in runs)
    if not trained and not gave_up:
        return not_applicable("no Spot run of it has trained")
    saving = 1 - sum(run.billable for run in runs) / trained if trained else 0.0
    bare = job.checkpoint_config is None and (job.training_time_in_seconds or 0) > _LONG
    wrong = [
        text
        for holds, text in (
            (trained and saving < min_saving, f"Spot saved {saving:.0%}"),
            (gave_up / len(runs) >= max_wait_fail_share, f"{gave_up} of {len(runs)} runs gave up waiting"),
            (bare, "a long run writes no checkpoints"),
        )
        if holds
    ]
    if not wrong:
        return passed()
    return failed(
        "; ".join(wrong),
        BillableTimeInSeconds=job.billable_time_in_seconds,
        TrainingTimeInSeconds=job.training_time_in_seconds,
        SecondaryStatus=job.secondary_status,
        saving=round(saving, 2),
        runs=len(runs),
        interrupted=sum(run.interrupted for run in runs),
    )
