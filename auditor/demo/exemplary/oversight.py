"""What watches over the exemplary account's permissions, money and deployments: all of it is as it should be."""

import json
from datetime import timedelta

from auditor.demo.exemplary.names import HOME, MODELS, REGION, ago, arn, role
from auditor.demo.permissions import advise, credentials_of, report_credentials
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_USED = ("s3", "kms", "logs", "sagemaker")


def _permissions(state: DemoState) -> None:
    for number, found in enumerate(state.documents("Role", HOME)):
        advise(state, number, found["Arn"], _USED, len(_USED))
    root = credentials_of(state, "<root_account>", "not_supported", "true", None)
    people = [
        credentials_of(state, u["UserName"], "true", "true", None) for u in state.documents("User", HOME)
    ]
    report_credentials(state, [root, *people])
    unused: Document = {
        "arn": arn("analyzer/unused-access", "access-analyzer"),
        "name": "unused-access",
        "type": "ACCOUNT_UNUSED_ACCESS",
        "createdAt": ago(state, 300),
        "status": "ACTIVE",
    }
    outside: Document = {
        **unused,
        "arn": arn("analyzer/outside", "access-analyzer"),
        "name": "outside",
        "type": "ACCOUNT",
    }
    for kind, analyzers in (
        ("ACCOUNT_UNUSED_ACCESS", [unused]),
        ("ACCOUNT", [outside]),
        ("ORGANIZATION_UNUSED_ACCESS", []),
        ("ORGANIZATION", []),
    ):
        state.answer("accessanalyzer:ListAnalyzers", {"analyzers": analyzers}, when={"type": kind})
    state.answer("accessanalyzer:ListAnalyzers", {"analyzers": [unused, outside]})
    state.answer("accessanalyzer:ListFindingsV2", {"findings": []})
    state.refuse(
        "organizations:DescribeOrganization",
        code="AWSOrganizationsNotInUseException",
        message="Your account is not a member of an organization.",
    )


def _money(state: DemoState) -> None:
    """A plan that is used up, and a budget of SageMaker's own that tells somebody."""
    plan = f"arn:aws:savingsplans::{ACCOUNT}:savingsplan/sp-0001"
    held: Document = {
        "savingsPlanId": "sp-0001",
        "savingsPlanArn": plan,
        "savingsPlanType": "SageMaker",
        "state": "active",
        "start": ago(state, 100).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "end": (state.now + timedelta(days=265)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "paymentOption": "No Upfront",
        "commitment": "1.20000000",
        "currency": "USD",
    }
    state.answer("savingsplans:DescribeSavingsPlans", {"savingsPlans": [held]})
    used = {"Utilization": {"UtilizationPercentage": "99.1"}}
    period = {
        "Start": ago(state, 30).strftime("%Y-%m-%d"),
        "End": ago(state, 0).strftime("%Y-%m-%d"),
    }
    state.answer(
        "ce:GetSavingsPlansUtilizationDetails",
        {
            "SavingsPlansUtilizationDetails": [{"SavingsPlanArn": plan, **used}],
            "Total": used,
            "TimePeriod": period,
        },
    )
    day = {"OnDemandCost": "4.10", "SpendCoveredBySavingsPlans": "28.80", "CoveragePercentage": "87.5"}
    state.answer("ce:GetSavingsPlansCoverage", {"SavingsPlansCoverages": [{"Coverage": day}] * 30})
    summary = {"EstimatedMonthlySavingsAmount": "0", "HourlyCommitmentToPurchase": "0", "CurrencyCode": "USD"}
    recommended = {"SavingsPlansPurchaseRecommendationSummary": summary, "SavingsPlansType": "SAGEMAKER_SP"}
    state.answer(
        "ce:GetSavingsPlansPurchaseRecommendation", {"SavingsPlansPurchaseRecommendation": recommended}
    )
    limit = {"Amount": "4000", "Unit": "USD"}
    budget: Document = {
        "BudgetName": "machine-learning",
        "BudgetLimit": limit,
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        "CostFilters": {"Service": ["Amazon SageMaker"]},
    }
    state.answer("budgets:DescribeBudgets", {"Budgets": [budget]})
    told = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    state.answer("budgets:DescribeNotificationsForBudget", {"Notifications": [told]})
    tag = {"TagKey": "Project", "Type": "UserDefined", "Status": "Active"}
    state.answer("ce:ListCostAllocationTags", {"CostAllocationTags": [tag]})
    monitor: Document = {
        "MonitorName": "services",
        "MonitorArn": f"arn:aws:ce::{ACCOUNT}:anomalymonitor/services",
        "MonitorType": "DIMENSIONAL",
        "MonitorDimension": "SERVICE",
    }
    state.answer("ce:GetAnomalyMonitors", {"AnomalyMonitors": [monitor]})


def _delivery(state: DemoState) -> None:
    """A pipeline of SageMaker's deploys by way of CodePipeline, started every week and when something drifts."""
    for document in state.documents("Endpoint", REGION):
        held = {tag["Key"]: tag["Value"] for tag in state.tags(document["EndpointArn"])}
        state.tag(document["EndpointArn"], {**held, "aws:cloudformation:stack-name": "serving"})
    actions = {
        "Source": ("Source", "CodeStarSourceConnection"),
        "Test": ("Test", "CodeBuild"),
        "Approve": ("Approval", "Manual"),
        "Deploy": ("Deploy", "CloudFormation"),
    }
    stages = [
        {
            "name": name,
            "actions": [
                {
                    "name": name,
                    "actionTypeId": {"category": kind, "owner": "AWS", "provider": by, "version": "1"},
                }
            ],
        }
        for name, (kind, by) in actions.items()
    ]
    whole: Document = {"name": "serving", "roleArn": role("pipeline"), "version": 4, "stages": stages}
    state.answer("codepipeline:ListPipelines", {"pipelines": [{"name": "serving"}]})
    state.answer("codepipeline:GetPipeline", {"pipeline": whole})
    state.answer("stepfunctions:ListStateMachines", {"stateMachines": []})
    weekly: Document = {
        "Arn": arn("schedule/default/readmission", "scheduler"),
        "Name": "readmission",
        "GroupName": "default",
        "State": "ENABLED",
        "Target": {"Arn": arn("pipeline/readmission")},
    }
    state.answer("scheduler:ListSchedules", {"Schedules": [weekly]})
    bus = {"Name": "default", "Arn": arn("event-bus/default", "events")}
    state.answer("events:ListEventBuses", {"EventBuses": [bus]})
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    drift: Document = {
        "Name": "retrain-on-drift",
        "Arn": arn("rule/retrain-on-drift", "events"),
        "State": "ENABLED",
        "EventPattern": json.dumps(pattern),
        "EventBusName": "default",
    }
    state.answer("events:ListRules", {"Rules": [drift]})
    target = {"Id": "pipeline", "Arn": arn("pipeline/readmission"), "RoleArn": role("pipeline")}
    state.answer("events:ListTargetsByRule", {"Targets": [target]})
    state.answer("application-autoscaling:DescribeScheduledActions", {"ScheduledActions": []})


def _records(state: DemoState) -> None:
    """What was reviewed, backed up, recorded and signed."""
    workload: Document = {
        "WorkloadId": "0a100000000000000000000000000001",
        "WorkloadArn": arn("workload/0a100000000000000000000000000001", "wellarchitected"),
        "WorkloadName": "readmission",
        "Owner": ACCOUNT,
        "UpdatedAt": ago(state, 60),
        "Lenses": ["wellarchitected", "arn:aws:wellarchitected::aws:lens/machinelearning"],
        "RiskCounts": {"NONE": 40, "MEDIUM": 2},
    }
    state.answer("wellarchitected:ListWorkloads", {"WorkloadSummaries": [workload]})
    protected: Document = {
        "ResourceArn": f"arn:aws:s3:::{MODELS}",
        "ResourceType": "S3",
        "LastBackupTime": ago(state, 0.6),
    }
    state.answer("backup:ListProtectedResources", {"Results": [protected]})
    call = {
        "EventName": "DescribeEndpoint",
        "CloudTrailEvent": json.dumps({"tlsDetails": {"tlsVersion": "TLSv1.3"}}),
    }
    state.answer(
        "cloudtrail:LookupEvents", {"Events": []}, when={"LookupAttributes": [_asked("CreateEndpoint")]}
    )
    state.answer(
        "cloudtrail:LookupEvents", {"Events": []}, when={"LookupAttributes": [_asked("UpdateEndpoint")]}
    )
    state.answer("cloudtrail:LookupEvents", {"Events": [call]})
    for document in state.documents("Endpoint", REGION):
        name = document["EndpointName"]
        context = arn(f"context/{name}")
        known = {"ContextArn": context, "ContextName": name, "ContextType": "Endpoint"}
        asked = {"SourceUri": document["EndpointArn"]}
        state.answer("sagemaker:ListContexts", {"ContextSummaries": [known]}, when=asked)
    vertices = [
        {"Arn": arn("artifact/features"), "Type": "DataSet", "LineageType": "Artifact"},
        {
            "Arn": arn("experiment-trial-component/readmission-aws-training-job"),
            "Type": "SageMakerTrainingJob",
            "LineageType": "TrialComponent",
        },
    ]
    state.answer("sagemaker:QueryLineage", {"Vertices": vertices})
    state.answer("cloudwatch:ListDashboards", {"DashboardEntries": []})
    state.answer("artifact:ListCustomerAgreements", {"customerAgreements": []})
    state.answer("auditmanager:ListAssessments", {"assessmentMetadata": []})
    state.answer("config:DescribeConformancePacks", {"ConformancePackDetails": []})
    state.answer("signer:ListSigningProfiles", {"profiles": []})


def _asked(event: str) -> Document:
    return {"AttributeKey": "EventName", "AttributeValue": event}


def fill(state: DemoState) -> None:
    """Add them to the account; after all else, since it tells of the roles and endpoints that there are."""
    for seed in (_permissions, _money, _delivery, _records):
        seed(state)
