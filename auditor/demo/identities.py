"""IAM of the demo account: execution roles good and bad, people, and look-alikes of AWS's managed policies."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from auditor.demo.company import LAB, PARTNER, ago, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

SERVICE = "sagemaker.amazonaws.com"
_MANAGED = "arn:aws:iam::aws:policy/"


def _text(*statements: Mapping[str, Any]) -> str:
    """A policy document as IAM sends it: JSON, percent-encoded; botocore decodes it."""
    return quote(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def _allow(action: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> Document:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _identifier(prefix: str, name: str) -> str:
    return prefix + hashlib.sha256(name.encode()).hexdigest()[:17].upper()


def trusted(service: str = SERVICE, *, guarded: bool = True) -> str:
    """A trust in a service; guarded against a confused deputy where asked."""
    held: Document = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if guarded:
        held["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    return _text(held)


def _role(
    state: DemoState,
    name: str,
    trust: str,
    *,
    attached: Sequence[str] = (),
    inline: Mapping[str, str] | None = None,
    boundary: str = "",
    path: str = "/",
    used: float | None = 1,
    held: Mapping[str, str] | None = None,
) -> None:
    document: Document = {
        "Path": path,
        "RoleName": name,
        "RoleId": _identifier("AROA", name),
        "Arn": role(name, path),
        "CreateDate": ago(state, days=600),
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [
            {"PolicyName": key, "PolicyDocument": value} for key, value in (inline or {}).items()
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in (held or {}).items()],
        "RoleLastUsed": {}
        if used is None
        else {"LastUsedDate": ago(state, days=used), "Region": "eu-west-1"},
    }
    if boundary:
        document["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    state.add("Role", LAB, document)


def _local(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def _policies(state: DemoState) -> None:
    pass_any = _allow(
        "iam:PassRole", "arn:aws:iam::*:role/*", Condition={"StringEquals": {"iam:PassedToService": SERVICE}}
    )
    sagemaker_buckets = ["arn:aws:s3:::*SageMaker*", "arn:aws:s3:::*Sagemaker*", "arn:aws:s3:::*sagemaker*"]
    documents = {
        f"{_MANAGED}AdministratorAccess": [_text(_allow("*"))],
        f"{_MANAGED}AmazonSageMakerFullAccess": [
            _text(
                _allow(["sagemaker:*", "sagemaker-geospatial:*"]),
                _allow(["cloudwatch:PutMetricData", "ecr:GetAuthorizationToken", "ecr:Describe*", "logs:*"]),
                _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], sagemaker_buckets),
                pass_any,
            )
        ],
        f"{_MANAGED}AmazonS3ReadOnlyAccess": [_text(_allow(["s3:Get*", "s3:List*", "s3:Describe*"]))],
        f"{_MANAGED}AmazonSageMakerCanvasFullAccess": [_text(_allow(["sagemaker:CreateAutoMLJobV2"]))],
        # The default version is the last; the first, which nobody uses, allowed too much.
        _local("larkspur-churn-data"): [
            _text(_allow("s3:*")),
            _text(
                _allow(
                    ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                    ["arn:aws:s3:::larkspur-churn-data", "arn:aws:s3:::larkspur-churn-data/*"],
                ),
                _allow(["kms:Decrypt", "kms:GenerateDataKey"], f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*"),
            ),
        ],
        _local("larkspur-ml-boundary"): [
            _text(_allow(["sagemaker:*", "s3:*", "logs:*", "cloudwatch:*", "ecr:*", "kms:Decrypt"]))
        ],
    }
    for arn, versions in documents.items():
        name = arn.rpartition("/")[2]
        state.add(
            "Policy",
            LAB,
            {
                "PolicyName": name,
                "PolicyId": _identifier("ANPA", name),
                "Arn": arn,
                "Path": "/",
                "DefaultVersionId": f"v{len(versions)}",
                "AttachmentCount": 1,
                "PermissionsBoundaryUsageCount": 1 if name.endswith("boundary") else 0,
                "IsAttachable": True,
                "CreateDate": ago(state, days=700),
                "UpdateDate": ago(state, days=300),
                "PolicyVersionList": [
                    {
                        "VersionId": f"v{number}",
                        "IsDefaultVersion": number == len(versions),
                        "Document": document,
                        "CreateDate": ago(state, days=700 - number),
                    }
                    for number, document in enumerate(versions, 1)
                ],
            },
        )


def _execution_roles(state: DemoState) -> None:
    logs = _allow(
        ["logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"]
    )
    churn = _local("larkspur-churn-data")
    _role(
        state,
        "ml-training-churn",
        trusted(),
        attached=[churn],
        inline={"logs": _text(logs)},
        held=tags("churn"),
    )
    everything = _text(_allow("s3:*"), _allow(["kms:Decrypt", "secretsmanager:GetSecretValue"]))
    _role(state, "ml-training-fraud", trusted(guarded=False), inline={"data": everything}, held=tags("fraud"))
    forecasts = _allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::larkspur-demand-forecasts/*")
    _role(
        state, "ml-training-demand", trusted(), inline={"data": _text(forecasts, logs)}, held=tags("demand")
    )
    artifacts = _allow("s3:GetObject", "arn:aws:s3:::larkspur-*/models/*")
    _role(
        state, "ml-inference", trusted(), inline={"artifacts": _text(artifacts, logs)}, held=tags("platform")
    )
    guarded = {"StringEquals": {"iam:PassedToService": SERVICE}}
    stages = [role("ml-training-churn"), role("ml-inference")]
    run = _text(
        _allow(
            ["sagemaker:CreateTrainingJob", "sagemaker:CreateModel", "sagemaker:AddTags"],
            "arn:aws:sagemaker:*:*:*/churn-*",
        ),
        _allow("iam:PassRole", stages, Condition=guarded),
    )
    _role(state, "ml-pipeline", trusted(), inline={"run": run}, held=tags("platform"))
    full = f"{_MANAGED}AmazonSageMakerFullAccess"
    _role(state, "ml-shared", trusted(guarded=False), attached=[full, f"{_MANAGED}AmazonS3ReadOnlyAccess"])
    notebooks = _allow(
        ["s3:GetObject", "s3:ListBucket"], "*", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    )
    _role(state, "ml-notebooks", trusted(), inline={"read": _text(notebooks)}, held=tags("platform"))
    _role(
        state,
        "ml-notebook-admin",
        trusted(),
        attached=[f"{_MANAGED}AdministratorAccess"],
        boundary=_local("larkspur-ml-boundary"),
    )
    canvas = f"{_MANAGED}AmazonSageMakerCanvasFullAccess"
    _role(state, "ml-studio", trusted(), attached=[canvas], held=tags("platform"))
    all_but = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    lab = _text(
        {
            "Effect": "Allow",
            "Principal": {"Service": [SERVICE, "lambda.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        },
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"}, "Action": "sts:AssumeRole"},
    )
    _role(state, "ml-research", lab, inline={"lab": _text(all_but)}, held=tags("research", "sandbox"))


def _other_roles(state: DemoState) -> None:
    """Roles that SageMaker does not use: none of them is to be judged as an execution role."""
    ci = _text(
        _allow(["sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel"]),
        _allow(
            "iam:PassRole", role("ml-inference"), Condition={"StringEquals": {"iam:PassedToService": SERVICE}}
        ),
    )
    external = {"StringEquals": {"sts:ExternalId": "larkspur-deployments"}}
    outside = {"AWS": f"arn:aws:iam::{PARTNER}:root"}
    trust = {"Effect": "Allow", "Principal": outside, "Action": "sts:AssumeRole", "Condition": external}
    private = {
        "Effect": "Deny",
        "Action": "sagemaker:CreateModel",
        "Resource": "*",
        "Condition": {"Null": {"sagemaker:VpcSubnets": "true"}},
    }
    inline = {"deploy": ci, "only-in-the-vpc": _text(private)}
    _role(state, "ml-deployer", _text(trust), inline=inline, held=tags("platform"))
    loose = _text(_allow(["sagemaker:Create*", "iam:PassRole"]))
    _role(
        state,
        "data-engineering",
        trusted("glue.amazonaws.com"),
        inline={"jobs": loose},
        held=tags("platform"),
    )
    _role(state, "web-frontend", trusted("ec2.amazonaws.com"), inline={"all": _text(_allow("*"))}, used=None)
    approve = _text(_allow("sagemaker:UpdateModelPackage", "arn:aws:sagemaker:*:*:model-package/*"))
    _role(state, "ml-approver", trusted("lambda.amazonaws.com"), inline={"approve": approve})
    name = "AWSServiceRoleForAmazonSageMakerNotebooks"
    path = "/aws-service-role/sagemaker.amazonaws.com/"
    _role(state, name, trusted(guarded=False), path=path)


def _people(state: DemoState) -> None:
    team = _text(_allow("sagemaker:*"), _allow("iam:PassRole", "*"))
    for name, inline in (("ml-engineers", {"work": team}), ("analysts", {})):
        document: Document = {
            "Path": "/",
            "GroupName": name,
            "GroupId": _identifier("AGPA", name),
            "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
            "CreateDate": ago(state, days=800),
            "GroupPolicyList": [
                {"PolicyName": key, "PolicyDocument": value} for key, value in inline.items()
            ],
            "AttachedManagedPolicies": [],
        }
        state.add("Group", LAB, document)
    for name, group in (
        ("ines.castellano", "ml-engineers"),
        ("tomas.okafor", "ml-engineers"),
        ("reporting-bot", "analysts"),
    ):
        state.add(
            "User",
            LAB,
            {
                "Path": "/",
                "UserName": name,
                "UserId": _identifier("AIDA", name),
                "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
                "CreateDate": ago(state, days=500),
                "UserPolicyList": [],
                "GroupList": [group],
                "AttachedManagedPolicies": [],
                "Tags": [],
            },
        )


def fill(state: DemoState) -> None:
    """Add everything of IAM; the root user has MFA, and an access key that nobody remembers."""
    for seed in (_policies, _execution_roles, _other_roles, _people):
        seed(state)
    counters = {
        "AccountMFAEnabled": 1,
        "AccountAccessKeysPresent": 1,
        "AccountPasswordPresent": 1,
        "Users": 3,
        "Groups": 2,
        "Roles": len(state.documents("Role", LAB)),
    }
    state.add("AccountSummary", LAB, {"SummaryMap": counters}, key="account")
