"""Execution roles: administration, wildcards, PassRole and trust."""

from collections.abc import Iterable
from typing import Any

from collectors.iam import Group, ManagedPolicy, Role, User
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.user_profiles import UserProfile
from collectors.sample import Sample, sample
from collectors.view import Region, index
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import (
    Access,
    Effect,
    allow_statements,
    allowed_actions,
    decide,
    requires,
    statement_actions,
)
from evaluators.privileges import FULL_POLICIES, administrative_grants, wide_grants
from evaluators.roles import (
    Named,
    aws_managed,
    boundary_of,
    identity_policies,
    parsed,
    stages_of,
    trusts_sagemaker,
)
from evaluators.rule import (
    Change,
    Scope,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)

NOT_USED = "no SageMaker resource uses this role"

_ROLE = "arn:aws:iam::123456789012:role/trainer"
_TRUST: dict[str, Any] = {
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
_USED = sample(TrainingJob, "job", role_arn=_ROLE)


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}


def _role(
    *statements: dict[str, Any],
    attached: Iterable[str] = (),
    trust: dict[str, Any] = _TRUST,
    boundary: str | None = None,
    path: str = "/",
    tags: dict[str, str] | None = None,
) -> Sample:
    """A role with one inline policy of these Allow statements."""
    inline = [{"policy_name": "work", "policy_document": _document(*statements)}] if statements else []
    return sample(
        Role,
        "trainer",
        arn=_ROLE,
        path=path,
        tags=tags,
        assume_role_policy_document=trust,
        role_policy_list=inline,
        attached_managed_policies=[{"policy_arn": arn} for arn in attached],
        permissions_boundary_arn=boundary,
    )


def _managed(name: str, *statements: dict[str, Any], owner: str = "aws", partition: str = "aws") -> Sample:
    arn = f"arn:{partition}:iam::{owner}:policy/{name}"
    versions = [{"is_default_version": True, "document": _document(*statements)}]
    return sample(ManagedPolicy, name, arn=arn, policy_version_list=versions)


def _when(key: str, value: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {key: value}}}


_AWS = "arn:aws:iam::aws:policy"
_ALL: dict[str, Any] = {"Action": "*", "Resource": "*"}
_READ: dict[str, Any] = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::churn-data/*"}


@rule(
    "SEC-040",
    Severity.CRITICAL,
    bad=[
        given(_role(_ALL), _USED),
        given(_role(_ALL), sample(Domain, default_user_settings={"execution_role": _ROLE})),
        given(_role(_ALL), sample(Domain, default_space_settings={"execution_role": _ROLE})),
        given(_role(_ALL), sample(UserProfile, user_settings={"execution_role": _ROLE})),
        given(_role(_ALL), sample(Cluster, instance_groups=[{"execution_role": _ROLE}])),
        given(_role(_ALL), sample(Cluster, restricted_instance_groups=[{"execution_role": _ROLE}])),
        given(_role(_ALL), sample(Model, execution_role_arn=_ROLE)),
        given(_role(_ALL), sample(EndpointConfig, execution_role_arn=_ROLE)),
        given(_role(_ALL), sample(ProcessingJob, role_arn=_ROLE)),
        given(_role(_ALL), sample(Pipeline, role_arn=_ROLE)),
        given(_role({"Action": "iam:*", "Resource": "*"}), _USED),
        given(
            _role(attached=[f"{_AWS}/PowerUserAccess"]),
            _managed("PowerUserAccess", {"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}),
            _USED,
        ),
        given(_role({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}), _USED),
        given(_role(attached=[f"{_AWS}/AdministratorAccess"]), _managed("AdministratorAccess", _ALL), _USED),
        given(
            _role(attached=["arn:aws-cn:iam::aws:policy/IAMFullAccess"]),
            _managed("IAMFullAccess", {"Action": "iam:*", "Resource": "*"}, partition="aws-cn"),
            _USED,
        ),
        given(
            _role(_ALL, boundary="arn:aws:iam::123456789012:policy/edge"),
            _managed("edge", _READ, owner="123456789012"),
            _USED,
        ),
    ],
    good=[
        given(_role(_READ), _USED),
        given(_role({"Action": "s3:*", "Resource": "arn:aws:s3:::churn-data/*"}), _USED),
        given(_role({**_ALL, "Condition": {"StringEquals": {"aws:ResourceTag/team": "churn"}}}), _USED),
        given(
            _role(attached=["arn:aws:iam::123456789012:policy/AdministratorAccess"]),
            _managed("AdministratorAccess", _READ, owner="123456789012"),
            _USED,
        ),
    ],
    exempt=[_role(_ALL), given(_role(_ALL), sample(NotebookInstance, "nb", role_arn=f"{_ROLE}-2"))],
    remedy="Detach the policy and attach one with the actions and resources that the role's jobs need.",
    command="aws iam list-attached-role-policies --role-name {name}",
    change=Change.IN_PLACE,
    maps=[
        security_hub("IAM.1"),
        config_rule("iam-policy-no-statements-with-admin-access"),
        prowler("iam_customer_attached_policy_no_administrative_privileges"),
        lens("MLSEC03-BP01"),
    ],
)
def administrative_execution_role(role: Role) -> Verdict:
    """No ML execution role should have administrative rights.

    Whoever can open a notebook or start a job with the role is administrator through it. The
    content of the policies decides, not their names; a NotAction is expanded to what it leaves. A
    permissions boundary that takes the rights away again lowers the finding. Service control
    policies are not readable from a member account and are not taken into account.
    """
    stages = stages_of(role)
    if not stages:
        return not_applicable(NOT_USED)
    policies = identity_policies(role)
    boundary = boundary_of(role)
    grants, effective = administrative_grants(policies, boundary)
    grants = sorted({*grants, *aws_managed(role, FULL_POLICIES)})
    if not grants:
        return passed(PolicyName=sorted({named.name for named in policies})[:10])
    return failed(
        f"administrative rights by {', '.join(grants)}",
        lowered=0 if effective or boundary is None else 1,
        why_lowered="the permissions boundary takes these rights away",
        PolicyName=grants,
        used_by=sorted(stages.values()),
        PermissionsBoundaryArn=role.permissions_boundary_arn,
    )


@rule(
    "SEC-041",
    Severity.MEDIUM,
    bad=[
        given(_role(attached=[f"{_AWS}/AmazonSageMakerFullAccess"]), _USED),
        given(_role(attached=["arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess"]), _USED),
    ],
    good=[
        given(_role(_READ), _USED),
        given(_role(attached=[f"{_AWS}/AmazonSageMakerCanvasFullAccess"]), _USED),
        given(_role(attached=[f"{_AWS}/SageMakerStudioUserIAMDefaultExecutionPolicy"]), _USED),
        given(_role(attached=["arn:aws:iam::123456789012:policy/AmazonSageMakerFullAccess"]), _USED),
    ],
    exempt=[
        _role(attached=[f"{_AWS}/AmazonSageMakerFullAccess"]),
        given(_role(attached=[f"{_AWS}/AmazonSageMakerFullAccess"], tags={"Environment": "sandbox"}), _USED),
    ],
    remedy="List who uses the role, then replace the policy by one with what they need.",
    command="aws iam list-attached-role-policies --role-name {name}",
    change=Change.IN_PLACE,
    scope=Scope.NOT_SANDBOX,
    maps=[lens("MLSEC03-BP01")],
)
def full_access_execution_role(role: Role) -> Verdict:
    """Execution roles should not use AmazonSageMakerFullAccess or AmazonS3FullAccess.

    The first grants nearly all of SageMaker, deletes objects in every bucket with sagemaker in its
    name and passes any role to SageMaker; the second opens every bucket. Studio's default roles
    carry it. The narrower AmazonSageMakerCanvas* and StudioUser policies are acceptable.
    """
    stages = stages_of(role)
    if not stages:
        return not_applicable(NOT_USED)
    found = aws_managed(role, frozenset({"AmazonSageMakerFullAccess", "AmazonS3FullAccess"}))
    if not found:
        return passed(PolicyArn=[held.policy_arn for held in role.attached_managed_policies][:10])
    return failed(
        f"{' and '.join(found)} attached",
        PolicyArn=[f"arn:{role.region.partition}:iam::aws:policy/{name}" for name in found],
        used_by=sorted(stages.values()),
    )


@rule(
    "SEC-042",
    Severity.HIGH,
    bad=[
        given(_role({"Action": "s3:*", "Resource": "*"}), _USED),
        given(_role({"Action": "s3:Get*", "Resource": "arn:aws:s3:::*"}), _USED),
        given(_role({"Action": ["kms:Decrypt"], "Resource": "*"}), _USED),
        given(_role({"Action": "s3:*", "Resource": "arn:aws:s3:::churn-data/*"}), _USED),
    ],
    good=[
        given(_role(_READ), _USED),
        given(
            _role({"Action": ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], "Resource": "*"}),
            _USED,
        ),
        given(_role({"Action": "ec2:Describe*", "Resource": "*"}), _USED),
        given(
            _role(
                {
                    "Action": "s3:GetObject",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}},
                }
            ),
            _USED,
        ),
        given(_role({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::payroll/*"}), _USED),
        given(
            _role(
                {
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                    **_when("kms:ViaService", "s3.eu-west-1.amazonaws.com"),
                }
            ),
            _USED,
        ),
        given(
            _role({"Action": "s3:Get*", "Resource": "*", **_when("s3:ExistingObjectTag/team", "churn")}),
            _USED,
        ),
        given(
            _role(
                {"Action": "s3:GetObject", "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
            ),
            _USED,
        ),
        given(
            _role(
                {"Action": "s3:GetObject", "Resource": "*"}, boundary="arn:aws:iam::123456789012:policy/edge"
            ),
            _managed("edge", {"Action": "logs:*", "Resource": "*"}, owner="123456789012"),
            _USED,
        ),
    ],
    exempt=[_role({"Action": "s3:*", "Resource": "*"})],
    remedy="Name the actions that the jobs need and the ARNs of their buckets and keys.",
    command="aws iam list-role-policies --role-name {name}",
    change=Change.IN_PLACE,
    maps=[
        security_hub("IAM.21"),
        security_hub("KMS.1"),
        security_hub("KMS.2"),
        config_rule("iam-policy-no-statements-with-full-access"),
        config_rule("iam-customer-policy-blocked-kms-actions"),
        config_rule("iam-inline-policy-blocked-kms-actions"),
        prowler("iam_policy_no_full_access_to_kms"),
        lens("MLSEC03-BP01"),
    ],
)
def wildcard_execution_role(role: Role) -> Verdict:
    """Execution-role policies should avoid wildcard actions and resources.

    A job that may read every bucket or use every key is one bug away from all data. Wildcards are
    expanded against the published list of actions. A condition (aws:ResourceAccount, kms:ViaService,
    a tag) or a NotResource narrows a statement: it passes. So does what a permissions boundary or a
    denial takes away. A whole service on named resources is one severity lower.
    """
    if not stages_of(role):
        return not_applicable(NOT_USED)
    policies = identity_policies(role)
    boundary = boundary_of(role)
    wide = wide_grants(policies, boundary)
    statements = allow_statements(named.policy for named in policies)
    narrowed = any(statement.conditions for statement in statements)
    if not wide:
        note = "conditions narrow some statements" if narrowed else ""
        return passed(note, PolicyName=sorted({named.name for named in policies})[:10])
    return failed(
        "; ".join(f"{name} allows {', '.join(grants[:6])}" for name, (grants, _) in wide.items()),
        lowered=1 if all(scoped for _, scoped in wide.values()) else 0,
        why_lowered="its resources are named",
        PolicyName=sorted(wide),
        grants=sorted({grant for grants, _ in wide.values() for grant in grants})[:10],
    )


@index
def _administrators(region: Region) -> frozenset[str]:
    """The ARNs of roles that are administrators and that SageMaker may assume."""
    found: set[str] = set()
    for role in region.all(Role):
        if not role.is_service_linked and trusts_sagemaker(role):
            grants, effective = administrative_grants(identity_policies(role), boundary_of(role))
            if grants and effective:
                found.add(role.id)
    return frozenset(found)


_OTHER_SERVICE = {"iam:PassedToService": "lambda.amazonaws.com"}
_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
_CREATE: dict[str, Any] = {"Action": "sagemaker:Create*", "Resource": "*"}
_PASS_ANY: dict[str, Any] = {"Action": "iam:PassRole", "Resource": "*"}
_PASS_TO_SAGEMAKER: dict[str, Any] = {
    **_PASS_ANY,
    "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
}
_PASS_NAMED: dict[str, Any] = {"Action": "iam:PassRole", "Resource": _ROLE}
_ADMIN_ROLE = sample(
    Role,
    "admin-for-jobs",
    arn="arn:aws:iam::123456789012:role/admin-for-jobs",
    assume_role_policy_document=_TRUST,
    role_policy_list=[{"policy_name": "all", "policy_document": _document(_ALL)}],
)


@rule(
    "SEC-043",
    Severity.HIGH,
    bad=[
        _role(_CREATE, _PASS_ANY),
        _role(_CREATE, {"Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*"}),
        given(_role(_CREATE, _PASS_TO_SAGEMAKER), _ADMIN_ROLE),
        given(
            _role(_CREATE, {"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/admin-*"}),
            _ADMIN_ROLE,
        ),
        # A user has what its groups have.
        given(
            sample(User, "anna", group_list=["ml"]),
            sample(
                Group,
                "ml",
                group_policy_list=[{"policy_name": "work", "policy_document": _document(_CREATE, _PASS_ANY)}],
            ),
        ),
    ],
    good=[
        _role(_CREATE, _PASS_NAMED),
        _role(_CREATE, _PASS_TO_SAGEMAKER),
        given(
            _role(_CREATE, _PASS_ANY, boundary="arn:aws:iam::123456789012:policy/edge"),
            _managed("edge", _CREATE, _PASS_NAMED, owner="123456789012"),
        ),
    ],
    exempt=[
        _role(_CREATE),
        _role(_PASS_ANY),
        _role(_ALL),
        _role(_CREATE, _PASS_ANY, path="/aws-service-role/sagemaker.amazonaws.com/"),
    ],
    remedy="Name the execution roles in the statement and add the condition iam:PassedToService.",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP01")],
)
def broad_pass_role(principal: Role | User) -> Verdict:
    """Who creates SageMaker jobs should be able to pass only named execution roles.

    PassRole with CreateTrainingJob or CreateNotebookInstance is a classic escalation: pass a
    stronger role to a job of your own and act as it. Passing any role to SageMaker alone is enough
    where an administrator's role trusts SageMaker. Users are judged with the policies of their
    groups. Administrators are left out: PassRole gives them nothing that they lack.
    """
    if isinstance(principal, Role) and principal.is_service_linked:
        return not_applicable("a service-linked role belongs to AWS")
    policies = identity_policies(principal)
    boundary = boundary_of(principal)
    identity = [named.policy for named in policies]
    any_role = f"arn:{principal.region.partition}:iam::{principal.region.account}:role/*"
    if decide("iam:PassRole", any_role, identity, boundary).access is Access.DENIED:
        return not_applicable("it may pass no role")
    if not allowed_actions("sagemaker:Create*", identity=identity, boundary=boundary):
        return not_applicable("it creates nothing in SageMaker")
    grants, effective = administrative_grants(policies, boundary)
    if grants and effective:
        return not_applicable("an administrator already: SEC-040 judges execution roles that are")
    evidence: dict[str, Any] = {"PolicyName": _passing(policies)}
    if decide("iam:PassRole", any_role, identity, boundary, _OTHER_SERVICE).access is Access.ALLOWED:
        return failed("it may pass any role to any service", **evidence)
    reachable = [
        arn
        for arn in sorted(_administrators(principal.region))
        if arn != principal.id
        and decide("iam:PassRole", arn, identity, boundary, _SAGEMAKER).access is Access.ALLOWED
    ]
    if reachable:
        return failed("it may pass an administrator's role to SageMaker", RoleArn=reachable[:10], **evidence)
    return passed(**evidence)


def _passing(policies: list[Named]) -> list[str]:
    """The policies that allow iam:PassRole."""
    return sorted(
        {
            named.name
            for named in policies
            for statement in allow_statements([named.policy])
            if "iam:passrole" in statement_actions(statement)
        }
    )


def _trust(principal: object, **condition: Any) -> dict[str, Any]:
    """A trust policy of SageMaker in this account, and of one principal more."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = {"StringEquals": {k.replace("__", ":"): v for k, v in condition.items()}}
    return {"Version": "2012-10-17", "Statement": [*_TRUST["Statement"], statement]}


_CONFUSED_DEPUTY = ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
_NAMING = ("aws:PrincipalAccount", "aws:PrincipalArn", "aws:SourceAccount", "aws:SourceArn")
"""Conditions that say who of everyone may come."""
_FOREIGN_LIMITS = ("sts:ExternalId", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths")


@rule(
    "SEC-044",
    Severity.MEDIUM,
    bad=[
        given(_role(_READ, trust=_trust("*")), _USED),
        # From which Region somebody comes does not tell who it is.
        given(_role(_READ, trust=_trust("*", aws__RequestedRegion="eu-west-1")), _USED),
        given(_role(_READ, trust=_trust({"AWS": "arn:aws:iam::999988887777:root"})), _USED),
        given(
            _role(
                _READ, trust=_trust({"Service": "lambda.amazonaws.com"}, aws__SourceAccount="123456789012")
            ),
            _USED,
        ),
        given(_role(_READ, trust=_trust({"Service": "sagemaker.amazonaws.com"})), _USED),
    ],
    good=[
        given(_role(_READ), _USED),
        given(
            _role(
                _READ,
                trust=_trust(
                    {"Service": "sagemaker.amazonaws.com"},
                    aws__SourceArn="arn:aws:sagemaker:*:123456789012:*",
                ),
            ),
            _USED,
        ),
        given(
            _role(_READ, trust=_trust({"AWS": "arn:aws:iam::999988887777:root"}, sts__ExternalId="k7")), _USED
        ),
        given(_role(_READ, trust=_trust({"AWS": "arn:aws:iam::123456789012:root"})), _USED),
        given(_role(_READ, trust=_trust("*", aws__PrincipalOrgID="o-larkspur")), _USED),
        given(
            _role(
                _READ, trust=_trust({"Service": "lambda.amazonaws.com"}, aws__SourceAccount="123456789012")
            ),
            _USED,
            allowed_services=("sagemaker.amazonaws.com", "lambda.amazonaws.com"),
        ),
        # Studio needs it to tell who made a call.
        given(
            _role(
                _READ,
                trust={
                    **_TRUST,
                    "Statement": [
                        {**_TRUST["Statement"][0], "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
                    ],
                },
            ),
            _USED,
        ),
    ],
    exempt=[
        _role(_READ),
        given(_role(_READ, path="/aws-service-role/sagemaker.amazonaws.com/"), _USED),
    ],
    remedy="Trust SageMaker alone, with a condition on aws:SourceAccount; give other principals roles of their own.",
    command="aws iam get-role --role-name {name}",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP01")],
)
def loose_role_trust(
    role: Role,
    *,
    allowed_services: tuple[str, ...] = (
        "sagemaker.amazonaws.com",
        "bedrock.amazonaws.com",
        "forecast.amazonaws.com",
        "emr-serverless.amazonaws.com",
        "pipes.amazonaws.com",
    ),
) -> Verdict:
    """Trust policies of execution roles should be tight.

    The trust policy says who can become the role. Everyone, another account as a whole without an
    external id or organisation, and services that have no business with ML are too many. A service
    without aws:SourceAccount or aws:SourceArn can be talked into using the role for somebody else;
    alone that is one severity lower.
    """
    if role.is_service_linked:
        return not_applicable("a service-linked role belongs to AWS")
    if not stages_of(role):
        return not_applicable(NOT_USED)
    wrong: list[str] = []
    open_to_deputies = False
    for statement in parsed(role, role.assume_role_policy_document).statements:
        if statement.effect is not Effect.ALLOW or statement.principals is None:
            continue
        limited = any(requires(statement, key) for key in _FOREIGN_LIMITS)
        named = any(requires(statement, key) for key in (*_FOREIGN_LIMITS, *_NAMING))
        if statement.principals.everyone and not named:
            wrong.append("everyone")
        foreign = statement.principals.root_accounts - {role.region.account}
        wrong += [] if limited else [f"account {account} as a whole" for account in sorted(foreign)]
        wrong += [s for s in statement.principals.services if s not in allowed_services]
        if statement.principals.services:
            open_to_deputies |= not any(requires(statement, key) for key in _CONFUSED_DEPUTY)
    trust = role.assume_role_policy_document
    if wrong:
        return failed(f"trusts {', '.join(wrong[:6])}", AssumeRolePolicyDocument=trust)
    if open_to_deputies:
        return failed(
            "trusts a service without aws:SourceAccount or aws:SourceArn",
            lowered=1,
            why_lowered="only the confused-deputy condition is missing",
            AssumeRolePolicyDocument=trust,
        )
    return passed(AssumeRolePolicyDocument=trust)
