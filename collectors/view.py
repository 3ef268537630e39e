"""Typed, read-only views over raw responses.

A view's field remembers the operation and the path that it comes from: that declaration is the
documentation, the evidence, the IAM permission and the test against botocore's output shapes.
Touching something that nobody could read raises `Unread`; so no rule can take a refused call for
a value, and none has to think of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_origin, overload

from collectors.model import (
    GAP_KEY,
    GLOBAL,
    SECRETS_KEY,
    Document,
    Gap,
    Operation,
    Reading,
    Reason,
    Resource,
    Snapshot,
    Unread,
    as_reading,
)
from collectors.redaction import Secret

T = TypeVar("T")
V = TypeVar("V", bound="View")
P = TypeVar("P", bound="Part")

PART: tuple[Operation, ...] = ()
"""The source of a part's fields: the operation that its owner was read with."""


class Field(Generic[T]):
    """One value of a response: which operations give it, where it lies, and its type."""

    def __init__(
        self,
        source: Operation | tuple[Operation, ...],
        path: str,
        type_: Any,
        *,
        required: bool,
        sample: Any = None,
        part: type[Part] | None = None,
        many: bool = False,
    ) -> None:
        self.operations = source if isinstance(source, tuple) else (source,)
        self.path = path
        self.keys = tuple(path.removesuffix("[]").split("."))
        self.type = type_
        self.required = required
        self.sample = sample
        self.part = part
        self.many = many
        self.name = ""
        self.owner: type[Node] | None = None

    def __set_name__(self, owner: type[Node], name: str) -> None:
        self.name = name
        self.owner = owner

    @overload
    def __get__(self, node: None, owner: type[Node]) -> Self: ...
    @overload
    def __get__(self, node: Node, owner: type[Node]) -> T: ...
    def __get__(self, node: Node | None, owner: type[Node]) -> Self | T:
        if node is None:
            return self
        operation, document = node.source_document(self.operations)
        value = _walk(document, self.keys)
        if value is None:
            return cast(T, self._absent(node, operation))
        if isinstance(value, dict) and GAP_KEY in value:
            raise Unread(cast(Gap, as_reading(value)))
        return cast(T, self._convert(value, node, operation))

    def _absent(self, node: Node, operation: str) -> Any:
        manifest = node.region.manifest
        if manifest is not None and f"{operation}:{self.path}" in manifest.unmodelled:
            raise Unread(node.gap(operation, Reason.UNMODELLED, self.path))
        if self.required:
            raise Unread(node.gap(operation, Reason.MISSING, self.path))
        return () if self.many else None

    def _convert(self, value: Any, node: Node, operation: str) -> Any:
        if self.part is not None:
            if self.many:
                return tuple(self.part(item, node, operation) for item in value)
            return self.part(value, node, operation)
        if self.type is datetime:
            return moment(value)
        if self.type is float and isinstance(value, int):
            return float(value)
        if not isinstance(value, get_origin(self.type) or self.type):
            raise Unread(node.gap(operation, Reason.FAILED, f"{self.path} is a {type(value).__name__}"))
        return value


def _walk(document: Document | None, keys: tuple[str, ...]) -> Any:
    value: Any = document
    for key in keys:
        if value is None:
            return None
        value = value.get(key)
        if isinstance(value, dict) and GAP_KEY in value:
            return value
    return value


def moment(text: str) -> datetime:
    """A timestamp of a snapshot (ISO 8601), in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def required(source: Operation | tuple[Operation, ...], path: str, type_: type[T], sample: T) -> Field[T]:
    """A member that AWS always sends: its absence is a gap. `sample` fills examples that leave it out."""
    return Field(source, path, type_, required=True, sample=sample)


def optional(source: Operation | tuple[Operation, ...], path: str, type_: type[T]) -> Field[T | None]:
    """A member that AWS leaves out when it is unset: its absence is a value, `None`."""
    return Field(source, path, type_, required=False)


def part(source: Operation | tuple[Operation, ...], path: str, part_: type[P]) -> Field[P | None]:
    """A nested structure, or `None` when AWS leaves it out."""
    return Field(source, path, part_, required=False, part=part_)


def items(source: Operation | tuple[Operation, ...], path: str, part_: type[P]) -> Field[tuple[P, ...]]:
    """A list of nested structures; AWS leaves out empty lists, so absence is an empty tuple."""
    return Field(source, path, part_, required=False, part=part_, many=True)


class Node:
    """What fields can be read from: a view, or a part of one."""

    region: Region

    def source_document(self, operations: tuple[Operation, ...]) -> tuple[str, Document | None]:
        """The name and the document of the first of these operations that was called.

        Raises `Unread` when none was, or when what was called could not be read.
        """
        raise AssertionError(operations)

    def gap(self, operation: str, reason: Reason, message: str) -> Gap:
        """A gap at this node."""
        return Gap(operation, reason, message=message, region=self.region.name, account=self.region.account)

    @property
    def view(self) -> View:
        """The view that this node is, or is a part of."""
        raise AssertionError

    @classmethod
    def fields(cls) -> dict[str, Field[Any]]:
        """The declared fields by attribute name."""
        found: dict[str, Field[Any]] = {}
        for base in reversed(cls.__mro__):
            found.update({k: v for k, v in vars(base).items() if isinstance(v, Field)})
        return found

    @classmethod
    def metric_fields(cls) -> dict[str, Metric]:
        """The declared metrics by attribute name."""
        found: dict[str, Metric] = {}
        for base in reversed(cls.__mro__):
            found.update({k: v for k, v in vars(base).items() if isinstance(v, Metric)})
        return found

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        """The CloudWatch dimensions under which this node publishes, one map per series."""
        return ()

    def metric_window(self) -> tuple[datetime, datetime] | None:
        """From when to when its metrics are worth asking for; `None` means the run's window."""
        return None

    @property
    def metrics_key(self) -> str:
        """The id of the resource that holds its metrics."""
        raise AssertionError


class Part(Node):
    """A nested structure of a document. `key` names it inside its resource, for a finding's identity."""

    key_path: ClassVar[str] = ""

    def __init__(self, raw: Document, owner: Node, operation: str) -> None:
        self.raw = raw
        self.owner = owner
        self.operation = operation
        self.region = owner.region

    def source_document(self, operations: tuple[Operation, ...]) -> tuple[str, Document | None]:  # noqa: ARG002
        return self.operation, self.raw

    @property
    def view(self) -> View:
        return self.owner.view

    @property
    def key(self) -> str:
        """What tells it from its siblings (`VariantName`)."""
        return str(self.raw.get(self.key_path, ""))

    @property
    def metrics_key(self) -> str:
        return f"{self.view.kind}/{self.view.id}#{self.key}"


class View(Node):
    """A typed view over one resource.

    A subclass names its `kind`, the CloudFormation `type`, the listing operations, the members
    that hold its name and its ARN, where its own document has tags (`tags`), whether the tagging
    API knows its tags (`tagged`), whether it belongs to the account, not a Region (`is_global`), and
    whether only those of the look-back window are read (`windowed`): accounts keep every job for ever.
    """

    kind: ClassVar[str] = ""
    type: ClassVar[str] = ""
    listing: ClassVar[tuple[Operation, ...]] = ()
    name_path: ClassVar[str] = ""
    arn_path: ClassVar[str] = ""
    tag_source: ClassVar[tuple[Operation, str] | None] = None
    tagged: ClassVar[bool] = False
    is_global: ClassVar[bool] = False
    windowed: ClassVar[bool] = False

    def __init__(self, resource: Resource, region: Region) -> None:
        self.resource = resource
        self.region = region
        self._readings: dict[str, Reading] | None = None

    def __init_subclass__(
        cls,
        *,
        kind: str = "",
        type: str = "",  # noqa: A002 - the word that CloudFormation uses
        listing: tuple[Operation, ...] = (),
        name: str = "",
        arn: str = "",
        tags: tuple[Operation, str] | None = None,
        tagged: bool = False,
        is_global: bool = False,
        windowed: bool = False,
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        cls.kind, cls.type, cls.listing = kind, type, listing
        cls.name_path, cls.arn_path, cls.tag_source = name, arn, tags
        cls.tagged, cls.is_global, cls.windowed = tagged, is_global, windowed

    @property
    def id(self) -> str:
        """The resource's ARN, or what stands for it."""
        return self.resource.id

    @property
    def name(self) -> str:
        """The resource's name, as AWS gave it: hostile text."""
        return self.resource.name

    @property
    def key(self) -> str:
        """A whole resource is no part: its part key is empty."""
        return ""

    @property
    def view(self) -> View:
        return self

    @property
    def shown_region(self) -> str:
        """The Region that a finding about it names: where it lives, also when its listing is global."""
        return self.region.name

    @property
    def metrics_key(self) -> str:
        return f"{self.kind}/{self.id}#"

    @property
    def readings(self) -> dict[str, Reading]:
        """The decoded documents by operation name."""
        if self._readings is None:
            self._readings = self.resource.readings()
        return self._readings

    def source_document(self, operations: tuple[Operation, ...]) -> tuple[str, Document | None]:
        gap: Gap | None = None
        for operation in operations:
            name = str(operation)
            if name not in self.readings:
                continue
            reading = self.readings[name]
            if not isinstance(reading, Gap):
                return name, reading
            gap = gap or reading
        if gap is not None:
            raise Unread(gap)
        raise Unread(self.gap(str(operations[-1]), Reason.NOT_READ, self.id))

    def secrets(self, operations: tuple[Operation, ...]) -> tuple[Secret, ...]:
        """The secrets that were taken out of a document before it was kept."""
        _, document = self.source_document(operations)
        return tuple(Secret(**found) for found in (document or {}).get(SECRETS_KEY, ()))

    @property
    def tags(self) -> dict[str, str]:
        """The resource's own tags, without those that AWS made (`aws:*`, `sagemaker:*`).

        Search returns tags with the document. Of other kinds the tagging API is asked; it lists
        only resources that have or had tags, so one that it leaves out has none.
        """
        return {
            key: value
            for key, value in self.all_tags.items()
            if not key.lower().startswith(("aws:", "sagemaker:"))
        }

    @property
    def all_tags(self) -> dict[str, str]:
        """The resource's tags, those that AWS made included: they tell what made the resource."""
        own = self._own_tags()
        if own is None:
            listed = self.region.find(ResourceTags, self.id)
            return {} if listed is None else listed.all_tags
        return {tag["Key"]: tag.get("Value") or "" for tag in own}

    @property
    def tags_missing(self) -> bool:
        """Whether the tagging API has to be asked for its tags."""
        source = self.tag_source
        return self.tagged and (source is None or str(source[0]) not in self.readings)

    @property
    def tags_operation(self) -> str:
        """The operation that its tags were read with."""
        source = self.tag_source
        return str(GET_RESOURCES) if source is None or self.tags_missing else str(source[0])

    def _own_tags(self) -> list[Document] | None:
        """The tags inside its own document; `None` where the tagging API has to say."""
        if self.tags_missing:
            return None
        if self.tag_source is None:
            return []
        operation, path = self.tag_source
        _, document = self.source_document((operation,))
        return (document or {}).get(path) or []


@dataclass(frozen=True, slots=True)
class Series:
    """Datapoints of one metric, oldest first, with the window that was asked for.

    `values` are in the metric's own unit. `period` is in seconds. A metric without datapoints has
    an empty series: that AWS sent none is known, what it means is for the rule to say.
    """

    start: datetime
    end: datetime
    period: int
    timestamps: tuple[datetime, ...] = ()
    values: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values)

    def since(self, moment_: datetime) -> Series:
        """The part from a moment on. Raises `ValueError` where the window does not reach back that far."""
        if moment_ < self.start - timedelta(hours=1):
            raise ValueError(f"asked from {moment_:%Y-%m-%d}, read from {self.start:%Y-%m-%d}")
        kept = [(t, v) for t, v in zip(self.timestamps, self.values, strict=True) if t >= moment_]
        return Series(
            max(moment_, self.start),
            self.end,
            self.period,
            tuple(t for t, _ in kept),
            tuple(v for _, v in kept),
        )

    def sum(self) -> float:
        """The sum of all datapoints; 0 without any."""
        return math.fsum(self.values)

    def maximum(self) -> float | None:
        """The largest datapoint, or `None` without any."""
        return max(self.values, default=None)

    def mean(self) -> float | None:
        """The mean of all datapoints, or `None` without any."""
        return math.fsum(self.values) / len(self.values) if self.values else None


METRIC_DATA = Operation("cloudwatch", "GetMetricData", result="MetricDataResults[]", page_size=100_800)


class Metric:
    """A CloudWatch metric as a field: declared here, fetched together with all others by GetMetricData.

    `dimensions` chooses among the dimensions of the node that declares it. `period` is in seconds;
    0 asks for one datapoint over the whole window (the only exact percentile of a window).
    """

    def __init__(
        self, namespace: str, name: str, statistic: str, *, period: int, dimensions: tuple[str, ...]
    ) -> None:
        self.namespace = namespace
        self.metric = name
        self.statistic = statistic
        self.period = period
        self.dimensions = dimensions
        self.name = ""
        self.owner: type[Node] | None = None

    def __set_name__(self, owner: type[Node], name: str) -> None:
        self.name = name
        self.owner = owner

    @overload
    def __get__(self, node: None, owner: type[Node]) -> Self: ...
    @overload
    def __get__(self, node: Node, owner: type[Node]) -> Series: ...
    def __get__(self, node: Node | None, owner: type[Node]) -> Self | Series:
        if node is None:
            return self
        held = node.region.find(NodeMetrics, node.metrics_key)
        if held is None:
            raise Unread(node.gap(str(METRIC_DATA), Reason.NOT_READ, f"{self.metric} of {node.metrics_key}"))
        return held.series(self.name)


def metric(
    namespace: str, name: str, statistic: str, *, dimensions: tuple[str, ...], period: int = 3600
) -> Metric:
    """Declare a metric field."""
    return Metric(namespace, name, statistic, period=period, dimensions=dimensions)


class Region:
    """A Region of one account inside a snapshot: where rules look for other resources.

    Global resources are found from every Region.
    """

    def __init__(self, snapshot: Snapshot, account: str, name: str) -> None:
        self.snapshot = snapshot
        self.account = account
        self.name = name
        self.manifest = snapshot.manifest_of(account) if snapshot.manifests else None
        self.memory: dict[object, Any] = {}
        self._cache = functools.lru_cache(maxsize=512)(self._find)
        self.siblings: dict[str, Region] = {name: self}
        self.context: dict[str, Any] = {}
        """What whoever judges has to say to helpers of rules; shared by the account's Regions."""

    @property
    def now(self) -> datetime:
        """The time of the snapshot: the only clock that a rule has."""
        assert self.manifest is not None  # noqa: S101 - a Region is made from a manifest
        return self.manifest.taken_at

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`, from the caller's ARN."""
        assert self.manifest is not None  # noqa: S101
        return self.manifest.partition

    def ago(self, days: float) -> datetime:
        """The moment so many days before the snapshot."""
        return self.now - timedelta(days=days)

    def sibling(self, name: str) -> Region:
        """Another Region of the same account."""
        if name not in self.siblings:
            other = Region(self.snapshot, self.account, name)
            other.siblings, other.context = self.siblings, self.context
            self.siblings[name] = other
        return self.siblings[name]

    def home_of(self, view: type[View]) -> Region:
        """Where resources of this kind are kept: here, or account-wide."""
        return self.sibling(GLOBAL) if view.is_global else self

    def known(self, view: type[V]) -> Iterator[V]:
        """The resources of a kind that were read here, whether or not the listing was whole."""
        home = self.home_of(view)
        for resource in self.snapshot.of_kind(view.kind, self.account, home.name):
            yield view(resource, home)

    def all(self, view: type[V]) -> Iterator[V]:
        """Every resource of a kind here. Raises `Unread` when the listing was not whole."""
        gap = self.snapshot.listing_gap(view.kind, self.account, self.home_of(view).name)
        if gap is not None:
            raise Unread(gap)
        return self.known(view)

    def everywhere(self, view: type[V]) -> Iterator[V]:
        """Every resource of a kind in all audited Regions. Raises `Unread` as `all` does."""
        if view.is_global:
            return self.all(view)
        return (found for place in [r.all(view) for r in self.audited()] for found in place)

    def audited(self) -> list[Region]:
        """All Regions of this account that were audited."""
        return [self.sibling(name) for name in sorted(self.manifest.regions if self.manifest else ())]

    def find(self, view: type[V], key: str | None) -> V | None:
        """The resource with this id or name; `None` when a whole listing lacks it.

        Raises `Unread` when it was not found and the listing was not whole.
        """
        if not key:
            return None
        found = self.home_of(view)._cache(cast(Hashable, view), key)
        if found is not None:
            return cast(V, found)
        gap = self.snapshot.listing_gap(view.kind, self.account, self.home_of(view).name)
        if gap is not None:
            raise Unread(gap)
        return None

    def _find(self, view: type[View], key: str) -> View | None:
        resource = self.snapshot.find(view.kind, self.account, self.name, key)
        return None if resource is None else view(resource, self)

    def forget(self) -> None:
        """Drop cached look-ups, as after reading more."""
        for region in self.siblings.values():
            region._cache.cache_clear()
            region.memory.clear()


def index(function: Callable[[Region], T]) -> Callable[[Region], T]:
    """Compute something once per Region and keep it: for what many rules or resources ask for.

    An `Unread` is kept like a value, so that a gap costs one look and not one per resource.
    """

    @functools.wraps(function)
    def remembered(region: Region) -> T:
        if function not in region.memory:
            try:
                region.memory[function] = function(region)
            except Unread as unread:
                region.memory[function] = unread
        held = region.memory[function]
        if isinstance(held, Unread):
            raise Unread(held.gap)
        return cast(T, held)

    return remembered


GET_RESOURCES = Operation(
    "resourcegroupstaggingapi",
    "GetResources",
    result="ResourceTagMappingList[]",
    action="tag:GetResources",
)


class ResourceTags(
    View,
    kind="resource-tags",
    listing=(GET_RESOURCES,),
    name="ResourceARN",
    arn="ResourceARN",
    tags=(GET_RESOURCES, "Tags"),
):
    """The tags of one resource whose own documents have none."""


class NodeMetrics(View, kind="metrics", listing=(METRIC_DATA,)):
    """The metrics of one resource or part; its document maps field names to series."""

    def series(self, name: str) -> Series:
        """The series of a metric field. Raises `Unread` where it was not fetched or only in part."""
        operation, document = self.source_document((METRIC_DATA,))
        raw = (document or {}).get(name)
        if raw is None:
            raise Unread(self.gap(operation, Reason.NOT_READ, name))
        if GAP_KEY in raw:
            raise Unread(cast(Gap, as_reading(raw)))
        return Series(
            moment(raw["Start"]),
            moment(raw["End"]),
            raw["Period"],
            tuple(moment(t) for t in raw["Timestamps"]),
            tuple(float(v) for v in raw["Values"]),
        )
