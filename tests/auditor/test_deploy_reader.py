"""Stacks under moto: the reader's role is created and assumed; of the others what moto knows."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.events.models import EventPattern
from stacks import EXTERNAL_ID, IMAGE, Tree, parsed

from auditor.deploy.templates import read_actions, template
from collectors.session import open_sessions

ACCOUNT = "123456789012"
PRINCIPAL = "arn:aws:iam::111122223333:role/audit"
REGION = "eu-west-1"
UNKNOWN_TO_MOTO = {
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
}
NEEDS_UNKNOWN = {"SchedulerRole", "FailedTasks", "StateMachine", "MapPolicy"}
"""They refer to those, or need of a type what moto lacks: the state machine as an object, an input transformer."""


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def create(text: str, **parameters: str) -> Any:
    """A stack of a template; its description comes back."""
    client = boto3.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    client.create_stack(
        StackName="auditor", TemplateBody=text, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    (stack,) = client.describe_stacks(StackName="auditor")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return stack


def role_of(stack: Any) -> str:
    return next(str(each["OutputValue"]) for each in stack["Outputs"] if each["OutputKey"] == "RoleArn")


@pytest.mark.parametrize("search", [True, False])
def test_the_reader_is_created_with_the_derived_policy_and_nothing_else(search: bool) -> None:
    stack = create(template("reader", search=search), AuditorPrincipalArn=PRINCIPAL, ExternalId=EXTERNAL_ID)
    assert role_of(stack) == f"arn:aws:iam::{ACCOUNT}:role/auditor-reader"
    iam = boto3.client("iam")
    role = iam.get_role(RoleName="auditor-reader")["Role"]
    assert role["MaxSessionDuration"] == 3600
    assert "PermissionsBoundary" not in role
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Sid": "AuditorWithItsExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": PRINCIPAL},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ]
    assert iam.list_role_policies(RoleName="auditor-reader")["PolicyNames"] == []
    (attached,) = iam.list_attached_role_policies(RoleName="auditor-reader")["AttachedPolicies"]
    version = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"]["Statement"] == [
        {"Sid": "AuditorRead", "Effect": "Allow", "Resource": "*", "Action": read_actions(search=search)}
    ]
    assert len("".join(json.dumps(version["Document"]).split())) <= 6144


def test_the_reader_takes_another_name_a_boundary_and_longer_sessions() -> None:
    boundary = boto3.client("iam").create_policy(
        PolicyName="limit",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
            }
        ),
    )["Policy"]["Arn"]
    create(
        template("reader"),
        AuditorPrincipalArn="111122223333",
        ExternalId=EXTERNAL_ID,
        RoleName="sage-reader",
        MaxSessionSeconds="43200",
        PermissionsBoundaryArn=boundary,
    )
    role = boto3.client("iam").get_role(RoleName="sage-reader")["Role"]
    assert role["MaxSessionDuration"] == 43200
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


def test_the_reader_is_assumed_by_the_program_itself() -> None:
    arn = role_of(create(template("reader"), AuditorPrincipalArn=PRINCIPAL, ExternalId=EXTERNAL_ID))
    found = open_sessions(role_arn=arn, external_id=EXTERNAL_ID).identity()
    assert (found.account, found.partition) == (ACCOUNT, "aws")
    assert found.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor-reader/sagemaker-auditor"


@pytest.mark.parametrize("given", ["", "short", "fifteen-letters", "with a space in it"])
def test_an_external_id_that_protects_nobody_is_refused(given: str) -> None:
    declared = parsed("reader")["Parameters"]["ExternalId"]
    assert "Default" not in declared
    allowed = re.fullmatch(declared["AllowedPattern"], given) and len(given) >= declared["MinLength"]
    assert not allowed


def known(tree: Tree) -> Tree:
    """What of a template moto can create."""
    kept = {
        key: each
        for key, each in tree["Resources"].items()
        if each["Type"] not in UNKNOWN_TO_MOTO and key not in NEEDS_UNKNOWN
    }
    for each in kept.values():
        each.pop("DependsOn", None)
    outputs = {key: each for key, each in tree["Outputs"].items() if key != "StateMachineArn"}
    return {key: tree[key] for key in ("Parameters", "Conditions")} | {"Resources": kept, "Outputs": outputs}


def network() -> dict[str, str]:
    client = boto3.client("ec2")
    subnets = [each["SubnetId"] for each in client.describe_subnets()["Subnets"]]
    return {"VpcId": client.describe_vpcs()["Vpcs"][0]["VpcId"], "SubnetIds": ",".join(subnets[:2])}


def documents(kind: str) -> dict[str, list[Any]]:
    """The statements of the role that is described so, by policy."""
    iam = boto3.client("iam")
    (role,) = [each for each in iam.list_roles()["Roles"] if each.get("Description") == kind]
    name = role["RoleName"]
    found = {}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        # moto keeps the policies that stand in a role as Python prints them.
        found[policy] = (ast.literal_eval(document) if isinstance(document, str) else document)["Statement"]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        version = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]
        found["attached"] = version["Document"]["Statement"]
    return found


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (IMAGE, "arn:aws:ecr:eu-west-1:111122223333:repository/ml/auditor"),
        (
            "444455556666.dkr.ecr.us-east-1.amazonaws.com/auditor@sha256:" + "0" * 64,
            "arn:aws:ecr:us-east-1:444455556666:repository/auditor",
        ),
    ],
)
def test_the_schedule_reads_its_own_account_on_fargate(image: str, repository: str) -> None:
    create(json.dumps(known(parsed("schedule"))), Image=image, **network())
    (bucket,) = boto3.client("s3").list_buckets()["Buckets"]
    place = f"arn:aws:s3:::{bucket['Name']}"
    run = documents("Runs auditor.")
    assert run.keys() == {"own-files", "attached"}
    assert [(s["Action"], s["Resource"]) for s in run["own-files"][:3]] == [
        (["s3:GetObject", "s3:PutObject"], [f"{place}/state/*", f"{place}/feed/*"]),
        ("s3:GetObject", f"{place}/config/*"),
        ("s3:ListBucket", place),
    ]
    assert run["attached"][0]["Action"] == read_actions()
    pull = next(s for s in documents("Starts the tasks of auditor.")["start"] if s["Sid"] == "Pull")
    assert pull["Resource"] == repository
    client = boto3.client("ecs")
    (task,) = client.list_task_definitions()["taskDefinitionArns"]
    (container,) = client.describe_task_definition(taskDefinition=task)["taskDefinition"][
        "containerDefinitions"
    ]
    environment = {each["name"]: each["value"] for each in container["environment"]}
    assert (environment["AUDITOR_STATE"], environment["AUDITOR_FEED"]) == (
        f"s3://{bucket['Name']}/state/",
        f"s3://{bucket['Name']}/feed/",
    )


def test_the_schedule_with_a_reader_may_assume_it_and_reads_nothing_itself() -> None:
    reader = "arn:aws:iam::444455556666:role/auditor-reader"
    create(
        json.dumps(known(parsed("schedule"))),
        Image=IMAGE,
        ReaderRoleArn=reader,
        ExternalId=EXTERNAL_ID,
        **network(),
    )
    run = documents("Runs auditor.")
    assert run.keys() == {"own-files", "read-another-account"}
    assert run["read-another-account"] == [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": reader}
    ]


def test_the_schedule_on_lambda_has_no_cluster_and_writes_its_log_itself() -> None:
    create(json.dumps(known(parsed("schedule"))), Image=IMAGE, Runtime="lambda", VpcId="", SubnetIds="")
    assert boto3.client("ecs").list_clusters()["clusterArns"] == []
    assert documents("Runs auditor.").keys() == {"own-files", "attached", "log"}


def test_the_fan_out_may_assume_readers_alone_and_run_its_own_task_alone() -> None:
    create(json.dumps(known(parsed("fanout"))), Image=IMAGE, ExternalId=EXTERNAL_ID, **network())
    run = documents("Runs auditor.")
    assert run.keys() == {"own-files", "read-accounts"}
    assert run["read-accounts"][0]["Resource"] == "arn:aws:iam::*:role/auditor-reader"
    orchestrator = documents("Runs auditor once for each account.")
    (task,) = boto3.client("ecs").list_task_definitions()["taskDefinitionArns"]
    (cluster,) = boto3.client("ecs").list_clusters()["clusterArns"]
    started = next(s for s in orchestrator["tasks"] if s["Sid"] == "RunTheTask")
    assert (started["Resource"], started["Condition"]) == (task, {"ArnEquals": {"ecs:cluster": cluster}})
    followed = next(s for s in orchestrator["tasks"] if s["Sid"] == "FollowIt")
    assert followed["Resource"] == f"{cluster.replace(':cluster/', ':task/')}/*"


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"containers": {"exitCode": 0}}, False),
        ({"containers": {"exitCode": 1}}, False),
        ({"containers": {"exitCode": 3}}, False),
        ({"containers": {"exitCode": 2}}, True),
        ({"containers": {"exitCode": 4}}, True),
        ({"containers": {"exitCode": 137}}, True),
        ({"containers": {"name": "auditor"}}, True),
        ({"containers": {"name": "auditor"}, "stopCode": "TaskFailedToStart"}, True),
        ({"containers": {"exitCode": 4}, "lastStatus": "DEPROVISIONING"}, False),
    ],
)
def test_a_task_is_told_of_by_how_it_ended(detail: Tree, told: bool) -> None:
    """EventBridge looks into the list of containers, which moto does not; a task has one, and here it is."""
    pattern = parsed("schedule")["Resources"]["FailedTasks"]["Properties"]["EventPattern"]
    pattern["detail"]["clusterArn"] = ["arn:cluster"]
    event = {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {"clusterArn": "arn:cluster", "lastStatus": "STOPPED"} | detail,
    }
    assert EventPattern.load(json.dumps(pattern)).matches_event(event) is told
