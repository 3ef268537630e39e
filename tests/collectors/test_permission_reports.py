"""IAM's asynchronous reports, analyzers and endpoint changes: bounded waiting, paging, and gaps."""

import json
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.access_advisor import role_access
from collectors.access_analyzer import (
    UnusedAccessAnalyzer,
    organizations,
    unused_access,
    unused_access_analyzers,
)
from collectors.credential_report import CredentialReport, credential_report, credentials_by_user
from collectors.endpoint_changes import endpoint_changes
from collectors.iam import Role
from collectors.model import GLOBAL, Gap, Reason, Unread
from collectors.pacing import Pace
from collectors.reader import POLLS, Reader
from collectors.sample import ACCOUNT, NOW, REGION, sample, snapshot_of
from collectors.view import Region

GET_ACCESS = "iam:GetServiceLastAccessedDetails"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}
ROLES = [
    sample(Role, "jobs", arn="arn:aws:iam::123456789012:role/jobs", assume_role_policy_document=TRUST),
    sample(Role, "web", arn="arn:aws:iam::123456789012:role/web", assume_role_policy_document={}),
]


def waiting(reader: Reader) -> list[float]:
    """Give a reader the account's own Region and a clock that stands; its waits come into the list."""
    reader.region = reader.region.sibling(GLOBAL)
    waits: list[float] = []
    reader.caller.pace = Pace(1000.0, clock=lambda: 0.0, sleep=waits.append)
    return waits


class Turns(DemoState):
    """An account that answers an operation one way at a time, as a job does that gets ready."""

    def __init__(self, operation: str, *documents: dict[str, Any]) -> None:
        super().__init__(NOW)
        self.operation = operation
        self.documents_left = list(documents)

    def given(self, operation: str, region: str, parameters: Any) -> dict[str, Any] | None:
        if operation != self.operation:
            return super().given(operation, region, parameters)
        return self.documents_left.pop(0) if len(self.documents_left) > 1 else self.documents_left[0]


def access(status: str, *services: str, marker: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        "JobStatus": status,
        "JobCreationDate": NOW,
        "JobCompletionDate": NOW,
        "ServicesLastAccessed": [{"ServiceName": name, "ServiceNamespace": name} for name in services],
        "IsTruncated": bool(marker),
    }
    return {**found, "Marker": marker} if marker else found


def test_access_is_asked_of_roles_for_sagemaker_until_it_is_ready_and_page_by_page() -> None:
    state = Turns(
        GET_ACCESS,
        access("IN_PROGRESS"),
        access("COMPLETED", "s3", marker="more"),
        access("COMPLETED", "logs"),
    )
    state.answer("iam:GenerateServiceLastAccessedDetails", {"JobId": "0" * 36})
    reader = reader_of(role_access, state, ROLES)
    waits = waiting(reader)
    (resource,) = role_access.function(reader)
    document = resource.readings()[GET_ACCESS]
    assert isinstance(document, dict)
    assert [found["ServiceNamespace"] for found in document["ServicesLastAccessed"]] == ["s3", "logs"]
    assert (resource.id, waits, state.calls[GET_ACCESS]) == ("arn:aws:iam::123456789012:role/jobs", [1], 3)


@pytest.mark.parametrize(
    ("answer", "reason", "waits"),
    [(access("IN_PROGRESS"), Reason.NOT_READ, list(POLLS)), (access("FAILED"), Reason.FAILED, [])],
)
def test_an_access_job_that_fails_or_takes_too_long_is_a_gap(
    answer: dict[str, Any], reason: Reason, waits: list[float]
) -> None:
    state = Turns(GET_ACCESS, answer)
    state.answer("iam:GenerateServiceLastAccessedDetails", {"JobId": "0" * 36})
    reader = reader_of(role_access, state, ROLES)
    waited = waiting(reader)
    (resource,) = role_access.function(reader)
    reading = resource.readings()[GET_ACCESS]
    assert isinstance(reading, Gap)
    assert (reading.reason, waited) == (reason, waits)


REPORT = (
    "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n"
    "<root_account>,arn:aws:iam::1:root,not_supported,true,false,not_supported,N/A,false,N/A,N/A\n"
    "anna,arn:aws:iam::1:user/anna,true,false,true,2026-01-15T06:00:00+00:00,no_information,false,N/A,N/A\n"
)


def test_the_credential_report_is_polled_and_its_texts_for_nothing_are_understood() -> None:
    state = Turns(
        "iam:GenerateCredentialReport", {"State": "STARTED"}, {"State": "INPROGRESS"}, {"State": "COMPLETE"}
    )
    state.answer("iam:GetCredentialReport", {"Content": REPORT.encode(), "ReportFormat": "text/csv"})
    reader = reader_of(credential_report, state)
    waits = waiting(reader)
    (resource,) = credential_report.function(reader)
    snapshot = snapshot_of([])
    snapshot.add(resource)
    rows = credentials_by_user(Region(snapshot, ACCOUNT, REGION))
    anna = rows["arn:aws:iam::1:user/anna"]
    assert (anna.password_enabled, anna.mfa_active, [key.used for key in anna.keys]) == (True, False, [None])
    assert not rows["arn:aws:iam::1:root"].password_enabled
    assert waits == [1, 2]


def test_a_credential_report_of_another_form_is_unread_and_a_denied_one_a_gap() -> None:
    snapshot = snapshot_of([sample(CredentialReport, content="who,what\nanna,all\n")])
    with pytest.raises(Unread):
        credentials_by_user(Region(snapshot, ACCOUNT, REGION))
    reader = reader_of(credential_report, DemoState(NOW, denied=["iam:GenerateCredentialReport"]))
    (resource,) = credential_report.function(reader)
    assert getattr(resource.readings()["iam:GetCredentialReport"], "reason", None) is Reason.DENIED


def analyzer(kind: str, status: str = "ACTIVE") -> dict[str, Any]:
    arn = f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/{kind.lower()}"
    return {"arn": arn, "name": kind.lower(), "type": kind, "createdAt": NOW, "status": status}


def test_analyzers_are_told_apart_and_only_active_ones_are_asked_for_findings() -> None:
    state = DemoState(NOW)
    kinds = [analyzer("ACCOUNT"), analyzer("ACCOUNT_UNUSED_ACCESS"), analyzer("ACCOUNT_INTERNAL_ACCESS")]
    state.answer("accessanalyzer:ListAnalyzers", {"analyzers": kinds})
    reader = reader_of(unused_access_analyzers, state)
    assert [r.name for r in unused_access_analyzers.function(reader)] == ["account_unused_access"]
    state.answer("accessanalyzer:ListFindingsV2", {"findings": []})
    known = [sample(UnusedAccessAnalyzer, "a"), sample(UnusedAccessAnalyzer, "b", status="DISABLED")]
    assert list(unused_access.function(reader_of(unused_access, state, known))) == []
    assert state.calls["accessanalyzer:ListFindingsV2"] == 1


@pytest.mark.parametrize(
    ("code", "gap"), [("AWSOrganizationsNotInUseException", None), ("AccessDeniedException", Reason.DENIED)]
)
def test_an_account_that_stands_alone_has_no_organisation(code: str, gap: Reason | None) -> None:
    state = DemoState(NOW)
    state.refuse("organizations:DescribeOrganization", code=code)
    reader = reader_of(organizations, state)
    assert list(organizations.function(reader)) == []
    assert (reader.gap.reason if reader.gap else None) is gap


def test_of_an_endpoints_changes_only_names_are_kept_and_failed_calls_changed_nothing() -> None:
    secret = "nobody-keeps-this"
    details = {
        "userIdentity": {"arn": "arn:aws:sts::1:assumed-role/ci/run", "accessKeyId": secret},
        "requestParameters": {"endpointName": "churn", "tags": [secret]},
    }
    events = [
        {
            "EventId": "1",
            "EventName": "CreateEndpoint",
            "EventTime": NOW,
            "CloudTrailEvent": json.dumps(details),
        },
        {
            "EventId": "2",
            "EventName": "CreateEndpoint",
            "EventTime": NOW,
            "CloudTrailEvent": json.dumps({**details, "errorCode": "ValidationException"}),
        },
    ]
    state = DemoState(NOW)
    for call, found in (("CreateEndpoint", events), ("UpdateEndpoint", [])):
        asked = [{"AttributeKey": "EventName", "AttributeValue": call}]
        state.answer("cloudtrail:LookupEvents", {"Events": found}, when={"LookupAttributes": asked})
    resources = list(endpoint_changes.function(reader_of(endpoint_changes, state)))
    assert secret.encode() not in b"".join(bytes(r.documents) for r in resources)
    kept = [json.loads(r.readings()["cloudtrail:LookupEvents"]["CloudTrailEvent"]) for r in resources]  # type: ignore[index]  # a map
    assert [found["endpointName"] for found in kept] == ["churn", ""]
    assert state.calls.total() == 2
