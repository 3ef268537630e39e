"""What is written down of models, calls and permissions: cards, lineage, policies, recent calls, hubs."""

import json
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.api_calls import RecentCalls, recent_calls
from collectors.collector import Collector
from collectors.dashboards import Dashboard, dashboards
from collectors.model import Gap, Resource
from collectors.reads import Reads
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.hubs import Hub, hubs
from collectors.sagemaker.inference_experiments import InferenceExperiment, inference_experiments
from collectors.sagemaker.lineage import EndpointLineage, endpoint_lineage
from collectors.sagemaker.model_cards import ModelCard, model_cards
from collectors.sagemaker.model_package_policies import (
    ModelPackageGroupPolicy,
    model_package_group_policies,
)
from collectors.sagemaker.model_packages import ModelPackageGroup
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region, View

PERSON = {"UserProfileName": "anna"}


def found(
    collector: Collector, state: DemoState, samples: list[Sample], reads: Reads
) -> tuple[list[Resource], Any]:
    reader = reader_of(collector, state, samples, reads=reads)
    return list(collector.function(reader)), reader


def view_of(view: type[View], resources: list[Resource]) -> Any:
    snapshot = snapshot_of([])
    for resource in resources:
        snapshot.add(resource)
    (only,) = Region(snapshot, ACCOUNT, REGION).all(view)
    return only


def test_of_a_call_only_its_name_and_its_tls_version_are_kept() -> None:
    state = DemoState(NOW)
    event = {
        "userIdentity": {"accessKeyId": "hidden", "userName": "anna"},
        "requestParameters": {"environment": {"TOKEN": "hidden"}},
        "tlsDetails": {"tlsVersion": "TLSv1.2", "cipherSuite": "x"},
    }
    sent = {"EventName": "CreateTrainingJob", "Username": "anna", "CloudTrailEvent": json.dumps(event)}
    state.answer("cloudtrail:LookupEvents", {"Events": [sent]})
    (made,), _ = found(recent_calls, state, [], Reads(views={RecentCalls}))
    text = json.dumps(made.readings())
    assert "CreateTrainingJob" in text
    assert "TLSv1.2" in text
    assert "hidden" not in text
    assert "anna" not in text


def card_of(content: str, *, search: bool = True) -> ModelCard:
    state = DemoState(NOW, denied=() if search else ("sagemaker:Search",))
    state.add(
        "ModelCard",
        REGION,
        {
            "ModelCardName": "churn",
            "ModelCardArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-card/churn",
            "ModelCardVersion": 1,
            "Content": content,
            "ModelCardStatus": "Draft",
            "CreationTime": NOW,
            "CreatedBy": PERSON,
        },
    )
    made, reader = found(model_cards, state, [], Reads(views={ModelCard}, fields={ModelCard.content}))
    assert reader.gap is None
    card = view_of(ModelCard, made)
    assert isinstance(card, ModelCard)
    return card


@pytest.mark.parametrize("search", [True, False], ids=["by Search", "by its text"])
def test_a_card_says_what_it_is_about_and_its_risk(search: bool) -> None:
    content = {"model_overview": {"model_id": "arn:churn"}, "intended_uses": {"risk_rating": "High"}}
    card = card_of(json.dumps(content), search=search)
    assert (card.subjects, card.risk) == (("arn:churn",), "High")


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"model_overview": "churn"}', '{"model_overview": {"model_id": 1}}']
)
def test_a_card_with_another_text_is_about_nothing(text: str) -> None:
    card = card_of(text, search=False)
    assert (card.subjects, card.risk) == ((), None)


GROUPS = [sample(ModelPackageGroup, "churn"), sample(ModelPackageGroup, "fraud")]


def test_a_group_without_a_policy_has_none_and_a_denied_one_is_a_gap() -> None:
    state = DemoState(NOW)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    operation = "sagemaker:GetModelPackageGroupPolicy"
    state.answer(operation, {"ResourcePolicy": policy}, when={"ModelPackageGroupName": "churn"})
    state.refuse(
        operation,
        code="ValidationException",
        message="Cannot find resource policy for the group.",
        region=REGION,
    )
    reads = Reads(views={ModelPackageGroupPolicy})
    made, _ = found(model_package_group_policies, state, GROUPS, reads)
    held = {resource.name: resource.readings()[operation] for resource in made}
    assert held["fraud"] is None
    denied, _ = found(model_package_group_policies, DemoState(NOW, denied=(operation,)), GROUPS, reads)
    assert all(isinstance(resource.readings()[operation], Gap) for resource in denied)


def test_lineage_is_followed_over_all_pages() -> None:
    state = DemoState(NOW)
    endpoint = sample(Endpoint, "churn", arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/churn")
    context = {"ContextArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:context/churn"}
    state.answer("sagemaker:ListContexts", {"ContextSummaries": [context]})
    more = {"Vertices": [{"Arn": "b", "Type": "DataSet", "LineageType": "Artifact"}]}
    state.answer("sagemaker:QueryLineage", more, when={"NextToken": "more"})
    first = {"Vertices": [{"Arn": "a", "Type": "SageMakerTrainingJob"}], "NextToken": "more"}
    state.answer("sagemaker:QueryLineage", first)
    made, _ = found(endpoint_lineage, state, [endpoint], Reads(views={EndpointLineage}))
    assert [vertex.type for vertex in view_of(EndpointLineage, made).vertices] == [
        "SageMakerTrainingJob",
        "DataSet",
    ]
    assert state.calls["sagemaker:QueryLineage"] == 2


def test_an_endpoint_that_lineage_does_not_know_is_not_followed() -> None:
    state = DemoState(NOW)
    state.answer("sagemaker:ListContexts", {"ContextSummaries": []})
    made, _ = found(endpoint_lineage, state, [sample(Endpoint, "churn")], Reads(views={EndpointLineage}))
    assert view_of(EndpointLineage, made).context_summaries == []
    assert "sagemaker:QueryLineage" not in state.calls


def test_an_experiment_has_the_same_arn_whether_it_was_described_or_not() -> None:
    state = DemoState(NOW)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:inference-experiment/shadow"
    state.add(
        "InferenceExperiment",
        REGION,
        {
            "Name": "shadow",
            "Arn": arn,
            "Type": "ShadowMode",
            "Status": "Running",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "EndpointMetadata": {"EndpointName": "churn"},
            "ModelVariants": [],
        },
    )
    listed = Reads(views={InferenceExperiment}, fields={InferenceExperiment.status})
    whole = Reads(views={InferenceExperiment}, fields={InferenceExperiment.kms_key})
    ids = [found(inference_experiments, state, [], reads)[0][0].id for reads in (listed, whole)]
    assert ids == [arn, arn]
    assert state.calls["sagemaker:DescribeInferenceExperiment"] == 1


def test_the_public_hub_is_aws_s_and_is_not_read() -> None:
    state = DemoState(NOW)
    for name in ("SageMakerPublicHub", "curated"):
        held = {"HubName": name, "HubArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:hub/{name}"}
        state.add(
            "Hub", REGION, {**held, "HubStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW}
        )
    state.answer("sagemaker:ListHubContents", {"HubContentSummaries": []})
    made, _ = found(hubs, state, [], Reads(views={Hub}))
    assert [resource.name for resource in made] == ["curated"]
    assert state.calls["sagemaker:ListHubContents"] == 1


def test_a_dashboard_whose_body_is_refused_is_a_gap() -> None:
    state = DemoState(NOW, denied=("cloudwatch:GetDashboard",))
    listed = {"DashboardEntries": [{"DashboardName": "ml", "DashboardArn": "arn:dashboard"}]}
    state.answer("cloudwatch:ListDashboards", listed)
    (made,), _ = found(dashboards, state, [], Reads(views={Dashboard}))
    assert isinstance(made.readings()["cloudwatch:GetDashboard"], Gap)
