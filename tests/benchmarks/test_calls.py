"""API calls per resource, counted by the account that answers them: the budgets are part of the promise.

Run alone with `pytest tests/benchmarks/test_calls.py -s` to see the figures.
"""

from datetime import timedelta
from typing import Any

import pytest

from auditor.demo.account import demo_session, empty
from auditor.demo.state import DemoState
from auditor.scan import Scan, run_scan
from auditor.selection import select
from auditor.settings import Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import Rule

REGION = "eu-west-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/churn:1"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def add_training_jobs(state: DemoState, count: int) -> None:
    for number in range(count):
        name, start = f"churn-{number:05d}", NOW - timedelta(minutes=20 * number + 100)
        document: dict[str, Any] = {
            "TrainingJobName": name,
            "TrainingJobArn": arn("training-job", name),
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://churn-models/{name}/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://churn-models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "CreationTime": start,
            "TrainingStartTime": start,
            "TrainingEndTime": start + timedelta(minutes=90),
            "TrainingTimeInSeconds": 5400,
            "BillableTimeInSeconds": 5400,
        }
        state.add("TrainingJob", REGION, document)


def add_model(state: DemoState, name: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://churn-models/{name}/model.tar.gz"}
    state.add(
        "Model",
        REGION,
        {
            "ModelName": name,
            "ModelArn": arn("model", name),
            "PrimaryContainer": container,
            "ExecutionRoleArn": ROLE,
            "CreationTime": NOW - timedelta(days=40),
        },
    )


def add_endpoints(state: DemoState, count: int) -> None:
    created = NOW - timedelta(days=40)
    for number in range(count):
        name = f"churn-{number:05d}"
        add_model(state, name)
        variant = {
            "VariantName": "main",
            "ModelName": name,
            "InstanceType": "ml.m5.xlarge",
            "InitialInstanceCount": 2,
        }
        state.add(
            "EndpointConfig",
            REGION,
            {
                "EndpointConfigName": name,
                "EndpointConfigArn": arn("endpoint-config", name),
                "ProductionVariants": [{**variant, "InitialVariantWeight": 1.0}],
                "CreationTime": created,
            },
        )
        state.add(
            "Endpoint",
            REGION,
            {
                "EndpointName": name,
                "EndpointArn": arn("endpoint", name),
                "EndpointConfigName": name,
                "EndpointStatus": "InService",
                "ProductionVariants": [
                    {
                        "VariantName": "main",
                        "CurrentWeight": 1.0,
                        "DesiredWeight": 1.0,
                        "CurrentInstanceCount": 2,
                        "DesiredInstanceCount": 2,
                    }
                ],
                "CreationTime": created,
                "LastModifiedTime": created + timedelta(days=5),
            },
        )


def add_roles(state: DemoState, count: int) -> None:
    trust = '{"Version": "2012-10-17", "Statement": []}'
    for number in range(count):
        state.add(
            "Role",
            "us-east-1",
            {
                "Path": "/",
                "RoleName": f"role-{number}",
                "RoleId": f"AROA{number:017d}",
                "Arn": f"arn:aws:iam::{ACCOUNT}:role/role-{number}",
                "CreateDate": NOW,
                "AssumeRolePolicyDocument": trust,
            },
        )


def calls(state: DemoState, rules: tuple[Rule, ...]) -> dict[str, int]:
    """The calls by operation of a scan of one Region with these rules."""
    account = empty(NOW)
    object.__setattr__(account, "state", state)
    settings = Settings(regions=(REGION,), rate_share=1000.0)
    with demo_session(account) as session:
        outcome = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"bench"))
    assert outcome.snapshot.gaps == []
    print(sorted(outcome.calls.items()))
    return dict(outcome.calls)


def sagemaker(counted: dict[str, int]) -> int:
    return sum(count for operation, count in counted.items() if operation.startswith("sagemaker:"))


@pytest.fixture
def state() -> DemoState:
    return empty(NOW).state


def test_a_thousand_training_jobs(state: DemoState) -> None:
    add_training_jobs(state, 1000)
    assert (
        sagemaker(calls(state, select(["SEC-011", "SEC-012", "SEC-014", "REL-003", "COST-014", "COST-015"])))
        <= 12
    )


def test_a_thousand_models(state: DemoState) -> None:
    for number in range(1000):
        add_model(state, f"churn-{number:05d}")
    assert sagemaker(calls(state, select(["SEC-019"]))) <= 12


def test_two_hundred_endpoints_with_their_configurations(state: DemoState) -> None:
    add_endpoints(state, 200)
    rules = ["REL-001", "SEC-020", "OPS-019"]
    assert sagemaker(calls(state, select(rules))) <= 210


def test_two_hundred_endpoints_with_their_last_deployment(state: DemoState) -> None:
    add_endpoints(state, 200)
    rules = ["REL-001", "SEC-020", "OPS-019", "REL-015", "REL-016"]
    assert sagemaker(calls(state, select(rules))) <= 410


def test_the_metrics_of_two_hundred_variants(state: DemoState) -> None:
    add_endpoints(state, 200)
    rules = ["REL-018", "PERF-002", "PERF-003", "PERF-004", "PERF-005", "COST-001"]
    assert calls(state, select(rules))["cloudwatch:GetMetricData"] <= 10


def test_five_hundred_roles(state: DemoState) -> None:
    add_roles(state, 500)
    rules = ["SEC-040", "SEC-041", "SEC-042", "SEC-043", "SEC-044", "SEC-045"]
    counted = calls(state, select(rules))
    assert counted["iam:GetAccountAuthorizationDetails"] <= 10
