"""Studio's apps: what runs, since when and on what. The list says it all."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import placed
from collectors.sagemaker.studio import Domain
from collectors.view import Region, View, index, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListApps", result="Apps[]")


class App(View, kind="app", type="AWS::SageMaker::App", listing=(LIST,), name="AppName"):
    """An app of a space, or of a profile. Those that were deleted stay in the list for a day.

    What Describe calls LastUserActivityTimestamp also moves with health checks: it proves no use.
    """

    domain_id = required(LIST, "DomainId", str, "d-example")
    space_name = optional(LIST, "SpaceName", str)
    app_type = required(LIST, "AppType", str, "JupyterLab")
    status = required(LIST, "Status", str, "InService")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-20T03:00:00+00:00")
    )
    instance_type = optional(LIST, "ResourceSpec.InstanceType", str)

    @property
    def domain(self) -> Domain | None:
        """The domain that it runs in."""
        return self.region.find(Domain, self.domain_id)

    @property
    def tags(self) -> dict[str, str]:
        """Its domain's: the list sends no ARN by which its own could be asked for."""
        domain = self.domain
        return domain.tags if domain else {}


@index
def spaces_with_apps(region: Region) -> frozenset[tuple[str, str]]:
    """Domain and name of each space with an app, or one deleted today. Raises `Unread` unless all were listed."""
    return frozenset((app.domain_id, app.space_name) for app in region.all(App) if app.space_name)


@collects(App)
def apps(reader: "Reader") -> Iterator[Resource]:
    """Every app, named by whose it is and of which type: most are called `default`."""
    for document in reader.list(LIST):
        owner = document.get("SpaceName") or document.get("UserProfileName") or "?"
        name = f"{owner}/{document['AppType']}/{document['AppName']}"
        yield from placed(reader, {LIST: document}, f"app/{document['DomainId']}/{name}", name)
