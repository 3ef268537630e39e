"""Jobs since the last run: the same verdicts as of the whole window, with fewer calls."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session
from auditor.scan import Outcome, Scan, run_scan
from auditor.settings import Settings
from collectors.carried import MARGIN, Carried
from collectors.model import End, Gap, Listing, Manifest, Reason, Resource, Snapshot, pack
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.engine import judge
from evaluators.rule import all_rules

ACCOUNT, REGION = "123456789012", "eu-west-1"
NEXT = NOW + timedelta(days=1)


def scanned(now: Any, earlier: Snapshot | None, *, search: bool) -> Outcome:
    settings = Settings(rate_share=UNPACED, search=search)
    with demo_session(build(NOW)) as session:
        scan = Scan(all_rules(), settings, {}, now=now, salt=b"test", earlier=earlier)
        return run_scan(Sessions(session), scan)


def verdicts(outcome: Outcome) -> dict[tuple[str, str, str], str]:
    return {
        (found.rule.code, found.subject.arn or found.subject.region, found.subject.part): found.verdict.status
        for found in judge(all_rules(), outcome.snapshot)
    }


@pytest.mark.parametrize("search", [True, False])
def test_the_verdicts_are_those_of_the_whole_window(search: bool) -> None:
    first = scanned(NOW, None, search=search)
    whole, since = (scanned(NEXT, earlier, search=search) for earlier in (None, first.snapshot))
    assert since.snapshot.counts() == whole.snapshot.counts()
    assert verdicts(since) == verdicts(whole)
    described = "sagemaker:DescribeProcessingJob"
    assert since.calls.get(described, 0) < whole.calls[described]
    assert sum(since.calls.values()) < sum(whole.calls.values())


def manifest(**more: Any) -> Manifest:
    base = Manifest(1, "test", ACCOUNT, "aws", (REGION,), NOW, 30, 14)
    return msgspec.structs.replace(base, **more)


def job(name: str, days: float, status: str = "Completed") -> Resource:
    created = (NOW - timedelta(days=days)).isoformat()
    documents: Mapping[str, Any] = {
        "sagemaker:Search": {"TrainingJobName": name, "CreationTime": created, "TrainingJobStatus": status}
    }
    return Resource("training-job", ACCOUNT, REGION, f"arn:{name}", name, pack(documents))


def earlier(*jobs: Resource, gap: Gap | None = None, complete: bool = True, **more: Any) -> Snapshot:
    snapshot = Snapshot((manifest(**{"rules": ("SEC-001",)} | more),))
    for each in jobs:
        snapshot.add(each)
    snapshot.close(Listing("training-job", ACCOUNT, REGION, gap))
    snapshot.ends.append(End(complete))
    return snapshot


def next_run(**more: Any) -> Manifest:
    return manifest(**{"taken_at": NEXT, "rules": ("SEC-001",)} | more)


def test_what_had_not_ended_is_read_again() -> None:
    held = earlier(job("old", 20), job("running", 3, "InProgress"), job("new", 1))
    carried = Carried(held, next_run())
    assert carried.since(TrainingJob, ACCOUNT, REGION) == NOW - timedelta(days=3) - MARGIN
    assert [r.name for r in carried.resources(TrainingJob, ACCOUNT, REGION)] == ["old"]


def test_what_has_left_the_window_is_not_taken_over() -> None:
    held = earlier(job("left", 29.5), job("kept", 28.5))
    carried = Carried(held, next_run())
    assert carried.since(TrainingJob, ACCOUNT, REGION) == NOW - MARGIN
    assert [r.name for r in carried.resources(TrainingJob, ACCOUNT, REGION)] == ["kept"]


GAP = Gap("sagemaker:Search", Reason.DENIED)
UNREAD = Resource("training-job", ACCOUNT, REGION, "arn:x", "x", pack({"sagemaker:DescribeTrainingJob": GAP}))
UNDATED = Resource(
    "training-job", ACCOUNT, REGION, "arn:x", "x", pack({"sagemaker:Search": {"TrainingJobName": "x"}})
)


@pytest.mark.parametrize(
    ("name", "held", "mine"),
    [
        ("no earlier run", None, {}),
        ("one that did not end", earlier(complete=False), {}),
        ("a listing that was not whole", earlier(gap=GAP), {}),
        ("another account", earlier(), {"account": "210987654321"}),
        ("another version", earlier(tool_version="older"), {}),
        ("a shorter window", earlier(lookback_days=7), {}),
        ("fewer rules", earlier(), {"rules": ("SEC-001", "SEC-002")}),
        ("a document that was refused", earlier(UNREAD), {}),
        ("a job without a date", earlier(UNDATED), {}),
    ],
)
def test_the_whole_window_is_read_where_the_earlier_run_cannot_tell(
    name: str, held: Snapshot | None, mine: dict[str, Any]
) -> None:
    run = msgspec.structs.replace(next_run(), **mine)
    carried = Carried(held, run)
    assert carried.since(TrainingJob, run.account, REGION) is None
    assert list(carried.resources(TrainingJob, run.account, REGION)) == []


def test_what_has_no_window_is_always_read() -> None:
    assert Carried(earlier(), next_run()).since(NotebookInstance, ACCOUNT, REGION) is None


def test_every_collector_that_reads_a_window_says_so() -> None:
    """Absence from such a listing means that a job is old, never that it is gone."""
    import inspect

    from collectors.collector import all_collectors

    reading = {c.name for c in all_collectors() if "reader.lookback" in inspect.getsource(c.function)}
    windowed = {c.name for c in all_collectors() if c.view.windowed}
    assert reading - {"labeling-job"} <= windowed
    assert {"training-job", "tuning-job", "trial-component"} <= windowed


def test_the_time_limit_ends_a_run_and_keeps_what_was_read() -> None:
    with demo_session(build(NOW)) as session:
        scan = Scan(all_rules(), Settings(rate_share=UNPACED), {}, now=NOW, salt=b"test", limit=0.0)
        snapshot = run_scan(Sessions(session), scan).snapshot
    assert not snapshot.complete
    assert snapshot.ends[-1].why == "the time limit was reached"
    assert Reason.INTERRUPTED in {gap.reason for gap in snapshot.listings.values() if gap is not None}
