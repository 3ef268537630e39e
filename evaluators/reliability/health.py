"""Whether endpoints serve: their status, and the share of calls that they fail."""

from datetime import timedelta
from typing import Any

from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import NOW, sample
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import recent

_DOWN = frozenset({"Failed", "OutOfService", "UpdateRollbackFailed", "RollingBack"})
_CHANGING = frozenset({"Creating", "Updating", "SystemUpdating"})
_PATIENCE = timedelta(hours=2)


def _calls(invocations: float, errors: float, name: str = "a") -> dict[str, Any]:
    return {"variant_name": name, "invocations": [invocations], "invocation5_xx_errors": [errors]}


@rule(
    "REL-018",
    Severity.HIGH,
    bad=[
        {"endpoint_status": "Failed", "failure_reason": "no capacity"},
        {"endpoint_status": "OutOfService"},
        {"endpoint_status": "UpdateRollbackFailed"},
        {"endpoint_status": "RollingBack"},
        {"production_variants": [_calls(10_000, 100)]},
        {"production_variants": [_calls(500, 0), _calls(600, 60, "b")]},
        # A failed update leaves the old variants in service, and the reason behind.
        {"failure_reason": "the new model did not start", "production_variants": [_calls(10_000, 0)]},
        {
            "endpoint_status": "Updating",
            "last_modified_time": NOW - timedelta(hours=3),
            "production_variants": [_calls(10_000, 5_000)],
        },
    ],
    good=[
        {"production_variants": [_calls(10_000, 99)]},
        given(sample(Endpoint, production_variants=[_calls(100, 0)]), min_invocations=100),
    ],
    exempt=[
        {"endpoint_status": "Creating", "last_modified_time": NOW - timedelta(minutes=90)},
        {
            "endpoint_status": "Updating",
            "last_modified_time": NOW,
            "production_variants": [_calls(10_000, 5_000)],
        },
        {"endpoint_status": "Deleting"},
        {"production_variants": [_calls(999, 999)]},
        # Without datapoints of Invocations, as with inference components, no errors are no proof.
        {"production_variants": [{"variant_name": "a"}]},
    ],
    remedy="Read FailureReason and the endpoint's logs, then roll back to the configuration that served before.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name PREVIOUS_CONFIG",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS05-BP01")],
)
def endpoint_failing_calls(
    endpoint: Endpoint, *, lookback_days: int = 7, max_5xx_share: float = 0.01, min_invocations: int = 1000
) -> Verdict:
    """Endpoints should be in service with a low error rate.

    Consumers are failing now. An endpoint whose last update failed goes on serving the old variants:
    that is reported one level lower. Errors are counted over all production variants together, and
    only where there were enough calls: endpoints of inference components and asynchronous ones
    publish no invocations of their variants, so only their status is seen here.
    """
    status = endpoint.endpoint_status
    if status == "Deleting":
        return not_applicable("the endpoint is being deleted", EndpointStatus=status)
    if status in _DOWN:
        return failed(
            f"the endpoint is {status}", EndpointStatus=status, FailureReason=endpoint.failure_reason
        )
    if status in _CHANGING and endpoint.region.now - endpoint.last_modified_time < _PATIENCE:
        return not_applicable("the endpoint began to change less than two hours ago", EndpointStatus=status)
    variants = endpoint.production_variants
    calls = sum(recent(variant.invocations, variant, lookback_days).sum() for variant in variants)
    errors = sum(recent(variant.invocation5_xx_errors, variant, lookback_days).sum() for variant in variants)
    share = errors / calls if calls else 0.0
    figures: dict[str, Any] = {
        "Invocations": calls,
        "Invocation5XXErrors": errors,
        "share_of_5xx": round(share, 4),
    }
    if calls >= min_invocations and share >= max_5xx_share:
        return failed("too many calls end in a server error", EndpointStatus=status, **figures)
    if status == "InService" and endpoint.failure_reason:
        return failed(
            "the last update failed; the old variants go on serving",
            lowered=1,
            why_lowered="the endpoint serves what it served before",
            FailureReason=endpoint.failure_reason,
        )
    if calls < min_invocations:
        return not_applicable(f"fewer than {min_invocations} invocations in {lookback_days} days", **figures)
    return passed(EndpointStatus=status, **figures)
