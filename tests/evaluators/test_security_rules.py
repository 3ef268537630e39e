"""Security rules where an executed example cannot say it: other partitions, what stays unknown, how bad a case is."""

from typing import Any

import msgspec
import pytest

from collectors.cloudtrail import Trail
from collectors.guards import GuardDuty, Macie, MacieBucket, MacieFindings
from collectors.iam import Account, ManagedPolicy, Role
from collectors.kms import KmsKey
from collectors.model import Gap, Reason, pack
from collectors.network import RouteTable, SecurityGroup, Subnet, Vpc
from collectors.s3 import Bucket
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import ABSENT, ACCOUNT, NOW, Sample, resources_of, sample, snapshot_of
from evaluators.engine import Judgement, judge
from evaluators.environment import Environment, Placement
from evaluators.rule import Severity, Status, Verdict, all_rules
from evaluators.score import Scoreboard, lowered_severity

RULES = {rule.code: rule for rule in all_rules()}
PASS, FAIL, UNKNOWN, OTHER = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
DENIED = Gap("test:Refused", Reason.DENIED, "AccessDenied")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
FOREIGN_KEY = "arn:aws:kms:eu-west-1:999988887777:key/k"
ROLE = "arn:aws:iam::123456789012:role/jobs"
ROOT = {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1}
BUCKET = sample(Bucket, "churn", arn="arn:aws:s3:::churn", bucket_region="eu-west-1")
MODEL = sample(Model, "scorer", subnets=["subnet-1"], security_group_ids=["sg-1"])
SUBNET = sample(Subnet, "subnet-1")
SHARED = sample(Vpc, "vpc-1", owner_id="999988887777")
OPEN = sample(
    SecurityGroup,
    "sg-1",
    ip_permissions_egress=[{"ip_protocol": "-1", "ip_ranges": [{"cidr_ip": "0.0.0.0/0"}]}],
)


def judgements(code: str, made: list[Sample], partition: str = "aws") -> list[Judgement]:
    snapshot = snapshot_of(made)
    (manifest,) = snapshot.manifests
    there = msgspec.structs.replace(manifest, partition=partition)
    snapshot.manifests = (there,)
    found = judge([RULES[code]], snapshot)
    return [j for j in found if not RULES[code].views or j.subject.name == made[0].name]


def by_transit() -> Sample:
    route = {"destination_cidr_block": "0.0.0.0/0", "state": "active", "transit_gateway_id": "tgw-1"}
    return sample(RouteTable, "rtb-1", associations=[{"subnet_id": "subnet-1"}], routes=[route])


@pytest.mark.parametrize(
    ("code", "partition", "made", "expected"),
    [
        ("SEC-008", "aws-iso", [sample(Domain, "d-1", auth_mode="IAM")], OTHER),
        ("SEC-008", "aws-us-gov", [sample(Domain, "d-1", auth_mode="IAM")], FAIL),
        ("SEC-039", "aws-cn", [sample(NotebookInstance, "n", subnet_id="subnet-1"), SUBNET], OTHER),
        ("SEC-047", "aws-iso-b", [sample(Account, ACCOUNT)], OTHER),
        ("SEC-047", "aws-cn", [sample(Account, ACCOUNT)], FAIL),
        ("SEC-050", "aws-us-gov", [sample(Account, ACCOUNT, summary_map=ROOT)], OTHER),
        (
            "SEC-050",
            "aws-us-gov",
            [sample(Account, ACCOUNT, summary_map={**ROOT, "AccountAccessKeysPresent": 1})],
            FAIL,
        ),
        ("SEC-058", "aws-us-gov", [sample(Endpoint, "e"), BUCKET], OTHER),
        ("SEC-058", "aws-cn", [sample(Endpoint, "e"), BUCKET], OTHER),
        # Where GuardDuty does not list a protection of AI, none is asked for.
        (
            "SEC-060",
            "aws-cn",
            [
                sample(Endpoint, "e"),
                sample(
                    GuardDuty,
                    "guardduty",
                    arn="guardduty",
                    detector_ids=["d"],
                    status="ENABLED",
                    features=[{"name": "S3_DATA_EVENTS", "status": "ENABLED"}],
                ),
            ],
            PASS,
        ),
    ],
)
def test_what_a_partition_does_not_offer_is_not_asked_for(
    code: str, partition: str, made: list[Sample], expected: Status
) -> None:
    assert {j.verdict.status for j in judgements(code, made, partition)} == {expected}


@pytest.mark.parametrize(
    ("code", "made"),
    [
        pytest.param(
            "SEC-004",
            [
                sample(NotebookInstance, "n", kms_key_id=FOREIGN_KEY),
                sample(KmsKey, FOREIGN_KEY, arn=FOREIGN_KEY, key_manager=DENIED),
            ],
            id="who manages another account's key",
        ),
        pytest.param("SEC-034", [OPEN, MODEL, SUBNET, by_transit()], id="where a transit gateway leads"),
        pytest.param("SEC-035", [SHARED, SUBNET, MODEL], id="the flow logs of a shared VPC"),
        pytest.param("SEC-036", [SHARED, SUBNET, MODEL, by_transit()], id="the endpoints of a shared VPC"),
        pytest.param(
            "SEC-059",
            [
                BUCKET,
                sample(Macie, "macie", arn="macie", status="ENABLED"),
                sample(MacieFindings, "findings", arn="findings"),
                sample(MacieBucket, "churn", arn="arn:aws:s3:::churn", error_code="ACCESS_DENIED"),
            ],
            id="a bucket that Macie may not read",
        ),
        pytest.param(
            "SEC-061",
            [sample(KmsKey, FOREIGN_KEY, arn=FOREIGN_KEY, policy=ABSENT, key_rotation_enabled=ABSENT)],
            id="the policy of another account's key",
        ),
    ],
)
def test_what_another_account_keeps_to_itself_is_unknown(code: str, made: list[Sample]) -> None:
    assert [j.verdict.status for j in judgements(code, made)] == [UNKNOWN]


def test_an_older_run_of_a_batch_job_that_was_not_described_is_not_judged() -> None:
    snapshot = snapshot_of([])
    (made,) = [
        found
        for found in resources_of(sample(TransformJob, "scores-1"), NOW)
        if found.kind == TransformJob.kind
    ]
    listed = {name: read for name, read in made.readings().items() if name == "sagemaker:ListTransformJobs"}
    snapshot.add(msgspec.structs.replace(made, documents=pack(listed)))
    assert [j.verdict.status for j in judge([RULES["SEC-021"]], snapshot)] == [OTHER]


def role(boundary: str | None = None) -> Sample:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return sample(
        Role,
        "jobs",
        arn=ROLE,
        assume_role_policy_document={"Statement": [trust]},
        role_policy_list=[{"policy_name": "p", "policy_document": {"Statement": [statement]}}],
        permissions_boundary_arn=boundary,
    )


EDGE = sample(
    ManagedPolicy,
    "edge",
    arn="arn:aws:iam::123456789012:policy/edge",
    policy_version_list=[
        {
            "is_default_version": True,
            "document": {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]},
        }
    ],
)
USED = sample(TrainingJob, "j", role_arn=ROLE)
NAMES_IT = sample(NotebookInstance, "n", kms_key_id=KEY)


def trail(**values: Any) -> list[Sample]:
    whole = {"log_file_validation_enabled": True, "kms_key_id": "k", "cloud_watch_logs_log_group_arn": "g"}
    return [sample(Trail, "t", **{**whole, **values})]


def key(**values: Any) -> Sample:
    return sample(KmsKey, KEY, arn=KEY, **values)


@pytest.mark.parametrize(
    ("code", "made", "expected"),
    [
        pytest.param("SEC-040", [role(), USED], Severity.CRITICAL, id="an administrator"),
        pytest.param(
            "SEC-040",
            [role("arn:aws:iam::123456789012:policy/edge"), USED, EDGE],
            Severity.HIGH,
            id="an administrator within a boundary",
        ),
        pytest.param("SEC-055", trail(log_file_validation_enabled=False), Severity.HIGH, id="forgeable"),
        pytest.param("SEC-055", trail(kms_key_id=None), Severity.MEDIUM, id="without a key"),
        pytest.param(
            "SEC-055", trail(cloud_watch_logs_log_group_arn=None), Severity.LOW, id="without a log group"
        ),
        pytest.param(
            "SEC-061", [key(key_state="PendingDeletion"), NAMES_IT], Severity.CRITICAL, id="data will be lost"
        ),
        pytest.param("SEC-061", [key(key_state="PendingDeletion")], Severity.MEDIUM, id="nothing names it"),
        pytest.param("SEC-061", [key(key_state="Disabled"), NAMES_IT], Severity.MEDIUM, id="can be enabled"),
        pytest.param("SEC-061", [key(key_rotation_enabled=False), NAMES_IT], Severity.MEDIUM, id="old"),
    ],
)
def test_how_bad_a_case_is(code: str, made: list[Sample], expected: Severity) -> None:
    assert [(j.verdict.status, lowered_severity(j)[0]) for j in judgements(code, made)] == [(FAIL, expected)]


def test_a_case_that_is_worse_than_its_rule_costs_no_more_than_the_whole_rule() -> None:
    """The weight of the subject rises with the finding."""
    rule = RULES["SEC-061"]
    (found,) = judgements("SEC-061", [key(key_state="PendingDeletion"), NAMES_IT])
    board = Scoreboard([rule])
    board.add(found)
    board.add(
        Judgement(rule, found.subject, Verdict(PASS), Placement(Environment.PRODUCTION, "tag"), gap=None)
    )
    score = board.pillar(rule.pillar)
    # One finding of 100 points beside a pass of 50.
    assert score.low == score.high == 33.3
