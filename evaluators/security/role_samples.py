"""The role that examples are about: its trust, its policies, and the job that runs with it."""

from collections.abc import Iterable
from typing import Any

from collectors.iam import ManagedPolicy, Role
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample

ROLE = "arn:aws:iam::123456789012:role/trainer"
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        }
    ],
}
USED = sample(TrainingJob, "job", role_arn=ROLE)


def document_of(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy of these Allow statements."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}


def role_with(
    *statements: dict[str, Any],
    attached: Iterable[str] = (),
    trust: dict[str, Any] = TRUST,
    boundary: str | None = None,
    path: str = "/",
    tags: dict[str, str] | None = None,
) -> Sample:
    """A role with one inline policy of these Allow statements."""
    inline = [{"policy_name": "work", "policy_document": document_of(*statements)}] if statements else []
    return sample(
        Role,
        "trainer",
        arn=ROLE,
        path=path,
        tags=tags,
        assume_role_policy_document=trust,
        role_policy_list=inline,
        attached_managed_policies=[{"policy_arn": arn} for arn in attached],
        permissions_boundary_arn=boundary,
    )


def managed_with(
    name: str, *statements: dict[str, Any], owner: str = "aws", partition: str = "aws"
) -> Sample:
    """A managed policy of these Allow statements, AWS's own unless it has another owner."""
    arn = f"arn:{partition}:iam::{owner}:policy/{name}"
    versions = [{"is_default_version": True, "document": document_of(*statements)}]
    return sample(ManagedPolicy, name, arn=arn, policy_version_list=versions)


def when(key: str, value: str) -> dict[str, Any]:
    """A condition, to be put into a statement."""
    return {"Condition": {"StringEquals": {key: value}}}


AWS_POLICY = "arn:aws:iam::aws:policy"
ALL: dict[str, Any] = {"Action": "*", "Resource": "*"}
READ: dict[str, Any] = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::churn-data/*"}
