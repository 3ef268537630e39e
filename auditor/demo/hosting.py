"""How endpoints of the demo account are written down, and the traffic that CloudWatch saw of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from auditor.demo.company import (
    ago,
    arn,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Series


@dataclass(frozen=True, slots=True)
class Load:
    """What an endpoint's hosts and callers see, hour by hour.

    `hourly` calls cycle over the day; CPU and GPU are percent over all cores or GPUs; latency in milliseconds.
    """

    hourly: tuple[int, ...] = (0,)
    cpu: float = 5
    memory: float = 20
    gpu: float | None = None
    gpu_memory: float | None = None
    latency: tuple[float, float] = (40, 70)
    errors: float = 0
    days: int = 15
    disk: float = 18


def observe(
    state: DemoState, region: str, endpoint: str, variant: str, load: Load, *, invocations: bool = True
) -> None:
    """Keep an endpoint's metrics; asynchronous endpoints publish no invocations."""
    document = state.named("Endpoint", region, endpoint)[0]
    end = state.now
    start = max(document["CreationTime"], end - timedelta(days=load.days)).replace(
        minute=0, second=0, microsecond=0
    )
    dimensions = {"EndpointName": endpoint, "VariantName": variant}

    def keep(namespace: str, name: str, step: int, values: Sequence[tuple[float, float]]) -> None:
        state.metric(region, namespace, name, dimensions, Series(start, end, step, tuple(values)))

    host = "/aws/sagemaker/Endpoints"
    wave = (0.6, 0.8, 1.0, 0.9)
    keep(host, "CPUUtilization", 900, [(load.cpu * factor, 1) for factor in wave])
    keep(host, "MemoryUtilization", 900, [(load.memory * factor, 1) for factor in (0.97, 1.0)])
    keep(host, "DiskUtilization", 3600, [(load.disk, 4)])
    if load.gpu is not None:
        keep(host, "GPUUtilization", 900, [(load.gpu * factor, 1) for factor in wave])
    if load.gpu_memory is not None:
        keep(host, "GPUMemoryUtilization", 900, [(load.gpu_memory, 1)])
    if not invocations or not any(load.hourly):
        return
    own = "AWS/SageMaker"
    keep(own, "Invocations", 3600, [(1, calls) for calls in load.hourly])
    keep(own, "InvocationsPerInstance", 3600, [(0.5, calls) for calls in load.hourly])
    # CloudWatch gets a one or a zero for each call: the sum is the failures, the average their share.
    keep(own, "Invocation5XXErrors", 3600, [(1, calls * load.errors) for calls in load.hourly])
    keep(own, "Invocation5XXErrors", 3600, [(0, calls * (1 - load.errors)) for calls in load.hourly])
    keep(own, "Invocation4XXErrors", 3600, [(0, calls) for calls in load.hourly])
    typical, slow = load.latency
    # One call in ten is slow, so that the 95th percentile is the slow one and the mean is not.
    spread = [(typical, 9.0), (typical, 9.0), (typical, 9.0), (slow, 3.0)]
    keep(own, "ModelLatency", 900, [(value * 1000, count) for value, count in spread])
    keep(own, "OverheadLatency", 900, [(2500.0, 30.0)])


def config(
    state: DemoState, region: str, name: str, days: float, variants: Sequence[Document], **more: Any
) -> None:
    """An endpoint configuration; `more` are members of DescribeEndpointConfig."""
    document = {
        "EndpointConfigName": name,
        "EndpointConfigArn": arn(region, f"endpoint-config/{name}"),
        "ProductionVariants": list(variants),
        "CreationTime": ago(state, days=days),
        "EnableNetworkIsolation": False,
        **more,
    }
    state.add("EndpointConfig", region, document)


def variant(name: str, model: str, instance: str, count: int, **more: Any) -> Document:
    """A production variant of a configuration, on instances."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": instance,
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1.0,
        **more,
    }


def endpoint(
    state: DemoState,
    region: str,
    name: str,
    days: float,
    *,
    config_name: str,
    running: Sequence[Document],
    modified: float | None = None,
    status: str = "InService",
    held: Mapping[str, str] | None = None,
    **more: Any,
) -> None:
    """An endpoint created and last changed so many days ago; `more` are members of DescribeEndpoint."""
    document = {
        "EndpointName": name,
        "EndpointArn": arn(region, f"endpoint/{name}"),
        "EndpointConfigName": config_name,
        "ProductionVariants": list(running),
        "EndpointStatus": status,
        "CreationTime": ago(state, days=days),
        "LastModifiedTime": ago(state, days=days if modified is None else modified),
        **more,
    }
    state.add("Endpoint", region, document, held)


def live(name: str, count: int, **more: Any) -> Document:
    """A variant as an endpoint shows it while it runs."""
    return {
        "VariantName": name,
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
        **more,
    }


def capture(state: str, percent: int, **more: Any) -> Document:
    """An endpoint's data capture as Describe shows it."""
    return {
        "EnableCapture": state == "Started",
        "CaptureStatus": state,
        "CurrentSamplingPercentage": percent,
        "DestinationS3Uri": "s3://larkspur-capture/endpoints",
        "KmsKeyId": "",
        **more,
    }


def capture_config(percent: int, **more: Any) -> Document:
    """Data capture as an endpoint configuration asks for it."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": "s3://larkspur-capture/endpoints",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        **more,
    }
