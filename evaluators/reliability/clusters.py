"""HyperPod clusters: what becomes of a node that fails."""

from collections.abc import Iterator
from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.clusters import Cluster, ClusterGroup, ClusterNode, nodes_by_cluster
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.instances import facts, has_twin, is_accelerated
from evaluators.rule import Change, Severity, Verdict, expect, given, not_applicable, rule

_CLUSTER = "arn:aws:sagemaker:eu-west-1:123456789012:cluster/c1"
_P5 = sample(InstanceType, "p5.48xlarge", arn="p5.48xlarge", gpus=[{"count": 8}])
_M5 = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_EKS = {"ClusterArn": "arn:aws:eks:eu-west-1:123456789012:cluster/ml"}
_CHECKED = {"on_start_deep_health_checks": ["InstanceStress", "InstanceConnectivity"]}


def _cluster(*groups: dict[str, Any], **values: Any) -> Sample:
    made = [{"instance_type": "ml.p5.48xlarge", **_CHECKED, **group} for group in groups or ({},)]
    return sample(
        Cluster, "c1", arn=_CLUSTER, **{"node_recovery": "Automatic", "instance_groups": made, **values}
    )


def _node(**values: Any) -> Sample:
    return sample(ClusterNode, "i-1", arn=f"{_CLUSTER}#i-1", **values)


@rule(
    "REL-021",
    Severity.MEDIUM,
    bad=[
        given(_cluster(node_recovery="None"), _P5),
        # AWS leaves it out where it was never set.
        given(_cluster(node_recovery=None), _P5),
        given(_cluster({"on_start_deep_health_checks": None}, eks=_EKS), _P5),
        given(_cluster(), _node(status="Failure"), _P5),
        given(_cluster({"target_count": 4, "current_count": 3}), _node(), _P5),
        given(
            _cluster(
                {
                    "instance_type": None,
                    "current_instance_types": ["ml.p5.48xlarge"],
                    "on_start_deep_health_checks": [],
                },
                eks=_EKS,
            ),
            _P5,
        ),
    ],
    good=[
        given(_cluster(eks=_EKS), _node(), _P5),
        # Slurm has no deep health checks, and neither have groups without accelerators.
        given(_cluster({"on_start_deep_health_checks": None}), _P5),
        given(
            _cluster({"instance_type": "ml.m5.xlarge", "on_start_deep_health_checks": None}, eks=_EKS), _M5
        ),
        # A failure, or a gap, of the last hour may still be mended.
        given(_cluster(), _node(status="Failure", launch_time=NOW), _P5),
        given(_cluster({"target_count": 4, "current_count": 3}), _node(launch_time=NOW), _P5),
        given(_cluster({"target_count": 4, "current_count": 3}, cluster_status="Updating"), _node(), _P5),
        given(_cluster({"target_count": 4, "current_count": 3, "status": "Creating"}), _node(), _P5),
    ],
    exempt=[given(_cluster(cluster_status="Deleting", node_recovery="None"), _P5)],
    remedy="Turn automatic recovery on, and deep health checks for groups with accelerators.",
    command="aws sagemaker update-cluster --cluster-name {name} --node-recovery Automatic",
    change=Change.IN_PLACE,
    maps=[lens("MLREL03-BP01")],
)
def cluster_without_recovery(cluster: Cluster) -> Verdict:
    """HyperPod clusters should replace nodes that fail.

    One lost node stops a training of many. With Kubernetes, groups with accelerators should also be
    checked in depth before they take work. AWS does not say since when a node has failed or is
    missing: one that was launched over an hour ago counts, and a group that is short although
    nothing is being changed and none of its nodes was launched within the hour.
    """
    if cluster.cluster_status == "Deleting":
        return not_applicable("the cluster is going")
    failures = [node.name for node in _nodes(cluster) if node.status == "Failure" and _is_settled(node)]
    short = {group.instance_group_name: group.current_count for group in _short(cluster)}
    wrong = [
        *(["nodes that fail are not replaced"] if cluster.node_recovery != "Automatic" else []),
        *(["accelerators are not checked before they take work"] if any(_unchecked(cluster)) else []),
        *(["nodes have failed"] if failures else []),
        *(["groups are short of nodes"] if short else []),
    ]
    return expect(
        not wrong,
        "; ".join(wrong),
        NodeRecovery=cluster.node_recovery,
        OnStartDeepHealthChecks=dict.fromkeys(_unchecked(cluster)),
        CurrentCount=short,
        failed_nodes=failures[:10],
    )


def _nodes(cluster: Cluster) -> tuple[ClusterNode, ...]:
    return nodes_by_cluster(cluster.region).get(cluster.id, ())


def _is_settled(node: ClusterNode) -> bool:
    """Whether it was launched more than an hour ago."""
    return node.launch_time < node.region.ago(1 / 24)


def _unchecked(cluster: Cluster) -> Iterator[str]:
    """Groups with accelerators that Kubernetes gives work to unchecked."""
    if cluster.eks is None:
        return
    for group in cluster.instance_groups:
        if not group.on_start_deep_health_checks and _has_accelerators(group):
            yield group.instance_group_name


def _has_accelerators(group: ClusterGroup) -> bool:
    return any(has_twin(kind) and is_accelerated(facts(group.region, kind)) for kind in group.instance_types)


def _short(cluster: Cluster) -> Iterator[ClusterGroup]:
    """Groups with too few nodes, where nothing is being changed and nothing was launched lately."""
    if cluster.cluster_status != "InService":
        return
    for group in cluster.instance_groups:
        quiet = group.status in (None, "InService", "Degraded")
        if quiet and group.current_count < group.target_count:
            own = [node for node in _nodes(cluster) if node.instance_group_name == group.instance_group_name]
            if all(map(_is_settled, own)):
                yield group
