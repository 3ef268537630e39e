"""What an algorithm is and can do, by the image that runs it: AWS's built-in ones and its framework containers.

An image is AWS's by its repository in a registry that is not the account's own: AWS's registries
differ from Region to Region. JumpStart's tabular algorithms share framework images; their source
bundle names them. Facts are those of the SageMaker guide's pages on built-in algorithms ("Common
information", "Parallelizable").
"""

import json
import re
from dataclasses import dataclass
from enum import Enum

from collectors.ecr import image_reference
from collectors.sagemaker.training_jobs import TrainingJob


class Hardware(Enum):
    """What an algorithm can use."""

    CPU = "CPU"
    GPU = "GPU"
    BOTH = "CPU or GPU"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One of AWS's algorithms or frameworks; `distributed` is whether several instances can share the work."""

    name: str
    hardware: Hardware
    distributed: bool
    deep: bool = False
    built_in: bool = True


def _built_in(name: str, hardware: Hardware, *, distributed: bool, deep: bool = False) -> Algorithm:
    return Algorithm(name, hardware, distributed, deep)


_ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        _built_in("autogluon", Hardware.BOTH, distributed=False),
        _built_in("blazingtext", Hardware.BOTH, distributed=False),
        _built_in("catboost", Hardware.CPU, distributed=False),
        _built_in("factorization-machines", Hardware.BOTH, distributed=True),
        _built_in("forecasting-deepar", Hardware.BOTH, distributed=True, deep=True),
        _built_in("image-classification", Hardware.GPU, distributed=True, deep=True),
        _built_in("ipinsights", Hardware.BOTH, distributed=True),
        _built_in("kmeans", Hardware.BOTH, distributed=True),
        _built_in("knn", Hardware.BOTH, distributed=True),
        _built_in("lda", Hardware.CPU, distributed=False),
        _built_in("lightgbm", Hardware.CPU, distributed=True),
        _built_in("linear-learner", Hardware.BOTH, distributed=True),
        _built_in("ntm", Hardware.BOTH, distributed=True),
        _built_in("object-detection", Hardware.GPU, distributed=True, deep=True),
        _built_in("object2vec", Hardware.BOTH, distributed=False, deep=True),
        _built_in("pca", Hardware.BOTH, distributed=True),
        _built_in("randomcutforest", Hardware.CPU, distributed=True),
        _built_in("semantic-segmentation", Hardware.GPU, distributed=False, deep=True),
        _built_in("seq2seq", Hardware.GPU, distributed=False, deep=True),
        _built_in("tabtransformer", Hardware.BOTH, distributed=False),
        _built_in("xgboost", Hardware.BOTH, distributed=True),
    )
}

BUILT_IN = frozenset(_ALGORITHMS)
"""The names of AWS's own algorithms, which are those of their repositories."""

_FRAMEWORK = re.compile(
    r"(?:huggingface-)?(?P<name>pytorch|tensorflow|mxnet)-(?:trcomp-)?training(?:-neuronx?)?"
)
_JUMPSTART = re.compile(r"/(autogluon|catboost|lightgbm|tabtransformer)[-/]", re.IGNORECASE)
_SUBMITTED = "sagemaker_submit_directory"


def algorithm_of(job: TrainingJob) -> Algorithm | None:
    """What a job trains with; `None` for an image of the account's own and for what is not known here."""
    if job.algorithm_name:
        return _ALGORITHMS.get(job.algorithm_name.lower())
    reference = image_reference(job.training_image)
    if reference is None or reference.registry == job.region.account:
        return None
    repository = reference.repository.rpartition("/")[2]
    framework = _FRAMEWORK.fullmatch(repository)
    if framework is not None:
        named = _JUMPSTART.search(str((job.hyper_parameters or {}).get(_SUBMITTED, "")))
        if named is not None:
            return _ALGORITHMS[named[1].lower()]
        return Algorithm(framework["name"], Hardware.BOTH, distributed=True, deep=True, built_in=False)
    return _ALGORITHMS.get(repository.removeprefix("sagemaker-"))


def image_tag(job: TrainingJob) -> str:
    """The tag of a job's image, nothing for an image by digest or by name alone."""
    reference = image_reference(job.training_image)
    return "" if reference is None else reference.tag


def parameter(job: TrainingJob, name: str) -> str:
    """A hyperparameter without the JSON quotes that the SDK puts around it; nothing where it is not set."""
    value = str((job.hyper_parameters or {}).get(name, ""))
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value


_DISTRIBUTED = re.compile(
    r"sagemaker_(distributed|mpi|torch_distributed|parameter_server|instance_groups|multi_worker|"
    r"communication|ddp|modelparallel|use_mpi|torchrun)",
    re.IGNORECASE,
)


def is_distributed(job: TrainingJob) -> bool:
    """Whether its hyperparameters switch a way of sharing the work on, or its channels are split."""
    given = job.hyper_parameters or {}
    switched = [str(value).strip('"').lower() for key, value in given.items() if _DISTRIBUTED.match(key)]
    if any(value not in ("", "false", "0", "{}", "null", "none") for value in switched):
        return True
    return any(channel.s3_data_distribution_type == "ShardedByS3Key" for channel in job.input_data_config)
