"""Buckets that hold model artifacts: whether these can be deleted by accident."""

import json
from typing import Any

from collectors.model import Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sample import ABSENT, Sample, sample
from collectors.view import Region, index
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.deployments import deployments
from evaluators.policy import ABSENT as NOT_SENT
from evaluators.policy import Context, refuses
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.security.buckets import bucket_policy

_ARN = "arn:aws:s3:::churn-models"


def _bucket(**values: Any) -> Sample:
    return sample(Bucket, "churn-models", arn=_ARN, **values)


_PACKAGE = sample(
    ModelPackage,
    "churn",
    model_approval_status="Approved",
    containers=[{"model_data_url": "s3://churn-models/v3/model.tar.gz"}],
)
_PENDING = sample(
    ModelPackage,
    "churn",
    model_approval_status="PendingManualApproval",
    containers=[{"model_data_url": "s3://churn-models/v3/model.tar.gz"}],
)
_DEPLOYED = (
    sample(Model, "churn", primary_container={"model_data_url": "s3://churn-models/v3/model.tar.gz"}),
    sample(EndpointConfig, "churn", production_variants=[{"variant_name": "a", "model_name": "churn"}]),
    sample(Endpoint, "churn", endpoint_config_name="churn", production_variants=[{"variant_name": "a"}]),
)


def _mfa_deny(**condition: Any) -> str:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject*",
        "Resource": f"{_ARN}/*",
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@index
def artifact_buckets(region: Region) -> tuple[frozenset[str], Unread | None]:
    """The buckets of deployed and approved models in all Regions, and the gap that may hide more."""
    found: set[str] = set()
    unread: Unread | None = None
    for place in region.audited():
        try:
            deployed = deployments(place)
            for model in place.all(Model):
                if model.name in deployed:
                    found |= model.buckets
        except Unread as gap:
            unread = gap
        try:
            for package in place.all(ModelPackage):
                if package.model_approval_status == "Approved":
                    found |= package.buckets
        except Unread as gap:
            unread = gap
    return frozenset(found), unread


_WITHOUT_MFA: tuple[Context, ...] = (
    {"aws:MultiFactorAuthPresent": NOT_SENT, "aws:MultiFactorAuthAge": NOT_SENT},
    {"aws:MultiFactorAuthPresent": False, "aws:MultiFactorAuthAge": NOT_SENT},
    {"aws:MultiFactorAuthPresent": False, "aws:MultiFactorAuthAge": 100_000_000},
)
"""Requests without MFA: AWS leaves the keys out for long-term credentials and sends false for some sessions."""


@rule(
    "REL-006",
    Severity.MEDIUM,
    bad=[
        given(_bucket(status="Enabled"), _PACKAGE),
        given(_bucket(status="Enabled", mode=ABSENT, policy=ABSENT), *_DEPLOYED),
        given(_bucket(policy=_mfa_deny(StringEquals={"aws:PrincipalTag/team": "x"})), _PACKAGE),
    ],
    good=[
        given(_bucket(status="Enabled", mfa_delete="Enabled"), _PACKAGE),
        given(_bucket(mode="GOVERNANCE"), *_DEPLOYED),
        given(_bucket(policy=_mfa_deny(BoolIfExists={"aws:MultiFactorAuthPresent": "false"})), _PACKAGE),
        given(_bucket(policy=_mfa_deny(Bool={"aws:MultiFactorAuthPresent": "false"})), _PACKAGE),
        given(_bucket(policy=_mfa_deny(Null={"aws:MultiFactorAuthAge": "true"})), _PACKAGE),
    ],
    exempt=[_bucket(), given(_bucket(), _PENDING), given(_bucket(), _DEPLOYED[0])],
    remedy="Set an Object Lock default retention, or turn on MFA delete with the root user's credentials.",
    command="aws s3api put-object-lock-configuration --bucket {name} --object-lock-configuration file://lock.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.15"),
        security_hub("S3.20"),
        config_rule("s3-bucket-mfa-delete-enabled"),
        config_rule("s3-bucket-default-lock-enabled"),
        prowler("s3_bucket_no_mfa_delete"),
        lens("MLSEC03-BP01"),
        lens("MLREL05-BP02"),
    ],
)
def deletable_artifacts(bucket: Bucket) -> Verdict:
    """Deleting model artifacts should need MFA, or be locked.

    One wrong `rm` and an endpoint can no longer scale out or be rebuilt. MFA delete, an Object Lock
    default retention, or a bucket policy that denies s3:DeleteObject without MFA prevents it. MFA
    delete cannot stand beside a lifecycle configuration: where there is one, Object Lock is the way.
    """
    artifacts, unread = artifact_buckets(bucket.region)
    if bucket.name not in artifacts:
        if unread is not None:
            raise unread
        return not_applicable("it holds no artifact of a deployed or approved model")
    if bucket.mfa_delete == "Enabled":
        return passed("MFA delete")
    if bucket.mode is not None:
        return passed(f"Object Lock, {bucket.mode}")
    policy = bucket_policy(bucket)
    if policy is not None and any(
        refuses(policy, "s3:DeleteObject", f"{bucket.id}/*", context) for context in _WITHOUT_MFA
    ):
        return passed("its policy denies deleting without MFA")
    lifecycle = "; its lifecycle configuration rules MFA delete out" if _has_lifecycle(bucket) else ""
    return failed(
        f"nothing keeps its artifacts from being deleted by mistake{lifecycle}",
        MFADelete=bucket.mfa_delete,
        Mode=bucket.mode,
        Status=bucket.status,
        replicated=_is_replicated(bucket),
    )


def _has_lifecycle(bucket: Bucket) -> bool:
    """For the advice only: where it cannot be read, the advice leaves it out."""
    try:
        return bool(bucket.rules)
    except Unread:
        return False


def _is_replicated(bucket: Bucket) -> bool | None:
    """Whether a replica may still have what is deleted here; `None` where that could not be read."""
    try:
        return bucket.role is not None
    except Unread:
        return None
