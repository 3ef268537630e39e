"""Keys, trail, people and roles, buckets: what the exemplary account stands on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from auditor.demo.exemplary.names import (
    CAPTURE,
    DATA,
    HOME,
    KEY,
    LOGS,
    MODELS,
    ONCALL,
    REGION,
    TAGS,
    ago,
    allow,
    arn,
    role,
)
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState
from auditor.demo.storage import ALL_BLOCKED, Bucket, Image, Storage, tls_only

_OBJECTS = tuple(f"{name}/model.tar.gz" for name in ("readmission", "triage", "notes", "shared/a", "ranker"))


def _bucket(name: str, *, objects: tuple[str, ...] = (), logged: bool = True) -> Bucket:
    deletes = {
        "Sid": "DeleteNeedsMFA",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    }
    return Bucket(
        name,
        versioning="Enabled",
        key=KEY,
        block=ALL_BLOCKED,
        statements=(tls_only(name), deletes),
        log_bucket=LOGS if logged else "",
        objects=objects,
        tags=TAGS,
        mfa_delete=True,
    )


STORAGE = Storage(
    (
        _bucket(DATA, objects=("features/part-0.csv",)),
        _bucket(MODELS, objects=_OBJECTS),
        _bucket(CAPTURE),
        _bucket(LOGS, logged=False),
    ),
    (Image(REGION, "readmission", "1.4.0"),),
    ALL_BLOCKED,
)


def _text(*statements: Mapping[str, Any]) -> str:
    return quote(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def _trust(service: str) -> str:
    return _text(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    )


_LOGGING = allow(
    ["logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup"],
    arn("log-group:/aws/sagemaker/*", "logs"),
)
_KEY_USE = allow(["kms:Decrypt", "kms:GenerateDataKey"], KEY)


def _objects(action: Sequence[str], *buckets: str) -> Document:
    return allow(list(action), [f"arn:aws:s3:::{bucket}/*" for bucket in buckets])


def _lists(*buckets: str) -> Document:
    return allow("s3:ListBucket", [f"arn:aws:s3:::{bucket}" for bucket in buckets])


ROLES: Mapping[str, tuple[Document, ...]] = {
    "notebooks": (_objects(["s3:GetObject"], DATA), _lists(DATA), _KEY_USE, _LOGGING),
    "training": (
        _objects(["s3:GetObject", "s3:PutObject"], DATA, MODELS),
        _lists(DATA, MODELS),
        _KEY_USE,
        _LOGGING,
    ),
    "inference": (
        _objects(["s3:GetObject"], MODELS),
        _objects(["s3:PutObject"], CAPTURE),
        _KEY_USE,
        _LOGGING,
    ),
    "monitoring": (_objects(["s3:GetObject", "s3:PutObject"], CAPTURE), _KEY_USE, _LOGGING),
    "pipeline": (
        allow(
            ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:AddTags"],
            arn("training-job/readmission-*"),
            Condition={
                "Null": {
                    "sagemaker:VpcSubnets": "false",
                    "sagemaker:VolumeKmsKey": "false",
                    "sagemaker:OutputKmsKey": "false",
                },
                "Bool": {
                    "sagemaker:NetworkIsolation": "true",
                    "sagemaker:InterContainerTrafficEncryption": "true",
                },
            },
        ),
        allow(
            "iam:PassRole",
            role("training"),
            Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    ),
}


def _roles(state: DemoState) -> None:
    for number, (name, statements) in enumerate(ROLES.items()):
        state.add(
            "Role",
            HOME,
            {
                "Path": "/",
                "RoleName": name,
                "RoleId": f"AROAALDER{number:011d}",
                "Arn": role(name),
                "CreateDate": ago(state, 400),
                "AssumeRolePolicyDocument": _trust("sagemaker.amazonaws.com"),
                "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": _text(*statements)}],
                "AttachedManagedPolicies": [],
                "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
                "RoleLastUsed": {"LastUsedDate": ago(state, 1), "Region": REGION},
            },
        )
    state.add(
        "AccountSummary",
        HOME,
        {"SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1}},
        key="account",
    )


def _key(state: DemoState) -> None:
    state.add(
        "Key",
        REGION,
        {
            "AWSAccountId": ACCOUNT,
            "KeyId": KEY.rpartition("/")[2],
            "Arn": KEY,
            "CreationDate": ago(state, 900),
            "Enabled": True,
            "Description": "ML data",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
        },
    )
    state.add("KeyRotation", REGION, {"KeyRotationEnabled": True, "KeyId": KEY}, key=KEY)
    statement = {**allow("kms:*", "*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    state.add("KeyPolicy", REGION, {"Policy": policy, "PolicyName": "default"}, key=KEY)


def _trail(state: DemoState) -> None:
    name = arn("trail/audit", "cloudtrail")
    state.add(
        "Trail",
        REGION,
        {
            "Name": "audit",
            "S3BucketName": LOGS,
            "IncludeGlobalServiceEvents": True,
            "IsMultiRegionTrail": True,
            "HomeRegion": REGION,
            "TrailARN": name,
            "LogFileValidationEnabled": True,
            "KmsKeyId": KEY,
            "HasCustomEventSelectors": True,
            "HasInsightSelectors": False,
            "IsOrganizationTrail": False,
            "CloudWatchLogsLogGroupArn": arn("log-group:audit:*", "logs"),
        },
    )
    selectors = [
        {
            "Name": "management",
            "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
        },
        {
            "Name": "objects",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            ],
        },
        {
            "Name": "inference",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::SageMaker::Endpoint"]},
            ],
        },
        {
            "Name": "features",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::SageMaker::FeatureGroup"]},
            ],
        },
    ]
    state.add("EventSelectors", REGION, {"TrailARN": name, "AdvancedEventSelectors": selectors}, key=name)
    state.add("TrailStatus", REGION, {"IsLogging": True, "LatestDeliveryTime": ago(state, 0.01)}, key=name)


def _topic(state: DemoState) -> None:
    attributes = {
        "TopicArn": ONCALL,
        "Owner": ACCOUNT,
        "SubscriptionsConfirmed": "2",
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
        "KmsMasterKeyId": KEY,
    }
    state.answer("sns:GetTopicAttributes", {"Attributes": attributes}, when={"TopicArn": ONCALL})


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_roles, _key, _trail, _topic):
        seed(state)
