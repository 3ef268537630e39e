"""HyperPod clusters and their nodes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Gap, Operation, Resource, Unread
from collectors.sagemaker.search import described
from collectors.view import PART, Part, Region, View, index, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListClusters", result="ClusterSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeCluster")
LIST_NODES = Operation("sagemaker", "ListClusterNodes", result="ClusterNodeSummaries[]")


class GroupStorage(Part):
    """A volume or a shared file system of a group's nodes."""

    ebs_volume_config = optional(PART, "EbsVolumeConfig", dict)
    volume_kms_key_id = optional(PART, "EbsVolumeConfig.VolumeKmsKeyId", str)


class ClusterGroup(Part):
    """An instance group. Its status is absent on clusters that are provisioned all at once."""

    instance_group_name = required(PART, "InstanceGroupName", str, "workers")
    instance_type = optional(PART, "InstanceType", str)
    current_instance_types = optional(PART, "InstanceRequirements.CurrentInstanceTypes", list)
    current_count = required(PART, "CurrentCount", int, 1)
    target_count = required(PART, "TargetCount", int, 1)
    status = optional(PART, "Status", str)
    subnets = optional(PART, "OverrideVpcConfig.Subnets", list)
    security_group_ids = optional(PART, "OverrideVpcConfig.SecurityGroupIds", list[str])
    instance_storage_configs = items(PART, "InstanceStorageConfigs[]", GroupStorage)
    on_start_deep_health_checks = optional(PART, "OnStartDeepHealthChecks", list)
    image_version_status = optional(PART, "ImageVersionStatus", str)
    execution_role = optional(PART, "ExecutionRole", str)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The types of its nodes: one, or several for a group that takes what there is."""
        return (self.instance_type,) if self.instance_type else tuple(self.current_instance_types or ())


class RestrictedGroup(Part):
    """An instance group whose settings AWS fixes, but for its role."""

    execution_role = optional(PART, "ExecutionRole", str)


class Cluster(
    View,
    kind="cluster",
    type="AWS::SageMaker::Cluster",
    listing=(LIST,),
    name="ClusterName",
    arn="ClusterArn",
    tagged=True,
):
    """A HyperPod cluster. Restricted instance groups carry settings of their own: only their role is read."""

    cluster_status = required(LIST, "ClusterStatus", str, "InService")
    image_version_status = required(LIST, "ImageVersionStatus", str, "UpToDate")
    subnets = optional(DESCRIBE, "VpcConfig.Subnets", list)
    security_group_ids = optional(DESCRIBE, "VpcConfig.SecurityGroupIds", list[str])
    instance_groups = items(DESCRIBE, "InstanceGroups[]", ClusterGroup)
    restricted_instance_groups = items(DESCRIBE, "RestrictedInstanceGroups[]", RestrictedGroup)
    node_recovery = optional(DESCRIBE, "NodeRecovery", str)
    eks = optional(DESCRIBE, "Orchestrator.Eks", dict)


class ClusterNode(View, kind="cluster-node", listing=(LIST_NODES,), name="InstanceId"):
    """A node of a cluster; its id starts with the cluster's ARN, which the list does not send."""

    instance_group_name = required(LIST_NODES, "InstanceGroupName", str, "workers")
    instance_type = required(LIST_NODES, "InstanceType", str, "ml.p5.48xlarge")
    launch_time = required(
        LIST_NODES, "LaunchTime", datetime, datetime.fromisoformat("2026-11-01T06:00:00+00:00")
    )
    status = required(LIST_NODES, "InstanceStatus.Status", str, "Running")

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return self.id.partition("#")[0]


@index
def nodes_by_cluster(region: Region) -> Mapping[str, tuple[ClusterNode, ...]]:
    """The nodes of each cluster by its ARN. Raises `Unread` unless all were listed."""
    found: dict[str, list[ClusterNode]] = {}
    for node in region.all(ClusterNode):
        found.setdefault(node.cluster_arn, []).append(node)
    return {cluster: tuple(held) for cluster, held in found.items()}


@collects(Cluster)
def clusters(reader: "Reader") -> Iterator[Resource]:
    """Every cluster: there is no Search for them, so one Describe each."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "ClusterName")


@collects(ClusterNode, follows=(Cluster,))
def cluster_nodes(reader: "Reader") -> Iterator[Resource]:
    """The nodes of every cluster, a hundred a page."""

    def nodes(cluster: Cluster) -> list[Document] | Gap:
        try:
            return list(reader.pages(LIST_NODES, ClusterName=cluster.name))
        except Unread as unread:
            return unread.gap

    listed = list(reader.known(Cluster))
    for cluster, found in zip(listed, reader.gather(nodes, listed), strict=True):
        if isinstance(found, Gap):
            reader.incomplete(found)
            continue
        for document in found:
            key = f"{cluster.id}#{document['InstanceId']}"
            yield from reader.resource({LIST_NODES: document}, key=key, name=document["InstanceId"])
