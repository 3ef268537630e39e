"""Where the exemplary account's people work: Studio, and a private team that labels data."""

import base64

from auditor.demo.exemplary.names import (
    DATA,
    GROUP,
    KEY,
    REGION,
    SUBNETS,
    TAGS,
    VPC,
    ago,
    arn,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_DOMAIN = "d-alder0000001"


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


def fill(state: DemoState) -> None:
    """Add them to the account."""
    _studio(state)
    _labels(state)
