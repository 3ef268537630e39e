"""Hardware that would serve the same model for less: Inferentia, compilation, Graviton."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from collectors.ec2 import InstanceType, InstanceTypeOffering, zones_by_type
from collectors.model import Reason, Unread
from collectors.sagemaker.compilation_jobs import CompilationJob
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.models import Model
from collectors.sagemaker.optimization_jobs import OptimizationJob
from collectors.sample import NOW, Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.images import (
    aws_repository,
    has_arm_edition,
    images_of,
    is_aws_inference_image,
    is_deep_learning,
)
from evaluators.instances import family, is_accelerated
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set
from evaluators.traffic import configured, endpoint_of, host, runs_components

_GPU_FAMILIES = frozenset({"g4dn", "g5", "p3", "p3dn", "p4d", "p4de"})
"""GPUs that Inferentia 2 is the successor of in price for inference; newer ones are not compared."""

_NEURON_FAMILIES = frozenset({"inf1", "inf2", "trn1", "trn1n", "trn2"})
_ARM_FAMILIES = frozenset(
    {"c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"}
)
"""Graviton's families that SageMaker hosts endpoints on: training runs on none of them."""

_MOST_INF2_MIB = 384 * 1024
"""The accelerators' memory of the largest Inferentia 2 instance (inf2.48xlarge)."""

_KEEPS_GPU = "accelerator-opt-out"
"""The tag of an endpoint that has to stay on its hardware."""

_DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
_PYTORCH = f"{_DLC}/pytorch-inference:2.5-gpu-py311"
_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:1"
_ARTIFACT = "s3://models/scorer/model.tar.gz"
_GPU = {"gpus": [{"count": 1}], "total_gpu_memory_in_mi_b": 24_576}
_INFERENTIA = sample(InstanceTypeOffering, "inf2.xlarge", instance_type="inf2.xlarge")


def _hosted(
    *others: Sample,
    instance_type: str = "ml.g5.xlarge",
    image: str = _PYTORCH,
    kind: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    config: dict[str, Any] | None = None,
    model_name: str | None = "scorer",
    **values: Any,
) -> Given:
    planned = {"variant_name": "main", "model_name": model_name, "instance_type": instance_type}
    return given(
        sample(
            Endpoint,
            tags=tags,
            **{
                "endpoint_config_name": "c",
                "production_variants": [{"variant_name": "main", "current_instance_count": 1}],
                **values,
            },
        ),
        sample(EndpointConfig, "c", **{"production_variants": [planned], **(config or {})}),
        sample(Model, "scorer", primary_container={"image": image, "model_data_url": _ARTIFACT}),
        sample(InstanceType, instance_type.removeprefix("ml."), **(kind or _GPU)),
        *others,
    )


_RECENT = NOW - timedelta(days=5)
_SERVERLESS = {"variant_name": "main", "current_serverless_config": {"MaxConcurrency": 5}}


@rule(
    "PERF-013",
    Severity.LOW,
    bad=[
        _hosted(_INFERENTIA),
        _hosted(_INFERENTIA, instance_type="ml.p3.2xlarge"),
        _hosted(sample(InstanceTypeOffering, "trn1.2xlarge", instance_type="trn1.2xlarge")),
        _hosted(_INFERENTIA, sample(CompilationJob, s3_uri="s3://models/other/model.tar.gz")),
        _hosted(_INFERENTIA, sample(CompilationJob, compilation_job_status="FAILED", s3_uri=_ARTIFACT)),
        _hosted(_INFERENTIA, sample(OptimizationJob, s3_output_location="s3://models/scor")),
        _hosted(_INFERENTIA, tags={"accelerator-opt-out": "no"}),
    ],
    good=[
        _hosted(instance_type="ml.inf2.xlarge", image=f"{_DLC}/pytorch-inference-neuronx:2.1"),
        _hosted(_INFERENTIA, sample(CompilationJob, s3_uri=_ARTIFACT)),
        _hosted(_INFERENTIA, sample(CompilationJob, s3_model_artifacts=_ARTIFACT)),
        _hosted(_INFERENTIA, sample(OptimizationJob, model_name="scorer")),
        _hosted(_INFERENTIA, sample(OptimizationJob, s3_output_location="s3://models/scorer/")),
        # Neither Inferentia nor Trainium is offered here.
        _hosted(sample(InstanceTypeOffering, "m8g.large", instance_type="m8g.large")),
    ],
    exempt=[
        _hosted(_INFERENTIA, image=_OWN),
        _hosted(_INFERENTIA, image=f"{_DLC}/sagemaker-tritonserver:24.09-py3"),
        _hosted(
            _INFERENTIA,
            instance_type="ml.p4de.24xlarge",
            kind={"gpus": [{"count": 8}], "total_gpu_memory_in_mi_b": 655_360},
        ),
        _hosted(_INFERENTIA, tags={"Accelerator-Opt-Out": "true"}),
        _hosted(_INFERENTIA, instance_type="ml.m7i.xlarge", kind={}),
        _hosted(_INFERENTIA, instance_type="ml.g6.xlarge"),
        _hosted(_INFERENTIA, creation_time=_RECENT),
        _hosted(_INFERENTIA, config={"creation_time": _RECENT}),
        _hosted(_INFERENTIA, model_name=None),
        _hosted(_INFERENTIA, production_variants=[_SERVERLESS]),
        _hosted(_INFERENTIA, endpoint_status="Failed"),
    ],
    remedy="Benchmark the model on inf2, or compile it with Neo or an optimization job.",
    command="aws sagemaker create-compilation-job --compilation-job-name JOB --role-arn ROLE "
    "--input-config file://input.json --output-config file://output.json "
    "--stopping-condition MaxRuntimeInSeconds=900",
    change=Change.RECREATE,
    confidence=0.4,
    maps=[lens("MLCOST05-BP02"), lens("MLPERF04-BP02")],
)
def gpu_without_alternative_tried(variant: Variant, *, min_days: int = 30) -> Verdict:
    """Deep learning on older GPUs should have been tried on Inferentia or compiled.

    An opportunity, no fault: Inferentia 2 and Trainium, which took the place of the Inf1 of AWS's
    older advice, and compiled models often serve the same for less. Only AWS's own framework images
    on g4dn, g5, p3 and p4 are judged, since their editions for Neuron are known; a trial outside
    SageMaker is not seen. That EC2 offers a type does not prove that SageMaker does.
    """
    endpoint = endpoint_of(variant)
    beyond = _beyond(endpoint, variant)
    if beyond is not None:
        return beyond
    name = configured(variant).instance_type or ""
    if family(name) in _NEURON_FAMILIES:
        return passed(InstanceType=name)
    if family(name) not in _GPU_FAMILIES:
        return not_applicable("no GPU of the generations that are compared", InstanceType=name)
    if is_set(endpoint.tags, _KEEPS_GPU):
        return not_applicable(f"it stays on its hardware by its tag {_KEEPS_GPU}")
    if _age(endpoint) < min_days:
        return not_applicable(f"younger than {min_days} days")
    model = _model(variant)
    repositories = [aws_repository(image, endpoint.region.account) or "" for image in images_of((model,))]
    if not any(is_deep_learning(name) for name in repositories):
        return not_applicable("no image of AWS's for a framework that Inferentia runs")
    memory = host(variant).total_gpu_memory_in_mi_b
    if memory is not None and memory > _MOST_INF2_MIB:
        return not_applicable("more memory than Inferentia 2 has", TotalGpuMemoryInMiB=memory)
    if _was_optimized(model):
        return passed("the model was compiled or optimized")
    if not _offered(endpoint.region, _NEURON_FAMILIES):
        return passed("neither Inferentia nor Trainium is offered here")
    return failed(
        "neither Inferentia nor compilation was tried",
        InstanceType=name,
        Image=sorted(images_of((model,)))[:3],
    )


def _beyond(endpoint: Endpoint, variant: Variant) -> Verdict | None:
    """Why a rule on hosting hardware does not speak of a variant, or `None`."""
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service", EndpointStatus=endpoint.endpoint_status)
    if variant.is_serverless:
        return not_applicable("a serverless variant has no instances")
    if runs_components(endpoint):
        return not_applicable("several models share its instances as components")
    if len(configured(variant).instance_types) > 1:
        return not_applicable("it may run on several instance types")
    return None


def _age(endpoint: Endpoint) -> float:
    """Days since the endpoint runs on its configuration."""
    config = endpoint.config
    made = [endpoint.creation_time, *([config.creation_time] if config is not None else [])]
    return (endpoint.region.now - max(made)) / timedelta(days=1)


def _model(variant: Variant) -> Model:
    """The model of a variant. Raises `Unread` for one that was deleted under its endpoint."""
    name = configured(variant).model_name
    found = variant.region.find(Model, name)
    if found is None:
        raise Unread(variant.gap("sagemaker:DescribeModel", Reason.VANISHED, name or "no model"))
    return found


def _offered(region: Region, families: Collection[str]) -> bool:
    """Whether a type of these families is offered in any zone."""
    return any(family(name) in families for name in zones_by_type(region))


def _was_optimized(model: Model) -> bool:
    """Whether a job of Neo or of SageMaker's optimization read this model or made it."""
    artifacts = {c.artifact_uri for c in model.all_containers} - {None}
    packages = {c.model_package_name for c in model.all_containers} - {None}
    for compiled in model.region.all(CompilationJob):
        if compiled.compilation_job_status != "COMPLETED":
            continue
        if {compiled.s3_uri, compiled.s3_model_artifacts} & artifacts:
            return True
        if compiled.model_package_version_arn in packages:
            return True
    for optimized in model.region.all(OptimizationJob):
        if optimized.optimization_job_status != "COMPLETED":
            continue
        folders = [f"{uri.rstrip('/')}/" for uri in (optimized.s3_uri, optimized.s3_output_location) if uri]
        if optimized.model_name == model.name:
            return True
        if any(f"{artifact}/".startswith(folder) for artifact in artifacts for folder in folders):
            return True
    return False


_GRAVITON = sample(InstanceTypeOffering, "c7g.xlarge", instance_type="c7g.xlarge")
_X86 = {"supported_architectures": ["x86_64"]}
_ARM = {"supported_architectures": ["arm64"]}
_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def _on_cpu(*others: Sample, **values: Any) -> Given:
    return _hosted(*others, **{"instance_type": "ml.c5.xlarge", "kind": _X86, "image": _XGBOOST, **values})


@rule(
    "PERF-014",
    Severity.INFO,
    bad=[
        _on_cpu(_GRAVITON),
        _on_cpu(_GRAVITON, image=f"{_DLC}/pytorch-inference:2.5-cpu-py311"),
    ],
    good=[
        _on_cpu(_GRAVITON, instance_type="ml.c7g.xlarge", kind=_ARM),
        _on_cpu(_GRAVITON, image=f"{_DLC}/mxnet-inference:1.9-cpu"),
        _on_cpu(_INFERENTIA),
        # SageMaker hosts no m7g: that EC2 has it here is no opportunity.
        _on_cpu(sample(InstanceTypeOffering, "m7g.large", instance_type="m7g.large")),
    ],
    exempt=[
        _on_cpu(_GRAVITON, kind={**_X86, **_GPU}, instance_type="ml.g5.xlarge"),
        _on_cpu(_GRAVITON, kind={**_X86, "neuron_info": {}}, instance_type="ml.inf2.xlarge"),
        _on_cpu(_GRAVITON, image=_OWN),
        _on_cpu(_GRAVITON, image=f"{_DLC}/vendor-scorer:1"),
        _on_cpu(_GRAVITON, production_variants=[_SERVERLESS]),
        _on_cpu(_GRAVITON, model_name=None),
        _on_cpu(_GRAVITON, endpoint_status="Failed"),
    ],
    remedy="Benchmark the model on ml.c7g or ml.m6g with the container's edition for arm64.",
    command="aws sagemaker update-endpoint --endpoint-name {name} --endpoint-config-name GRAVITON_CONFIG",
    change=Change.IN_PLACE,
    confidence=0.4,
    maps=[lens("MLCOST05-BP02")],
)
def x86_hosting_of_portable_image(variant: Variant) -> Verdict:
    """Models on CPUs should run on Graviton where AWS has their container for it.

    An opportunity, no fault: Graviton often serves the same for a fifth less. AWS has PyTorch,
    TensorFlow, scikit-learn and XGBoost for it. Whether a custom image has an edition for arm64
    stands in its registry's manifest only, which is not read, so custom images are not judged.
    That EC2 offers a type does not prove that SageMaker does.
    """
    endpoint = endpoint_of(variant)
    beyond = _beyond(endpoint, variant)
    if beyond is not None:
        return beyond
    kind = host(variant)
    name = f"ml.{kind.name}"
    if is_accelerated(kind):
        return not_applicable("accelerators do the work", InstanceType=name)
    architectures = kind.supported_architectures
    if architectures is None:
        raise Unread(kind.gap("ec2:DescribeInstanceTypes", Reason.MISSING, f"the architecture of {name}"))
    if "arm64" in architectures:
        return passed(InstanceType=name)
    images = images_of((_model(variant),))
    repositories = [aws_repository(image, endpoint.region.account) for image in images]
    if not repositories or not all(found and is_aws_inference_image(found) for found in repositories):
        return not_applicable("an image that is not AWS's own may have no edition for arm64")
    if not all(found and has_arm_edition(found) for found in repositories):
        return passed("AWS has its container for x86 only")
    if not _offered(endpoint.region, _ARM_FAMILIES):
        return passed("no type with Graviton is offered here")
    return failed(
        "its container has an edition for Graviton",
        InstanceType=name,
        SupportedArchitectures=architectures,
        Image=sorted(images)[:3],
    )
