"""Whether what deployed and approved models are made of is still there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from collectors.ecr import ContainerImage, image_reference
from collectors.s3_objects import ModelArtifact, artifact_key
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import Container, model_containers
from collectors.sample import ABSENT, sample
from evaluators.controls import lens
from evaluators.deployments import approved_packages, deployments
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scorer:7"
_AWS_IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.5-cpu-py311"
_DATA = "s3://artifacts/scorer/7/model.tar.gz"
_PREFIX = "s3://artifacts/scorers/"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/scorer/3"
_ENDPOINT = sample(Endpoint, "scorer", endpoint_config_name="scorer-1")
_CONFIG = sample(
    EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue", "model_name": "example"}]
)
_DEPLOYED = (_ENDPOINT, _CONFIG)
_MODEL = sample(Model, primary_container={"image": _IMAGE, "model_data_url": _DATA})
_MULTI_MODEL = sample(
    Model, primary_container={"image": _AWS_IMAGE, "model_data_url": _PREFIX, "mode": "MultiModel"}
)
_VERSION = sample(
    ModelPackage,
    "scorer/3",
    arn=_PACKAGE,
    model_package_group_name="scorer",
    model_package_version=3,
    model_approval_status="Approved",
    containers=[{"image": _IMAGE, "model_data_url": _DATA}],
)
_OLDER = sample(
    ModelPackage,
    "scorer/2",
    model_package_group_name="scorer",
    model_package_version=2,
    model_approval_status="Approved",
    containers=[{"image": _IMAGE, "model_data_url": _DATA}],
)
_HAS_DATA = sample(ModelArtifact, _DATA, arn=_DATA, key_count=1)
_HAS_IMAGE = sample(ContainerImage, _IMAGE, arn=_IMAGE, image_details=[{"image_status": "ACTIVE"}])
_NO_DATA = sample(ModelArtifact, _DATA, arn=_DATA, key_count=ABSENT)
_NO_IMAGE = sample(ContainerImage, _IMAGE, arn=_IMAGE, image_details=ABSENT)


@rule(
    "REL-009",
    Severity.CRITICAL,
    bad=[
        given(_MODEL, *_DEPLOYED, _NO_DATA, _HAS_IMAGE),
        given(_MODEL, *_DEPLOYED, _HAS_DATA, _NO_IMAGE),
        given(
            _MODEL,
            *_DEPLOYED,
            _HAS_DATA,
            sample(ContainerImage, _IMAGE, arn=_IMAGE, image_details=[{"image_status": "ARCHIVED"}]),
        ),
        # A lifecycle policy of ECR deletes digests that are still in use.
        given(
            sample(Model, containers=[{"image": f"{_IMAGE}@sha256:00ff"}]),
            *_DEPLOYED,
            sample(ContainerImage, f"{_IMAGE}@sha256:00ff", arn=f"{_IMAGE}@sha256:00ff", image_details=[]),
        ),
        given(
            _MULTI_MODEL, *_DEPLOYED, sample(ModelArtifact, "p", arn=artifact_key(_PREFIX, True), key_count=0)
        ),
        given(
            sample(Model, primary_container={"model_package_name": _PACKAGE}),
            *_DEPLOYED,
            _VERSION,
            _NO_DATA,
            _HAS_IMAGE,
        ),
        given(_VERSION, _NO_DATA, _HAS_IMAGE),
    ],
    good=[
        given(_MODEL, *_DEPLOYED, _HAS_DATA, _HAS_IMAGE),
        given(
            _MULTI_MODEL, *_DEPLOYED, sample(ModelArtifact, "p", arn=artifact_key(_PREFIX, True), key_count=1)
        ),
        # The artifact lies in a bucket of another account: the image alone is judged.
        given(_MODEL, *_DEPLOYED, _HAS_IMAGE),
        given(_VERSION, _OLDER, _HAS_DATA, _HAS_IMAGE),
    ],
    exempt=[
        given(_MODEL, _NO_DATA, _NO_IMAGE),
        given(sample(Model, primary_container={"image": _AWS_IMAGE, "model_data_url": _DATA}), *_DEPLOYED),
        given(sample(Model, primary_container={"image": _AWS_IMAGE}), *_DEPLOYED),
        # An older version than the newest that is approved.
        given(_OLDER, _VERSION, _HAS_DATA, _HAS_IMAGE),
        given(
            sample(
                ModelPackage,
                "scorer/4",
                model_package_group_name="scorer",
                model_package_version=4,
                model_approval_status="PendingManualApproval",
                containers=[{"image": _IMAGE, "model_data_url": _DATA}],
            ),
            _NO_DATA,
            _NO_IMAGE,
        ),
    ],
    remedy="Restore the object's version or push the image again; else train and register the model anew.",
    command="aws s3api list-object-versions --bucket BUCKET --prefix KEY",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP02")],
)
def missing_artifact_or_image(holder: Model | ModelPackage) -> Verdict:
    """Artifacts and images of deployed and approved models should still exist.

    The endpoint goes on running, but it cannot scale out, be replaced or be made again. Of models
    those that are deployed are judged, of each group the newest approved version. Buckets and
    registries of other accounts are not asked.
    """
    if isinstance(holder, Model):
        if holder.name not in deployments(holder.region):
            return not_applicable("the model is not deployed")
        containers = list(model_containers(holder))
    else:
        if holder.id not in approved_packages(holder.region):
            return not_applicable("it is not the newest approved version")
        containers = list(holder.containers)
    found = _check(containers)
    if found.missing:
        return failed("what it is made of is gone", **found.missing)
    if not found.present:
        return not_applicable("its artifacts and images are in other accounts")
    return passed(checked=found.present)


@dataclass(slots=True)
class _Checked:
    """How many artifacts and images exist, and those that do not by the member that names them."""

    present: int = 0
    missing: dict[str, Any] = field(default_factory=dict)

    def note(self, exists: bool, member: str, uri: str) -> None:
        if exists:
            self.present += 1
        else:
            self.missing.setdefault(member, []).append(uri)


def _check(containers: Iterable[Container]) -> _Checked:
    checked = _Checked()
    for container in containers:
        region = container.region
        uri = container.artifact_uri
        artifact = (
            region.find(ModelArtifact, artifact_key(uri, container.artifact_is_prefix)) if uri else None
        )
        if uri and artifact is not None:
            member = "ModelDataUrl" if container.model_data_url else "S3Uri"
            checked.note(bool(artifact.key_count), member, uri)
        reference = image_reference(container.image)
        if container.image and reference and reference.registry == region.account:
            image = region.find(ContainerImage, container.image)
            if image is not None:
                pulled = any(detail.image_status != "ARCHIVED" for detail in image.image_details)
                checked.note(pulled, "Image", container.image)
    return checked
