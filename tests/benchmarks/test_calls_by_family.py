"""Calls per resource of every family: what a hundred more of a kind cost, with all rules selected.

Run alone with `pytest tests/benchmarks/test_calls_by_family.py -s` to see the figures. One of the demo account's
documents is the pattern of the hundred; calls that an empty account takes too are not counted.
"""

import copy
import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from auditor.demo.account import DemoAccount, build, demo_session, empty
from auditor.demo.state import SAGEMAKER_KINDS, DemoState, arn_of, name_member
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

REGION, OTHER, COUNT = "eu-west-1", "us-east-1", 100
DEMO = build(NOW).state

# What AWS sends whole in a page of a list or of Search: a page holds a hundred, so this leaves a few pages.
LISTED = 0.1
DESCRIBED = 1 + LISTED

PER_RESOURCE: dict[str, float] = {
    **dict.fromkeys(SAGEMAKER_KINDS, LISTED),
    **dict.fromkeys(
        (
            "CompilationJob",
            "Domain",
            "InferenceComponent",
            "InferenceExperiment",
            "LabelingJob",
            "MlflowTrackingServer",
            "NotebookInstance",
            "NotebookInstanceLifecycleConfig",
            "OptimizationJob",
            "Pipeline",
            "StudioLifecycleConfig",
        ),
        DESCRIBED,
    ),
    # The policy of a group is in no list.
    "ModelPackageGroup": DESCRIBED,
    # Nor are the contents of a hub.
    "Hub": DESCRIBED,
    # Its nodes have a list of their own.
    "Cluster": 2 + LISTED,
    # Its last deployment, its lineage and its configuration; the metrics of its variants in pages.
    "Endpoint": 3 + 0.2,
    # One without an endpoint, whose last run was not clean: it, its runs, the job of one, its alerts.
    "MonitoringSchedule": 4 + LISTED,
}
ELSEWHERE: dict[str, float] = {
    "MetricAlarm": LISTED,
    "CompositeAlarm": LISTED,
    # Access advisor makes a report for each: started, and fetched when it is ready.
    "Role": 2 + LISTED,
    # Application Auto Scaling pages hold fifty targets, and ten policies.
    "ScalableTarget": LISTED,
    "ScalingPolicy": LISTED,
}
ANSWERS: dict[str, tuple[str, float]] = {
    "accessanalyzer:ListAnalyzers": ("analyzers", DESCRIBED),
    "budgets:DescribeBudgets": ("Budgets", DESCRIBED),
    "cloudwatch:ListDashboards": ("DashboardEntries", DESCRIBED),
    "codepipeline:ListPipelines": ("pipelines", DESCRIBED),
    "ec2:DescribeFlowLogs": ("FlowLogs", LISTED),
    "ec2:DescribeRouteTables": ("RouteTables", LISTED),
    "ec2:DescribeSecurityGroups": ("SecurityGroups", LISTED),
    "ec2:DescribeSubnets": ("Subnets", LISTED),
    "ec2:DescribeVpcEndpoints": ("VpcEndpoints", LISTED),
    "ec2:DescribeVpcs": ("Vpcs", LISTED),
    "ecr:DescribeRepositories": ("repositories", LISTED),
    "events:ListEventBuses": ("EventBuses", DESCRIBED),
    "events:ListRules": ("Rules", DESCRIBED),
    "logs:DescribeLogGroups": ("logGroups", LISTED),
    "macie2:DescribeBuckets": ("buckets", LISTED),
    "savingsplans:DescribeSavingsPlans": ("savingsPlans", LISTED),
    "scheduler:ListSchedules": ("Schedules", LISTED),
    "stepfunctions:ListStateMachines": ("stateMachines", DESCRIBED),
    "wellarchitected:ListWorkloads": ("WorkloadSummaries", LISTED),
}


def calls(account: DemoAccount) -> Counter[str]:
    settings = Settings(regions=(REGION,), rate_share=1000.0, cost_explorer=True)
    with demo_session(account) as session:
        scan = Scan(all_rules(), settings, {}, now=NOW, salt=b"bench")
        return Counter(run_scan(Sessions(session), scan).calls)


@functools.cache
def nothing() -> Counter[str]:
    """The calls that an empty account takes."""
    return calls(empty(NOW))


def more(account: DemoAccount) -> dict[str, float]:
    """The calls of each operation that one more resource takes."""
    found = calls(account)
    found.subtract(nothing())
    return {operation: count / COUNT for operation, count in found.items() if count > 0}


def renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: renamed(held, old, new) for key, held in value.items()}
    if isinstance(value, list):
        return [renamed(held, old, new) for held in value]
    return value.replace(old, new) if isinstance(value, str) else value


def pattern(kind: str) -> tuple[dict[str, Any], str]:
    """The demo account's first document of a kind, and the Region that it stands in."""
    return next((made, region) for region in (REGION, OTHER) for made in DEMO.documents(kind, region))


def multiply(state: DemoState, kind: str) -> None:
    document, home = pattern(kind)
    name = str(document.get(name_member(kind)) or document["PolicyName"])
    tags = {tag["Key"]: tag["Value"] for tag in DEMO.tags(arn_of(kind, document))}
    where = OTHER if kind == "Role" else REGION
    for number in range(COUNT):
        made = renamed(copy.deepcopy(document), name, f"{name[:30]}-{number}")
        if kind == "Endpoint":
            made["EndpointConfigName"] = f"configuration-{number}"
            config = pattern("EndpointConfig")[0]
            renewed = renamed(copy.deepcopy(config), config["EndpointConfigName"], f"configuration-{number}")
            state.add("EndpointConfig", REGION, renewed)
        state.add(kind, where, renamed(made, OTHER, REGION) if home == OTHER != where else made, tags)


def within(spent: Mapping[str, float], budget: float) -> None:
    print({operation: each for operation, each in sorted(spent.items()) if each > 0.02})
    assert sum(spent.values()) <= budget, spent


SEEDED = [kind for kind in SAGEMAKER_KINDS if any(DEMO.documents(kind, place) for place in (REGION, OTHER))]


@pytest.mark.parametrize("kind", [*SEEDED, *ELSEWHERE])
def test_a_hundred_more_of_a_kind(kind: str) -> None:
    account = empty(NOW)
    multiply(account.state, kind)
    within(more(account), {**PER_RESOURCE, **ELSEWHERE}[kind])


@pytest.mark.parametrize("operation", ANSWERS)
def test_a_hundred_more_in_an_answer(operation: str) -> None:
    member, budget = ANSWERS[operation]
    given = DEMO.given(operation, REGION, {})
    assert given is not None
    item = given[member][0]
    many = []
    for number in range(COUNT):
        named = {
            key: f"{value}-{number}"
            for key, value in item.items()
            if isinstance(value, str) and key.lower() in NAMES
        }
        many.append({**item, **named})
    account = empty(NOW)
    account.state.answer(operation, {**given, member: many})
    within(more(account), budget)


NAMES = frozenset(
    {
        *("arn", "id", "name", "analyzerarn", "budgetname", "bucketarn", "bucketname", "dashboardarn"),
        *("dashboardname", "flowlogid", "groupid", "loggroupname", "repositoryarn", "repositoryname"),
        *("routetableid", "savingsplanarn", "savingsplanid", "statemachinearn", "subnetid", "vpcendpointid"),
        *("vpcid", "workloadarn", "workloadid"),
    }
)
"""What tells one item from another."""


def test_every_kind_that_the_demo_lacks_is_known() -> None:
    """A family without a pattern is a family without a budget."""
    assert set(SAGEMAKER_KINDS) - set(SEEDED) == {"EdgePackagingJob", "Workteam"}
