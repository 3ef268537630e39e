"""Labeling jobs, clusters, file systems, remote debugging and what Edge Manager left."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.backup import ProtectedResource, protected_resources
from collectors.collector import Collector
from collectors.efs import FileSystem, file_systems
from collectors.fsx import LustreFileSystem, lustre_file_systems
from collectors.model import Gap, Reason, Resource
from collectors.reads import Reads
from collectors.sagemaker.clusters import Cluster, ClusterNode, cluster_nodes, nodes_by_cluster
from collectors.sagemaker.edge import device_fleets, devices, edge_packaging_jobs
from collectors.sagemaker.labeling_jobs import LabelingJob, labeling_jobs
from collectors.sagemaker.remote_debugging import RemoteDebugging, remote_debugging
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region

DENIED = Gap("x", Reason.DENIED)


def collected(
    collector: Collector, state: DemoState, reads: Reads, *samples: Sample
) -> tuple[list[Resource], Gap | None]:
    reader = reader_of(collector, state, samples, reads=reads)
    return list(collector.function(reader)), reader.gap


def kept(found: Iterable[Resource]) -> Region:
    snapshot = snapshot_of([])
    for resource in found:
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION)


def add_labeling(state: DemoState, name: str, days: float, labeled: int, task: str) -> None:
    function = f"arn:aws:lambda:{REGION}:568282634449:function:{task}"
    document = {
        "LabelingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}",
        "LabelingJobName": name,
        "LabelingJobStatus": "Completed",
        "JobReferenceCode": name,
        "LabelCounters": {"TotalLabeled": labeled, "MachineLabeled": 0, "Unlabeled": 0},
        "CreationTime": NOW - timedelta(days=days),
        "LastModifiedTime": NOW - timedelta(days=days),
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/labels",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://labels/in"}}},
        "OutputConfig": {"S3OutputPath": "s3://labels/out/"},
        "HumanTaskConfig": {
            "WorkteamArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/us",
            "UiConfig": {"UiTemplateS3Uri": "s3://labels/ui"},
            "TaskTitle": "t",
            "TaskDescription": "t",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 60,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": function},
        },
    }
    state.add("LabelingJob", REGION, document)


def test_labeling_jobs_are_described_when_recent_or_large_enough_to_learn() -> None:
    state = DemoState(NOW)
    for name, days, labeled, task in (
        ("recent", 2, 10, "ACS-NamedEntityRecognition"),
        ("old-and-large", 100, 1250, "ACS-BoundingBox"),
        ("old-and-small", 100, 1249, "ACS-BoundingBox"),
        ("old-and-another-task", 100, 9000, "ACS-ImageMultiClassMultiLabel"),
    ):
        add_labeling(state, name, days, labeled, task)
    found, gap = collected(labeling_jobs, state, Reads(fields={LabelingJob.kms_key_id}))
    assert gap is None
    jobs = {job.name: job for job in kept(found).known(LabelingJob)}
    assert {name for name, job in jobs.items() if job.is_described} == {"recent", "old-and-large"}
    assert len(jobs) == 4
    assert state.calls["sagemaker:DescribeLabelingJob"] == 2
    assert (jobs["recent"].buckets, jobs["old-and-small"].buckets) == (frozenset({"labels"}), frozenset())


def test_nodes_are_listed_of_every_cluster_and_a_refusal_of_one_marks_the_kind() -> None:
    state = DemoState(NOW)
    node = {
        "InstanceGroupName": "workers",
        "InstanceId": "i-1",
        "InstanceType": "ml.p5.48xlarge",
        "LaunchTime": NOW,
        "InstanceStatus": {"Status": "Running"},
    }
    pages = {"MaxResults": 100, "ClusterName": "a"}
    state.answer(
        "sagemaker:ListClusterNodes",
        {"ClusterNodeSummaries": [node], "NextToken": "more"},
        when=pages | {"NextToken": None},
    )
    second = {**node, "InstanceId": "i-2"}
    state.answer(
        "sagemaker:ListClusterNodes", {"ClusterNodeSummaries": [second]}, when=pages | {"NextToken": "more"}
    )
    state.refuse("sagemaker:ListClusterNodes", code="AccessDeniedException", when={"ClusterName": "b"})
    clusters = [sample(Cluster, name, arn=f"arn:{name}") for name in ("a", "b")]
    found, gap = collected(cluster_nodes, state, Reads(fields={ClusterNode.status}), *clusters)
    assert {c: len(nodes) for c, nodes in nodes_by_cluster(kept(found)).items()} == {"arn:a": 2}
    assert gap is not None
    assert gap.reason is Reason.DENIED


@pytest.mark.parametrize("collector", [device_fleets, devices, edge_packaging_jobs])
@pytest.mark.parametrize(
    ("code", "reason"), [("UnknownOperationException", None), ("AccessDeniedException", Reason.DENIED)]
)
def test_an_edge_manager_that_was_taken_away_left_nothing_and_a_denied_one_is_not_known(
    collector: Collector, code: str, reason: Reason | None
) -> None:
    state = DemoState(NOW)
    for name in ("ListDeviceFleets", "ListDevices", "ListEdgePackagingJobs"):
        state.refuse(f"sagemaker:{name}", code=code)
    found, gap = collected(collector, state, Reads())
    assert found == []
    assert (gap.reason if gap else None) is reason


EFS_READS = Reads(fields={FileSystem.status})


def test_only_file_systems_that_domains_name_are_asked_for_and_no_policy_is_an_answer() -> None:
    state = DemoState(NOW)
    state.answer(
        "efs:DescribeBackupPolicy", {"BackupPolicy": {"Status": "ENABLED"}}, when={"FileSystemId": "fs-a"}
    )
    state.refuse("efs:DescribeBackupPolicy", code="PolicyNotFound", status=404, when={"FileSystemId": "fs-b"})
    state.refuse(
        "efs:DescribeBackupPolicy", code="FileSystemNotFound", status=404, when={"FileSystemId": "fs-gone"}
    )
    mounted = [{"file_system_id": name} for name in ("fs-b", "fs-gone", None)]
    homes = sample(
        Domain,
        "d-1",
        home_efs_file_system_id="fs-a",
        default_user_settings={"custom_file_system_configs": mounted},
    )
    # A domain that was made without home directories has no file system.
    found, gap = collected(file_systems, state, EFS_READS, homes, sample(Domain, "d-2"))
    assert gap is None
    assert {system.name: system.status for system in kept(found).known(FileSystem)} == {
        "fs-a": "ENABLED",
        "fs-b": None,
    }
    assert {r.id for r in found} == {
        f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/{name}" for name in ("fs-a", "fs-b")
    }


def test_a_domain_unread_leaves_the_file_systems_not_all_known() -> None:
    domain = sample(Domain, "d-1", home_efs_file_system_id=DENIED)
    assert collected(file_systems, DemoState(NOW), EFS_READS, domain) == ([], DENIED)


def _channel(name: str, kind: str) -> dict[str, Any]:
    return {"file_system_id": name, "file_system_type": kind}


def test_lustre_is_asked_for_when_training_reads_it_and_links_of_scratch_ones_alone() -> None:
    state = DemoState(NOW)

    def lustre(name: str, kind: str) -> dict[str, Any]:
        arn = f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{name}"
        return {"FileSystemId": name, "ResourceARN": arn, "LustreConfiguration": {"DeploymentType": kind}}

    held = [
        lustre("fs-0000000a", "SCRATCH_2"),
        lustre("fs-0000000b", "PERSISTENT_2"),
        lustre("fs-0000000c", "SCRATCH_2"),
    ]
    state.answer("fsx:DescribeFileSystems", {"FileSystems": held})
    links = {"Associations": [{"DataRepositoryPath": "s3://features/"}]}
    state.answer("fsx:DescribeDataRepositoryAssociations", links)
    channels = [
        _channel("fs-0000000a", "FSxLustre"),
        _channel("fs-0000000b", "FSxLustre"),
        _channel("fs-e", "EFS"),
    ]
    job = sample(TrainingJob, "j", input_data_config=channels)
    reads = Reads(fields={LustreFileSystem.deployment_type, LustreFileSystem.associations})
    found, gap = collected(lustre_file_systems, state, reads, job)
    assert gap is None
    systems = {system.name: system for system in kept(found).known(LustreFileSystem)}
    assert set(systems) == {"fs-0000000a", "fs-0000000b"}
    assert [link.data_repository_path for link in systems["fs-0000000a"].associations] == ["s3://features/"]
    assert state.calls["fsx:DescribeDataRepositoryAssociations"] == 1


def test_no_job_on_lustre_asks_for_none() -> None:
    state = DemoState(NOW)
    job = sample(TrainingJob, "j", input_data_config=[_channel("fs-e", "EFS")])
    assert collected(lustre_file_systems, state, Reads(), job) == ([], None)
    assert state.calls["fsx:DescribeFileSystems"] == 0


def test_remote_debugging_is_asked_of_jobs_in_progress_alone() -> None:
    state = DemoState(NOW)
    state.refuse("sagemaker:DescribeTrainingJob", code="AccessDeniedException")
    jobs = [
        sample(TrainingJob, "ended", training_job_status="Completed"),
        sample(TrainingJob, "runs", training_job_status="InProgress"),
    ]
    found, gap = collected(
        remote_debugging, state, Reads(fields={RemoteDebugging.enable_remote_debug}), *jobs
    )
    assert gap is None
    assert [resource.name for resource in found] == ["runs"]
    assert isinstance(found[0].readings()["sagemaker:DescribeTrainingJob"], Gap)
    assert state.calls["sagemaker:DescribeTrainingJob"] == 1


def test_protected_resources_are_known_by_their_arn() -> None:
    state = DemoState(NOW)
    arn = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-a"
    document = {"ResourceArn": arn, "ResourceType": "EFS", "LastBackupTime": NOW}
    state.answer("backup:ListProtectedResources", {"Results": [document]})
    found, gap = collected(protected_resources, state, Reads(fields={ProtectedResource.last_backup_time}))
    assert gap is None
    assert [(resource.id, resource.name) for resource in found] == [(arn, arn)]
