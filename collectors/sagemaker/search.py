"""Search first: whole resources, a hundred a page, with their tags; List and Describe where it is refused.

Search answers from an index. Where its own count disagrees with what it sent, and where it is
denied (some organisations do, because it passes by resource-level conditions of Describe), the
kind is listed and described instead.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collectors.model import Document, Gap, Operation, Reading, Reason, Resource, Unread

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

    Without a Describe the List tells all that rules read.
    A windowed kind is read back to the start of the look-back window, in the List by its parameter `since`.
    """

    search: Operation
    list: Operation
    describe: Operation | None
    parameter: str
    member: str
    since: str = "CreationTimeAfter"


def searched(reader: "Reader", kind: Searchable) -> Iterator[Resource]:
    """Every resource of a kind, newest first."""
    seen: set[str] = set()
    if reader.search:
        sent: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
        if reader.collector.view.windowed:
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
    window = {kind.since: reader.lookback} if reader.collector.view.windowed else {}
    unseen = (found for found in reader.list(kind.list, **window) if found[kind.member] not in seen)
    if kind.describe is None:
        for summary in unseen:
            yield from reader.resource({kind.list: summary})
        return
    # What Search would have sent whole is described whole, whatever the rules read of it.
    yield from described(reader, kind.list, unseen, kind.describe, kind.parameter, kind.member, always=True)


def described(
    reader: "Reader",
    listing: Operation,
    summaries: Iterable[Document],
    describe: Operation,
    parameter: str,
    member: str = "",
    *,
    only: Container[str] | None = None,
    always: bool = False,
    path: str = "",
) -> Iterator[Resource]:
    """The resources of a listing, each with its Describe, side by side.

    Describe takes `parameter` from the summary's `member`, which is called the same unless said.
    Those that are not in `only` keep the summary alone, and so do all where no selected rule reads
    the Describe, unless `always`. Where the list sends no ARN, `path` is what comes before the name in it.
    """
    member = member or parameter
    wanted = always or reader.wants(describe)

    def read(summary: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {listing: summary}
        if wanted and (only is None or summary[member] in only):
            readings[describe] = reader.read(describe, **{parameter: summary[member]})
        if path:
            return placed(reader, readings, f"{path}/{summary[member]}", summary[member])
        return list(reader.resource(readings))

    for found in reader.gather(read, summaries):
        yield from found


def placed(reader: "Reader", readings: Mapping[Operation, Reading], path: str, name: str) -> list[Resource]:
    """A resource whose list sends no ARN, with the one that AWS gives it; nothing for one that went meanwhile."""
    if any(isinstance(found, Gap) and found.reason is Reason.VANISHED for found in readings.values()):
        return []
    place = reader.region
    arn = f"arn:{place.partition}:sagemaker:{place.name}:{place.account}:{path}"
    return list(reader.resource(readings, key=arn, name=name))
