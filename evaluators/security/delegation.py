"""Who may pass roles to SageMaker, and who may become the roles that it runs with."""

from collections.abc import Iterator
from typing import Any

from collectors.iam import Group, Role, User
from collectors.sample import sample
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.policy import (
    Access,
    Effect,
    Statement,
    allow_statements,
    allowed_actions,
    decide,
    requires,
    statement_actions,
)
from evaluators.privileges import administrative_grants
from evaluators.roles import (
    Named,
    boundary_of,
    identity_policies,
    parsed,
    stages_of,
    trusts_sagemaker,
)
from evaluators.rule import (
    Change,
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
    READ,
    ROLE,
    TRUST,
    USED,
    document_of,
    managed_with,
    role_with,
)
from evaluators.security.roles import NOT_USED


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
_PASS_NAMED: dict[str, Any] = {"Action": "iam:PassRole", "Resource": ROLE}
_ADMIN_ROLE = sample(
    Role,
    "admin-for-jobs",
    arn="arn:aws:iam::123456789012:role/admin-for-jobs",
    assume_role_policy_document=TRUST,
    role_policy_list=[{"policy_name": "all", "policy_document": document_of(ALL)}],
)


@rule(
    "SEC-043",
    Severity.HIGH,
    bad=[
        role_with(_CREATE, _PASS_ANY),
        role_with(_CREATE, {"Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*"}),
        given(role_with(_CREATE, _PASS_TO_SAGEMAKER), _ADMIN_ROLE),
        given(
            role_with(
                _CREATE, {"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/admin-*"}
            ),
            _ADMIN_ROLE,
        ),
        # A user has what its groups have.
        given(
            sample(User, "anna", group_list=["ml"]),
            sample(
                Group,
                "ml",
                group_policy_list=[
                    {"policy_name": "work", "policy_document": document_of(_CREATE, _PASS_ANY)}
                ],
            ),
        ),
    ],
    good=[
        role_with(_CREATE, _PASS_NAMED),
        role_with(_CREATE, _PASS_TO_SAGEMAKER),
        given(
            role_with(_CREATE, _PASS_ANY, boundary="arn:aws:iam::123456789012:policy/edge"),
            managed_with("edge", _CREATE, _PASS_NAMED, owner="123456789012"),
        ),
    ],
    exempt=[
        role_with(_CREATE),
        role_with(_PASS_ANY),
        role_with(ALL),
        role_with(_CREATE, _PASS_ANY, path="/aws-service-role/sagemaker.amazonaws.com/"),
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
    return {"Version": "2012-10-17", "Statement": [*TRUST["Statement"], statement]}


def _all_but(principal: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {**TRUST, "Statement": [*TRUST["Statement"], statement]}


_CONFUSED_DEPUTY = ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
_NAMING = ("aws:PrincipalAccount", "aws:PrincipalArn", "aws:SourceAccount", "aws:SourceArn")
"""Conditions that say who of everyone may come."""
_FOREIGN_LIMITS = ("sts:ExternalId", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths")


@rule(
    "SEC-044",
    Severity.MEDIUM,
    bad=[
        given(role_with(READ, trust=_trust("*")), USED),
        given(role_with(READ, trust=_all_but("arn:aws:iam::999988887777:root")), USED),
        # From which Region somebody comes does not tell who it is.
        given(role_with(READ, trust=_trust("*", aws__RequestedRegion="eu-west-1")), USED),
        given(role_with(READ, trust=_trust({"AWS": "arn:aws:iam::999988887777:root"})), USED),
        given(
            role_with(
                READ, trust=_trust({"Service": "lambda.amazonaws.com"}, aws__SourceAccount="123456789012")
            ),
            USED,
        ),
        given(role_with(READ, trust=_trust({"Service": "sagemaker.amazonaws.com"})), USED),
    ],
    good=[
        given(role_with(READ), USED),
        given(
            role_with(
                READ,
                trust=_trust(
                    {"Service": "sagemaker.amazonaws.com"},
                    aws__SourceArn="arn:aws:sagemaker:*:123456789012:*",
                ),
            ),
            USED,
        ),
        given(
            role_with(READ, trust=_trust({"AWS": "arn:aws:iam::999988887777:root"}, sts__ExternalId="k7")),
            USED,
        ),
        given(role_with(READ, trust=_trust({"AWS": "arn:aws:iam::123456789012:root"})), USED),
        given(role_with(READ, trust=_trust("*", aws__PrincipalOrgID="o-larkspur")), USED),
        given(
            role_with(
                READ, trust=_trust({"Service": "lambda.amazonaws.com"}, aws__SourceAccount="123456789012")
            ),
            USED,
            allowed_services=("sagemaker.amazonaws.com", "lambda.amazonaws.com"),
        ),
        # Studio needs it to tell who made a call.
        given(
            role_with(
                READ,
                trust={
                    **TRUST,
                    "Statement": [
                        {**TRUST["Statement"][0], "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
                    ],
                },
            ),
            USED,
        ),
    ],
    exempt=[
        role_with(READ),
        given(role_with(READ, path="/aws-service-role/sagemaker.amazonaws.com/"), USED),
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
    trust = role.assume_role_policy_document
    statements = [s for s in parsed(role, trust).statements if s.effect is Effect.ALLOW]
    wrong = [text for each in statements for text in _too_many(each, role.region.account, allowed_services)]
    open_to_deputies = any(
        statement.principals is not None
        and statement.principals.services
        and not any(requires(statement, key) for key in _CONFUSED_DEPUTY)
        for statement in statements
    )
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


def _too_many(statement: Statement, own: str, allowed_services: tuple[str, ...]) -> Iterator[str]:
    """Whom a statement of a trust policy lets in and should not."""
    principals = statement.principals
    limited = any(requires(statement, key) for key in _FOREIGN_LIMITS)
    named = limited or any(requires(statement, key) for key in _NAMING)
    if not named and (principals is None or principals.everyone):
        yield "everyone" if principals is not None else "everyone but a few"
    if principals is None:
        return
    foreign = principals.root_accounts - {own}
    yield from () if limited else (f"account {account} as a whole" for account in sorted(foreign))
    yield from (service for service in principals.services if service not in allowed_services)
