"""Inference components: spare copies of the models that share an endpoint."""

from datetime import timedelta
from typing import Any

from collectors.autoscaling import COPIES, ScalableTarget, targets_by_resource
from collectors.model import Reason, Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.environment import Environment, placed
from evaluators.production import counts_as_production
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set

_RESTS = "scale-to-zero"
"""The tag of a component that is meant to run on no copy while nobody calls."""

_PATIENCE = timedelta(days=1)
"""How long copies may be on their way: a large model takes its time, a day it does not."""


def _component(
    *others: Sample,
    tags: dict[str, str] | None = None,
    served: dict[str, Any] | None = None,
    endpoint: dict[str, Any] | None = None,
    **values: Any,
) -> Given:
    variant = {"variant_name": "main", "current_instance_count": 2, **(served or {})}
    counts = {"current_copy_count": 2, "desired_copy_count": 2, "inference_component_status": "InService"}
    return given(
        sample(InferenceComponent, "ranker", tags=tags, **{"endpoint_name": "shared", **counts, **values}),
        sample(Endpoint, "shared", production_variants=[variant], **(endpoint or {})),
        *others,
    )


def _scaled(least: int) -> Sample:
    name = "inference-component/ranker"
    return sample(
        ScalableTarget, name, resource_id=name, scalable_dimension=COPIES, min_capacity=least, max_capacity=4
    )


_LAB = sample(
    Endpoint,
    "shared",
    tags={"Environment": "dev"},
    production_variants=[{"variant_name": "main", "current_instance_count": 2}],
)
_ONE: dict[str, Any] = {"current_copy_count": 1, "desired_copy_count": 1}


@rule(
    "REL-014",
    Severity.MEDIUM,
    bad=[
        _component(**_ONE),
        _component(_scaled(1), **_ONE),
        _component(tags={"scale-to-zero": "false"}, **_ONE),
        # A target of another resource id scales something else.
        _component(
            sample(ScalableTarget, resource_id="endpoint/shared/variant/main", min_capacity=2), **_ONE
        ),
        _component(current_copy_count=2, desired_copy_count=3),
        _component(placement_strategy="BINPACK", served={"current_instance_count": 1}),
    ],
    good=[
        _component(),
        _component(placement_strategy="SPREAD"),
        # Fewer than autoscaling keeps: it has just lost one, and gets it back.
        _component(_scaled(2), current_copy_count=1, desired_copy_count=1),
        _component(current_copy_count=2, desired_copy_count=3, last_modified_time=NOW - timedelta(hours=2)),
    ],
    exempt=[
        _component(base_inference_component_name="base", current_copy_count=None, desired_copy_count=None),
        _component(tags={"scale-to-zero": "true"}, **_ONE),
        _component(tags={"Environment": "dev"}, **_ONE),
        given(sample(InferenceComponent, "ranker", endpoint_name="shared", **_ONE), _LAB),
        _component(inference_component_status="Creating", current_copy_count=0),
        _component(inference_component_status="Updating", **_ONE),
    ],
    remedy="Raise the copy count to two, and the least capacity of its autoscaling with it.",
    command="aws sagemaker update-inference-component-runtime-config --inference-component-name {name} "
    "--desired-runtime-config CopyCount=2",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP01")],
)
def single_component_copy(component: InferenceComponent) -> Verdict:
    """Inference components in production should have at least two copies.

    On an endpoint of components the copy is the unit of redundancy: with one, its failure takes the
    model down while the instances are well. A component is production unless its own tags or its
    endpoint's say otherwise; adapters run on the copies of their base. AWS does not tell on which
    instances copies lie, so packed ones (BINPACK) on several instances are unknown.
    """
    status = component.inference_component_status
    if status in ("Creating", "Updating", "Deleting", "Failed"):
        return not_applicable(f"the component is {status}")
    if component.base_inference_component_name:
        return not_applicable("an adapter runs on the copies of its base")
    if is_set(component.tags, _RESTS):
        return not_applicable(f"it may rest by its tag {_RESTS}")
    if not _serves_production(component):
        return not_applicable("only production counts")
    copies, wanted = component.current_copy_count, component.desired_copy_count
    if copies is None:
        message = f"how many copies {component.name} has"
        raise Unread(component.gap("sagemaker:DescribeInferenceComponent", Reason.MISSING, message))
    figures: dict[str, Any] = {"CurrentCopyCount": copies, "DesiredCopyCount": wanted}
    least = _least(component)
    if copies < 2 and (least is None or least < 2):
        return failed(
            f"it has {copies} copy" if copies == 1 else "it has no copy", MinCapacity=least, **figures
        )
    settled = component.last_modified_time < component.region.now - _PATIENCE
    if wanted is not None and copies < wanted and settled:
        return failed(f"{wanted - copies} of its copies have not come up for a day", **figures)
    if component.placement_strategy == "BINPACK":
        return _packed(component, figures)
    return passed(**figures)


def _serves_production(component: InferenceComponent) -> bool:
    """Whether neither its own tags nor its endpoint's place it elsewhere. Raises `Unread` where they would say."""
    where = placed(component)
    if where.environment not in (None, Environment.PRODUCTION):
        return False
    endpoint = component.endpoint
    if endpoint is not None and not counts_as_production(endpoint):
        return False
    if where.gap is not None:
        raise Unread(where.gap)
    return True


def _least(component: InferenceComponent) -> int | None:
    targets = targets_by_resource(component.region).get(f"inference-component/{component.name}", ())
    return min((t.min_capacity for t in targets if t.scalable_dimension == COPIES), default=None)


def _packed(component: InferenceComponent, figures: dict[str, Any]) -> Verdict:
    """Copies that are packed together: certain only where there is one instance."""
    endpoint = component.endpoint
    variants = endpoint.production_variants if endpoint is not None else ()
    counts = [v.current_instance_count for v in variants if v.variant_name == component.variant_name]
    if counts == [1]:
        return failed("all copies are on one instance", PlacementStrategy="BINPACK", **figures)
    message = "on which instances packed copies lie is not published"
    raise Unread(component.gap("sagemaker:DescribeInferenceComponent", Reason.MISSING, message))
