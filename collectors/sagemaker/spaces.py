"""Studio's spaces: storage, who owns it, and what may connect to it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.search import placed
from collectors.sagemaker.studio import Domain
from collectors.view import PART, Part, Region, View, index, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListSpaces", result="Spaces[]")
DESCRIBE = Operation(
    "sagemaker",
    "DescribeSpace",
    # A repository's URL may hold a password.
    secrets=tuple(
        f"SpaceSettings.{app}.CodeRepositories[].RepositoryUrl"
        for app in ("JupyterServerAppSettings", "JupyterLabAppSettings")
    ),
)


class SpaceIdling(Part):
    """A space's own time until an idle app is shut down, within the bounds of its domain."""

    idle_timeout_in_minutes = optional(PART, "AppLifecycleManagement.IdleSettings.IdleTimeoutInMinutes", int)


class Space(
    View,
    kind="space",
    type="AWS::SageMaker::Space",
    listing=(LIST,),
    name="SpaceName",
    arn="SpaceArn",
    tagged=True,
):
    """A space. Its volume is billed for as long as it exists, with or without an app."""

    domain_id = required(LIST, "DomainId", str, "d-example")
    space_name = required(LIST, "SpaceName", str, "example")
    status = required(LIST, "Status", str, "InService")
    last_modified_time = required(
        LIST, "LastModifiedTime", datetime, datetime.fromisoformat("2026-11-19T06:00:00+00:00")
    )
    app_type = optional(LIST, "SpaceSettingsSummary.AppType", str)
    remote_access = optional(LIST, "SpaceSettingsSummary.RemoteAccess", str)
    ebs_volume_size_in_gb = optional(
        LIST, "SpaceSettingsSummary.SpaceStorageSettings.EbsStorageSettings.EbsVolumeSizeInGb", int
    )
    sharing_type = optional(LIST, "SpaceSharingSettingsSummary.SharingType", str)
    owner_user_profile_name = optional(LIST, "OwnershipSettingsSummary.OwnerUserProfileName", str)
    jupyter_lab_app_settings = part(DESCRIBE, "SpaceSettings.JupyterLabAppSettings", SpaceIdling)
    code_editor_app_settings = part(DESCRIBE, "SpaceSettings.CodeEditorAppSettings", SpaceIdling)

    @property
    def domain(self) -> Domain | None:
        """The domain that it is in."""
        return self.region.find(Domain, self.domain_id)

    @property
    def tags(self) -> dict[str, str]:
        """Its own tags over its domain's: a domain of a sandbox holds the spaces of a sandbox."""
        domain = self.domain
        return {**(domain.tags if domain else {}), **super().tags}


@index
def spaces_by_domain(region: Region) -> Mapping[str, tuple[Space, ...]]:
    """The spaces of each domain by its id. Raises `Unread` unless all were listed."""
    found: dict[str, list[Space]] = {}
    for space in region.all(Space):
        found.setdefault(space.domain_id, []).append(space)
    return {domain: tuple(held) for domain, held in found.items()}


@collects(Space, follows=(Domain,))
def spaces(reader: "Reader") -> Iterator[Resource]:
    """Every space; with its own idle time, one Describe each, where its domain leaves spaces a choice."""
    undecided = {domain.name for domain in reader.known(Domain) if _leaves_it_to_spaces(domain)}

    def read(summary: Document) -> list[Resource]:
        domain, name = summary["DomainId"], summary["SpaceName"]
        readings: dict[Operation, Reading] = {LIST: summary}
        if domain in undecided and reader.wants(DESCRIBE):
            readings[DESCRIBE] = reader.read(DESCRIBE, DomainId=domain, SpaceName=name)
        return placed(reader, readings, f"space/{domain}/{name}", name)

    for found in reader.gather(read, reader.list(LIST)):
        yield from found


def _leaves_it_to_spaces(domain: Domain) -> bool:
    """Whether a space may keep idle apps for longer; a domain that could not be read has no verdict."""
    try:
        return any(settings.is_on and settings.leaves_a_choice for settings in domain.idle_settings)
    except Unread:
        return False
