"""Which instances each stage of machine learning runs on."""

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.apps import App
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.job_families import is_made_by_aws
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.instances import facts, has_twin, is_accelerated
from evaluators.rule import Change, Severity, Verdict, expect, given, not_applicable, rule

_SMALL = sample(InstanceType, "t3.medium", arn="t3.medium", default_v_cpus=2)
_GPU = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", gpus=[{"count": 1}])
_LARGE = sample(InstanceType, "m5.4xlarge", arn="m5.4xlarge", default_v_cpus=16)


def _notebook(instance_type: str, name: str = "n", **values: Any) -> Sample:
    return sample(NotebookInstance, name, instance_type=instance_type, **values)


def _job(instance_type: str, name: str = "churn") -> Sample:
    return sample(TrainingJob, name, instance_type=instance_type, instance_count=1)


def _domain(instance_type: str) -> Sample:
    settings = {"jupyter_lab_app_settings": {"instance_type": instance_type}}
    return sample(Domain, default_user_settings=settings)


@rule(
    "PERF-017",
    Severity.LOW,
    confidence=0.7,
    bad=[
        given(_notebook("ml.t3.medium"), _job("ml.t3.medium"), _SMALL),
        given(
            sample(App, instance_type="ml.t3.medium"),
            sample(ProcessingJob, instance_type="ml.t3.medium"),
            _job("ml.t3.medium"),
            sample(EndpointConfig, production_variants=[{"instance_type": "ml.t3.medium"}]),
            _SMALL,
        ),
        given(_notebook("ml.g5.xlarge"), _job("ml.m5.4xlarge"), _GPU, _LARGE),
        given(_notebook("ml.m5.4xlarge"), _job("ml.g5.xlarge"), _GPU, _LARGE),
        given(_notebook("ml.t3.medium"), _job("ml.g5.xlarge"), _domain("ml.g5.xlarge"), _SMALL, _GPU),
    ],
    good=[
        given(_notebook("ml.t3.medium"), _job("ml.g5.xlarge"), _SMALL, _GPU),
        given(_notebook("ml.m5.4xlarge"), _job("ml.g5.xlarge"), _GPU, _LARGE, max_interactive_vcpus=32),
        # One GPU notebook beside small ones may well be meant.
        given(
            _notebook("ml.g5.xlarge"),
            _notebook("ml.t3.medium", "other"),
            _job("ml.g5.xlarge"),
            _domain("ml.t3.medium"),
            _GPU,
            _SMALL,
        ),
        # Apps on `system` have no instance of their own, and jobs of AWS's are nobody's choice.
        given(
            _notebook("ml.t3.medium"),
            sample(App, instance_type="system"),
            _job("ml.g5.xlarge"),
            _job("ml.t3.medium", "sagemaker-clarify-1"),
            _SMALL,
            _GPU,
        ),
    ],
    exempt=[
        _notebook("ml.g5.xlarge"),
        given(_notebook("ml.g5.xlarge", notebook_instance_status="Deleting"), _job("ml.g5.xlarge"), _GPU),
        given(sample(App, instance_type="ml.g5.xlarge", status="Deleted"), _job("ml.g5.xlarge"), _GPU),
    ],
    remedy="Work interactively on a small instance, and send the rest off as jobs. A domain can hide expensive types.",
    command="aws sagemaker update-domain --domain-id DOMAIN --default-user-settings file://settings.json",
    change=Change.IN_PLACE,
    maps=[lens("MLPERF04-BP01"), lens("MLCOST04-BP02")],
)
def one_instance_for_everything(region: Region, *, max_interactive_vcpus: int = 16) -> Verdict:
    """Each stage of machine learning should run on instances chosen for it.

    Stages that are told apart can be cheap each on its own. A Region fails where notebooks and apps,
    processing, training and hosting all run on one type, and where people work on instances made for
    training (GPUs, many cores) by a domain's default or for the most part.
    """
    interactive = list(_interactive(region))
    stages = {
        "interactive": set(interactive),
        "processing": set(_processing(region)),
        "training": set(_training(region)),
        "hosting": set(_hosting(region)),
    }
    used = {stage: types for stage, types in stages.items() if types}
    if len(used) < 2:
        return not_applicable("fewer than two stages run here")
    heavy = [kind for kind in interactive if _is_for_training(region, kind, max_interactive_vcpus)]
    defaults = sorted(
        {kind for kind in _defaults(region) if _is_for_training(region, kind, max_interactive_vcpus)}
    )
    wrong = [
        *(["every stage runs on the same type"] if len(set().union(*used.values())) == 1 else []),
        *(["people start on instances for training by default"] if defaults else []),
        *(
            ["most notebooks and apps run on instances for training"]
            if 2 * len(heavy) > len(interactive)
            else []
        ),
    ]
    return expect(
        not wrong, "; ".join(wrong), InstanceType=_shown(used), default_types_for_training=defaults[:10]
    )


def _shown(used: Mapping[str, set[str]]) -> dict[str, list[str]]:
    return {stage: sorted(types)[:10] for stage, types in used.items()}


def _is_for_training(region: Region, kind: str, most: int) -> bool:
    if not has_twin(kind):
        return False
    held = facts(region, kind)
    return is_accelerated(held) or held.default_v_cpus >= most


def _interactive(region: Region) -> Iterator[str]:
    """The type of each notebook instance, and of each app that runs."""
    for notebook in region.all(NotebookInstance):
        if notebook.notebook_instance_status not in ("Deleting", "Failed"):
            yield notebook.instance_type
    for app in region.all(App):
        if app.status == "InService" and app.instance_type not in (None, "system"):
            yield app.instance_type or ""


def _defaults(region: Region) -> Iterator[str]:
    for domain in region.all(Domain):
        for settings in (domain.default_user_settings, domain.default_space_settings):
            for app in settings.scripted if settings else ():
                if app and app.instance_type:
                    yield app.instance_type


def _processing(region: Region) -> Iterator[str]:
    for job in region.all(ProcessingJob):
        if job.is_described and job.instance_type and not is_made_by_aws(job.name):
            yield job.instance_type


def _training(region: Region) -> Iterator[str]:
    for job in region.all(TrainingJob):
        if not is_made_by_aws(job.name):
            yield from job.instance_types


def _hosting(region: Region) -> Iterator[str]:
    for config in region.all(EndpointConfig):
        if config.is_described:
            for variant in (*config.production_variants, *config.shadow_production_variants):
                yield from variant.instance_types
