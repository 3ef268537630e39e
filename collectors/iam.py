"""IAM: roles, users, groups and managed policies, each a page of a thousand, and the account itself."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader


def _details(kind: str, result: str) -> Operation:
    """GetAccountAuthorizationDetails for one kind of entity."""
    kinds = ["LocalManagedPolicy", "AWSManagedPolicy"] if kind == "Policy" else [kind]
    return Operation(
        "iam",
        "GetAccountAuthorizationDetails",
        result=result,
        parameters=(("Filter", tuple(kinds)),),
        page_size=1000,
    )


ROLES = _details("Role", "RoleDetailList[]")
USERS = _details("User", "UserDetailList[]")
GROUPS = _details("Group", "GroupDetailList[]")
POLICIES = _details("Policy", "Policies[]")
SUMMARY = Operation("iam", "GetAccountSummary")


class InlinePolicy(Part):
    """A policy inside a role, user or group; botocore has decoded the document."""

    policy_name = required(PART, "PolicyName", str, "inline")
    policy_document = required(PART, "PolicyDocument", dict[str, Any], {})


class AttachedPolicy(Part):
    """A managed policy by its ARN."""

    policy_arn = required(PART, "PolicyArn", str, "arn:aws:iam::aws:policy/ReadOnlyAccess")


class PolicyVersion(Part):
    """One version of a managed policy."""

    is_default_version = required(PART, "IsDefaultVersion", bool, True)
    document = required(PART, "Document", dict[str, Any], {})


class ManagedPolicy(
    View,
    kind="iam-policy",
    type="AWS::IAM::ManagedPolicy",
    listing=(POLICIES,),
    name="PolicyName",
    arn="Arn",
    is_global=True,
):
    """A customer's managed policy, or one of AWS's that is attached to somebody."""

    policy_version_list = items(POLICIES, "PolicyVersionList[]", PolicyVersion)

    @property
    def default_document(self) -> dict[str, Any] | None:
        """The document that is in force, or `None` where AWS sent no version."""
        return next((v.document for v in self.policy_version_list if v.is_default_version), None)


class Group(
    View,
    kind="iam-group",
    type="AWS::IAM::Group",
    listing=(GROUPS,),
    name="GroupName",
    arn="Arn",
    is_global=True,
):
    """A group: its members inherit its policies."""

    group_policy_list = items(GROUPS, "GroupPolicyList[]", InlinePolicy)
    attached_managed_policies = items(GROUPS, "AttachedManagedPolicies[]", AttachedPolicy)


class Role(
    View,
    kind="iam-role",
    type="AWS::IAM::Role",
    listing=(ROLES,),
    name="RoleName",
    arn="Arn",
    tags=(ROLES, "Tags"),
    is_global=True,
):
    """A role with its policies and its trust policy."""

    path = optional(ROLES, "Path", str)
    create_date = required(ROLES, "CreateDate", datetime, datetime.fromisoformat("2025-06-01T06:00:00+00:00"))
    last_used_date = optional(ROLES, "RoleLastUsed.LastUsedDate", datetime)
    assume_role_policy_document = required(ROLES, "AssumeRolePolicyDocument", dict[str, Any], {})
    role_policy_list = items(ROLES, "RolePolicyList[]", InlinePolicy)
    attached_managed_policies = items(ROLES, "AttachedManagedPolicies[]", AttachedPolicy)
    permissions_boundary_arn = optional(ROLES, "PermissionsBoundary.PermissionsBoundaryArn", str)

    @property
    def is_service_linked(self) -> bool:
        """Whether AWS made it and keeps its policies."""
        return (self.path or "").startswith("/aws-service-role/")


class User(
    View,
    kind="iam-user",
    type="AWS::IAM::User",
    listing=(USERS,),
    name="UserName",
    arn="Arn",
    tags=(USERS, "Tags"),
    is_global=True,
):
    """A user with its own policies; those of its groups are inherited."""

    user_policy_list = items(USERS, "UserPolicyList[]", InlinePolicy)
    attached_managed_policies = items(USERS, "AttachedManagedPolicies[]", AttachedPolicy)
    permissions_boundary_arn = optional(USERS, "PermissionsBoundary.PermissionsBoundaryArn", str)
    group_list = optional(USERS, "GroupList", list[str])


class Account(View, kind="account", type="AWS::::Account", listing=(SUMMARY,), is_global=True):
    """The account as a whole."""

    summary_map = required(SUMMARY, "SummaryMap", dict[str, int], {})


@collects(Role)
def roles(reader: "Reader") -> Iterator[Resource]:
    """Every role of the account."""
    for document in reader.list(ROLES):
        yield from reader.resource({ROLES: document})


@collects(User)
def users(reader: "Reader") -> Iterator[Resource]:
    """Every user of the account."""
    for document in reader.list(USERS):
        yield from reader.resource({USERS: document})


@collects(Group)
def groups(reader: "Reader") -> Iterator[Resource]:
    """Every group of the account."""
    for document in reader.list(GROUPS):
        yield from reader.resource({GROUPS: document})


@collects(ManagedPolicy)
def managed_policies(reader: "Reader") -> Iterator[Resource]:
    """Every customer policy, and AWS's own where they are attached."""
    for document in reader.list(POLICIES):
        yield from reader.resource({POLICIES: document})


@collects(Account)
def account(reader: "Reader") -> Iterator[Resource]:
    """The account and its summary."""
    key = f"arn:{reader.region.partition}:iam::{reader.region.account}:root"
    yield from reader.resource({SUMMARY: reader.read(SUMMARY)}, key=key, name=reader.region.account)
