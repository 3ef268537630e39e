"""Registered versions: which of them serve, and which belong together in a group."""

from collections.abc import Mapping

from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.view import Region, index
from evaluators.deployments import approved_packages, deployments, packages_by_artifact


def version_arns(model: Model) -> frozenset[str]:
    """The ARNs of the versions that a model stands for: those its containers name, else those with its artifact.

    A named version may lie in another account. Raises `Unread` where the registry was not read whole.
    """
    found: set[str] = set()
    for container in model.all_containers:
        if container.model_package_name:
            found.add(container.model_package_name)
        elif container.artifact_uri:
            alike = packages_by_artifact(model.region).get(container.artifact_uri, ())
            found.update(package.id for package in alike)
    return frozenset(found)


@index
def deployed_versions(region: Region) -> frozenset[str]:
    """The ARNs of the versions that endpoints here serve. Raises `Unread` where one could not be told."""
    deployed = deployments(region)
    served = [version_arns(model) for model in region.all(Model) if model.name in deployed]
    return frozenset[str]().union(*served)


def is_in_use(package: ModelPackage) -> bool:
    """Whether it is the newest approved version of its group, or serves. Raises `Unread`."""
    region = package.region
    return package.id in approved_packages(region) or package.id in deployed_versions(region)


@index
def versions_by_group(region: Region) -> Mapping[str, tuple[str, ...]]:
    """The ARNs of each group's versions. Raises `Unread` where the registry was not read whole."""
    found: dict[str, list[str]] = {}
    for package in region.all(ModelPackage):
        if package.model_package_group_name is not None:
            found.setdefault(package.model_package_group_name, []).append(package.id)
    return {group: tuple(arns) for group, arns in found.items()}


def group_in(arn: str) -> str | None:
    """The name of the group in a version's ARN (`…:model-package/churn/3`); `None` for an unversioned package.

    AWS writes some names in lower case there.
    """
    group, slash, version = arn.partition(":model-package/")[2].rpartition("/")
    return group if slash and version.isdigit() else None


def is_bought(package: ModelPackage) -> bool:
    """Whether it is a Marketplace product or made from a model of a hub: whoever made it measured it."""
    return any(container.product_id or container.hub_content_name for container in package.containers)
