"""Who may use ML: users' credentials, and policies that force private and encrypted jobs."""

from typing import Any

from collectors.credential_report import GET, CredentialReport, Credentials, credentials_by_user
from collectors.iam import Group, ManagedPolicy, Role, User
from collectors.model import Reason, Unread
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import Access, Effect, Policy, allowed_actions, decide
from evaluators.roles import Named, boundary_of, identity_policies
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_ARN = "arn:aws:iam::123456789012:user/anna"
_TRAIN: dict[str, Any] = {"Action": "sagemaker:CreateTrainingJob", "Resource": "*"}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}


def _inline(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"policy_name": "own", "policy_document": _document(*statements)}] if statements else []


def _user(*statements: dict[str, Any], **values: Any) -> Sample:
    return sample(User, "anna", arn=_ARN, user_policy_list=_inline(*statements), **values)


_MEMBER = _user(group_list=["ml"])
_GROUP = sample(Group, "ml", group_policy_list=_inline(_TRAIN))


def _report(**values: str) -> Sample:
    row = {
        "user": "anna",
        "arn": _ARN,
        "password_enabled": "false",
        "password_last_used": "N/A",
        "mfa_active": "false",
        "access_key_1_active": "false",
        "access_key_1_last_rotated": "N/A",
        "access_key_1_last_used_date": "N/A",
        "access_key_2_active": "false",
        "access_key_2_last_rotated": "N/A",
        "access_key_2_last_used_date": "N/A",
        **values,
    }
    root = dict.fromkeys(row, "not_supported") | {
        "user": "<root_account>",
        "arn": "arn:aws:iam::123456789012:root",
    }
    lines = [",".join(row), ",".join(root.values()), ",".join(row.values())]
    return sample(CredentialReport, "123456789012", content="\n".join(lines))


_CONSOLE = {"password_enabled": "true", "password_last_used": "2026-11-19T06:00:00+00:00"}
_FRESH_KEY = {
    "access_key_1_active": "true",
    "access_key_1_last_rotated": "2026-10-15T06:00:00+00:00",
    "access_key_1_last_used_date": "2026-11-19T06:00:00+00:00",
}


@rule(
    "SEC-049",
    Severity.HIGH,
    bad=[
        given(_MEMBER, _GROUP, _report(**_CONSOLE)),
        given(
            _MEMBER,
            _GROUP,
            _report(**{**_FRESH_KEY, "access_key_1_last_rotated": "2026-01-15T06:00:00+00:00"}),
        ),
        given(
            _MEMBER,
            _GROUP,
            _report(**{**_FRESH_KEY, "access_key_1_last_used_date": "2026-09-01T06:00:00+00:00"}),
        ),
        given(
            _MEMBER,
            _GROUP,
            _report(
                access_key_2_active="true",
                access_key_2_last_rotated="2026-09-20T06:00:00+00:00",
                access_key_2_last_used_date="N/A",
            ),
        ),
        given(_user(_TRAIN), _report()),
        given(
            _user({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::churn/*"}, group_list=["ml"]),
            _GROUP,
            _report(),
        ),
        given(_user({"Action": "*", "Resource": "*"}), _report()),
    ],
    good=[
        given(_MEMBER, _GROUP, _report()),
        given(_MEMBER, _GROUP, _report(**_CONSOLE, mfa_active="true")),
        given(_MEMBER, _GROUP, _report(**_FRESH_KEY)),
        given(
            _MEMBER,
            _GROUP,
            _report(access_key_1_active="false", access_key_1_last_rotated="2020-01-15T06:00:00+00:00"),
        ),
        given(
            _MEMBER,
            _GROUP,
            _report(**{**_FRESH_KEY, "access_key_1_last_used_date": "N/A"}),
        ),
        # The report has words where it knows no date.
        given(
            _MEMBER,
            _GROUP,
            _report(password_enabled="not_supported", password_last_used="no_information"),  # noqa: S106
        ),
    ],
    exempt=[
        given(_user(), _report(**_CONSOLE)),
        given(_user({"Action": "ec2:*", "Resource": "*"}), _report(**_CONSOLE)),
        given(
            _user(_TRAIN, permissions_boundary_arn="arn:aws:iam::123456789012:policy/edge"),
            sample(
                ManagedPolicy,
                "edge",
                arn="arn:aws:iam::123456789012:policy/edge",
                policy_version_list=[
                    {"is_default_version": True, "document": _document({"Action": "ec2:*", "Resource": "*"})}
                ],
            ),
            _report(**_CONSOLE),
        ),
    ],
    remedy="Turn on MFA, rotate or delete old keys, and move the policies to a group or a role.",
    command="aws iam list-access-keys --user-name {name}",
    change=Change.IN_PLACE,
    maps=[
        *(security_hub(f"IAM.{number}") for number in (2, 3, 5, 8, 19, 22)),
        config_rule("access-keys-rotated"),
        config_rule("mfa-enabled-for-iam-console-access"),
        config_rule("iam-user-unused-credentials-check"),
        config_rule("iam-user-no-policies-check"),
        prowler("iam_user_mfa_enabled_console_access"),
        lens("MLSEC03-BP01"),
    ],
)
def weak_user_credentials(user: User, *, max_key_age_days: int = 90, max_unused_days: int = 45) -> Verdict:
    """IAM users with ML access should have MFA, fresh keys and no policies of their own.

    A password without MFA and a key that nobody rotates are how accounts are lost; a policy on one
    user is one that no review of roles sees. Users count whose policies, with those of their groups
    and within their boundary, allow anything in SageMaker. The credential report that tells of keys
    may be four hours old. A key that was never used counts as unused from the day it was made.
    """
    policies = [named.policy for named in identity_policies(user)]
    boundary = boundary_of(user)
    if not allowed_actions("sagemaker:*", identity=policies, boundary=boundary):
        return not_applicable("the user may do nothing in SageMaker")
    found = credentials_by_user(user.region).get(user.id)
    if found is None:
        raise Unread(user.gap(str(GET), Reason.MISSING, user.name))
    direct = _own_grants(user, boundary)
    wrong = [*_credential_faults(user, found, max_key_age_days, max_unused_days)]
    if direct:
        wrong.append(f"ML permissions of its own by {', '.join(direct[:5])}")
    if not wrong:
        return passed(Content=_shown(found), PolicyName=direct)
    return failed("; ".join(wrong), Content=_shown(found), PolicyName=direct)


def _credential_faults(user: User, found: Credentials, max_key_age: int, max_unused: int) -> list[str]:
    wrong = []
    if found.password_enabled and not found.mfa_active:
        wrong.append("a console password without MFA")
    for key in found.keys:
        if key.rotated is None:
            raise Unread(user.gap(str(GET), Reason.MISSING, "access_key_last_rotated"))
        if key.rotated < user.region.ago(max_key_age):
            wrong.append(f"an active key of {key.rotated:%Y-%m-%d}")
        elif (key.used or key.rotated) < user.region.ago(max_unused):
            wrong.append(f"an active key that was not used in {max_unused} days")
    return wrong


def _shown(found: Credentials) -> dict[str, Any]:
    """The user's row as evidence."""
    return {
        "password_enabled": found.password_enabled,
        "mfa_active": found.mfa_active,
        "access_keys_rotated": [key.rotated.isoformat() for key in found.keys if key.rotated],
    }


def _own_grants(user: User, boundary: Policy | None) -> list[str]:
    """The user's own policies, without its groups', that allow something in SageMaker or S3."""
    return [
        named.name
        for named in _own_policies(user)
        if allowed_actions("sagemaker:*", "s3:*", identity=[named.policy], boundary=boundary)
    ]


def _own_policies(principal: Role | User | Group) -> list[Named]:
    """What is attached to a principal itself: of a user without what its groups have."""
    policies = identity_policies(principal)
    if not isinstance(principal, User):
        return policies
    count = len(principal.user_policy_list) + len(principal.attached_managed_policies)
    return policies[:count]


_CREATES = {
    "sagemaker:CreateTrainingJob": ("VpcSubnets", "VpcSecurityGroupIds", "NetworkIsolation", "VolumeKmsKey"),
    "sagemaker:CreateProcessingJob": (
        "VpcSubnets",
        "VpcSecurityGroupIds",
        "NetworkIsolation",
        "VolumeKmsKey",
    ),
    "sagemaker:CreateModel": ("VpcSubnets", "VpcSecurityGroupIds", "NetworkIsolation"),
    "sagemaker:CreateNotebookInstance": (
        "VpcSubnets",
        "VpcSecurityGroupIds",
        "VolumeKmsKey",
        "RootAccess",
        "DirectInternetAccess",
    ),
}
"""Which keys a policy can test in each call (Service Authorization Reference, SageMaker)."""
_ALSO = frozenset({"sagemaker:outputkmskey", "sagemaker:intercontainertrafficencryption"})
_IN_A_VPC: dict[str, Any] = {"Condition": {"Null": {"sagemaker:VpcSubnets": "false"}}}
_ROLE_ARN = "arn:aws:iam::123456789012:role/ci"


def _role(*statements: dict[str, Any], **values: Any) -> Sample:
    return sample(Role, "ci", arn=_ROLE_ARN, role_policy_list=_inline(*statements), **values)


@rule(
    "SEC-048",
    Severity.LOW,
    bad=[
        _role(_TRAIN),
        _role({"Action": "sagemaker:Create*", "Resource": "*"}),
        _role({**_TRAIN, "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}),
        _user(_TRAIN),
        sample(Group, "ml", group_policy_list=_inline(_TRAIN)),
        _role(_TRAIN, {"Action": "s3:PutObject", "Resource": "*", **_IN_A_VPC}),
    ],
    good=[
        _role({**_TRAIN, **_IN_A_VPC}),
        _role(
            _TRAIN,
            {
                "Effect": "Deny",
                "Action": "sagemaker:CreateTrainingJob",
                "Resource": "*",
                "Condition": {"Bool": {"sagemaker:NetworkIsolation": "false"}},
            },
        ),
        _role(
            {
                "Action": "sagemaker:CreateNotebookInstance",
                "Resource": "*",
                "Condition": {"StringEquals": {"sagemaker:rootaccess": "Disabled"}},
            }
        ),
        given(
            _role(_TRAIN, permissions_boundary_arn="arn:aws:iam::123456789012:policy/edge"),
            sample(
                ManagedPolicy,
                "edge",
                arn="arn:aws:iam::123456789012:policy/edge",
                policy_version_list=[
                    {"is_default_version": True, "document": _document({**_TRAIN, **_IN_A_VPC})}
                ],
            ),
        ),
    ],
    exempt=[
        _role({"Action": "s3:GetObject", "Resource": "*"}),
        _role({"Action": "sagemaker:CreateEndpoint", "Resource": "*"}),
        _role({"Action": "*", "Resource": "*"}),
        _role(_TRAIN, path="/aws-service-role/sagemaker.amazonaws.com/"),
        given(_role(_TRAIN), scp_enforced=True),
        given(_user(group_list=["ml"]), _GROUP),
    ],
    remedy="Add a Deny with Null or StringNotEquals on the keys, in a policy that everyone who creates jobs has.",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLSEC03-BP01"), lens("MLSEC04-BP01")],
)
def unconditional_job_creation(
    principal: Role | User | Group,
    *,
    keys: tuple[str, ...] = (
        "sagemaker:VpcSubnets",
        "sagemaker:VpcSecurityGroupIds",
        "sagemaker:NetworkIsolation",
        "sagemaker:VolumeKmsKey",
        "sagemaker:RootAccess",
        "sagemaker:DirectInternetAccess",
    ),
    scp_enforced: bool = False,
) -> Verdict:
    """Policies should force VPC, encryption and isolation where jobs are created.

    A condition on what a call may ask for prevents the open job that other rules would only find.
    One condition key that fits the calls, in an Allow, a Deny or the permissions boundary, is enough
    to pass; the others are named. Members of a group are judged by the group, administrators, who
    can lift any condition, not at all. Service control policies are not readable from a member
    account: where they enforce this, say so with `scp_enforced`.
    """
    if isinstance(principal, Role) and principal.is_service_linked:
        return not_applicable("a service-linked role belongs to AWS")
    if scp_enforced:
        return not_applicable("service control policies enforce it, by the settings")
    own = [named.policy for named in _own_policies(principal)]
    boundary = None if isinstance(principal, Group) else boundary_of(principal)
    creates = [a for a in _CREATES if decide(a, "*", own, boundary).access is not Access.DENIED]
    if not creates:
        return not_applicable("it creates no jobs, models or notebooks by policies of its own")
    if decide("iam:PutRolePolicy", "*", own, boundary).access is Access.ALLOWED:
        return not_applicable("an administrator can lift any condition")
    everything = [named.policy for named in identity_policies(principal)]
    tested = _tested_keys([*everything, *([boundary] if boundary else [])])
    fitting = [key for key in keys if any(key.lower() in _fits(action) for action in creates)]
    missing = [key for key in fitting if key.lower() not in tested]
    if len(missing) < len(fitting) or tested & _ALSO:
        return passed(f"nothing tests {', '.join(missing)}" if missing else "")
    return failed(
        f"may create with no condition: {', '.join(creates)}",
        PolicyName=[named.name for named in _own_policies(principal)][:10],
        missing_keys=missing,
    )


def _fits(action: str) -> frozenset[str]:
    return frozenset(f"sagemaker:{key.lower()}" for key in _CREATES[action])


def _tested_keys(policies: list[Policy]) -> frozenset[str]:
    """The condition keys that statements about creating something in SageMaker test, in lower case."""
    found = set()
    for policy in policies:
        for statement in policy.statements:
            patterns = [each.lower() for each in statement.actions]
            about = statement.effect is Effect.DENY or any(
                pattern.startswith(("sagemaker:", "*")) for pattern in patterns
            )
            if about or statement.not_actions:
                found |= {condition.key.lower() for condition in statement.conditions}
    return frozenset(found)
