"""The state machine of the fan-out: whole on paper, and run by moto's interpreter state by state."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws
from stacks import Tree, definition, parsed

from auditor.deploy.handler import flags_of

ACCOUNTS = ["111122223333", "444455556666"]
REGION = "eu-west-1"
LAMBDA_ANSWERS = "http://motoapi.amazonaws.com/moto-api/static/lambda-simple/response"


def machines(tree: Tree) -> Iterator[Tree]:
    """A state machine, and those that its maps hold."""
    yield tree
    for state in tree["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def followers(state: Tree) -> set[str]:
    """The states that may come next."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    return found | {each["Next"] for key in ("Choices", "Catch") for each in state.get(key, ())}


def test_every_state_is_reached_and_leads_on_or_ends() -> None:
    for machine in machines(definition()):
        states = machine["States"]
        seen: set[str] = set()
        ahead = {machine["StartAt"]}
        while ahead:
            seen |= ahead
            ahead = {name for key in ahead for name in followers(states[key])} - seen
        assert seen == set(states)
        for key, state in states.items():
            ends = state["Type"] in ("Succeed", "Fail") or state.get("End", False)
            assert ends != bool(followers(state)), key


def test_what_may_be_absent_is_asked_for_before_it_is_compared() -> None:
    """Step Functions ends an execution that compares what is not there; moto says no."""
    optional = {"$.page.answer.NextToken", "$.error.Cause", "$.input.accounts"}
    asked = set()
    for machine in machines(definition()):
        for state in machine["States"].values():
            for choice in state.get("Choices", ()):
                first, *others = choice.get("And", [choice])
                compared = {each.get("Variable") for each in others}
                if "IsPresent" in first:
                    asked.add(first["Variable"])
                    assert compared <= {first["Variable"]}
                else:
                    assert first.get("Variable") not in optional
    assert asked == optional


def test_every_substitution_is_used_and_none_is_missing() -> None:
    machine = parsed("fanout")["Resources"]["StateMachine"]["Properties"]
    text = json.dumps(machine["Definition"]).replace("${AWS::Partition}", "")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(machine["DefinitionSubstitutions"])


def test_what_may_be_throttled_is_tried_again_and_no_work_is_endless() -> None:
    for machine in machines(definition()):
        for key, state in machine["States"].items():
            if state["Type"] == "Task":
                (retry,) = state["Retry"]
                assert (retry["MaxAttempts"] >= 5, retry["BackoffRate"], retry["JitterStrategy"]) == (
                    True,
                    2,
                    "FULL",
                )
                assert "States.ALL" not in retry["ErrorEquals"], "a run that failed is not repeated"
                assert "States.TaskFailed" not in retry["ErrorEquals"], key
            if state.get("Resource", "").endswith(("runTask.sync", "lambda:invoke")):
                assert state["TimeoutSeconds"] > 0
                assert [each["ErrorEquals"] for each in state["Catch"]] == [["States.ALL"]]
    assert definition()["TimeoutSeconds"] < 24 * 3600


# -------------------------------------------------------------------------------------------- run by moto's interpreter


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        boto3.client("s3").create_bucket(
            Bucket="findings", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield


def role() -> str:
    made = boto3.client("iam").create_role(RoleName="orchestrator", AssumeRolePolicyDocument="{}")
    return str(made["Role"]["Arn"])


def execute(machine: Tree, given: Any) -> tuple[Tree, dict[str, Any]]:
    """An execution that has ended, and what each of its states was given (the last time)."""
    ended, states, _ = run(machine, given)
    return ended, states


def run(machine: Tree, given: Any) -> tuple[Tree, dict[str, Any], list[Any]]:
    """The same, and the requests that its tasks made."""
    client = boto3.client("stepfunctions")
    made = client.create_state_machine(name="fan-out", definition=json.dumps(machine), roleArn=role())
    before = set(threading.enumerate())
    started = client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(given))
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    history = client.get_execution_history(executionArn=started["executionArn"])["events"]
    entered = [each["stateEnteredEventDetails"] for each in history if "stateEnteredEventDetails" in each]
    ended: Tree = client.describe_execution(executionArn=started["executionArn"])
    scheduled = [each["taskScheduledEventDetails"] for each in history if "taskScheduledEventDetails" in each]
    made_of = [json.loads(each["parameters"]) for each in scheduled]
    return ended, {each["name"]: json.loads(each["input"]) for each in entered}, made_of


def account_machine(start: str = "LeftOut", **given: str) -> Tree:
    """What is done with one account, from a state on."""
    processor = definition(**given)["States"]["EachAccount"]["ItemProcessor"]
    return {"StartAt": start, "States": processor["States"]}


def test_the_accounts_of_an_organisation_are_those_that_are_active() -> None:
    client = boto3.client("organizations")
    client.create_organization(FeatureSet="ALL")
    for number in range(24):
        client.create_account(Email=f"ml-{number}@larkspur.example", AccountName=f"ml-{number}")
    every = [each["Id"] for each in client.list_accounts()["Accounts"]]
    client.close_account(AccountId=every[-1])
    _, states = execute(definition(ExcludedAccounts=every[0]), {})
    assert states["EachAccount"]["accounts"] == every[:-1]
    assert states["EachAccount"]["excluded"] == ["none", every[0]]
    assert (states["EachAccount"]["concurrency"], states["EachAccount"]["tolerated"]) == (3, 100)


def test_pages_are_joined_until_there_is_no_next_one() -> None:
    machine = definition()
    page = {"ids": ["2", "3"], "answer": {"NextToken": "more"}}
    _, states = execute(machine | {"StartAt": "JoinPages"}, {"accounts": ["1"], "page": page})
    assert states["MorePages"]["accounts"] == ["1", "2", "3"]
    assert "ReadNextPage" in states
    assert machine["States"]["ReadNextPage"]["Parameters"] == {"NextToken.$": "$.page.answer.NextToken"}


def test_a_list_in_the_bucket_is_read_and_taken() -> None:
    """moto gives an object's body as a stream; Step Functions gives its text, with which it goes on here."""
    _, states = execute(definition(AccountsFrom="list"), {})
    assert list(states) == ["Settings", "WhichAccounts", "ReadList"]
    _, states = execute_again("TakeList", {"accounts": [], "list": {"accounts": ACCOUNTS}})
    assert states["EachAccount"]["accounts"] == ACCOUNTS


def execute_again(start: str, given: Any) -> tuple[Tree, dict[str, Any]]:
    boto3.client("iam").delete_role(RoleName="orchestrator")
    client = boto3.client("stepfunctions")
    for each in client.list_state_machines()["stateMachines"]:
        client.delete_state_machine(stateMachineArn=each["stateMachineArn"])
    return execute(
        definition() | {"StartAt": start}, {"concurrency": 3, "tolerated": 100, "excluded": []} | given
    )


def test_accounts_that_were_asked_for_by_hand_come_before_the_organisation() -> None:
    _, states = execute(definition(), {"accounts": ACCOUNTS})
    assert states["EachAccount"]["accounts"] == ACCOUNTS
    assert "ReadFirstPage" not in states


def test_an_excluded_account_is_left_out() -> None:
    ended, states = execute(account_machine(), {"account": "111122223333", "excluded": True})
    assert (ended["status"], list(states)) == ("SUCCEEDED", ["LeftOut", "Excluded"])


def test_an_account_is_audited_with_its_role_and_its_own_places() -> None:
    """moto does not turn Step Functions' names into those of ECS: the request is looked at, its answer is not."""
    machine = account_machine(
        Cluster="arn:cluster", TaskDefinition="arn:task", Subnets="subnet-1,subnet-2", SecurityGroup="sg-1"
    )
    *_, (request,) = run(machine, {"account": "111122223333", "excluded": False})
    assert request == {
        "Cluster": "arn:cluster",
        "TaskDefinition": "arn:task",
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "Subnets": ["subnet-1", "subnet-2"],
                "SecurityGroups": ["sg-1"],
                "AssignPublicIp": "DISABLED",
            }
        },
        "Overrides": {
            "ContainerOverrides": [
                {
                    "Name": "auditor",
                    "Environment": [
                        {
                            "Name": "AUDITOR_ROLE_ARN",
                            "Value": "arn:aws:iam::111122223333:role/auditor-reader",
                        },
                        {"Name": "AUDITOR_STATE", "Value": "s3://findings/state/account=111122223333/"},
                        {"Name": "AUDITOR_FEED", "Value": "s3://findings/feed/account=111122223333/"},
                    ],
                }
            ]
        },
        "StartedBy": "AWS Step Functions",
    }


def test_a_clean_account_ends_with_exit_code_0() -> None:
    ended, _ = execute(account_machine("Clean"), {"account": "111122223333"})
    assert json.loads(ended["output"]) == {"account": "111122223333", "exit_code": 0}


@pytest.mark.parametrize(
    ("code", "status"), [(1, "SUCCEEDED"), (3, "SUCCEEDED"), (2, "FAILED"), (4, "FAILED"), (137, "FAILED")]
)
def test_a_task_that_ended_is_judged_by_its_exit_code(code: int, status: str) -> None:
    cause = json.dumps({"Containers": [{"ExitCode": code, "Name": "auditor"}]})
    error = {"Error": "States.TaskFailed", "Cause": cause}
    ended, _ = execute(account_machine("HowItEnded"), {"account": "111122223333", "error": error})
    assert ended["status"] == status
    if status == "SUCCEEDED":
        assert json.loads(ended["output"]) == {"account": "111122223333", "exit_code": code}
    else:
        assert (ended["error"], json.loads(ended["cause"])) == ("AuditFailed", error)


@pytest.mark.parametrize(
    "error",
    [
        {"Error": "States.TaskFailed", "Cause": '{"Containers": [{"Name": "auditor"}]}'},
        {"Error": "States.TaskFailed", "Cause": '{"Containers": []}'},
        {"Error": "AmazonECS.Unknown", "Cause": "Capacity is unavailable at this time."},
        {"Error": "States.Timeout"},
    ],
    ids=["no exit code", "no container", "a sentence", "no cause"],
)
def test_a_task_that_never_ended_by_itself_is_a_failed_account(error: Tree) -> None:
    ended, _ = execute(account_machine("HowItEnded"), {"account": "111122223333", "error": error})
    assert (ended["status"], ended["error"]) == ("FAILED", "AuditFailed")
    assert json.loads(ended["cause"]) == error


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_function_is_given_the_account_and_its_places(code: int) -> None:
    answer = {"results": [json.dumps({"exit_code": code})], "region": REGION}
    assert requests.post(LAMBDA_ANSWERS, json=answer, timeout=10).status_code == 201
    machine = account_machine("Place", Runtime="lambda", Function="auditor")
    ended, _, (request,) = run(machine, {"account": "111122223333"})
    assert request == {
        "FunctionName": "auditor",
        "Payload": {
            "role_arn": "arn:aws:iam::111122223333:role/auditor-reader",
            "state": "s3://findings/state/account=111122223333/",
            "feed": "s3://findings/feed/account=111122223333/",
        },
    }
    assert flags_of(request["Payload"]) == request["Payload"]
    assert json.loads(ended["output"]) == {"account": "111122223333", "exit_code": code}


@pytest.mark.parametrize(
    ("counts", "last"),
    [
        ({"total": 3, "failed": 0, "timed_out": 0, "aborted": 0}, "AllAudited"),
        ({"total": 3, "failed": 1, "timed_out": 0, "aborted": 0}, "SomeFailed"),
        ({"total": 3, "failed": 0, "timed_out": 1, "aborted": 0}, "SomeFailed"),
        ({"total": 3, "failed": 0, "timed_out": 0, "aborted": 2}, "SomeFailed"),
    ],
)
def test_an_execution_fails_where_an_account_did_although_the_map_did_not(counts: Tree, last: str) -> None:
    ended, states = execute(definition() | {"StartAt": "AnyFailed"}, {"counts": counts})
    assert list(states)[-1] == last
    if last == "SomeFailed":
        said = f"{counts['failed']} of 3 accounts failed; see s3://findings/results/"
        assert (ended["error"], ended["cause"]) == ("AccountsFailed", said)
    else:
        assert ended["status"] == "SUCCEEDED"


def test_results_are_kept_and_failed_accounts_counted() -> None:
    """moto does not describe a map's run by Step Functions' own names: here it ends before the count."""
    _, states = execute(definition(ExcludedAccounts=",".join(ACCOUNTS)), {"accounts": ACCOUNTS})
    details = states["CountFailed"]["map"]["ResultWriterDetails"]
    assert details["Bucket"] == "findings"
    assert details["Key"].startswith("results/")
    assert definition()["States"]["CountFailed"]["Parameters"] == {"MapRunArn.$": "$.map.MapRunArn"}
