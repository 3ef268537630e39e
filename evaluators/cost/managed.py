"""Tracking servers, clusters and training plans: billed by the hour, used or not."""

from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.clusters import Cluster, ClusterNode, nodes_by_cluster
from collectors.sagemaker.mlflow import MlflowTrackingServer
from collectors.sagemaker.training_plans import TrainingPlan
from collectors.sample import Sample, sample
from collectors.view import moment
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.instances import facts, has_twin, is_accelerated
from evaluators.money import HOURS, Usage
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule

_CODE = "COST-034"
_RUNS = frozenset({"Created", "Started", "Updated", "Maintenance"})
_LONG_AGO = moment("2026-10-01T06:00:00+00:00")
_CLUSTER = "arn:aws:sagemaker:eu-west-1:123456789012:cluster/c1"
_P5 = sample(InstanceType, "p5.48xlarge", arn="p5.48xlarge", gpus=[{"count": 8}])
_M5 = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")


def _server(**values: Any) -> Sample:
    return sample(
        MlflowTrackingServer, **{"is_active": "Inactive", "last_modified_time": _LONG_AGO, **values}
    )


def _cluster(**values: Any) -> Sample:
    return sample(Cluster, "c1", arn=_CLUSTER, **values)


def _node(instance_type: str = "ml.p5.48xlarge") -> Sample:
    return sample(ClusterNode, "i-1", arn=f"{_CLUSTER}#i-1", instance_type=instance_type)


@rule(
    _CODE,
    Severity.MEDIUM,
    confidence=0.7,
    question="Do the accelerated nodes of your HyperPod clusters have work most of the time? Nothing that AWS "
    "publishes without Container Insights tells.",
    bad=[
        _server(),
        _server(tracking_server_status="Started"),
        sample(TrainingPlan, in_use_instance_count=1),
        given(sample(TrainingPlan, in_use_instance_count=3), min_use=0.9),
        given(_cluster(), _node(), _P5, answers=said(_CODE, False)),
    ],
    good=[
        _server(is_active="Active"),
        _server(last_modified_time=moment("2026-11-15T06:00:00+00:00")),
        given(_server(), idle_days=90),
        sample(TrainingPlan),
        sample(TrainingPlan, in_use_instance_count=2),
        given(_cluster(), _node(), _P5, answers=said(_CODE, "Slurm keeps them above 80 %")),
    ],
    exempt=[
        _server(tracking_server_status="Stopped"),
        _server(tracking_server_status="CreateFailed"),
        sample(TrainingPlan, status="Expired", in_use_instance_count=0),
        sample(TrainingPlan, status="Scheduled", in_use_instance_count=0),
        given(_cluster(cluster_status="Creating"), _node(), _P5),
        given(_cluster(), _node("ml.m5.xlarge"), _M5),
        _cluster(),
        given(_cluster(), _node(), _P5, answers=said(_CODE, "n/a: the cluster is a partner's")),
    ],
    remedy="Stop the tracking server (aws sagemaker stop-mlflow-tracking-server); shrink the cluster; move jobs to "
    "the training plan.",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08")],
)
def idle_managed_service(
    subject: MlflowTrackingServer | Cluster | TrainingPlan,
    *,
    idle_days: float = 14,
    min_use: float = 0.5,
    max_age_days: int = 365,
) -> Verdict:
    """MLflow servers, HyperPod clusters and training plans should be used.

    All three are billed by the hour, used or not. AWS says of a tracking server whether it is active;
    one that nobody changed for long and that is inactive is idle. Of clusters it does not say
    whether their nodes have work: a person has to. MLflow apps have no server.
    """
    match subject:
        case MlflowTrackingServer():
            return _idle_server(subject, idle_days)
        case TrainingPlan():
            return _idle_plan(subject, min_use)
        case Cluster():
            return _idle_cluster(subject, max_age_days)


def _idle_server(server: MlflowTrackingServer, idle_days: float) -> Verdict:
    status, active, since = server.tracking_server_status, server.is_active, server.last_modified_time
    if status not in _RUNS:
        return not_applicable("the tracking server is not running", TrackingServerStatus=status)
    if active != "Inactive" or since >= server.region.ago(idle_days):
        return passed(IsActive=active, LastModifiedTime=since)
    size = server.tracking_server_size
    return failed(
        "the tracking server runs and nothing uses it",
        waste=[Usage("mlflow", size, hours=HOURS)],
        IsActive=active,
        TrackingServerStatus=status,
        TrackingServerSize=size,
        LastModifiedTime=since,
    )


def _idle_plan(plan: TrainingPlan, min_use: float) -> Verdict:
    if plan.status != "Active":
        return not_applicable("the plan is not active", Status=plan.status)
    total, used = plan.total_instance_count, plan.in_use_instance_count
    return expect(
        used >= min_use * total,
        "most of its instances are paid for and not used",
        TotalInstanceCount=total,
        InUseInstanceCount=used,
        min_use=min_use,
    )


def _idle_cluster(cluster: Cluster, max_age_days: int) -> Verdict:
    if cluster.cluster_status != "InService":
        return not_applicable("the cluster is not in service")
    nodes = nodes_by_cluster(cluster.region).get(cluster.id, ())
    accelerated = [node.instance_type for node in nodes if _is_accelerated(node)]
    if not accelerated:
        return not_applicable("it has no accelerated nodes")
    return attested(
        cluster.region,
        _CODE,
        max_age_days,
        InstanceType=sorted(set(accelerated)),
        accelerated_nodes=len(accelerated),
    )


def _is_accelerated(node: ClusterNode) -> bool:
    kind = node.instance_type
    return has_twin(kind) and is_accelerated(facts(node.region, kind))
