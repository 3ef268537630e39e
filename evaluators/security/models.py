"""Deployed models: VPC, network isolation and where images come from."""

import re
from typing import Any

from collectors.ecr import image_reference
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.models import ContainerDefinition, Model
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.deployments import Deployment, deployments, variant_deployments_by_model
from evaluators.rule import Change, Scope, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set

_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scorer:7"
_AWS = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.5-cpu-py311"
_FOREIGN = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/team/scorer:7"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/scorer/3"
_ENDPOINT = sample(Endpoint, "scorer", endpoint_config_name="scorer-1")
_CONFIG = sample(
    EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue", "model_name": "example"}]
)
_SERVERLESS = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[
        {"variant_name": "blue", "model_name": "example", "serverless_config": {"MemorySizeInMB": 2048}}
    ],
)
_SHADOW = sample(
    EndpointConfig,
    "scorer-1",
    production_variants=[{"variant_name": "blue", "model_name": "other"}],
    shadow_production_variants=[{"variant_name": "green", "model_name": "example"}],
)
_COMPONENT = sample(InferenceComponent, "scorer", endpoint_name="scorer", model_name="example")


def _component_config(**values: Any) -> Sample:
    return sample(EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue"}], **values)


def _with_network(model: Model) -> list[Deployment] | Verdict:
    """The deployments that have network settings, or why the rule does not speak of the model."""
    held = deployments(model.region).get(model.name, ())
    if not held:
        return not_applicable("the model is not deployed")
    found = [deployment for deployment in held if not deployment.serverless]
    return found or not_applicable("only serverless variants serve it: they have no such setting")


def _endpoints(held: list[Deployment]) -> list[str]:
    return sorted({deployment.endpoint.name for deployment in held})[:10]


@rule(
    "SEC-017",
    Severity.MEDIUM,
    scope=Scope.LENIENT,
    bad=[
        given(sample(Model), _ENDPOINT, _CONFIG),
        given(sample(Model, subnets=[]), _ENDPOINT, _CONFIG),
        given(sample(Model), _ENDPOINT, _SHADOW, sample(Model, "other", subnets=["subnet-1"])),
        given(sample(Model), _ENDPOINT, _component_config(), _COMPONENT),
        # A component runs under its endpoint's config, whatever the model says.
        given(sample(Model, subnets=["subnet-1"]), _ENDPOINT, _component_config(), _COMPONENT),
    ],
    good=[
        given(sample(Model, subnets=["subnet-1"]), _ENDPOINT, _CONFIG),
        given(sample(Model), _ENDPOINT, _component_config(subnets=["subnet-1"]), _COMPONENT),
    ],
    exempt=[
        given(sample(Model), _ENDPOINT, _SERVERLESS),
        # Models are cheap leftovers: those that nothing serves are counted once, by COST-008.
        sample(Model),
        given(sample(Model), sample(Endpoint, "scorer", endpoint_config_name="scorer-2"), _CONFIG),
        given(
            sample(
                Model, primary_container={"hub_content_arn": "arn:aws:sagemaker:eu-west-1:aws:hub-content/x"}
            ),
            _ENDPOINT,
            _CONFIG,
        ),
    ],
    remedy="It cannot be changed: create the model again with subnets and security groups, and update the endpoint.",
    command="aws sagemaker create-model --model-name NAME --execution-role-arn ROLE"
    " --primary-container Image=IMAGE --vpc-config SecurityGroupIds=GROUP,Subnets=SUBNET",
    change=Change.RECREATE,
    maps=[
        config_rule("sagemaker-model-in-vpc"),
        prowler("sagemaker_models_vpc_settings_configured"),
        lens("MLSEC03-BP02"),
    ],
)
def model_outside_vpc(model: Model) -> Verdict:
    """Deployed models should run in a VPC of yours.

    Without one their containers reach the internet directly. Inference components take the
    network of their endpoint's config; serverless variants have none.
    """
    held = _with_network(model)
    if isinstance(held, Verdict):
        return held
    if any(container.hub_content_arn for container in model.all_containers):
        return not_applicable("the model is managed by a hub")
    outside = [d for d in held if not _subnets(model, d)]
    if not outside:
        return passed(endpoints=_endpoints(held))
    return failed("its containers run in no VPC of yours", Subnets=[], endpoints=_endpoints(outside))


def _subnets(model: Model, deployment: Deployment) -> list[str]:
    if deployment.component is None:
        return model.subnets or []
    return (deployment.config.subnets if deployment.config else None) or []


@rule(
    "SEC-018",
    Severity.MEDIUM,
    bad=[
        given(sample(Model), _ENDPOINT, _CONFIG),
        given(sample(Model, enable_network_isolation=False), _ENDPOINT, _CONFIG),
        given(sample(Model, enable_network_isolation=True), _ENDPOINT, _component_config(), _COMPONENT),
        given(sample(Model, tags={"outbound-calls": "false"}), _ENDPOINT, _CONFIG),
        # Multi-model endpoints load models through the platform and may be isolated.
        given(sample(Model, primary_container={"image": _OWN, "mode": "MultiModel"}), _ENDPOINT, _CONFIG),
    ],
    good=[
        # JumpStart makes its models isolated.
        given(sample(Model, enable_network_isolation=True), _ENDPOINT, _CONFIG),
        given(
            sample(
                Model,
                primary_container={"image": _OWN, "mode": "MultiModel"},
                enable_network_isolation=True,
            ),
            _ENDPOINT,
            _CONFIG,
        ),
        given(sample(Model), _ENDPOINT, _component_config(enable_network_isolation=True), _COMPONENT),
    ],
    exempt=[
        given(sample(Model), _ENDPOINT, _SERVERLESS),
        sample(Model),
        given(
            sample(
                Model,
                primary_container={
                    "image": "520713654638.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-chainer:4.0.0-cpu-py3"
                },
            ),
            _ENDPOINT,
            _CONFIG,
        ),
        given(sample(Model, tags={"Outbound-Calls": "true"}), _ENDPOINT, _CONFIG),
    ],
    remedy="It cannot be changed: create the model again with network isolation, and update the endpoint.",
    command="aws sagemaker create-model --model-name NAME --execution-role-arn ROLE"
    " --primary-container Image=IMAGE --enable-network-isolation",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.5"),
        config_rule("sagemaker-model-isolation-enabled"),
        prowler("sagemaker_models_network_isolation_enabled"),
        lens("MLSEC03-BP02"),
        lens("MLSEC05-BP01"),
    ],
)
def model_without_isolation(model: Model) -> Verdict:
    """Containers of deployed models should be isolated from the network.

    Isolation keeps code in the container from calling out. AWS leaves the member out where it is
    off. Chainer images do not work isolated; a container that has to call out is exempted by the
    tag `outbound-calls`.
    """
    held = _with_network(model)
    if isinstance(held, Verdict):
        return held
    open_ = [d for d in held if not _isolated(model, d)]
    if not open_:
        return passed(endpoints=_endpoints(held))
    if any("chainer" in (container.image or "") for container in model.all_containers):
        return not_applicable("Chainer images cannot be isolated")
    if is_set(model.tags, "outbound-calls"):
        return not_applicable("a tag says that it has to call out")
    return failed("its containers may call out", EnableNetworkIsolation=False, endpoints=_endpoints(open_))


def _isolated(model: Model, deployment: Deployment) -> bool:
    if deployment.component is None:
        return model.enable_network_isolation is True
    return deployment.config is not None and deployment.config.enable_network_isolation is True


_AWS_REPOSITORY = re.compile(
    r"(?:huggingface|pytorch|tensorflow|mxnet|autogluon|djl|stabilityai|sagemaker|jumpstart|model-monitor)-[^/]*"
    r"|xgboost|linear-learner|kmeans|pca|lda|ntm|knn|object2vec|blazingtext|factorization-machines|ipinsights"
    r"|forecasting-deepar|image-classification|object-detection|semantic-segmentation|randomcutforest|seq2seq"
)
"""Repositories of AWS's own inference images: each Region has them in another account."""


@rule(
    "SEC-019",
    Severity.LOW,
    bad=[
        sample(Model, primary_container={"image": _FOREIGN}),
        sample(Model, primary_container={"image": _FOREIGN, "repository_access_mode": "Platform"}),
        sample(
            Model,
            containers=[
                {"image": "registry.corp/a", "repository_access_mode": "Vpc"},
                {"image": _FOREIGN},
            ],
        ),
        given(sample(Model, primary_container={"image": _OWN}), strict=True),
        given(sample(Model, primary_container={"image": _AWS}), strict=True),
        given(sample(Model, primary_container={"image": _FOREIGN}), _ENDPOINT, _CONFIG),
    ],
    good=[
        sample(Model, primary_container={"image": "registry.corp/a", "repository_access_mode": "Vpc"}),
        # A pipeline has no primary container: none is made up.
        given(
            sample(
                Model,
                containers=[
                    {"image": "registry.corp/a", "repository_access_mode": "Vpc"},
                    {"image": "registry.corp/b", "repository_access_mode": "Vpc"},
                ],
            ),
            strict=True,
        ),
    ],
    exempt=[
        sample(Model, primary_container={"image": _OWN}),
        sample(Model, primary_container={"image": _AWS}),
        # The image comes from the registered version.
        sample(Model, primary_container={"model_package_name": _PACKAGE}),
        given(sample(Model, primary_container={"image": _FOREIGN}), _ENDPOINT, _SERVERLESS),
        given(sample(Model, primary_container={"image": _FOREIGN}), _ENDPOINT, _SERVERLESS, strict=True),
    ],
    remedy="Serve the image from a private Docker registry in the VPC, or copy it into a repository of this account.",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.16"),
        security_hub("SageMaker.19"),
        config_rule("sagemaker-model-private-registry-required"),
        config_rule("sagemaker-model-multicontainer-private-registry"),
        lens("MLOPS04-BP02"),
    ],
)
def model_image_over_platform(model: Model, *, strict: bool = False) -> Verdict:
    """Images of models should be pulled from a registry inside the VPC.

    Images of this account's own repositories and of AWS's come over the network of AWS, which is
    common and safe: they count only when `strict`. AWS's images are told by their repository's
    name. Serverless variants cannot use private registries.
    """
    platform = [c for c in model.all_containers if c.image and c.repository_access_mode != "Vpc"]
    if not platform:
        private = any(c.repository_access_mode == "Vpc" for c in model.all_containers)
        return (
            passed(RepositoryAccessMode=[c.repository_access_mode for c in model.all_containers[:10]])
            if private
            else not_applicable("its images come from registered versions")
        )
    judged = [c for c in platform if strict or not _is_near(c)]
    if not judged:
        return not_applicable("its images are AWS's or this account's own")
    held = variant_deployments_by_model(model.region).get(model.name, ())
    if held and all(deployment.serverless for deployment in held):
        return not_applicable("only serverless variants serve it: they cannot use private registries")
    return failed(
        "images are pulled over the platform, not from a registry in the VPC",
        Image=[c.image for c in judged[:10]],
        RepositoryAccessMode=[c.repository_access_mode for c in judged[:10]],
    )


def _is_near(container: ContainerDefinition) -> bool:
    """Whether the image is this account's own, or one of AWS's."""
    reference = image_reference(container.image)
    if reference is None:
        return False
    own = reference.registry == container.region.account
    return own or _AWS_REPOSITORY.fullmatch(reference.repository) is not None
