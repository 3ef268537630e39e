"""Pipelines, schedules and delivery, good and bad."""

import json

from auditor.demo import permissions
from auditor.demo.company import LAB, PROD, ago, arn, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState

_RETRY = [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"], "MaxAttempts": 3}]
_TRAIN = {"Name": "Train", "Type": "Training", "Arguments": {}}
_EVALUATE = {"Name": "Evaluate", "Type": "Processing", "Arguments": {}, "DependsOn": ["Train"]}
_REGISTER = {"Name": "Register", "Type": "RegisterModel", "Arguments": {}}
_GATED = [
    {**_TRAIN, "RetryPolicies": _RETRY},
    _EVALUATE,
    {
        "Name": "GoodEnough",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": "Steps.Evaluate"}, "RightValue": 0.8}
            ],
            "IfSteps": [_REGISTER],
            "ElseSteps": [
                {"Name": "TooWeak", "Type": "Fail", "Arguments": {"ErrorMessage": "AUC below 0.8"}}
            ],
        },
    },
]
_OPEN = [_TRAIN, _EVALUATE, {**_REGISTER, "DependsOn": ["Evaluate"]}]


def _pipelines(state: DemoState) -> None:
    """A gated pipeline that a schedule starts, and one without a gate that one person starts and that fails."""
    for pipeline in state.documents("Pipeline", PROD):
        steps = _GATED if pipeline["PipelineName"] == "churn-weekly" else _OPEN
        pipeline["PipelineDefinition"] = json.dumps({"Version": "2020-12-01", "Steps": steps})
    analyst = {
        "UserProfileArn": arn(PROD, "user-profile/d-larkspurprod1/tomas-okafor"),
        "UserProfileName": "tomas-okafor",
        "DomainId": "d-larkspurprod1",
    }
    scheduler = {"IamIdentity": {"Arn": role("ml-deployer"), "PrincipalId": "AROADEMODEPLOYER00001"}}
    for name, number, days, status, who in (
        ("churn-weekly", 1, 1, "Succeeded", scheduler),
        ("churn-weekly", 2, 8, "Failed", scheduler),
        ("churn-weekly", 3, 15, "Succeeded", scheduler),
        ("search-retrain", 1, 1, "Failed", analyst),
        ("search-retrain", 2, 6, "Succeeded", analyst),
    ):
        execution = arn(PROD, f"pipeline/{name}/execution/{name[:6]}00000{number}")
        document: Document = {
            "PipelineArn": arn(PROD, f"pipeline/{name}"),
            "PipelineExecutionArn": execution,
            "PipelineExecutionDisplayName": f"execution-{number}",
            "PipelineExecutionStatus": status,
            "CreationTime": ago(state, days=days),
            "LastModifiedTime": ago(state, days=days, hours=-2),
            "CreatedBy": who,
            "LastModifiedBy": who,
        }
        if status == "Failed":
            document["FailureReason"] = "Step failure: one or multiple steps failed."
            gate = {"Fail": {"ErrorMessage": "AUC below 0.8"}} if name == "churn-weekly" else {}
            step: Document = {
                "StepName": "TooWeak" if gate else "Train",
                "StepStatus": "Failed",
                "Metadata": gate,
            }
            state.answer(
                "sagemaker:ListPipelineExecutionSteps",
                {"PipelineExecutionSteps": [step]},
                region=PROD,
                when={"PipelineExecutionArn": execution},
            )
        state.add("PipelineExecution", PROD, document)


def _projects(state: DemoState) -> None:
    project: Document = {
        "ProjectArn": arn(PROD, "project/churn-delivery"),
        "ProjectName": "churn-delivery",
        "ProjectId": "p-larkspur1",
        "ProjectStatus": "CreateCompleted",
        "ServiceCatalogProvisioningDetails": {"ProductId": "prod-larkspur1"},
        "CreationTime": ago(state, days=200),
    }
    state.add("Project", PROD, project, tags("churn"))


def _delivery(state: DemoState) -> None:
    """A CodePipeline, a state machine of the data team, and what starts things by itself."""
    action: Document = {
        "name": "Deploy",
        "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"},
    }
    delivery: Document = {
        "name": "churn-serving",
        "roleArn": role("data-engineering"),
        "version": 4,
        "stages": [
            {"name": "Source", "actions": [_source()]},
            {"name": "Production", "actions": [_approval(), action]},
        ],
    }
    state.answer("codepipeline:ListPipelines", {"pipelines": [{"name": "churn-serving"}]}, region=PROD)
    state.answer("codepipeline:GetPipeline", {"pipeline": delivery}, region=PROD)
    state.answer("codepipeline:ListPipelines", {"pipelines": []}, region=LAB)
    machine = arn(PROD, "stateMachine:nightly-etl", "states")
    summary = {
        "stateMachineArn": machine,
        "name": "nightly-etl",
        "type": "STANDARD",
        "creationDate": ago(state, 300),
    }
    task = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync", "End": True}
    definition = json.dumps({"StartAt": "Load", "States": {"Load": task}})
    whole = {**summary, "definition": definition, "roleArn": role("data-engineering")}
    state.answer("stepfunctions:ListStateMachines", {"stateMachines": [summary]}, region=PROD)
    state.answer("stepfunctions:DescribeStateMachine", whole, region=PROD)
    state.answer("stepfunctions:ListStateMachines", {"stateMachines": []}, region=LAB)


def _source() -> Document:
    kind = {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"}
    return {"name": "Source", "actionTypeId": kind}


def _approval() -> Document:
    kind = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    return {"name": "Approve", "actionTypeId": kind}


def _triggers(state: DemoState) -> None:
    """A schedule for the weekly pipeline, and a rule that answers drift with another run of it."""
    weekly: Document = {
        "Arn": arn(PROD, "schedule/default/churn-weekly", "scheduler"),
        "Name": "churn-weekly",
        "GroupName": "default",
        "State": "ENABLED",
        "Target": {"Arn": arn(PROD, "pipeline/churn-weekly")},
    }
    state.answer("scheduler:ListSchedules", {"Schedules": [weekly]}, region=PROD)
    state.answer("scheduler:ListSchedules", {"Schedules": []}, region=LAB)
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    drift: Document = {
        "Name": "retrain-on-drift",
        "Arn": arn(PROD, "rule/retrain-on-drift", "events"),
        "State": "ENABLED",
        "EventPattern": json.dumps(pattern),
        "EventBusName": "default",
    }
    state.answer("events:ListRules", {"Rules": [drift]}, region=PROD)
    state.answer("events:ListRules", {"Rules": []}, region=LAB)
    target = {"Id": "pipeline", "Arn": arn(PROD, "pipeline/churn-weekly"), "RoleArn": role("ml-deployer")}
    state.answer("events:ListTargetsByRule", {"Targets": [target]}, region=PROD)
    for region in (PROD, LAB):
        bus = {"Name": "default", "Arn": arn(region, "event-bus/default", "events")}
        state.answer("events:ListEventBuses", {"EventBuses": [bus]}, region=region)
        state.answer(
            "application-autoscaling:DescribeScheduledActions", {"ScheduledActions": []}, region=region
        )
        state.answer("sns:ListSubscriptionsByTopic", {"Subscriptions": []}, region=region)


def fill(state: DemoState) -> None:
    """Add them to the account, and what watches over its permissions."""
    for seed in (_pipelines, _projects, _delivery, _triggers, permissions.fill):
        seed(state)
