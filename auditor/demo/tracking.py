"""Experiments, lineage, copies of artifacts, feature groups and tests on live traffic, good and bad."""

from datetime import timedelta
from typing import Any

from auditor.demo.company import KEYS, LAB, PROD, ago, arn, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def _components(state: DemoState) -> None:
    """SageMaker makes a component of every job; production's daily runs are part of experiments."""
    for region in (PROD, LAB):
        for number, job in enumerate(state.documents("TrainingJob", region)):
            name = f"{job['TrainingJobName']}-aws-training-job"
            component: Document = {
                "TrialComponentName": name,
                "TrialComponentArn": arn(region, f"experiment-trial-component/{name}"),
                "DisplayName": job["TrainingJobName"],
                "Source": {"SourceArn": job["TrainingJobArn"], "SourceType": "SageMakerTrainingJob"},
                "CreationTime": job["CreationTime"] + timedelta(minutes=1),
            }
            if number % 40 == 0:
                component["Metrics"] = [
                    {"MetricName": "loss", "Last": 0.2, "Count": 10, "TimeStamp": job["LastModifiedTime"]}
                ]
            state.add("TrialComponent", region, component)


def _lineage(state: DemoState) -> None:
    """Lineage knows where the churn model comes from, and of the others no more than that they are deployed."""
    data = arn(PROD, "artifact/churn-features")
    trained = arn(PROD, "experiment-trial-component/churn-xgboost-daily-aws-training-job")
    vertices = [
        {"Arn": data, "Type": "DataSet", "LineageType": "Artifact"},
        {"Arn": trained, "Type": "SageMakerTrainingJob", "LineageType": "TrialComponent"},
    ]
    deployed = arn(PROD, "action/churn-deployment")
    for region in (PROD, LAB):
        for document in state.documents("Endpoint", region):
            name = document["EndpointName"]
            context = arn(region, f"context/{name}")
            known = name in ("churn-realtime", "search-ranking")
            if known:
                found = {
                    "ContextSummaries": [
                        {"ContextArn": context, "ContextName": name, "ContextType": "Endpoint"}
                    ]
                }
                asked = {"SourceUri": document["EndpointArn"]}
                state.answer("sagemaker:ListContexts", found, region=region, when=asked)
        # The first answer that holds counts: this one is for all others.
        state.answer("sagemaker:ListContexts", {"ContextSummaries": []}, region=region)
    whole = {"Vertices": [*vertices, {"Arn": deployed, "Type": "ModelDeployment", "LineageType": "Action"}]}
    half = {"Vertices": [{"Arn": deployed, "Type": "ModelDeployment", "LineageType": "Action"}]}
    for name, document in (("churn-realtime", whole), ("search-ranking", half)):
        starts = [arn(PROD, f"context/{name}")]
        state.answer("sagemaker:QueryLineage", document, region=PROD, when={"StartArns": starts})


def _features(state: DemoState) -> None:
    for name, keyed in (("customer-activity", True), ("card-velocity", False)):
        online: Document = {"EnableOnlineStore": True}
        offline: Document = {"S3Uri": "s3://larkspur-churn-data/features", "ResolvedOutputS3Uri": "s3://x"}
        if keyed:
            online["SecurityConfig"] = {"KmsKeyId": KEYS["data"]}
            offline["KmsKeyId"] = KEYS["data"]
        state.add(
            "FeatureGroup",
            PROD,
            {
                "FeatureGroupName": name,
                "FeatureGroupArn": arn(PROD, f"feature-group/{name}"),
                "RecordIdentifierFeatureName": "id",
                "EventTimeFeatureName": "moment",
                "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}],
                "CreationTime": ago(state, days=200),
                "OnlineStoreConfig": online,
                "OfflineStoreConfig": {"S3StorageConfig": offline},
                "RoleArn": role("ml-pipeline"),
                "FeatureGroupStatus": "Created",
                "NextToken": "",
            },
            tags("churn" if keyed else "fraud"),
        )


def _shadow_tests(state: DemoState) -> None:
    """One that is encrypted and ends in time, one that nobody ended."""
    for name, days, endpoint, keyed in (
        ("churn-v8-shadow", 6, "churn-realtime", True),
        ("ranker-v13-shadow", 70, "search-ranking", False),
    ):
        document: dict[str, Any] = {
            "Name": name,
            "Arn": arn(PROD, f"inference-experiment/{name}"),
            "Type": "ShadowMode",
            "Status": "Running",
            "CreationTime": ago(state, days=days),
            "LastModifiedTime": ago(state, days=days),
            "RoleArn": role("ml-inference"),
            "EndpointMetadata": {"EndpointName": endpoint, "EndpointStatus": "InService"},
            "ModelVariants": [],
        }
        if keyed:
            document["KmsKey"] = KEYS["data"]
            document["Schedule"] = {"StartTime": ago(state, days=days), "EndTime": ago(state, days=-8)}
        state.add("InferenceExperiment", PROD, document, tags("churn" if keyed else "search"))


def _copies(state: DemoState) -> None:
    """The churn artifacts are replicated, and its old data expires; nothing else is, or does."""
    replicated = {
        "ReplicationConfiguration": {
            "Role": role("s3-replication"),
            "Rules": [
                {
                    "Status": "Enabled",
                    "Priority": 1,
                    "Filter": {"Prefix": ""},
                    "Destination": {"Bucket": "arn:aws:s3:::larkspur-churn-copy"},
                }
            ],
        }
    }
    expires = {
        "Rules": [
            {
                "ID": "old",
                "Status": "Enabled",
                "Filter": {"Prefix": "checkpoints/"},
                "Expiration": {"Days": 60},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
            }
        ]
    }
    named = {"Bucket": "larkspur-churn-data"}
    state.answer("s3:GetBucketReplication", replicated, when=named)
    state.answer("s3:GetBucketLifecycleConfiguration", expires, when=named)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_components, _lineage, _features, _shadow_tests, _copies):
        seed(state)
