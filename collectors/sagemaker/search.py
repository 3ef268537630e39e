"""Search first: whole resources, a hundred a page, with their tags; List and Describe where it is refused.

Search answers from an index. Where its own count disagrees with what it sent, and where it is
denied (some organisations do, because it passes by resource-level conditions of Describe), the
kind is listed and described instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collectors.model import Document, Operation, Resource, Unread

if TYPE_CHECKING:
    from collectors.reader import Reader


def search_operation(resource: str, *, result: str = "", secrets: tuple[str, ...] = ()) -> Operation:
    """The Search of one resource type; `result` where its records are not called like the type."""
    path = f"Results[].{result or resource}"
    return Operation(
        "sagemaker", "Search", result=path, parameters=(("Resource", resource),), secrets=secrets
    )


@dataclass(frozen=True, slots=True)
class Searchable:
    """How a kind is read: by Search, or by a List and a Describe that takes `parameter` from `member`.

    `windowed` kinds never end (jobs): they are read back to the start of the look-back window.
    """

    search: Operation
    list: Operation
    describe: Operation
    parameter: str
    member: str
    windowed: bool = False


def searched(reader: "Reader", kind: Searchable) -> Iterator[Resource]:
    """Every resource of a kind, newest first."""
    seen: set[str] = set()
    if reader.search:
        sent: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
        if kind.windowed:
            sent["SearchExpression"] = {"Filters": [_since(reader.lookback)]}
        try:
            for document in reader.pages(kind.search, **sent):
                for resource in reader.resource({kind.search: document}):
                    seen |= {resource.id, resource.name}
                    yield resource
        except Unread as unread:
            # What List and Describe can tell is no gap; what they cannot, they report themselves.
            reader.caller.withdraw(unread.gap)
            yield from _listed(reader, kind, seen)
    else:
        yield from _listed(reader, kind, seen)


def _since(moment: str) -> dict[str, str]:
    """Search takes ISO 8601 without a zone."""
    return {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": moment.removesuffix("Z")}


def _listed(reader: "Reader", kind: Searchable, seen: set[str]) -> Iterator[Resource]:
    window = {"CreationTimeAfter": reader.lookback} if kind.windowed else {}

    def described(summary: Document) -> list[Resource]:
        document = reader.read(kind.describe, **{kind.parameter: summary[kind.member]})
        return list(reader.resource({kind.list: summary, kind.describe: document}))

    unseen = (found for found in reader.list(kind.list, **window) if found[kind.member] not in seen)
    for resources in reader.gather(described, unseen):
        yield from resources
