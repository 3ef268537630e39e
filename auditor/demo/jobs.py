"""Tuning, processing and batch transform jobs of the demo account."""

from collections.abc import Mapping
from typing import Any

from auditor.demo.company import (
    KEYS,
    LAB,
    PROD,
    SECRETS,
    ago,
    arn,
    network,
    own_image,
    role,
    tags,
    xgboost,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def _tuning(state: DemoState) -> None:
    """One tuning job with its definition, one with several: the members are called differently."""
    counters = {"Completed": 2, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 1}
    objective = {"Type": "Maximize", "MetricName": "validation:auc"}

    def definition(name: str, role_name: str, bucket: str, **more: Any) -> Document:
        return {
            "DefinitionName": name,
            "TuningObjective": objective,
            "AlgorithmSpecification": {"TrainingImage": xgboost(PROD), "TrainingInputMode": "File"},
            "RoleArn": role(role_name),
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/hpo/"},
            "ResourceConfig": {"InstanceType": "ml.m7i.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 7200},
            **more,
        }

    def tune(name: str, days: float, held: Mapping[str, str], **more: Any) -> None:
        document = {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": arn(PROD, f"hyper-parameter-tuning-job/{name}"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "TrainingJobEarlyStoppingType": "Auto",
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 3},
            },
            "HyperParameterTuningJobStatus": "Completed",
            "CreationTime": ago(state, days=days),
            "HyperParameterTuningEndTime": ago(state, days=days, hours=-3),
            "LastModifiedTime": ago(state, days=days, hours=-3),
            "TrainingJobStatusCounters": counters,
            "ObjectiveStatusCounters": {"Succeeded": 2, "Pending": 0, "Failed": 0},
            **more,
        }
        state.add("HyperParameterTuningJob", PROD, document, held)

    churn = definition(
        "xgboost",
        "ml-training-churn",
        "larkspur-churn-data",
        EnableManagedSpotTraining=True,
        VpcConfig=network(PROD),
    )
    tune("churn-hpo-0118", 6, tags("churn"), TrainingJobDefinition=churn)
    leaking = {"wandb_api_key": SECRETS["api token"], "max_depth": "6"}
    fraud = [
        definition("boosted", "ml-training-fraud", "larkspur-fraud-artifacts", StaticHyperParameters=leaking),
        definition("linear", "ml-training-fraud", "larkspur-fraud-artifacts"),
    ]
    tune("fraud-hpo-0007", 12, tags("fraud"), TrainingJobDefinitions=fraud)


def _processing(state: DemoState) -> None:
    def process(
        region: str, name: str, days: float, role_name: str, status: str, held: Mapping[str, str], **more: Any
    ) -> None:
        document = {
            "ProcessingJobName": name,
            "ProcessingJobArn": arn(region, f"processing-job/{name}"),
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m7i.xlarge", "VolumeSizeInGB": 60}
            },
            "AppSpecification": {"ImageUri": own_image(region, "platform/features", "1.0.0")},
            "RoleArn": role(role_name),
            "ProcessingJobStatus": status,
            "CreationTime": ago(state, days=days),
            "ProcessingStartTime": ago(state, days=days, hours=-0.1),
            "ProcessingEndTime": ago(state, days=days, hours=-1),
            "LastModifiedTime": ago(state, days=days, hours=-1),
            **more,
        }
        state.add("ProcessingJob", region, document, held)

    isolated = {"EnableNetworkIsolation": True, "VpcConfig": network(PROD)}
    process(
        PROD,
        "churn-features-daily",
        1,
        "ml-training-churn",
        "Completed",
        tags("churn"),
        NetworkConfig=isolated,
        Environment={"SOURCE": "s3://larkspur-churn-data/raw/"},
    )
    arguments = ["--since", "2024-01-01", "--api-token", SECRETS["api token"]]
    image = own_image(PROD, "platform/features", "1.0.0")
    process(
        PROD,
        "fraud-scrub-weekly",
        3,
        "ml-training-fraud",
        "Completed",
        tags("fraud"),
        AppSpecification={"ImageUri": image, "ContainerArguments": arguments},
    )
    process(
        LAB,
        "llm-evaluation-0003",
        2,
        "ml-research",
        "Failed",
        tags("research", "development"),
        FailureReason="AlgorithmError: exit code 137",
    )


def _transforms(state: DemoState) -> None:
    def transform(name: str, days: float, model: str, bucket: str, held: Mapping[str, str], key: str) -> None:
        output: Document = {"S3OutputPath": f"s3://{bucket}/batch/{name}/"}
        resources: Document = {"InstanceType": "ml.m7i.xlarge", "InstanceCount": 1}
        if key:
            output["KmsKeyId"] = resources["VolumeKmsKeyId"] = key
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/scoring/"}}
        document = {
            "TransformJobName": name,
            "TransformJobArn": arn(PROD, f"transform-job/{name}"),
            "TransformJobStatus": "Completed",
            "ModelName": model,
            "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
            "TransformOutput": output,
            "TransformResources": resources,
            "CreationTime": ago(state, days=days),
            "TransformStartTime": ago(state, days=days, hours=-0.1),
            "TransformEndTime": ago(state, days=days, hours=-0.8),
        }
        state.add("TransformJob", PROD, document, held)

    transform(
        "demand-batch-weekly", 2, "demand-batch-v1", "larkspur-churn-data", tags("demand"), KEYS["data"]
    )
    transform("search-relevance-batch", 5, "search-ranker-v12", "larkspur-search-models", tags("search"), "")
    transform("churn-scores-monthly", 11, "churn-realtime-v7", "larkspur-churn-data", tags("churn"), "")


def fill(state: DemoState) -> None:
    """Add the jobs that are no training."""
    for seed in (_tuning, _processing, _transforms):
        seed(state)
