"""Whether an audit can run here: who is asking, which Regions there are, which calls are refused.

Each operation is called once for something that does not exist. AWS checks the permission before it
looks, so "no such thing" means allowed and "access denied" means refused. A policy that allows a
call for some resources only shows as refused.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from collectors.model import GLOBAL, Gap, Operation, Reason
from collectors.reader import Caller, probe_parameters
from collectors.session import Identity, Sessions

_REFUSED = (Reason.DENIED, Reason.EXPIRED, Reason.REGION_OFF)
_GLOBAL_SERVICES = ("iam", "s3")


@dataclass(frozen=True, slots=True)
class Probe:
    """One operation that was tried; `gap` is why it was refused or could not be reached."""

    operation: Operation
    region: str
    gap: Gap | None

    @property
    def refused(self) -> bool:
        """Whether a grant is what is missing."""
        return self.gap is not None and self.gap.reason in _REFUSED

    @property
    def unclear(self) -> bool:
        """Whether it neither worked nor was refused: throttled, unreachable, not offered."""
        unclear = (Reason.THROTTLED, Reason.UNREACHABLE, Reason.NOT_OFFERED)
        return self.gap is not None and self.gap.reason in unclear


def probe(
    sessions: Sessions, identity: Identity, regions: tuple[str, ...], operations: list[Operation]
) -> Iterator[Probe]:
    """Try each operation in each Region, global ones once."""
    caller = Caller(sessions, identity.account, identity.partition, salt=secrets.token_bytes(16))
    bucket = _any_bucket(caller)
    tried: set[str] = set()
    for operation in operations:
        for region in (GLOBAL,) if operation.service in _GLOBAL_SERVICES else regions:
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
