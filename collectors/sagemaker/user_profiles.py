"""Studio's user profiles: whom a domain knows, and where one has settings of its own."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.search import placed
from collectors.sagemaker.studio import Domain, UserSettings
from collectors.view import Region, View, index, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListUserProfiles", result="UserProfiles[]")
DESCRIBE = Operation(
    "sagemaker",
    "DescribeUserProfile",
    # A repository's URL may hold a password.
    secrets=tuple(
        f"UserSettings.{app}.CodeRepositories[].RepositoryUrl"
        for app in ("JupyterServerAppSettings", "JupyterLabAppSettings")
    ),
)


class UserProfile(
    View,
    kind="user-profile",
    type="AWS::SageMaker::UserProfile",
    listing=(LIST,),
    name="UserProfileName",
    arn="UserProfileArn",
    tagged=True,
):
    """A person in a domain. Its settings are what it overrules; what it leaves out comes from the domain."""

    domain_id = required(LIST, "DomainId", str, "d-example")
    user_settings = part(DESCRIBE, "UserSettings", UserSettings)

    @property
    def is_described(self) -> bool:
        """Whether its domain leaves something to it, so that its own settings were asked for."""
        return str(DESCRIBE) in self.readings


@index
def profiles_by_domain(region: Region) -> Mapping[str, tuple[UserProfile, ...]]:
    """The profiles of each domain by its id. Raises `Unread` unless all were listed."""
    found: dict[str, list[UserProfile]] = {}
    for profile in region.all(UserProfile):
        found.setdefault(profile.domain_id, []).append(profile)
    return {domain: tuple(held) for domain, held in found.items()}


@collects(UserProfile, follows=(Domain,))
def user_profiles(reader: "Reader") -> Iterator[Resource]:
    """Every profile; with its settings, one Describe each, where its domain leaves the matter to profiles."""
    undecided = {domain.name for domain in reader.known(Domain) if _leaves_it_to_profiles(domain)}

    def read(summary: Document) -> list[Resource]:
        domain, name = summary["DomainId"], summary["UserProfileName"]
        readings: dict[Operation, Reading] = {LIST: summary}
        if domain in undecided and reader.wants(DESCRIBE):
            readings[DESCRIBE] = reader.read(DESCRIBE, DomainId=domain, UserProfileName=name)
        return placed(reader, readings, f"user-profile/{domain}/{name}", name)

    for found in reader.gather(read, reader.list(LIST)):
        yield from found


def _leaves_it_to_profiles(domain: Domain) -> bool:
    """Whether a profile could be worse than its domain, or has to show a role of its own.

    A domain that could not be read has no verdict, whatever its profiles say.
    """
    try:
        user = domain.default_user_settings
        sharing = user.sharing_settings if user else None
        return (
            not domain.names_its_users
            or any(settings.is_on for settings in domain.idle_settings)
            or (domain.storage_key is not None and not (sharing and sharing.shares_without_key))
        )
    except Unread:
        return False
