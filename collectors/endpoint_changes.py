"""Who made and updated endpoints, as far as CloudTrail's event history goes back: 90 days."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Reason, Resource, Unread
from collectors.view import Region, View, index, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LOOKUP = Operation("cloudtrail", "LookupEvents", result="Events[]", page_size=50)

HISTORY = timedelta(days=90)
"""How far back CloudTrail's event history goes."""
_CALLS = ("CreateEndpoint", "UpdateEndpoint")


class EndpointChange(View, kind="endpoint-change", listing=(LOOKUP,), name="EventId", arn="EventId"):
    """A call that made or updated an endpoint. Its details are JSON."""

    event_name = required(LOOKUP, "EventName", str, "CreateEndpoint")
    username = optional(LOOKUP, "Username", str)
    cloud_trail_event = required(LOOKUP, "CloudTrailEvent", str, '{"endpointName": "example"}')

    @property
    def details(self) -> dict[str, Any]:
        """What is kept of the details: the endpoint's name, and who called by what. Raises `Unread`."""
        try:
            found = json.loads(self.cloud_trail_event)
        except ValueError as error:
            raise Unread(self.gap(str(LOOKUP), Reason.UNDECODABLE, self.id)) from error
        return found if isinstance(found, dict) else {}

    @property
    def callers(self) -> tuple[str, ...]:
        """Every name under which the caller may be known: user, session, role, and AWS's own service."""
        kept = (self.username, *(self.details.get(key) for key in ("arn", "role", "service")))
        return tuple(dict.fromkeys(name for name in kept if name))


@index
def changes_by_endpoint(region: Region) -> Mapping[str, tuple[EndpointChange, ...]]:
    """The calls of the last 90 days about each endpoint, by its name in lower case. Raises `Unread`."""
    found: dict[str, tuple[EndpointChange, ...]] = {}
    for change in region.all(EndpointChange):
        name = str(change.details.get("endpointName", "")).lower()
        found[name] = (*found.get(name, ()), change)
    return found


@collects(EndpointChange)
def endpoint_changes(reader: "Reader") -> Iterator[Resource]:
    """The calls by their names: two listings a Region, however many endpoints there are."""
    now = reader.region.now
    for call in _CALLS:
        asked = [{"AttributeKey": "EventName", "AttributeValue": call}]
        for event in reader.list(LOOKUP, LookupAttributes=asked, StartTime=now - HISTORY, EndTime=now):
            yield from reader.resource({LOOKUP: _reduced(event)})


def _reduced(event: Document) -> Document:
    """An event without what was sent: of a failed call nothing, since it changed nothing."""
    try:
        details = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        details = {}
    who = details.get("userIdentity") or {}
    issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
    sent = details.get("requestParameters") or {}
    kept = {
        "endpointName": "" if details.get("errorCode") else sent.get("endpointName", ""),
        "arn": who.get("arn", ""),
        "role": issuer.get("userName", ""),
        "service": who.get("invokedBy") or "",
    }
    names = ("EventId", "EventName", "EventTime", "Username")
    return {**{name: event[name] for name in names if name in event}, "CloudTrailEvent": json.dumps(kept)}
