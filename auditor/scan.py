"""A scan: open the account, plan what the rules need, read it, and keep the snapshot."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.permissions import plan_for
from auditor.settings import Settings
from collectors.model import Document, End, Gap, Listing, Manifest, Resource, Snapshot
from collectors.pricing import Prices
from collectors.snapshot_file import SCHEMA, SnapshotWriter
from evaluators.rule import Rule

if TYPE_CHECKING:
    from collectors.run import Progress
    from collectors.session import Sessions

METRIC_DAYS = 14
"""How far back metrics are read unless a threshold looks further."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What to read and how. `salt` keys the hashes of found secrets: they compare within one run only.

    `cached_prices` are the price list's documents that earlier runs kept; `earlier` is a snapshot from which jobs
    that had ended are taken over; `limit` is a time limit in seconds.
    """

    rules: tuple[Rule, ...]
    settings: Settings
    thresholds: Mapping[str, Mapping[str, Any]]
    snapshot_path: Path | None = None
    now: datetime | None = None
    salt: bytes | None = None
    cached_prices: Mapping[str, Document] = field(default_factory=dict)
    earlier: Snapshot | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scan read: the snapshot, calls by operation, and why its file could not be written."""

    snapshot: Snapshot
    calls: Mapping[str, int]
    lost: str = ""


class _Keeper:
    """Writes the snapshot file as long as that works: a full disk costs the file, never the run."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.lost = ""
        self._writer: SnapshotWriter | None = None
        with self._noting():
            self._writer = SnapshotWriter(path, manifest)

    def resource(self, resource: Resource) -> None:
        self._put(lambda writer: writer.resource(resource))

    def listing(self, listing: Listing) -> None:
        self._put(lambda writer: writer.listing(listing))

    def gap(self, gap: Gap) -> None:
        self._put(lambda writer: writer.gap(gap))

    def close(self, end: End) -> None:
        """Finish the file, or remove what there is of it."""
        self._put(lambda writer: writer.close(end))
        if self._writer is not None and self.lost:
            self._writer.discard()

    def _put(self, write: Callable[[SnapshotWriter], None]) -> None:
        if self._writer is not None and not self.lost:
            with self._noting():
                write(self._writer)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.lost = error.strerror or str(error)


def metric_days(rules: tuple[Rule, ...], thresholds: Mapping[str, Mapping[str, Any]]) -> int:
    """The longest window that a rule on metrics asks for, in days."""
    longest = METRIC_DAYS
    for rule in rules:
        if rule.reads.metrics:
            for name, (_, default) in rule.thresholds.items():
                value = thresholds.get(rule.code, {}).get(name, default)
                if name.endswith("_days") and isinstance(value, int | float):
                    longest = max(longest, int(value))
    return longest


def run_scan(
    sessions: "Sessions", scan: Scan, on_progress: "Callable[[Progress], None] | None" = None
) -> Outcome:
    """Read an account. Raises `StartError` before anything is read; afterwards errors are gaps."""
    from collectors.reader import Caller, unmodelled
    from collectors.run import collect

    settings = scan.settings
    identity = sessions.identity()
    regions, note = sessions.regions(identity, settings.regions, settings.exclude_regions)
    chosen = plan_for(scan.rules, prices=settings.pricing != "off")
    manifest = Manifest(
        schema=SCHEMA,
        tool_version=__version__,
        account=identity.account,
        partition=identity.partition,
        regions=regions,
        taken_at=(scan.now or datetime.now(UTC)).replace(microsecond=0),
        lookback_days=settings.lookback_days,
        metric_days=metric_days(scan.rules, scan.thresholds),
        rules=tuple(rule.code for rule in scan.rules),
        unmodelled=unmodelled(chosen.reads.fields),
    )
    caller = Caller(
        sessions,
        identity.account,
        identity.partition,
        rate_share=settings.rate_share,
        salt=scan.salt or secrets.token_bytes(16),
        charges=settings.cost_explorer,
        prices=Prices(settings.pricing == "api", scan.cached_prices),
    )
    if note is not None:
        caller.note(note)
    keeper = _Keeper(scan.snapshot_path, manifest) if scan.snapshot_path is not None else None
    snapshot, end = collect(
        caller,
        chosen,
        manifest,
        sink=keeper,
        concurrency=settings.concurrency,
        search=settings.search,
        earlier=scan.earlier,
        limit=scan.limit,
        on_progress=on_progress,
    )
    if keeper is not None:
        keeper.close(end)
    return Outcome(snapshot, dict(caller.tally.calls), keeper.lost if keeper is not None else "")
