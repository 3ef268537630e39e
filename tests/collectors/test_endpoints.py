"""Endpoints, their configurations, last deployments and components: few calls, and gaps where AWS says no."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState, Refusal
from collectors.collector import Collector
from collectors.model import Gap, Reason, Unread
from collectors.reads import Reads
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import (
    Endpoint,
    EndpointDeployment,
    endpoint_configurations,
    endpoint_deployments,
    endpoints,
)
from collectors.sagemaker.inference_components import InferenceComponent, inference_components
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region

CREATED = NOW - timedelta(days=40)
DETAILS = Reads(
    fields={
        EndpointConfig.production_variants,
        EndpointDeployment.last_deployment_config,
        InferenceComponent.model_name,
    }
)
"""What makes the collectors ask for more than the lists."""


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def add_endpoint(state: DemoState, name: str, config: str, **more: Any) -> None:
    document = {
        "EndpointName": name,
        "EndpointArn": arn("endpoint", name),
        "EndpointConfigName": config,
        "EndpointStatus": "InService",
        "ProductionVariants": [{"VariantName": "blue", "CurrentWeight": 1.0, "CurrentInstanceCount": 2}],
        "CreationTime": CREATED,
        "LastModifiedTime": CREATED + timedelta(minutes=10),
        **more,
    }
    state.add("Endpoint", REGION, document, {"Environment": "prod"})


def add_config(state: DemoState, name: str) -> None:
    pools = [{"InstanceType": "ml.g5.xlarge", "Priority": 1}]
    variant = {"VariantName": "blue", "ModelName": "scorer", "InstancePools": pools}
    document = {
        "EndpointConfigName": name,
        "EndpointConfigArn": arn("endpoint-config", name),
        "ProductionVariants": [variant],
        "CreationTime": CREATED,
    }
    state.add("EndpointConfig", REGION, document)


def add_component(state: DemoState, name: str) -> None:
    document = {
        "InferenceComponentName": name,
        "InferenceComponentArn": arn("inference-component", name),
        "EndpointName": "scorer",
        "EndpointArn": arn("endpoint", "scorer"),
        "VariantName": "blue",
        "Specification": {"ModelName": "ranker"},
        "CreationTime": CREATED,
        "LastModifiedTime": CREATED,
    }
    state.add("InferenceComponent", REGION, document)


def used(*configs: str) -> list[Sample]:
    return [sample(Endpoint, f"on-{name}", endpoint_config_name=name) for name in configs]


def collected(
    collector: Collector, state: DemoState, samples: Iterable[Sample] = (), *, reads: Reads = DETAILS
) -> tuple[Region, Gap | None]:
    """A Region that holds what a collector yielded and what was read before, and its listing's gap."""
    made = list(samples)
    reader = reader_of(collector, state, made, reads=reads)
    snapshot = snapshot_of(made)
    for resource in collector.function(reader):
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION), reader.gap


def test_two_hundred_endpoints_cost_two_calls_and_bring_their_tags() -> None:
    state = DemoState(NOW)
    for number in range(200):
        add_endpoint(state, f"scorer-{number:03d}", "scorer-1")
    region, gap = collected(endpoints, state)
    found = list(region.all(Endpoint))
    assert (len(found), dict(state.calls), gap) == (200, {"sagemaker:Search": 2}, None)
    assert (found[0].tags, found[0].tags_missing) == ({"Environment": "prod"}, False)
    assert [(v.key, v.current_instance_count) for v in found[0].production_variants] == [("blue", 2)]


def test_where_search_is_denied_endpoints_are_listed_and_described() -> None:
    state = DemoState(NOW, denied=("sagemaker:Search",))
    for number in range(101):
        add_endpoint(state, f"scorer-{number:03d}", "scorer-1")
    region, gap = collected(endpoints, state)
    found = list(region.all(Endpoint))
    calls = {"sagemaker:Search": 1, "sagemaker:ListEndpoints": 2, "sagemaker:DescribeEndpoint": 101}
    assert (len(found), dict(state.calls), gap) == (101, calls, None)
    assert (found[0].endpoint_config_name, found[0].tags_missing) == ("scorer-1", True)


def test_only_configurations_in_use_are_described() -> None:
    state = DemoState(NOW)
    for number in range(150):
        add_config(state, f"scorer-{number:03d}")
    region, gap = collected(endpoint_configurations, state, used("scorer-007", "scorer-149"))
    calls = {"sagemaker:ListEndpointConfigs": 2, "sagemaker:DescribeEndpointConfig": 2}
    assert (dict(state.calls), gap) == (calls, None)
    described = {config.name for config in region.all(EndpointConfig) if config.is_described}
    assert described == {"scorer-007", "scorer-149"}
    (variant,) = region_config(region, "scorer-007").production_variants
    assert (variant.instance_type, variant.instance_types) == (None, ("ml.g5.xlarge",))
    with pytest.raises(Unread):
        _ = region_config(region, "scorer-000").kms_key_id


def region_config(region: Region, name: str) -> EndpointConfig:
    found = region.find(EndpointConfig, name)
    assert found is not None
    return found


class Late(DemoState):
    """An account where each call of an operation before the `turn`th finds nothing, as just after a creation."""

    operation, turn = "sagemaker:DescribeEndpointConfig", 2

    def refusal(self, operation: str, region: str, parameters: Mapping[str, Any]) -> Refusal | None:
        if operation == self.operation and self.calls[operation] < self.turn:
            return Refusal("ValidationException", 'Could not find endpoint configuration "scorer-1".')
        return super().refusal(operation, region, parameters)


@pytest.mark.parametrize(("turn", "left"), [(1, ["scorer-1"]), (2, ["scorer-1"]), (3, [])])
def test_a_configuration_that_an_endpoint_names_is_asked_for_twice_at_most(
    turn: int, left: list[str]
) -> None:
    state = Late(NOW)
    state.turn = turn
    add_config(state, "scorer-1")
    region, gap = collected(endpoint_configurations, state, used("scorer-1"))
    assert [config.name for config in region.all(EndpointConfig) if config.production_variants] == left
    assert (state.calls["sagemaker:DescribeEndpointConfig"], gap) == (min(turn, 2), None)


DENIED: list[tuple[Collector, str, list[Sample]]] = [
    (endpoint_configurations, "sagemaker:DescribeEndpointConfig", used("scorer-1")),
    (
        endpoint_deployments,
        "sagemaker:DescribeEndpoint",
        [sample(Endpoint, "scorer", creation_time=CREATED, last_modified_time=NOW)],
    ),
    (inference_components, "sagemaker:DescribeInferenceComponent", []),
]


@pytest.mark.parametrize(("collector", "operation", "samples"), DENIED)
def test_a_denied_describe_is_a_gap_of_that_resource(
    collector: Collector, operation: str, samples: list[Sample]
) -> None:
    state = DemoState(NOW, denied=(operation,))
    add_config(state, "scorer-1")
    add_component(state, "copy")
    region, gap = collected(collector, state, samples)
    (found,) = region.all(collector.view)
    reading = found.readings[operation]
    assert isinstance(reading, Gap)
    assert (reading.reason, gap, state.calls[operation]) == (Reason.DENIED, None, 1)


def test_an_endpoint_that_could_not_be_read_leaves_the_configurations_open() -> None:
    state = DemoState(NOW)
    add_config(state, "scorer-1")
    refused = Gap("sagemaker:Search", Reason.DENIED)
    _, gap = collected(
        endpoint_configurations, state, [sample(Endpoint, "scorer", endpoint_config_name=refused)]
    )
    assert (gap, dict(state.calls)) == (refused, {"sagemaker:ListEndpointConfigs": 1})


DEPLOYED = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 600}
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "scorer-5xx"}]},
}


def test_only_endpoints_that_were_updated_are_asked_for_their_last_deployment() -> None:
    state = DemoState(NOW)
    add_endpoint(state, "updated", "scorer-2", LastModifiedTime=NOW, LastDeploymentConfig=DEPLOYED)
    add_endpoint(state, "settling", "scorer-1", LastModifiedTime=CREATED + timedelta(minutes=59))
    known, _ = collected(endpoints, state)
    reader = reader_of(endpoint_deployments, state, reads=DETAILS)
    for resource in known.snapshot.resources():
        reader.region.snapshot.add(resource)
    for resource in endpoint_deployments.function(reader):
        known.snapshot.add(resource)
    known.forget()

    told = {endpoint.name: endpoint.deployment for endpoint in known.all(Endpoint)}
    assert state.calls["sagemaker:DescribeEndpoint"] == 1
    assert told["settling"] is None
    deployment = told["updated"]
    assert deployment is not None
    routing = deployment.traffic_routing_configuration
    assert routing is not None
    assert (routing.type, [alarm.alarm_name for alarm in deployment.alarms]) == ("CANARY", ["scorer-5xx"])


def test_components_are_found_with_their_model_and_endpoint() -> None:
    state = DemoState(NOW)
    for number in range(101):
        add_component(state, f"copy-{number:03d}")
    region, gap = collected(inference_components, state, [sample(Endpoint, "scorer")])
    calls = {"sagemaker:ListInferenceComponents": 2, "sagemaker:DescribeInferenceComponent": 101}
    assert (dict(state.calls), gap) == (calls, None)
    first = next(region.all(InferenceComponent))
    assert first.endpoint is not None
    assert (first.name, first.model_name, first.endpoint.name) == ("copy-000", "ranker", "scorer")


@pytest.mark.parametrize("collector", [endpoint_configurations, inference_components])
def test_nothing_is_described_of_which_rules_read_the_list_only(collector: Collector) -> None:
    state = DemoState(NOW)
    add_config(state, "scorer-1")
    add_component(state, "copy")
    region, _ = collected(collector, state, used("scorer-1"), reads=Reads())
    (found,) = region.all(collector.view)
    assert set(found.readings) == set(state.calls) == {str(collector.view.listing[0])}


@pytest.mark.parametrize("operation", ["ListEndpointConfigs", "ListInferenceComponents"])
def test_a_denied_list_is_a_gap_of_the_listing(operation: str) -> None:
    state = DemoState(NOW, denied=(f"sagemaker:{operation}",))
    held = {"ListEndpointConfigs": endpoint_configurations, "ListInferenceComponents": inference_components}
    _, gap = collected(held[operation], state)
    assert gap is not None
    assert (gap.operation, gap.reason) == (f"sagemaker:{operation}", Reason.DENIED)


@pytest.mark.parametrize(
    ("variant", "types", "serverless"),
    [
        ({"instance_type": "ml.m5.xlarge"}, ("ml.m5.xlarge",), False),
        (
            {"instance_pools": [{"instance_type": "ml.g5.xlarge"}, {"instance_type": "ml.g6.xlarge"}]},
            ("ml.g5.xlarge", "ml.g6.xlarge"),
            False,
        ),
        ({"serverless_config": {"MemorySizeInMB": 2048}}, (), True),
    ],
)
def test_where_a_variant_runs(variant: Mapping[str, Any], types: tuple[str, ...], serverless: bool) -> None:
    made = sample(EndpointConfig, production_variants=[variant])
    region = Region(snapshot_of([made]), ACCOUNT, REGION)
    (found,) = region_config(region, "example").production_variants
    assert (found.instance_types, found.is_serverless) == (types, serverless)


def test_a_configuration_writes_to_the_buckets_of_its_captures_and_answers() -> None:
    made = sample(
        EndpointConfig,
        data_capture_config={"destination_s3_uri": "s3://captures/scorer"},
        output_config={"s3_output_path": "s3://answers/"},
    )
    region = Region(snapshot_of([made]), ACCOUNT, REGION)
    config = region_config(region, "example")
    assert (config.is_async, config.buckets) == (True, frozenset({"captures", "answers"}))
