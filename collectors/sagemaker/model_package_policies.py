"""The resource policies of model package groups: which other accounts may use the versions in them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Gap, Operation, Reason, Resource
from collectors.sagemaker.model_packages import ModelPackageGroup
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

POLICY = Operation("sagemaker", "GetModelPackageGroupPolicy")


class ModelPackageGroupPolicy(View, kind="model-package-group-policy"):
    """The policy of one group, by the group's ARN. A group without one is the account's alone."""

    resource_policy = optional(POLICY, "ResourcePolicy", str)


@collects(ModelPackageGroupPolicy, follows=(ModelPackageGroup,))
def model_package_group_policies(reader: "Reader") -> Iterator[Resource]:
    """One call for each group."""

    def read(group: ModelPackageGroup) -> list[Resource]:
        reading = reader.read(POLICY, ModelPackageGroupName=group.name)
        if isinstance(reading, Gap) and reading.reason is Reason.VANISHED:
            # AWS says "Cannot find resource policy" as a validation error: that is none, not a failure.
            reading = None
        return list(reader.resource({POLICY: reading}, key=group.id, name=group.name))

    for found in reader.gather(read, reader.known(ModelPackageGroup)):
        yield from found
