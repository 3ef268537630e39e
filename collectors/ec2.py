"""What EC2 says of the instance types that were seen: cores, GPUs, generation, local storage.

SageMaker's own API says nothing of its types. All but a few (`system`, `ml.geospatial.*`, the
retired `ml.eia*`) are an EC2 type with `ml.` in front.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Gap, Operation, Resource, Unread
from collectors.view import PART, Field, Node, Part, Region, View, index, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE_TYPES = Operation("ec2", "DescribeInstanceTypes", result="InstanceTypes[]", page_size=100)

OFFERINGS = Operation(
    "ec2",
    "DescribeInstanceTypeOfferings",
    result="InstanceTypeOfferings[]",
    parameters=(("LocationType", "availability-zone-id"),),
    page_size=1000,
)

ALTERNATIVES = ("inf2.*", "trn1.*", "c6g.*", "c7g.*", "c8g.*", "m6g.*", "m8g.*", "r6g.*", "r8g.*")
"""Types that endpoints could move to, asked for beside those that were seen."""

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
    size_in_mi_b = required(DESCRIBE_TYPES, "MemoryInfo.SizeInMiB", int, 16_384)
    efa_supported = optional(DESCRIBE_TYPES, "NetworkInfo.EfaSupported", bool)
    gpus = items(DESCRIBE_TYPES, "GpuInfo.Gpus[]", Gpu)
    total_gpu_memory_in_mi_b = optional(DESCRIBE_TYPES, "GpuInfo.TotalGpuMemoryInMiB", int)
    neuron_info = optional(DESCRIBE_TYPES, "NeuronInfo", dict[str, Any])
    supported_architectures = optional(DESCRIBE_TYPES, "ProcessorInfo.SupportedArchitectures", list[str])

    @property
    def gpu_count(self) -> int:
        """How many GPUs it has: `GPUUtilization` goes up to 100 times as much."""
        return sum(gpu.count for gpu in self.gpus)


class InstanceTypeOffering(View, kind="instance-type-offering", listing=(OFFERINGS,), name="InstanceType"):
    """An instance type in one Availability Zone of the Region. SageMaker may offer it in fewer zones."""

    instance_type = required(OFFERINGS, "InstanceType", str, "m5.xlarge")
    location = required(OFFERINGS, "Location", str, "euw1-az1")


@index
def zones_by_type(region: Region) -> Mapping[str, frozenset[str]]:
    """The ids of the zones that have each type (without `ml.`). Raises `Unread` unless all were listed."""
    found: dict[str, set[str]] = {}
    for offering in region.all(InstanceTypeOffering):
        found.setdefault(offering.instance_type, set()).add(offering.location)
    return {name: frozenset(zones) for name, zones in found.items()}


@collects(InstanceType, last=True)
def instance_types(reader: "Reader") -> Iterator[Resource]:
    """The types that anything read here names. A filter drops names that EC2 does not know, where
    the parameter `InstanceTypes` would fail the whole request.
    """
    names = sorted({name.removeprefix("ml.") for name in named_instance_types(reader)})
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


@collects(InstanceTypeOffering, last=True)
def instance_type_offerings(reader: "Reader") -> Iterator[Resource]:
    """Where the types are offered that were seen, and those that endpoints could move to."""
    names = sorted({name.removeprefix("ml.") for name in named_instance_types(reader)} | {*ALTERNATIVES})
    for start in range(0, len(names), _BATCH):
        asked = [{"Name": "instance-type", "Values": names[start : start + _BATCH]}]
        for document in reader.list(OFFERINGS, Filters=asked):
            key = f"{document['InstanceType']}/{document['Location']}"
            yield from reader.resource({OFFERINGS: document}, key=key, name=document["InstanceType"])


def named_instance_types(reader: "Reader") -> Iterator[str]:
    """Every `InstanceType` of the resources read here; what could not be read names none."""
    for view in sorted(reader.plan.reads.views, key=lambda v: v.kind):
        # What could be moved to is no type that was seen.
        answers = view in (InstanceType, InstanceTypeOffering)
        routes = [] if answers or view.is_global else list(_routes(view))
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
