"""Whether it is known what code and which images ran."""

import base64
from collections.abc import Iterable
from typing import Any

from collectors.ecr import image_reference
from collectors.model import Gap, Reason, Unread
from collectors.repositories import Repository
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import LifecycleConfig, NotebookInstance
from collectors.sagemaker.serving import model_containers
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.deployments import deployments
from evaluators.families import not_judged
from evaluators.images import is_aws_name
from evaluators.rule import (
    Change,
    Given,
    Scope,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.scripts import clones_repository


def _script(*lines: str) -> list[dict[str, str]]:
    return [{"content": base64.b64encode("\n".join(lines).encode()).decode()}]


def _prepared(*lines: str) -> Given:
    return given(
        sample(NotebookInstance, notebook_instance_lifecycle_config_name="setup"),
        sample(LifecycleConfig, "setup", on_start=_script(*lines)),
    )


@rule(
    "OPS-002",
    Severity.LOW,
    scope=Scope.NOT_SANDBOX,
    confidence=0.7,
    bad=[
        {},
        {"notebook_instance_status": "Stopped"},
        _prepared("#!/bin/bash", "pip install pandas"),
        _prepared("# git clone https://git.example.com/churn"),
    ],
    good=[
        {"default_code_repository": "churn"},
        {"additional_code_repositories": ["https://git.example.com/churn"]},
        _prepared("cd SageMaker && git clone https://git.example.com/churn"),
        _prepared("sudo -u ec2-user git -C /home/ec2-user/SageMaker \\", "  clone $REPOSITORY"),
    ],
    exempt=[
        {"notebook_instance_status": "Pending"},
        {"notebook_instance_status": "Deleting"},
        {"notebook_instance_status": "Failed"},
        sample(NotebookInstance, tags={"Environment": "sandbox"}),
    ],
    remedy="Make a code repository resource, stop the instance, and associate it.",
    command="aws sagemaker update-notebook-instance --notebook-instance-name {name}"
    " --default-code-repository REPOSITORY",
    change=Change.RESTART,
    maps=[lens("MLOPS03-BP02"), lens("MLOPS04-BP01")],
)
def notebook_without_repository(notebook: NotebookInstance) -> Verdict:
    """Notebook instances should be linked to a Git repository.

    Code that lies on the instance's disk alone is tied to no model and is gone with the instance. A
    lifecycle script that clones a repository counts; what somebody clones by hand is not seen. Studio's
    spaces have repositories of their own.
    """
    status = notebook.notebook_instance_status
    if status in ("Pending", "Deleting", "Failed"):
        return not_applicable("it is not in use", NotebookInstanceStatus=status)
    linked = [
        found
        for found in (notebook.default_code_repository, *(notebook.additional_code_repositories or ()))
        if found
    ]
    if linked:
        return passed(repositories=len(linked))
    config = notebook.lifecycle_config
    scripts = (*config.on_create, *config.on_start) if config is not None else ()
    if any(clones_repository(script.text) for script in scripts):
        return passed("a lifecycle script clones one")
    return failed("no repository is linked to it", DefaultCodeRepository=None, AdditionalCodeRepositories=[])


_REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_OWN = f"{_REGISTRY}/churn:1.4.0"
_DIGEST = f"{_REGISTRY}/churn@sha256:{'0f' * 32}"
_DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.5-cpu-py311"
_CHINESE = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/churn@sha256:" + "0f" * 32
_RUN: dict[str, Any] = {"instance_type": "ml.m5.xlarge", "instance_count": 1}


def _trained(image: str | None, *others: Sample, **values: Any) -> Given:
    return given(sample(TrainingJob, "churn-2026-11-18", training_image=image, **{**_RUN, **values}), *others)


def _served(image: str, *others: Sample) -> Given:
    resolved = {"specified_image": image, "resolved_image": f"{_REGISTRY}/churn@sha256:00ff"}
    return given(
        sample(Model, "churn", primary_container={"image": image}),
        sample(EndpointConfig, "churn", production_variants=[{"variant_name": "a", "model_name": "churn"}]),
        sample(
            Endpoint,
            "churn",
            endpoint_config_name="churn",
            production_variants=[{"variant_name": "a", "deployed_images": [resolved]}],
        ),
        *others,
    )


def _repository(mutability: str, *filters: str) -> Sample:
    excepted = [{"filter": pattern} for pattern in filters]
    return sample(
        Repository,
        "churn",
        image_tag_mutability=mutability,
        image_tag_mutability_exclusion_filters=excepted,
    )


@rule(
    "OPS-003",
    Severity.MEDIUM,
    bad=[
        _trained(_OWN, _repository("MUTABLE")),
        _trained(f"{_REGISTRY}/churn", _repository("MUTABLE")),
        _trained(_OWN, _repository("MUTABLE_WITH_EXCLUSION", "release-*")),
        _trained(f"{_REGISTRY}/churn:latest", _repository("IMMUTABLE_WITH_EXCLUSION", "latest*")),
        _served(_OWN, _repository("MUTABLE")),
    ],
    good=[
        _trained(_DIGEST),
        _served(_DIGEST),
        _trained(_CHINESE),
        _trained(_OWN, _repository("IMMUTABLE")),
        _served(_OWN, _repository("IMMUTABLE_WITH_EXCLUSION", "latest*")),
        _trained(_OWN, _repository("MUTABLE_WITH_EXCLUSION", "1.*")),
        # The image of another account of the company, by its digest.
        _trained("999988887777.dkr.ecr.eu-west-1.amazonaws.com/churn@sha256:" + "0f" * 32),
    ],
    exempt=[
        _served(_DLC),
        _trained("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"),
        _trained("438346466558.dkr.ecr.eu-west-1.amazonaws.com/linear-learner:1"),
        _trained(None, algorithm_name="xgboost"),
        _served("registry.example.com/churn:1"),
        given(sample(Model, "churn", primary_container={"image": _OWN}), _repository("MUTABLE")),
    ],
    remedy="Name images by their digest, or make the repository's tags immutable and give each build its own.",
    command="aws ecr put-image-tag-mutability --repository-name REPOSITORY --image-tag-mutability IMMUTABLE",
    change=Change.NEXT_RUN,
    maps=[
        security_hub("ECR.2"),
        config_rule("ecr-private-tag-immutability-enabled"),
        prowler("ecr_repositories_tag_immutability"),
        lens("MLOPS03-BP02"),
        lens("MLREL05-BP02"),
    ],
)
def movable_image_tag(holder: TrainingJob | Model) -> Verdict:
    """Training and inference images should be named so that they cannot change.

    A tag that moves changes the algorithm between two runs that look the same. A digest is exact, and
    a tag is where its repository does not let it move. The latest run of each family and deployed
    models are judged. AWS's own images are PERF-011's; of another account's tags nobody here knows
    whether they move.
    """
    if isinstance(holder, TrainingJob):
        why = not_judged(holder)
        if why:
            return not_applicable(why)
        if not holder.training_image:
            return not_applicable("its algorithm is given by name", AlgorithmName=holder.algorithm_name)
        return _judged([holder.training_image], holder.region, "TrainingImage")
    deployed = deployments(holder.region).get(holder.name)
    if not deployed:
        return not_applicable("the model is not deployed")
    images = [container.image for container in model_containers(holder) if container.image]
    resolved = {
        run.specified_image: run.resolved_image
        for deployment in deployed
        for variant in deployment.endpoint.production_variants
        for run in variant.deployed_images
        if run.specified_image in images
    }
    return _judged(images, holder.region, "Image", ResolvedImage=resolved)


def _judged(images: Iterable[str], region: Region, member: str, **figures: Any) -> Verdict:
    """The verdict on some images. Raises `Unread` for a tag of a repository that is not seen from here."""
    pinned: list[str] = []
    unread: Unread | None = None
    for uri in images:
        reference = image_reference(uri)
        if reference is None or (reference.registry != region.account and is_aws_name(reference.repository)):
            continue
        if reference.digest:
            pinned.append(uri)
            continue
        try:
            repository = _repository_of(uri, region)
            if repository.tag_can_move(reference.tag):
                evidence: dict[str, Any] = {
                    member: uri,
                    **{name: held for name, held in figures.items() if held},
                }
                evidence["imageTagMutability"] = repository.image_tag_mutability
                return failed(f"the tag {reference.tag} can be moved to another image", **evidence)
            pinned.append(uri)
        except Unread as gap:
            unread = unread or gap
    if unread is not None:
        raise unread
    if not pinned:
        return not_applicable("its images are AWS's, or in no registry of ECR")
    return passed(**{member: pinned[:10]})


def _repository_of(uri: str, region: Region) -> Repository:
    """The repository of an image. Raises `Unread` for one that is in another account, or is not listed."""
    reference = image_reference(uri)
    if reference is not None and reference.registry == region.account:
        found = region.sibling(reference.region).find(Repository, reference.repository)
        if found is not None:
            return found
    message = f"the repository of {uri} is not listed here"
    raise Unread(Gap("ecr:DescribeRepositories", Reason.NOT_READ, message=message, region=region.name))
