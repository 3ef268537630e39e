"""Reviews of the workload against the Machine Learning Lens."""

import fnmatch
from datetime import timedelta

from collectors.iam import Account
from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, sample
from collectors.view import Region, View
from collectors.wellarchitected import Workload
from evaluators.answers import Answer, answer_to, said
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.signs import first_of

_ACCOUNT = sample(Account, "123456789012")
_SERVING = sample(Endpoint, "churn")
_ML = ["wellarchitected", "arn:aws:wellarchitected::aws:lens/machinelearning"]
_USES: tuple[type[View], ...] = (Endpoint, Model, TrainingJob, Pipeline, NotebookInstance, Domain)
"""What makes an account one that does machine learning."""


@rule(
    "OPS-034",
    Severity.LOW,
    bad=[
        given(_ACCOUNT, _SERVING),
        given(_ACCOUNT, _SERVING, sample(Workload, "shop", lenses=["wellarchitected", "serverless"])),
        given(
            _ACCOUNT,
            _SERVING,
            sample(Workload, "churn", lenses=_ML, updated_at=NOW.replace(year=2025, month=1)),
        ),
        given(_ACCOUNT, _SERVING, answers=said("OPS-034", "yes", "2025-01-01")),
    ],
    good=[
        given(_ACCOUNT, _SERVING, sample(Workload, "churn", lenses=_ML)),
        given(
            _ACCOUNT,
            _SERVING,
            sample(
                Workload, "churn", lenses=["arn:aws:wellarchitected:eu-west-1:123456789012:lens/our-ml-lens"]
            ),
        ),
        given(_ACCOUNT, _SERVING, answers=said("OPS-034", "yes, report of an auditor run in the wiki")),
    ],
    exempt=[
        _ACCOUNT,
        given(_ACCOUNT, _SERVING, answers=said("OPS-034", "n/a: a school's account")),
    ],
    remedy="Define the workload in the Well-Architected Tool, attach the Machine Learning lens and review it "
    "every year.",
    command="aws wellarchitected associate-lenses --workload-id WORKLOAD --lens-aliases LENS",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLOPS02-BP05")],
)
def unreviewed_workload(
    account: Account,
    *,
    max_age_days: int = 365,
    lens_patterns: tuple[str, ...] = ("*machinelearning*", "*machine-learning*", "*-ml-*"),
) -> Verdict:
    """The workload should be reviewed against the Machine Learning Lens.

    A review once a year shows what changed while nobody looked. Workloads of the Well-Architected
    Tool in the audited Regions count; lenses are known by alias or ARN. A review kept elsewhere, a
    report of this auditor that somebody read for one, is invisible: answer OPS-034 in the settings.
    """
    region = account.region
    if not first_of(_USES, lambda view: next((found.name for found in region.everywhere(view)), "")):
        return not_applicable("nothing of SageMaker is here")
    answer = _answer(region, max_age_days)
    if answer is not None and answer.exempts:
        return not_applicable(f"{answer.owner} says: {answer.text}")
    if answer is not None and not answer.denies:
        return passed(f"{answer.owner} says so ({answer.date})")
    reviewed = [found for found in region.everywhere(Workload) if _has_lens(found, lens_patterns)]
    newest = max((found.updated_at for found in reviewed), default=None)
    if newest is not None and newest >= region.now - timedelta(days=max_age_days):
        return passed(UpdatedAt=newest.isoformat())
    return failed(
        "no workload has the Machine Learning lens"
        if newest is None
        else f"the last review is of {newest:%Y-%m-%d}",
        UpdatedAt=newest.isoformat() if newest else None,
        Lenses=sorted({name for found in region.everywhere(Workload) for name in found.lenses or ()})[:10],
    )


def _answer(region: Region, max_age_days: int) -> Answer | None:
    """What somebody said of a review kept elsewhere; `None` where nobody did, or too long ago."""
    try:
        return answer_to(region, "OPS-034", max_age_days)
    except Unread:
        return None


def _has_lens(workload: Workload, patterns: tuple[str, ...]) -> bool:
    return any(
        fnmatch.fnmatchcase(name.lower(), pattern) for name in workload.lenses or () for pattern in patterns
    )
