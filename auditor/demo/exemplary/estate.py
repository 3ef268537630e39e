"""What else a well-kept estate has: Studio, a pipeline, its jobs, features, labels, a cluster and a test on traffic."""

import base64
import json
from datetime import timedelta

from auditor.demo.exemplary.names import (
    CAPTURE,
    DATA,
    GROUP,
    KEY,
    MODELS,
    REGION,
    SUBNETS,
    TAGS,
    VPC,
    XGBOOST,
    ago,
    arn,
    network,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_DOMAIN = "d-alder0000001"
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


def _studio(state: DemoState) -> None:
    times = {"CreationTime": ago(state, 300), "LastModifiedTime": ago(state, 300)}
    setup = {
        "StudioLifecycleConfigName": "setup",
        "StudioLifecycleConfigArn": arn("studio-lifecycle-config/setup"),
        "StudioLifecycleConfigContent": base64.b64encode(
            b"#!/bin/bash\nset -e\npip install -q alder-tools\n"
        ).decode(),
        "StudioLifecycleConfigAppType": "JupyterLab",
        **times,
    }
    state.add("StudioLifecycleConfig", REGION, setup, TAGS)
    idle = {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 60}
    lab: Document = {
        "LifecycleConfigArns": [setup["StudioLifecycleConfigArn"]],
        "DefaultResourceSpec": {"InstanceType": "ml.t3.medium"},
        "AppLifecycleManagement": {"IdleSettings": idle},
    }
    defaults: Document = {
        "ExecutionRole": role("notebooks"),
        "SecurityGroups": [GROUP],
        "JupyterLabAppSettings": lab,
        "CodeEditorAppSettings": lab,
        "SharingSettings": {
            "NotebookOutputOption": "Allowed",
            "S3OutputPath": f"s3://{DATA}/shared",
            "S3KmsKeyId": KEY,
        },
    }
    state.add(
        "Domain",
        REGION,
        {
            "DomainArn": arn(f"domain/{_DOMAIN}"),
            "DomainId": _DOMAIN,
            "DomainName": "studio",
            "Status": "InService",
            "AuthMode": "SSO",
            "HomeEfsFileSystemId": "fs-alder0000001",
            "AppNetworkAccessType": "VpcOnly",
            "SubnetIds": list(SUBNETS),
            "VpcId": VPC,
            "KmsKeyId": KEY,
            "DomainSettings": {
                "ExecutionRoleIdentityConfig": "USER_PROFILE_NAME",
                "SecurityGroupIds": [GROUP],
            },
            "DefaultUserSettings": defaults,
            "DefaultSpaceSettings": {
                "ExecutionRole": role("notebooks"),
                "SecurityGroups": [GROUP],
                "JupyterLabAppSettings": lab,
            },
            "CreationTime": ago(state, 365),
            "LastModifiedTime": ago(state, 40),
        },
        TAGS,
    )
    person, space = "anna", "exploration"
    state.add(
        "UserProfile",
        REGION,
        {
            "DomainId": _DOMAIN,
            "UserProfileArn": arn(f"user-profile/{_DOMAIN}/{person}"),
            "UserProfileName": person,
            "Status": "InService",
            "CreationTime": ago(state, 300),
            "LastModifiedTime": ago(state, 40),
            "UserSettings": {"ExecutionRole": role("notebooks"), "SecurityGroups": [GROUP]},
        },
        TAGS,
    )
    state.add(
        "Space",
        REGION,
        {
            "DomainId": _DOMAIN,
            "SpaceArn": arn(f"space/{_DOMAIN}/{space}"),
            "SpaceName": space,
            "Status": "InService",
            "CreationTime": ago(state, 100),
            "LastModifiedTime": ago(state, 0.1),
            "SpaceSettings": {
                "AppType": "JupyterLab",
                "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 20}},
            },
            "OwnershipSettings": {"OwnerUserProfileName": person},
            "SpaceSharingSettings": {"SharingType": "Private"},
        },
        TAGS,
    )
    state.add(
        "App",
        REGION,
        {
            "AppArn": arn(f"app/{_DOMAIN}/{space}/JupyterLab/default"),
            "AppType": "JupyterLab",
            "AppName": "default",
            "DomainId": _DOMAIN,
            "SpaceName": space,
            "Status": "InService",
            "CreationTime": ago(state, 0.1),
            "ResourceSpec": {"InstanceType": "ml.t3.medium"},
        },
        TAGS,
    )
    state.answer("efs:DescribeBackupPolicy", {"BackupPolicy": {"Status": "ENABLED"}})


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


def _labels(state: DemoState) -> None:
    """A private team, which works from inside the network, with a model that learns along."""
    name = "discharge-letters"
    place = f"s3://{DATA}/labels/{name}"
    learns = arn("labeling-job-algorithm-specification/text-classification").replace(ACCOUNT, "027400017018")
    function = f"arn:aws:lambda:{REGION}:568282634449:function:ACS-TextMultiClass"
    state.add(
        "LabelingJob",
        REGION,
        {
            "LabelingJobArn": arn(f"labeling-job/{name}"),
            "LabelingJobName": name,
            "LabelingJobStatus": "Completed",
            "JobReferenceCode": name,
            "LabelCounters": {
                "TotalLabeled": 12_000,
                "HumanLabeled": 4_000,
                "MachineLabeled": 8_000,
                "FailedNonRetryableError": 0,
                "Unlabeled": 0,
            },
            "CreationTime": ago(state, 12),
            "LastModifiedTime": ago(state, 9),
            "RoleArn": role("training"),
            "LabelingJobAlgorithmsConfig": {
                "LabelingJobAlgorithmSpecificationArn": learns,
                "LabelingJobResourceConfig": {"VolumeKmsKeyId": KEY},
            },
            "InputConfig": {
                "DataSource": {"S3DataSource": {"ManifestS3Uri": f"{place}/in.manifest"}},
                "DataAttributes": {
                    "ContentClassifiers": ["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"]
                },
            },
            "OutputConfig": {"S3OutputPath": f"{place}/", "KmsKeyId": KEY},
            "HumanTaskConfig": {
                "WorkteamArn": arn("workteam/private-crowd/nurses"),
                "UiConfig": {"UiTemplateS3Uri": f"{place}/ui.html"},
                "TaskTitle": name,
                "TaskDescription": name,
                "NumberOfHumanWorkersPerDataObject": 3,
                "TaskTimeLimitInSeconds": 300,
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": function},
            },
        },
        TAGS,
    )
    state.add(
        "Workforce",
        REGION,
        {
            "WorkforceName": "default",
            "WorkforceArn": arn("workforce/default"),
            "Status": "Active",
            "CreateDate": ago(state, 300),
            "LastUpdatedDate": ago(state, 300),
            "SourceIpConfig": {"Cidrs": ["203.0.113.0/24"]},
        },
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
    for seed in (_studio, _pipeline, _jobs, _features, _labels, _cluster, _shadow_test):
        seed(state)
