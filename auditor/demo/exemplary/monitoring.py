"""Model Monitor of the exemplary account: what can be watched is, and what is found tells somebody."""

from auditor.demo.drift import SLUGS, Watch, watch
from auditor.demo.exemplary.names import CAPTURE, KEY, ONCALL, REGION, TAGS, ago, arn, network
from auditor.demo.state import DemoState

_SPACES = {"DataQuality": "data-metrics", "ModelQuality": "model-metrics", "ModelBias": "bias-metrics"}
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
    name = f"{made.name}-drift"
    state.add(
        "MetricAlarm",
        REGION,
        {
            "AlarmName": name,
            "AlarmArn": arn(f"alarm:{name}", "cloudwatch"),
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [ONCALL],
            "InsufficientDataActions": [],
            "StateValue": "OK",
            "StateUpdatedTimestamp": ago(state, 3),
            "EvaluationPeriods": 1,
            "Threshold": 0.1,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "missing",
            "MetricName": _METRICS[type_],
            "Namespace": f"aws/sagemaker/Endpoints/{_SPACES.get(type_, 'explainability-metrics')}",
            "Statistic": "Average",
            "Period": 3600,
            "Dimensions": [
                {"Name": "Endpoint", "Value": endpoint},
                {"Name": "MonitoringSchedule", "Value": made.name},
            ],
        },
    )


def fill(state: DemoState) -> None:
    """Add them to the account: nobody learns whether a summary of notes was right, and it decides nothing."""
    for type_ in SLUGS:
        _watch(state, "readmission", type_)
    _watch(state, "notes", "DataQuality")
