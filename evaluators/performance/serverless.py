"""Serverless endpoints: memory, cold starts and provisioned concurrency against what is used."""

import math
from typing import Any

from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import sample
from evaluators.controls import lens
from evaluators.money import HOURS, Usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import delivered, endpoint_of, recent

_SMALLEST_MB = 1024
"""Memory comes in steps of 1024 MB, from 1024 to 6144."""

_COLD_SHARE = 0.05
_COLD_STARTS = 100
_COLD_MICROSECONDS = 5_000_000
"""From when on cold starts count as many and long: one call in twenty, a hundred in all, five seconds."""


def _serverless(*, memory: int | None = 2048, held: int | None = None, **variant: Any) -> Given:
    thresholds = variant.pop("thresholds", {})
    served = {
        "variant_name": "main",
        "current_serverless_config": {"MaxConcurrency": 10},
        "memory_size_in_mb": memory,
        "provisioned_concurrency": held,
        "invocations": [1000.0],
        "memory_utilization": [55.0],
        **variant,
    }
    return given(sample(Endpoint, production_variants=[served]), **thresholds)


@rule(
    "PERF-018",
    Severity.LOW,
    bad=[
        _serverless(memory_utilization=[12.0, 29.0]),
        _serverless(memory_utilization=[40.0, 91.0]),
        _serverless(memory=6144, memory_utilization=[95.0]),
        _serverless(cold_starts=[120.0], model_setup_time=[8_000_000.0]),
        _serverless(held=10, provisioned_concurrency_utilization=[0.05, 0.1]),
        _serverless(memory_utilization=[40.0], thresholds={"mem_low_percent": 45.0}),
    ],
    good=[
        _serverless(),
        # The smallest size cannot be smaller.
        _serverless(memory=1024, memory_utilization=[12.0]),
        _serverless(cold_starts=[12.0], model_setup_time=[8_000_000.0]),
        _serverless(cold_starts=[400.0], model_setup_time=[300_000.0]),
        _serverless(held=10, provisioned_concurrency_utilization=[0.6]),
        _serverless(
            held=2,
            provisioned_concurrency_utilization=[0.6],
            cold_starts=[120.0],
            model_setup_time=[8_000_000.0],
        ),
    ],
    exempt=[
        _serverless(current_serverless_config=None, memory=None, current_instance_count=2),
        _serverless(invocations=None),
        given(sample(Endpoint, endpoint_status="Creating", production_variants=[{"variant_name": "main"}])),
    ],
    remedy="Deploy a configuration with the memory and the provisioned concurrency that the calls need.",
    command="aws sagemaker create-endpoint-config --endpoint-config-name RESIZED "
    "--production-variants file://serverless.json",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST05-BP03")],
)
def missized_serverless_variant(
    variant: Variant,
    *,
    lookback_days: int = 14,
    mem_low_percent: float = 30,
    mem_high_percent: float = 90,
    pc_low_percent: float = 20,
) -> Verdict:
    """Serverless endpoints should be sized to their load.

    The memory size sets the price and the share of CPU: the fullest hour decides. Provisioned
    concurrency is billed whether calls come or not. Cold starts count only where many callers wait
    long for them and no concurrency is provisioned: of sporadic calls they are the nature.
    """
    endpoint = endpoint_of(variant)
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service", EndpointStatus=endpoint.endpoint_status)
    if not variant.is_serverless:
        return not_applicable("not serverless")
    called = recent(variant.invocations, variant, lookback_days).sum()
    if not called:
        return not_applicable(f"no traffic in {lookback_days} days")
    held, size = variant.provisioned_concurrency, variant.memory_size_in_mb
    if held:
        used = recent(variant.provisioned_concurrency_utilization, variant, lookback_days)
        peak = max(delivered(used, variant, "ServerlessProvisionedConcurrencyUtilization").values)
        if 100 * peak < pc_low_percent:
            return failed(
                "most of its provisioned concurrency is never used",
                waste=_unused(held, peak, size),
                ProvisionedConcurrency=held,
                ServerlessProvisionedConcurrencyUtilization=round(peak, 3),
            )
    series = recent(variant.memory_utilization, variant, lookback_days)
    filled = max(delivered(series, variant, "MemoryUtilization").values)
    figures: dict[str, Any] = {"MemorySizeInMB": size, "MemoryUtilization": round(filled, 1)}
    if filled > mem_high_percent:
        return failed("its memory is nearly full", **figures)
    if filled < mem_low_percent and (size or 0) > _SMALLEST_MB:
        return failed("most of its memory is never used", **figures)
    if not held:
        cold = recent(variant.cold_starts, variant, lookback_days).sum()
        slow = recent(variant.model_setup_time, variant, 7 * math.ceil(lookback_days / 7)).maximum() or 0.0
        if cold >= _COLD_STARTS and cold / called >= _COLD_SHARE and slow >= _COLD_MICROSECONDS:
            return failed(
                "many calls wait for a cold start", ModelSetupTime=slow, cold_starts=cold, **figures
            )
    return passed(**figures)


def _unused(held: int, peak: float, size: int | None) -> list[Usage]:
    """The provisioned concurrency that no hour needed, for a month of GB-seconds."""
    spare = held - max(1, math.ceil(held * peak))
    if spare <= 0 or not size:
        return []
    return [Usage("serverless-hosting", units=size / 1024 * HOURS * 3600, count=spare)]
