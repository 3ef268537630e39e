"""Where ML resources lie in networks: the subnets and security groups that they name."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from collectors.model import Gap, Unread
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.user_profiles import UserProfile
from collectors.sagemaker.workforces import Workforce
from collectors.view import Region, View, index


@dataclass(frozen=True, slots=True)
class Attachment:
    """Some resources of one kind with the same place in a network; `name` is one of them.

    `calls_aws` is whether what runs in it reaches the AWS APIs by this network: people's code does, in
    notebooks without a way out of their own, VpcOnly domains and clusters. Containers of jobs and models
    read S3 by it; SageMaker pulls their images, writes their logs and calls itself by its own.
    """

    kind: str
    name: str
    subnets: frozenset[str]
    groups: frozenset[str]
    calls_aws: bool


@dataclass(frozen=True, slots=True)
class Attachments:
    """All that was seen, and what kept it from being everything."""

    seen: tuple[Attachment, ...]
    gap: Gap | None

    def of_group(self, group: str) -> tuple[Attachment, ...]:
        """What names a security group. Raises `Unread` where nothing does and not everything was seen."""
        return self._or_unread(held for held in self.seen if group in held.groups)

    def of_subnets(self, subnets: frozenset[str]) -> tuple[Attachment, ...]:
        """What names one of these subnets. Raises `Unread` where nothing does and not everything was seen."""
        return self._or_unread(held for held in self.seen if subnets & held.subnets)

    def _or_unread(self, held: Iterable[Attachment]) -> tuple[Attachment, ...]:
        found = tuple(held)
        if not found:
            self.require_whole()
        return found

    def require_whole(self) -> None:
        """Raises `Unread` where not everything was seen."""
        if self.gap is not None:
            raise Unread(self.gap)


_Place = tuple[Iterable[str] | None, Iterable[str] | None, bool]
"""The subnets and the security groups of a resource, and whether it calls AWS by them."""


def _of_notebook(notebook: NotebookInstance) -> Iterator[_Place]:
    if notebook.subnet_id:
        yield [notebook.subnet_id], notebook.security_groups, notebook.direct_internet_access == "Disabled"


def _of_domain(domain: Domain) -> Iterator[_Place]:
    settings = (domain.default_user_settings, domain.default_space_settings)
    groups = [*(domain.security_group_ids or ())]
    groups += [group for found in settings if found is not None for group in found.security_groups or ()]
    yield domain.subnet_ids, groups, domain.app_network_access_type == "VpcOnly"


def _of_profile(profile: UserProfile) -> Iterator[_Place]:
    """Settings of its own; one whose domain decides everything is not described."""
    settings = profile.user_settings if profile.is_described else None
    domain = profile.region.find(Domain, profile.domain_id) if settings is not None else None
    if settings is not None and settings.security_groups and domain is not None:
        only = domain.app_network_access_type == "VpcOnly"
        yield domain.subnet_ids, settings.security_groups, only


def _of_container(found: Model | TrainingJob) -> Iterator[_Place]:
    yield found.subnets, found.security_group_ids, False


def _of_described(found: EndpointConfig | ProcessingJob) -> Iterator[_Place]:
    """Of a config that is not in use, and of older runs of a job, nothing is known."""
    if found.is_described:
        yield found.subnets, found.security_group_ids, False


def _of_cluster(cluster: Cluster) -> Iterator[_Place]:
    yield cluster.subnets, cluster.security_group_ids, True
    for group in cluster.instance_groups:
        yield group.subnets, group.security_group_ids, True


def _of_workforce(workforce: Workforce) -> Iterator[_Place]:
    yield workforce.subnets, workforce.security_group_ids, False


_HOLDERS: tuple[tuple[type[View], Callable[[Any], Iterator[_Place]]], ...] = (
    (NotebookInstance, _of_notebook),
    (Domain, _of_domain),
    (UserProfile, _of_profile),
    (Model, _of_container),
    (TrainingJob, _of_container),
    (EndpointConfig, _of_described),
    (ProcessingJob, _of_described),
    (Cluster, _of_cluster),
    (Workforce, _of_workforce),
)

HOLDERS = tuple(view for view, _ in _HOLDERS)
"""The kinds that name subnets and security groups."""


@index
def attachments(region: Region) -> Attachments:
    """The networks that ML resources of a Region name, each place once, whatever could be read of them."""
    seen: dict[tuple[str, frozenset[str], frozenset[str], bool], Attachment] = {}
    gap: Gap | None = None
    for view, places in _HOLDERS:
        gap = gap or region.snapshot.listing_gap(view.kind, region.account, region.name)
        for found in region.known(view):
            try:
                for subnets, groups, calls in places(found):
                    key = (view.kind, frozenset(subnets or ()), frozenset(groups or ()), calls)
                    seen.setdefault(key, Attachment(view.kind, found.name, *key[1:]))
            except Unread as unread:
                gap = gap or unread.gap
    return Attachments(tuple(held for held in seen.values() if held.subnets or held.groups), gap)
