"""Whether somebody has written down, and agreed to, what a deployed model is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_cards import ModelCard, cards_by_subject
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.deployments import deployments, packages_by_artifact
from evaluators.rule import (
    Change,
    Given,
    Scope,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)

_MODEL = "arn:aws:sagemaker:eu-west-1:123456789012:model/churn"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3"
_LONG_AGO = NOW - timedelta(days=60)
_LATELY = NOW - timedelta(days=5)


def _deployed(*others: Sample, tags: dict[str, str] | None = None, **container: str) -> Given:
    held = {"image": "i", **container}
    variants = [{"variant_name": "a", "model_name": "churn"}]
    return given(
        sample(Model, "churn", arn=_MODEL, primary_container=held, tags=tags),
        sample(EndpointConfig, "churn", production_variants=variants),
        sample(Endpoint, "churn", endpoint_config_name="churn"),
        *others,
    )


def _card(status: str, changed: datetime = _LONG_AGO, **values: Any) -> Sample:
    held = {"model_id": _MODEL, "creation_time": _LONG_AGO, **values}
    return sample(ModelCard, "churn", model_card_status=status, last_modified_time=changed, **held)


def _version(status: str | None, made: datetime = _LONG_AGO) -> Sample:
    return sample(
        ModelPackage,
        "churn/3",
        arn=_PACKAGE,
        creation_time=made,
        model_package_group_name="churn",
        model_card={"model_card_status": status} if status else None,
    )


@rule(
    "OPS-018",
    Severity.LOW,
    scope=Scope.PRODUCTION,
    bad=[
        _deployed(),
        _deployed(_card("Draft")),
        _deployed(_card("PendingReview", risk_rating="High")),
        _deployed(_card("Archived", _LATELY)),
        _deployed(_version(None), model_package_name=_PACKAGE),
        _deployed(_version("Draft"), model_package_name=_PACKAGE),
        # A card about another model.
        _deployed(_card("Approved", model_id="fraud")),
    ],
    good=[
        _deployed(_card("Approved")),
        _deployed(_card("Approved", model_id="churn")),
        _deployed(_card("Archived"), _version("Approved"), model_package_name=_PACKAGE),
        _deployed(_version("Approved"), model_package_name=_PACKAGE),
        _deployed(
            _card("Approved", model_id=None, model_package_group_name="churn"),
            _version(None),
            model_package_name=_PACKAGE,
        ),
    ],
    exempt=[
        sample(Model, "churn"),
        _deployed(tags={"Environment": "dev"}),
        # It is being written.
        _deployed(_card("Draft", _LATELY)),
        _deployed(_version("PendingReview", _LATELY), model_package_name=_PACKAGE),
    ],
    remedy="Write a model card with intended use, risk and evaluation, and approve it after a review.",
    command="aws sagemaker update-model-card --model-card-name NAME --model-card-status Approved",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS02-BP02"), lens("MLOPS02-BP06")],
)
def model_without_approved_card(model: Model, *, max_draft_days: float = 30) -> Verdict:
    """Production models should have an approved model card.

    A card says what a model is for, how risky that is and how it was evaluated: an audit asks for that.
    A card of its own, one about its group and one inside its registered version count alike. One that
    was changed lately is still being written. What is written down outside SageMaker is not seen.
    """
    if model.name not in deployments(model.region):
        return not_applicable("the model is not deployed")
    cards = list(_cards(model))
    if any(card.status == "Approved" for card in cards):
        return passed(ModelCardStatus="Approved")
    if not cards:
        return failed("it has no model card", ModelCardStatus=None)
    limit = model.region.ago(max_draft_days)
    if any(card.status in ("Draft", "PendingReview") and card.changed > limit for card in cards):
        return not_applicable("its model card is being written", ModelCardStatus=[c.status for c in cards])
    risky = next((card.risk for card in cards if card.risk == "High"), None)
    return failed(
        "its risk is rated high, and nobody has approved its model card"
        if risky
        else "nobody has approved its model card",
        ModelCardStatus=[card.status for card in cards][:10],
        RiskRating=risky,
    )


@dataclass(frozen=True, slots=True)
class _Card:
    """A model card of either sort."""

    status: str
    changed: datetime
    risk: str | None = None


def _cards(model: Model) -> Iterator[_Card]:
    """The cards about a model. Raises `Unread` where there may be more."""
    region = model.region
    packages = [p for container in model.all_containers if (p := container.model_package) is not None]
    by_artifact = packages_by_artifact(region)
    for container in model.all_containers:
        packages += by_artifact.get(container.artifact_uri or "", ())
    about = {model.id, model.name}
    for package in packages:
        about |= {package.id, package.model_package_group_name or package.id}
        attached = package.model_card
        if attached is not None and attached.model_card_status is not None:
            yield _Card(attached.model_card_status, package.creation_time)
    by_subject = cards_by_subject(region)
    for arn in {arn for name in about for arn in by_subject.get(name.lower(), ())}:
        card = region.find(ModelCard, arn)
        if card is not None:
            changed = card.last_modified_time or card.creation_time
            yield _Card(card.model_card_status, changed, card.risk)
