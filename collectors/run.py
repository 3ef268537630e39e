"""Run the collectors of a plan over the Regions of one account, several at once."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from collectors.carried import Carried
from collectors.collector import Collector, Plan
from collectors.model import GLOBAL, End, Gap, Listing, Manifest, Reason, Resource, Snapshot, Unread
from collectors.reader import Caller, Reader
from collectors.view import Region

_COORDINATORS = 32
"""How many listings run side by side; they mostly wait for the calls that they hand to the pool."""


class Sink(Protocol):
    """Where resources go as they are read; `SnapshotWriter` is one."""

    def resource(self, resource: Resource) -> None: ...
    def listing(self, listing: Listing) -> None: ...
    def gap(self, gap: Gap) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: listings done and in all, resources, calls, and the last listing's name and place."""

    done: int
    total: int
    resources: int
    calls: int
    kind: str
    region: str


def collect(
    caller: Caller,
    plan: Plan,
    manifest: Manifest,
    *,
    sink: Sink | None = None,
    concurrency: int = 16,
    search: bool = True,
    earlier: Snapshot | None = None,
    limit: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Snapshot, End]:
    """Read what a plan says. Ctrl-C and the time limit (seconds) end it early, marked as incomplete.

    Jobs that had ended when `earlier` was taken are taken over from it. Raises `OSError` where the sink
    cannot write; nothing else.
    """
    started = time.monotonic()
    deadline = None if limit is None else started + limit
    run = _Run(caller, plan, manifest, sink, search, on_progress, Carried(earlier, manifest), deadline)
    why = ""
    with (
        ThreadPoolExecutor(concurrency, "call") as calls,
        ThreadPoolExecutor(_COORDINATORS, "list") as listings,
    ):
        try:
            for stage in plan.stages:
                run.stage(stage, listings, calls)
        except KeyboardInterrupt:
            why = "interrupted"
        except _OverTime:
            why = "the time limit was reached"
        finally:
            caller.stopped.set()
    return run.finish(why, time.monotonic() - started)


class _OverTime(Exception):
    """The time limit was reached."""


class _Run:
    def __init__(
        self,
        caller: Caller,
        plan: Plan,
        manifest: Manifest,
        sink: Sink | None,
        search: bool,
        on_progress: Callable[[Progress], None] | None,
        carried: Carried,
        deadline: float | None,
    ) -> None:
        self.carried = carried
        self.deadline = deadline
        self.caller = caller
        self.plan = plan
        self.snapshot = Snapshot((manifest,))
        self.sink = sink
        self.search = search
        self.on_progress = on_progress
        self.root = Region(self.snapshot, manifest.account, GLOBAL)
        self.lock = threading.Lock()
        self.done = 0
        self.total = sum(len(self.regions(collector)) for collector in plan.collectors)

    def regions(self, collector: Collector) -> tuple[str, ...]:
        return (GLOBAL,) if collector.is_global else self.snapshot.manifests[0].regions

    def stage(
        self, stage: tuple[Collector, ...], listings: ThreadPoolExecutor, calls: ThreadPoolExecutor
    ) -> None:
        """Run the collectors of a stage in all their Regions, and wait for them."""
        self.root.forget()
        finished: queue.SimpleQueue[tuple[Collector, str]] = queue.SimpleQueue()
        waiting: set[Future[None]] = set()
        for collector in stage:
            for region in self.regions(collector):
                waiting.add(listings.submit(self.one, collector, region, calls, finished))
        while waiting:
            # A time-out keeps the main thread open to Ctrl-C on every platform.
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            while not finished.empty():
                self.report(*finished.get())
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise _OverTime

    def one(
        self,
        collector: Collector,
        name: str,
        calls: ThreadPoolExecutor,
        finished: "queue.SimpleQueue[tuple[Collector, str]]",
    ) -> None:
        """One collector in one Region."""
        region = self.root.sibling(name)
        since = self.carried.since(collector.view, region.account, name)
        reader = Reader(self.caller, collector, self.plan, region, calls, search=self.search, since=since)
        try:
            seen = set()
            for resource in collector.function(reader):
                seen.add(resource.id)
                self.keep(resource)
            if since is not None and reader.gap is None:
                for resource in self.carried.resources(collector.view, region.account, name):
                    if resource.id not in seen:
                        self.keep(resource)
        except Unread as unread:
            reader.incomplete(unread.gap)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # An answer of a form that nobody foresaw costs this listing, not the run.
            text = f"{type(error).__name__} while reading {collector.name}"
            reader.incomplete(Gap(f"list {collector.name}", Reason.FAILED, "", text, region.account, name))
        gap = reader.gap or self.followed_gap(collector, name)
        if self.caller.stopped.is_set():
            gap = gap or Gap(f"list {collector.name}", Reason.INTERRUPTED, region=name)
        listing = Listing(collector.name, region.account, name, gap)
        with self.lock:
            self.snapshot.close(listing)
            if self.sink is not None:
                self.sink.listing(listing)
        finished.put((collector, name))

    def keep(self, resource: Resource) -> None:
        with self.lock:
            self.snapshot.add(resource)
            if self.sink is not None:
                self.sink.resource(resource)

    def followed_gap(self, collector: Collector, name: str) -> Gap | None:
        """References of what was not listed were not followed: their listing is not whole either."""
        account = self.snapshot.manifests[0].account
        for view in collector.follows:
            if view.is_global:
                places: tuple[str, ...] = (GLOBAL,)
            else:
                places = self.snapshot.manifests[0].regions if name == GLOBAL else (name,)
            for place in places:
                gap = self.snapshot.listing_gap(view.kind, account, place)
                if gap is not None:
                    return gap
        return None

    def report(self, collector: Collector, region: str) -> None:
        self.done += 1
        if self.on_progress is not None:
            calls = self.caller.tally.calls.total()
            self.on_progress(
                Progress(self.done, self.total, len(self.snapshot), calls, collector.name, region)
            )

    def finish(self, why: str, seconds: float) -> tuple[Snapshot, End]:
        """Close every listing that did not run, write the gaps, and say how it ended."""
        for collector in self.plan.collectors:
            for name in self.regions(collector):
                account = self.snapshot.manifests[0].account
                if (collector.name, account, name) not in self.snapshot.listings:
                    gap = Gap(f"list {collector.name}", Reason.INTERRUPTED, account=account, region=name)
                    listing = Listing(collector.name, account, name, gap)
                    self.snapshot.close(listing)
                    if self.sink is not None:
                        self.sink.listing(listing)
        self.snapshot.gaps = sorted(
            self.caller.gaps.values(), key=lambda g: (g.operation, g.region, g.reason, g.code)
        )
        if self.sink is not None:
            for gap in self.snapshot.gaps:
                self.sink.gap(gap)
        if not why and any(gap.reason is Reason.UNREACHABLE for gap in self.snapshot.gaps):
            why = "AWS could not be reached"
        tally = self.caller.tally
        calls = dict(sorted(tally.calls.items()))
        end = End(not why, tally.calls.total(), tally.throttles, round(seconds, 1), why, calls)
        self.snapshot.ends.append(end)
        self.root.forget()
        return self.snapshot, end
