"""The services that watch the exemplary account: all are on, logs arrive and are kept for a year."""

from auditor.demo.exemplary.names import CAPTURE, DATA, KEY, MODELS, REGION, ago, arn
from auditor.demo.state import ACCOUNT, DemoState

_GB = 1024**3


def _macie(state: DemoState) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    session = {"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES", "serviceRole": role}
    state.answer("macie2:GetMacieSession", session)
    state.answer("macie2:GetAutomatedDiscoveryConfiguration", {"status": "ENABLED"})
    buckets = [
        {
            "bucketArn": f"arn:aws:s3:::{name}",
            "bucketName": name,
            "accountId": ACCOUNT,
            "automatedDiscoveryMonitoringStatus": "MONITORED",
            "lastAutomatedDiscoveryTime": ago(state, 2),
            "classifiableObjectCount": 400,
            "sizeInBytes": 4 * _GB,
            "jobDetails": {"isDefinedInJob": "FALSE", "isMonitoredByJob": "FALSE"},
        }
        for name in (DATA, MODELS, CAPTURE)
    ]
    state.answer("macie2:DescribeBuckets", {"buckets": buckets})
    state.answer("macie2:GetFindingStatistics", {"countsByGroup": []})


def _detection(state: DemoState) -> None:
    state.answer("guardduty:ListDetectors", {"DetectorIds": ["0a1000000000400080000000000000aa"]})
    features = [{"Name": name, "Status": "ENABLED"} for name in ("S3_DATA_EVENTS", "AI_PROTECTION")]
    detector = {"ServiceRole": f"arn:aws:iam::{ACCOUNT}:role/guardduty", "Status": "ENABLED"}
    state.answer("guardduty:GetDetector", {**detector, "Features": features})
    hub = arn("hub/default", "securityhub")
    state.answer("securityhub:DescribeHub", {"HubArn": hub, "AutoEnableControls": True})
    subscription = {
        "StandardsSubscriptionArn": arn("subscription/ai-security-best-practices", "securityhub"),
        "StandardsArn": f"arn:aws:securityhub:{REGION}::standards/ai-security-best-practices/v/1.0.0",
        "StandardsInput": {},
        "StandardsStatus": "READY",
    }
    state.answer("securityhub:GetEnabledStandards", {"StandardsSubscriptions": [subscription]})
    recorder = {
        "name": "default",
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
    }
    state.answer("config:DescribeConfigurationRecorders", {"ConfigurationRecorders": [recorder]})
    status = {"name": "default", "recording": True, "lastStatus": "SUCCESS"}
    state.answer("config:DescribeConfigurationRecorderStatus", {"ConfigurationRecordersStatus": [status]})


def _milliseconds(state: DemoState, days: float) -> int:
    return int(ago(state, days).timestamp() * 1000)


def _logs(state: DemoState) -> None:
    endpoints = [f"Endpoints/{document['EndpointName']}" for document in state.documents("Endpoint", REGION)]
    shared = [
        "ProcessingJobs",
        "TrainingJobs",
        "TransformJobs",
        "NotebookInstances",
        "studio",
        "Clusters/pretraining/0a10alder001",
    ]
    groups = [
        {
            "logGroupName": f"/aws/sagemaker/{name}",
            "arn": arn(f"log-group:/aws/sagemaker/{name}:*", "logs"),
            "creationTime": _milliseconds(state, 300),
            "storedBytes": _GB,
            "retentionInDays": 365,
            "kmsKeyId": KEY,
        }
        for name in (*endpoints, *shared)
    ]
    state.answer("logs:DescribeLogGroups", {"logGroups": groups})
    stream = {"logStreamName": "newest/algo-1", "lastEventTimestamp": _milliseconds(state, 0.02)}
    state.answer("logs:DescribeLogStreams", {"logStreams": [stream]})


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_macie, _detection, _logs):
        seed(state)
