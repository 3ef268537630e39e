"""The services that watch: off, denied and on are three answers, however alike AWS makes them look."""

from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.collector import Collector
from collectors.guards import (
    Macie,
    config_recorders,
    guardduty,
    macie,
    macie_buckets,
    security_hub,
    security_standards,
)
from collectors.logs import LogGroup, log_groups
from collectors.model import Gap, Reason
from collectors.reads import Reads
from collectors.sample import ABSENT, NOW, Sample, sample

SESSION = "macie2:GetMacieSession"
BUCKETS = "macie2:DescribeBuckets"


def readings(
    collector: Collector, state: DemoState, samples: list[Sample] | None = None
) -> list[dict[str, Any]]:
    reader = reader_of(collector, state, samples or [], reads=Reads(views={collector.view}))
    return [found.readings() for found in collector.function(reader)]


@pytest.mark.parametrize(
    ("message", "is_off"),
    [
        ("Macie is not enabled.", True),
        ("User: arn:aws:iam::1:role/r is not authorized to perform: macie2:GetMacieSession", False),
    ],
)
def test_macie_that_is_not_enabled_is_told_from_a_denial_by_its_message(message: str, is_off: bool) -> None:
    state = DemoState(NOW)
    state.refuse(SESSION, code="AccessDeniedException", message=message, status=403)
    reader = reader_of(macie, state)
    (found,) = macie.function(reader)
    session = found.readings()[SESSION]
    assert session is None if is_off else isinstance(session, Gap) and session.reason is Reason.DENIED
    # What is off is no gap of the run.
    assert bool(reader.caller.gaps) is not is_off


@pytest.mark.parametrize(("status", "calls"), [("ENABLED", 1), ("PAUSED", 0), (ABSENT, 0)])
def test_buckets_are_asked_of_macie_only_where_it_is_on(status: Any, calls: int) -> None:
    state = DemoState(NOW)
    state.answer(BUCKETS, {"buckets": []})
    session = sample(Macie, "macie", arn="macie", status=status)
    assert readings(macie_buckets, state, [session]) == []
    assert state.calls[BUCKETS] == calls


def test_buckets_are_not_taken_for_unseen_by_macie_where_its_state_is_denied() -> None:
    refused = Gap(SESSION, Reason.DENIED)
    reader = reader_of(macie_buckets, DemoState(NOW), [sample(Macie, "macie", arn="macie", status=refused)])
    assert list(macie_buckets.function(reader)) == []
    assert reader.gap is not None


def test_a_region_without_a_detector_has_guardduty_off() -> None:
    state = DemoState(NOW)
    state.answer("guardduty:ListDetectors", {"DetectorIds": []})
    (found,) = readings(guardduty, state)
    assert found == {"guardduty:ListDetectors": {"DetectorIds": []}, "guardduty:GetDetector": None}
    assert state.calls["guardduty:GetDetector"] == 0


def test_security_hub_that_is_not_enabled_is_an_answer() -> None:
    state = DemoState(NOW)
    state.refuse("securityhub:DescribeHub", code="InvalidAccessException")
    assert readings(security_hub, state) == [{"securityhub:DescribeHub": None}]


@pytest.mark.parametrize(
    ("collector", "operation"),
    [
        (guardduty, "guardduty:ListDetectors"),
        (security_hub, "securityhub:DescribeHub"),
        (config_recorders, "config:DescribeConfigurationRecorders"),
    ],
    ids=lambda value: value.name if isinstance(value, Collector) else "",
)
def test_a_denied_service_is_a_gap_of_its_own(collector: Collector, operation: str) -> None:
    (found,) = readings(collector, DemoState(NOW, denied=[operation]))
    assert found[operation].reason is Reason.DENIED


@pytest.mark.parametrize(
    ("collector", "operation"),
    [(security_standards, "securityhub:GetEnabledStandards"), (log_groups, "logs:DescribeLogGroups")],
    ids=lambda value: value.name if isinstance(value, Collector) else "",
)
def test_a_denied_list_is_a_gap_of_the_listing(collector: Collector, operation: str) -> None:
    reader = reader_of(collector, DemoState(NOW, denied=[operation]))
    assert list(collector.function(reader)) == []
    assert reader.gap is not None


def test_standards_of_a_hub_that_is_off_are_none() -> None:
    state = DemoState(NOW)
    state.refuse("securityhub:GetEnabledStandards", code="InvalidAccessException")
    reader = reader_of(security_standards, state)
    assert list(security_standards.function(reader)) == []
    assert reader.gap is None


def test_only_groups_that_many_write_to_are_asked_for_their_newest_stream() -> None:
    state = DemoState(NOW)
    listed = [
        {"logGroupName": f"/aws/sagemaker/{name}", "arn": f"arn:aws:logs:eu-west-1:1:log-group:{name}"}
        for name in ("TrainingJobs", "Endpoints/churn")
    ]
    state.answer("logs:DescribeLogGroups", {"logGroups": listed}, when={"limit": 50})
    state.answer("logs:DescribeLogStreams", {"logStreams": [{"lastEventTimestamp": 1}]})
    reader = reader_of(log_groups, state, reads=Reads(fields={LogGroup.log_streams}))
    found = [each.readings() for each in log_groups.function(reader)]
    assert ["logs:DescribeLogStreams" in each for each in found] == [True, False]
    assert (state.calls["logs:DescribeLogGroups"], state.calls["logs:DescribeLogStreams"]) == (1, 1)
