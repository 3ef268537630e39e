"""Endpoints: whether somebody watches the data, the predictions, their fairness and their reasons."""

from datetime import timedelta
from typing import Any

from collectors.ecr import image_reference
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.monitoring_definitions import DataQualityDefinition
from collectors.sagemaker.monitoring_schedules import MonitoringSchedule
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens, prowler
from evaluators.deployments import models_behind
from evaluators.drift import schedules_of, unmonitorable
from evaluators.images import images_of
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
from evaluators.tags import said

_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scorer:7"
_LANGUAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4-gpu"
_ADDRESS = "s3://captured/endpoints"


def _endpoint(
    *others: Sample, image: str = _XGBOOST, tags: dict[str, str] | None = None, **values: Any
) -> Given:
    base: dict[str, Any] = {
        "endpoint_config_name": "scorer-1",
        "production_variants": [{"variant_name": "main"}],
        "data_capture_config": {"enable_capture": True, "destination_s3_uri": _ADDRESS},
    }
    config = sample(
        EndpointConfig, "scorer-1", production_variants=[{"variant_name": "main", "model_name": "scorer"}]
    )
    model = sample(Model, "scorer", primary_container={"mode": "SingleModel", "image": image})
    around = {(made.view, made.name): made for made in (config, model, *others)}
    return given(sample(Endpoint, tags=tags, **{**base, **values}), *around.values())


def _schedule(kind: str | None, name: str = "watch", **values: Any) -> Sample:
    return sample(MonitoringSchedule, name, **{"monitoring_type": kind, "endpoint_name": "example", **values})


_SERVERLESS = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "main", "model_name": "scorer", "serverless_config": {}}],
)
_COMPONENTS = sample(EndpointConfig, "scorer-1", production_variants=[{"variant_name": "main"}])
_MANY = sample(Model, "scorer", primary_container={"mode": "MultiModel"})


def _bad(kind: str, other: str) -> list[Given]:
    """Nothing watches it; or it is another type, another endpoint's, or stopped."""
    return [
        _endpoint(),
        _endpoint(tags={"Environment": "prod"}),
        _endpoint(_schedule(other)),
        _endpoint(_schedule(kind, endpoint_name="another")),
        _endpoint(_schedule(kind, monitoring_schedule_status="Stopped")),
        _endpoint(_schedule(kind, monitoring_schedule_status="Failed")),
    ]


def _exempt(kind: str) -> list[Given]:
    return [
        _endpoint(endpoint_status="Failed"),
        _endpoint(creation_time=NOW - timedelta(days=3)),
        _endpoint(tags={"Environment": "dev"}),
        _endpoint(tags={"data-capture": "exempt"}),
        _endpoint(_SERVERLESS),
        _endpoint(_COMPONENTS),
        _endpoint(_MANY),
        _endpoint(_schedule(kind, monitoring_schedule_status="Pending")),
    ]


def _watched(endpoint: Endpoint, kind: str, grace_days: int) -> Verdict | None:
    """The verdict on an endpoint that is watched, or cannot be; `None` where nothing watches it."""
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service")
    if endpoint.creation_time > endpoint.region.ago(grace_days):
        return not_applicable(f"younger than {grace_days} days")
    why = unmonitorable(endpoint)
    if why:
        return not_applicable(why)
    found = schedules_of(endpoint, kind)
    active = sorted(schedule.name for schedule in found if schedule.is_active)
    if active:
        return passed(MonitoringScheduleName=active[:5], MonitoringScheduleStatus="Scheduled")
    if any(schedule.monitoring_schedule_status == "Pending" for schedule in found):
        return not_applicable("its schedule is being set up")
    return None


def _state(endpoint: Endpoint, kind: str) -> dict[str, Any]:
    """The evidence of an endpoint without an active schedule."""
    found = schedules_of(endpoint, kind)
    return {
        "MonitoringType": kind,
        "MonitoringScheduleStatus": sorted({schedule.monitoring_schedule_status for schedule in found}),
    }


_COMMAND = (
    "aws sagemaker create-monitoring-schedule --monitoring-schedule-name NAME "
    "--monitoring-schedule-config file://schedule.json"
)


@rule(
    "OPS-020",
    Severity.MEDIUM,
    bad=_bad("DataQuality", "ModelQuality"),
    good=[
        _endpoint(_schedule("DataQuality")),
        _endpoint(_schedule("DataQuality", "old", monitoring_schedule_status="Stopped"), _schedule(None)),
        # Old schedules do not say what they watch.
        _endpoint(_schedule(None, environment={})),
        _endpoint(
            _schedule(
                "DataQuality",
                endpoint_name=None,
                monitoring_job_definition_name="batch",
                schedule_expression="x",
            ),
            sample(
                DataQualityDefinition,
                "batch",
                batch_transform_input={"data_captured_destination_s3_uri": f"{_ADDRESS}/example/"},
            ),
        ),
    ],
    exempt=_exempt("DataQuality"),
    remedy="Create a data quality job definition with a baseline of the training data, and schedule it.",
    command=_COMMAND,
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[prowler("sagemaker_models_monitor_enabled"), lens("MLOPS06-BP02"), lens("MLPERF06-BP03")],
)
def unwatched_data(endpoint: Endpoint, *, grace_days: int = 14) -> Verdict:
    """The data of production endpoints should be compared with those of training.

    A model answers what it does not know as surely as what it knows. Each endpoint needs a schedule of
    its own: one elsewhere in the Region says nothing. A schedule without a type watches data quality.
    Serverless and multi-model endpoints, and those of inference components, cannot be watched.
    """
    found = _watched(endpoint, "DataQuality", grace_days)
    return found or failed("nothing watches its data", **_state(endpoint, "DataQuality"))


@rule(
    "OPS-021",
    Severity.MEDIUM,
    bad=_bad("ModelQuality", "DataQuality"),
    good=[
        _endpoint(_schedule("ModelQuality")),
        _endpoint(_schedule(None, environment={"analysis_type": "MODEL_QUALITY"})),
    ],
    exempt=[*_exempt("ModelQuality"), _endpoint(tags={"ground-truth": "none"})],
    remedy="Create a model quality job definition with a baseline and the address of the true labels, and schedule it.",
    command=_COMMAND,
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[prowler("sagemaker_models_monitor_enabled"), lens("MLOPS06-BP02"), lens("MLPERF06-BP04")],
)
def unwatched_predictions(endpoint: Endpoint, *, grace_days: int = 14) -> Verdict:
    """Predictions of production endpoints should be compared with what turned out to be true.

    Only true labels show that a model has become worse. Where the business never learns them, the tag
    `ground-truth=none` says so.
    """
    if said(endpoint.tags, "ground-truth") in ("none", "no", "unavailable"):
        return not_applicable("its tag says that nobody learns what was true")
    found = _watched(endpoint, "ModelQuality", grace_days)
    return found or failed("nothing watches its predictions", **_state(endpoint, "ModelQuality"))


_PEOPLE = {"affects-people": "true", "Environment": "prod"}


@rule(
    "OPS-022",
    Severity.LOW,
    bad=[*_bad("ModelBias", "ModelQuality"), _endpoint(tags=_PEOPLE)],
    good=[
        _endpoint(_schedule("ModelBias")),
        _endpoint(_schedule(None, "churn-bias"), tags=_PEOPLE),
    ],
    exempt=[*_exempt("ModelBias"), _endpoint(tags={"Affects-People": "False"})],
    remedy="Create a bias job definition with Clarify and a baseline, and schedule it.",
    command=_COMMAND,
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[
        prowler("sagemaker_models_monitor_enabled"),
        prowler("sagemaker_clarify_exists"),
        lens("MLOPS02-BP06"),
        lens("MLREL03-BP04"),
    ],
)
def unwatched_bias(
    endpoint: Endpoint, *, grace_days: int = 14, people_tag: str = "affects-people"
) -> Verdict:
    """Models that decide about people should be watched for bias.

    Who uses a model changes, and with it whom it treats badly. A tag on the endpoint says that it
    decides about people (`affects-people=true`); without it the finding is one step lower, and `false`
    ends it.
    """
    decides = said(endpoint.tags, people_tag)
    if decides in ("false", "no"):
        return not_applicable(f"its tag {people_tag} says that it decides about nobody")
    found = _watched(endpoint, "ModelBias", grace_days)
    if found is not None:
        return found
    return failed(
        "nothing watches it for bias",
        lowered=0 if decides else 1,
        why_lowered="" if decides else f"no tag {people_tag} says that it decides about people",
        **_state(endpoint, "ModelBias"),
    )


_NOT_TABULAR = (
    "blazingtext",
    "djl-",
    "huggingface-",
    "image-classification",
    "object-detection",
    "object2vec",
    "semantic-segmentation",
    "seq2seq",
    "stabilityai-",
    "tei",
    "vllm",
)
_TABULAR = (
    "autogluon-",
    "catboost",
    "factorization-machines",
    "knn",
    "lightgbm",
    "linear-learner",
    "randomcutforest",
    "sagemaker-scikit-learn",
    "sagemaker-sparkml",
    "sagemaker-xgboost",
    "xgboost",
)


@rule(
    "OPS-023",
    Severity.LOW,
    bad=[*_bad("ModelExplainability", "DataQuality"), _endpoint(image=_OWN)],
    good=[
        _endpoint(_schedule("ModelExplainability")),
        _endpoint(_schedule(None, "churn-explainability")),
    ],
    exempt=[
        *_exempt("ModelExplainability"),
        _endpoint(image=_LANGUAGE),
        _endpoint(image=_OWN, tags={"modality": "image"}),
    ],
    remedy="Create an explainability job definition with Clarify and a baseline, and schedule it.",
    command=_COMMAND,
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    confidence=0.8,
    maps=[
        prowler("sagemaker_models_monitor_enabled"),
        prowler("sagemaker_clarify_exists"),
        lens("MLPERF06-BP02"),
    ],
)
def unwatched_attributions(
    endpoint: Endpoint, *, grace_days: int = 14, modality_tag: str = "modality"
) -> Verdict:
    """What decides in models on tables should be watched.

    When another feature begins to decide, something has changed, often before the accuracy does.
    Images and language models have no features that a person can name: told by AWS's images, or by the
    tag `modality` (`tabular`, `image`, `text`, …). Where nothing tells, the finding is one step lower.
    """
    modality = said(endpoint.tags, modality_tag)
    if modality and modality != "tabular":
        return not_applicable(f"its tag {modality_tag} says {modality}")
    found = _watched(endpoint, "ModelExplainability", grace_days)
    if found is not None:
        return found
    names = [
        reference.repository.rpartition("/")[2]
        for reference in map(image_reference, images_of(models_behind(endpoint)))
        if reference is not None
    ]
    if not modality and any(name.startswith(_NOT_TABULAR) for name in names):
        return not_applicable("its image serves text or pictures", Image=sorted(names))
    tabular = bool(modality) or any(name.startswith(_TABULAR) for name in names)
    return failed(
        "nothing watches what decides",
        lowered=0 if tabular else 1,
        why_lowered="" if tabular else "nothing tells whether it works on tables",
        **_state(endpoint, "ModelExplainability"),
        Image=sorted(names),
    )
