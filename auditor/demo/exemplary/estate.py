"""What else a well-kept estate has: a pipeline, its jobs, features, a cluster and a test on traffic."""

import json
from datetime import timedelta

from auditor.demo.exemplary.names import (
    CAPTURE,
    DATA,
    KEY,
    MODELS,
    REGION,
    TAGS,
    XGBOOST,
    ago,
    arn,
    network,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState

_RETRY = [
    {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "Step.THROTTLING"],
        "IntervalSeconds": 60,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
]
_INSIDE = {
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "VpcConfig": network(),
}


def _pipeline(state: DemoState) -> None:
    """It trains, evaluates, and registers only what is good enough."""
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {}, "RetryPolicies": _RETRY}
    gate = {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": "Steps.Evaluate"}, "RightValue": 0.8}
    weak = {"Name": "TooWeak", "Type": "Fail", "Arguments": {"ErrorMessage": "AUC below 0.8"}}
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": {}, "RetryPolicies": _RETRY},
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": {},
            "DependsOn": ["Train"],
            "RetryPolicies": _RETRY,
        },
        {
            "Name": "GoodEnough",
            "Type": "Condition",
            "Arguments": {"Conditions": [gate], "IfSteps": [register], "ElseSteps": [weak]},
        },
    ]
    name, who = (
        "readmission",
        {"IamIdentity": {"Arn": role("pipeline"), "PrincipalId": "AROAALDERPIPELINE0001"}},
    )
    pipeline = arn(f"pipeline/{name}")
    state.add(
        "Pipeline",
        REGION,
        {
            "PipelineArn": pipeline,
            "PipelineName": name,
            "PipelineDisplayName": name,
            "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": steps}),
            "RoleArn": role("pipeline"),
            "PipelineStatus": "Active",
            "CreationTime": ago(state, 300),
            "LastModifiedTime": ago(state, 40),
            "LastRunTime": ago(state, 1),
            "CreatedBy": who,
        },
        TAGS,
    )
    for number in range(1, 4):
        state.add(
            "PipelineExecution",
            REGION,
            {
                "PipelineArn": pipeline,
                "PipelineExecutionArn": f"{pipeline}/execution/alder000000{number}",
                "PipelineExecutionDisplayName": f"execution-{number}",
                "PipelineExecutionStatus": "Succeeded",
                "CreationTime": ago(state, 7 * number - 6),
                "LastModifiedTime": ago(state, 7 * number - 6.1),
                "CreatedBy": who,
                "LastModifiedBy": who,
            },
        )


def _jobs(state: DemoState) -> None:
    """Features are made, models tuned and batches scored, all inside the network and encrypted."""
    cluster = {
        "InstanceCount": 1,
        "InstanceType": "ml.m7i.xlarge",
        "VolumeSizeInGB": 60,
        "VolumeKmsKeyId": KEY,
    }
    for days in (1, 2):
        name, start = f"features-daily-{ago(state, days):%Y-%m-%d}", ago(state, days)
        output = {
            "OutputName": "features",
            "S3Output": {"S3Uri": f"s3://{DATA}/features", "LocalPath": "/out", "S3UploadMode": "EndOfJob"},
        }
        state.add(
            "ProcessingJob",
            REGION,
            {
                "ProcessingJobName": name,
                "ProcessingJobArn": arn(f"processing-job/{name}"),
                "ProcessingResources": {"ClusterConfig": cluster},
                "ProcessingOutputConfig": {"Outputs": [output], "KmsKeyId": KEY},
                "AppSpecification": {"ImageUri": XGBOOST},
                "NetworkConfig": _INSIDE,
                "RoleArn": role("training"),
                "StoppingCondition": {"MaxRuntimeInSeconds": 7200},
                "ProcessingJobStatus": "Completed",
                "ExperimentConfig": {"ExperimentName": "readmission", "TrialName": "daily"},
                "CreationTime": start,
                "ProcessingStartTime": start + timedelta(minutes=4),
                "ProcessingEndTime": start + timedelta(minutes=60),
                "LastModifiedTime": start + timedelta(minutes=60),
            },
            TAGS,
        )
        name = f"scores-daily-{ago(state, days):%Y-%m-%d}"
        state.add(
            "TransformJob",
            REGION,
            {
                "TransformJobName": name,
                "TransformJobArn": arn(f"transform-job/{name}"),
                "TransformJobStatus": "Completed",
                "ModelName": "readmission-2",
                "BatchStrategy": "MultiRecord",
                "MaxPayloadInMB": 6,
                "MaxConcurrentTransforms": 4,
                "TransformInput": {
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/scoring/"}
                    },
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                },
                "TransformOutput": {
                    "S3OutputPath": f"s3://{DATA}/scores/",
                    "AssembleWith": "Line",
                    "KmsKeyId": KEY,
                },
                "TransformResources": {
                    "InstanceType": "ml.m7i.xlarge",
                    "InstanceCount": 1,
                    "VolumeKmsKeyId": KEY,
                },
                "CreationTime": start,
                "TransformStartTime": start + timedelta(minutes=4),
                "TransformEndTime": start + timedelta(minutes=90),
            },
            TAGS,
        )
    _tuning(state)


def _tuning(state: DemoState) -> None:
    definition: Document = {
        "DefinitionName": "xgboost",
        "TuningObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "FastFile"},
        "RoleArn": role("training"),
        "VpcConfig": network(),
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": f"s3://{MODELS}/checkpoints/hpo"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{MODELS}/hpo/", "KmsKeyId": KEY},
        "ResourceConfig": {
            "InstanceType": "ml.m7i.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "VolumeKmsKeyId": KEY,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        "RetryStrategy": {"MaximumRetryAttempts": 2},
    }
    counters = {"Completed": 12, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}
    name = "readmission-hpo-1"
    state.add(
        "HyperParameterTuningJob",
        REGION,
        {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": arn(f"hyper-parameter-tuning-job/{name}"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Hyperband",
                "TrainingJobEarlyStoppingType": "Auto",
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": 12,
                    "MaxParallelTrainingJobs": 3,
                    "MaxRuntimeInSeconds": 36000,
                },
                "TuningJobCompletionCriteria": {
                    "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 5}
                },
            },
            "HyperParameterTuningJobStatus": "Completed",
            "TrainingJobDefinition": definition,
            "TrainingJobStatusCounters": counters,
            "ObjectiveStatusCounters": {"Succeeded": 12, "Pending": 0, "Failed": 0},
            "CreationTime": ago(state, 10),
            "HyperParameterTuningEndTime": ago(state, 9.9),
            "LastModifiedTime": ago(state, 9.9),
        },
        TAGS,
    )


def _features(state: DemoState) -> None:
    state.add(
        "FeatureGroup",
        REGION,
        {
            "FeatureGroupName": "patients",
            "FeatureGroupArn": arn("feature-group/patients"),
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "moment",
            "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}],
            "CreationTime": ago(state, 200),
            "OnlineStoreConfig": {"EnableOnlineStore": True, "SecurityConfig": {"KmsKeyId": KEY}},
            "OfflineStoreConfig": {
                "S3StorageConfig": {
                    "S3Uri": f"s3://{DATA}/features",
                    "ResolvedOutputS3Uri": f"s3://{DATA}/features/patients",
                    "KmsKeyId": KEY,
                }
            },
            "RoleArn": role("training"),
            "FeatureGroupStatus": "Created",
            "NextToken": "",
        },
        TAGS,
    )


def _cluster(state: DemoState) -> None:
    group = {
        "InstanceGroupName": "workers",
        "InstanceType": "ml.g5.12xlarge",
        "CurrentCount": 2,
        "TargetCount": 2,
        "ExecutionRole": role("training"),
        "InstanceStorageConfigs": [{"EbsVolumeConfig": {"VolumeSizeInGB": 500, "VolumeKmsKeyId": KEY}}],
        "OnStartDeepHealthChecks": ["InstanceStress", "InstanceConnectivity"],
        "Status": "InService",
        "ImageVersionStatus": "UpToDate",
    }
    state.add(
        "Cluster",
        REGION,
        {
            "ClusterArn": arn("cluster/0a10alder001"),
            "ClusterName": "pretraining",
            "ClusterStatus": "InService",
            "CreationTime": ago(state, 45),
            "InstanceGroups": [group],
            "VpcConfig": network(),
            "NodeRecovery": "Automatic",
            "Orchestrator": {"Eks": {"ClusterArn": arn("cluster/ml", "eks")}},
        },
        TAGS,
    )
    nodes = [
        {
            "InstanceGroupName": "workers",
            "InstanceId": f"i-0a1000000000000{number}",
            "InstanceType": "ml.g5.12xlarge",
            "LaunchTime": ago(state, 45),
            "InstanceStatus": {"Status": "Running"},
        }
        for number in range(2)
    ]
    state.answer("sagemaker:ListClusterNodes", {"ClusterNodeSummaries": nodes})


def _shadow_test(state: DemoState) -> None:
    state.add(
        "InferenceExperiment",
        REGION,
        {
            "Name": "readmission-3-shadow",
            "Arn": arn("inference-experiment/readmission-3-shadow"),
            "Type": "ShadowMode",
            "Status": "Running",
            "CreationTime": ago(state, 2),
            "LastModifiedTime": ago(state, 2),
            "RoleArn": role("inference"),
            "EndpointMetadata": {"EndpointName": "readmission", "EndpointStatus": "InService"},
            "ModelVariants": [],
            "DataStorageConfig": {"Destination": f"s3://{CAPTURE}/shadow", "KmsKey": KEY},
            "KmsKey": KEY,
            "Schedule": {"StartTime": ago(state, 2), "EndTime": ago(state, -5)},
        },
        TAGS,
    )


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_pipeline, _jobs, _features, _cluster, _shadow_test):
        seed(state)
