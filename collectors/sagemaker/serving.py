"""Which models are deployed where, and which containers are in use."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from collectors.model import Unread
from collectors.sagemaker.endpoint_configs import ConfiguredVariant, EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import ModelPackage, PackagedContainer, latest_approved
from collectors.sagemaker.models import ContainerDefinition, Model
from collectors.view import View

if TYPE_CHECKING:
    from collectors.reader import Reader

T = TypeVar("T")
V = TypeVar("V", bound=View)

Container = ContainerDefinition | PackagedContainer


@dataclass(frozen=True, slots=True)
class Deployment:
    """One place that serves a model: a variant of an endpoint's config, or an inference component.

    A component runs under its endpoint's config: network settings are there, not on the model.
    `config` is `None` where the config was deleted under its endpoint.
    """

    endpoint: Endpoint
    config: EndpointConfig | None
    variant: ConfiguredVariant | None = None
    component: InferenceComponent | None = None

    @property
    def serverless(self) -> bool:
        """Whether a serverless variant serves it: no VPC, no isolation, no private registry there."""
        return self.variant is not None and self.variant.is_serverless


def variant_deployments(endpoint: Endpoint) -> Iterator[tuple[str, Deployment]]:
    """The models that an endpoint's current config names, shadow variants too."""
    config = endpoint.config
    if config is None:
        return
    for variant in (*config.production_variants, *config.shadow_production_variants):
        if variant.model_name:
            yield variant.model_name, Deployment(endpoint, config, variant)


def component_deployments(component: InferenceComponent) -> Iterator[tuple[str, Deployment]]:
    """The model that a component runs, if its endpoint still exists."""
    endpoint = component.endpoint
    if component.model_name and endpoint is not None:
        yield component.model_name, Deployment(endpoint, endpoint.config, None, component)


def model_containers(model: Model) -> Iterator[Container]:
    """The containers of a model; one made from a package is followed to the package's own.

    Raises `Unread` where the package could not be read.
    """
    for container in model.all_containers:
        package = None if container.image else container.model_package
        if package is None:
            yield container
        else:
            yield from package.containers


def deployed_containers(reader: "Reader") -> list[Container]:
    """The containers of deployed models. What cannot be read is left out and marks the listing as not whole."""
    served = {
        *(name for name, _ in _followed(reader, Endpoint, variant_deployments)),
        *(name for name, _ in _followed(reader, InferenceComponent, component_deployments)),
    }

    def deployed(model: Model) -> Iterable[Container]:
        return model_containers(model) if model.name in served else ()

    return list(_followed(reader, Model, deployed))


def containers_in_use(reader: "Reader") -> list[Container]:
    """The containers of deployed models and of the newest approved versions, as `deployed_containers`."""
    approved = latest_approved(_followed(reader, ModelPackage, _approved))
    return [
        *deployed_containers(reader),
        *(container for package in approved.values() for container in package.containers),
    ]


def _approved(package: ModelPackage) -> Iterable[ModelPackage]:
    return (package,) if package.model_approval_status == "Approved" else ()


def _followed(reader: "Reader", view: type[V], follow: Callable[[V], Iterable[T]]) -> Iterator[T]:
    for found in reader.known(view):
        try:
            yield from list(follow(found))
        except Unread as unread:
            reader.incomplete(unread.gap)
