"""Plain data: operations, gaps, resources and the snapshot that holds them.

Exceptions of this package:

    CollectorError
    ├── StartError             no credentials, role refused, unknown Region (session.py)
    └── SnapshotError          a snapshot file cannot be used (snapshot_file.py)
    Unread                     a gap was touched: nobody knows the value
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

GLOBAL = "global"
"""The Region name under which resources of global services (IAM, the list of buckets) are kept."""

GAP_KEY = "$gap"
"""A document, or a member of one, that is a map with this key stands for something nobody could read."""

SECRETS_KEY = "$secrets"
"""The key under which a document lists the secrets that were taken out of it."""


class CollectorError(Exception):
    """Something that ends a run; its text is one line that says what to do."""


class Reason(StrEnum):
    """Why something is not known."""

    DENIED = "denied"
    THROTTLED = "throttled"
    EXPIRED = "credentials expired"
    FAILED = "failed"
    MISSING = "field missing"
    UNMODELLED = "botocore too old"
    VANISHED = "vanished"
    NOT_OFFERED = "not offered"
    REGION_OFF = "Region off"
    UNREACHABLE = "unreachable"
    UNDECODABLE = "undecodable"
    TRUNCATED = "listing cut short"
    INTERRUPTED = "interrupted"
    NOT_READ = "not read"
    OPT_IN = "costs money, not asked for"
    UNANSWERED = "no answer yet"

    @property
    def is_expected(self) -> bool:
        """Whether nothing went wrong: AWS has it not there, a person left it out or has not answered yet."""
        return self in (Reason.NOT_OFFERED, Reason.OPT_IN, Reason.UNANSWERED)


@dataclass(frozen=True, slots=True)
class Operation:
    """One read-only API operation, spelt as botocore spells it; the declaration is the call.

    `result` is the path inside the response at which one document lies: `NotebookInstances[]`,
    `Results[].TrainingJob`, or nothing for the whole response. `parameters` are always sent.
    `action` is the IAM action where its name differs from the operation's. `absent` are the error
    codes by which AWS says "not configured", with a part of the message, in lower case, where the code
    alone does not tell (`AccessDeniedException: not enabled`). `secrets` and `scripts` are the members of a document
    that are scanned for secrets before anything is kept. `page_size` is sent where botocore's model
    does not tell the largest one. `charge` is what AWS bills for a request, in USD: such a call is
    made only where the user asked for it.
    """

    service: str
    name: str
    result: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    action: str = ""
    absent: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    page_size: int = 0
    charge: float = 0.0

    def __str__(self) -> str:
        """The name under which documents, gaps and evidence cite it: `sagemaker:DescribeModel`."""
        return f"{self.service}:{self.name}"

    @property
    def iam_action(self) -> str:
        """The IAM action that allows it."""
        return self.action or str(self)


class Gap(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """Something that nobody knows, and why. `message` is AWS's own text without secrets."""

    operation: str
    reason: Reason
    code: str = ""
    message: str = ""
    account: str = ""
    region: str = ""
    resource: str = ""

    def __str__(self) -> str:
        place = f" in {self.region}" if self.region else ""
        code = f" ({self.code})" if self.code else ""
        return f"{self.operation}{place}: {self.reason.value}{code}"


class Unread(Exception):
    """A gap was touched. The engine turns it into the verdict *unknown*."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(str(gap))
        self.gap = gap


Document = dict[str, Any]
Reading = Document | Gap | None
"""A document, a gap, or `None`: AWS answered that it is not configured."""


class Resource(msgspec.Struct, frozen=True):
    """One thing in an account with the raw response of each operation that read it.

    `documents` is undecoded JSON: a map from operation name to the document, null, or a gap.
    """

    kind: str
    account: str
    region: str
    id: str
    name: str
    documents: msgspec.Raw

    def readings(self) -> dict[str, Reading]:
        """The documents by operation name, gaps as `Gap`."""
        decoded: dict[str, Any] = msgspec.json.decode(self.documents)
        return {operation: as_reading(document) for operation, document in decoded.items()}


def as_reading(document: Any) -> Reading:
    """A decoded document, with a stand-in for a gap turned back into the gap."""
    if isinstance(document, dict) and GAP_KEY in document:
        return msgspec.convert(document[GAP_KEY], Gap)
    return document  # type: ignore[no-any-return]  # decoded JSON: a map or null


def gap_document(gap: Gap) -> Document:
    """The stand-in for a gap inside a document."""
    return {GAP_KEY: msgspec.to_builtins(gap)}


def pack(readings: Mapping[str, Reading]) -> msgspec.Raw:
    """Readings as JSON, as a `Resource` keeps them."""
    plain = {key: gap_document(value) if isinstance(value, Gap) else value for key, value in readings.items()}
    return msgspec.Raw(msgspec.json.encode(plain, enc_hook=_plain, order="deterministic"))


def _plain(value: Any) -> Any:
    """botocore answers a few members as bytes or bytearrays (never text that a rule reads)."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    raise TypeError(f"cannot keep a {type(value).__name__}")


class Listing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether every resource of a kind in one Region was seen; `gap` says what kept it from that."""

    kind: str
    account: str
    region: str
    gap: Gap | None = None


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a snapshot is of: written first, before anything is known of how the run ends."""

    schema: int
    tool_version: str
    account: str
    partition: str
    regions: tuple[str, ...]
    taken_at: datetime
    lookback_days: int
    metric_days: int
    rules: tuple[str, ...] = ()
    unmodelled: tuple[str, ...] = ()


class End(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run ended. `complete` is false when it was interrupted. Durations are seconds.

    `operations` are the calls by operation, for planning the next run.
    """

    complete: bool
    calls: int = 0
    throttles: int = 0
    seconds: float = 0.0
    why: str = ""
    operations: dict[str, int] = {}


_Held = tuple[str, bytes]
"""A resource as a snapshot holds it: its name and its deflated documents; the rest is where it is held."""


def _resource(place: tuple[str, str, str], key: str, held: _Held) -> Resource:
    name, packed = held
    return Resource(*place, key, name, msgspec.Raw(zlib.decompress(packed)))


class Snapshot:
    """What was read of one or several accounts: resources by kind and place, listings and gaps.

    Resources come out sorted by id whatever the order in which they were read, so that a snapshot
    and the file made from it give the same findings. They are held deflated, a few hundred bytes
    each, since accounts have a hundred thousand of them.
    """

    def __init__(self, manifests: tuple[Manifest, ...]) -> None:
        self.manifests = manifests
        self.ends: list[End] = []
        self.gaps: list[Gap] = []
        self.listings: dict[tuple[str, str, str], Gap | None] = {}
        self._held: dict[tuple[str, str, str], dict[str, _Held]] = {}
        self._names: dict[tuple[str, str, str], dict[str, str]] = {}

    def add(self, resource: Resource) -> None:
        """Keep a resource; a later one with the same id replaces the earlier."""
        place = (resource.kind, resource.account, resource.region)
        name = resource.id if resource.name == resource.id else resource.name
        self._held.setdefault(place, {})[resource.id] = (name, zlib.compress(bytes(resource.documents), 1))
        self._names.pop(place, None)

    def close(self, listing: Listing) -> None:
        """Record that a kind was listed in a place; a gap outranks an earlier success."""
        place = (listing.kind, listing.account, listing.region)
        self.listings[place] = self.listings.get(place) or listing.gap

    def listing_gap(self, kind: str, account: str, region: str) -> Gap | None:
        """What kept the listing of a kind from being whole; `None` when it is whole."""
        place = (kind, account, region)
        if place not in self.listings:
            return Gap(f"list {kind}", Reason.NOT_READ, account=account, region=region)
        return self.listings[place]

    def find(self, kind: str, account: str, region: str, key: str) -> Resource | None:
        """The resource with this id (ARN) or name, or `None`."""
        place = (kind, account, region)
        held = self._held.get(place, {})
        if key not in held:
            if place not in self._names:
                self._names[place] = {name: id_ for id_, (name, _) in held.items()}
            key = self._names[place].get(key, "")
        return _resource(place, key, held[key]) if key in held else None

    def of_kind(self, kind: str, account: str, region: str) -> Iterator[Resource]:
        """All resources of a kind in a place, sorted by id."""
        place = (kind, account, region)
        held = self._held.get(place, {})
        for key in sorted(held):
            yield _resource(place, key, held[key])

    def resources(self) -> Iterator[Resource]:
        """All resources, by kind and place and then by id."""
        for kind, account, region in sorted(self._held):
            yield from self.of_kind(kind, account, region)

    def places(self) -> list[tuple[str, str]]:
        """(account, Region) of every Region that was audited, `GLOBAL` once per account and last."""
        regional = {(m.account, region) for m in self.manifests for region in m.regions}
        return [*sorted(regional), *sorted({(m.account, GLOBAL) for m in self.manifests})]

    def manifest_of(self, account: str) -> Manifest:
        """The manifest of an account's part."""
        return next(manifest for manifest in self.manifests if manifest.account == account)

    @property
    def complete(self) -> bool:
        """Whether every part of it ran to its end."""
        return len(self.ends) == len(self.manifests) and all(end.complete for end in self.ends)

    def __len__(self) -> int:
        return sum(len(held) for held in self._held.values())

    def counts(self) -> dict[str, int]:
        """How many resources of each kind it holds."""
        counted: dict[str, int] = {}
        for (kind, _, _), held in self._held.items():
            counted[kind] = counted.get(kind, 0) + len(held)
        return dict(sorted(counted.items()))
