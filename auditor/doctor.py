"""Whether an audit can run here: who is asking, which Regions there are, which calls are refused.

Each operation is called once for something that does not exist. AWS checks the permission before it
looks, so "no such thing" means allowed and "access denied" means refused. A policy that allows a
call for some resources only shows as refused.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from collectors.collector import all_collectors
from collectors.model import GLOBAL, Gap, Operation, Reason
from collectors.pricing import GET_PRODUCTS
from collectors.reader import Caller, probe_parameters
from collectors.session import Identity, Sessions

_SAID = {
    Reason.DENIED: "refused",
    Reason.EXPIRED: "refused",
    Reason.REGION_OFF: "refused",
    Reason.THROTTLED: "unclear",
    Reason.UNREACHABLE: "unclear",
    Reason.NOT_OFFERED: "not offered",
    Reason.OPT_IN: "not tried",
}
"""What a gap says of a permission; every other says that the call was allowed, and went to nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One operation that was tried; `gap` is why it was refused or could not be reached."""

    operation: Operation
    region: str
    gap: Gap | None

    @property
    def verdict(self) -> str:
        """`allowed`, `refused`, `unclear` (throttled, unreachable), `not offered` or `not tried` (it costs money)."""
        return "allowed" if self.gap is None else _SAID.get(self.gap.reason, "allowed")

    @property
    def text(self) -> str:
        """One line: the verdict, the operation, its Region, and what AWS said."""
        why = self.gap.message or self.gap.reason.value if self.gap is not None else ""
        said = f": {why}" if why and self.verdict != "not offered" else ""
        return f"{self.verdict:<11}  {self.operation} in {self.region}{said}"


@cache
def _asked_once() -> frozenset[str]:
    """The operations that speak of the whole account, or have one address for all Regions."""
    everywhere = {op for c in all_collectors() if c.view.is_global for op in c.operations()}
    regional = {op for c in all_collectors() if not c.view.is_global for op in c.operations()}
    return frozenset(str(op) for op in (everywhere - regional) | {GET_PRODUCTS})


def probe(
    sessions: Sessions, identity: Identity, regions: tuple[str, ...], operations: list[Operation]
) -> Iterator[Probe]:
    """Try each operation in each Region, global ones once."""
    caller = Caller(sessions, identity.account, identity.partition, salt=secrets.token_bytes(16))
    bucket = _any_bucket(caller)
    tried: set[str] = set()
    for operation in operations:
        for region in (GLOBAL,) if str(operation) in _asked_once() else regions:
            label = f"{operation}{dict(operation.parameters).get('Resource', '')}{region}"
            if label in tried:
                continue
            tried.add(label)
            parameters = probe_parameters(operation)
            if "Bucket" in parameters and bucket:
                parameters["Bucket"] = bucket
            if "AccountId" in parameters:
                parameters["AccountId"] = identity.account
            reading = caller.read(operation, region, parameters)
            yield Probe(operation, region, reading if isinstance(reading, Gap) else None)


def _any_bucket(caller: Caller) -> str:
    """A bucket of the account: S3 answers for one that does not exist before it checks the permission."""
    found = caller.read(Operation("s3", "ListBuckets", result="Buckets[]"), GLOBAL, {})
    return str(found["Name"]) if isinstance(found, dict) else ""
