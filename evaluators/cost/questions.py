"""Whether a model was looked for before one was trained."""

from typing import Any

from collectors.iam import Account
from collectors.model import Unread
from collectors.sagemaker.hubs import Hub
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sample import sample
from collectors.view import Region
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, given, not_applicable, passed, rule

_NEW: dict[str, Any] = {"creation_time": "2026-11-10T06:00:00+00:00", "model_package_version": 1}


@rule(
    "COST-021",
    Severity.INFO,
    question="Were pre-trained models (JumpStart, Marketplace) considered before the newest model families "
    "were trained, and why were they not taken?",
    remedy="Look in AWS Marketplace and JumpStart first, and write the decision into the model card.",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST02-BP02"), lens("MLPERF02-BP02")],
    bad=[
        given(
            sample(Account),
            sample(ModelPackage, arn="churn/1", model_package_group_name="churn", **_NEW),
            answers=said("COST-021", False),
        )
    ],
    good=[
        given(
            sample(Account),
            sample(ModelPackage, arn="churn/1", model_package_group_name="churn", **_NEW),
            answers=said("COST-021", "no tabular model fits our features"),
        ),
        given(
            sample(Account),
            sample(ModelPackage, arn="churn/1", model_package_group_name="churn", **_NEW),
            sample(Hub, "curated", hub_content_summaries=[{"hub_content_name": "meta-llama-3-8b"}]),
            answers=said("COST-021", "no tabular model fits our features"),
        ),
        given(
            sample(Account),
            sample(
                ModelPackage,
                arn="llm/1",
                model_package_group_name="llm",
                containers=[{"hub_content_name": "meta-llama-3-8b"}],
                **_NEW,
            ),
        ),
        given(
            sample(Account),
            sample(
                ModelPackage,
                arn="ocr/1",
                model_package_group_name="ocr",
                containers=[{"product_id": "prod-abc"}],
                **_NEW,
            ),
        ),
    ],
    exempt=[
        given(sample(Account)),
        given(
            sample(Account),
            sample(
                ModelPackage,
                arn="churn/1",
                model_package_group_name="churn",
                creation_time="2026-01-01T00:00:00+00:00",
                model_package_version=1,
            ),
        ),
    ],
)
def unconsidered_pretrained_models(account: Account, *, max_age_days: int = 365) -> Verdict:
    """Pre-trained and Marketplace models should be considered before a new family is trained.

    Training what can be had is the dearest way to a model. Families whose first version was
    registered inside the window are asked about, unless they come from Marketplace or JumpStart. A hub
    of the account's own that refers to models of JumpStart is a hint, and no answer.
    """
    region = account.region
    since = region.ago(region.manifest.lookback_days if region.manifest else 30)
    new = [
        package
        for package in region.everywhere(ModelPackage)
        if package.model_package_version == 1 and package.creation_time >= since
    ]
    if not new:
        return not_applicable("no new model family was registered in the window")
    own = [
        package
        for package in new
        if not any(container.product_id or container.hub_content_name for container in package.containers)
    ]
    if not own:
        return passed("all new families come from Marketplace or JumpStart", ModelPackageVersion=1)
    return attested(
        region,
        "COST-021",
        max_age_days,
        record="the reason",
        ModelPackageVersion=1,
        families=sorted({package.name for package in own})[:10],
        HubContentName=_offered(region),
    )


def _offered(region: Region) -> list[str] | None:
    """The first models of JumpStart that the account's own hubs refer to; `None` where nobody knows."""
    try:
        held = [content for hub in region.everywhere(Hub) for content in hub.hub_content_summaries]
    except Unread:
        return None
    return sorted({content.hub_content_name or "" for content in held})[:10]
