"""Training jobs of the demo account, by family."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from auditor.demo.company import (
    KEYS,
    LAB,
    PROD,
    SECRETS,
    ago,
    arn,
    deep_learning,
    network,
    own_image,
    role,
    tags,
    xgboost,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Series

_NAMESPACE = "/aws/sagemaker/TrainingJobs"


def _channel(uri: str) -> Document:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}}


def _scratch_channel(state: DemoState) -> Document:
    """Images on a scratch file system, which is linked to the bucket that they come from."""
    name = "fs-0c63e9fb407da5132"
    held: Document = {
        "FileSystemId": name,
        "ResourceARN": arn(LAB, f"file-system/{name}", "fsx"),
        "FileSystemType": "LUSTRE",
        "LustreConfiguration": {"DeploymentType": "SCRATCH_2"},
    }
    state.answer("fsx:DescribeFileSystems", {"FileSystems": [held]}, region=LAB)
    linked = {"FileSystemId": name, "DataRepositoryPath": "s3://larkspur-research-data/images"}
    state.answer("fsx:DescribeDataRepositoryAssociations", {"Associations": [linked]}, region=LAB)
    source = {
        "FileSystemId": name,
        "FileSystemAccessMode": "ro",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/images",
    }
    return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}


def _transitions(start: datetime, end: datetime | None, status: str, secondary: str) -> list[Document]:
    steps: list[Document] = [
        {"Status": "Starting", "StartTime": start, "EndTime": start + timedelta(minutes=4)},
        {
            "Status": "Training",
            "StartTime": start + timedelta(minutes=4),
            **({"EndTime": end} if end else {}),
        },
    ]
    if end and status != "InProgress":
        steps.append({"Status": secondary, "StartTime": end, "EndTime": end})
    return steps


def train(
    state: DemoState,
    region: str,
    name: str,
    days: float,
    *,
    image: str,
    role_name: str,
    seconds: int,
    bucket: str,
    instance: str = "",
    count: int = 1,
    billable: int | None = None,
    status: str = "Completed",
    secondary: str = "",
    held: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    """A training job that was created `days` ago and trained for `seconds`; `more` are members of Describe."""
    created = ago(state, days=days)
    running = status == "InProgress"
    end = None if running else created + timedelta(seconds=seconds + 240)
    ending = secondary or ("Training" if running else status)
    document: Document = {
        "TrainingJobName": name,
        "TrainingJobArn": arn(region, f"training-job/{name}"),
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://{bucket}/{name}/output/model.tar.gz"},
        "TrainingJobStatus": status,
        "SecondaryStatus": ending,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role(role_name),
        "InputDataConfig": [_channel(f"s3://{bucket}/features/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": {"InstanceType": instance, "InstanceCount": count, "VolumeSizeInGB": 100},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "CreationTime": created,
        "TrainingStartTime": created + timedelta(minutes=4),
        "LastModifiedTime": end or created + timedelta(minutes=4),
        "SecondaryStatusTransitions": _transitions(created, end, status, ending),
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "HyperParameters": {"epochs": "10"},
        "ProfilingStatus": "Disabled",
    }
    if end:
        spent = {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billable or seconds}
        document |= {"TrainingEndTime": end, **spent}
    document = {key: value for key, value in {**document, **more}.items() if value is not None}
    return state.add("TrainingJob", region, document, held)


def host_metrics(state: DemoState, region: str, job: str, *, hosts: int, **percent: float) -> None:
    """What a job's hosts report every minute, in percent over all cores or GPUs of the instance."""
    document = state.named("TrainingJob", region, job)[0]
    start, end = document["TrainingStartTime"], document.get("TrainingEndTime", state.now)
    for host in range(1, hosts + 1):
        for name, value in percent.items():
            values = tuple((value * factor, 1.0) for factor in (0.9, 1.0, 1.1, 1.0))
            series = Series(start, end, 60, values)
            state.metric(region, _NAMESPACE, name, {"Host": f"{job}/algo-{host}"}, series)


def _stamp(state: DemoState, days: float) -> str:
    return f"{ago(state, days=days):%Y-%m-%d}"


def _churn(state: DemoState) -> None:
    """All as it should be: private, encrypted, on Spot with checkpoints."""
    secure: dict[str, Any] = {
        "VpcConfig": network(PROD),
        "EnableNetworkIsolation": True,
        "OutputDataConfig": {"S3OutputPath": "s3://larkspur-churn-data/models/", "KmsKeyId": KEYS["data"]},
        "ResourceConfig": {
            "InstanceType": "ml.m7i.2xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 50,
            "VolumeKmsKeyId": KEYS["data"],
        },
    }
    for days in (1, 2, 3, 4):
        name = f"churn-xgboost-daily-{_stamp(state, days)}"
        train(
            state,
            PROD,
            name,
            days,
            image=xgboost(PROD),
            role_name="ml-training-churn",
            seconds=5400,
            billable=2050,
            bucket="larkspur-churn-data",
            held=tags("churn", workload="interruptible"),
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 14400, "MaxWaitTimeInSeconds": 28800},
            CheckpointConfig={"S3Uri": f"s3://larkspur-churn-data/checkpoints/{name}"},
            HyperParameters={"objective": "binary:logistic", "num_round": "400"},
            Environment={
                "FEATURE_STORE_SECRET": f"arn:aws:secretsmanager:{PROD}:123456789012:secret:churn/features"
            },
            **secure,
        )
        host_metrics(state, PROD, name, hosts=1, CPUUtilization=560, MemoryUtilization=61, DiskUtilization=38)
    for run in range(10):
        train(
            state,
            PROD,
            f"churn-drift-probe-{run + 1:02d}",
            2 * run + 1,
            image=xgboost(PROD),
            role_name="ml-training-churn",
            seconds=240,
            status="Failed" if run == 7 else "Completed",
            bucket="larkspur-churn-data",
            held=tags("churn"),
            **secure,
        )
    for child, ending in (("a1", "Completed"), ("b2", "Stopped"), ("c3", "Completed")):
        train(
            state,
            PROD,
            f"churn-hpo-0118-{child}",
            6,
            image=xgboost(PROD),
            role_name="ml-training-churn",
            seconds=1500,
            status=ending,
            bucket="larkspur-churn-data",
            TuningJobArn=arn(PROD, "hyper-parameter-tuning-job/churn-hpo-0118"),
            **secure,
        )


def _fraud(state: DemoState) -> None:
    """Four GPU nodes that talk in clear, wait for data and could not resume."""
    for days in (2, 9):
        name = f"fraud-gnn-weekly-{_stamp(state, days)}"
        train(
            state,
            PROD,
            name,
            days,
            image=own_image(PROD, "fraud/gnn", "2.1.0"),
            role_name="ml-training-fraud",
            seconds=21600,
            bucket="sagemaker-eu-west-1-123456789012",
            instance="ml.g6.12xlarge",
            count=4,
            held={"Environment": "production", "Project": "fraud"},
            VpcConfig=network(PROD),
            OutputDataConfig={"S3OutputPath": "s3://sagemaker-eu-west-1-123456789012/fraud/", "KmsKeyId": ""},
        )
        host_metrics(
            state,
            PROD,
            name,
            hosts=4,
            GPUUtilization=44,
            GPUMemoryUtilization=90,
            CPUUtilization=310,
            MemoryUtilization=22,
        )
    train(
        state,
        PROD,
        "fraud-embeddings-nightly",
        0.1,
        image=deep_learning(PROD),
        role_name="ml-training-fraud",
        seconds=0,
        status="InProgress",
        bucket="larkspur-fraud-artifacts",
        instance="ml.g6.xlarge",
        count=2,
        held=tags("fraud"),
        VpcConfig=network(PROD),
        EnableInterContainerTrafficEncryption=True,
        CheckpointConfig={"S3Uri": "s3://larkspur-fraud-artifacts/checkpoints/embeddings"},
        RemoteDebugConfig={"EnableRemoteDebug": True},
    )
    train(
        state,
        PROD,
        "fraud-baseline-archive",
        45,
        image=xgboost(PROD),
        role_name="ml-shared",
        seconds=900,
        bucket="larkspur-fraud-artifacts",
        instance="ml.m4.xlarge",
    )


def _search(state: DemoState) -> None:
    """An old instance type outside the VPC; three of ten fail, and the newest carries a key."""
    endings = {3: "Failed", 5: "Failed", 8: "Failed", 10: "Stopped"}
    for days in range(1, 12):
        status = endings.get(days, "Completed")
        failure = "AlgorithmError: ExecuteUserScriptError: CUDA out of memory" if status == "Failed" else None
        train(
            state,
            PROD,
            f"search-ranker-{_stamp(state, days)}",
            days + 0.3,
            image=deep_learning(PROD),
            role_name="ml-shared",
            seconds=3200 if status == "Completed" else 700,
            status=status,
            bucket="larkspur-search-models",
            instance="ml.p3.2xlarge",
            held=tags("search"),
            FailureReason=failure,
            Environment={
                "ELASTIC_PASSWORD": SECRETS["password"],
                "AWS_ACCESS_KEY_ID": SECRETS["access key"],
                "SAGEMAKER_SUBMIT_DIRECTORY": "s3://larkspur-search-models/source/sourcedir.tar.gz",
            }
            if days == 1
            else {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://larkspur-search-models/source/sourcedir.tar.gz"},
        )


def _demand(state: DemoState) -> None:
    """Spot that saves next to nothing and once waited in vain."""
    for days, status, secondary in (
        (1, "Completed", ""),
        (8, "Stopped", "MaxWaitTimeExceeded"),
        (15, "Completed", ""),
    ):
        train(
            state,
            PROD,
            f"demand-deepar-weekly-{_stamp(state, days)}",
            days + 0.1,
            image=f"224300973850.dkr.ecr.{PROD}.amazonaws.com/forecasting-deepar:1",
            role_name="ml-training-demand",
            seconds=7600,
            billable=7200,
            status=status,
            secondary=secondary,
            bucket="larkspur-demand-forecasts",
            instance="ml.c7i.4xlarge",
            held=tags("demand"),
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 10800, "MaxWaitTimeInSeconds": 14400},
        )
        host_metrics(
            state,
            PROD,
            f"demand-deepar-weekly-{_stamp(state, days)}",
            hosts=1,
            CPUUtilization=96,
            MemoryUtilization=11,
        )


def _research(state: DemoState) -> None:
    """What a laboratory runs: big nodes on demand, mixed clusters, quick starts and one serverless job."""
    for days in (3, 10):
        train(
            state,
            LAB,
            f"llm-finetune-{_stamp(state, days)}",
            days,
            image=deep_learning(LAB),
            role_name="ml-research",
            seconds=39600,
            bucket="larkspur-llm-checkpoints",
            instance="ml.p5.48xlarge",
            count=2,
            held=tags("research", "development"),
            VpcConfig=network(LAB),
            EnableInterContainerTrafficEncryption=True,
            CheckpointConfig={"S3Uri": "s3://larkspur-llm-checkpoints/finetune"},
            Environment={"HF_TOKEN": SECRETS["hub token"]},
        )
        host_metrics(
            state,
            LAB,
            f"llm-finetune-{_stamp(state, days)}",
            hosts=2,
            GPUUtilization=690,
            GPUMemoryUtilization=720,
            CPUUtilization=1900,
            MemoryUtilization=44,
        )
    groups = [
        {"InstanceType": "ml.g6.xlarge", "InstanceCount": 1, "InstanceGroupName": "gpu"},
        {"InstanceType": "ml.c7i.4xlarge", "InstanceCount": 1, "InstanceGroupName": "preprocessing"},
    ]
    common: dict[str, Any] = {"role_name": "ml-research", "bucket": "larkspur-research-data"}
    train(
        state,
        LAB,
        "vision-pretrain-mixed",
        4,
        image=deep_learning(LAB),
        seconds=18000,
        held=tags("research", "sandbox"),
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 500},
        VpcConfig=network(LAB),
        InputDataConfig=[_scratch_channel(state)],
        **common,
    )
    train(
        state,
        LAB,
        "nova-customization-0042",
        5,
        image="",
        seconds=4000,
        held=tags("research", "development"),
        ResourceConfig=None,
        AlgorithmSpecification=None,
        ServerlessJobConfig={
            "BaseModelArn": f"arn:aws:sagemaker:{LAB}:aws:hub-content/SageMakerPublicHub/Model/nova-micro/1.0.0",
            "JobType": "FineTuning",
        },
        **common,
    )
    train(
        state,
        LAB,
        "jumpstart-textgen-quickstart",
        7,
        image=deep_learning(LAB, "huggingface-pytorch-training:2.1.0-gpu-py310"),
        seconds=1900,
        instance="ml.g6.xlarge",
        held=tags("research", "sandbox"),
        InputDataConfig=[_channel(f"s3://jumpstart-cache-prod-{LAB}/training-datasets/sst2/")],
        **common,
    )
    train(
        state,
        LAB,
        "marketplace-forecast-trial",
        8,
        image="",
        seconds=2600,
        AlgorithmSpecification={
            "AlgorithmName": arn(LAB, "algorithm/chronos-plus"),
            "TrainingInputMode": "File",
        },
        ResourceConfig={
            "InstanceType": "ml.m7i.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "KeepAlivePeriodInSeconds": 1800,
        },
        EnableNetworkIsolation=True,
        VpcConfig=network(LAB),
        **common,
    )
    train(
        state,
        LAB,
        "smoke-test",
        0.5,
        image=xgboost(LAB),
        seconds=55,
        instance="ml.m7i.large",
        held=tags("platform", "test"),
        **common,
    )


def fill(state: DemoState) -> None:
    """Add every training job."""
    for seed in (_churn, _fraud, _search, _demand, _research):
        seed(state)
