"""Tags of the resources whose own documents have none, a hundred ARNs a call."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import all_collectors, collects
from collectors.model import Document, Gap, Resource, Unread
from collectors.view import GET_RESOURCES, ResourceTags, View

if TYPE_CHECKING:
    from collectors.reader import Reader

_BATCH = 100
"""The most ARNs that GetResources takes."""


@collects(ResourceTags, last=True)
def resource_tags(reader: "Reader") -> Iterator[Resource]:
    """The tags of everything that was read here and may be tagged; what AWS leaves out has none."""
    arns = sorted(_untold(reader))
    batches = [arns[start : start + _BATCH] for start in range(0, len(arns), _BATCH)]

    def asked(batch: list[str]) -> list[Document] | Gap:
        try:
            return list(reader.pages(GET_RESOURCES, ResourceARNList=batch))
        except Unread as unread:
            return unread.gap

    for found in reader.gather(asked, batches):
        if isinstance(found, Gap):
            reader.incomplete(found)
            continue
        for document in found:
            yield from reader.resource({GET_RESOURCES: document})


def _untold(reader: "Reader") -> Iterator[str]:
    """The ARNs of tagged resources whose documents do not have their tags."""
    for collector in all_collectors():
        view: type[View] = collector.view
        if view.tagged and not view.is_global:
            for found in reader.known(view):
                if found.tags_missing:
                    yield found.id
