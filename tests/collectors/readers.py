"""A reader of one collector over sample resources, with AWS's answers from a demo state."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import boto3

from auditor.demo.gaps import install
from auditor.demo.state import DemoState
from collectors.collector import Collector, Plan
from collectors.model import GLOBAL, Manifest, Snapshot
from collectors.reader import Caller, Reader
from collectors.reads import Reads
from collectors.sample import ACCOUNT, NOW, REGION, Sample, resources_of
from collectors.session import Sessions
from collectors.view import NodeMetrics, Region


def reader_of(
    collector: Collector, state: DemoState, samples: Iterable[Sample] = (), *, reads: Reads | None = None
) -> Reader:
    """What the collector sees in one Region once these samples were read before it."""
    snapshot = Snapshot((Manifest(1, "test", ACCOUNT, "aws", (REGION,), NOW, 30, 14),))
    for made in samples:
        for resource in resources_of(made, NOW):
            if resource.kind != NodeMetrics.kind:
                snapshot.add(resource)
    return reader_over(collector, state, snapshot, reads=reads)


def reader_over(
    collector: Collector,
    state: DemoState,
    snapshot: Snapshot,
    *,
    reads: Reads | None = None,
    region: str = REGION,
) -> Reader:
    """What the collector sees in a Region after all of this was read."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    install(session, state)
    caller = Caller(Sessions(session), ACCOUNT, "aws", rate_share=1000.0, salt=b"test")
    place = Region(snapshot, ACCOUNT, GLOBAL).sibling(region)
    return Reader(caller, collector, Plan((), reads or Reads()), place, ThreadPoolExecutor(4))
