"""Jobs that an earlier snapshot already holds: what has ended does not change any more.

A nightly run asks AWS for the jobs that were made since the last one, and for those that had not ended then; the
others come out of the earlier snapshot, so that rules judge the same window as ever. What was tagged, or deleted, after
a job ended is seen only by a run that reads the whole window.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collectors.model import Gap, Manifest, Resource, Snapshot
from collectors.view import View, moment

ENDED = frozenset({"Completed", "Failed", "Stopped", "Succeeded"})
MARGIN = timedelta(minutes=15)
"""Search answers from an index that lags; so much before the earlier snapshot is read again."""

_STATUS = re.compile(r"(?:Job|PipelineExecution)Status")


class Carried:
    """What can be taken over from an earlier snapshot into the run of a manifest."""

    def __init__(self, earlier: Snapshot | None, manifest: Manifest) -> None:
        self._start = manifest.taken_at - timedelta(days=manifest.lookback_days)
        self._earlier = earlier if earlier is not None and _fits(earlier, manifest) else None

    def since(self, view: type[View], account: str, region: str) -> datetime | None:
        """From when on a kind has to be read again; `None` where the whole window has to be."""
        if self._earlier is None or not view.windowed:
            return None
        if self._earlier.listing_gap(view.kind, account, region) is not None:
            return None
        since = self._earlier.manifest_of(account).taken_at
        for resource in self._earlier.of_kind(view.kind, account, region):
            created, ended = _course(resource)
            if created is None:
                return None
            if not ended:
                since = min(since, created)
        return max(since - MARGIN, self._start)

    def resources(self, view: type[View], account: str, region: str) -> Iterator[Resource]:
        """The jobs of the window that were made before that."""
        since = self.since(view, account, region)
        if since is None or self._earlier is None:
            return
        for resource in self._earlier.of_kind(view.kind, account, region):
            created, _ = _course(resource)
            if created is not None and self._start <= created < since:
                yield resource


def _fits(earlier: Snapshot, manifest: Manifest) -> bool:
    """Whether the earlier run read as much of each job as this one has to."""
    mine = [other for other in earlier.manifests if other.account == manifest.account]
    return (
        earlier.complete
        and bool(mine)
        and mine[0].tool_version == manifest.tool_version
        and mine[0].lookback_days >= manifest.lookback_days
        and mine[0].taken_at <= manifest.taken_at
        and set(manifest.rules) <= set(mine[0].rules)
        and mine[0].unmodelled == manifest.unmodelled
    )


def _course(resource: Resource) -> tuple[datetime | None, bool]:
    """When a job was made and whether it has ended, by whichever document tells."""
    created: datetime | None = None
    ended = False
    for reading in resource.readings().values():
        if isinstance(reading, Gap):
            # What could not be read then may be read now.
            return None, False
        if reading is None:
            continue
        created = created or _created(reading)
        ended = ended or any(
            _STATUS.search(name) and value in ENDED
            for name, value in reading.items()
            if isinstance(value, str)
        )
    return created, ended


def _created(document: dict[str, Any]) -> datetime | None:
    value = document.get("CreationTime")
    return moment(value) if isinstance(value, str) else None
