"""The user's price file and the cache: wrong ones say where, stale and broken caches are no cache."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from auditor.prices import FRESH, cache_path, read_cache, read_price_file, write_cache
from auditor.settings import SettingsError
from collectors.pricing import Price
from collectors.sample import sample, snapshot_of
from evaluators.money import Rate

TODAY = date(2026, 11, 20)


def test_a_price_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        'date = 2026-11-01\ncurrency = "EUR"\n[eu-west-1]\nnotebook-volume = 0.12\n'
        '[eu-west-1.hosting]\n"ml.m5.xlarge" = 0.2\n["*".training]\n"ml.m5.xlarge" = 1\n'
    )
    assert read_price_file(path) == {
        ("eu-west-1", "notebook-volume", ""): Rate(0.12, "EUR", "prices.toml", "2026-11-01"),
        ("eu-west-1", "hosting", "ml.m5.xlarge"): Rate(0.2, "EUR", "prices.toml", "2026-11-01"),
        ("*", "training", "ml.m5.xlarge"): Rate(1.0, "EUR", "prices.toml", "2026-11-01"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[eu-west-1", "no valid TOML"),
        ("eu-west-1 = 3", "eu-west-1: expected a table of prices"),
        ("[eu-west-1]\nhostin = 3", 'eu-west-1.hostin: unknown key; did you mean "hosting"?'),
        ("[eu-west-1]\nhosting = 3", "eu-west-1.hosting: expected a table of prices by instance type"),
        ("[eu-west-1.notebook-volume]\na = 1", "eu-west-1.notebook-volume: expected a price"),
        ('[eu-west-1.hosting]\n"ml.m5" = "x"', "eu-west-1.hosting.ml.m5: expected a price of 0 or more"),
        ('[eu-west-1.hosting]\n"ml.m5" = true', "expected a price of 0 or more"),
        ('[eu-west-1.hosting]\n"ml.m5" = -1', "expected a price of 0 or more"),
        ('[eu-west-1.hosting]\n"ml.m5" = nan', "expected a price of 0 or more"),
        ("currency = 3", "currency has to be a text"),
    ],
)
def test_a_wrong_price_file_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_price_file(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_price_file(tmp_path / "none.toml")


def test_a_cache_keeps_prices_until_they_are_stale(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "prices.json"
    snapshot = snapshot_of([sample(Price, "ml.m5.xlarge", arn="ml.m5.xlarge", price_list=["{}"])])
    write_cache(path, snapshot, {}, TODAY)
    assert path.stat().st_mode & 0o777 == 0o600
    held = {"eu-west-1/ml.m5.xlarge": {"PriceList": ["{}"]}}
    assert read_cache(path, TODAY + FRESH) == held
    assert read_cache(path, TODAY + FRESH + timedelta(days=1)) == {}
    # What came out of the cache keeps its date: it does not stay fresh for ever.
    write_cache(path, snapshot, held, TODAY + timedelta(days=20))
    assert json.loads(path.read_text())["eu-west-1/ml.m5.xlarge"]["date"] == "2026-11-20"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 3}', '{"a": {"date": "x", "PriceList": []}}'])
def test_a_broken_cache_is_no_cache(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    assert read_cache(path, TODAY) == {}
    snapshot = snapshot_of([sample(Price, "ml.m5.xlarge", arn="ml.m5.xlarge")])
    write_cache(path, snapshot, {}, TODAY)
    assert "eu-west-1/ml.m5.xlarge" in read_cache(path, TODAY)


def test_the_cache_is_where_caches_are() -> None:
    assert cache_path({"XDG_CACHE_HOME": "/c"}) == Path("/c/sagemaker-auditor/prices.json")
    assert cache_path({"HOME": "/h"}) == Path("/h/.cache/sagemaker-auditor/prices.json")
