"""What moto itself holds of the demo account: buckets with their settings, and container images."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.client import BaseClient

from auditor.demo.company import KEYS, LAB, PROD, tags
from auditor.demo.state import ACCOUNT, DemoState

ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
HALF_BLOCKED = {**ALL_BLOCKED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement that turns away requests without TLS."""
    return {
        "Sid": "TLSOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as moto is to make it; `key` is a KMS key, empty for S3's own encryption."""

    name: str
    region: str = PROD
    versioning: str = ""
    key: str = ""
    block: Mapping[str, bool] = field(default_factory=dict)
    statements: tuple[Mapping[str, Any], ...] = ()
    lock_days: int = 0
    log_bucket: str = ""
    objects: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    mfa_delete: bool = False

    @property
    def arn(self) -> str:
        """The bucket's ARN."""
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True, slots=True)
class Image:
    """A repository of the company's registry and the tag it holds; no tag where it was cleaned up."""

    region: str
    repository: str
    tag: str


_DELETE_NEEDS_MFA = {
    "Sid": "DeleteNeedsMFA",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "Resource": "arn:aws:s3:::larkspur-churn-data/*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}
_PUBLIC_READ = {
    "Sid": "Shared",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::larkspur-demand-forecasts/*",
}
_HALF_TLS = {**tls_only("larkspur-search-models"), "Resource": "arn:aws:s3:::larkspur-search-models"}

BUCKETS = (
    Bucket(
        "larkspur-churn-data",
        versioning="Enabled",
        key=KEYS["data"],
        block=ALL_BLOCKED,
        statements=(tls_only("larkspur-churn-data"), _DELETE_NEEDS_MFA),
        log_bucket="larkspur-access-logs",
        objects=(
            "models/churn-v6/model.tar.gz",
            "models/churn-v7/model.tar.gz",
            "models/churn-v8/model.tar.gz",
            "models/batch-v1/model.tar.gz",
        ),
        tags=tags("churn"),
    ),
    Bucket(
        "larkspur-fraud-artifacts",
        versioning="Enabled",
        key=KEYS["data"],
        block=ALL_BLOCKED,
        statements=(tls_only("larkspur-fraud-artifacts"),),
        lock_days=30,
        objects=(
            "models/fraud-v3/model.tar.gz",
            "models/ocr-v2/model.tar.gz",
        ),
        tags=tags("fraud"),
    ),
    Bucket(
        "larkspur-search-models",
        versioning="Suspended",
        block=ALL_BLOCKED,
        statements=(_HALF_TLS,),
        objects=(
            "models/ranker-v11/model.tar.gz",
            "models/ranker-v12/model.tar.gz",
            "markets/de.tar.gz",
            "source/sourcedir.tar.gz",
        ),
        tags=tags("search"),
    ),
    Bucket(
        "larkspur-demand-forecasts",
        statements=(_PUBLIC_READ,),
        objects=("features/part-0.csv",),
        tags=tags("demand"),
    ),
    Bucket("sagemaker-eu-west-1-123456789012", block=ALL_BLOCKED, objects=("fraud/light-v1/model.tar.gz",)),
    Bucket(
        "larkspur-capture", versioning="Enabled", key=KEYS["s3"], block=ALL_BLOCKED, tags=tags("platform")
    ),
    Bucket("larkspur-access-logs", versioning="Enabled", block=ALL_BLOCKED, tags=tags("platform")),
    Bucket(
        "larkspur-cloudtrail-logs",
        versioning="Enabled",
        key=KEYS["data"],
        block=ALL_BLOCKED,
        tags=tags("platform"),
    ),
    Bucket(
        "larkspur-research-data",
        region=LAB,
        versioning="Enabled",
        block=HALF_BLOCKED,
        statements=(tls_only("larkspur-research-data"),),
        objects=("models/nlp-v2/model.tar.gz", "models/ner-v1/model.tar.gz"),
        tags=tags("research", "development"),
    ),
    Bucket(
        "larkspur-llm-checkpoints",
        region=LAB,
        versioning="Enabled",
        key=KEYS["research"],
        block=ALL_BLOCKED,
        statements=(tls_only("larkspur-llm-checkpoints"),),
        objects=("finetune/step-1000.pt",),
        tags=tags("research", "development"),
        # moto takes MFA delete and forgets it.
        mfa_delete=True,
    ),
    # No machine learning touches this one: it is public on purpose and no finding of ours.
    Bucket("larkspur-website", region=LAB, objects=("index.html",)),
)

IMAGES = (
    Image(PROD, "fraud/gnn", "2.1.0"),
    Image(PROD, "search/ranker", "3.0.2"),
    Image(PROD, "platform/features", "1.0.0"),
    Image(PROD, "demand/forecaster", ""),
)


@dataclass(frozen=True, slots=True)
class Storage:
    """All of an account's buckets and images, and what is blocked in the whole account."""

    buckets: tuple[Bucket, ...]
    images: tuple[Image, ...]
    block: Mapping[str, bool]

    def note(self, state: DemoState) -> None:
        """Tell the state what moto cannot hold: MFA delete, the tagging API's tags, and bucket policies.

        moto takes a policy's Deny without its Condition, so that no object could be read where TLS is asked for.
        """
        for bucket in self.buckets:
            if bucket.tags:
                state.tag(bucket.arn, bucket.tags)
            named = {"Bucket": bucket.name}
            if bucket.statements:
                held = json.dumps({"Version": "2012-10-17", "Statement": bucket.statements})
                public = any(
                    item["Effect"] == "Allow" and item["Principal"] == "*" for item in bucket.statements
                )
                state.answer("s3:GetBucketPolicy", {"Policy": held}, when=named)
                state.answer("s3:GetBucketPolicyStatus", {"PolicyStatus": {"IsPublic": public}}, when=named)
            if bucket.mfa_delete:
                versioning = {"Status": "Enabled", "MFADelete": "Enabled"}
                state.answer("s3:GetBucketVersioning", versioning, when=named)

    def fill(self, session: boto3.Session) -> None:
        """Make the buckets and images, once. The session must lead to moto and to nothing else."""
        if session.client("s3", region_name=PROD).list_buckets()["Buckets"]:
            return
        clients = {region: session.client("s3", region_name=region) for region in (PROD, LAB)}
        for bucket in self.buckets:
            _make(clients[bucket.region], bucket)
        for bucket in self.buckets:
            if bucket.log_bucket:
                _log(clients[bucket.region], bucket)
        session.client("s3control", region_name=PROD).put_public_access_block(
            AccountId=ACCOUNT, PublicAccessBlockConfiguration=dict(self.block)
        )
        registry = session.client("ecr", region_name=PROD)
        for image in self.images:
            registry.create_repository(repositoryName=image.repository)
            if image.tag:
                kind = "application/vnd.docker.distribution.manifest.v2+json"
                manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": []})
                registry.put_image(
                    repositoryName=image.repository, imageManifest=manifest, imageTag=image.tag
                )


LARKSPUR = Storage(
    BUCKETS, IMAGES, {**ALL_BLOCKED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
)


def _make(client: BaseClient, bucket: Bucket) -> None:
    place = (
        {} if bucket.region == LAB else {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}}
    )
    client.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=bucket.lock_days > 0, **place)
    rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    if bucket.key:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": bucket.key}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    client.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    if bucket.versioning:
        client.put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": bucket.versioning}
        )
    if bucket.lock_days:
        retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": bucket.lock_days}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
        client.put_object_lock_configuration(Bucket=bucket.name, ObjectLockConfiguration=lock)
    if bucket.tags:
        pairs = [{"Key": key, "Value": value} for key, value in bucket.tags.items()]
        client.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": pairs})
    for key in bucket.objects:
        client.put_object(Bucket=bucket.name, Key=key, Body=b"")
    if bucket.block:
        client.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=dict(bucket.block))


def _log(client: BaseClient, bucket: Bucket) -> None:
    grantee = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    owner = client.get_bucket_acl(Bucket=bucket.log_bucket)["Owner"]
    grants = [{"Grantee": grantee, "Permission": permission} for permission in ("WRITE", "READ_ACP")]
    client.put_bucket_acl(Bucket=bucket.log_bucket, AccessControlPolicy={"Grants": grants, "Owner": owner})
    target = {"TargetBucket": bucket.log_bucket, "TargetPrefix": f"{bucket.name}/"}
    client.put_bucket_logging(Bucket=bucket.name, BucketLoggingStatus={"LoggingEnabled": target})
