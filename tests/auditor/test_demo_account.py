"""The demo account answers like AWS: in this process, over HTTP, and where it refuses."""

import inspect
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

import auditor.demo
from auditor.demo import company, gaps
from auditor.demo.account import DemoAccount, build, demo_session, empty, served
from auditor.demo.shapes import InvalidAnswer, operation_model, require_valid
from auditor.demo.state import KINDS, SAGEMAKER_KINDS, WRAPPED, DemoState, Series

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
EU, US = "eu-west-1", "us-east-1"
ACCOUNT = "123456789012"
KEY = company.KEYS["data"]
FOREIGN_KEY = company.KEYS["partner"]
TRAIL = f"arn:aws:cloudtrail:{EU}:{ACCOUNT}:trail/larkspur-audit"
SHARED_TRAIL = f"arn:aws:cloudtrail:{EU}:098765432109:trail/organisation"
CHURN = f"arn:aws:sagemaker:{EU}:{ACCOUNT}:endpoint/churn-realtime"
SINCE = {
    "Filters": [{"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": "2025-12-16T10:30:00"}]
}

# What is asked, and how many records of which member come back; a text names AWS's error instead.
Case = tuple[str, str, str, dict[str, Any], str, int | str]

STATE = build(NOW).state


def seeded(kind: str, region: str) -> int:
    """How many documents of a kind the account has: a list has to give all of them."""
    return len(STATE.documents(kind, region))


SEARCHED = (
    "TrainingJob",
    "HyperParameterTuningJob",
    "Model",
    "Endpoint",
    "ModelPackage",
    "ModelPackageGroup",
    "Pipeline",
)
LISTED = (
    "TrainingJob",
    "HyperParameterTuningJob",
    "Model",
    "Endpoint",
    "EndpointConfig",
    "ModelPackageGroup",
    "Pipeline",
    "NotebookInstance",
    "NotebookInstanceLifecycleConfig",
    "StudioLifecycleConfig",
    "Domain",
    "UserProfile",
    "App",
    "Space",
    "InferenceComponent",
    "ProcessingJob",
    "TransformJob",
    "MonitoringSchedule",
    "DataQualityJobDefinition",
)
QUERY = {
    "Id": "calls",
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocations",
            "Dimensions": [
                {"Name": "EndpointName", "Value": "churn-realtime"},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
        },
        "Period": 86400,
        "Stat": "Sum",
    },
}
WINDOW = {"StartTime": NOW - timedelta(days=7), "EndTime": NOW}
CASES: list[Case] = [
    *(
        (
            region,
            "sagemaker",
            "Search",
            {"Resource": kind, "MaxResults": 100},
            "Results",
            seeded(kind, region),
        )
        for kind in SEARCHED
        for region in (EU, US)
    ),
    (EU, "sagemaker", "Search", {"Resource": "ExperimentTrial", "MaxResults": 100}, "Results", 0),
    *(
        (region, "sagemaker", f"List{kind}s", {"MaxResults": 100}, "", seeded(kind, region))
        for kind in LISTED
        for region in (EU, US)
    ),
    (EU, "sagemaker", "ListCodeRepositories", {"MaxResults": 100}, "", seeded("CodeRepository", EU)),
    (EU, "sagemaker", "ListModelPackages", {"MaxResults": 100}, "ModelPackageSummaryList", 0),
    (
        EU,
        "sagemaker",
        "ListModelPackages",
        {"ModelPackageType": "Versioned"},
        "ModelPackageSummaryList",
        seeded("ModelPackage", EU),
    ),
    (EU, "sagemaker", "ListModelPackages", {"ModelPackageGroupName": "churn"}, "ModelPackageSummaryList", 3),
    (EU, "sagemaker", "ListTrainingJobs", {"StatusEquals": "InProgress"}, "TrainingJobSummaries", 1),
    (
        EU,
        "sagemaker",
        "ListTrainingJobs",
        {"CreationTimeAfter": "2026-01-12T00:00:00Z"},
        "TrainingJobSummaries",
        10,
    ),
    (EU, "sagemaker", "ListEndpoints", {"NameContains": "legacy"}, "Endpoints", 1),
    (EU, "sagemaker", "ListInferenceComponents", {"EndpointNameEquals": "none"}, "InferenceComponents", 0),
    (EU, "sagemaker", "ListTags", {"ResourceArn": CHURN}, "Tags", 5),
    (EU, "sagemaker", "ListTags", {"ResourceArn": CHURN.replace("churn", "gone")}, "Tags", 0),
    (EU, "sagemaker", "DescribeEndpoint", {"EndpointName": "gone"}, "", "ValidationException"),
    (EU, "sagemaker", "DescribePipeline", {"PipelineName": "gone"}, "", "ResourceNotFound"),
    (EU, "sagemaker", "Search", {"Resource": "Model", "MaxResults": 101}, "", "ValidationException"),
    (EU, "sagemaker", "Search", {"Resource": "Model", "NextToken": "x"}, "", "ValidationException"),
    (EU, "sagemaker", "Search", {"Resource": "Model", "SearchExpression": {}}, "", "ValidationException"),
    (
        EU,
        "resourcegroupstaggingapi",
        "GetResources",
        {"ResourceARNList": [CHURN]},
        "ResourceTagMappingList",
        1,
    ),
    (
        EU,
        "resourcegroupstaggingapi",
        "GetResources",
        {"ResourceTypeFilters": ["sagemaker:notebook-instance"]},
        "ResourceTagMappingList",
        5,
    ),
    (
        US,
        "resourcegroupstaggingapi",
        "GetResources",
        {"ResourceTypeFilters": ["sagemaker"], "ResourcesPerPage": 100},
        "ResourceTagMappingList",
        sum(":sagemaker:" in tagged for tagged in STATE.tagged(US)),
    ),
    (
        EU,
        "resourcegroupstaggingapi",
        "GetResources",
        {"ResourceARNList": [CHURN] * 101},
        "",
        "InvalidParameterException",
    ),
    (
        EU,
        "application-autoscaling",
        "DescribeScalableTargets",
        {"ServiceNamespace": "sagemaker"},
        "ScalableTargets",
        7,
    ),
    (
        US,
        "application-autoscaling",
        "DescribeScalableTargets",
        {"ServiceNamespace": "sagemaker"},
        "ScalableTargets",
        0,
    ),
    (
        EU,
        "application-autoscaling",
        "DescribeScalingPolicies",
        {"ServiceNamespace": "sagemaker"},
        "ScalingPolicies",
        5,
    ),
    (
        EU,
        "application-autoscaling",
        "DescribeScalingPolicies",
        {"ServiceNamespace": "sagemaker", "MaxResults": 11},
        "",
        "ValidationException",
    ),
    (
        EU,
        "application-autoscaling",
        "DescribeScalingActivities",
        {"ServiceNamespace": "sagemaker", "IncludeNotScaledActivities": True},
        "ScalingActivities",
        2,
    ),
    (EU, "cloudwatch", "DescribeAlarms", {"MaxRecords": 100}, "MetricAlarms", seeded("MetricAlarm", EU)),
    (EU, "cloudwatch", "DescribeAlarms", {"AlarmTypes": ["CompositeAlarm"]}, "CompositeAlarms", 1),
    (EU, "cloudwatch", "DescribeAlarms", {"AlarmNames": ["churn-realtime-5xx", "gone"]}, "MetricAlarms", 1),
    (US, "cloudwatch", "DescribeAlarms", {}, "MetricAlarms", 0),
    (EU, "cloudwatch", "GetMetricData", {"MetricDataQueries": [QUERY], **WINDOW}, "MetricDataResults", 1),
    (
        EU,
        "cloudwatch",
        "GetMetricData",
        {"MetricDataQueries": [{**QUERY, "Id": f"q{number}"} for number in range(501)], **WINDOW},
        "",
        "ValidationError",
    ),
    (US, "iam", "GetAccountAuthorizationDetails", {"MaxItems": 1000}, "RoleDetailList", 15),
    (US, "iam", "GetAccountAuthorizationDetails", {"Filter": ["AWSManagedPolicy"]}, "Policies", 4),
    (US, "iam", "GetAccountSummary", {}, "SummaryMap", 6),
    (EU, "s3", "ListBuckets", {"MaxBuckets": 1000}, "Buckets", 11),
    (EU, "s3", "GetBucketVersioning", {"Bucket": "larkspur-churn-data"}, "Status", 7),
    (
        EU,
        "s3",
        "GetBucketEncryption",
        {"Bucket": "larkspur-churn-data"},
        "ServerSideEncryptionConfiguration",
        1,
    ),
    (EU, "s3", "GetBucketPolicy", {"Bucket": "sagemaker-eu-west-1-123456789012"}, "", "NoSuchBucketPolicy"),
    (EU, "s3", "GetBucketPolicyStatus", {"Bucket": "larkspur-demand-forecasts"}, "PolicyStatus", 1),
    (
        US,
        "s3",
        "GetPublicAccessBlock",
        {"Bucket": "larkspur-research-data"},
        "PublicAccessBlockConfiguration",
        4,
    ),
    (
        EU,
        "s3",
        "GetPublicAccessBlock",
        {"Bucket": "larkspur-demand-forecasts"},
        "",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    (
        EU,
        "s3",
        "GetObjectLockConfiguration",
        {"Bucket": "larkspur-fraud-artifacts"},
        "ObjectLockConfiguration",
        2,
    ),
    (
        EU,
        "s3",
        "GetObjectLockConfiguration",
        {"Bucket": "larkspur-churn-data"},
        "",
        "ObjectLockConfigurationNotFoundError",
    ),
    (
        EU,
        "s3",
        "GetBucketReplication",
        {"Bucket": "larkspur-search-models"},
        "",
        "ReplicationConfigurationNotFoundError",
    ),
    (
        EU,
        "s3",
        "GetBucketLifecycleConfiguration",
        {"Bucket": "larkspur-search-models"},
        "",
        "NoSuchLifecycleConfiguration",
    ),
    (EU, "s3", "GetBucketLogging", {"Bucket": "larkspur-churn-data"}, "LoggingEnabled", 2),
    (EU, "s3", "GetBucketTagging", {"Bucket": "larkspur-churn-data"}, "TagSet", 3),
    (EU, "s3", "GetBucketAcl", {"Bucket": "larkspur-churn-data"}, "Grants", 1),
    (
        EU,
        "s3",
        "HeadObject",
        {"Bucket": "larkspur-churn-data", "Key": "models/churn-v7/model.tar.gz"},
        "ETag",
        34,
    ),
    (EU, "s3", "HeadObject", {"Bucket": "larkspur-demand-forecasts", "Key": "models/x.tar.gz"}, "", "404"),
    (EU, "s3", "ListObjectsV2", {"Bucket": "larkspur-search-models", "Prefix": "markets/"}, "Contents", 1),
    (EU, "s3control", "GetPublicAccessBlock", {"AccountId": ACCOUNT}, "PublicAccessBlockConfiguration", 4),
    (EU, "cloudtrail", "DescribeTrails", {"includeShadowTrails": True}, "trailList", 2),
    (US, "cloudtrail", "DescribeTrails", {"includeShadowTrails": True}, "trailList", 3),
    (US, "cloudtrail", "DescribeTrails", {"includeShadowTrails": False}, "trailList", 1),
    (EU, "cloudtrail", "GetTrailStatus", {"Name": TRAIL}, "", 2),
    (US, "cloudtrail", "GetTrailStatus", {"Name": "larkspur-audit"}, "", "TrailNotFoundException"),
    (EU, "cloudtrail", "GetEventSelectors", {"TrailName": TRAIL}, "EventSelectors", 1),
    (EU, "cloudtrail", "GetEventSelectors", {"TrailName": SHARED_TRAIL}, "EventSelectors", 1),
    (EU, "cloudtrail", "ListEventDataStores", {}, "EventDataStores", 2),
    (EU, "kms", "DescribeKey", {"KeyId": KEY}, "KeyMetadata", 13),
    (EU, "kms", "DescribeKey", {"KeyId": "alias/aws/sagemaker"}, "KeyMetadata", 13),
    (EU, "kms", "DescribeKey", {"KeyId": FOREIGN_KEY}, "", "AccessDeniedException"),
    (US, "kms", "DescribeKey", {"KeyId": KEY}, "", "NotFoundException"),
    (EU, "kms", "GetKeyRotationStatus", {"KeyId": KEY}, "", 2),
    (EU, "kms", "GetKeyPolicy", {"KeyId": KEY, "PolicyName": "default"}, "", 2),
    (EU, "ec2", "DescribeRegions", {}, "Regions", 2),
    (EU, "ec2", "DescribeRegions", {"AllRegions": True}, "Regions", 5),
    (
        EU,
        "ec2",
        "DescribeInstanceTypes",
        {"Filters": [{"Name": "instance-type", "Values": ["g6.xlarge", "m7i.large", "gone.large"]}]},
        "InstanceTypes",
        2,
    ),
    (EU, "ecr", "DescribeRepositories", {}, "repositories", 4),
    (
        EU,
        "ecr",
        "DescribeImages",
        {"repositoryName": "search/ranker", "imageIds": [{"imageTag": "3.0.2"}]},
        "imageDetails",
        1,
    ),
    (
        EU,
        "ecr",
        "DescribeImages",
        {"repositoryName": "demand/forecaster", "imageIds": [{"imageTag": "0.9.1"}]},
        "",
        "ImageNotFoundException",
    ),
    (
        EU,
        "sns",
        "GetTopicAttributes",
        {"TopicArn": f"arn:aws:sns:{EU}:{ACCOUNT}:ml-oncall"},
        "",
        "AuthorizationError",
    ),
    (EU, "sts", "GetCallerIdentity", {}, "", 3),
    (
        EU,
        "sts",
        "AssumeRole",
        {"RoleArn": company.role("ml-approver"), "RoleSessionName": "x" * 8},
        "Credentials",
        4,
    ),
]
# Half of SageMaker's, which are all of one protocol, and everything else.
OVER_HTTP = [case for number, case in enumerate(CASES) if number % 2 or case[1] != "sagemaker"]


def named(case: Case) -> str:
    region, service, operation, parameters, _, wanted = case
    return f"{service}-{operation}-{parameters.get('Resource', '')}-{region}-{wanted}"


@pytest.fixture(scope="module")
def account() -> DemoAccount:
    return build(NOW)


@pytest.fixture(scope="module")
def session(account: DemoAccount) -> Iterator[boto3.Session]:
    with demo_session(account) as made:
        yield made


def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | str:
    """The answer without its metadata, or the code of AWS's error."""
    try:
        found: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    del found["ResponseMetadata"]
    return found


def check(client: Any, case: Case) -> None:
    _, service, operation, parameters, member, wanted = case
    found = call(client, operation, parameters)
    if isinstance(found, str) or isinstance(wanted, str):
        assert found == wanted
        return
    if service != "iam" or operation == "GetAccountSummary":
        # botocore has turned IAM's policy documents from texts into dicts by now.
        shape = operation_model(service, operation).output_shape
        require_valid(shape, found, operation)
    held = found[member] if member else found
    if not member and operation.startswith("List"):
        (held,) = found.values()
    assert len(held) == wanted


@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_operation_answers_in_process(session: boto3.Session, case: Case) -> None:
    check(session.client(case[1], region_name=case[0]), case)


def test_every_document_is_described_as_it_was_added(session: boto3.Session, account: DemoAccount) -> None:
    for kind, region, document in account.state:
        if kind not in SAGEMAKER_KINDS:
            continue
        required = operation_model("sagemaker", f"Describe{kind}").input_shape.required_members
        parameters = {name: document[name] for name in required}
        if kind == "ModelPackage":
            parameters["ModelPackageName"] = document["ModelPackageArn"]
        found = call(session.client("sagemaker", region_name=region), f"Describe{kind}", parameters)
        assert (found[kind] if kind in WRAPPED else found) == document, (kind, parameters)


def test_every_operation_answers_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    account = build(NOW)
    with served(account) as address:
        # s3control puts the account before the host, a name that no resolver knows: a proxy needs none.
        monkeypatch.setenv("HTTP_PROXY", address)
        session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any")
        clients: dict[tuple[str, str], Any] = {}
        for case in OVER_HTTP:
            place = case[:2]
            if place not in clients:
                clients[place] = session.client(case[1], region_name=case[0], endpoint_url=address)
            check(clients[place], case)


def pages(client: Any, **parameters: Any) -> list[list[dict[str, Any]]]:
    """The records of every page of a Search."""
    found: list[list[dict[str, Any]]] = []
    token: dict[str, str] = {}
    while True:
        answer = client.search(**parameters, **token)
        found.append(answer["Results"])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def test_search_pages_hold_every_record_once_newest_first(session: boto3.Session) -> None:
    client = session.client("sagemaker", region_name=EU)
    found = pages(
        client,
        Resource="TrainingJob",
        SearchExpression=SINCE,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=10,
    )
    jobs = [record["TrainingJob"] for records in found for record in records]
    recent = [d for d in STATE.documents("TrainingJob", EU) if d["CreationTime"] >= NOW - timedelta(days=30)]
    assert [len(records) for records in found[:-1]] == [10] * (len(recent) // 10)
    assert {job["TrainingJobArn"] for job in jobs} == {job["TrainingJobArn"] for job in recent}
    assert len(jobs) == len(recent)
    times = [job["CreationTime"] for job in jobs]
    assert times == sorted(times, reverse=True)
    assert min(times) >= NOW - timedelta(days=30)


FILTERS: list[tuple[str, list[dict[str, str]], set[str]]] = [
    (
        "a status",
        [{"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "InProgress"}],
        {"fraud-embeddings-nightly"},
    ),
    (
        "before a moment",
        [{"Name": "CreationTime", "Operator": "LessThan", "Value": "2025-12-16T10:30:00"}],
        {"fraud-baseline-archive"},
    ),
    (
        "from the very moment on",
        [
            {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": "2026-01-13T10:30:00"},
            {"Name": "CreationTime", "Operator": "LessThanOrEqualTo", "Value": "2026-01-13T10:30:00"},
        ],
        {"churn-xgboost-daily-2026-01-13", "fraud-embedding-005", "fraud-gnn-weekly-2026-01-13"},
    ),
    (
        "a tag and a text in the name",
        [
            {"Name": "Tags.Project", "Operator": "Equals", "Value": "fraud"},
            {"Name": "TrainingJobName", "Operator": "Contains", "Value": "gnn"},
        ],
        {"fraud-gnn-weekly-2026-01-13", "fraud-gnn-weekly-2026-01-06"},
    ),
    (
        "a number inside",
        [{"Name": "ResourceConfig.InstanceCount", "Operator": "GreaterThan", "Value": "2"}],
        {"fraud-gnn-weekly-2026-01-13", "fraud-gnn-weekly-2026-01-06"},
    ),
    (
        "what only tuning's jobs have",
        [{"Name": "TuningJobArn", "Operator": "Exists"}],
        {"churn-hpo-0118-a1", "churn-hpo-0118-b2", "churn-hpo-0118-c3"},
    ),
]


@pytest.mark.parametrize(
    ("filters", "expected"), [case[1:] for case in FILTERS], ids=[case[0] for case in FILTERS]
)
def test_search_filters(session: boto3.Session, filters: list[dict[str, str]], expected: set[str]) -> None:
    client = session.client("sagemaker", region_name=EU)
    found = pages(client, Resource="TrainingJob", SearchExpression={"Filters": filters}, MaxResults=100)
    assert {record["TrainingJob"]["TrainingJobName"] for records in found for record in records} == expected


@pytest.mark.parametrize(
    ("kind", "name", "lacking", "added"),
    [
        ("TrainingJob", "nova-customization-0042", {"ServerlessJobConfig", "ProfilingStatus"}, set()),
        ("Endpoint", "churn-realtime", {"LastDeploymentConfig"}, {"MonitoringSchedules"}),
        ("Endpoint", "document-ocr", {"AsyncInferenceConfig"}, set()),
        ("Pipeline", "churn-weekly", {"PipelineDefinition"}, set()),
    ],
)
def test_search_lacks_what_only_describe_answers(
    session: boto3.Session, account: DemoAccount, kind: str, name: str, lacking: set[str], added: set[str]
) -> None:
    region = US if name.startswith("nova") else EU
    condition = {"Name": f"{kind}Name", "Operator": "Equals", "Value": name}
    answer = session.client("sagemaker", region_name=region).search(
        Resource=kind, SearchExpression={"Filters": [condition]}
    )
    ((record,),) = (tuple(result.values()) for result in answer["Results"])
    (document,) = account.state.named(kind, region, name)
    assert document.keys() - record.keys() == lacking
    assert record.keys() - document.keys() == {"Tags"} | added


def test_search_nests_models_twice_beside_endpoints_and_the_last_batch_job(session: boto3.Session) -> None:
    condition = {"Name": "ModelName", "Operator": "Equals", "Value": "churn-realtime-v7"}
    answer = session.client("sagemaker", region_name=EU).search(
        Resource="Model", SearchExpression={"Filters": [condition]}
    )
    (record,) = answer["Results"]
    assert record["Model"]["Model"]["ModelName"] == "churn-realtime-v7"
    assert [held["EndpointName"] for held in record["Model"]["Endpoints"]] == ["churn-realtime"]
    assert record["Model"]["LastBatchTransformJob"]["TransformJobName"] == "churn-scores-monthly"


def test_authorization_details_come_in_pages_and_decoded(session: boto3.Session) -> None:
    client = session.client("iam", region_name=US)
    whole = client.get_account_authorization_details(MaxItems=1000)
    found: Counter[str] = Counter()
    marker: dict[str, str] = {}
    while True:
        answer = client.get_account_authorization_details(MaxItems=4, **marker)
        for member in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            found.update(item["Arn"] for item in answer[member])
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    assert sum(found.values()) == len(found) == 26
    full = next(policy for policy in whole["Policies"] if policy["PolicyName"] == "AmazonSageMakerFullAccess")
    assert full["Arn"] == "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    assert full["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"][0] == "sagemaker:*"


def test_buckets_have_a_region_only_when_a_list_parameter_is_sent(session: boto3.Session) -> None:
    client = session.client("s3", region_name=EU)
    first = client.list_buckets(MaxBuckets=6)
    second = client.list_buckets(MaxBuckets=6, ContinuationToken=first["ContinuationToken"])
    regions = {held["Name"]: held["BucketRegion"] for answer in (first, second) for held in answer["Buckets"]}
    assert regions["larkspur-churn-data"] == EU
    assert regions["larkspur-research-data"] == US
    assert all("BucketRegion" not in held for held in client.list_buckets()["Buckets"])


def test_the_bucket_with_mfa_delete_says_so(session: boto3.Session) -> None:
    found = session.client("s3", region_name=US).get_bucket_versioning(Bucket="larkspur-llm-checkpoints")
    assert (found["Status"], found["MFADelete"]) == ("Enabled", "Enabled")


def hour(offset: float) -> datetime:
    return datetime(2026, 1, 15, tzinfo=UTC) + timedelta(hours=offset)


STATISTICS = [
    ("Sum", 3600, [70.0, 70.0]),
    ("SampleCount", 3600, [10.0, 10.0]),
    ("Average", 3600, [7.0, 7.0]),
    ("Maximum", 3600, [25.0, 25.0]),
    ("Minimum", 3600, [5.0, 5.0]),
    ("p50", 3600, [5.0, 5.0]),
    ("p95", 3600, [25.0, 25.0]),
    ("Maximum", 1800, [25.0, 5.0, 25.0, 5.0]),
    ("Sum", 86400, [280.0]),
]


@pytest.mark.parametrize(("statistic", "period", "values"), STATISTICS)
def test_metric_statistics(statistic: str, period: int, values: list[float]) -> None:
    account = empty(hour(6))
    # Five a quarter of an hour, nine times of ten; twenty-five once an hour.
    series = Series(hour(0), hour(4), 1800, ((5.0, 5.0), (5.0, 4.0), (5.0, 5.0), (5.0, 4.0)))
    peaks = Series(hour(0.5), hour(4), 3600, ((25.0, 1.0),))
    for held in (series, peaks):
        account.state.metric(EU, "N", "M", {"A": "1"}, held)
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "A", "Value": "1"}]}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}
    window = (hour(1), hour(3)) if period < 86400 else (hour(0), hour(24))
    with demo_session(account) as session:
        answer = session.client("cloudwatch", region_name=EU).get_metric_data(
            MetricDataQueries=[query], StartTime=window[0], EndTime=window[1]
        )
    (result,) = answer["MetricDataResults"]
    assert result["Values"] == values
    assert result["Timestamps"] == [
        window[0] + timedelta(seconds=period * number) for number in reversed(range(len(values)))
    ]


def test_metric_data_goes_on_over_pages_under_the_same_id(session: boto3.Session) -> None:
    hourly = {**QUERY, "MetricStat": {**QUERY["MetricStat"], "Period": 3600}}  # type: ignore[dict-item]  # a table
    parameters = {"MetricDataQueries": [hourly, {**hourly, "Id": "again"}], "MaxDatapoints": 100, **WINDOW}
    client = session.client("cloudwatch", region_name=EU)
    seen: dict[str, list[float]] = {"calls": [], "again": []}
    codes: list[list[str]] = []
    for page in client.get_paginator("get_metric_data").paginate(**parameters):
        codes.append([result["StatusCode"] for result in page["MetricDataResults"]])
        for result in page["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
    assert codes == [["PartialData"], ["Complete", "PartialData"], ["PartialData"], ["Complete"]]
    assert len(seen["calls"]) == 169
    assert seen["calls"] == seen["again"]


def test_minutes_are_kept_for_fifteen_days(session: boto3.Session) -> None:
    job = f"demand-deepar-weekly-{NOW - timedelta(days=15):%Y-%m-%d}"
    metric = {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "Host", "Value": f"{job}/algo-1"}],
    }
    queries = [
        {"Id": f"p{period}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}}
        for period in (60, 300)
    ]
    answer = session.client("cloudwatch", region_name=EU).get_metric_data(
        MetricDataQueries=queries, StartTime=NOW - timedelta(days=20), EndTime=NOW
    )
    assert [len(result["Values"]) for result in answer["MetricDataResults"]] == [0, 26]


DENIALS: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("sagemaker:Search", "sagemaker", "Search", {"Resource": "Model"}, "AccessDeniedException"),
    ("sagemaker", "sagemaker", "ListEndpoints", {}, "AccessDeniedException"),
    ("iam", "iam", "GetAccountSummary", {}, "AccessDenied"),
    (
        "cloudwatch:GetMetricData",
        "cloudwatch",
        "GetMetricData",
        {"MetricDataQueries": [QUERY], **WINDOW},
        "AccessDenied",
    ),
    ("s3:GetBucketPolicy", "s3", "GetBucketPolicy", {"Bucket": "larkspur-churn-data"}, "AccessDenied"),
    ("s3:ListBuckets", "s3", "ListBuckets", {"MaxBuckets": 10}, "AccessDenied"),
    ("s3:ListObjectsV2", "s3", "ListObjectsV2", {"Bucket": "larkspur-churn-data"}, "AccessDenied"),
    ("s3:HeadObject", "s3", "HeadObject", {"Bucket": "larkspur-churn-data", "Key": "x"}, "403"),
    ("s3control", "s3control", "GetPublicAccessBlock", {"AccountId": ACCOUNT}, "AccessDenied"),
    (
        "sns:GetTopicAttributes",
        "sns",
        "GetTopicAttributes",
        {"TopicArn": "arn:aws:sns:x:1:y"},
        "AuthorizationError",
    ),
    ("ec2:DescribeRegions", "ec2", "DescribeRegions", {}, "UnauthorizedOperation"),
    (
        "sts:AssumeRole",
        "sts",
        "AssumeRole",
        {"RoleArn": company.role("x"), "RoleSessionName": "xx"},
        "AccessDenied",
    ),
    ("kms:DescribeKey", "kms", "DescribeKey", {"KeyId": KEY}, "AccessDeniedException"),
    ("ecr", "ecr", "DescribeRepositories", {}, "AccessDeniedException"),
    ("macie2", "macie2", "GetMacieSession", {}, "AccessDeniedException"),
]


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case[0])
def test_a_denied_operation_is_refused_in_process(case: tuple[str, str, str, dict[str, Any], str]) -> None:
    denied, service, operation, parameters, code = case
    with demo_session(empty(NOW, denied=[denied])) as session:
        assert call(session.client(service, region_name=EU), operation, parameters) == code


def test_denied_operations_are_refused_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(empty(NOW, denied=[case[0] for case in DENIALS])) as address:
        monkeypatch.setenv("HTTP_PROXY", address)
        session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any")
        for _, service, operation, parameters, code in DENIALS:
            client = session.client(service, region_name=EU, endpoint_url=address)
            assert call(client, operation, parameters) == code, operation


def test_only_what_is_denied_is_refused() -> None:
    account = build(NOW, denied=["sagemaker:DescribeEndpoint"])
    with demo_session(account) as session:
        client = session.client("sagemaker", region_name=EU)
        assert call(client, "DescribeEndpoint", {"EndpointName": "churn-realtime"}) == "AccessDeniedException"
        assert len(client.list_endpoints(MaxResults=100)["Endpoints"]) == seeded("Endpoint", EU)
        topic = f"arn:aws:sns:{EU}:{ACCOUNT}:ml-oncall"
        found = session.client("sns", region_name=EU).get_topic_attributes(TopicArn=topic)
    assert found["Attributes"]["SubscriptionsConfirmed"] == "2"


def test_a_refusal_may_hold_for_some_parameters_only() -> None:
    account = build(NOW)
    account.state.refuse(
        "sagemaker:DescribeModel", code="ThrottlingException", when={"ModelName": "ranker-v1"}, region=EU
    )
    with demo_session(account) as session:
        client = session.client("sagemaker", region_name=EU)
        assert call(client, "DescribeModel", {"ModelName": "ranker-v1"}) == "ThrottlingException"
        assert isinstance(call(client, "DescribeModel", {"ModelName": "ranker-v2"}), dict)


def test_resources_are_sagemakers_and_roles_trails_and_buckets(account: DemoAccount) -> None:
    sizes = account.state.size()
    found = sum(sizes[kind] for kind in SAGEMAKER_KINDS)
    assert found > 300
    assert account.resources == found + sizes["Role"] + sizes["Trail"] + account.buckets


PLANNED = ("InferenceExperiment", "TrainingPlan")
"""What says when it will end."""


def moments(value: Any) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from moments(item)
    elif isinstance(value, list):
        for item in value:
            yield from moments(item)


def test_every_time_is_relative_to_the_moment_given(account: DemoAccount) -> None:
    later = NOW + timedelta(days=400)
    ages = [NOW - found for _, _, document in account.state for found in moments(document)]
    assert ages == [later - found for _, _, document in build(later).state for found in moments(document)]
    # Training with a moment to come would be a job that ended before it was over.
    past = [
        NOW - found
        for kind, _, document in account.state
        for found in moments(document)
        if kind not in PLANNED
    ]
    assert min(past) >= timedelta(0)


def test_no_planted_secret_stands_in_the_sources() -> None:
    sources = "".join(path.read_text() for path in Path(auditor.demo.__file__).parent.glob("*.py"))
    assert [name for name, value in company.SECRETS.items() if value in sources] == []


MODEL = {"ModelName": "m", "ModelArn": f"arn:aws:sagemaker:{EU}:{ACCOUNT}:model/m", "CreationTime": NOW}


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({**MODEL, "RoleArn": "arn"}, "RoleArn"),
        ({"ModelName": "m"}, "ModelArn"),
        ({**MODEL, "EnableNetworkIsolation": "yes"}, "EnableNetworkIsolation"),
        ({**MODEL, "PrimaryContainer": {"Mode": "Multi"}}, "is none of SingleModel, MultiModel"),
    ],
    ids=["invented", "missing", "of another type", "of no value"],
)
def test_what_aws_could_not_send_is_not_taken(document: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidAnswer, match=text):
        DemoState(NOW).add("Model", EU, document)


def test_every_kind_has_a_shape() -> None:
    for kind in KINDS:
        with pytest.raises(InvalidAnswer, match="Invented"):
            DemoState(NOW).add(kind, EU, {"Invented": 1})


def test_tests_add_their_own_documents_and_count_the_calls() -> None:
    account = empty(NOW)
    for number in range(250):
        name = f"m-{number}"
        document = {**MODEL, "ModelName": name, "ModelArn": f"arn:aws:sagemaker:{EU}:{ACCOUNT}:model/{name}"}
        account.state.add("Model", EU, document, {"Owner": "me"})
    with demo_session(account) as session:
        found = pages(session.client("sagemaker", region_name=EU), Resource="Model", MaxResults=100)
    assert [len(records) for records in found] == [100, 100, 50]
    assert found[0][0]["Model"]["Model"]["Tags"] == [{"Key": "Owner", "Value": "me"}]
    assert account.state.calls == {"sagemaker:Search": 3}


def test_answers_are_copies_that_may_be_changed(session: boto3.Session) -> None:
    client = session.client("sagemaker", region_name=EU)
    first = client.describe_endpoint(EndpointName="churn-realtime")
    first["ProductionVariants"].clear()
    assert client.describe_endpoint(EndpointName="churn-realtime")["ProductionVariants"] != []


def test_clients_answer_in_worker_threads(session: boto3.Session) -> None:
    client = session.client("s3", region_name=EU, config=Config(retries={"mode": "adaptive"}))
    models = session.client("sagemaker", region_name=EU)

    def read(_: int) -> tuple[str, int]:
        versioning = client.get_bucket_versioning(Bucket="larkspur-churn-data")["Status"]
        return versioning, len(models.list_models(MaxResults=100)["Models"])

    with ThreadPoolExecutor(8) as executor:
        assert set(executor.map(read, range(24))) == {("Enabled", seeded("Model", EU))}


def count_endpoints(session: botocore.session.Session) -> int:
    client = session.create_client("sagemaker", region_name=EU)
    return len(client.list_endpoints(MaxResults=100)["Endpoints"])


def test_a_session_made_elsewhere_sees_the_account_where_it_is_installed() -> None:
    account = build(NOW)
    with demo_session(account):
        other = botocore.session.Session()
        other.set_credentials("any", "any")
        gaps.install(other, account.state)
        account.install(other)
        assert count_endpoints(other) == seeded("Endpoint", EU)
        assert account.state.calls["sagemaker:ListEndpoints"] == 1


def test_every_session_sees_the_account_within_the_block() -> None:
    account = build(NOW)
    with demo_session(account, everywhere=True):
        other = botocore.session.Session()
        assert count_endpoints(other) == seeded("Endpoint", EU)
    with demo_session(empty(NOW)):
        assert count_endpoints(botocore.session.Session()) == 0


def test_the_script_says_where_it_serves_and_ends_when_interrupted() -> None:
    script = Path(inspect.getfile(auditor.demo)).parents[2] / "tests" / "moto_server.py"
    command = [sys.executable, str(script), "--port", "0", "--deny", "kms", "--now", NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        name, _, address = line.strip().partition("=")
        session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name=EU)
        models = session.client("sagemaker", endpoint_url=address).list_models(MaxResults=100)["Models"]
        denied = call(session.client("kms", endpoint_url=address), "DescribeKey", {"KeyId": KEY})
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=20)
    assert (name, len(models), denied) == (
        "AWS_ENDPOINT_URL",
        seeded("Model", EU),
        "AccessDeniedException",
    )
    assert (server.returncode, out, err) == (0, "", "")
    assert os.environ.get("AWS_ENDPOINT_URL") is None
