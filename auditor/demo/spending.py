"""Savings Plans, budgets and how training money is spent, good and bad."""

from datetime import timedelta
from typing import Any

from auditor.demo.company import LAB, PROD, ago, arn, deep_learning, own_image, role, tags, xgboost
from auditor.demo.state import ACCOUNT, DemoState
from auditor.demo.training import train


def _plans(state: DemoState) -> None:
    """One plan that is half used, one that is used up."""
    plans, uses = [], []
    for name, used, days in (("sp-inference", "99.2", 400), ("sp-training", "61.4", 200)):
        plan = f"arn:aws:savingsplans::{ACCOUNT}:savingsplan/{name}"
        plans.append(
            {
                "savingsPlanId": name,
                "savingsPlanArn": plan,
                "savingsPlanType": "SageMaker",
                "state": "active",
                "start": ago(state, days=365 - days % 365).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "end": (state.now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "paymentOption": "No Upfront",
                "commitment": "2.50000000",
                "currency": "USD",
            }
        )
        uses.append({"SavingsPlanArn": plan, "Utilization": {"UtilizationPercentage": used}})
    state.answer("savingsplans:DescribeSavingsPlans", {"savingsPlans": plans})
    total = {"Utilization": {"UtilizationPercentage": "80.3"}}
    period = {"Start": "2026-01-01", "End": "2026-01-31"}
    state.answer(
        "ce:GetSavingsPlansUtilizationDetails",
        {"SavingsPlansUtilizationDetails": uses, "Total": total, "TimePeriod": period},
    )
    day = {"OnDemandCost": "82.10", "SpendCoveredBySavingsPlans": "31.40", "CoveragePercentage": "27.7"}
    state.answer("ce:GetSavingsPlansCoverage", {"SavingsPlansCoverages": [{"Coverage": day}] * 30})
    summary = {
        "EstimatedMonthlySavingsAmount": "412.70",
        "HourlyCommitmentToPurchase": "1.20",
        "CurrencyCode": "USD",
    }
    recommended = {"SavingsPlansPurchaseRecommendationSummary": summary, "SavingsPlansType": "SAGEMAKER_SP"}
    state.answer(
        "ce:GetSavingsPlansPurchaseRecommendation", {"SavingsPlansPurchaseRecommendation": recommended}
    )


def _budgets(state: DemoState) -> None:
    """A budget that tells somebody, no tag by which costs can be told apart."""
    limit = {"Amount": "20000", "Unit": "USD"}
    budget = {"BudgetName": "everything", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    state.answer("budgets:DescribeBudgets", {"Budgets": [budget]})
    told = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    state.answer("budgets:DescribeNotificationsForBudget", {"Notifications": [told]})
    state.answer("ce:ListCostAllocationTags", {"CostAllocationTags": []})
    monitor = {
        "MonitorName": "services",
        "MonitorArn": f"arn:aws:ce::{ACCOUNT}:anomalymonitor/services",
        "MonitorType": "DIMENSIONAL",
        "MonitorDimension": "SERVICE",
    }
    state.answer("ce:GetAnomalyMonitors", {"AnomalyMonitors": [monitor]})


def _families(state: DemoState) -> None:
    """Scripts that break on GPUs, a sweep by hand, warm pools, and hardware that does not fit."""
    owned = tags("fraud")
    for run in range(6):
        train(
            state,
            PROD,
            f"fraud-embedding-{run + 1:03d}",
            6 - run,
            image=deep_learning(PROD),
            role_name="ml-training-fraud",
            seconds=70,
            instance="ml.g6.xlarge",
            bucket="larkspur-fraud-artifacts",
            status="Failed",
            held=owned,
            FailureReason="AlgorithmError: ExecuteUserScriptError: KeyError: 'label'",
        )
    for run in range(16):
        train(
            state,
            LAB,
            f"churn-sweep-{run + 1:03d}",
            5 - run * 0.2,
            image=xgboost(LAB),
            role_name="ml-research",
            seconds=900,
            instance="ml.m7i.large",
            bucket="larkspur-research-data",
            held=tags("research", "development"),
            HyperParameters={"eta": f"{0.05 * (run + 1):.2f}", "objective": "binary:logistic"},
        )
    for run in range(16):
        train(
            state,
            LAB,
            f"churn-refresh-{run + 1:03d}",
            5 - run * 0.2,
            image=xgboost(LAB),
            role_name="ml-research",
            seconds=700,
            instance="ml.m7i.large",
            bucket="larkspur-research-data",
            held=tags("research", "development"),
            HyperParameters={"objective": "binary:logistic"},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )
    for run in range(4):
        train(
            state,
            LAB,
            f"ranker-iteration-{run + 1:03d}",
            2 - run * 0.1,
            image=own_image(LAB, "search/ranker", "3.0.2"),
            role_name="ml-research",
            seconds=1200,
            instance="ml.m7i.large",
            bucket="larkspur-research-data",
            held=tags("research", "development"),
            ResourceConfig={
                "InstanceType": "ml.m7i.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
                "KeepAlivePeriodInSeconds": 1800,
            },
            WarmPoolStatus={"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 1800},
        )


def _odd_ones(state: DemoState) -> None:
    """An algorithm that cannot use its GPU, deep learning that is watched, data from afar, and old containers."""
    train(
        state,
        LAB,
        "risk-forest-001",
        4,
        image=f"382416733822.dkr.ecr.{LAB}.amazonaws.com/randomcutforest:1",
        role_name="ml-research",
        seconds=1500,
        instance="ml.g6.xlarge",
        bucket="larkspur-churn-data",
        held=tags("research", "development"),
    )
    train(
        state,
        LAB,
        "ner-observed-001",
        3,
        image=deep_learning(LAB),
        role_name="ml-research",
        seconds=9000,
        instance="ml.g6.xlarge",
        bucket="larkspur-research-data",
        held=tags("research", "development"),
        ProfilerConfig={"S3OutputPath": "s3://larkspur-research-data/profiles/"},
        DebugRuleConfigurations=[
            {
                "RuleConfigurationName": "Overfit",
                "RuleEvaluatorImage": deep_learning(LAB, "debugger-rules:latest"),
            }
        ],
        DebugRuleEvaluationStatuses=[
            {"RuleConfigurationName": "Overfit", "RuleEvaluationStatus": "NoIssuesFound"}
        ],
        FinalMetricDataList=[{"MetricName": "f1", "Value": 0.88, "Timestamp": ago(state, days=2.9)}],
        ExperimentConfig={"ExperimentName": "ner"},
    )
    for run in range(2):
        train(
            state,
            LAB,
            f"speech-tuned-{run + 1:03d}",
            6 - run,
            image=deep_learning(LAB, "pytorch-training:1.6.0-gpu-py36-cu110"),
            role_name="ml-research",
            seconds=9000,
            instance="ml.g6.xlarge",
            bucket="larkspur-research-data",
            held=tags("research", "development"),
            ProfilerConfig={"S3OutputPath": "s3://larkspur-research-data/profiles/"},
            ProfilerRuleEvaluationStatuses=[
                {"RuleConfigurationName": "LowGPUUtilization", "RuleEvaluationStatus": "IssuesFound"}
            ],
        )


def _tuning(state: DemoState) -> None:
    """A search that goes on to its end, one that begins where an earlier one was, and one that forgot it."""
    limits = {"MaxNumberOfTrainingJobs": 400, "MaxParallelTrainingJobs": 10}
    bounded = {"MaxNumberOfTrainingJobs": 40, "MaxParallelTrainingJobs": 4, "MaxRuntimeInSeconds": 7200}
    ranges = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0", "MaxValue": "1"}]}
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "refine-hpo-1"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    for number, (name, resource, early, more) in enumerate(
        (
            ("refine-hpo-1", limits, "Off", {}),
            ("refine-hpo-2", bounded, "Auto", {"WarmStartConfig": warm}),
            ("refine-hpo-3", bounded, "Auto", {}),
        )
    ):
        definition: dict[str, Any] = {
            "AlgorithmSpecification": {"TrainingImage": xgboost(LAB), "TrainingInputMode": "File"},
            "RoleArn": role("ml-research"),
            "OutputDataConfig": {"S3OutputPath": "s3://larkspur-research-data/hpo/"},
            "ResourceConfig": {"InstanceType": "ml.m7i.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        state.add(
            "HyperParameterTuningJob",
            LAB,
            {
                "HyperParameterTuningJobName": name,
                "HyperParameterTuningJobArn": arn(LAB, f"hyper-parameter-tuning-job/{name}"),
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Bayesian",
                    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
                    "ResourceLimits": resource,
                    "ParameterRanges": ranges,
                    "TrainingJobEarlyStoppingType": early,
                },
                "TrainingJobDefinition": definition,
                "HyperParameterTuningJobStatus": "Completed",
                "CreationTime": ago(state, days=9 - 2 * number),
                "TrainingJobStatusCounters": {"Completed": 40},
                "ObjectiveStatusCounters": {"Succeeded": 40},
                **more,
            },
            tags("research", "development"),
        )


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_plans, _budgets, _families, _odd_ones, _tuning):
        seed(state)
