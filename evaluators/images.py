"""What AWS's own inference images are: known by repository, in registries that are not the account's."""

import re
from collections.abc import Iterable

from collectors.ecr import image_reference
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import model_containers
from evaluators.algorithms import BUILT_IN

_DEEP_LEARNING = frozenset(
    {
        "djl-inference",
        "huggingface-pytorch-inference",
        "huggingface-pytorch-tgi-inference",
        "huggingface-tensorflow-inference",
        "mxnet-inference",
        "pytorch-inference",
        "tensorflow-inference",
    }
)
"""Images whose framework Neuron or Neo takes: each has an edition for Inferentia, or Neo compiles for it."""

_NEURON = ("-neuron", "-neuronx")

_ARM = frozenset(
    {
        "pytorch-inference",
        "sagemaker-scikit-learn",
        "sagemaker-xgboost",
        "tensorflow-inference",
    }
)
"""Images of which AWS has an edition for Graviton."""

_ARM_EDITION = "-graviton"

_AWS_NAMES = re.compile(
    r"(?:autogluon|djl|huggingface|mxnet|nvidia-triton|pytorch|sagemaker|stabilityai|tei|tensorflow|vllm)(?:-|$)"
)


def images_of(models: Iterable[Model]) -> tuple[str, ...]:
    """The images of some models' containers. Raises `Unread` where a package could not be read."""
    return tuple(
        container.image
        for model in models
        for container in model_containers(model)
        if container.image is not None
    )


def aws_repository(image: str, account: str) -> str | None:
    """The repository of an image that is not in the account's own registry, `None` for any other image."""
    found = image_reference(image)
    if found is None or found.registry == account:
        return None
    return found.repository


def is_aws_name(repository: str) -> bool:
    """Whether AWS's registries have repositories of that name: frameworks, built-in algorithms, SageMaker's own."""
    return _AWS_NAMES.match(repository) is not None or repository in BUILT_IN


def is_deep_learning(repository: str) -> bool:
    """Whether it is AWS's image of a framework that Inferentia runs too."""
    return repository in _DEEP_LEARNING


def is_for_neuron(repository: str) -> bool:
    """Whether it is an edition for Inferentia and Trainium."""
    return repository.endswith(_NEURON)


def has_arm_edition(repository: str) -> bool:
    """Whether AWS has an edition of it for Graviton."""
    return repository in _ARM


def is_aws_inference_image(repository: str) -> bool:
    """Whether it is one of AWS's images for inference, whatever it runs on."""
    plain = repository.removesuffix(_ARM_EDITION)
    return plain in _ARM | _DEEP_LEARNING or is_for_neuron(repository)
