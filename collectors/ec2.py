"""What EC2 says of the instance types that were seen: cores, GPUs, generation, local storage.

SageMaker's own API says nothing of its types. All but a few (`system`, `ml.geospatial.*`, the
retired `ml.eia*`) are an EC2 type with `ml.` in front.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Gap, Operation, Resource, Unread
from collectors.view import PART, Field, Node, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE_TYPES = Operation("ec2", "DescribeInstanceTypes", result="InstanceTypes[]", page_size=100)

_BATCH = 200
"""The most values that one EC2 filter takes."""


class Gpu(Part):
    """One model of GPU on an instance type."""

    count = required(PART, "Count", int, 1)


class InstanceType(View, kind="instance-type", listing=(DESCRIBE_TYPES,), name="InstanceType"):
    """One EC2 instance type as this Region offers it; its name has no `ml.`."""

    current_generation = required(DESCRIBE_TYPES, "CurrentGeneration", bool, True)
    default_v_cpus = required(DESCRIBE_TYPES, "VCpuInfo.DefaultVCpus", int, 4)
    instance_storage_supported = required(DESCRIBE_TYPES, "InstanceStorageSupported", bool, False)
    gpus = items(DESCRIBE_TYPES, "GpuInfo.Gpus[]", Gpu)
    neuron_info = optional(DESCRIBE_TYPES, "NeuronInfo", dict[str, Any])

    @property
    def gpu_count(self) -> int:
        """How many GPUs it has: `GPUUtilization` goes up to 100 times as much."""
        return sum(gpu.count for gpu in self.gpus)


@collects(InstanceType, last=True)
def instance_types(reader: "Reader") -> Iterator[Resource]:
    """The types that anything read here names. A filter drops names that EC2 does not know, where
    the parameter `InstanceTypes` would fail the whole request.
    """
    names = sorted({name.removeprefix("ml.") for name in _named(reader)})
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]

    def asked(batch: list[str]) -> list[Document] | Gap:
        try:
            return list(reader.pages(DESCRIBE_TYPES, Filters=[{"Name": "instance-type", "Values": batch}]))
        except Unread as unread:
            return unread.gap

    for found in reader.gather(asked, batches):
        if isinstance(found, Gap):
            reader.incomplete(found)
            continue
        for document in found:
            yield from reader.resource({DESCRIBE_TYPES: document})


def _named(reader: "Reader") -> Iterator[str]:
    """Every `InstanceType` of the resources read here; what could not be read names none."""
    for view in sorted(reader.plan.reads.views, key=lambda v: v.kind):
        routes = list(_routes(view)) if view is not InstanceType and not view.is_global else []
        if routes:
            for resource in reader.known(view):
                for route in routes:
                    yield from _follow(resource, route)


def _routes(node: type[Node]) -> Iterator[tuple[Field[Any], ...]]:
    """The fields that lead from something of this class, or through its parts, to an instance type."""
    for field in node.fields().values():
        if field.keys[-1] == "InstanceType":
            yield (field,)
        elif field.part is not None and field.part is not node:
            yield from ((field, *rest) for rest in _routes(field.part))


def _follow(node: Node, route: tuple[Field[Any], ...]) -> Iterator[str]:
    field, *rest = route
    try:
        value = field.__get__(node, type(node))
    except Unread:
        return
    for found in value if isinstance(value, tuple) else (value,):
        if found is not None:
            yield from _follow(found, tuple(rest)) if rest else (found,)
