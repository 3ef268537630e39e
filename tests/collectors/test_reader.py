"""The door to AWS: every error a gap of the right kind, pages to their end, nothing undeclared, no secrets."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse

from collectors.model import Gap, Operation, Reason, Unread
from collectors.reader import EMPTY_PAGES, Caller, documents_in, probe_parameters, reason_of, shape_at
from collectors.sagemaker.notebooks import DESCRIBE, DESCRIBE_LIFECYCLE, LIST
from collectors.session import Sessions

REGION = "eu-west-1"
SEARCH_JOBS = Operation(
    "sagemaker",
    "Search",
    result="Results[].TrainingJob",
    parameters=(("Resource", "TrainingJob"),),
    secrets=("Environment",),
)
Answers = Iterator[tuple[int, dict[str, Any]] | BaseException]


def caller(answers: Answers, sent: list[tuple[str, dict[str, Any]]] | None = None) -> Caller:
    """A caller whose AWS gives these answers one after the other; what was sent is noted."""
    session = boto3.Session("testing", "testing", region_name=REGION)

    def answer(model: Any, params: dict[str, Any], **_: Any) -> Any:
        if sent is not None:
            sent.append((model.name, json.loads(params["body"] or b"{}")))
        given = next(answers)
        if isinstance(given, BaseException):
            raise given
        status, document = given
        return AWSResponse("http://test", status, {}, None), document

    made = Caller(Sessions(session), "123456789012", "aws", rate_share=1000.0, salt=b"test")
    session.events.register("before-call", answer)
    return made


def error(code: str, message: str = "", status: int = 400) -> tuple[int, dict[str, Any]]:
    metadata = {"HTTPStatusCode": status, "RetryAttempts": 0}
    return status, {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}


@pytest.mark.parametrize(
    ("code", "message", "status", "reason"),
    [
        ("AccessDeniedException", "", 400, Reason.DENIED),
        ("UnauthorizedOperation", "", 403, Reason.DENIED),
        ("403", "Forbidden", 403, Reason.DENIED),
        ("SomethingNew", "", 403, Reason.DENIED),
        ("ThrottlingException", "", 400, Reason.THROTTLED),
        ("SlowDown", "", 503, Reason.THROTTLED),
        ("ExpiredTokenException", "", 400, Reason.EXPIRED),
        ("UnrecognizedClientException", "", 400, Reason.REGION_OFF),
        ("UnknownOperationException", "", 400, Reason.NOT_OFFERED),
        ("ValidationException", "Could not find training job x", 400, Reason.VANISHED),
        ("ValidationException", "1 validation error", 400, Reason.FAILED),
        ("NoSuchBucket", "", 404, Reason.VANISHED),
        ("InternalFailure", "", 500, Reason.FAILED),
    ],
)
def test_reasons_are_told_apart(code: str, message: str, status: int, reason: Reason) -> None:
    assert reason_of(code, message, status) is reason


def test_a_refused_read_is_a_gap_with_the_operation_and_the_code() -> None:
    made = caller(iter([error("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized")]))
    found = made.read(DESCRIBE, REGION, {"NotebookInstanceName": "n"})
    assert isinstance(found, Gap)
    assert (found.operation, found.reason, found.code, found.region) == (
        "sagemaker:DescribeNotebookInstance",
        Reason.DENIED,
        "AccessDeniedException",
        REGION,
    )
    assert list(made.gaps.values()) == [found]


def test_not_configured_is_no_gap() -> None:
    operation = Operation("s3", "GetBucketPolicy", absent=("NoSuchBucketPolicy",))
    session = boto3.Session("testing", "testing", region_name=REGION)
    made = Caller(Sessions(session), "123456789012", "aws", rate_share=1000.0, salt=b"test")
    session.events.register(
        "before-call",
        lambda **_: (AWSResponse("", 404, {}, None), error("NoSuchBucketPolicy", status=404)[1]),
    )
    assert made.read(operation, REGION, {"Bucket": "churn-data"}) is None
    assert made.gaps == {}


def test_pages_are_followed_with_the_largest_page_and_counted() -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    pages = [
        (200, {"NotebookInstances": [{"NotebookInstanceName": "a"}], "NextToken": "1"}),
        (200, {"NotebookInstances": [], "NextToken": "2"}),
        (200, {"NotebookInstances": [{"NotebookInstanceName": "b"}]}),
    ]
    made = caller(iter(pages), sent)
    found = [d["NotebookInstanceName"] for d in made.pages(LIST, REGION, {})]
    assert found == ["a", "b"]
    assert [body.get("MaxResults") for _, body in sent] == [100, 100, 100]
    assert dict(made.tally.calls) == {"sagemaker:ListNotebookInstances": 3}


def test_empty_pages_without_end_are_a_gap_after_a_bound() -> None:
    endless = ((200, {"NotebookInstances": [], "NextToken": str(n)}) for n in range(10_000))
    made = caller(endless)
    with pytest.raises(Unread) as caught:
        list(made.pages(LIST, REGION, {}))
    assert caught.value.gap.reason is Reason.TRUNCATED
    assert made.tally.calls["sagemaker:ListNotebookInstances"] == EMPTY_PAGES + 1


def test_a_token_that_comes_again_is_a_gap() -> None:
    same = ((200, {"NotebookInstances": [{"NotebookInstanceName": "a"}], "NextToken": "x"}) for _ in range(9))
    with pytest.raises(Unread) as caught:
        list(caller(same).pages(LIST, REGION, {}))
    assert caught.value.gap.reason is Reason.TRUNCATED


def test_a_search_that_sends_less_than_it_counts_is_a_gap() -> None:
    job = {"TrainingJob": {"TrainingJobName": "a"}}
    short = (200, {"Results": [job], "TotalHits": {"Value": 2, "Relation": "EqualTo"}})
    with pytest.raises(Unread):
        list(caller(iter([short])).pages(SEARCH_JOBS, REGION, {}))
    about = (200, {"Results": [job], "TotalHits": {"Value": 2, "Relation": "GreaterThanOrEqualTo"}})
    assert len(list(caller(iter([about])).pages(SEARCH_JOBS, REGION, {}))) == 1


def test_a_listing_that_breaks_off_keeps_what_came_before() -> None:
    pages = [
        (200, {"NotebookInstances": [{"NotebookInstanceName": "a"}], "NextToken": "1"}),
        error("ThrottlingException"),
    ]
    read = caller(iter(pages)).pages(LIST, REGION, {})
    assert next(read) == {"NotebookInstanceName": "a"}
    with pytest.raises(Unread) as caught:
        next(read)
    assert caught.value.gap.reason is Reason.THROTTLED


def test_a_lost_connection_is_asked_once_and_not_again() -> None:
    lost = botocore.exceptions.EndpointConnectionError(endpoint_url="https://api.sagemaker.test")
    made = caller(iter([lost]))
    for _ in range(3):
        found = made.read(DESCRIBE, REGION, {"NotebookInstanceName": "n"})
        assert isinstance(found, Gap)
        assert found.reason is Reason.UNREACHABLE
    assert made.tally.calls["sagemaker:DescribeNotebookInstance"] == 1


def test_after_a_stop_nothing_is_called() -> None:
    made = caller(iter([]))
    made.stopped.set()
    found = made.read(DESCRIBE, REGION, {"NotebookInstanceName": "n"})
    assert isinstance(found, Gap)
    assert found.reason is Reason.INTERRUPTED
    assert made.tally.calls == {}


def test_secrets_end_at_the_door() -> None:
    token = "hf_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3hJ5"
    page = (200, {"Results": [{"TrainingJob": {"TrainingJobName": "a", "Environment": {"HF_TOKEN": token}}}]})
    (document,) = caller(iter([page])).pages(SEARCH_JOBS, REGION, {})
    assert document["Environment"] == {"HF_TOKEN": "[redacted]"}
    assert [secret["key"] for secret in document["$secrets"]] == ["Environment.HF_TOKEN"]
    assert token not in json.dumps(document)


def test_a_script_that_cannot_be_decoded_is_a_gap_in_its_place() -> None:
    answer = (
        200,
        {"NotebookInstanceLifecycleConfigName": "l", "OnStart": [{"Content": "%%%"}], "OnCreate": []},
    )
    found = caller(iter([answer])).read(
        DESCRIBE_LIFECYCLE, REGION, {"NotebookInstanceLifecycleConfigName": "l"}
    )
    assert isinstance(found, dict)
    assert found["OnStart"][0]["Content"]["$gap"]["reason"] == Reason.UNDECODABLE


def test_messages_of_errors_hold_no_credentials() -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    found = caller(iter([error("InvalidThing", f"key {key} is bad")])).read(
        DESCRIBE, REGION, {"NotebookInstanceName": "n"}
    )
    assert isinstance(found, Gap)
    assert key not in found.message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", [{"A": [{"B": {"C": 1}}, {"B": None}, {}]}]),
        ("A[]", [{"B": {"C": 1}}, {"B": None}, {}]),
        ("A[].B", [{"C": 1}]),
        ("Z[]", []),
    ],
)
def test_documents_lie_at_their_path(path: str, expected: list[Any]) -> None:
    assert list(documents_in({"A": [{"B": {"C": 1}}, {"B": None}, {}]}, path)) == expected


def test_shapes_and_probes_come_from_botocores_model() -> None:
    assert shape_at(LIST, "NotebookInstanceName").type_name == "string"
    assert shape_at(LIST, "NoSuchMember") is None
    assert shape_at(Operation("sagemaker", "NoSuchOperation"), "X") is None
    assert probe_parameters(DESCRIBE) == {"NotebookInstanceName": "auditor-probe"}
    assert probe_parameters(SEARCH_JOBS) == {"Resource": "TrainingJob"}


BILLED = Operation(
    "ce", "GetSavingsPlansUtilizationDetails", result="SavingsPlansUtilizationDetails[]", charge=0.01
)
PERIOD = {"TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}}


def test_what_aws_bills_is_called_only_when_it_was_asked_for() -> None:
    refused = caller(iter([]))
    with pytest.raises(Unread) as caught:
        list(refused.pages(BILLED, "us-east-1", PERIOD))
    gap = caught.value.gap
    assert (gap.reason, gap.reason.is_expected) == (Reason.OPT_IN, True)
    assert "USD 0.01" in gap.message
    assert "--cost-explorer" in gap.message
    assert refused.tally.calls == {}
    allowed = caller(iter([(200, {"SavingsPlansUtilizationDetails": [{"SavingsPlanArn": "a"}]})]))
    allowed.charges = True
    assert [found["SavingsPlanArn"] for found in allowed.pages(BILLED, "us-east-1", PERIOD)] == ["a"]


def test_a_listing_without_a_paginator_is_read_to_its_end() -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    answers = iter(
        [
            (200, {"SavingsPlansUtilizationDetails": [{"SavingsPlanArn": "a"}], "NextToken": "2"}),
            (200, {"SavingsPlansUtilizationDetails": [{"SavingsPlanArn": "b"}]}),
        ]
    )
    made = caller(answers, sent)
    made.charges = True
    found = [document["SavingsPlanArn"] for document in made.pages(BILLED, "us-east-1", PERIOD)]
    assert found == ["a", "b"]
    assert [body.get("NextToken") for _, body in sent] == [None, "2"]


def test_a_service_that_a_region_does_not_have_is_not_called() -> None:
    made = caller(iter([]))
    found = made.read(Operation("codeartifact", "ListRepositories"), "ap-southeast-3", {})
    assert isinstance(found, Gap)
    assert (found.reason, found.reason.is_expected) == (Reason.NOT_OFFERED, True)
    assert made.tally.calls == {}
