"""Models, and what they are made of: few calls, whole answers, and gaps where AWS says no."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.ecr import ImageReference, container_images, image_reference
from collectors.model import Gap, Reason, Resource
from collectors.s3 import Bucket
from collectors.s3_objects import artifact_key, model_artifacts
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_packages import ModelPackage, latest_approved
from collectors.sagemaker.models import Model, models
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region

REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
TOKEN = "hf_" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4Fg"


def add_models(state: DemoState, count: int, **container: Any) -> None:
    for number in range(count):
        name = f"scorer-{number:04d}"
        document = {
            "ModelName": name,
            "ModelArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/{name}",
            "PrimaryContainer": {"Image": f"{REGISTRY}/scorer:1", **container},
            "CreationTime": NOW - timedelta(days=number),
        }
        state.add("Model", REGION, document, {"Environment": "prod"})


def kept(found: Sequence[Resource]) -> Region:
    """A Region that holds what a collector yielded."""
    snapshot = snapshot_of([])
    for resource in found:
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION)


def test_a_thousand_models_cost_ten_calls_and_bring_their_tags() -> None:
    state = DemoState(NOW)
    add_models(state, 1000)
    reader = reader_of(models, state)

    region = kept(list(models.function(reader)))

    found = list(region.all(Model))
    assert (len(found), dict(state.calls), reader.gap) == (1000, {"sagemaker:Search": 10}, None)
    assert [c.image for c in found[0].all_containers] == [f"{REGISTRY}/scorer:1"]
    assert (found[0].tags, found[0].tags_missing) == ({"Environment": "prod"}, False)


def test_where_search_is_denied_models_are_listed_and_described() -> None:
    state = DemoState(NOW, denied=("sagemaker:Search",))
    add_models(state, 101)
    reader = reader_of(models, state)

    region = kept(list(models.function(reader)))

    assert len(list(region.all(Model))) == 101
    assert reader.gap is None
    assert dict(state.calls) == {
        "sagemaker:Search": 1,
        "sagemaker:ListModels": 2,
        "sagemaker:DescribeModel": 101,
    }


def test_a_model_whose_describe_is_denied_is_kept_as_a_gap() -> None:
    state = DemoState(NOW, denied=("sagemaker:Search", "sagemaker:DescribeModel"))
    add_models(state, 1)
    (found,) = models.function(reader_of(models, state))
    described = found.readings()["sagemaker:DescribeModel"]
    assert found.name == "scorer-0000"
    assert isinstance(described, Gap)
    assert described.reason is Reason.DENIED


@pytest.mark.parametrize("denied", [(), ("sagemaker:Search",)])
def test_secrets_of_a_models_environment_are_not_kept(denied: tuple[str, ...]) -> None:
    state = DemoState(NOW, denied=denied)
    add_models(state, 1, Environment={"HF_TOKEN": TOKEN})
    (found,) = models.function(reader_of(models, state))
    (model,) = kept([found]).all(Model)
    assert TOKEN not in bytes(found.documents).decode()
    secrets = model.secrets(Model.primary_container.operations)
    assert [(s.key, s.detector) for s in secrets] == [
        ("PrimaryContainer.Environment.HF_TOKEN", "huggingface-token")
    ]


def version(number: int, status: str | None, group: str = "scorer") -> Sample:
    return sample(
        ModelPackage,
        f"{group}/{number}",
        model_package_group_name=group,
        model_package_version=number,
        model_approval_status=status,
    )


def test_the_newest_approved_version_of_each_group() -> None:
    versions = [
        version(2, "Approved"),
        version(10, "Approved"),
        version(11, "Rejected"),
        version(12, "PendingManualApproval"),
        version(1, "Rejected", "other"),
        version(1, None, "third"),
    ]
    packages = Region(snapshot_of(versions), ACCOUNT, REGION).all(ModelPackage)
    assert [package.name for package in latest_approved(packages).values()] == ["scorer/10"]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"{REGISTRY}/scorer:7", ImageReference(REGION, ACCOUNT, "scorer", "7", "")),
        (f"{REGISTRY}/team/scorer", ImageReference(REGION, ACCOUNT, "team/scorer", "latest", "")),
        (
            f"{REGISTRY}/scorer@sha256:00ff",
            ImageReference(REGION, ACCOUNT, "scorer", "latest", "sha256:00ff"),
        ),
        (f"{REGISTRY}/scorer:7@sha256:00ff", ImageReference(REGION, ACCOUNT, "scorer", "7", "sha256:00ff")),
        (
            f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/scorer:7",
            ImageReference("cn-north-1", ACCOUNT, "scorer", "7", ""),
        ),
        (
            f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/scorer:7",
            ImageReference(REGION, ACCOUNT, "scorer", "7", ""),
        ),
        ("registry.corp/scorer:7", None),
        ("public.ecr.aws/team/scorer:7", None),
        ("", None),
        (None, None),
    ],
)
def test_image_uris(uri: str | None, expected: ImageReference | None) -> None:
    assert image_reference(uri) == expected


def deployed(*containers: dict[str, str]) -> list[Sample]:
    """A model with these containers behind an endpoint, and one that nothing serves."""
    variant = {"variant_name": "blue", "model_name": "scorer"}
    return [
        sample(Endpoint, "scorer", endpoint_config_name="scorer-1"),
        sample(EndpointConfig, "scorer-1", production_variants=[variant]),
        sample(Model, "scorer", containers=list(containers)),
        sample(
            Model,
            "leftover",
            primary_container={"image": f"{REGISTRY}/old:1", "model_data_url": "s3://artifacts/old.tar.gz"},
        ),
    ]


def asked(*tags: str) -> dict[str, Any]:
    return {"repositoryName": "scorer", "imageIds": [{"imageTag": tag} for tag in tags]}


def details(*tags: str) -> dict[str, Any]:
    return {"imageDetails": [{"imageTags": [tag], "imageStatus": "ACTIVE"} for tag in tags]}


def test_a_missing_image_is_told_from_the_others_of_its_batch() -> None:
    state = DemoState(NOW)
    state.refuse("ecr:DescribeImages", code="ImageNotFoundException", when=asked("1", "2", "3"))
    state.refuse("ecr:DescribeImages", code="ImageNotFoundException", when=asked("2", "3"))
    state.refuse("ecr:DescribeImages", code="ImageNotFoundException", when=asked("2"))
    state.answer("ecr:DescribeImages", details("1"), when=asked("1"))
    state.answer("ecr:DescribeImages", details("3"), when=asked("3"))
    images = [{"image": f"{REGISTRY}/scorer:{tag}"} for tag in "123"]
    foreign = {"image": f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.5"}
    reader = reader_of(container_images, state, deployed(*images, foreign))

    found = {resource.name: resource.readings() for resource in container_images.function(reader)}

    assert found == {
        f"{REGISTRY}/scorer:1": {"ecr:DescribeImages": details("1")},
        f"{REGISTRY}/scorer:2": {"ecr:DescribeImages": None},
        f"{REGISTRY}/scorer:3": {"ecr:DescribeImages": details("3")},
    }
    assert (state.calls["ecr:DescribeImages"], reader.gap) == (5, None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("RepositoryNotFoundException", None), ("AccessDeniedException", Reason.DENIED)],
)
def test_a_repository_that_is_gone_is_no_image_and_a_denial_is_a_gap(
    code: str, expected: Reason | None
) -> None:
    state = DemoState(NOW)
    state.refuse("ecr:DescribeImages", code=code)
    reader = reader_of(container_images, state, deployed({"image": f"{REGISTRY}/scorer:1"}))
    (found,) = container_images.function(reader)
    reading = found.readings()["ecr:DescribeImages"]
    assert (reading.reason if isinstance(reading, Gap) else reading) == expected


DATA = "s3://artifacts/scorer/model.tar.gz"
LISTED = {"Bucket": "artifacts", "Prefix": "scorer/model.tar.gz", "MaxKeys": 1}
OWNED = sample(Bucket, "artifacts", arn="arn:aws:s3:::artifacts", bucket_region=REGION)


def listing(*keys: str) -> dict[str, Any]:
    return {"KeyCount": len(keys), "Contents": [{"Key": key, "Size": 1} for key in keys]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (listing("scorer/model.tar.gz"), 1),
        (listing(), None),
        # The key is only the beginning of another object's.
        (listing("scorer/model.tar.gz.old"), None),
    ],
)
def test_an_object_exists_when_the_first_key_is_its_own(answer: dict[str, Any], expected: int | None) -> None:
    state = DemoState(NOW)
    state.answer("s3:ListObjectsV2", answer, when=LISTED)
    reader = reader_of(model_artifacts, state, [*deployed({"model_data_url": DATA}), OWNED])
    (found,) = model_artifacts.function(reader)
    reading = found.readings()["s3:ListObjectsV2"]
    assert found.id == DATA
    assert (reading["KeyCount"] if isinstance(reading, dict) else reading) == expected


def test_a_prefix_is_one_key_or_none() -> None:
    state = DemoState(NOW)
    state.answer("s3:ListObjectsV2", listing(), when={**LISTED, "Prefix": "many/"})
    container = {"model_data_url": "s3://artifacts/many/", "mode": "MultiModel"}
    (found,) = model_artifacts.function(reader_of(model_artifacts, state, [*deployed(container), OWNED]))
    assert found.id == artifact_key("s3://artifacts/many/", True)
    assert found.readings() == {"s3:ListObjectsV2": listing()}


@pytest.mark.parametrize(
    ("bucket", "code", "status", "expected"),
    [
        # A denied listing hides whether the object is there.
        ("artifacts", "AccessDenied", 403, [Reason.DENIED]),
        ("artifacts", "NoSuchBucket", 404, [None]),
        # One that ListBuckets lacks is this account's by its name, or somebody else's and not asked.
        (f"sagemaker-{REGION}-{ACCOUNT}", "NoSuchBucket", 404, [None]),
        ("jumpstart-cache-prod-eu-west-1", "AccessDenied", 403, []),
    ],
)
def test_buckets_that_say_no(bucket: str, code: str, status: int, expected: list[Reason | None]) -> None:
    state = DemoState(NOW)
    state.refuse("s3:ListObjectsV2", code=code, status=status)
    samples = [*deployed({"model_data_url": f"s3://{bucket}/scorer/model.tar.gz"}), OWNED]
    reader = reader_of(model_artifacts, state, samples)
    readings = [r.readings()["s3:ListObjectsV2"] for r in model_artifacts.function(reader)]
    assert [r.reason if isinstance(r, Gap) else r for r in readings] == expected
    assert (state.calls["s3:ListObjectsV2"], reader.gap) == (len(expected), None)


def test_a_package_stands_for_the_container_that_was_made_from_it() -> None:
    state = DemoState(NOW)
    state.answer("ecr:DescribeImages", details("1"))
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/scorer/3"
    package = sample(ModelPackage, "scorer/3", arn=arn, containers=[{"image": f"{REGISTRY}/scorer:1"}])
    reader = reader_of(container_images, state, [*deployed({"model_package_name": arn}), package])
    assert [resource.name for resource in container_images.function(reader)] == [f"{REGISTRY}/scorer:1"]


def test_a_config_that_could_not_be_read_leaves_the_listing_open() -> None:
    refused = Gap("sagemaker:DescribeEndpointConfig", Reason.DENIED)
    samples = [
        sample(Endpoint, "scorer", endpoint_config_name="scorer-1"),
        sample(EndpointConfig, "scorer-1", production_variants=refused),
    ]
    reader = reader_of(container_images, DemoState(NOW), samples)
    assert list(container_images.function(reader)) == []
    assert reader.gap == refused
