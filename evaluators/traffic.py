"""What an endpoint's metrics say: windows, proof of delivery, traffic and loads out of a hundred."""

from datetime import timedelta

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.sagemaker.endpoint_configs import ConfiguredVariant
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.view import METRIC_DATA, Node, Series
from evaluators.instances import facts


def recent(series: Series, node: Node, days: float) -> Series:
    """The last days of a series. Raises `Unread` where the run's window of metrics is shorter.

    Windows begin on a full hour, at most one after the moment that was asked for.
    """
    moment = node.region.ago(days)
    if series.start > moment + timedelta(hours=1):
        message = f"metrics were read from {series.start:%Y-%m-%d} on, not from {moment:%Y-%m-%d}"
        raise Unread(node.gap(str(METRIC_DATA), Reason.NOT_READ, message))
    return series.since(moment)


def delivered(series: Series, node: Node, metric: str) -> Series:
    """A series that has datapoints. Raises `Unread` without any: metrics that do not arrive are not zero."""
    if not series:
        raise Unread(
            node.gap(str(METRIC_DATA), Reason.MISSING, f"no datapoints of {metric} for {node.view.name}")
        )
    return series


def endpoint_of(variant: Variant) -> Endpoint:
    """The endpoint that a variant belongs to."""
    endpoint = variant.view
    assert isinstance(endpoint, Endpoint)  # noqa: S101 - variants are parts of endpoints only
    return endpoint


def configured(variant: Variant) -> ConfiguredVariant:
    """What the endpoint's config says of a variant: its instance type is nowhere else.

    Raises `Unread` where the config was deleted under its endpoint, or lacks the variant.
    """
    endpoint = endpoint_of(variant)
    config = endpoint.config
    if config is not None:
        for found in (*config.production_variants, *config.shadow_production_variants):
            if found.variant_name == variant.variant_name:
                return found
    message = f"no config describes variant {variant.variant_name}"
    raise Unread(variant.gap("sagemaker:DescribeEndpointConfig", Reason.VANISHED, message))


def is_async(endpoint: Endpoint) -> bool:
    """Whether calls are queued: such an endpoint never publishes `Invocations` or `OverheadLatency`.

    Raises `Unread` where the config was deleted under the endpoint: nothing else tells.
    """
    config = endpoint.config
    if config is None:
        message = f"the config of {endpoint.name} is gone"
        raise Unread(endpoint.gap("sagemaker:DescribeEndpointConfig", Reason.VANISHED, message))
    return config.is_async


def runs_components(endpoint: Endpoint) -> bool:
    """Whether inference components serve its models: they publish under `InferenceComponentName`."""
    return any(not configured(variant).model_name for variant in endpoint.production_variants)


def calls(variant: Variant, days: float) -> float:
    """How often a variant was called in the last days, as far as its metrics tell.

    Of an asynchronous endpoint, what waited or was processed counts.
    """
    if not is_async(endpoint_of(variant)):
        return recent(variant.invocations, variant, days).sum()
    counted = (
        variant.approximate_backlog_size,
        variant.invocations_processed,
        variant.invocations_processsed,
    )
    return sum(recent(series, variant, days).sum() for series in counted)


def has_traffic(variant: Variant, days: float) -> bool:
    """Whether a variant was called in the last days.

    Where `Invocations` has no datapoints a host metric has to prove that metrics arrive at all,
    else nobody knows and `Unread` is raised.
    """
    if calls(variant, days) > 0:
        return True
    delivered(recent(variant.cpu_utilization, variant, days), variant, "CPUUtilization")
    return False


def of_cores(percent: float, kind: InstanceType) -> float:
    """`CPUUtilization` out of a hundred: AWS sends 0-100 for each vCPU."""
    return percent / max(1, kind.default_v_cpus)


def of_gpus(percent: float, kind: InstanceType) -> float:
    """`GPUUtilization` or `GPUMemoryUtilization` out of a hundred: AWS sends 0-100 for each GPU."""
    return percent / max(1, kind.gpu_count)


def host(variant: Variant) -> InstanceType:
    """The instance type of a variant. Raises `Unread` where it has none that EC2 knows."""
    found = configured(variant)
    if not found.instance_type:
        message = f"variant {variant.variant_name} has no single instance type"
        raise Unread(variant.gap("sagemaker:DescribeEndpointConfig", Reason.MISSING, message))
    return facts(variant.region, found.instance_type)
