"""The services that watch the account, and its logs: on in one Region, off in the other."""

from typing import Any

from auditor.demo.company import LAB, PROD, ago, arn
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_GB = 1024**3


def _milliseconds(state: DemoState, days: float) -> int:
    return int(ago(state, days=days).timestamp() * 1000)


def _macie(state: DemoState) -> None:
    """On in production; in the lab AWS says that it is not enabled, as if access were denied."""
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    session = {"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES", "serviceRole": role}
    state.answer("macie2:GetMacieSession", session, region=PROD)
    state.answer("macie2:GetAutomatedDiscoveryConfiguration", {"status": "ENABLED"}, region=PROD)
    state.refuse(
        "macie2:GetMacieSession",
        code="AccessDeniedException",
        message="Macie is not enabled",
        status=403,
        region=LAB,
    )
    seen = ago(state, days=2)
    found = []
    for name, monitored, objects, size in (
        ("larkspur-churn-data", True, 4200, 300 * _GB),
        ("larkspur-fraud-artifacts", True, 900, 8 * _GB),
        ("larkspur-search-models", False, 2600, 700 * _GB),
        ("larkspur-demand-forecasts", True, 1100, 120 * _GB),
        ("larkspur-capture", False, 0, 2 * _GB),
    ):
        bucket: Document = {
            "bucketArn": f"arn:aws:s3:::{name}",
            "bucketName": name,
            "accountId": ACCOUNT,
            "automatedDiscoveryMonitoringStatus": "MONITORED" if monitored else "NOT_MONITORED",
            "classifiableObjectCount": objects,
            "sizeInBytes": size,
            "jobDetails": {"isDefinedInJob": "FALSE", "isMonitoredByJob": "FALSE"},
        }
        found.append({**bucket, "lastAutomatedDiscoveryTime": seen} if monitored else bucket)
    state.answer("macie2:DescribeBuckets", {"buckets": found}, region=PROD)
    open_ = [{"groupKey": "larkspur-demand-forecasts", "count": 7}]
    state.answer("macie2:GetFindingStatistics", {"countsByGroup": open_}, region=PROD)


def _detection(state: DemoState) -> None:
    features = [
        {"Name": name, "Status": "ENABLED"} for name in ("CLOUD_TRAIL", "S3_DATA_EVENTS", "AI_PROTECTION")
    ]
    detector: dict[str, Any] = {"ServiceRole": f"arn:aws:iam::{ACCOUNT}:role/guardduty", "Status": "ENABLED"}
    state.answer(
        "guardduty:ListDetectors", {"DetectorIds": ["12abc34d567e8fa901bc2d34e56789f0"]}, region=PROD
    )
    state.answer("guardduty:GetDetector", {**detector, "Features": features}, region=PROD)
    state.answer("guardduty:ListDetectors", {"DetectorIds": []}, region=LAB)
    hub = arn(PROD, "hub/default", "securityhub")
    state.answer("securityhub:DescribeHub", {"HubArn": hub, "AutoEnableControls": True}, region=PROD)
    standard = f"arn:aws:securityhub:{PROD}::standards/aws-foundational-security-best-practices/v/1.0.0"
    subscription = {
        "StandardsSubscriptionArn": arn(PROD, "subscription/aws-foundational", "securityhub"),
        "StandardsArn": standard,
        "StandardsInput": {},
        "StandardsStatus": "READY",
    }
    state.answer("securityhub:GetEnabledStandards", {"StandardsSubscriptions": [subscription]}, region=PROD)
    for operation in ("DescribeHub", "GetEnabledStandards"):
        state.refuse(
            f"securityhub:{operation}",
            code="InvalidAccessException",
            message=f"Account {ACCOUNT} is not subscribed to AWS Security Hub",
            status=401,
            region=LAB,
        )


def _recorders(state: DemoState) -> None:
    recorder = {"name": "default", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config"}
    everything = {**recorder, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}
    storage = {**recorder, "recordingGroup": {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}}
    status = {
        "ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "SUCCESS"}]
    }
    for region, held in ((PROD, everything), (LAB, storage)):
        state.answer(
            "config:DescribeConfigurationRecorders", {"ConfigurationRecorders": [held]}, region=region
        )
        state.answer("config:DescribeConfigurationRecorderStatus", status, region=region)


def _logs(state: DemoState) -> None:
    """Production writes all its logs; the lab's roles may not."""
    endpoints = [
        document["EndpointName"]
        for document in state.documents("Endpoint", PROD)
        if document["EndpointStatus"] == "InService"
    ]
    shared = ["ProcessingJobs", "TrainingJobs", "TransformJobs", "NotebookInstances", "studio"]
    clusters = [
        f"Clusters/{document['ClusterName']}/{document['ClusterArn'].rpartition('/')[2]}"
        for document in state.documents("Cluster", PROD)
    ]
    names = [*(f"Endpoints/{name}" for name in endpoints), *shared, *clusters]
    for region, kept in ((PROD, names), (LAB, ["TrainingJobs"])):
        groups = []
        for number, name in enumerate(kept):
            group: Document = {
                "logGroupName": f"/aws/sagemaker/{name}",
                "arn": arn(region, f"log-group:/aws/sagemaker/{name}:*", "logs"),
                "creationTime": _milliseconds(state, 700),
                "storedBytes": (number + 1) * 3 * _GB,
            }
            # Every third group keeps its logs for ever.
            groups.append(group if number % 3 == 2 else {**group, "retentionInDays": 365})
        state.answer("logs:DescribeLogGroups", {"logGroups": groups}, region=region)
        newest = _milliseconds(state, 0.02) if region == PROD else _milliseconds(state, 25)
        stream = {"logStreamName": "newest/algo-1", "lastEventTimestamp": newest}
        state.answer("logs:DescribeLogStreams", {"logStreams": [stream]}, region=region)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_macie, _detection, _recorders, _logs):
        seed(state)
