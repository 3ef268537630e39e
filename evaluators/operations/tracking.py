"""Whether runs are tracked, and whether the lineage of what is deployed reaches its data."""

from typing import Any

from collectors.model import Reason, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.lineage import EndpointLineage
from collectors.sagemaker.mlflow import MlflowTrackingServer
from collectors.sagemaker.models import Model
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.trial_components import TrialComponent, tracked_sources
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.deployments import models_behind
from evaluators.families import not_judged
from evaluators.rule import (
    Change,
    Given,
    Scope,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)

_TUNING = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"
_RUN: dict[str, Any] = {"instance_type": "ml.m5.xlarge", "instance_count": 1}


def _jobs(*names: str, **values: Any) -> list[Sample]:
    return [sample(TrainingJob, f"{name}-2026-11-18", **{**_RUN, **values}) for name in names]


def _component(name: str, *parents: str) -> Sample:
    source = f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{name}-2026-11-18"
    held = [{"ExperimentName": parent} for parent in parents]
    return sample(TrialComponent, name, source_arn=source, parents=held)


@rule(
    "OPS-008",
    Severity.MEDIUM,
    confidence=0.7,
    bad=[
        given(*_jobs("churn", "fraud")),
        # SageMaker makes a component of every job: without an experiment it proves nothing.
        given(*_jobs("churn"), _component("churn")),
        given(*_jobs("churn", "fraud"), _component("churn", "weekly"), max_untracked_share=0.5),
    ],
    good=[
        given(*_jobs("churn", experiment_name="weekly")),
        given(*_jobs("churn"), _component("churn", "weekly")),
        given(
            *_jobs("churn"),
            *_jobs("fraud", "demand", experiment_name="weekly"),
        ),
    ],
    exempt=[
        given(*_jobs("churn", training_job_status="Failed")),
        given(*_jobs("churn", tuning_job_arn=_TUNING)),
        given(sample(Endpoint, "churn")),
    ],
    remedy="Name an experiment in ExperimentConfig, or log to MLflow, in processing, training and transform alike.",
    change=Change.NEXT_RUN,
    maps=[lens("MLOPS02-BP04"), lens("MLOPS03-BP02")],
)
def untracked_training(region: Region, *, max_untracked_share: float = 0.5) -> Verdict:
    """Training runs should be tracked in a managed experiment service.

    Otherwise nobody knows later which parameters made which model. The latest run of each family
    counts: an experiment named in it, or its component being part of one. What is logged to MLflow
    Search does not tell, so where a tracking server runs nobody knows.
    """
    tracked: list[str] = []
    untracked: list[str] = []
    for job in region.all(TrainingJob):
        if job.training_job_status != "Completed" or not_judged(job):
            continue
        known = job.experiment_name is not None or job.id in tracked_sources(region)
        (tracked if known else untracked).append(job.name)
    total = len(tracked) + len(untracked)
    if not total:
        return not_applicable("no family of training jobs completed in the window")
    share = len(untracked) / total
    if share < max_untracked_share:
        return passed(families=total, untracked=len(untracked))
    for server in region.all(MlflowTrackingServer):
        message = f"runs that are logged to {server.name} alone are not seen"
        raise Unread(server.gap("sagemaker:DescribeTrainingJob", Reason.NOT_READ, message))
    return failed(
        f"{len(untracked)} of {total} families are not tracked",
        ExperimentName=None,
        families=total,
        untracked=sorted(untracked)[:10],
    )


def _deployed(*lineage: Sample, image: str = "image:1", **values: Any) -> Given:
    return given(
        sample(
            Endpoint,
            "churn",
            arn=_ARN,
            endpoint_config_name="churn-1",
            production_variants=[{"variant_name": "a"}],
            **values,
        ),
        sample(EndpointConfig, "churn-1", production_variants=[{"variant_name": "a", "model_name": "churn"}]),
        sample(Model, "churn", primary_container={"image": image}),
        *lineage,
    )


_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"


def _lineage(*vertices: tuple[str, str]) -> Sample:
    held = [{"type": type_, "lineage_type": kind} for type_, kind in vertices]
    return sample(EndpointLineage, "churn", arn=_ARN, context_summaries=[{"ContextArn": "c"}], vertices=held)


_DATA = ("DataSet", "Artifact")
_TRAINED = ("SageMakerTrainingJob", "TrialComponent")


@rule(
    "OPS-009",
    Severity.MEDIUM,
    scope=Scope.PRODUCTION,
    bad=[
        _deployed(sample(EndpointLineage, "churn", arn=_ARN)),
        _deployed(_lineage(_TRAINED)),
        _deployed(_lineage(_DATA)),
    ],
    good=[_deployed(_lineage(_DATA, _TRAINED, ("ModelDeployment", "Action")))],
    exempt=[
        _deployed(endpoint_status="Failed"),
        _deployed(tags={"Environment": "dev"}),
        _deployed(tags={"sagemaker-sdk:jumpstart-model-id": "llm"}),
    ],
    remedy="Deploy by a pipeline or from the registry, or record artifacts, actions and contexts yourself.",
    change=Change.NEXT_RUN,
    maps=[lens("MLOPS02-BP04"), lens("MLSEC03-BP04")],
)
def broken_model_lineage(endpoint: Endpoint) -> Verdict:
    """The lineage of a deployed model should reach its training job and its data.

    When a model degrades, the first question is what it was trained on. Lineage leads from the endpoint's
    context up to a training job and a data set; SageMaker records it where training and deployment
    happened in this account and Region. Models from JumpStart and Marketplace were trained elsewhere.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    if any("jumpstart" in key.lower() for key in endpoint.tags) or _is_foreign(endpoint):
        return not_applicable("a model of JumpStart or Marketplace was trained elsewhere")
    lineage = endpoint.region.find(EndpointLineage, endpoint.id)
    if lineage is None:
        return not_applicable("lineage was asked for the newest production endpoints alone")
    if not lineage.context_summaries:
        return failed("lineage does not know it", ContextSummaries=0)
    kinds = [(vertex.type or "", vertex.lineage_type or "") for vertex in lineage.vertices]
    data = any(type_ == "DataSet" and kind == "Artifact" for type_, kind in kinds)
    trained = any("TrainingJob" in type_ and kind == "TrialComponent" for type_, kind in kinds)
    figures: dict[str, Any] = {"Type": sorted({type_ for type_, _ in kinds if type_})[:10]}
    if data and trained:
        return passed(**figures)
    missing = " and ".join(
        what for holds, what in ((trained, "no training job"), (data, "no data set")) if not holds
    )
    return failed(f"its lineage reaches {missing}", **figures)


def _is_foreign(endpoint: Endpoint) -> bool:
    """Whether a model of it comes from a Marketplace product or a hub."""
    return any(
        container.model_package_name is not None
        and endpoint.region.account not in container.model_package_name
        for model in models_behind(endpoint)
        for container in model.all_containers
    )
