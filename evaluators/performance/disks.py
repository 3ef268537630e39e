"""Disks of endpoints: space for models, temporary files and what data capture waits to upload."""

from typing import Any

from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import sample
from evaluators.controls import lens
from evaluators.rule import Change, Given, Severity, Verdict, expect, given, not_applicable, rule
from evaluators.traffic import endpoint_of, recent


def _endpoint(*, status: str = "InService", threshold: dict[str, Any] | None = None, **variant: Any) -> Given:
    served = {"variant_name": "main", "current_instance_count": 2, **variant}
    return given(sample(Endpoint, endpoint_status=status, production_variants=[served]), **(threshold or {}))


@rule(
    "PERF-021",
    Severity.MEDIUM,
    bad=[
        _endpoint(disk_utilization=[75.0]),
        _endpoint(disk_utilization=[20.0, 91.0, 30.0]),
        _endpoint(disk_utilization=[60.0], threshold={"disk_high_percent": 50.0}),
    ],
    good=[
        _endpoint(disk_utilization=[20.0, 74.0]),
        # Full ten days ago, and cleaned since.
        _endpoint(disk_utilization=[90.0] + [30.0] * 9),
    ],
    exempt=[
        _endpoint(),
        _endpoint(
            current_instance_count=None,
            current_serverless_config={"MaxConcurrency": 5},
            disk_utilization=[90.0],
        ),
        _endpoint(status="Creating", disk_utilization=[90.0]),
    ],
    remedy="Deploy a configuration with a larger VolumeSizeInGB, or with a type that has larger local disks.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name LARGER_DISK",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS05-BP01")],
)
def endpoint_disk_pressure(
    variant: Variant, *, disk_high_percent: float = 75, lookback_days: int = 7
) -> Verdict:
    """Disks of endpoints should not fill up.

    Data capture stops on a host whose disk is filled to a high degree (AWS: keep it below 75 %), and
    models that are loaded on demand find no room. The fullest hour of any host decides. Transform
    jobs publish no disk utilisation; serverless variants have no disk that anybody sees.
    """
    endpoint = endpoint_of(variant)
    if endpoint.endpoint_status not in ("InService", "Updating"):
        return not_applicable("the endpoint is not in service", EndpointStatus=endpoint.endpoint_status)
    if variant.is_serverless:
        return not_applicable("a serverless variant has no disk that anybody sees")
    fullest = recent(variant.disk_utilization, variant, lookback_days).maximum()
    if fullest is None:
        return not_applicable("it publishes no DiskUtilization")
    return expect(
        fullest < disk_high_percent,
        f"a disk is filled to {fullest:.0f} %",
        DiskUtilization=round(fullest, 1),
    )
