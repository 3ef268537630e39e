"""HyperPod clusters: network, encryption and patches."""

from collections.abc import Iterator
from typing import Any

from collectors.sagemaker.clusters import Cluster
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, expect, not_applicable, rule

_UNPATCHED = ("SecurityUpdateRequired", "EndOfLife")
_KEYED = {"ebs_volume_config": {"VolumeSizeInGB": 500}, "volume_kms_key_id": "arn:aws:kms:eu-west-1:1:key/k"}
_BARE = {"ebs_volume_config": {"VolumeSizeInGB": 500}}
_ROOT = {"ebs_volume_config": {"RootVolume": True}}


def _cluster(*groups: dict[str, Any], **values: Any) -> Sample:
    return sample(Cluster, **{"subnets": ["subnet-1"], "instance_groups": groups or ({},), **values})


@rule(
    "SEC-029",
    Severity.HIGH,
    bad=[
        _cluster(subnets=None),
        _cluster({"subnets": ["subnet-1"]}, {}, subnets=None),
        _cluster({"instance_storage_configs": [_KEYED]}, {"instance_storage_configs": [_BARE]}),
        # The root volume is an entry of its own, with a key of its own.
        _cluster({"instance_storage_configs": [_ROOT, _KEYED]}),
        _cluster(image_version_status="SecurityUpdateRequired"),
        _cluster({"image_version_status": "EndOfLife"}),
    ],
    good=[
        _cluster({"instance_storage_configs": [_KEYED]}),
        _cluster({"instance_storage_configs": [_KEYED]}, image_version_status="UpdateAvailable"),
        # Volumes that the orchestrator makes are not the cluster's, and a shared file system is no volume.
        _cluster({"instance_storage_configs": []}),
        _cluster({"instance_storage_configs": [{}]}),
        _cluster({"subnets": ["subnet-1"]}, subnets=None),
    ],
    exempt=[
        _cluster(cluster_status="Deleting", image_version_status="EndOfLife"),
        # Restricted groups carry their own settings.
        sample(Cluster, instance_groups=[]),
    ],
    remedy="Update the cluster's software; make groups again in a VPC, with a KMS key for each volume.",
    command="aws sagemaker update-cluster-software --cluster-name {name}",
    change=Change.RESTART,
    maps=[lens("MLSEC04-BP01"), lens("MLSEC04-BP02")],
)
def exposed_training_cluster(cluster: Cluster) -> Verdict:
    """HyperPod clusters should be in a VPC, with encrypted volumes and patched images.

    They live for long and hold data and credentials. Only volumes that the cluster's groups name are
    judged: what Kubernetes attaches is not the cluster's. Restricted instance groups are left out.
    """
    if cluster.cluster_status == "Deleting":
        return not_applicable("the cluster is going")
    groups = cluster.instance_groups
    if not groups:
        return not_applicable("all of its groups are restricted: they carry settings of their own")
    wrong = list(_faults(cluster))
    return expect(
        not wrong,
        "; ".join(wrong),
        Subnets=cluster.subnets,
        ImageVersionStatus=cluster.image_version_status,
        VolumeKmsKeyId=_without_key(cluster),
    )


def _without_key(cluster: Cluster) -> dict[str, None]:
    """The groups with a volume that has no key of yours."""
    return {
        group.instance_group_name: None
        for group in cluster.instance_groups
        if any(
            held.ebs_volume_config is not None and not held.volume_kms_key_id
            for held in group.instance_storage_configs
        )
    }


def _faults(cluster: Cluster) -> Iterator[str]:
    groups = cluster.instance_groups
    if not cluster.subnets and not all(group.subnets for group in groups):
        yield "it runs outside of any VPC of yours"
    if _without_key(cluster):
        yield "volumes have no KMS key of yours"
    statuses = {cluster.image_version_status, *(group.image_version_status for group in groups)}
    if statuses.intersection(_UNPATCHED):
        yield "its image lacks security updates"
