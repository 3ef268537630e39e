"""Prices are asked for once for each type that was seen, from a cache where there is one, and kept small."""

from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.model import Gap, Reason, Resource
from collectors.pricing import GET_PRODUCTS, VOLUMES, Price, Prices, prices
from collectors.reads import Reads
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import NOW, REGION, sample

NOTEBOOKS = [
    sample(NotebookInstance, "a", instance_type="ml.t3.medium"),
    sample(NotebookInstance, "b", instance_type="ml.t3.medium"),
    sample(NotebookInstance, "c", instance_type="ml.m5.xlarge"),
]
(VOLUME,) = VOLUMES.values()


def read(source: Prices, state: DemoState | None = None) -> tuple[dict[str, Resource], DemoState, Any]:
    account = state or DemoState(NOW)
    reads = Reads()
    reads.views.add(NotebookInstance)
    reader = reader_of(prices, account, NOTEBOOKS, reads=reads)
    reader.caller.prices = source
    return {resource.name: resource for resource in prices.function(reader)}, account, reader


def test_each_type_is_asked_for_once() -> None:
    found, state, reader = read(Prices(ask=True))
    assert sorted(found) == [VOLUME, "ml.m5.xlarge", "ml.t3.medium"]
    assert state.calls["pricing:GetProducts"] == 3
    rates = Price(found["ml.m5.xlarge"], reader.region).rates
    assert {component: rate.amount for component, rate in rates.items()}["hosting"] == 0.25
    assert {rate.currency for rate in rates.values()} == {"USD"}


def test_the_cache_comes_first_and_alone_where_aws_is_not_asked() -> None:
    cached = {f"{REGION}/ml.t3.medium": {"PriceList": []}}
    found, state, _ = read(Prices(ask=True, cached=cached))
    assert (len(found), state.calls["pricing:GetProducts"]) == (3, 2)
    found, state, _ = read(Prices(ask=False, cached=cached))
    assert (list(found), state.calls["pricing:GetProducts"]) == (["ml.t3.medium"], 0)


def test_a_refused_price_is_a_gap_of_its_own() -> None:
    found, _, reader = read(Prices(ask=True), DemoState(NOW, denied=["pricing:GetProducts"]))
    readings = {name: resource.readings()[str(GET_PRODUCTS)] for name, resource in found.items()}
    assert {gap.reason for gap in readings.values() if isinstance(gap, Gap)} == {Reason.DENIED}
    assert len(readings) == 3
    assert reader.gap is None


@pytest.mark.parametrize("name", ["ml.m5.xlarge"])
def test_only_what_a_price_needs_is_kept(name: str) -> None:
    found, _, _ = read(Prices(ask=True))
    reading = found[name].readings()[str(GET_PRODUCTS)]
    assert isinstance(reading, dict)
    assert all("operation" not in text for text in reading["PriceList"])
