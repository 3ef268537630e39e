"""Keys, trails, alarms and topics of the demo account."""

from auditor.demo.alarms import alarm
from auditor.demo.company import KEYS, LAB, PROD, ago, arn
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

MANAGEMENT = "098765432109"
"""The organisation's management account, which owns the shadow trail."""

ONCALL = arn(PROD, "ml-oncall", "sns")
UNREAD = arn(PROD, "ml-alerts-old", "sns")
"""Two topics: people have confirmed one of them; to the other nobody listens."""


def _keys(state: DemoState) -> None:
    for name, description, manager, rotated in (
        ("data", "ML data of production", "CUSTOMER", True),
        ("legacy", "ML data until 2023", "CUSTOMER", False),
        ("managed", "Default key that protects my SageMaker data", "AWS", True),
        ("s3", "Default key that protects my S3 objects", "AWS", True),
        ("research", "Research data", "CUSTOMER", True),
    ):
        key = KEYS[name]
        region, identifier = key.split(":")[3], key.rpartition("/")[2]
        state.add(
            "Key",
            region,
            {
                "AWSAccountId": ACCOUNT,
                "KeyId": identifier,
                "Arn": key,
                "CreationDate": ago(state, days=900),
                "Enabled": name != "legacy",
                "Description": description,
                "KeyUsage": "ENCRYPT_DECRYPT",
                "KeyState": "Disabled" if name == "legacy" else "Enabled",
                "Origin": "AWS_KMS",
                "KeyManager": manager,
                "KeySpec": "SYMMETRIC_DEFAULT",
                "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
                "MultiRegion": False,
            },
        )
        state.add("KeyRotation", region, {"KeyRotationEnabled": rotated, "KeyId": key}, key=key)
        principal = f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}'
        statement = f'{{"Effect": "Allow", "Principal": {principal}, "Action": "kms:*", "Resource": "*"}}'
        policy = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
        state.add("KeyPolicy", region, {"Policy": policy, "PolicyName": "default"}, key=key)
    for alias, name in (
        ("alias/aws/sagemaker", "managed"),
        ("alias/aws/s3", "s3"),
        ("alias/larkspur-ml-data", "data"),
    ):
        held = {
            "AliasName": alias,
            "AliasArn": arn(PROD, alias, "kms"),
            "TargetKeyId": KEYS[name].rpartition("/")[2],
        }
        state.add("Alias", PROD, held)


def _trails(state: DemoState) -> None:
    """One that sees all Regions, one that stopped, and the organisation's."""
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    fraud = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::larkspur-fraud-artifacts/"]}
    audit: Document = {
        "Name": "larkspur-audit",
        "S3BucketName": "larkspur-cloudtrail-logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": PROD,
        "TrailARN": arn(PROD, "trail/larkspur-audit", "cloudtrail"),
        "LogFileValidationEnabled": True,
        "KmsKeyId": KEYS["data"],
        "HasCustomEventSelectors": True,
        "HasInsightSelectors": False,
        "IsOrganizationTrail": False,
        "CloudWatchLogsLogGroupArn": arn(PROD, "log-group:larkspur-audit:*", "logs"),
    }
    local: Document = {
        **audit,
        "Name": "research-debug",
        "IsMultiRegionTrail": False,
        "HomeRegion": LAB,
        "TrailARN": arn(LAB, "trail/research-debug", "cloudtrail"),
        "LogFileValidationEnabled": False,
        "HasCustomEventSelectors": False,
    }
    del local["KmsKeyId"], local["CloudWatchLogsLogGroupArn"]
    shared: Document = {
        **audit,
        "Name": "organisation",
        "S3BucketName": "organisation-cloudtrail",
        "TrailARN": f"arn:aws:cloudtrail:{PROD}:{MANAGEMENT}:trail/organisation",
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{PROD}:{MANAGEMENT}:log-group:organisation:*",
        "HasCustomEventSelectors": False,
        "IsOrganizationTrail": True,
    }
    for trail, selectors, logging in (
        (audit, [{**everything, "DataResources": [fraud]}], True),
        (local, [{**everything, "DataResources": []}], False),
        (shared, [{**everything, "DataResources": []}], True),
    ):
        home, name = trail["HomeRegion"], trail["TrailARN"]
        state.add("Trail", home, trail)
        state.add("EventSelectors", home, {"TrailARN": name, "EventSelectors": selectors}, key=name)
        times = (
            {"LatestDeliveryTime": ago(state, hours=0.2)}
            if logging
            else {"StopLoggingTime": ago(state, days=40)}
        )
        state.add("TrailStatus", home, {"IsLogging": logging, **times}, key=name)
    lake = arn(PROD, "eventdatastore/7d0f6e5c-0000-4000-8000-4b3a29180706", "cloudtrail")
    state.add(
        "EventDataStore",
        PROD,
        {
            "EventDataStoreArn": lake,
            "Name": "sagemaker-activity",
            "Status": "ENABLED",
            "MultiRegionEnabled": False,
            "AdvancedEventSelectors": [
                {
                    "Name": "SageMaker data events",
                    "FieldSelectors": [
                        {"Field": "eventCategory", "Equals": ["Data"]},
                        {"Field": "resources.type", "Equals": ["AWS::SageMaker::FeatureGroup"]},
                    ],
                }
            ],
        },
    )


def _on(metric: str, endpoint: str, variant: str, statistic: str = "Sum") -> Document:
    return {
        "MetricName": metric,
        "Namespace": "AWS/SageMaker",
        "Statistic": statistic,
        "Period": 300,
        "Dimensions": [
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": variant},
        ],
    }


def _alarms(state: DemoState) -> None:
    """Alarms that call someone, that are off, that reach nobody, and those that only scale."""
    errors = "Invocation5XXErrors"
    page = arn(PROD, "function:page-the-oncall", "lambda")
    alarm(state, PROD, "churn-realtime-5xx", [ONCALL, page], **_on(errors, "churn-realtime", "AllTraffic"))
    latency = _on("ModelLatency", "churn-realtime", "AllTraffic", "Average")
    alarm(state, PROD, "churn-realtime-latency", [ONCALL, page], **latency)
    for endpoint, variant, name in (
        ("churn-realtime", "AllTraffic", "churn-calls"),
        ("search-ranking", "ranker", "ranker-calls"),
    ):
        for side in ("High", "Low"):
            title = f"TargetTracking-endpoint/{endpoint}/variant/{variant}-Alarm{side}-{name}"
            scaling = arn(PROD, f"scalingPolicy:{name}", "autoscaling")
            alarm(state, PROD, title, [scaling], **_on("InvocationsPerInstance", endpoint, variant))
    off = _on(errors, "search-ranking", "ranker")
    alarm(state, PROD, "search-ranking-5xx", [ONCALL], **{**off, "ActionsEnabled": False})
    alarm(
        state,
        PROD,
        "search-ranking-latency",
        [UNREAD],
        **_on("ModelLatency", "search-ranking", "ranker", "Average"),
    )
    parts = [
        {
            "Id": identifier,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": _on(metric, "demand-forecast", "AllTraffic")["Dimensions"],
                },
                "Period": 300,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for identifier, metric in (("errors", errors), ("calls", "Invocations"))
    ]
    share = {"Id": "share", "Expression": "100 * errors / calls", "Label": "error share", "ReturnData": True}
    alarm(state, PROD, "demand-forecast-error-share", [ONCALL], Metrics=[*parts, share])
    query = 'SELECT MAX(ModelLatency) FROM SCHEMA("AWS/SageMaker", EndpointName, VariantName) GROUP BY EndpointName'
    insights = {"Id": "q1", "Expression": query, "Period": 300, "ReturnData": True}
    alarm(state, PROD, "all-endpoints-latency", [UNREAD], Metrics=[insights], StateValue="INSUFFICIENT_DATA")
    name = "search-health"
    state.add(
        "CompositeAlarm",
        PROD,
        {
            "AlarmName": name,
            "AlarmArn": arn(PROD, f"alarm:{name}", "cloudwatch"),
            "AlarmRule": 'ALARM("search-ranking-5xx") OR ALARM("search-ranking-latency")',
            "ActionsEnabled": True,
            "AlarmActions": [ONCALL],
            "OKActions": [],
            "InsufficientDataActions": [],
            "StateValue": "OK",
        },
    )


def _topics(state: DemoState) -> None:
    """Who listens; moto confirms no subscription, whatever is subscribed."""
    for topic, confirmed, pending in ((ONCALL, "2", "0"), (UNREAD, "0", "1")):
        attributes = {
            "TopicArn": topic,
            "Owner": ACCOUNT,
            "SubscriptionsConfirmed": confirmed,
            "SubscriptionsPending": pending,
            "SubscriptionsDeleted": "0",
            "KmsMasterKeyId": KEYS["data"],
        }
        state.answer("sns:GetTopicAttributes", {"Attributes": attributes}, when={"TopicArn": topic})


def fill(state: DemoState) -> None:
    """Add keys, trails, alarms and the topics that they call."""
    for seed in (_keys, _trails, _alarms, _topics):
        seed(state)
