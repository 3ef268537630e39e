"""The workload graph: what names what, what is gone, and the way from an endpoint to all behind it."""

import pytest

from collectors.graph import _SPELLINGS, _WHOLE, Graph
from collectors.iam import Role
from collectors.model import Gap, Listing, Reason
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ACCOUNT, REGION, Sample, sample, snapshot_of

ROLE = f"arn:aws:iam::{ACCOUNT}:role/inference"
URI = "s3://artifacts/churn/model.tar.gz"
PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/churn/7"

CHAIN = [
    sample(Endpoint, "churn", endpoint_config_name="churn-1"),
    sample(EndpointConfig, "churn-1", production_variants=[{"model_name": "churn-v7"}]),
    sample(
        Model,
        "churn-v7",
        execution_role_arn=ROLE,
        primary_container={"model_data_url": URI},
    ),
    sample(TrainingJob, "churn-train", s3_model_artifacts=URI),
    sample(Role, "inference", arn=ROLE),
    sample(Bucket, "artifacts", arn="arn:aws:s3:::artifacts"),
    sample(ModelPackage, "churn/7", arn=PACKAGE),
]


def graph(*samples: Sample, gaps: tuple[Listing, ...] = ()) -> Graph:
    return Graph(snapshot_of(samples, gaps=gaps), ACCOUNT)


def edges(made: Graph, name: str) -> set[tuple[str, str, bool]]:
    (view,) = made.named(name)
    return {(edge.key, edge.target.text, edge.exists) for edge in made.outgoing(view)}


def test_names_arns_and_addresses_lead_on() -> None:
    made = graph(*CHAIN)
    assert edges(made, "endpoint/churn") == {("EndpointConfigName", "endpoint-config churn-1", True)}
    assert edges(made, "churn-1") == {("ModelName", "model churn-v7", True)}
    assert edges(made, "churn-v7") == {
        ("ExecutionRoleArn", "iam-role inference", True),
        ("ModelDataUrl", "bucket artifacts", True),
        # No document says so: the job wrote to the address that the model reads.
        ("ModelDataUrl", "training-job churn-train", True),
    }


def test_what_refers_to_a_resource_is_found() -> None:
    made = graph(*CHAIN)
    (bucket,) = made.named("bucket/artifacts")
    assert {edge.source.text for edge in made.incoming(bucket)} == {
        "model churn-v7",
        "training-job churn-train",
    }


def test_chains_lead_from_endpoints_to_all_behind_them() -> None:
    chains = {chain[-1].text: [node.text for node in chain] for chain in graph(*CHAIN).chains().values()}
    assert chains["bucket artifacts"] == [
        "endpoint churn",
        "endpoint-config churn-1",
        "model churn-v7",
        "bucket artifacts",
    ]
    assert "training-job churn-train" in chains
    assert "model-package churn/7" not in chains


def test_what_is_gone_is_told_from_what_was_not_read() -> None:
    lost = [sample(Endpoint, "churn", endpoint_config_name="churn-1")]
    assert edges(graph(*lost), "churn") == {("EndpointConfigName", "endpoint-config churn-1", False)}
    gap = Gap("sagemaker:ListEndpointConfigs", Reason.DENIED)
    blind = graph(*lost, gaps=(Listing(EndpointConfig.kind, ACCOUNT, REGION, gap),))
    (view,) = blind.named("churn")
    assert [(edge.exists, edge.gap) for edge in blind.outgoing(view)] == [(False, gap)]
    whole = graph(*lost)
    (view,) = whole.named("churn")
    assert [(edge.exists, edge.gap) for edge in whole.outgoing(view)] == [(False, None)]


def test_another_accounts_role_is_not_said_to_be_gone() -> None:
    foreign = sample(Model, "m", execution_role_arn="arn:aws:iam::999999999999:role/x")
    assert edges(graph(foreign), "m") == set()


@pytest.mark.parametrize("name", ["churn-v7", "model/churn-v7", CHAIN[2].arn or "churn-v7"])
def test_a_resource_is_found_by_name_kind_and_arn(name: str) -> None:
    assert [view.kind for view in graph(*CHAIN).named(name)] == ["model"]
    assert graph(*CHAIN).named("nothing") == []


def test_circles_end() -> None:
    package = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/loop/1"
    looped = [
        sample(Endpoint, "a", endpoint_config_name="b"),
        sample(EndpointConfig, "b", production_variants=[{"model_name": "c"}]),
        sample(Model, "c", primary_container={"model_package_name": package}),
        sample(ModelPackage, "loop/1", arn=package, containers=[{"model_data_url": URI}]),
        sample(TrainingJob, "t", s3_model_artifacts=URI, role_arn=ROLE),
    ]
    assert len(graph(*looped).chains()) == 5


def test_the_kinds_that_keys_refer_to_exist() -> None:
    kinds = set(graph().views)
    assert set(_SPELLINGS.values()) <= kinds
    assert kinds >= _WHOLE
