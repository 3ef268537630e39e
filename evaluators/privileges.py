"""What makes a policy too powerful: administration, whole services, and wildcards over all resources."""

from evaluators.policy import (
    Access,
    Policy,
    Statement,
    allow_statements,
    covers_everything,
    decide,
    service_wildcards,
    statement_actions,
)
from evaluators.roles import Named

FULL_POLICIES = frozenset({"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"})
_MOST_SERVICES = 100
"""A NotAction that leaves so many services whole is administration with a few exceptions."""


def administrative_grants(policies: list[Named], boundary: Policy | None) -> tuple[list[str], bool]:
    """The policies that make an administrator, and whether the boundary leaves that in force."""
    identity = [named.policy for named in policies]
    found: list[str] = []
    effective = False
    for named in policies:
        for statement in allow_statements([named.policy]):
            probe = _administers(statement)
            if probe and decide(probe, "*", identity).access is Access.ALLOWED:
                found.append(named.name)
                effective |= decide(probe, "*", identity, boundary).access is not Access.DENIED
    return sorted(set(found)), effective


def _administers(statement: Statement) -> str:
    """An action that proves it, where a statement allows all of IAM, or nearly everything, on everything."""
    if statement.conditions or not (set(statement.resources) & {"*"} or statement.not_resources):
        return ""
    services = service_wildcards(statement)
    if "iam" in services and covers_everything(statement, "iam:PutRolePolicy"):
        return "iam:PutRolePolicy"
    if len(services) >= _MOST_SERVICES and covers_everything(statement, "s3:DeleteBucket"):
        return "s3:DeleteBucket"
    return ""


_SERVICES = frozenset({"s3", "kms", "sagemaker", "iam", "ec2", "secretsmanager"})
_SENSITIVE = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "kms:Decrypt",
    "secretsmanager:GetSecretValue",
    "sts:AssumeRole",
)


def too_wide(statement: Statement) -> tuple[list[str], bool]:
    """The wildcards and sensitive actions that a statement grants, and whether its resources are named."""
    if statement.not_resources or statement.conditions:
        return [], False
    actions = statement_actions(statement)
    wide = [f"{service}:*" for service in sorted(service_wildcards(statement) & _SERVICES)]
    open_ = [a for a in _SENSITIVE if a.lower() in actions and covers_everything(statement, a)]
    return [*wide, *open_], not open_ and "*" not in statement.resources


_PROBES = {
    "s3": "s3:GetObject",
    "kms": "kms:Decrypt",
    "sagemaker": "sagemaker:CreateTrainingJob",
    "iam": "iam:PutRolePolicy",
    "ec2": "ec2:RunInstances",
    "secretsmanager": "secretsmanager:GetSecretValue",
}


def in_force(grant: str, statement: Statement, identity: list[Policy], boundary: Policy | None) -> bool:
    """Whether denials and the boundary leave the grant standing."""
    service, _, name = grant.partition(":")
    action = _PROBES[service] if name == "*" else grant
    resource = "*" if "*" in statement.resources or name != "*" else statement.resources[0]
    return decide(action, resource, identity, boundary).access is not Access.DENIED


def wide_grants(policies: list[Named], boundary: Policy | None) -> dict[str, tuple[list[str], bool]]:
    """By policy, the wildcards and sensitive actions that are in force, and whether all name their resources."""
    identity = [named.policy for named in policies]
    wide: dict[str, tuple[list[str], bool]] = {}
    for named in policies:
        for statement in allow_statements([named.policy]):
            found, scoped = too_wide(statement)
            kept = [grant for grant in found if in_force(grant, statement, identity, boundary)]
            if kept:
                before, all_scoped = wide.get(named.name, ([], True))
                wide[named.name] = (sorted({*before, *kept}), all_scoped and scoped)
    return wide
