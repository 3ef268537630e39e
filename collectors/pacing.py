"""Request rates: a token bucket per account, Region and operation that learns from throttles.

SageMaker's limits are shared with the account's production, so the auditor uses only a share of a
published rate. On a throttle the rate halves; while calls succeed it climbs back by a tenth of the
published rate a second (additive increase, multiplicative decrease).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

DEFAULT_RATE = 10.0
"""Calls a second where AWS publishes none."""

_SERVICE_RATES: dict[str, float] = {
    "cloudtrail": 10.0,
    "ec2": 20.0,
    "iam": 15.0,
    "kms": 500.0,
    "sns": 30.0,
}

_OPERATION_RATES: dict[str, float] = {
    "cloudtrail:LookupEvents": 2.0,
    "cloudwatch:DescribeAlarms": 9.0,
    "cloudwatch:GetMetricData": 50.0,
}


def published_rate(service: str, operation: str) -> float:
    """Calls a second that AWS publishes for an operation, or a careful guess.

    Source: Service Quotas defaults (SageMaker Describe 5, List 2), the CloudWatch and KMS quota
    pages, EC2 request throttling, CloudTrail's API reference. Search and many lists of SageMaker
    have no published rate: 2 is assumed.
    """
    if service == "sagemaker":
        return 5.0 if operation.startswith(("Describe", "Get")) else 2.0
    return _OPERATION_RATES.get(f"{service}:{operation}", _SERVICE_RATES.get(service, DEFAULT_RATE))


@dataclass
class _Bucket:
    published: float
    rate: float
    tokens: float
    updated: float
    lock: threading.Lock = field(default_factory=threading.Lock)


class Pace:
    """Buckets by (account, Region, operation). `share` is the part of a published rate to use, 0–1.

    `clock` gives seconds and `sleep` waits for some: given, so that tests need neither.
    """

    def __init__(
        self,
        share: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.share = share
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}
        self._lock = threading.Lock()

    def _bucket(self, account: str, region: str, service: str, operation: str) -> _Bucket:
        key = (account, region, f"{service}:{operation}")
        with self._lock:
            if key not in self._buckets:
                allowed = published_rate(service, operation) * self.share
                self._buckets[key] = _Bucket(allowed, allowed, max(1.0, allowed), self._clock())
            return self._buckets[key]

    def wait(self, account: str, region: str, service: str, operation: str) -> float:
        """Take a token, waiting for it; returns the seconds waited."""
        bucket = self._bucket(account, region, service, operation)
        with bucket.lock:
            now = self._clock()
            passed = max(0.0, now - bucket.updated)
            bucket.rate = min(bucket.published, bucket.rate + passed * bucket.published / 10)
            bucket.tokens = min(max(1.0, bucket.rate), bucket.tokens + passed * bucket.rate) - 1
            bucket.updated = now
            delay = max(0.0, -bucket.tokens / bucket.rate)
        if delay:
            self._sleep(delay)
        return delay

    def pause(self, seconds: float) -> None:
        """Wait for what AWS prepares in its own time; an interrupted run waits no longer."""
        self._sleep(seconds)

    def throttled(self, account: str, region: str, service: str, operation: str) -> None:
        """AWS said "too fast": halve the rate, down to a twentieth of what was allowed."""
        bucket = self._bucket(account, region, service, operation)
        with bucket.lock:
            bucket.rate = max(bucket.published / 20, bucket.rate / 2)
            bucket.tokens = min(bucket.tokens, 0.0)

    def rate(self, account: str, region: str, service: str, operation: str) -> float:
        """The current rate, in calls a second."""
        return self._bucket(account, region, service, operation).rate
