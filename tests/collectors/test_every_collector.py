"""What holds for all collectors at once, on the demo accounts' documents, which botocore's model has checked."""

from collections.abc import Iterator

import pytest
from readers import reader_over

from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session, exemplary
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.collector import Collector, all_collectors
from collectors.model import GLOBAL, Snapshot, Unread
from collectors.sample import ACCOUNT, NOW, REGION
from collectors.session import Sessions
from collectors.view import Node, NodeMetrics, Region, View
from evaluators.rule import all_rules

COLLECTORS = [pytest.param(found, id=found.view.kind) for found in all_collectors()]
UNSEEN = {"assessment", "conformance-pack", "edge-packaging-job", "scheduled-action", "transform-source"}
"""Neither account has one; tests of their own read them, or they are lists of names."""


def scanned(*, good: bool) -> Snapshot:
    account = exemplary(NOW) if good else build(NOW, denied=())
    regions = (REGION,) if good else (REGION, "us-east-1")
    settings = Settings(regions=regions, rate_share=UNPACED, cost_explorer=True)
    with demo_session(account) as session:
        scan = Scan(all_rules(), settings, {}, now=NOW, salt=b"test")
        return run_scan(Sessions(session), scan).snapshot


@pytest.fixture(scope="module")
def snapshots() -> tuple[Snapshot, Snapshot]:
    return scanned(good=False), scanned(good=True)


def read(snapshots: tuple[Snapshot, ...], view: type[View]) -> Iterator[View]:
    for snapshot in snapshots:
        account = Region(snapshot, ACCOUNT, GLOBAL)
        for place in (account, *account.audited()):
            yield from place.known(view)


def values(node: Node) -> Iterator[object]:
    """Every field of a resource and of its parts; what was not read has none. Raises what a wrong value raises."""
    for name, field in type(node).fields().items():
        try:
            value = getattr(node, name)
        except Unread:
            continue
        yield value
        if field.part is not None and value is not None:
            for part in value if field.many else (value,):
                yield from values(part)


@pytest.mark.parametrize("collector", COLLECTORS)
def test_every_kind_is_found_in_an_account_and_its_fields_hold_what_aws_sends(
    snapshots: tuple[Snapshot, Snapshot], collector: Collector
) -> None:
    found = list(read(snapshots, collector.view))
    assert bool(found) is (collector.view.kind not in UNSEEN)
    held = [value for view in found for value in values(view)]
    assert held == [] or any(value is not None for value in held)
    assert all(view.id and view.name for view in found)


@pytest.mark.parametrize("collector", COLLECTORS)
def test_all_calls_refused_leave_no_resource_that_claims_to_be_whole(
    snapshots: tuple[Snapshot, Snapshot], collector: Collector
) -> None:
    """With every operation of a collector refused, its listing has a gap, or each resource has."""
    if collector.view is NodeMetrics:
        return
    denied = {str(operation) for operation in collector.operations()}
    state = build(NOW, denied=denied).state
    for region in (REGION, "us-east-1", GLOBAL):
        before = state.calls.total()
        reader = reader_over(collector, state, snapshots[0], region=region)
        made = list(collector.function(reader))
        for resource in made:
            assert not any(isinstance(reading, dict) for reading in resource.readings().values()), resource.id
        # Where there is nothing that it follows there is nothing to be read.
        idle = collector.follows and not any(any(reader.known(view)) for view in collector.follows)
        assert made or reader.gap is not None or state.calls.total() == before or idle
