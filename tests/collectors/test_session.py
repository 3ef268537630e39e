"""What keeps a run from starting: one line each, and what to try."""

from collections.abc import Iterator

import boto3
import pytest

from auditor.demo.account import DemoAccount, demo_session, empty
from collectors.model import Reason
from collectors.sample import NOW
from collectors.session import CredentialsError, Identity, RegionError, RoleError, Sessions, open_sessions

IDENTITY = Identity("123456789012", "aws", "arn:aws:iam::123456789012:user/x")


@pytest.fixture
def account() -> DemoAccount:
    return empty(NOW)


@pytest.fixture
def session(account: DemoAccount) -> Iterator[boto3.Session]:
    with demo_session(account, everywhere=True) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ExpiredToken", "the credentials have expired: sign in again"),
        ("ExpiredTokenException", "the credentials have expired: sign in again"),
        ("InvalidClientTokenId", "AWS does not know these credentials"),
        ("SignatureDoesNotMatch", "the secret key does not belong to the access key"),
        ("AccessDenied", "AccessDenied: no"),
    ],
)
def test_credentials_that_do_not_work(
    account: DemoAccount, session: boto3.Session, code: str, says: str
) -> None:
    account.state.refuse("sts:GetCallerIdentity", code=code, message="no", status=403)
    with pytest.raises(CredentialsError, match=says) as caught:
        Sessions(session).identity()
    assert "\n" not in str(caught.value)


def test_who_is_asking(session: boto3.Session) -> None:
    found = Sessions(session).identity()
    assert (found.account, found.partition) == ("123456789012", "aws")


@pytest.mark.parametrize(
    ("wanted", "excluded", "expected"),
    [
        ((), (), ("eu-west-1", "us-east-1")),
        (("us-east-1",), (), ("us-east-1",)),
        ((), ("us-east-1",), ("eu-west-1",)),
    ],
)
def test_the_enabled_regions_are_audited(
    session: boto3.Session, wanted: tuple[str, ...], excluded: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert Sessions(session).regions(IDENTITY, wanted, excluded) == (expected, None)


@pytest.mark.parametrize(
    ("wanted", "excluded", "says"),
    [
        (("eu-west-11",), (), "did you mean eu-west-1?"),
        (("Ireland",), (), "no Region is called 'Ireland'"),
        (("ap-south-2",), (), "does not exist or is not enabled"),
        ((), ("eu-west-1", "us-east-1"), "no Region is left"),
    ],
)
def test_regions_that_cannot_be_audited(
    session: boto3.Session, wanted: tuple[str, ...], excluded: tuple[str, ...], says: str
) -> None:
    with pytest.raises(RegionError) as caught:
        Sessions(session).regions(IDENTITY, wanted, excluded)
    assert says in str(caught.value)


def test_without_leave_to_list_regions_they_have_to_be_named(
    account: DemoAccount, session: boto3.Session
) -> None:
    account.state.denied.add("ec2:DescribeRegions")
    with pytest.raises(RegionError, match="allow ec2:DescribeRegions or name Regions with --region"):
        Sessions(session).regions(IDENTITY, (), ())
    regions, gap = Sessions(session).regions(IDENTITY, ("eu-west-1",), ())
    assert regions == ("eu-west-1",)
    assert gap is not None
    assert gap.reason is Reason.DENIED


def test_a_role_that_is_refused(
    account: DemoAccount, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    account.state.denied.add("sts:AssumeRole")
    with pytest.raises(RoleError, match="cannot assume arn:aws:iam::111122223333:role/auditor: AccessDenied"):
        open_sessions(role_arn="arn:aws:iam::111122223333:role/auditor", external_id="external")
    with pytest.raises(RoleError, match="is no role ARN"):
        open_sessions(role_arn="auditor")


def test_an_assumed_role_reads(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    role = "arn:aws:iam::123456789012:role/auditor"
    found = open_sessions(role_arn=role, external_id="external").identity()
    assert found.arn.startswith("arn:aws:sts::123456789012:assumed-role/auditor/")


def test_clients_are_made_once(session: boto3.Session) -> None:
    sessions = Sessions(session)
    assert sessions.client("sagemaker", "eu-west-1") is sessions.client("sagemaker", "eu-west-1")
    assert sessions.client("sagemaker", "eu-west-1") is not sessions.client("sagemaker", "us-east-1")
