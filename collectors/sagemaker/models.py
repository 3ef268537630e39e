"""Models: what an endpoint, a component or a transform job runs."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Reason, Resource, Unread
from collectors.s3_uri import buckets_in
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SECRETS = (
    "PrimaryContainer.Environment",
    "Containers[].Environment",
    "DeploymentRecommendation.RealTimeInferenceRecommendations[].Environment",
)

SEARCH = search_operation("Model", result="Model.Model", secrets=_SECRETS)
"""Search nests a model twice; what lies beside the inner one is read from endpoints and jobs themselves."""
LIST = Operation("sagemaker", "ListModels", result="Models[]")
DESCRIBE = Operation("sagemaker", "DescribeModel", secrets=_SECRETS)
SOURCE = (SEARCH, DESCRIBE)


class ContainerDefinition(Part):
    """One container of a model. A container made from a package may have neither image nor artifact of its own."""

    image = optional(PART, "Image", str)
    mode = optional(PART, "Mode", str)
    model_data_url = optional(PART, "ModelDataUrl", str)
    s3_uri = optional(PART, "ModelDataSource.S3DataSource.S3Uri", str)
    s3_data_type = optional(PART, "ModelDataSource.S3DataSource.S3DataType", str)
    hub_content_arn = optional(PART, "ModelDataSource.S3DataSource.HubAccessConfig.HubContentArn", str)
    model_package_name = optional(PART, "ModelPackageName", str)
    repository_access_mode = optional(PART, "ImageConfig.RepositoryAccessMode", str)

    @property
    def artifact_uri(self) -> str | None:
        """Where its model data lies, `None` for a container that is code alone."""
        return self.model_data_url or self.s3_uri

    @property
    def artifact_is_prefix(self) -> bool:
        """Whether that names many objects: a multi-model endpoint's prefix, or an uncompressed model."""
        uri = self.artifact_uri or ""
        return uri.endswith("/") or self.mode == "MultiModel" or self.s3_data_type == "S3Prefix"

    @property
    def model_package(self) -> ModelPackage | None:
        """The registered version that it was made from, `None` without one.

        Raises `Unread` for one that the registry here does not list: deleted, or of another account.
        """
        name = self.model_package_name
        if not name:
            return None
        found = self.region.find(ModelPackage, name)
        if found is None:
            raise Unread(
                self.gap("sagemaker:DescribeModelPackage", Reason.NOT_READ, f"{name} is not listed here")
            )
        return found

    @property
    def package_is_foreign(self) -> bool:
        """Whether the package that it was made from is in another account or Region."""
        place = (self.model_package_name or "").split(":")[3:5]
        return bool(place) and place != [self.region.name, self.region.account]


class Model(
    View,
    kind="model",
    type="AWS::SageMaker::Model",
    listing=(SEARCH, LIST),
    name="ModelName",
    arn="ModelArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A model. It has either `PrimaryContainer` or `Containers` (a pipeline); absent network members mean off."""

    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    execution_role_arn = optional(SOURCE, "ExecutionRoleArn", str)
    enable_network_isolation = optional(SOURCE, "EnableNetworkIsolation", bool)
    subnets = optional(SOURCE, "VpcConfig.Subnets", list)
    security_group_ids = optional(SOURCE, "VpcConfig.SecurityGroupIds", list[str])
    primary_container = part(SOURCE, "PrimaryContainer", ContainerDefinition)
    containers = items(SOURCE, "Containers[]", ContainerDefinition)

    @property
    def all_containers(self) -> tuple[ContainerDefinition, ...]:
        """The containers that it really has: the primary one, or each of a pipeline's."""
        primary = self.primary_container
        return self.containers if primary is None else (primary, *self.containers)

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that hold its artifacts."""
        return buckets_in(*(container.artifact_uri for container in self.all_containers))


@collects(Model)
def models(reader: "Reader") -> Iterator[Resource]:
    """Every model, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "ModelName", "ModelName"))
