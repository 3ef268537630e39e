"""Inference components that hold capacity and serve nobody."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from collectors.model import Reason, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.hosting import hosting_usage
from evaluators.money import Usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import delivered, recent

_HOSTS: dict[str, Any] = {"variant_name": "main", "current_instance_count": 1, "cpu_utilization": [3.0]}


def _component(
    *others: Sample, variant: dict[str, Any] | None = None, idle_days: int = 7, **values: Any
) -> Given:
    """A component whose endpoint's host metrics arrive."""
    base = {"endpoint_name": "shared", "current_copy_count": 2, "inference_component_status": "InService"}
    return given(
        sample(InferenceComponent, "ranker", **{**base, **values}),
        sample(
            Endpoint,
            "shared",
            endpoint_config_name="c",
            production_variants=[{**_HOSTS, **(variant or {})}],
        ),
        sample(
            EndpointConfig,
            "c",
            production_variants=[{"variant_name": "main", "instance_type": "ml.g5.12xlarge"}],
        ),
        *others,
        idle_days=idle_days,
    )


def _adapter(**values: Any) -> Sample:
    return sample(
        InferenceComponent,
        "adapter",
        endpoint_name="shared",
        base_inference_component_name="ranker",
        inference_component_status="InService",
        **values,
    )


@rule(
    "COST-009",
    Severity.MEDIUM,
    bad=[
        _component(),
        _component(invocations=[0.0, 0.0]),
        # Its only calls were ten days ago.
        _component(invocations=[5.0] + [0.0] * 239),
        _component(_adapter()),
        _component(sample(InferenceComponent, "other", endpoint_name="shared", invocations=[4.0])),
    ],
    good=[
        _component(invocations=[0.0, 3.0]),
        _component(invocations=[5.0] + [0.0] * 239, idle_days=12),
    ],
    exempt=[
        _component(_adapter(invocations=[12.0])),
        _component(current_copy_count=0),
        _component(base_inference_component_name="base", current_copy_count=None),
        _component(creation_time=NOW - timedelta(days=3)),
        _component(inference_component_status="Creating"),
    ],
    remedy="Scale the component to zero copies, or delete it.",
    command="aws sagemaker delete-inference-component --inference-component-name {name}",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08")],
)
def idle_component(component: InferenceComponent, *, idle_days: int = 7) -> Verdict:
    """Inference components that nobody calls should release their capacity.

    Their copies pin accelerators and memory that other models could use. Calls are published under
    the component's own name, and have no datapoints without calls: a host metric of its endpoint has
    to prove that metrics arrive. A base whose adapters are called is in use. Instances are billed,
    not copies, so there is a figure only where the component has its variant to itself.
    """
    status = component.inference_component_status
    if status != "InService":
        return not_applicable("the component is not in service", InferenceComponentStatus=status)
    if component.base_inference_component_name:
        return not_applicable("an adapter has no copies of its own")
    copies = component.current_copy_count
    if copies is None:
        message = f"how many copies {component.name} has"
        raise Unread(component.gap("sagemaker:DescribeInferenceComponent", Reason.MISSING, message))
    if copies == 0:
        return not_applicable("it is scaled to zero", CurrentCopyCount=0)
    if component.creation_time > component.region.ago(idle_days):
        return not_applicable(f"younger than {idle_days} days")
    own = recent(component.invocations, component, idle_days).sum()
    if own > 0:
        return passed(Invocations=own)
    around = [found for found in _beside(component) if found.current_copy_count != 0]
    adapters = [found for found in around if found.base_inference_component_name == component.name]
    through = sum(recent(adapter.invocations, adapter, idle_days).sum() for adapter in adapters)
    if through > 0:
        return not_applicable("its adapters are called", Invocations=through)
    _require_metrics(component, idle_days)
    return failed(
        f"nobody called it in {idle_days} days",
        waste=[] if len(around) > len(adapters) else _instances(component),
        Invocations=own,
        CurrentCopyCount=copies,
        NumberOfAcceleratorDevicesRequired=component.number_of_accelerator_devices_required,
    )


def _beside(component: InferenceComponent) -> Iterator[InferenceComponent]:
    """The other components on its variant. Raises `Unread` unless all were listed."""
    place = (component.endpoint_name, component.variant_name)
    for found in component.region.all(InferenceComponent):
        if found.id != component.id and (found.endpoint_name, found.variant_name) == place:
            yield found


def _require_metrics(component: InferenceComponent, days: int) -> None:
    """Raises `Unread` unless the hosts that it runs on sent metrics in the last days."""
    endpoint = component.endpoint
    for variant in endpoint.production_variants if endpoint is not None else ():
        if variant.variant_name == component.variant_name:
            delivered(recent(variant.cpu_utilization, variant, days), variant, "CPUUtilization")
            return
    message = f"the variant that {component.name} runs on is gone"
    raise Unread(component.gap("sagemaker:DescribeEndpoint", Reason.VANISHED, message))


def _instances(component: InferenceComponent) -> list[Usage]:
    """The instances of its variant."""
    endpoint = component.endpoint
    if endpoint is None:
        return []
    variants = [v for v in endpoint.production_variants if v.variant_name == component.variant_name]
    return hosting_usage(endpoint, variants)
