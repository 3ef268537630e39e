"""AWS Config: whether changes of SageMaker's resources are recorded."""

from typing import Any

from collectors.guards import ConfigRecorder, Recorder
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import sample
from collectors.view import Region
from evaluators.controls import lens, prowler, security_hub
from evaluators.presence import learning_in
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_HERE = sample(Endpoint, "churn")
_TYPES = ("AWS::SageMaker::Model", "AWS::SageMaker::Domain")


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
        _recorded(resource_types=[*_TYPES, "AWS::S3::Bucket"]),
        _recorded(
            use_only="EXCLUSION_BY_RESOURCE_TYPES",
            exclusion_by_resource_types={"resourceTypes": ["AWS::EC2::Volume"]},
        ),
    ],
    exempt=[given(sample(ConfigRecorder, "recorders", arn="recorders"))],
    remedy="Turn the recorder on for all supported types, or for SageMaker's.",
    command="aws configservice put-configuration-recorder --configuration-recorder file://recorder.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("Config.1"),
        prowler("config_recorder_all_regions_enabled"),
        lens("MLOPS06-BP01"),
    ],
)
def unrecorded_configuration(region: Region, *, types: tuple[str, ...] = _TYPES) -> Verdict:
    """AWS Config should record SageMaker's resources where there are some.

    Without a record nobody can say who changed what, and Security Hub has no data for its controls on
    SageMaker. Recorders that AWS's own services keep do not count.
    """
    here = learning_in(region)
    if not here:
        return not_applicable("no machine learning here")
    config = region.find(ConfigRecorder, "recorders")
    own = [r for r in config.configuration_recorders if not r.service_principal] if config is not None else []
    if config is None or not own:
        return failed("there is no recorder", name=None, because=here)
    running = {status.name for status in config.configuration_recorders_status if status.recording}
    active = [recorder for recorder in own if recorder.name in running]
    if not active:
        return failed("the recorder is stopped", name=own[0].name, recording=False)
    if any(_covers(recorder, types) for recorder in active):
        return passed(name=active[0].name)
    return failed("it does not record SageMaker's types", name=active[0].name, types=list(types))


def _covers(recorder: Recorder, types: tuple[str, ...]) -> bool:
    excluded = (recorder.exclusion_by_resource_types or {}).get("resourceTypes") or []
    if recorder.all_supported or recorder.use_only == "ALL_SUPPORTED_RESOURCE_TYPES":
        return True
    if recorder.use_only == "EXCLUSION_BY_RESOURCE_TYPES" or excluded:
        return not set(types) & set(excluded)
    return set(types) <= set(recorder.resource_types or [])
