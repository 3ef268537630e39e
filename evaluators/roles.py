"""Execution roles: who uses them, and what their policies say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.iam import AttachedPolicy, Group, InlinePolicy, ManagedPolicy, Role, User
from collectors.model import Gap, Reason, Unread
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.user_profiles import UserProfile
from collectors.view import Region, View, index
from evaluators.policy import Effect, Policy, PolicyError, parse

NOTEBOOK, TRAINING, HOSTING, PIPELINE = "notebook/domain", "training/processing", "model/endpoint", "pipeline"


@dataclass(slots=True)
class Uses:
    """Which stages use which role, one resource named for each; the gap that may hide more uses."""

    stages: dict[str, dict[str, str]] = field(default_factory=dict)
    gap: Gap | None = None


@index
def role_uses(region: Region) -> Uses:
    """The uses of every role over all audited Regions. `region` is the account's global one."""
    uses = Uses()
    for place in region.audited():
        for view, stage, roles in _USERS:
            gap = region.snapshot.listing_gap(view.kind, region.account, place.name)
            uses.gap = uses.gap or gap
            for found in place.known(view):
                try:
                    for arn in roles(found):
                        if arn:
                            uses.stages.setdefault(arn, {}).setdefault(stage, f"{view.kind} {found.name}")
                except Unread as unread:
                    uses.gap = uses.gap or unread.gap
    return uses


def _roles_of_profile(profile: UserProfile) -> tuple[str | None, ...]:
    """Its own role: without one it has its domain's. Raises `Unread` for one that was not described."""
    settings = profile.user_settings
    return (settings.execution_role,) if settings else ()


def _roles_of_cluster(cluster: Cluster) -> tuple[str | None, ...]:
    own = [group.execution_role for group in cluster.instance_groups]
    return (*own, *(group.execution_role for group in cluster.restricted_instance_groups))


_USERS: tuple[tuple[type[View], str, Callable[[Any], tuple[str | None, ...]]], ...] = (
    (NotebookInstance, NOTEBOOK, lambda found: (found.role_arn,)),
    (Domain, NOTEBOOK, lambda found: found.execution_roles),
    (UserProfile, NOTEBOOK, _roles_of_profile),
    (TrainingJob, TRAINING, lambda found: (found.role_arn,)),
    (Cluster, TRAINING, _roles_of_cluster),
    (ProcessingJob, TRAINING, lambda found: (found.role_arn,) if found.is_described else ()),
    (Model, HOSTING, lambda found: (found.execution_role_arn,)),
    (EndpointConfig, HOSTING, lambda found: (found.execution_role_arn,) if found.is_described else ()),
    (Pipeline, PIPELINE, lambda found: (found.role_arn,)),
)


def stages_of(role: Role) -> Mapping[str, str]:
    """The stages that use a role, each with one resource; empty when nothing does for certain.

    A role that SageMaker may not assume is no execution role, whatever else could not be read.
    Raises `Unread` where nothing known uses it but not everything was read.
    """
    if not trusts_sagemaker(role):
        return {}
    uses = role_uses(role.region)
    found = uses.stages.get(role.id, {})
    if uses.gap is not None and not found:
        raise Unread(uses.gap)
    return found


def trusts_sagemaker(role: Role) -> bool:
    """Whether the trust policy lets SageMaker, or everyone, become the role."""
    return any(
        statement.principals is not None
        and (
            statement.principals.everyone
            or any(service.startswith("sagemaker") for service in statement.principals.services)
        )
        for statement in parsed(role, role.assume_role_policy_document).statements
        if statement.effect is Effect.ALLOW
    )


def parsed(holder: View, document: object) -> Policy:
    """A policy document as typed values. Nobody knows what a malformed one allows: raises `Unread`."""
    try:
        return parse(document)
    except PolicyError as error:
        raise Unread(Gap("policy", Reason.FAILED, message=str(error), resource=holder.id)) from error


@dataclass(frozen=True, slots=True)
class Named:
    """A policy with the name that a person finds it by."""

    name: str
    policy: Policy


def identity_policies(principal: Role | User | Group) -> list[Named]:
    """The identity policies of a role, or of a user with those of its groups. Raises `Unread`."""
    if isinstance(principal, Role):
        inline = principal.role_policy_list
    elif isinstance(principal, User):
        inline = principal.user_policy_list
    else:
        inline = principal.group_policy_list
    found = [*_inline(principal, inline), *_attached(principal, principal.attached_managed_policies)]
    if isinstance(principal, User):
        for name in principal.group_list or ():
            group = principal.region.find(Group, name)
            found += identity_policies(group) if group is not None else []
    return found


def _inline(holder: View, policies: tuple[InlinePolicy, ...]) -> Iterator[Named]:
    for policy in policies:
        yield Named(policy.policy_name, parsed(holder, policy.policy_document))


def _attached(holder: View, policies: tuple[AttachedPolicy, ...]) -> Iterator[Named]:
    for attached in policies:
        yield Named(attached.policy_arn.rpartition("/")[2], managed_policy(holder, attached.policy_arn))


def managed_policy(holder: View, arn: str) -> Policy:
    """The version in force of a managed policy. Raises `Unread` where it was not sent."""
    found = holder.region.find(ManagedPolicy, arn)
    document = None if found is None else found.default_document
    if document is None:
        raise Unread(holder.gap("iam:GetAccountAuthorizationDetails", Reason.MISSING, arn))
    return parsed(holder, document)


def boundary_of(principal: Role | User) -> Policy | None:
    """The permissions boundary, or `None` without one. Raises `Unread`."""
    arn = principal.permissions_boundary_arn
    return None if arn is None else managed_policy(principal, arn)


def aws_managed(principal: Role | User, names: frozenset[str]) -> list[str]:
    """Which of these policies of AWS's own are attached, in whatever partition.

    A customer's policy of the same name is another policy.
    """
    arns = [attached.policy_arn for attached in principal.attached_managed_policies]
    return sorted(
        arn.rpartition("/")[2]
        for arn in arns
        if arn.split(":")[4] == "aws" and arn.rpartition("/")[2] in names
    )
