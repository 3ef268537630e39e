"""Execution roles: administration, full access and wildcards."""

from collectors.iam import Role
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.user_profiles import UserProfile
from collectors.sample import sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import (
    allow_statements,
)
from evaluators.privileges import FULL_POLICIES, administrative_grants, wide_grants
from evaluators.roles import (
    aws_managed,
    boundary_of,
    identity_policies,
    stages_of,
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
from evaluators.security.role_samples import (
    ALL,
    AWS_POLICY,
    READ,
    ROLE,
    USED,
    managed_with,
    role_with,
    when,
)

NOT_USED = "no SageMaker resource uses this role"


@rule(
    "SEC-040",
    Severity.CRITICAL,
    bad=[
        given(role_with(ALL), USED),
        given(role_with(ALL), sample(Domain, default_user_settings={"execution_role": ROLE})),
        given(role_with(ALL), sample(Domain, default_space_settings={"execution_role": ROLE})),
        given(role_with(ALL), sample(UserProfile, user_settings={"execution_role": ROLE})),
        given(role_with(ALL), sample(Cluster, instance_groups=[{"execution_role": ROLE}])),
        given(role_with(ALL), sample(Cluster, restricted_instance_groups=[{"execution_role": ROLE}])),
        given(role_with(ALL), sample(Model, execution_role_arn=ROLE)),
        given(role_with(ALL), sample(EndpointConfig, execution_role_arn=ROLE)),
        given(role_with(ALL), sample(ProcessingJob, role_arn=ROLE)),
        given(role_with(ALL), sample(Pipeline, role_arn=ROLE)),
        given(role_with({"Action": "iam:*", "Resource": "*"}), USED),
        given(
            role_with(attached=[f"{AWS_POLICY}/PowerUserAccess"]),
            managed_with("PowerUserAccess", {"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}),
            USED,
        ),
        given(role_with({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}), USED),
        given(
            role_with(attached=[f"{AWS_POLICY}/AdministratorAccess"]),
            managed_with("AdministratorAccess", ALL),
            USED,
        ),
        given(
            role_with(attached=["arn:aws-cn:iam::aws:policy/IAMFullAccess"]),
            managed_with("IAMFullAccess", {"Action": "iam:*", "Resource": "*"}, partition="aws-cn"),
            USED,
        ),
        given(
            role_with(ALL, boundary="arn:aws:iam::123456789012:policy/edge"),
            managed_with("edge", READ, owner="123456789012"),
            USED,
        ),
    ],
    good=[
        given(role_with(READ), USED),
        given(role_with({"Action": "s3:*", "Resource": "arn:aws:s3:::churn-data/*"}), USED),
        given(role_with({**ALL, "Condition": {"StringEquals": {"aws:ResourceTag/team": "churn"}}}), USED),
        given(
            role_with(attached=["arn:aws:iam::123456789012:policy/AdministratorAccess"]),
            managed_with("AdministratorAccess", READ, owner="123456789012"),
            USED,
        ),
    ],
    exempt=[role_with(ALL), given(role_with(ALL), sample(NotebookInstance, "nb", role_arn=f"{ROLE}-2"))],
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
        given(role_with(attached=[f"{AWS_POLICY}/AmazonSageMakerFullAccess"]), USED),
        given(role_with(attached=["arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess"]), USED),
    ],
    good=[
        given(role_with(READ), USED),
        given(role_with(attached=[f"{AWS_POLICY}/AmazonSageMakerCanvasFullAccess"]), USED),
        given(role_with(attached=[f"{AWS_POLICY}/SageMakerStudioUserIAMDefaultExecutionPolicy"]), USED),
        given(role_with(attached=["arn:aws:iam::123456789012:policy/AmazonSageMakerFullAccess"]), USED),
    ],
    exempt=[
        role_with(attached=[f"{AWS_POLICY}/AmazonSageMakerFullAccess"]),
        given(
            role_with(attached=[f"{AWS_POLICY}/AmazonSageMakerFullAccess"], tags={"Environment": "sandbox"}),
            USED,
        ),
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
        given(role_with({"Action": "s3:*", "Resource": "*"}), USED),
        given(role_with({"Action": "s3:Get*", "Resource": "arn:aws:s3:::*"}), USED),
        given(role_with({"Action": ["kms:Decrypt"], "Resource": "*"}), USED),
        given(role_with({"Action": "s3:*", "Resource": "arn:aws:s3:::churn-data/*"}), USED),
    ],
    good=[
        given(role_with(READ), USED),
        given(
            role_with({"Action": ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], "Resource": "*"}),
            USED,
        ),
        given(role_with({"Action": "ec2:Describe*", "Resource": "*"}), USED),
        given(
            role_with(
                {
                    "Action": "s3:GetObject",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}},
                }
            ),
            USED,
        ),
        given(role_with({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::payroll/*"}), USED),
        given(
            role_with(
                {
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                    **when("kms:ViaService", "s3.eu-west-1.amazonaws.com"),
                }
            ),
            USED,
        ),
        given(
            role_with({"Action": "s3:Get*", "Resource": "*", **when("s3:ExistingObjectTag/team", "churn")}),
            USED,
        ),
        given(
            role_with(
                {"Action": "s3:GetObject", "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
            ),
            USED,
        ),
        given(
            role_with(
                {"Action": "s3:GetObject", "Resource": "*"}, boundary="arn:aws:iam::123456789012:policy/edge"
            ),
            managed_with("edge", {"Action": "logs:*", "Resource": "*"}, owner="123456789012"),
            USED,
        ),
    ],
    exempt=[role_with({"Action": "s3:*", "Resource": "*"})],
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
