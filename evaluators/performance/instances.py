"""Which generation of instances work runs on."""

from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.instances import facts, family, has_twin, is_elastic_inference
from evaluators.rule import Change, Severity, Verdict, expect, given, not_applicable, rule
from evaluators.traffic import configured

_CURRENT = sample(InstanceType, "m7i.large", current_generation=True)
_OLD = sample(InstanceType, "m3.large", current_generation=False)


def _variant(variant: dict[str, Any]) -> tuple[Sample, Sample]:
    """An endpoint with one variant, and the config that names its instance type."""
    planned = sample(EndpointConfig, "config", production_variants=[{"variant_name": "a", **variant}])
    return sample(
        Endpoint, endpoint_config_name="config", production_variants=[{"variant_name": "a"}]
    ), planned


@rule(
    "PERF-001",
    Severity.LOW,
    bad=[
        sample(NotebookInstance, instance_type="ml.t2.medium"),
        given(sample(NotebookInstance, instance_type="ml.m3.large"), _OLD),
        sample(NotebookInstance, instance_type="ml.m7i.large", accelerator_types=["ml.eia2.medium"]),
        given(*_variant({"instance_type": "ml.p3.2xlarge"})),
        given(*_variant({"instance_type": "ml.m7i.large", "accelerator_type": "ml.eia1.medium"}), _CURRENT),
        given(
            *_variant(
                {"instance_pools": [{"instance_type": "ml.m7i.large"}, {"instance_type": "ml.m4.xlarge"}]}
            )
        ),
        sample(TrainingJob, instance_type="ml.p2.xlarge"),
        sample(
            TrainingJob, instance_groups=[{"instance_type": "ml.m7i.large"}, {"instance_type": "ml.c4.large"}]
        ),
        given(sample(NotebookInstance, instance_type="ml.m7i.large"), _CURRENT, old_families=["m7i"]),
    ],
    good=[
        given(sample(NotebookInstance, instance_type="ml.m7i.large"), _CURRENT),
        given(*_variant({"instance_type": "ml.m7i.large"}), _CURRENT),
        given(sample(TrainingJob, instance_type="ml.m7i.large"), _CURRENT),
    ],
    exempt=[
        sample(TrainingJob, instance_type="ml.geospatial.interactive"),
        sample(NotebookInstance, instance_type="system"),
        given(*_variant({"serverless_config": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}})),
        given(sample(NotebookInstance, instance_type="ml.t2.medium"), ignore_families=["t2"]),
    ],
    remedy="Move to the current generation of the same family, where the Region offers it.",
    command="aws ec2 describe-instance-types --region {region} --filters Name=current-generation,Values=true",
    change=Change.RECREATE,
    maps=[lens("MLPERF04-BP01"), lens("MLCOST05-BP02")],
)
def old_instance_generation(
    place: NotebookInstance | Variant | TrainingJob,
    *,
    old_families: tuple[str, ...] = ("t2", "m4", "c4", "p2", "p3", "p3dn", "inf1"),
    ignore_families: tuple[str, ...] = (),
) -> Verdict:
    """Work should run on instance types of the current generation.

    Newer generations cost less for the same work, and old ones run out. A newer type may be missing
    in a Region; a type that EC2 does not know there is not judged.
    """
    named = _types(place)
    judged = [kind for kind in named if is_elastic_inference(kind) or has_twin(kind)]
    judged = [kind for kind in judged if family(kind) not in ignore_families]
    if not judged:
        return not_applicable("no instance type of its own, or none that EC2 has", InstanceType=named)
    old = [kind for kind in judged if is_elastic_inference(kind) or family(kind) in old_families]
    if not old:
        old = [kind for kind in judged if not facts(place.region, kind).current_generation]
    return expect(not old, "the instance type is of an old generation", InstanceType=old or judged)


def _types(place: NotebookInstance | Variant | TrainingJob) -> list[str]:
    match place:
        case NotebookInstance():
            return [place.instance_type, *(place.accelerator_types or ())]
        case Variant():
            planned = configured(place)
            return [kind for kind in (*planned.instance_types, planned.accelerator_type) if kind]
        case TrainingJob():
            return list(place.instance_types)
