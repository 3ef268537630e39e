"""Facts about `ml.*` instance types: what EC2 says of them, and what their names say."""

from collectors.ec2 import InstanceType
from collectors.model import Gap, Reason, Unread
from collectors.view import Region

_SMALLEST = {
    "c4": "large",
    "c5": "large",
    "c5d": "large",
    "c6g": "large",
    "c6gd": "large",
    "c6gn": "large",
    "c6i": "large",
    "c6in": "large",
    "c7g": "large",
    "c7i": "large",
    "c8g": "medium",
    "m4": "xlarge",
    "m5": "large",
    "m5d": "large",
    "m6g": "large",
    "m6gd": "large",
    "m6i": "large",
    "m7i": "large",
    "m8g": "medium",
    "r5": "large",
    "r5d": "large",
    "r6g": "large",
    "r6gd": "large",
    "r6i": "large",
    "r7gd": "medium",
    "r7i": "large",
    "r8g": "medium",
    "t2": "medium",
}
"""The smallest size that SageMaker hosts of each family without GPUs: botocore's enum
`ProductionVariantInstanceType`. EC2 has smaller ones (`m4.large`, `t2.nano`) that it does not."""

_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")


def family(instance_type: str) -> str:
    """`g5` of `ml.g5.xlarge`; the whole name where it has no family (`system`)."""
    return instance_type.removeprefix("ml.").partition(".")[0]


def size(instance_type: str) -> str:
    """`xlarge` of `ml.g5.xlarge`; nothing where it has no size (`system`)."""
    return instance_type.rpartition(".")[2] if "." in instance_type else ""


def has_twin(instance_type: str) -> bool:
    """Whether it is an EC2 type with `ml.` in front.

    `system` (apps without an instance of their own), `ml.geospatial.*` and the retired Elastic
    Inference accelerators `ml.eia*` are not.
    """
    return family(instance_type) not in ("", "system", "geospatial") and not is_elastic_inference(
        instance_type
    )


def is_elastic_inference(instance_type: str) -> bool:
    """Whether it is an Elastic Inference accelerator, which AWS has retired."""
    return family(instance_type).startswith("eia")


def facts(region: Region, instance_type: str) -> InstanceType:
    """What EC2 says of an instance type, with or without `ml.`.

    Raises `Unread` where EC2 was not read, and where it does not know the type in this Region:
    SageMaker may well offer it all the same.
    """
    found = region.find(InstanceType, instance_type.removeprefix("ml."))
    if found is None:
        operation = str(InstanceType.listing[0])
        message = f"EC2 does not know {instance_type} in {region.name}"
        raise Unread(Gap(operation, Reason.MISSING, "", message, region.account, region.name, instance_type))
    return found


def is_accelerated(kind: InstanceType) -> bool:
    """Whether GPUs, Inferentia or Trainium chips do the work, so that idle cores say nothing."""
    return kind.gpu_count > 0 or kind.neuron_info is not None


def has_smaller_size(instance_type: str) -> bool | None:
    """Whether SageMaker hosts a smaller size of the same family; `None` for a family not known here."""
    smallest = _SMALLEST.get(family(instance_type))
    own = size(instance_type)
    if smallest is None or _rank(own) is None:
        return None
    return (_rank(own) or 0) > (_rank(smallest) or 0)


def _rank(name: str) -> int | None:
    """Sizes in order: `large` is before `xlarge`, `2xlarge` after it; `None` for `metal` and the like."""
    times = name.removesuffix("xlarge")
    if name in _SIZES:
        return _SIZES.index(name)
    return len(_SIZES) + int(times) if times.isdigit() else None
