"""Trial components: what SageMaker Experiments recorded of each run, by the job that it came from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import Region, View, index, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

SEARCH = search_operation("ExperimentTrialComponent", result="TrialComponent", secrets=("Parameters",))
LIST = Operation("sagemaker", "ListTrialComponents", result="TrialComponentSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeTrialComponent", secrets=("Parameters",))
SOURCE = (SEARCH, DESCRIBE)


class TrialComponent(
    View,
    kind="trial-component",
    type="AWS::SageMaker::TrialComponent",
    listing=(SEARCH, LIST),
    name="TrialComponentName",
    arn="TrialComponentArn",
    windowed=True,
):
    """One recorded step: its parameters, artifacts and metrics. A job of SageMaker's makes one by itself."""

    source_arn = optional(SOURCE, "Source.SourceArn", str)
    metrics = optional(SOURCE, "Metrics", list[dict[str, Any]])
    # In Search's records alone: Describe does not tell what a component is part of.
    parents = optional(SEARCH, "Parents", list[dict[str, Any]])


@index
def measured_sources(region: Region) -> frozenset[str]:
    """The ARNs of the jobs whose component holds metrics. Raises `Unread` where the listing was not whole."""
    return frozenset(
        component.source_arn
        for component in region.all(TrialComponent)
        if component.source_arn is not None and component.metrics
    )


@index
def tracked_sources(region: Region) -> frozenset[str]:
    """The ARNs of the jobs whose component is part of an experiment. Raises `Unread` as `measured_sources`."""
    return frozenset(
        component.source_arn
        for component in region.all(TrialComponent)
        if component.source_arn is not None and component.parents
    )


@collects(TrialComponent)
def trial_components(reader: "Reader") -> Iterator[Resource]:
    """The components of the look-back window, newest first."""
    kind = Searchable(SEARCH, LIST, DESCRIBE, "TrialComponentName", "TrialComponentName", "CreatedAfter")
    yield from searched(reader, kind)
