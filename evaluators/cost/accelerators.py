"""Elastic Inference: accelerators that AWS has retired."""

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import sample
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, not_applicable, passed, rule

_PLAIN = {"variant_name": "main", "model_name": "m", "instance_type": "ml.m5.xlarge"}
_ATTACHED = {**_PLAIN, "accelerator_type": "ml.eia2.medium"}


@rule(
    "COST-035",
    Severity.LOW,
    bad=[
        sample(EndpointConfig, production_variants=[_PLAIN, _ATTACHED]),
        sample(EndpointConfig, production_variants=[_PLAIN], shadow_production_variants=[_ATTACHED]),
        sample(NotebookInstance, accelerator_types=["ml.eia1.medium"]),
    ],
    good=[
        sample(EndpointConfig, production_variants=[_PLAIN]),
        sample(NotebookInstance),
        sample(NotebookInstance, accelerator_types=[]),
    ],
    remedy="Deploy without the accelerator: on Inferentia, on a smaller GPU, or serverless.",
    command="aws sagemaker update-endpoint --endpoint-name ENDPOINT --endpoint-config-name WITHOUT_ACCELERATOR",
    change=Change.RECREATE,
    maps=[lens("MLCOST05-BP02")],
)
def elastic_inference_accelerator(subject: EndpointConfig | NotebookInstance) -> Verdict:
    """Nothing should depend on Elastic Inference accelerators, which AWS has retired.

    What was deployed with one cannot be deployed again, and no longer gets what it was sized for.
    Inferentia, smaller GPUs and serverless inference took its place. Of configurations only those
    that an endpoint uses count, since the accelerator of others costs nothing; notebooks may have
    had several attached.
    """
    if isinstance(subject, NotebookInstance):
        attached = subject.accelerator_types or []
        if not attached:
            return passed()
        return failed("it has retired accelerators", AcceleratorTypes=sorted(attached)[:10])
    if not subject.is_described:
        return not_applicable("no endpoint uses it")
    variants = (*subject.production_variants, *subject.shadow_production_variants)
    types = sorted({variant.accelerator_type for variant in variants if variant.accelerator_type})
    if not types:
        return passed()
    return failed("a variant has a retired accelerator", AcceleratorType=types)
