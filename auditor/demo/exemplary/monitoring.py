"""Model Monitor of the exemplary account: what can be watched is, and what is found tells somebody."""

from auditor.demo.alarms import drift_alarm
from auditor.demo.drift import SLUGS, Watch, watch
from auditor.demo.exemplary.names import CAPTURE, KEY, ONCALL, REGION, TAGS, network
from auditor.demo.state import DemoState

_SPACES = {"DataQuality": "data", "ModelQuality": "model", "ModelBias": "bias"}
_METRICS = {
    "DataQuality": "feature_baseline_drift_age",
    "ModelQuality": "auc",
    "ModelBias": "bias_metric_dpl",
    "ModelExplainability": "feature_attribution",
}


def _watch(state: DemoState, endpoint: str, type_: str) -> None:
    # Clarify starts a shadow endpoint and has to reach it.
    isolated = type_ in ("DataQuality", "ModelQuality")
    made = Watch(
        endpoint=endpoint,
        type=type_,
        role="monitoring",
        bucket=CAPTURE,
        network={
            "EnableNetworkIsolation": isolated,
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": network(),
        },
        key=KEY,
        tags=TAGS,
    )
    watch(state, REGION, made)
    drift_alarm(
        state, REGION, (endpoint, made.name), _METRICS[type_], _SPACES.get(type_, "explainability"), [ONCALL]
    )


def fill(state: DemoState) -> None:
    """Add them to the account: nobody learns whether a summary of notes was right, and it decides nothing."""
    for type_ in SLUGS:
        _watch(state, "readmission", type_)
    _watch(state, "notes", "DataQuality")
