"""Lineage of what is deployed: from an endpoint's context up to the jobs and data behind it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Reading, Resource, Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.view import PART, Part, View, items, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

CONTEXTS = Operation("sagemaker", "ListContexts")
QUERY = Operation(
    "sagemaker",
    "QueryLineage",
    parameters=(("Direction", "Ascendants"), ("IncludeEdges", False), ("MaxDepth", 10)),
    page_size=50,
)
_MOST = 100
"""How many endpoints are asked about, the newest first: two calls each."""


class Vertex(Part):
    """One thing in a lineage: `TrialComponent` of type `SageMakerTrainingJob`, `Artifact` of type `DataSet`."""

    type = optional(PART, "Type", str)
    lineage_type = optional(PART, "LineageType", str)


class EndpointLineage(View, kind="endpoint-lineage", listing=(CONTEXTS,)):
    """What lineage knows of an endpoint; without a context it knows nothing."""

    context_summaries = optional(CONTEXTS, "ContextSummaries", list[dict[str, Any]])
    vertices = items(QUERY, "Vertices[]", Vertex)


@collects(EndpointLineage, follows=(Endpoint,))
def endpoint_lineage(reader: "Reader") -> Iterator[Resource]:
    """The newest endpoints in service."""
    found = []
    for endpoint in reader.known(Endpoint):
        try:
            if endpoint.endpoint_status == "InService":
                found.append((endpoint.last_modified_time, endpoint.id, endpoint.name))
        except Unread as unread:
            reader.incomplete(unread.gap)
    newest = sorted(found, reverse=True)[:_MOST]

    def asked(entry: tuple[Any, str, str]) -> list[Resource]:
        _, arn, name = entry
        contexts = reader.read(CONTEXTS, SourceUri=arn)
        lineage: Reading = None
        if isinstance(contexts, dict):
            starts = [context["ContextArn"] for context in contexts.get("ContextSummaries", ())][:1]
            lineage = _ascendants(reader, starts) if starts else None
        else:
            lineage = contexts
        return list(reader.resource({CONTEXTS: contexts, QUERY: lineage}, key=arn, name=name))

    for resources in reader.gather(asked, newest):
        yield from resources


def _ascendants(reader: "Reader", starts: list[str]) -> Reading:
    """All that is behind a context, page by page."""
    try:
        pages = list(reader.pages(QUERY, StartArns=starts))
    except Unread as unread:
        return unread.gap
    return {"Vertices": [vertex for page in pages for vertex in page.get("Vertices", ())]}
