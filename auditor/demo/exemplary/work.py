"""Notebooks and jobs of the exemplary account."""

import base64
from datetime import timedelta
from typing import Any

from auditor.demo.exemplary.names import (
    DATA,
    GROUP,
    KEY,
    MODELS,
    REGION,
    SUBNETS,
    TAGS,
    XGBOOST,
    ago,
    arn,
    network,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Series

_AUTOSTOP = "#!/bin/bash\nset -e\npython /opt/auto-stop-idle/autostop.py --time 3600 --ignore-connections &\n"


def _notebook(state: DemoState) -> None:
    script = base64.b64encode(_AUTOSTOP.encode()).decode()
    times = {"CreationTime": ago(state, 200), "LastModifiedTime": ago(state, 200)}
    config = "autostop"
    state.add(
        "NotebookInstanceLifecycleConfig",
        REGION,
        {
            "NotebookInstanceLifecycleConfigName": config,
            "NotebookInstanceLifecycleConfigArn": arn(f"notebook-instance-lifecycle-config/{config}"),
            "OnStart": [{"Content": script}],
            **times,
        },
    )
    state.add(
        "CodeRepository",
        REGION,
        {
            "CodeRepositoryName": "readmission",
            "CodeRepositoryArn": arn("code-repository/readmission"),
            "GitConfig": {
                "RepositoryUrl": f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/readmission"
            },
            **times,
        },
        TAGS,
    )
    state.add(
        "NotebookInstance",
        REGION,
        {
            "NotebookInstanceArn": arn("notebook-instance/exploration"),
            "NotebookInstanceName": "exploration",
            "NotebookInstanceStatus": "InService",
            "Url": f"exploration.notebook.{REGION}.sagemaker.aws",
            "InstanceType": "ml.t3.medium",
            "RoleArn": role("notebooks"),
            "CreationTime": ago(state, 120),
            "LastModifiedTime": ago(state, 0.2),
            "DirectInternetAccess": "Disabled",
            "VolumeSizeInGB": 20,
            "RootAccess": "Disabled",
            "PlatformIdentifier": "notebook-al2023-v1",
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
            "KmsKeyId": KEY,
            "SubnetId": SUBNETS[0],
            "SecurityGroups": [GROUP],
            "NotebookInstanceLifecycleConfigName": config,
            "DefaultCodeRepository": "readmission",
        },
        TAGS,
    )


def training_name(state: DemoState, days: int) -> str:
    """The name of the daily job of so many days ago."""
    return f"readmission-daily-{ago(state, days):%Y-%m-%d}"


def _training(state: DemoState) -> None:
    for days in (1, 2, 3):
        name, created = training_name(state, days), ago(state, days)
        start, end = created + timedelta(minutes=4), created + timedelta(minutes=94)
        steps: list[Document] = [
            {"Status": "Starting", "StartTime": created, "EndTime": start},
            {"Status": "Training", "StartTime": start, "EndTime": end},
            {"Status": "Completed", "StartTime": end, "EndTime": end},
        ]
        document: dict[str, Any] = {
            "TrainingJobName": name,
            "TrainingJobArn": arn(f"training-job/{name}"),
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{MODELS}/readmission/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "AlgorithmSpecification": {
                "TrainingImage": XGBOOST,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "validation:auc", "Regex": "auc:([0-9.]+)"}],
            },
            "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.91, "Timestamp": end}],
            "RoleArn": role("training"),
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": f"s3://{DATA}/features/",
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                    "InputMode": "FastFile",
                }
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{MODELS}/readmission/", "KmsKeyId": KEY},
            "ResourceConfig": {
                "InstanceType": "ml.m7i.2xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 50,
                "VolumeKmsKeyId": KEY,
            },
            "VpcConfig": network(),
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 10800, "MaxWaitTimeInSeconds": 14400},
            "CheckpointConfig": {"S3Uri": f"s3://{MODELS}/checkpoints/{name}"},
            "RetryStrategy": {"MaximumRetryAttempts": 2},
            "ExperimentConfig": {"ExperimentName": "readmission", "TrialName": "daily"},
            "HyperParameters": {"objective": "binary:logistic", "num_round": "400"},
            "CreationTime": created,
            "TrainingStartTime": start,
            "TrainingEndTime": end,
            "LastModifiedTime": end,
            "TrainingTimeInSeconds": 5400,
            "BillableTimeInSeconds": 2050,
            "SecondaryStatusTransitions": steps,
            "ProfilingStatus": "Disabled",
        }
        state.add("TrainingJob", REGION, document, {**TAGS, "workload": "interruptible"})
        for metric, percent in (("CPUUtilization", 560), ("MemoryUtilization", 61), ("DiskUtilization", 38)):
            values = tuple((percent * factor, 1.0) for factor in (0.9, 1.0, 1.1, 1.0))
            series = Series(start, end, 60, values)
            host = {"Host": f"{name}/algo-1"}
            state.metric(REGION, "/aws/sagemaker/TrainingJobs", metric, host, series)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_notebook, _training):
        seed(state)
