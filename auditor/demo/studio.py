"""Studio's people and apps, labeling, clusters and what else has an owner, good and bad."""

from typing import Any

from auditor.demo.company import KEYS, LAB, PROD, ago, arn, network, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState

_DOMAINS = {PROD: "d-larkspurprod1", LAB: "d-larkspurlab01"}


def _space(state: DemoState, region: str, name: str, owner: str, *, modified: float, **settings: Any) -> None:
    domain = _DOMAINS[region]
    document = {
        "DomainId": domain,
        "SpaceArn": arn(region, f"space/{domain}/{name}"),
        "SpaceName": name,
        "Status": "InService",
        "CreationTime": ago(state, days=200),
        "LastModifiedTime": ago(state, days=modified),
        "SpaceSettings": {"AppType": "JupyterLab", **settings},
        "OwnershipSettings": {"OwnerUserProfileName": owner},
        "SpaceSharingSettings": {"SharingType": "Private"},
    }
    state.add("Space", region, document)


def _volume(size: int) -> Document:
    return {"EbsStorageSettings": {"EbsVolumeSizeInGb": size}}


def _spaces(state: DemoState) -> None:
    _space(state, PROD, "churn-workspace", "maya-lindqvist", modified=90, SpaceStorageSettings=_volume(20))
    # It was for one hackathon, and a laptop may still connect to it.
    _space(
        state,
        PROD,
        "fraud-hackathon",
        "tomas-okafor",
        modified=120,
        RemoteAccess="ENABLED",
        SpaceStorageSettings=_volume(250),
    )
    _space(state, LAB, "vision-workspace", "hanna-weiss", modified=3, SpaceStorageSettings=_volume(100))
    domain = _DOMAINS[PROD]
    for kind, instance, hours in (("CodeEditor", "ml.t3.medium", 3), ("JupyterServer", "system", 400)):
        app = {
            "AppArn": arn(PROD, f"app/{domain}/tomas-okafor/{kind.lower()}/default"),
            "AppType": kind,
            "AppName": "default",
            "DomainId": domain,
            "UserProfileName": "tomas-okafor",
            "Status": "InService",
            "CreationTime": ago(state, hours=hours),
            "ResourceSpec": {"InstanceType": instance},
        }
        state.add("App", PROD, app)


def _labeling(state: DemoState) -> None:
    functions = f"arn:aws:lambda:{PROD}:568282634449:function"
    private = arn(PROD, "workteam/private-crowd/receipt-reviewers")
    public = f"arn:aws:sagemaker:{PROD}:394669845002:workteam/public-crowd/default"
    algorithm = f"arn:aws:sagemaker:{PROD}:027400017018:labeling-job-algorithm-specification"
    learns = {"LabelingJobAlgorithmSpecificationArn": f"{algorithm}/object-detection"}
    for name, team, function, counted, output, more in (
        (
            "receipts-fields",
            private,
            "ACS-BoundingBox",
            (12_400, 7_900),
            {"KmsKeyId": KEYS["data"]},
            {"LabelingJobAlgorithmsConfig": learns},
        ),
        ("catalogue-photos", public, "ACS-ImageMultiClass", (18_000, 0), {"KmsKeyId": KEYS["data"]}, {}),
    ):
        labeled, by_machine = counted
        document = {
            "LabelingJobArn": arn(PROD, f"labeling-job/{name}"),
            "LabelingJobName": name,
            "LabelingJobStatus": "Completed",
            "JobReferenceCode": name,
            "LabelCounters": {
                "TotalLabeled": labeled,
                "HumanLabeled": labeled - by_machine,
                "MachineLabeled": by_machine,
                "FailedNonRetryableError": 0,
                "Unlabeled": 0,
            },
            "CreationTime": ago(state, days=12),
            "LastModifiedTime": ago(state, days=9),
            "RoleArn": role("ml-pipeline"),
            "InputConfig": {
                "DataSource": {
                    "S3DataSource": {"ManifestS3Uri": f"s3://larkspur-churn-data/labels/{name}/in.manifest"}
                }
            },
            "OutputConfig": {"S3OutputPath": f"s3://larkspur-churn-data/labels/{name}/", **output},
            "HumanTaskConfig": {
                "WorkteamArn": team,
                "UiConfig": {"UiTemplateS3Uri": f"s3://larkspur-churn-data/labels/{name}/ui.html"},
                "TaskTitle": name,
                "TaskDescription": name,
                "NumberOfHumanWorkersPerDataObject": 3,
                "TaskTimeLimitInSeconds": 300,
                "AnnotationConsolidationConfig": {
                    "AnnotationConsolidationLambdaArn": f"{functions}:{function}"
                },
            },
            **more,
        }
        state.add("LabelingJob", PROD, document, tags("search"))
    for region, limits in (
        (PROD, {"SourceIpConfig": {"Cidrs": ["203.0.113.0/24"]}}),
        (LAB, {"SourceIpConfig": {"Cidrs": ["0.0.0.0/0"]}}),
    ):
        workforce = {
            "WorkforceName": "default",
            "WorkforceArn": arn(region, "workforce/default"),
            "Status": "Active",
            "CreateDate": ago(state, days=300),
            "LastUpdatedDate": ago(state, days=300),
            **limits,
        }
        state.add("Workforce", region, workforce)


def _group(name: str, count: int, *, key: str = "", image: str = "UpToDate") -> Document:
    volume = {"VolumeSizeInGB": 500, **({"VolumeKmsKeyId": key} if key else {})}
    return {
        "InstanceGroupName": name,
        "InstanceType": "ml.g5.12xlarge",
        "CurrentCount": count,
        "TargetCount": 2,
        "ExecutionRole": role("ml-training"),
        "InstanceStorageConfigs": [{"EbsVolumeConfig": volume}],
        "Status": "InService",
        "ImageVersionStatus": image,
    }


def _clusters(state: DemoState) -> None:
    eks = arn(PROD, "cluster/ml-platform", "eks")
    checked = ["InstanceStress", "InstanceConnectivity"]
    for region, name, team, group, more in (
        (
            PROD,
            "search-embeddings",
            "search",
            {**_group("workers", 2, key=KEYS["data"]), "OnStartDeepHealthChecks": checked},
            {
                "VpcConfig": network(PROD),
                "NodeRecovery": "Automatic",
                "Orchestrator": {"Eks": {"ClusterArn": eks}},
            },
        ),
        (
            LAB,
            "vision-cluster",
            "research",
            _group("gpus", 1, image="SecurityUpdateRequired"),
            {"NodeRecovery": "None"},
        ),
    ):
        document = {
            "ClusterArn": arn(region, f"cluster/{name}"),
            "ClusterName": name,
            "ClusterStatus": "InService",
            "CreationTime": ago(state, days=45),
            "InstanceGroups": [group],
            **more,
        }
        held = tags(team, "production" if region == PROD else "sandbox")
        state.add("Cluster", region, document, held)
        nodes = [
            {
                "InstanceGroupName": group["InstanceGroupName"],
                "InstanceId": f"i-0{region[:2]}{number}7c1d2e3f4a5b6c",
                "InstanceType": group["InstanceType"],
                "LaunchTime": ago(state, days=45),
                "InstanceStatus": {"Status": "Running"},
            }
            for number in range(group["CurrentCount"])
        ]
        state.answer("sagemaker:ListClusterNodes", {"ClusterNodeSummaries": nodes}, region=region)


def _managed(state: DemoState) -> None:
    for name, active, modified in (("churn-tracking", "Active", 1), ("search-trial", "Inactive", 60)):
        server = {
            "TrackingServerArn": arn(PROD, f"mlflow-tracking-server/{name}"),
            "TrackingServerName": name,
            "TrackingServerSize": "Small",
            "TrackingServerStatus": "Created",
            "IsActive": active,
            "MlflowVersion": "2.16.2",
            "RoleArn": role("ml-pipeline"),
            "ArtifactStoreUri": "s3://larkspur-churn-data/mlflow",
            "CreationTime": ago(state, days=120),
            "LastModifiedTime": ago(state, days=modified),
        }
        state.add("MlflowTrackingServer", PROD, server, tags("platform"))
    for region, name, used in ((PROD, "search-quarter", 4), (LAB, "vision-quarter", 1)):
        plan = {
            "TrainingPlanArn": arn(region, f"training-plan/{name}"),
            "TrainingPlanName": name,
            "Status": "Active",
            "StartTime": ago(state, days=20),
            "TotalInstanceCount": 4,
            "AvailableInstanceCount": 4 - used,
            "InUseInstanceCount": used,
        }
        held = tags("search") if region == PROD else tags("research", "sandbox")
        state.add("TrainingPlan", region, plan, held)


def _devices(state: DemoState) -> None:
    """Cameras that nobody moved off Edge Manager, and scanners that never were on it."""
    fleet = "shelf-cameras"
    document = {
        "DeviceFleetName": fleet,
        "DeviceFleetArn": arn(LAB, f"device-fleet/{fleet}"),
        "OutputConfig": {"S3OutputLocation": "s3://larkspur-research/cameras/"},
        "CreationTime": ago(state, days=1500),
        "LastModifiedTime": ago(state, days=1200),
    }
    state.add("DeviceFleet", LAB, document)
    device = {
        "DeviceName": "shelf-camera-1",
        "DeviceArn": arn(LAB, f"device-fleet/{fleet}/device/shelf-camera-1"),
        "DeviceFleetName": fleet,
        "LatestHeartbeat": ago(state, days=650),
    }
    state.answer("sagemaker:ListDevices", {"DeviceSummaries": [device]}, region=LAB)
    state.answer("sagemaker:ListDevices", {"DeviceSummaries": []}, region=PROD)
    compiled = {
        "CompilationJobName": "search-scanner-neo",
        "CompilationJobArn": arn(PROD, "compilation-job/search-scanner-neo"),
        "CompilationJobStatus": "COMPLETED",
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "CreationTime": ago(state, days=60),
        "LastModifiedTime": ago(state, days=60),
        "FailureReason": "",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://larkspur-churn-data/compiled/model-rk3399.tar.gz"},
        "RoleArn": role("ml-training"),
        "InputConfig": {
            "S3Uri": "s3://larkspur-churn-data/models/scanner-v1/model.tar.gz",
            "Framework": "PYTORCH",
        },
        "OutputConfig": {"S3OutputLocation": "s3://larkspur-churn-data/compiled/", "TargetDevice": "rk3399"},
    }
    state.add("CompilationJob", PROD, compiled, tags("search"))


def _backups(state: DemoState) -> None:
    for region, status in ((PROD, "ENABLED"), (LAB, "DISABLED")):
        state.answer("efs:DescribeBackupPolicy", {"BackupPolicy": {"Status": status}}, region=region)
        state.answer("backup:ListProtectedResources", {"Results": []}, region=region)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_spaces, _labeling, _clusters, _managed, _devices, _backups):
        seed(state)
