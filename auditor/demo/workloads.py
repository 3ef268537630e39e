"""Processing, tuning and AutoML jobs, and what training jobs are told, good and bad."""

from datetime import timedelta
from typing import Any

from auditor.demo.company import KEYS, LAB, PROD, ago, arn, network, own_image, role, tags, xgboost
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState
from auditor.demo.training import train


def _processing(state: DemoState) -> None:
    """A job on two instances with all the keys, in the network of the account."""
    name = "demand-features-weekly"
    cluster: Document = {
        "InstanceCount": 2,
        "InstanceType": "ml.m7i.xlarge",
        "VolumeSizeInGB": 60,
        "VolumeKmsKeyId": KEYS["data"],
    }
    output: Document = {
        "S3Uri": "s3://larkspur-churn-data/demand/",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    document: Document = {
        "ProcessingJobName": name,
        "ProcessingJobArn": arn(PROD, f"processing-job/{name}"),
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "features", "S3Output": output}],
            "KmsKeyId": KEYS["data"],
        },
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": True,
            "VpcConfig": network(PROD),
        },
        "AppSpecification": {"ImageUri": own_image(PROD, "platform/features", "1.0.0")},
        "RoleArn": role("ml-training-churn"),
        "ProcessingJobStatus": "Completed",
        "CreationTime": ago(state, days=2),
        "ProcessingStartTime": ago(state, days=2, hours=-0.1),
        "ProcessingEndTime": ago(state, days=2, hours=-1),
        "LastModifiedTime": ago(state, days=2, hours=-1),
    }
    state.add("ProcessingJob", PROD, document, tags("demand"))


def _automl(state: DemoState) -> None:
    """An AutoML job within the network, and one that a researcher started without."""
    secured: dict[str, Any] = {"VpcConfig": network(PROD), "EnableInterContainerTrafficEncryption": True}
    for region, name, team, output, security in (
        (PROD, "churn-baseline-0004", "churn", {"KmsKeyId": KEYS["data"]}, secured),
        (LAB, "uplift-tryout-0001", "research", {}, None),
    ):
        document: Document = {
            "AutoMLJobName": name,
            "AutoMLJobArn": arn(region, f"automl-job/{name}"),
            "AutoMLJobInputDataConfig": [
                {
                    "ChannelType": "training",
                    "ContentType": "text/csv;header=present",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": f"s3://larkspur-{team}-data/features/",
                        }
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://larkspur-{team}-data/automl/", **output},
            "RoleArn": role("ml-training-churn" if team == "churn" else "ml-research"),
            "AutoMLProblemTypeConfigName": "Tabular",
            "CreationTime": ago(state, days=5),
            "EndTime": ago(state, days=5, hours=-2),
            "LastModifiedTime": ago(state, days=5, hours=-2),
            "AutoMLJobStatus": "Completed",
            "AutoMLJobSecondaryStatus": "Completed",
            **({"SecurityConfig": security} if security else {}),
        }
        environment = "production" if team == "churn" else "development"
        state.add("AutoMLJobV2", region, document, tags(team, environment))


def _downloading(state: DemoState) -> None:
    """A job that copies for most of its time what it could stream."""
    created, waiting = ago(state, days=4), timedelta(minutes=40)
    start = created + timedelta(minutes=4)
    end = start + timedelta(seconds=4_500)
    train(
        state,
        PROD,
        f"search-embeddings-{created:%Y-%m-%d}",
        4,
        image=xgboost(PROD),
        role_name="ml-training-churn",
        seconds=4_500,
        bucket="larkspur-search-models",
        instance="ml.m7i.xlarge",
        held=tags("search"),
        SecondaryStatusTransitions=[
            {"Status": "Starting", "StartTime": created, "EndTime": start},
            {"Status": "Downloading", "StartTime": start, "EndTime": start + waiting},
            {"Status": "Training", "StartTime": start + waiting, "EndTime": end},
            {"Status": "Completed", "StartTime": end, "EndTime": end},
        ],
    )


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_processing, _automl, _downloading):
        seed(state)
