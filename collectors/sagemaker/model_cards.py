"""Model cards that stand alone: what a model is for, how risky that is, and who has agreed."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import Region, View, index, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

SEARCH = search_operation("ModelCard")
LIST = Operation("sagemaker", "ListModelCards", result="ModelCardSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeModelCard")
SOURCE = (SEARCH, DESCRIBE)


class ModelCard(
    View,
    kind="model-card",
    type="AWS::SageMaker::ModelCard",
    listing=(SEARCH, LIST),
    name="ModelCardName",
    arn="ModelCardArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A model card. Search's records say what it is about and its risk; in Describe they are in the text."""

    model_card_status = required(SOURCE, "ModelCardStatus", str, "Approved")
    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    last_modified_time = optional(SOURCE, "LastModifiedTime", datetime)
    # The ARN of a model of SageMaker's, or whatever its author wrote.
    model_id = optional(SEARCH, "ModelId", str)
    model_package_group_name = optional(SEARCH, "ModelPackageGroupName", str)
    risk_rating = optional(SEARCH, "RiskRating", str)
    content = optional(SOURCE, "Content", str)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is about: a model's ARN or whatever its author wrote, or the name of a group."""
        if str(SEARCH) in self.readings:
            found = (self.model_id, self.model_package_group_name)
        else:
            group = self._said("model_package_details", "model_package_group_name")
            found = (self._said("model_overview", "model_id"), group)
        return tuple(filter(None, found))

    @property
    def risk(self) -> str | None:
        """How risky its author says that the use is: `High`, `Medium`, `Low` or `Unknown`."""
        if str(SEARCH) in self.readings:
            return self.risk_rating
        return self._said("intended_uses", "risk_rating")

    def _said(self, section: str, member: str) -> str | None:
        """A member of the card's own text, which is JSON by AWS's schema."""
        try:
            held: Any = json.loads(self.content or "{}")
            said = held[section][member]
        except (ValueError, KeyError, TypeError):
            return None
        return said if isinstance(said, str) else None


@index
def cards_by_subject(region: Region) -> Mapping[str, tuple[str, ...]]:
    """The ARNs of the cards about each model, by the model's id or its group's name, in lower case.

    Raises `Unread` where the cards were not read whole.
    """
    found: dict[str, list[str]] = {}
    for card in region.all(ModelCard):
        for about in card.subjects:
            found.setdefault(about.lower(), []).append(card.id)
    return {about: tuple(cards) for about, cards in found.items()}


@collects(ModelCard)
def model_cards(reader: "Reader") -> Iterator[Resource]:
    """Every card, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "ModelCardName", "ModelCardName"))
