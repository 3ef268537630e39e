"""Whether endpoints have about the capacity that they use, and meet their latency target."""

import math
from datetime import timedelta
from statistics import median
from typing import Any

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import NOW, sample
from collectors.view import Series
from evaluators.controls import lens
from evaluators.instances import has_smaller_size, is_accelerated
from evaluators.rule import (
    Change,
    Given,
    Severity,
    Verdict,
    expect,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.tags import said
from evaluators.traffic import (
    delivered,
    endpoint_of,
    has_traffic,
    host,
    is_async,
    of_cores,
    of_gpus,
    recent,
    runs_components,
)

_HIGH_AVAILABILITY = 2
"""Instances in two zones are the least that a variant needs to survive the loss of one."""

_IDLE_PERCENT = 1.0
"""Below this a GPU computes nothing, whatever memory its server has set aside."""

_FEW_HOURS = 24
_TWICE = 2


def _served(
    *,
    instance_type: str | None = "ml.m7i.xlarge",
    kind: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    endpoint: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    model_name: str | None = "m",
    thresholds: dict[str, Any] | None = None,
    **variant: Any,
) -> Given:
    """An endpoint with one variant, its config and the facts of its instance type (4 vCPUs)."""
    measured: dict[str, Any] = {
        "variant_name": "a",
        "current_instance_count": 2,
        "invocations": [500.0],
        **variant,
    }
    planned = {"variant_name": "a", "model_name": model_name, "instance_type": instance_type}
    return given(
        sample(
            Endpoint,
            tags=tags,
            **{"endpoint_config_name": "config", "production_variants": [measured], **(endpoint or {})},
        ),
        sample(
            EndpointConfig,
            "config",
            **{"production_variants": [planned], **(config or {})},
        ),
        sample(InstanceType, (instance_type or "ml.none").removeprefix("ml."), **(kind or {})),
        **(thresholds or {}),
    )


_ASYNC = {"output_config": {"s3_output_path": "s3://results"}}
_SERVERLESS: dict[str, Any] = {
    "instance_type": None,
    "current_instance_count": None,
    "current_serverless_config": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}
_GPU = {"gpus": [{"count": 4}], "default_v_cpus": 48}
_YESTERDAY = NOW - timedelta(days=1)


def _beyond(variant: Variant) -> Verdict | None:
    """Why none of the rules on capacity speaks of a variant, or `None`."""
    endpoint = endpoint_of(variant)
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service", EndpointStatus=endpoint.endpoint_status)
    if variant.is_serverless:
        return not_applicable("a serverless variant has no instances")
    if runs_components(endpoint):
        return not_applicable("its inference components publish metrics of their own")
    return None


def _young(variant: Variant, days: float) -> bool:
    """Whether the window reaches back to before the endpoint, or its config, was made."""
    endpoint = endpoint_of(variant)
    config = endpoint.config
    made = [endpoint.creation_time, *([config.creation_time] if config is not None else [])]
    return max(made) > endpoint.region.ago(days)


@rule(
    "PERF-002",
    Severity.MEDIUM,
    bad=[
        _served(cpu_utilization=[60.0], memory_utilization=[20.0]),
        # 76 % of 4 vCPUs' 400 % is 19 % of the host.
        _served(cpu_utilization=[10.0, 76.0], memory_utilization=[29.0], instance_type="ml.m7i.xlarge"),
        _served(
            cpu_utilization=[10.0],
            memory_utilization=[10.0],
            instance_type="ml.m7i.large",
            current_instance_count=3,
        ),
        _served(
            cpu_utilization=[10.0],
            memory_utilization=[10.0],
            invocations=None,
            config=_ASYNC,
            approximate_backlog_size=[3.0],
        ),
    ],
    good=[
        _served(cpu_utilization=[100.0], memory_utilization=[20.0]),
        # One peak of memory decides.
        _served(cpu_utilization=[10.0, 10.0, 10.0], memory_utilization=[20.0, 31.0, 20.0]),
        _served(cpu_utilization=[60.0], memory_utilization=[20.0], thresholds={"cpu_low_percent": 10.0}),
    ],
    exempt=[
        _served(
            **_SERVERLESS,
        ),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], kind=_GPU, instance_type="ml.g5.12xlarge"),
        _served(
            cpu_utilization=[10.0],
            memory_utilization=[10.0],
            kind={"neuron_info": {"NeuronDevices": [{"Count": 1}]}},
            instance_type="ml.inf2.xlarge",
        ),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], invocations=None),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], endpoint={"creation_time": _YESTERDAY}),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], config={"creation_time": _YESTERDAY}),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], instance_type="ml.m7i.large"),
        _served(cpu_utilization=[10.0], memory_utilization=[10.0], model_name=None),
        _served(endpoint={"endpoint_status": "Failed"}),
    ],
    remedy="Deploy a configuration with a smaller instance type or fewer instances.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name SMALLER_CONFIG",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST05-BP03"), lens("MLCOST06-BP03"), lens("MLPERF04-BP01")],
)
def overprovisioned_endpoint(
    variant: Variant, *, lookback_days: int = 14, cpu_low_percent: float = 20, mem_low_percent: float = 30
) -> Verdict:
    """Endpoints should not have far more CPU and memory than they use.

    The highest hour of the window decides, for CPU and for memory: one peak is what the capacity is
    for. `CPUUtilization` is the sum over the cores, so it is divided by their number. Hosts with
    accelerators are left to the rule on GPUs, and two instances of the smallest size count as the
    least for high availability.
    """
    beyond = _beyond(variant)
    if beyond is not None:
        return beyond
    kind = host(variant)
    if is_accelerated(kind):
        return not_applicable(
            "accelerators do the work: idle cores say nothing", InstanceType=f"ml.{kind.name}"
        )
    if _young(variant, lookback_days):
        return not_applicable(f"it was made or changed within {lookback_days} days")
    if not has_traffic(variant, lookback_days):
        return not_applicable(f"no traffic in {lookback_days} days")
    cpu = of_cores(_peak(variant, variant.cpu_utilization, "CPUUtilization", lookback_days), kind)
    memory = _peak(variant, variant.memory_utilization, "MemoryUtilization", lookback_days)
    count = variant.current_instance_count
    figures: dict[str, Any] = {
        "CPUUtilization": round(cpu, 1),
        "MemoryUtilization": round(memory, 1),
        "InstanceType": f"ml.{kind.name}",
    }
    if cpu >= cpu_low_percent or memory >= mem_low_percent:
        return passed(**figures)
    if (count or 0) <= _HIGH_AVAILABILITY:
        smaller = has_smaller_size(kind.name)
        if smaller is None:
            message = f"whether SageMaker hosts a smaller size than {kind.name}"
            raise Unread(variant.gap("sagemaker:DescribeEndpointConfig", Reason.NOT_READ, message))
        if not smaller:
            return not_applicable("the smallest size, and no more than high availability needs", **figures)
    return failed("most of its capacity is never used", CurrentInstanceCount=count, **figures)


def _peak(variant: Variant, series: Series, metric: str, days: float) -> float:
    """The highest datapoint of the last days. Raises `Unread` without any."""
    return max(delivered(recent(series, variant, days), variant, metric).values)


@rule(
    "PERF-003",
    Severity.HIGH,
    bad=[
        # 4 GPUs: 60 of 400 is 15 %.
        _served(
            gpu_utilization=[60.0], gpu_memory_utilization=[100.0], kind=_GPU, instance_type="ml.g5.12xlarge"
        ),
        # Servers of language models set memory aside without computing.
        _served(
            gpu_utilization=[1.0], gpu_memory_utilization=[380.0], kind=_GPU, instance_type="ml.g5.12xlarge"
        ),
    ],
    good=[
        _served(
            gpu_utilization=[10.0, 90.0],
            gpu_memory_utilization=[100.0],
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
        ),
        _served(
            gpu_utilization=[60.0], gpu_memory_utilization=[200.0], kind=_GPU, instance_type="ml.g5.12xlarge"
        ),
        _served(
            gpu_utilization=[60.0],
            gpu_memory_utilization=[100.0],
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
            thresholds={"gpu_low_percent": 10.0},
        ),
    ],
    exempt=[
        _served(cpu_utilization=[10.0], memory_utilization=[10.0]),
        _served(
            invocations=None,
            cpu_utilization=[10.0],
            gpu_utilization=[60.0],
            gpu_memory_utilization=[100.0],
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
        ),
        _served(
            gpu_utilization=[60.0],
            gpu_memory_utilization=[100.0],
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
            endpoint={"creation_time": _YESTERDAY},
        ),
        _served(
            **_SERVERLESS,
        ),
        _served(model_name=None, kind=_GPU, instance_type="ml.g5.12xlarge"),
    ],
    remedy="Move to a smaller GPU, to CPU or Inferentia, or share it by a multi-model endpoint or components.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name SMALLER_CONFIG",
    change=Change.IN_PLACE,
    maps=[lens("MLPERF04-BP01"), lens("MLCOST05-BP02")],
)
def underused_endpoint_gpu(
    variant: Variant, *, lookback_days: int = 14, gpu_low_percent: float = 20, gpu_mem_low_percent: float = 30
) -> Verdict:
    """GPU endpoints should use their GPUs.

    GPU hours dominate the cost. Utilisation is the sum over the GPUs, so it is divided by their
    number; the highest hour decides. Memory that is full while nothing is computed is still idle:
    servers of language models set it aside when they start. A container that does not report its
    GPUs is not judged.
    """
    beyond = _beyond(variant)
    if beyond is not None:
        return beyond
    kind = host(variant)
    if kind.gpu_count == 0:
        return not_applicable("no GPU", InstanceType=f"ml.{kind.name}")
    if _young(variant, lookback_days):
        return not_applicable(f"it was made or changed within {lookback_days} days")
    if not has_traffic(variant, lookback_days):
        return not_applicable(f"no traffic in {lookback_days} days")
    used = of_gpus(_peak(variant, variant.gpu_utilization, "GPUUtilization", lookback_days), kind)
    filled = of_gpus(
        _peak(variant, variant.gpu_memory_utilization, "GPUMemoryUtilization", lookback_days), kind
    )
    idle = used < _IDLE_PERCENT or (used < gpu_low_percent and filled < gpu_mem_low_percent)
    return expect(
        not idle,
        "its GPUs are hardly used",
        GPUUtilization=round(used, 1),
        GPUMemoryUtilization=round(filled, 1),
        InstanceType=f"ml.{kind.name}",
        gpus=kind.gpu_count,
    )


_BUSY_DAY: dict[str, Any] = {
    "concurrent_requests_per_model": [2.0] * 44 + [8.0] * 4,
    "p95_model_latency": [90_000.0] * 44 + [400_000.0] * 4,
}
_CALM: dict[str, Any] = {"p95_cpu_utilization": [100.0], "p95_memory_utilization": [40.0]}


@rule(
    "PERF-004",
    Severity.MEDIUM,
    bad=[
        # 4 vCPUs: 350 of 400 is 87.5 %.
        _served(p95_cpu_utilization=[350.0] * 3, p95_memory_utilization=[40.0] * 3),
        _served(p95_cpu_utilization=[100.0] * 3, p95_memory_utilization=[86.0] * 3),
        _served(
            p95_cpu_utilization=[100.0] * 3,
            p95_gpu_utilization=[390.0] * 3,
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
        ),
        _served(**_CALM, **_BUSY_DAY),
    ],
    good=[
        _served(p95_cpu_utilization=[350.0] * 2, p95_memory_utilization=[40.0] * 2),
        _served(**_CALM),
        # Language models fill their memory by design.
        _served(
            p95_cpu_utilization=[100.0] * 3,
            p95_memory_utilization=[95.0] * 3,
            p95_gpu_utilization=[100.0] * 3,
            kind=_GPU,
            instance_type="ml.g5.12xlarge",
        ),
        _served(**_CALM, **{**_BUSY_DAY, "p95_model_latency": [90_000.0] * 48}),
        _served(
            p95_cpu_utilization=[350.0] * 3, p95_memory_utilization=[40.0] * 3, thresholds={"min_hours": 4}
        ),
    ],
    exempt=[
        _served(invocations=None, cpu_utilization=[10.0], p95_cpu_utilization=[390.0] * 5),
        _served(
            **_SERVERLESS,
        ),
        _served(model_name=None),
    ],
    remedy="Scale out or up, or lower the target of its autoscaling.",
    command=(
        "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {name} "
        "--desired-weights-and-capacities VariantName={part},DesiredInstanceCount=COUNT"
    ),
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP03"), lens("MLPERF06-BP04")],
)
def saturated_endpoint(
    variant: Variant, *, high_percent: float = 85, min_hours: int = 3, lookback_days: int = 7
) -> Verdict:
    """Endpoints should not be saturated.

    Latency and errors follow saturation. An hour counts when the 95th percentile of CPU, memory or
    GPU, out of a hundred, is over the limit in it. The memory of hosts with accelerators is left
    out: servers of language models fill it by design. Latency that at least doubles in the hours
    with at least twice the usual concurrent requests counts as well, where these are published.
    """
    beyond = _beyond(variant)
    if beyond is not None:
        return beyond
    kind = host(variant)
    if not has_traffic(variant, lookback_days):
        return not_applicable(f"no traffic in {lookback_days} days")
    cores, gpus = 100 * max(1, kind.default_v_cpus), 100 * max(1, kind.gpu_count)
    watched = [("CPUUtilization", variant.p95_cpu_utilization, cores)]
    if not is_accelerated(kind):
        watched.append(("MemoryUtilization", variant.p95_memory_utilization, 100))
    if kind.gpu_count:
        watched.append(("GPUUtilization", variant.p95_gpu_utilization, gpus))
    figures: dict[str, Any] = {"InstanceType": f"ml.{kind.name}"}
    for metric, series, full in watched:
        shares = [
            100 * v / full for v in delivered(recent(series, variant, lookback_days), variant, metric).values
        ]
        hours = sum(share > high_percent for share in shares)
        if hours >= min_hours:
            return failed(
                f"{metric} is over {high_percent:g} % for hours",
                hours_over=hours,
                **{**figures, metric: round(max(shares), 1)},
            )
        figures[metric] = round(max(shares), 1)
    concurrent = recent(variant.concurrent_requests_per_model, variant, lookback_days)
    latency = recent(variant.p95_model_latency, variant, lookback_days)
    return expect(
        not _queues(concurrent, latency, min_hours),
        "latency doubles when more requests come at once",
        ConcurrentRequestsPerModel=concurrent.maximum(),
        **figures,
    )


def _queues(concurrent: Series, latency: Series, min_hours: int) -> bool:
    """Whether latency grows with the number of requests that are served at once."""
    delays = dict(zip(latency.timestamps, latency.values, strict=True))
    pairs = [
        (n, delays[t]) for t, n in zip(concurrent.timestamps, concurrent.values, strict=True) if t in delays
    ]
    if len(pairs) < _FEW_HOURS:
        return False
    usual = median(n for n, _ in pairs)
    busy = [delay for n, delay in pairs if n >= _TWICE * max(1.0, usual)]
    calm = [delay for n, delay in pairs if n <= usual]
    return len(busy) >= max(1, min_hours) and median(busy) >= _TWICE * median(calm)


_SLO = {"latency-slo-ms": "100"}


@rule(
    "PERF-005",
    Severity.MEDIUM,
    bad=[
        _served(tags=_SLO, model_latency=[90_000.0], overhead_latency=[11_000.0]),
        _served(model_latency=[90_000.0], overhead_latency=[11_000.0], thresholds={"default_p95_ms": 100}),
        # Two weeks, and the target was missed in the first of them.
        _served(
            tags=_SLO,
            model_latency=[120_000.0, 50_000.0],
            overhead_latency=[1_000.0, 1_000.0],
            thresholds={"lookback_days": 14},
        ),
        _served(
            tags={"slo": "50 "},
            model_latency=[60_000.0],
            **_SERVERLESS,
            thresholds={"slo_tag": "slo"},
        ),
    ],
    good=[
        # Microseconds: 90 ms and 10 ms are just the target.
        _served(tags=_SLO, model_latency=[90_000.0], overhead_latency=[10_000.0]),
        _served(tags=_SLO, model_latency=[120_000.0, 50_000.0], overhead_latency=[1_000.0, 1_000.0]),
        # The overhead of a serverless variant holds its cold starts.
        _served(
            tags=_SLO,
            model_latency=[60_000.0],
            overhead_latency=[9_000_000.0],
            **_SERVERLESS,
        ),
    ],
    exempt=[
        _served(model_latency=[9_000_000.0], overhead_latency=[1.0]),
        _served(tags={"latency-slo-ms": "fast"}, model_latency=[9_000_000.0], overhead_latency=[1.0]),
        _served(tags=_SLO, invocations=None, cpu_utilization=[10.0]),
        _served(
            tags=_SLO,
            invocations=None,
            **_SERVERLESS,
        ),
        _served(tags=_SLO, config=_ASYNC, model_latency=[9_000_000.0]),
        _served(tags=_SLO, model_name=None),
    ],
    remedy="Speed up the model or its container, or give it more capacity.",
    change=Change.IN_PLACE,
    maps=[lens("MLPERF01-BP01"), lens("MLPERF05-BP02")],
)
def slow_endpoint(
    variant: Variant,
    *,
    slo_tag: str = "latency-slo-ms",
    default_p95_ms: int | None = None,
    lookback_days: int = 7,
) -> Verdict:
    """Endpoints should meet their latency target.

    The number is the owner's: a tag on the endpoint, in milliseconds, or the default of the
    settings. The 95th percentile of each whole week of the window counts, as the sum of the model's
    and of SageMaker's overhead. Of serverless variants only the model's latency counts: their
    overhead holds the cold starts.
    """
    endpoint = endpoint_of(variant)
    target = _target(said(endpoint.tags, slo_tag), default_p95_ms)
    if target is None:
        return not_applicable("no latency target is set")
    if is_async(endpoint):
        return not_applicable("calls of an asynchronous endpoint wait in a queue")
    if runs_components(endpoint):
        return not_applicable("its inference components publish metrics of their own")
    serverless = variant.is_serverless
    days = 7 * math.ceil(lookback_days / 7)
    model = recent(variant.model_latency, variant, days)
    if not model and (serverless or not has_traffic(variant, days)):
        return not_applicable(f"no traffic in {days} days")
    weeks = delivered(model, variant, "ModelLatency").values
    if not serverless:
        overhead = delivered(recent(variant.overhead_latency, variant, days), variant, "OverheadLatency")
        beside = dict(zip(overhead.timestamps, overhead.values, strict=True))
        weeks = tuple(v + beside.get(t, 0.0) for t, v in zip(model.timestamps, model.values, strict=True))
    worst = max(weeks) / 1000
    return expect(
        worst <= target,
        f"the 95th percentile is over the target of {target:g} ms",
        ModelLatency=max(model.values),
        p95_ms=round(worst, 1),
        target_ms=target,
    )


def _target(tag: str, default: int | None) -> float | None:
    """The target in milliseconds; a tag that is no number above zero is no target."""
    try:
        found = float(tag)
    except ValueError:
        return default
    return found if math.isfinite(found) and found > 0 else default
