"""Where each model of a Region is deployed."""

from collections.abc import Iterable, Mapping

from collectors.model import Gap, Reason, Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import ModelPackage, latest_approved
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import Deployment, component_deployments, variant_deployments
from collectors.view import Region, index

__all__ = [
    "Deployment",
    "approved_packages",
    "deployments",
    "model_names_behind",
    "models_behind",
    "packages_by_artifact",
    "require_config",
    "variant_deployments_by_model",
]


@index
def variant_deployments_by_model(region: Region) -> Mapping[str, tuple[Deployment, ...]]:
    """The variants that serve each model by its name, without inference components.

    Raises `Unread` where an endpoint or a config in use could not be read.
    """
    return _grouped(pair for endpoint in region.all(Endpoint) for pair in variant_deployments(endpoint))


@index
def deployments(region: Region) -> Mapping[str, tuple[Deployment, ...]]:
    """The deployments of each model by its name; a model that is not in it is deployed nowhere.

    Raises `Unread` where an endpoint, a config in use or a component could not be read.
    """
    variants = variant_deployments_by_model(region).items()
    components = (
        pair for component in region.all(InferenceComponent) for pair in component_deployments(component)
    )
    return _grouped([*((name, held) for name, found in variants for held in found), *components])


def _grouped(pairs: Iterable[tuple[str, Deployment]]) -> dict[str, tuple[Deployment, ...]]:
    found: dict[str, list[Deployment]] = {}
    for name, deployment in pairs:
        found.setdefault(name, []).append(deployment)
    return {name: tuple(held) for name, held in found.items()}


@index
def _component_models(region: Region) -> Mapping[str, tuple[str, ...]]:
    """The names of the models of each endpoint's components, by the endpoint's ARN."""
    found: dict[str, list[str]] = {}
    for component in region.all(InferenceComponent):
        for name, deployment in component_deployments(component):
            found.setdefault(deployment.endpoint.id, []).append(name)
    return {arn: tuple(names) for arn, names in found.items()}


@index
def approved_packages(region: Region) -> Mapping[str, ModelPackage]:
    """The newest approved version of each group by ARN. Raises `Unread` where the registry was not read whole."""
    return latest_approved(region.all(ModelPackage))


@index
def packages_by_artifact(region: Region) -> Mapping[str, tuple[ModelPackage, ...]]:
    """The registered versions of each artifact's URI. Raises `Unread` where the registry was not read whole."""
    found: dict[str, list[ModelPackage]] = {}
    for package in region.all(ModelPackage):
        for uri in {container.artifact_uri for container in package.containers} - {None, ""}:
            found.setdefault(str(uri), []).append(package)
    return {uri: tuple(held) for uri, held in found.items()}


def models_behind(endpoint: Endpoint) -> tuple[Model, ...]:
    """The models that an endpoint serves: its variants' and its components'.

    Raises `Unread` where its config or a component could not be read, and for a config or a model
    that was deleted under it.
    """
    return tuple(_existing(endpoint.region, name) for name in model_names_behind(endpoint))


def model_names_behind(endpoint: Endpoint) -> tuple[str, ...]:
    """The names of those models, whether or not they still exist. Raises `Unread` as `models_behind`."""
    require_config(endpoint)
    names = {name for name, _ in variant_deployments(endpoint)}
    names.update(_component_models(endpoint.region).get(endpoint.id, ()))
    return tuple(sorted(names))


def require_config(endpoint: Endpoint) -> None:
    """Raises `Unread` where the config was deleted under an endpoint: what it serves is not known then."""
    if endpoint.config is None:
        raise Unread(_gone(endpoint.region, "EndpointConfig", endpoint.endpoint_config_name or ""))


def _existing(region: Region, name: str) -> Model:
    found = region.find(Model, name)
    if found is None:
        raise Unread(_gone(region, "Model", name))
    return found


def _gone(region: Region, kind: str, name: str) -> Gap:
    operation = f"sagemaker:Describe{kind}"
    return Gap(operation, Reason.VANISHED, message=name, account=region.account, region=region.name)
