"""Private hubs: the pre-trained models that an account offers its teams."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Resource
from collectors.view import PART, Part, View, items, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListHubs", result="HubSummaries[]")
CONTENTS = Operation(
    "sagemaker",
    "ListHubContents",
    parameters=(("HubContentType", "ModelReference"), ("MaxResults", 100)),
)

_PUBLIC = "SageMakerPublicHub"


class HubContent(Part):
    """A reference to a model of JumpStart."""

    hub_content_name = optional(PART, "HubContentName", str)


class Hub(View, kind="hub", listing=(LIST,), name="HubName", arn="HubArn"):
    """A hub of the account's own, with the first hundred models of JumpStart that it refers to."""

    hub_content_summaries = items(CONTENTS, "HubContentSummaries[]", HubContent)


@collects(Hub)
def hubs(reader: "Reader") -> Iterator[Resource]:
    """Every hub but AWS's."""

    def read(hub: Document) -> list[Resource]:
        return list(reader.resource({LIST: hub, CONTENTS: reader.read(CONTENTS, HubName=hub["HubName"])}))

    own = (hub for hub in reader.list(LIST) if hub["HubName"] != _PUBLIC)
    for found in reader.gather(read, own):
        yield from found
