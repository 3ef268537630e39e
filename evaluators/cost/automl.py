"""Whether AutoML was tried where it fits."""

from typing import Any

from collectors.iam import Account
from collectors.sagemaker.automl_jobs import AutoMLJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample
from evaluators.algorithms import algorithm_of
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, given, not_applicable, passed, rule

_TABULAR = frozenset({"catboost", "lightgbm", "linear-learner", "tabtransformer", "xgboost"})
_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def _families(count: int, image: str = _XGBOOST) -> list[Sample]:
    names = ("churn", "fraud", "demand", "ranking", "risk")
    base: dict[str, Any] = {"training_image": image}
    return [sample(TrainingJob, f"{name}-2026-11-18", **base) for name in names[:count]]


@rule(
    "COST-022",
    Severity.INFO,
    confidence=0.7,
    question="Was Autopilot tried on the tabular problems that are trained now, and why is it not used?",
    bad=[given(sample(Account), *_families(3), answers=said("COST-022", False))],
    good=[
        given(sample(Account), *_families(3), sample(AutoMLJob, "baseline")),
        given(sample(Account), *_families(3), answers=said("COST-022", "tried in May, 2 % worse")),
    ],
    exempt=[
        given(sample(Account), *_families(2)),
        given(sample(Account), *_families(5, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1")),
    ],
    remedy="Run one Autopilot job as a baseline, with a limit on candidates and time.",
    command="aws sagemaker create-auto-ml-job-v2 --auto-ml-job-name NAME "
    "--auto-ml-job-input-data-config file://input.json --output-data-config S3OutputPath=s3://BUCKET/PREFIX "
    "--auto-ml-problem-type-config file://tabular.json --role-arn ROLE_ARN",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP05"), lens("MLPERF02-BP02")],
)
def untried_automl(account: Account, *, min_families: int = 3, max_age_days: int = 365) -> Verdict:
    """Autopilot should be tried on tabular problems before models are built by hand.

    It is a cheap baseline, and its notebooks are a start. Several families of tabular algorithms in the
    window without an AutoML job in it raise the question; older AutoML jobs are not read, so a person is
    asked. Whether its notebooks were used nobody can see.
    """
    region = account.region
    families = {
        job.family
        for job in region.everywhere(TrainingJob)
        if job.auto_ml_job_arn is None and (found := algorithm_of(job)) is not None and found.name in _TABULAR
    }
    if len(families) < min_families:
        return not_applicable("few families of tabular algorithms in the window")
    tried = next(region.everywhere(AutoMLJob), None)
    if tried is not None:
        return passed("an AutoML job ran in the window", CreationTime=tried.creation_time.isoformat())
    return attested(
        region,
        "COST-022",
        max_age_days,
        record="what came of it",
        TrainingImage="tabular",
        families=sorted(name for _, name in families)[:10],
    )
