"""Logs of jobs, notebooks and endpoints: whether they arrive, and are encrypted where that is wanted."""

from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.logs import PREFIX, LogGroup
from collectors.sagemaker.apps import App
from collectors.sagemaker.clusters import Cluster
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import NOW, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_JOB = sample(TrainingJob, "churn", creation_time=NOW - timedelta(days=2))


def _group(name: str, hours: float | None = 1, **values: Any) -> Any:
    newest = None if hours is None else int((NOW - timedelta(hours=hours)).timestamp() * 1000)
    streams = [] if newest is None else [{"last_event_timestamp": newest}]
    return sample(LogGroup, f"{PREFIX}{name}", log_streams=streams, **values)


_STUDIO_APPS = frozenset({"JupyterServer", "KernelGateway", "JupyterLab", "CodeEditor"})
_EARLIER = NOW - timedelta(days=2)
_APP = sample(App, "anna/JupyterLab/default", creation_time=_EARLIER)
_NOTEBOOK = sample(NotebookInstance, "anna", last_modified_time=_EARLIER)
_CLUSTER = sample(Cluster, "llm", arn="arn:aws:sagemaker:eu-west-1:123456789012:cluster/k3xq7v0t2m1s")


def _with(*samples: Any, **thresholds: Any) -> Given:
    return given(*samples, **thresholds)


@rule(
    "SEC-064",
    Severity.MEDIUM,
    bad=[
        _with(_JOB),
        _with(_JOB, _group("TrainingJobs", hours=24 * 9)),
        _with(_JOB, _group("TrainingJobs", hours=None)),
        _with(sample(Endpoint, "churn"), _group("Endpoints/other")),
        _with(_JOB, _group("TrainingJobs"), require_kms=True),
        _with(sample(ProcessingJob, "features", creation_time=_EARLIER)),
        _with(sample(TransformJob, "scores", creation_time=_EARLIER)),
        _with(_NOTEBOOK),
        _with(_APP),
        # Of each cluster by name and id: an earlier one of the same name is another.
        _with(_CLUSTER, _group("Clusters/llm/earlier")),
    ],
    good=[
        _with(_JOB, _group("TrainingJobs")),
        _with(sample(Endpoint, "churn"), _group("Endpoints/churn")),
        _with(_JOB, _group("TrainingJobs", kms_key_id="key"), require_kms=True),
        _with(_NOTEBOOK, _APP, _group("NotebookInstances"), _group("studio", hours=None)),
        _with(_CLUSTER, _group("Clusters/llm/k3xq7v0t2m1s", hours=None)),
        # Events lag, and a container may be silent.
        _with(_JOB, _group("TrainingJobs", hours=24 * 4)),
        # A job of this hour may have written nothing yet.
        _with(sample(TrainingJob, "churn", creation_time=NOW), _group("TrainingJobs", hours=24)),
    ],
    exempt=[
        _with(sample(LogGroup, f"{PREFIX}TrainingJobs")),
        _with(sample(Endpoint, "churn", endpoint_status="Creating")),
        _with(sample(NotebookInstance, "anna", notebook_instance_status="Stopped")),
        _with(sample(App, "anna/JupyterLab/default", status="Deleted", creation_time=_EARLIER)),
    ],
    remedy="Let the execution role create log streams and put log events under /aws/sagemaker/.",
    command="aws logs associate-kms-key --log-group-name GROUP --kms-key-id KEY",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP04"), lens("MLSEC06-BP02")],
)
def missing_ml_logs(region: Region, *, require_kms: bool = False, quiet_days: float = 3) -> Verdict:
    """Logs of jobs, endpoints, notebooks, Studio and clusters should reach CloudWatch Logs.

    Without them nobody can tell later what a job did. Groups that all jobs of a kind share have to hold
    something newer than the newest job that is older than a few hours, less `quiet_days`: a container may
    be silent, and times of events lag. Endpoints, serverless and asynchronous ones too, and HyperPod
    clusters have a group each, which a container that says nothing still gets; notebook instances share
    one, and so do Studio's apps. Encryption is asked for where `require_kms` says so.
    """
    expected = _expected(region)
    if not expected:
        return not_applicable("nothing here writes logs")
    groups = {group.name: group for group in region.all(LogGroup)}
    wrong: list[str] = []
    for name, since in expected.items():
        group = groups.get(name)
        if group is None:
            wrong.append(f"{name} does not exist")
        elif since is not None and _newest(group) < since - timedelta(days=quiet_days):
            wrong.append(f"{name} has nothing new")
        elif require_kms and not group.kms_key_id:
            wrong.append(f"{name} has no key of its own")
    if wrong:
        first = next((groups[name] for name in expected if name in groups), None)
        return failed(
            wrong[0] if len(wrong) == 1 else f"{wrong[0]}, and {len(wrong) - 1} more groups like it",
            logStreams=0 if first is None else len(first.log_streams),
            groups=wrong[:10],
        )
    return passed(groups=len(expected))


def _expected(region: Region) -> dict[str, datetime | None]:
    """The groups that there should be, and since when they should hold something."""
    settled = region.now - timedelta(hours=6)
    found: dict[str, datetime | None] = {}
    for name, times in (
        ("TrainingJobs", [job.creation_time for job in region.all(TrainingJob)]),
        ("ProcessingJobs", [job.creation_time for job in region.all(ProcessingJob)]),
        ("TransformJobs", [job.creation_time for job in region.all(TransformJob)]),
    ):
        if times:
            found[f"{PREFIX}{name}"] = max((t for t in times if t <= settled), default=None)
    for endpoint in region.all(Endpoint):
        if endpoint.endpoint_status == "InService":
            found[f"{PREFIX}Endpoints/{endpoint.name}"] = None
    for cluster in region.all(Cluster):
        if cluster.cluster_status == "InService":
            found[f"{PREFIX}Clusters/{cluster.name}/{cluster.id.rpartition('/')[2]}"] = None
    if any(
        each.notebook_instance_status == "InService" and each.last_modified_time <= settled
        for each in region.all(NotebookInstance)
    ):
        found[f"{PREFIX}NotebookInstances"] = None
    if any(
        app.status == "InService" and app.app_type in _STUDIO_APPS and app.creation_time <= settled
        for app in region.all(App)
    ):
        found[f"{PREFIX}studio"] = None
    return found


def _newest(group: LogGroup) -> datetime:
    times = [stream.last_event_timestamp or 0 for stream in group.log_streams]
    return datetime.fromtimestamp(max(times, default=0) / 1000, UTC)
