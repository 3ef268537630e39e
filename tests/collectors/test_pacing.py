"""Request rates: a share of the published rate, halved by a throttle, and climbing back."""

from dataclasses import dataclass, field

import pytest

from collectors.pacing import Pace, published_rate


@dataclass
class Clock:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


PLACE = ("123456789012", "eu-west-1", "sagemaker", "DescribeModel")


@pytest.mark.parametrize(
    ("service", "operation", "rate"),
    [
        ("sagemaker", "DescribeModel", 5.0),
        ("sagemaker", "ListModels", 2.0),
        ("sagemaker", "Search", 2.0),
        ("cloudwatch", "DescribeAlarms", 9.0),
        ("cloudtrail", "LookupEvents", 2.0),
        ("cloudtrail", "DescribeTrails", 10.0),
        ("somethingnew", "ListThings", 10.0),
    ],
)
def test_published_rates(service: str, operation: str, rate: float) -> None:
    assert published_rate(service, operation) == rate


def test_a_hundred_describes_take_the_time_that_half_the_rate_allows() -> None:
    clock = Clock()
    pace = Pace(0.5, clock.time, clock.sleep)
    for _ in range(100):
        pace.wait(*PLACE)
    # 2.5 a second, after a first burst of at most that many.
    assert 38 <= clock.now <= 40


def test_a_throttle_halves_the_rate_and_quiet_seconds_bring_it_back() -> None:
    clock = Clock()
    pace = Pace(1.0, clock.time, clock.sleep)
    pace.wait(*PLACE)
    pace.throttled(*PLACE)
    pace.throttled(*PLACE)
    assert pace.rate(*PLACE) == 1.25
    clock.now += 2
    pace.wait(*PLACE)
    assert pace.rate(*PLACE) == pytest.approx(2.25)
    clock.now += 60
    pace.wait(*PLACE)
    assert pace.rate(*PLACE) == 5.0


def test_a_rate_never_falls_to_nothing() -> None:
    pace = Pace(1.0, Clock().time, Clock().sleep)
    for _ in range(50):
        pace.throttled(*PLACE)
    assert pace.rate(*PLACE) == 0.25


def test_regions_accounts_and_operations_do_not_wait_for_each_other() -> None:
    clock = Clock()
    pace = Pace(0.2, clock.time, clock.sleep)
    for place in (PLACE, ("1", *PLACE[1:]), (PLACE[0], "us-east-1", *PLACE[2:]), (*PLACE[:3], "ListModels")):
        pace.wait(*place)
    assert clock.slept == []
