"""The model registry: packages (versions) and their groups."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SECRETS = (
    "InferenceSpecification.Containers[].Environment",
    "AdditionalInferenceSpecifications[].Containers[].Environment",
    "ValidationSpecification.ValidationProfiles[].TransformJobDefinition.Environment",
)

SEARCH = search_operation("ModelPackage", secrets=_SECRETS)
LIST = Operation(
    "sagemaker",
    "ListModelPackages",
    result="ModelPackageSummaryList[]",
    # Without it AWS lists the unversioned packages alone.
    parameters=(("ModelPackageType", "Both"),),
)
DESCRIBE = Operation("sagemaker", "DescribeModelPackage", secrets=_SECRETS)
SOURCE = (SEARCH, DESCRIBE)

SEARCH_GROUP = search_operation("ModelPackageGroup")
LIST_GROUPS = Operation("sagemaker", "ListModelPackageGroups", result="ModelPackageGroupSummaryList[]")


class PackagedContainer(Part):
    """One container of a registered version."""

    image = optional(PART, "Image", str)
    model_data_url = optional(PART, "ModelDataUrl", str)
    s3_uri = optional(PART, "ModelDataSource.S3DataSource.S3Uri", str)
    s3_data_type = optional(PART, "ModelDataSource.S3DataSource.S3DataType", str)
    product_id = optional(PART, "ProductId", str)
    hub_content_name = optional(PART, "BaseModel.HubContentName", str)
    model_data_e_tag = optional(PART, "ModelDataETag", str)

    @property
    def artifact_uri(self) -> str | None:
        """Where its model data lies, `None` for a container that is code alone."""
        return self.model_data_url or self.s3_uri

    @property
    def artifact_is_prefix(self) -> bool:
        """Whether that names many objects."""
        return (self.artifact_uri or "").endswith("/") or self.s3_data_type == "S3Prefix"


class Identity(Part):
    """Who made or changed something."""

    arn = optional(PART, "IamIdentity.Arn", str)


class Provenance(Part):
    """Where a version came from. It cannot be changed once the version is registered."""

    commit_id = optional(PART, "CommitId", str)
    repository = optional(PART, "Repository", str)
    generated_by = optional(PART, "GeneratedBy", str)


class ModelMetrics(Part):
    """The reports that a version was registered with."""

    s3_uri = optional(PART, "ModelQuality.Statistics.S3Uri", str)
    model_data_quality = optional(PART, "ModelDataQuality", dict)
    bias = optional(PART, "Bias", dict)
    explainability = optional(PART, "Explainability", dict)

    @property
    def other_reports(self) -> tuple[str, ...]:
        """The reports that say nothing of how good its answers are, by AWS's names."""
        held = {
            "ModelDataQuality": self.model_data_quality,
            "Bias": self.bias,
            "Explainability": self.explainability,
        }
        return tuple(name for name, report in held.items() if report)


class AttachedCard(Part):
    """The model card inside a version: another object than a model card that stands alone."""

    model_card_status = optional(PART, "ModelCardStatus", str)
    model_card_content = optional(PART, "ModelCardContent", str)


class ModelPackage(
    View,
    kind="model-package",
    type="AWS::SageMaker::ModelPackage",
    listing=(SEARCH, LIST),
    name="ModelPackageName",
    arn="ModelPackageArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A registered model: a version of a group, or an unversioned package."""

    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    model_package_group_name = optional(SOURCE, "ModelPackageGroupName", str)
    model_package_version = optional(SOURCE, "ModelPackageVersion", int)
    model_approval_status = optional(SOURCE, "ModelApprovalStatus", str)
    model_package_status = optional(SOURCE, "ModelPackageStatus", str)
    metadata_properties = part(SOURCE, "MetadataProperties", Provenance)
    customer_metadata_properties = optional(SOURCE, "CustomerMetadataProperties", dict[str, str])
    model_metrics = part(SOURCE, "ModelMetrics", ModelMetrics)
    model_card = part(SOURCE, "ModelCard", AttachedCard)
    containers = items(SOURCE, "InferenceSpecification.Containers[]", PackagedContainer)
    created_by = part(SOURCE, "CreatedBy", Identity)
    last_modified_by = part(SOURCE, "LastModifiedBy", Identity)

    @property
    def name(self) -> str:
        """`group/3`: what its ARN ends in, since versions of a group share a name or have none."""
        return self.id.partition(":model-package/")[2] or self.resource.name

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that hold its artifacts."""
        return buckets_in(*(container.artifact_uri for container in self.containers))


def latest_approved(packages: Iterable[ModelPackage]) -> dict[str, ModelPackage]:
    """The newest approved version of each group, and each approved package without one, by ARN.

    Raises `Unread` where the approval of one could not be read.
    """
    newest: dict[str, ModelPackage] = {}
    for package in packages:
        if package.model_approval_status != "Approved":
            continue
        family = package.model_package_group_name or package.id
        held = newest.get(family)
        if held is None or (held.model_package_version or 0) < (package.model_package_version or 0):
            newest[family] = package
    return {package.id: package for package in newest.values()}


@collects(ModelPackage)
def model_packages(reader: "Reader") -> Iterator[Resource]:
    """Every registered model, a hundred a page."""
    kind = Searchable(SEARCH, LIST, DESCRIBE, "ModelPackageName", "ModelPackageArn")
    yield from searched(reader, kind)


class ModelPackageGroup(
    View,
    kind="model-package-group",
    type="AWS::SageMaker::ModelPackageGroup",
    listing=(SEARCH_GROUP, LIST_GROUPS),
    name="ModelPackageGroupName",
    arn="ModelPackageGroupArn",
    tags=(SEARCH_GROUP, "Tags"),
    tagged=True,
):
    """What the versions of one model are registered in."""


@collects(ModelPackageGroup)
def model_package_groups(reader: "Reader") -> Iterator[Resource]:
    """Every group, a hundred a page."""
    name = "ModelPackageGroupName"
    kind = Searchable(SEARCH_GROUP, LIST_GROUPS, None, name, name)
    yield from searched(reader, kind)
