"""A whole run: fallbacks, gaps of what is followed, Regions at once, Ctrl-C, and a full disk."""

import threading
from datetime import timedelta
from pathlib import Path

import botocore.exceptions
import pytest

from auditor.demo.account import demo_session, empty
from auditor.demo.state import DemoState
from auditor.permissions import plan_for
from auditor.scan import Scan, _Keeper, run_scan
from auditor.selection import select
from auditor.settings import Settings
from collectors.model import GLOBAL, End, Manifest, Reason, Snapshot
from collectors.reader import Caller
from collectors.run import Progress, collect
from collectors.sample import NOW
from collectors.session import Sessions
from collectors.snapshot_file import SCHEMA, read_snapshot

REGIONS = ("eu-west-1", "us-east-1")


def add_notebook(state: DemoState, region: str, name: str) -> None:
    arn = f"arn:aws:sagemaker:{region}:123456789012:notebook-instance/{name}"
    state.add(
        "NotebookInstance",
        region,
        {
            "NotebookInstanceArn": arn,
            "NotebookInstanceName": name,
            "NotebookInstanceStatus": "InService",
            "InstanceType": "ml.t3.medium",
            "RoleArn": "arn:aws:iam::123456789012:role/notebooks",
            "RootAccess": "Enabled",
            "DirectInternetAccess": "Enabled",
            "LastModifiedTime": NOW - timedelta(days=9),
            "CreationTime": NOW - timedelta(days=9),
        },
    )


def add_model(state: DemoState, region: str, name: str) -> None:
    arn = f"arn:aws:sagemaker:{region}:123456789012:model/{name}"
    state.add("Model", region, {"ModelName": name, "ModelArn": arn, "CreationTime": NOW - timedelta(days=9)})


def scanned(state: DemoState, codes: list[str], path: Path | None = None, *, search: bool = True) -> Snapshot:
    account = empty(NOW)
    object.__setattr__(account, "state", state)
    settings = Settings(regions=REGIONS, rate_share=1000.0, search=search)
    with demo_session(account) as session:
        scan = Scan(select(codes), settings, {}, path, NOW, b"test")
        return run_scan(Sessions(session), scan).snapshot


@pytest.fixture
def state() -> DemoState:
    made = empty(NOW).state
    for region in REGIONS:
        for number in range(3):
            add_notebook(made, region, f"notebook-{number}")
            add_model(made, region, f"model-{number}")
    return made


def names(snapshot: Snapshot, kind: str) -> list[tuple[str, str]]:
    return [(r.region, r.name) for r in snapshot.resources() if r.kind == kind]


def test_every_region_is_read(state: DemoState) -> None:
    found = scanned(state, ["SEC-003"])
    assert names(found, "notebook-instance") == [(r, f"notebook-{n}") for r in REGIONS for n in range(3)]
    assert found.complete
    assert found.gaps == []
    assert found.ends[0].calls == 2 * (1 + 3 + 1)


def test_without_search_the_same_resources_are_listed_and_described(state: DemoState) -> None:
    by_search = scanned(state, ["SEC-019"])
    state.calls.clear()
    by_list = scanned(state, ["SEC-019"], search=False)
    assert names(by_search, "model") == names(by_list, "model")
    assert state.calls["sagemaker:Search"] == 0
    state.denied.add("sagemaker:Search")
    refused = scanned(state, ["SEC-019"])
    assert names(refused, "model") == names(by_search, "model")
    assert refused.gaps == []


def test_where_search_and_list_are_refused_the_listing_is_not_whole(state: DemoState) -> None:
    state.denied |= {"sagemaker:Search", "sagemaker:ListModels"}
    found = scanned(state, ["SEC-019"])
    gap = found.listing_gap("model", "123456789012", "eu-west-1")
    assert gap is not None
    assert (gap.operation, gap.reason) == ("sagemaker:ListModels", Reason.DENIED)


def test_what_was_not_listed_leaves_a_gap_in_what_follows_it(state: DemoState) -> None:
    state.denied |= {"sagemaker:Search", "sagemaker:ListModels"}
    found = scanned(state, ["OPS-001"])
    gap = found.listing_gap("bucket", "123456789012", GLOBAL)
    assert gap is not None
    assert gap.reason is Reason.DENIED


def test_a_file_of_a_run_is_that_run(state: DemoState, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    found = scanned(state, ["SEC-003", "SEC-019"], path)
    again = read_snapshot(path)
    assert list(again.resources()) == list(found.resources())
    assert again.listings == found.listings
    assert (again.gaps, again.ends, again.manifests) == (found.gaps, found.ends, found.manifests)


def test_ctrl_c_leaves_what_was_read_marked_as_incomplete(state: DemoState) -> None:
    rules = select(["SEC-003", "OPS-001"])
    account = empty(NOW)
    object.__setattr__(account, "state", state)
    main = threading.main_thread()
    seen: list[str] = []

    def interrupt(progress: Progress) -> None:
        assert threading.current_thread() is main
        seen.append(progress.kind)
        raise KeyboardInterrupt

    manifest = Manifest(SCHEMA, "test", "123456789012", "aws", REGIONS, NOW, 30, 14)
    with demo_session(account) as session:
        caller = Caller(Sessions(session), "123456789012", "aws", rate_share=1000.0, salt=b"")
        snapshot, end = collect(caller, plan_for(rules), manifest, on_progress=interrupt)
    assert len(seen) == 1
    assert (end.complete, end.why) == (False, "interrupted")
    assert not snapshot.complete
    gap = snapshot.listing_gap("bucket", "123456789012", GLOBAL)
    assert gap is not None
    assert gap.reason is Reason.INTERRUPTED


def test_a_lost_connection_leaves_a_readable_snapshot_marked_as_incomplete(
    state: DemoState, tmp_path: Path
) -> None:
    account = empty(NOW)
    object.__setattr__(account, "state", state)
    path = tmp_path / "a.jsonl.gz"

    def lost(**_: object) -> None:
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="https://api.sagemaker.test")

    with demo_session(account) as session:
        session.events.register_first("before-call.sagemaker.DescribeNotebookInstance", lost)
        settings = Settings(regions=REGIONS, rate_share=1000.0)
        run_scan(Sessions(session), Scan(select(["SEC-003"]), settings, {}, path, NOW, b"test"))
    found = read_snapshot(path)
    assert not found.complete
    assert found.ends[0].why == "AWS could not be reached"
    assert {gap.reason for gap in found.gaps} == {Reason.UNREACHABLE}


def test_a_file_that_cannot_be_made_is_noted_and_the_run_goes_on(tmp_path: Path) -> None:
    manifest = Manifest(SCHEMA, "test", "123456789012", "aws", REGIONS, NOW, 30, 14)
    keeper = _Keeper(tmp_path / "none" / "a", manifest)
    assert "No such file" in keeper.lost
    keeper.close(End(complete=True))
