"""Endpoints: whether what they answer is kept."""

from datetime import timedelta
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.drift import unmonitorable
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

_ON = {"enable_capture": True, "capture_status": "Started", "current_sampling_percentage": 20}
_CONFIG = sample(
    EndpointConfig, "scorer-1", production_variants=[{"variant_name": "main", "model_name": "scorer"}]
)
_MODEL = sample(Model, "scorer", primary_container={"mode": "SingleModel"})


def _endpoint(*others: Sample, tags: dict[str, str] | None = None, **values: Any) -> Given:
    base: dict[str, Any] = {
        "endpoint_config_name": "scorer-1",
        "production_variants": [{"variant_name": "main"}],
    }
    around = {made.view: made for made in (_CONFIG, _MODEL, *others)}
    return given(sample(Endpoint, tags=tags, **{**base, **values}), *around.values())


@rule(
    "OPS-019",
    Severity.MEDIUM,
    bad=[
        _endpoint(),
        given(_endpoint(data_capture_config=_ON).subject, _CONFIG, _MODEL, min_sampling_percent=50),
        _endpoint(tags={"Environment": "prod"}),
        _endpoint(data_capture_config={**_ON, "enable_capture": False}),
        _endpoint(data_capture_config={**_ON, "capture_status": "Stopped"}),
        _endpoint(data_capture_config={**_ON, "current_sampling_percentage": 0}),
    ],
    good=[
        _endpoint(data_capture_config=_ON),
        _endpoint(
            sample(
                EndpointConfig,
                "scorer-1",
                production_variants=[{"variant_name": "main", "model_name": "scorer"}],
                data_capture_config={"capture_options": [{"capture_mode": "Input"}]},
            ),
            data_capture_config=_ON,
        ),
        given(_endpoint(data_capture_config=_ON).subject, _CONFIG, _MODEL, min_sampling_percent=20),
    ],
    exempt=[
        _endpoint(endpoint_status="Failed"),
        _endpoint(creation_time=NOW - timedelta(days=3)),
        _endpoint(tags={"Environment": "dev"}),
        _endpoint(tags={"data-capture": "exempt"}),
        _endpoint(
            sample(
                EndpointConfig,
                "scorer-1",
                production_variants=[
                    {"variant_name": "main", "model_name": "scorer", "serverless_config": {}}
                ],
            )
        ),
        _endpoint(sample(EndpointConfig, "scorer-1", production_variants=[{"variant_name": "main"}])),
        _endpoint(sample(Model, "scorer", primary_container={"mode": "MultiModel"})),
    ],
    remedy="Create an endpoint configuration with DataCaptureConfig and update the endpoint to it.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name NEW_CONFIG",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[lens("MLOPS06-BP02"), lens("MLPERF06-BP03")],
)
def uncaptured_inference(
    endpoint: Endpoint, *, min_sampling_percent: int = 1, grace_days: int = 7
) -> Verdict:
    """Production endpoints should capture inference data.

    Without captured data nobody can see drift, and Model Monitor has nothing to analyse. Serverless
    and multi-model endpoints, and those of inference components, do not support it. A tag
    data-capture=exempt says that it may not be: privacy can forbid it. Capture stops silently when a
    disk fills up: its status is read, not only the setting. Model quality needs requests and
    answers: a pass says so where one of them is left out.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service")
    if endpoint.creation_time > endpoint.region.ago(grace_days):
        return not_applicable(f"younger than {grace_days} days")
    why = unmonitorable(endpoint)
    if why:
        return not_applicable(why)
    capture = endpoint.data_capture_config
    if capture is None:
        return failed("nothing is captured", EnableCapture=None)
    percent = capture.current_sampling_percentage or 0
    evidence: dict[str, Any] = {
        "EnableCapture": capture.enable_capture,
        "CaptureStatus": capture.capture_status,
        "CurrentSamplingPercentage": percent,
    }
    if not capture.enable_capture or capture.capture_status == "Stopped":
        return failed("capture is off", **evidence)
    if percent < min_sampling_percent:
        return failed(f"only {percent} % are captured", **evidence)
    modes = _capture_modes(endpoint)
    one_side = f"{modes[0].lower()} only: not enough for model quality" if len(modes) == 1 else ""
    return passed(one_side, **evidence, CaptureMode=list(modes))


def _capture_modes(endpoint: Endpoint) -> tuple[str, ...]:
    """What is captured, `Input` and `Output`; nothing where the configuration leaves it to AWS."""
    config = endpoint.config
    capture = config.data_capture_config if config is not None else None
    modes = {option.capture_mode for option in capture.capture_options} if capture is not None else set()
    if "InputAndOutput" in modes:
        return "Input", "Output"
    return tuple(sorted(mode for mode in modes if mode))
