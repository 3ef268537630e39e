"""Feature groups: what of them is stored where, and with which key."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

SEARCH = search_operation("FeatureGroup")
LIST = Operation("sagemaker", "ListFeatureGroups", result="FeatureGroupSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeFeatureGroup")
SOURCE = (SEARCH, DESCRIBE)


class FeatureGroup(
    View,
    kind="feature-group",
    type="AWS::SageMaker::FeatureGroup",
    listing=(SEARCH, LIST),
    name="FeatureGroupName",
    arn="FeatureGroupArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A feature group. A storage type that is left out means Standard."""

    s3_uri = optional(SOURCE, "OfflineStoreConfig.S3StorageConfig.S3Uri", str)
    kms_key_id = optional(SOURCE, "OfflineStoreConfig.S3StorageConfig.KmsKeyId", str)
    enable_online_store = optional(SOURCE, "OnlineStoreConfig.EnableOnlineStore", bool)
    storage_type = optional(SOURCE, "OnlineStoreConfig.StorageType", str)
    security_config = optional(SOURCE, "OnlineStoreConfig.SecurityConfig", dict[str, str])


@collects(FeatureGroup)
def feature_groups(reader: "Reader") -> Iterator[Resource]:
    """Every feature group, a hundred a page."""
    kind = Searchable(SEARCH, LIST, DESCRIBE, "FeatureGroupName", "FeatureGroupName")
    yield from searched(reader, kind)
