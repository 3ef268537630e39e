"""AWS Config: whether changes of SageMaker's resources are recorded."""

from typing import Any

from collectors.guards import ConfigRecorder, Recorder
from collectors.sagemaker.code_repositories import CodeRepository
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import sample
from collectors.view import Region, View
from evaluators.controls import lens, prowler, security_hub
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_HERE = sample(Model, "churn")
_KINDS: tuple[type[View], ...] = (Model, EndpointConfig, NotebookInstance, Domain, CodeRepository)
"""Kinds that AWS Config can record; jobs and endpoints are not among its types."""


def _recorded(*, recording: bool = True, **recorder: Any) -> Given:
    return given(
        _HERE,
        sample(
            ConfigRecorder,
            "recorders",
            arn="recorders",
            configuration_recorders=[{"name": "default", **recorder}],
            configuration_recorders_status=[{"name": "default", "recording": recording}],
        ),
    )


@rule(
    "OPS-035",
    Severity.LOW,
    bad=[
        given(_HERE, sample(ConfigRecorder, "recorders", arn="recorders")),
        _recorded(recording=False, all_supported=True),
        _recorded(resource_types=["AWS::S3::Bucket"]),
        _recorded(exclusion_by_resource_types={"resourceTypes": ["AWS::SageMaker::Model"]}),
        _recorded(all_supported=True, service_principal="guardduty.amazonaws.com"),
    ],
    good=[
        _recorded(all_supported=True),
        _recorded(use_only="ALL_SUPPORTED_RESOURCE_TYPES"),
        # There is a model and nothing else to record.
        _recorded(resource_types=["AWS::SageMaker::Model", "AWS::S3::Bucket"]),
        _recorded(
            use_only="EXCLUSION_BY_RESOURCE_TYPES",
            exclusion_by_resource_types={"resourceTypes": ["AWS::EC2::Volume"]},
        ),
    ],
    exempt=[
        given(sample(ConfigRecorder, "recorders", arn="recorders")),
        given(sample(TrainingJob, "churn"), sample(ConfigRecorder, "recorders", arn="recorders")),
    ],
    remedy="Turn the recorder on for all supported types, or for SageMaker's.",
    command="aws configservice put-configuration-recorder --configuration-recorder file://recorder.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("Config.1"),
        prowler("config_recorder_all_regions_enabled"),
        lens("MLOPS06-BP01"),
    ],
)
def unrecorded_configuration(region: Region) -> Verdict:
    """AWS Config should record SageMaker's resources where there are some.

    Without a record nobody can say who changed what, and Security Hub has no data for its controls on
    SageMaker. Recorders that AWS's own services keep do not count, and only types that are in use here
    are asked for. Config knows no type for jobs and endpoints.
    """
    types = [view.type for view in _KINDS if next(region.known(view), None) is not None]
    if not types:
        _require_whole(region)
        return not_applicable("nothing here that AWS Config could record")
    config = region.find(ConfigRecorder, "recorders")
    own = [r for r in config.configuration_recorders if not r.service_principal] if config is not None else []
    if config is None or not own:
        return failed("there is no recorder", name=None, types=types)
    running = {status.name for status in config.configuration_recorders_status if status.recording}
    active = [recorder for recorder in own if recorder.name in running]
    if not active:
        return failed("the recorder is stopped", name=own[0].name, recording=False)
    if not any(_covers(recorder, types) for recorder in active):
        return failed("it does not record SageMaker's types", name=active[0].name, types=types)
    _require_whole(region)
    return passed(name=active[0].name)


def _require_whole(region: Region) -> None:
    """Raises `Unread` where there may be kinds that were not seen."""
    for view in _KINDS:
        for _ in region.all(view):
            break


def _covers(recorder: Recorder, types: list[str]) -> bool:
    excluded = (recorder.exclusion_by_resource_types or {}).get("resourceTypes") or []
    if recorder.all_supported or recorder.use_only == "ALL_SUPPORTED_RESOURCE_TYPES":
        return True
    if recorder.use_only == "EXCLUSION_BY_RESOURCE_TYPES" or excluded:
        return not set(types) & set(excluded)
    return set(types) <= set(recorder.resource_types or [])
