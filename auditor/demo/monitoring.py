"""Model Monitor: one endpoint is watched in all four ways, one in a way that finds nothing."""

from typing import Any

from auditor.demo.alarms import drift_alarm
from auditor.demo.company import KEYS, LAB, PROD, network, tags
from auditor.demo.drift import Watch, watch
from auditor.demo.state import ACCOUNT, DemoState

_CHURN = "churn-realtime"
_BUCKET = "larkspur-capture"


def _churn(state: DemoState) -> None:
    """Data quality as it should be; the others are not isolated, not looked at, or on too large a machine."""
    held: dict[str, Any] = {
        "endpoint": _CHURN,
        "role": "ml-inference",
        "bucket": _BUCKET,
        "tags": tags("churn"),
    }
    isolated = {
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "VpcConfig": network(PROD),
    }
    data = Watch(
        **held,
        type="DataQuality",
        network=isolated,
        key=KEYS["data"],
        count=2,
        hourly=True,
        runs=("CompletedWithViolations", "CompletedWithViolations", "Completed"),
    )
    violated = ("CompletedWithViolations",) * 4
    for made in (
        data,
        Watch(**held, type="ModelQuality", count=2, runs=violated),
        Watch(**held, type="ModelBias"),
        Watch(**held, type="ModelExplainability", instance="ml.m5.4xlarge", cpu=70, memory=9),
    ):
        watch(state, PROD, made)
    answered = [f"arn:aws:ssm-incidents::{ACCOUNT}:response-plan/churn-drift"]
    drift_alarm(state, PROD, (_CHURN, data.name), "feature_baseline_drift_tenure_months", "data", answered)


def _named_entities(state: DemoState) -> None:
    """The laboratory's endpoint is called, but captures nothing any more: each run starts a machine for that."""
    reason = "No S3 objects found under S3 URL s3://larkspur-capture/endpoints/ner given in input data source"
    empty = Watch(
        endpoint="ner",
        type="DataQuality",
        role="ml-research",
        bucket=_BUCKET,
        hourly=True,
        runs=("Failed",) * 5,
        reason=reason,
        tags=tags("research", "development"),
    )
    watch(state, LAB, empty)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    _churn(state)
    _named_entities(state)
