"""The newest calls of SageMaker's API in CloudTrail's event history, for the TLS versions of the clients."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LOOKUP = Operation("cloudtrail", "LookupEvents")
_PAGE = 50
"""The most events of one answer; LookupEvents is limited to two calls a second."""


class RecentCalls(View, kind="recent-calls", listing=(LOOKUP,)):
    """The newest management calls of SageMaker in one Region, at most fifty of the last day."""

    events = required(LOOKUP, "Events", list[dict[str, Any]], [])

    @property
    def outdated_tls(self) -> list[str]:
        """The calls over a TLS older than 1.2, as `EventName over TLSv1.1`."""
        found = []
        for event in self.events:
            details = json.loads(event.get("CloudTrailEvent") or "{}").get("tlsDetails") or {}
            version = str(details.get("tlsVersion", ""))
            if version in ("TLSv1", "TLSv1.0", "TLSv1.1", "SSLv3"):
                found.append(f"{event.get('EventName', 'a call')} over {version}")
        return found


@collects(RecentCalls)
def recent_calls(reader: "Reader") -> Iterator[Resource]:
    """One answer per Region; of each call only its name and TLS details are kept."""
    reading: Reading = reader.read(
        LOOKUP,
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "sagemaker.amazonaws.com"}],
        StartTime=reader.region.ago(1),
        EndTime=reader.region.now,
        MaxResults=_PAGE,
    )
    if isinstance(reading, dict):
        reading = {"Events": [_reduced(event) for event in reading.get("Events", [])]}
    yield from reader.resource({LOOKUP: reading}, key="recent", name="recent")


def _reduced(event: Document) -> Document:
    """An event without who called with what: requests may hold secrets."""
    details = json.loads(event.get("CloudTrailEvent") or "{}").get("tlsDetails") or {}
    kept = json.dumps({"tlsDetails": {"tlsVersion": details.get("tlsVersion", "")}})
    return {"EventName": event.get("EventName", ""), "CloudTrailEvent": kept}
