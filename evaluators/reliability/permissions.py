"""Who may delete model artifacts, and what delivery pipelines may do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.codepipeline import CodePipeline
from collectors.iam import Role, User
from collectors.model import Unread
from collectors.s3 import Bucket
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ABSENT, Sample, sample
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.policy import Access, Effect, Policy, Statement, decide
from evaluators.privileges import administrative_grants, wide_grants
from evaluators.reliability.buckets import artifact_buckets
from evaluators.roles import (
    NOTEBOOK,
    TRAINING,
    boundary_of,
    identity_policies,
    role_uses,
)
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.security.buckets import bucket_policy

_BUCKET = "arn:aws:s3:::churn-models"
_PACKAGE = sample(
    ModelPackage,
    "churn",
    model_approval_status="Approved",
    containers=[{"model_data_url": "s3://churn-models/v3/model.tar.gz"}],
)
_DELETE: dict[str, Any] = {"Action": "s3:DeleteObject", "Resource": f"{_BUCKET}/*"}
_WORK: dict[str, Any] = {
    "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
    "Resource": f"{_BUCKET}/*",
}
_ALL: dict[str, Any] = {"Action": "*", "Resource": "*"}


def _arn(name: str) -> str:
    return f"arn:aws:iam::123456789012:role/{name}"


def _role(name: str, *statements: dict[str, Any], **values: Any) -> Sample:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
    inline = [{"policy_name": "work", "policy_document": document}]
    return sample(Role, name, arn=_arn(name), role_policy_list=inline, **values)


def _user(name: str, *statements: dict[str, Any]) -> Sample:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
    inline = [{"policy_name": "work", "policy_document": document}]
    return sample(User, name, arn=f"arn:aws:iam::123456789012:user/{name}", user_policy_list=inline)


def _bucket(*statements: dict[str, Any]) -> Sample:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return sample(Bucket, "churn-models", arn=_BUCKET, policy=document if statements else ABSENT)


def _deny(**values: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:Delete*",
        "Resource": [_BUCKET, f"{_BUCKET}/*"],
        **values,
    }


_FOUR = tuple(_role(f"team-{letter}", _DELETE) for letter in "abcd")
_NOTEBOOK = sample(NotebookInstance, "nb", role_arn=_arn("studio"))
_JOB = sample(TrainingJob, "job", role_arn=_arn("studio"))


@dataclass(frozen=True, slots=True)
class _Principal:
    """A role or user with what its policies say. `gap` is set where they could not be read."""

    arn: str
    name: str
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    administrator: bool = False
    gap: Unread | None = None

    def may_delete(self, bucket: str, policy: Policy | None, account: str) -> bool:
        """Whether it may delete every object of a bucket, or the bucket itself, without conditions."""
        context = {
            "aws:PrincipalArn": self.arn,
            "aws:PrincipalAccount": account,
            "aws:ResourceAccount": account,
            "s3:ResourceAccount": account,
        }
        own = [*self.identity, Policy(tuple(s for s in _statements(policy) if self._is_meant(s, account)))]
        return any(
            decide(action, resource, own, self.boundary, context).access is Access.ALLOWED
            for action, resource in (("s3:DeleteObject", f"{bucket}/*"), ("s3:DeleteBucket", bucket))
        )

    def _is_meant(self, statement: Statement, account: str) -> bool:
        """Whether a statement of a bucket's policy is about it. Naming its account grants nothing yet."""
        if statement.not_principals is not None:
            spared = {self.arn} & set(statement.not_principals.aws)
            return statement.effect is Effect.DENY and not spared
        named = statement.principals
        if named is None:
            return False
        if named.everyone or self.arn in named.aws:
            return True
        return statement.effect is Effect.DENY and account in named.root_accounts


def _statements(policy: Policy | None) -> tuple[Statement, ...]:
    return () if policy is None else policy.statements


@index
def _principals(region: Region) -> tuple[_Principal, ...]:
    """Every role and user of the account. Raises `Unread` where not all were listed."""
    found: list[_Principal] = []
    holders: list[Role | User] = [role for role in region.all(Role) if not role.is_service_linked]
    holders += region.all(User)
    for holder in holders:
        try:
            policies = identity_policies(holder)
            boundary = boundary_of(holder)
            identity = tuple(named.policy for named in policies)
            # Looking for administrators expands every wildcard: only who may empty any bucket is asked.
            mighty = decide("s3:DeleteBucket", "*", identity, boundary).access is Access.ALLOWED
            administrator = mighty and administrative_grants(policies, boundary)[1]
            found.append(_Principal(holder.id, holder.name, identity, boundary, administrator))
        except Unread as unread:
            found.append(_Principal(holder.id, holder.name, gap=unread))
    return tuple(found)


@rule(
    "REL-010",
    Severity.MEDIUM,
    bad=[
        given(_bucket(), _PACKAGE, *_FOUR),
        given(_bucket(), _PACKAGE, _role("studio", _DELETE), _NOTEBOOK),
        given(_bucket(), _PACKAGE, _role("studio", {"Action": "s3:*", "Resource": "*"}), _JOB),
        given(_bucket(), _PACKAGE, *_FOUR[:3], _user("anna", _DELETE)),
        given(
            _bucket(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": _arn("studio")},
                    "Action": "s3:DeleteObject",
                    "Resource": f"{_BUCKET}/*",
                }
            ),
            _PACKAGE,
            _role("studio", _WORK),
            _NOTEBOOK,
        ),
        given(_bucket(), _PACKAGE, *_FOUR[:2], max_delete_principals=1),
    ],
    good=[
        given(_bucket(), _PACKAGE, *_FOUR[:3]),
        given(_bucket(_deny()), _PACKAGE, *_FOUR),
        given(
            _bucket(_deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": _arn("break-glass")}})),
            _PACKAGE,
            *_FOUR,
            _role("break-glass", _DELETE),
        ),
        given(_bucket(), _PACKAGE, _role("studio", _WORK), _NOTEBOOK, _JOB),
        given(_bucket(), _PACKAGE, *(_role(f"admin-{letter}", _ALL) for letter in "abcde")),
        given(_bucket(), _PACKAGE, _role("studio", {**_DELETE, "Resource": "arn:aws:s3:::scratch/*"}), _JOB),
        given(
            _bucket(),
            _PACKAGE,
            *_FOUR[:3],
            _role("linked", _DELETE, path="/aws-service-role/sagemaker.amazonaws.com/"),
        ),
    ],
    exempt=[given(_bucket(), *_FOUR)],
    remedy="Take s3:DeleteObject and s3:DeleteBucket out of these policies; grant them to one break-glass role.",
    command="aws s3api get-bucket-policy --bucket {name}",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLSEC03-BP01")],
)
def deletable_by_many(bucket: Bucket, *, max_delete_principals: int = 3) -> Verdict:
    """Few principals should be able to delete model artifacts.

    Artifacts are lost by a script with too many rights more often than by an attack. Roles of
    notebooks and training write models and need not delete any: one of them is a finding by itself.
    Identity policies, boundaries and the bucket's own policy are weighed, its denials first; what
    holds only under a condition or for some objects does not count. Administrators are shown, not
    counted. Service control policies are not visible.
    """
    artifacts, unread = artifact_buckets(bucket.region)
    if bucket.name not in artifacts:
        if unread is not None:
            raise unread
        return not_applicable("no deployed or approved model lies in it")
    policy = bucket_policy(bucket)
    account = bucket.region.account
    able = [p for p in _principals(bucket.region) if p.gap or p.may_delete(bucket.id, policy, account)]
    known = [principal for principal in able if principal.gap is None]
    uses = role_uses(bucket.region)
    interactive = sorted(p.name for p in known if {NOTEBOOK, TRAINING} & set(uses.stages.get(p.arn, ())))
    counted = sorted(principal.name for principal in known if not principal.administrator)
    shown: dict[str, Any] = {
        "Policy": bucket.policy and bucket.policy[:500],
        "principals": counted[:10],
        "administrators": sum(principal.administrator for principal in known),
    }
    if interactive:
        return failed(f"roles of notebooks or training may delete: {', '.join(interactive[:5])}", **shown)
    if len(counted) > max_delete_principals:
        return failed(f"{len(counted)} principals may delete what lies in it", **shown)
    for principal in able:
        if principal.gap is not None:
            raise principal.gap
    if known and uses.gap is not None:
        raise Unread(uses.gap)
    return passed(principals=counted, administrators=shown["administrators"])


@dataclass(slots=True)
class _Delivery:
    """The delivery pipelines of each role; the gap that may hide more."""

    by_role: dict[str, list[str]] = field(default_factory=dict)
    approving: dict[str, list[str]] = field(default_factory=dict)
    """The ARNs of those in which somebody has to approve."""
    gap: Unread | None = None


@index
def _deliveries(region: Region) -> _Delivery:
    """Of all audited Regions. `region` is the account's global one."""
    found = _Delivery()
    for place in region.audited():
        try:
            for pipeline in place.all(Pipeline):
                found.by_role.setdefault(pipeline.role_arn, []).append(f"pipeline {pipeline.name}")
        except Unread as unread:
            found.gap = unread
        try:
            for delivery in place.all(CodePipeline):
                found.by_role.setdefault(delivery.role_arn, []).append(f"CodePipeline {delivery.name}")
                if delivery.has_approval:
                    found.approving.setdefault(delivery.role_arn, []).append(delivery.id)
        except Unread as unread:
            found.gap = unread
    return found


_DEDICATED: dict[str, Any] = {"Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
_TRAIN = sample(Pipeline, "train", role_arn=_arn("pipelines"))
_APPROVAL = sample(
    CodePipeline,
    "deliver",
    arn="arn:aws:codepipeline:eu-west-1:123456789012:deliver",
    role_arn=_arn("pipelines"),
    stages=[{"actions": [{"category": "Approval", "provider": "Manual"}]}],
)
_BOTH: dict[str, Any] = {
    "Action": ["codepipeline:StartPipelineExecution", "codepipeline:PutApprovalResult"],
    "Resource": "*",
}


@rule(
    "REL-025",
    Severity.MEDIUM,
    bad=[
        given(_role("pipelines", _ALL), _TRAIN),
        given(_role("pipelines", {"Action": "s3:*", "Resource": "*"}), _APPROVAL),
        given(
            _role("pipelines", _DEDICATED), _TRAIN, sample(NotebookInstance, "nb", role_arn=_arn("pipelines"))
        ),
        given(_role("pipelines", _DEDICATED), _APPROVAL, _user("anna", _BOTH)),
    ],
    good=[
        given(_role("pipelines", _DEDICATED), _TRAIN),
        given(
            _role("pipelines", _DEDICATED), _TRAIN, sample(NotebookInstance, "nb", role_arn=_arn("studio"))
        ),
        given(_role("pipelines", {"Action": "s3:*", "Resource": f"{_BUCKET}/*"}), _TRAIN),
        given(
            _role("pipelines", _DEDICATED),
            _APPROVAL,
            _user("anna", {**_BOTH, "Action": "codepipeline:StartPipelineExecution"}),
            _user("root", _ALL),
        ),
        given(_role("pipelines", _DEDICATED), _TRAIN, sample(TrainingJob, "job", role_arn=_arn("pipelines"))),
    ],
    exempt=[_role("pipelines", _ALL), given(_role("web", _ALL), _TRAIN)],
    remedy="Create a role for the pipeline alone, with the actions that its steps need.",
    command="aws iam list-role-policies --role-name {name}",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP01"), lens("MLREL03-BP01")],
)
def overpowered_pipeline_role(role: Role) -> Verdict:
    """Roles of pipelines and CI/CD should be separate and least-privilege.

    Whoever may deploy may put any model in front of customers. The role should be no administrator,
    open no whole service on everything, and not be the role of a notebook or a Studio domain as
    well. Where a CodePipeline waits for an approval, nobody but an administrator should be able to
    start it and to approve it: users are looked at, since people sign in by roles in ways that IAM
    does not tell.
    """
    delivery = _deliveries(role.region)
    served = delivery.by_role.get(role.id, [])
    if not served:
        if delivery.gap is not None:
            raise delivery.gap
        return not_applicable("no pipeline runs with this role")
    policies, boundary = identity_policies(role), boundary_of(role)
    grants, effective = administrative_grants(policies, boundary)
    shown: dict[str, Any] = {"used_by": sorted(served)[:10]}
    if grants and effective:
        return failed(f"an administrator by {', '.join(grants)}", PolicyName=grants, **shown)
    wide = {name: found for name, (found, scoped) in wide_grants(policies, boundary).items() if not scoped}
    if wide:
        opened = sorted({grant for found in wide.values() for grant in found})
        return failed(f"allows {', '.join(opened[:6])} on everything", PolicyName=sorted(wide), **shown)
    uses = role_uses(role.region)
    shared = uses.stages.get(role.id, {}).get(NOTEBOOK)
    if shared:
        return failed(f"it is also the role of {shared}", RoleArn=role.id, **shown)
    alone = _approve_alone(role.region, delivery.approving.get(role.id, []))
    if alone:
        return failed(
            f"may both start and approve: {', '.join(alone[:5])}",
            category="Approval",
            users=alone[:10],
            **shown,
        )
    for gap in (delivery.gap, Unread(uses.gap) if uses.gap else None):
        if gap is not None:
            raise gap
    return passed()


def _approve_alone(region: Region, pipelines: list[str]) -> list[str]:
    """The users, administrators aside, who may start a pipeline and approve it as well."""
    found: set[str] = set()
    if not pipelines:
        return []
    for user in region.all(User):
        policies, boundary = identity_policies(user), boundary_of(user)
        identity = [named.policy for named in policies]
        if administrative_grants(policies, boundary)[1]:
            continue
        asked: Mapping[str, str] = {"StartPipelineExecution": "", "PutApprovalResult": "/*"}
        for arn in pipelines:
            both = [
                decide(f"codepipeline:{call}", f"{arn}{rest}", identity, boundary).access
                for call, rest in asked.items()
            ]
            if set(both) == {Access.ALLOWED}:
                found.add(user.name)
    return sorted(found)
