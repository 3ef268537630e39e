"""Families of jobs: the latest run is judged, and never one that a newer run may have replaced."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from collectors.ec2 import InstanceType
from collectors.model import Gap, Listing, Reason, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region
from evaluators.engine import judge
from evaluators.families import (
    is_among_newest,
    not_judged,
    older_run,
    processing_families,
    runs_of,
    training_families,
    tuning_families,
)
from evaluators.rule import Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}
REFUSED = Gap("sagemaker:DescribeTrainingJob", Reason.DENIED)
OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"
ONE_HOST: dict[str, Any] = {"instance_type": "ml.m5.xlarge", "instance_count": 1}


def job(name: str, hours: float = 0, **values: Any) -> Sample:
    """A training job that was made so many hours ago."""
    return sample(TrainingJob, name, **{"creation_time": NOW - timedelta(hours=hours), **ONE_HOST, **values})


def region_of(*samples: Sample, gap: Gap | None = None) -> Region:
    listings = [Listing(TrainingJob.kind, ACCOUNT, REGION, gap)] if gap else []
    return Region(snapshot_of(samples, gaps=listings), ACCOUNT, REGION)


def answers(region: Region, ask: Callable[[TrainingJob], Any]) -> dict[str, Any]:
    """The answer for each job, `unread` where it is unknown."""
    found = {}
    for each in region.known(TrainingJob):
        try:
            found[each.name] = ask(each)
        except Unread:
            found[each.name] = "unread"
    return found


CHILD = "a tuning, AutoML or labeling job made it: its definition is judged there"


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([job("churn-1", 9), job("churn-2", 1)], {"churn-1": "an older run of churn", "churn-2": ""}),
        # By age, and not by name; at the same moment by ARN, so that there is one.
        ([job("churn-1", 1), job("churn-2", 9)], {"churn-1": "", "churn-2": "an older run of churn"}),
        ([job("churn-1"), job("churn-2")], {"churn-1": "an older run of churn", "churn-2": ""}),
        ([job("churn-1", 9), job("churn-2", 1, role_arn=OTHER)], {"churn-1": "", "churn-2": ""}),
        # A child is no run of its parent's family.
        (
            [job("churn-1", 9), job("churn-2", 1, tuning_job_arn="arn:t")],
            {"churn-1": "", "churn-2": CHILD},
        ),
        ([job("churn-1", labeling_job_arn="arn:l")], {"churn-1": CHILD}),
        ([job("model-monitoring-1")], {"model-monitoring-1": "a service of AWS made it"}),
        (
            [sample(TrainingJob, "customise")],
            {"customise": "a serverless customisation job has no instances"},
        ),
        # Nobody knows whether the one that could not be read is the latest; of another family it matters not.
        (
            [job("churn-1", 9), job("churn-2", 1, creation_time=REFUSED), job("fraud-1")],
            {"churn-1": "unread", "churn-2": "unread", "fraud-1": ""},
        ),
        (
            [job("churn-1", 9), job("churn-2", 1, role_arn=REFUSED)],
            {"churn-1": "unread", "churn-2": "unread"},
        ),
    ],
)
def test_the_latest_run_of_a_family_is_judged(jobs: list[Sample], expected: dict[str, str]) -> None:
    assert answers(region_of(*jobs), not_judged) == expected


def test_where_the_listing_broke_off_a_newer_run_may_be_missing() -> None:
    region = region_of(job("churn-1", 9), job("churn-2", 1, tuning_job_arn="arn:t"), gap=REFUSED)
    assert answers(region, not_judged) == {"churn-1": "unread", "churn-2": CHILD}


def test_the_runs_of_a_family_newest_first() -> None:
    jobs = [job("churn-1", 3), job("churn-2", 1), job("churn-3", 2), job("fraud-1")]
    found = answers(
        region_of(*jobs), lambda each: [run.name for run in runs_of(each, training_families(each.region))]
    )
    churn = ["churn-2", "churn-3", "churn-1"]
    assert found == {"churn-1": churn, "churn-2": churn, "churn-3": churn, "fraud-1": ["fraud-1"]}


@pytest.mark.parametrize(
    ("unread", "expected"),
    [
        ([], {"a": True, "b": True, "c": False}),
        # One more, of an unknown age, may push the second out of the first two; never the first.
        ([job("d", creation_time=REFUSED)], {"a": True, "b": "unread", "c": False, "d": "unread"}),
    ],
)
def test_the_newest_families(unread: list[Sample], expected: dict[str, Any]) -> None:
    def ask(each: TrainingJob) -> Any:
        return not_judged(each) or is_among_newest(each, 2)

    # An older run, and a child, take no place.
    jobs = [job("a", 1), job("a-1", 2), job("b", 3), job("c", 4), job("e", 0, tuning_job_arn="arn:t")]
    found = answers(region_of(*jobs, *unread), ask)
    assert found == {**expected, "a-1": "an older run of a", "e": CHILD}


def test_families_of_the_other_jobs_are_by_name() -> None:
    made = [
        *(sample(TuningJob, f"churn-{n}", creation_time=NOW - timedelta(hours=n)) for n in (1, 2)),
        *(sample(ProcessingJob, f"score-{n}", creation_time=NOW - timedelta(hours=n)) for n in (1, 2)),
    ]
    region = region_of(*made)
    found = {
        **{job.name: older_run(job, tuning_families(region)) for job in region.all(TuningJob)},
        **{job.name: older_run(job, processing_families(region)) for job in region.all(ProcessingJob)},
    }
    older = {"churn-2": "an older run of churn", "score-2": "an older run of score"}
    assert found == {"churn-1": "", "score-1": "", **older}


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
PLAIN = sample(InstanceType, "m5.xlarge")
OURS = {"s3_output_path": "s3://ours/"}
THEIRS = {"s3_output_path": "s3://theirs/"}


@pytest.mark.parametrize(
    ("values", "others", "expected"),
    [
        # One key that is missing is enough, whatever nobody can read of the other.
        (THEIRS, [PLAIN], (Status.FAIL, "no KMS key for its volume")),
        (
            {"kms_key_id": KEY, "instance_type": "ml.unheard.large"},
            [],
            (Status.UNKNOWN, ""),
        ),
        (
            {**OURS, "instance_type": "ml.unheard.large"},
            [sample(Bucket, "ours")],
            (Status.FAIL, "no KMS key for its output"),
        ),
        (OURS, [sample(Bucket, "ours"), PLAIN], (Status.FAIL, "no KMS key for its output and its volume")),
        # Whether another account's bucket encrypts with KMS is for that account to know.
        ({**THEIRS, "volume_kms_key_id": KEY}, [PLAIN], (Status.UNKNOWN, "")),
    ],
)
def test_keys_of_a_training_job(
    values: Mapping[str, Any], others: list[Sample], expected: tuple[Status, str]
) -> None:
    (found,) = judge([RULES["SEC-013"]], snapshot_of([job("churn-1", **values), *others]))
    message = found.verdict.message if found.verdict.status is Status.FAIL else ""
    assert (found.verdict.status, message) == expected


def test_failures_are_counted_by_family_and_told_once() -> None:
    jobs = [
        job(
            f"churn-{number:03d}",
            number,
            training_job_status="Failed" if number % 4 == 0 else "Completed",
            failure_reason="CapacityError: none" if number == 8 else "AlgorithmError: exit code 1",
        )
        for number in range(12)
    ]
    found = [j for j in judge([RULES["OPS-033"]], snapshot_of(jobs)) if j.verdict.status is Status.FAIL]
    assert [(j.subject.name, j.verdict.message) for j in found] == [("churn-000", "3 of 12 runs failed")]
    assert dict(found[0].verdict.evidence) == {
        "FailureReason": {"AlgorithmError": 2, "CapacityError": 1},
        "failed_share": 0.25,
        "runs": 12,
    }


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        ({"enable_managed_spot_training": True, "checkpoint_config": {}}, Status.FAIL),
        # The family has given Spot up.
        ({"enable_managed_spot_training": False}, Status.NOT_APPLICABLE),
        # A short run says nothing of an hour without checkpoints, but the family's saving counts.
        ({"enable_managed_spot_training": True, "training_time_in_seconds": 60}, Status.FAIL),
    ],
)
def test_spot_is_judged_over_all_spot_runs_of_a_family(latest: dict[str, Any], expected: Status) -> None:
    times = {"training_time_in_seconds": 1000, "billable_time_in_seconds": 950}
    older = [job(f"churn-{n}", n, enable_managed_spot_training=True, **times) for n in range(1, 5)]
    newest = job("churn-5", **{**times, **latest})
    found = {
        j.subject.name: j.verdict.status for j in judge([RULES["COST-015"]], snapshot_of([*older, newest]))
    }
    assert found == {**{f"churn-{n}": Status.NOT_APPLICABLE for n in range(1, 5)}, "churn-5": expected}
