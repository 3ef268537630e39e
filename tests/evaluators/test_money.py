"""Savings: arithmetic that shows, prices that were read, totals in which nothing counts twice."""

import json
from datetime import date
from typing import Any

import pytest

from collectors.model import Snapshot
from collectors.pricing import Price
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import ACCOUNT, REGION, sample, snapshot_of
from evaluators.engine import Judgement, Subject
from evaluators.environment import Environment, Placement
from evaluators.finding import Finding, finding_of
from evaluators.money import HOURS, Own, PriceBook, Rate, Saving, Usage, monthly
from evaluators.rule import all_rules, failed
from evaluators.waste import Waste, WasteBoard

HOSTED = Usage("hosting", "ml.m5.xlarge", hours=HOURS, count=2)
RATE = Rate(0.25, "USD", "AWS price list", "2026-01-05")


def product(
    component: str, price: float, *, type_: str = "ml.m5.xlarge", unit: str = "Hrs", **more: Any
) -> str:
    """A product of the price list, as GetProducts answers it: JSON inside a string."""
    attributes = {"instanceName": type_, "platoinstancetype": component, "regionCode": REGION, **more}
    dimension = {"unit": unit, "pricePerUnit": {"USD": str(price)}}
    return json.dumps(
        {
            "product": {"attributes": attributes},
            "publicationDate": "2026-01-05T00:00:00Z",
            "terms": {"OnDemand": {"A": {"priceDimensions": {"A.1": dimension}}}},
        }
    )


def listed(*products: str, name: str = "ml.m5.xlarge") -> Snapshot:
    return snapshot_of([sample(Price, name, arn=name, price_list=list(products))])


@pytest.mark.parametrize(
    ("usage", "rate", "text"),
    [
        (
            HOSTED,
            RATE,
            "2 × 730 hours of hosting ml.m5.xlarge × USD 0.25 (AWS price list, 2026-01-05) = USD 365.00",
        ),
        (
            Usage("notebook-volume", gigabytes=500),
            Rate(0.14, "USD", "prices.toml", ""),
            "500 GB of notebook-volume × USD 0.14 (prices.toml) = USD 70.00",
        ),
        (
            Usage("training", "ml.p4d.24xlarge", hours=1.5),
            None,
            "1.5 hours of training ml.p4d.24xlarge: no price",
        ),
    ],
)
def test_the_arithmetic_of_a_saving_shows(usage: Usage, rate: Rate | None, text: str) -> None:
    assert Saving(usage, rate).text == text


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ([product("Hosting", 0.25), product("Training", 0.30)], 0.25),
        ([product("Training", 0.30)], None),
        ([], None),
        # Two prices for one thing: nobody knows which is paid.
        ([product("Hosting", 0.25), product("Hosting", 0.40)], None),
        ([product("Hosting", 0.25), product("Hosting", 0.25)], 0.25),
        # A free tier is no price, and neither is a price by another unit.
        ([product("Hosting", 0.0), product("Hosting", 0.25)], 0.25),
        ([product("Hosting", 0.25, unit="Requests")], None),
        ([product("Hosting-Free", 0.1), product("SpotTraining", 0.1)], None),
    ],
)
def test_a_list_price_counts_only_where_it_is_the_only_one(
    products: list[str], expected: float | None
) -> None:
    rate = PriceBook(listed(*products)).rate(HOSTED, ACCOUNT, REGION)
    assert (rate.amount if rate else None) == expected


def test_a_volume_is_priced_by_its_type() -> None:
    text = product("", 0.15, type_="", unit="GB-Mo", volumeType="General Purpose-Hosting")
    book = PriceBook(listed(text, name="General Purpose-Hosting"))
    rate = book.rate(Usage("hosting-volume", gigabytes=10), ACCOUNT, REGION)
    assert rate == Rate(0.15, "USD", "AWS price list", "2026-01-05")


def test_the_users_own_price_counts_over_the_list() -> None:
    own: Own = {
        (REGION, "hosting", "ml.m5.xlarge"): Rate(0.2, "EUR", "prices.toml", "2026-11-01"),
        ("*", "training", "ml.m5.xlarge"): Rate(0.1, "EUR", "prices.toml", ""),
    }
    book = PriceBook(listed(product("Hosting", 0.25), product("Processing", 0.3)), own)
    training = Usage("training", "ml.m5.xlarge", hours=1)
    processing = Usage("processing", "ml.m5.xlarge", hours=1)
    assert [saving.amount for saving in book.savings([HOSTED, training, processing], ACCOUNT, REGION)] == [
        292.0,
        0.1,
        0.3,
    ]
    assert monthly(book.savings([HOSTED, training, processing], ACCOUNT, REGION)) == {
        "EUR": 292.1,
        "USD": 0.3,
    }
    assert book.rate(HOSTED, ACCOUNT, "us-east-1") is None


def test_a_price_that_could_not_be_read_is_no_price() -> None:
    book = PriceBook(snapshot_of([]))
    (saving,) = book.savings([HOSTED], ACCOUNT, REGION)
    assert (saving.rate, saving.amount) == (None, None)


def finding(
    code: str, arn: str, amount: float | None, *, part: str = "", where: str = "production"
) -> Finding:
    rule = next(rule for rule in all_rules() if rule.code == code)
    subject = Subject(Endpoint.kind, Endpoint.type, ACCOUNT, REGION, arn, arn, part)
    usage = Usage("hosting", "ml.m5.xlarge", hours=1)
    made = finding_of(
        Judgement(rule, subject, failed("bad"), Placement(Environment(where), "tag"), {}, None), None
    )
    rate = None if amount is None else Rate(amount, "USD", "test", "")
    savings = (Saving(usage, rate),) if amount != 0 else ()
    return Finding(**{**{name: getattr(made, name) for name in Finding.__slots__}, "savings": savings})


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], Waste()),
        (
            # Idle and too large at once: ending the one ends the other.
            [finding("COST-001", "a", 100), finding("PERF-002", "a", 40)],
            Waste(
                {"USD": 100.0},
                {"cost": {"USD": 100.0}, "performance": {"USD": 40.0}},
                {"production": {"USD": 100.0}},
                2,
                0,
            ),
        ),
        (
            [
                finding("COST-001", "a", 10, part="x"),
                finding("COST-001", "a", 20, part="y"),
                finding("COST-002", "a", 25),
            ],
            Waste({"USD": 30.0}, {"cost": {"USD": 30.0}}, {"production": {"USD": 30.0}}, 3, 0),
        ),
        (
            [
                finding("COST-001", "a", 10),
                finding("COST-001", "b", 5, where="sandbox"),
                finding("COST-001", "c", None),
                finding("COST-008", "d", 0),
                finding("SEC-003", "e", 0),
            ],
            Waste(
                {"USD": 15.0},
                {"cost": {"USD": 15.0}},
                {"production": {"USD": 10.0}, "sandbox": {"USD": 5.0}},
                2,
                2,
            ),
        ),
    ],
)
def test_nothing_is_wasted_twice(findings: list[Finding], expected: Waste) -> None:
    board = WasteBoard()
    for each in findings:
        board.add(each)
    assert board.total() == expected


def test_a_month_is_as_long_as_aws_counts_it() -> None:
    assert HOURS == 730
    assert date(2026, 1, 5).isoformat() == RATE.date
