"""Resources made up from attribute values: the examples that rules carry and tests execute.

A sample is built through the same fields that a rule reads, so that an example cannot say more
than AWS does: an attribute that no field declares is an error.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.model import (
    GLOBAL,
    SECRETS_KEY,
    Document,
    End,
    Gap,
    Listing,
    Manifest,
    Resource,
    Snapshot,
    gap_document,
    pack,
)
from collectors.view import METRIC_DATA, Field, Node, NodeMetrics, Part, ResourceTags, View

ACCOUNT = "123456789012"
REGION = "eu-west-1"
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One made-up resource: attribute values by field name, its name, ARN, tags and found secrets.

    A value may be a `Gap`; a part is a map, a list of parts a list of maps, a metric a list of
    hourly datapoints ending now.
    """

    view: type[View]
    values: Mapping[str, Any] = field(default_factory=dict)
    name: str = "example"
    arn: str = ""
    region: str = REGION
    tags: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[Mapping[str, Any]] = ()


def sample(
    view: type[View],
    name: str = "example",
    *,
    arn: str = "",
    region: str = REGION,
    tags: Mapping[str, str] | None = None,
    secrets: Sequence[Mapping[str, Any]] = (),
    **values: Any,
) -> Sample:
    """Make a sample; required fields that are left out take the sample value of their declaration."""
    return Sample(view, values, name, arn, region, tags or {}, secrets)


def arn_of(made: Sample) -> str:
    """The ARN given, or one made from kind and name."""
    return made.arn or f"arn:aws:{_service(made.view)}:{made.region}:{ACCOUNT}:{made.view.kind}/{made.name}"


def _service(view: type[View]) -> str:
    return view.listing[0].service if view.listing else "sagemaker"


def snapshot_of(
    samples: Iterable[Sample],
    *,
    gaps: Iterable[Listing] = (),
    now: datetime = NOW,
    regions: tuple[str, ...] = (REGION,),
    lookback_days: int = 30,
) -> Snapshot:
    """A whole snapshot that holds just these samples: every listing is complete unless `gaps` say not."""
    manifest = Manifest(1, "sample", ACCOUNT, "aws", regions, now, lookback_days, 14)
    snapshot = Snapshot((manifest,))
    snapshot.ends.append(End(complete=True))
    for kind in _all_kinds(View):
        for region in (*regions, GLOBAL):
            snapshot.close(Listing(kind, ACCOUNT, region))
    for listing in gaps:
        snapshot.close(listing)
    for made in samples:
        for resource in resources_of(made, now):
            snapshot.add(resource)
    return snapshot


def _all_kinds(view: type[View]) -> set[str]:
    kinds = {view.kind} if view.kind else set()
    return kinds.union(*(_all_kinds(child) for child in view.__subclasses__()))


def resources_of(made: Sample, now: datetime) -> list[Resource]:
    """The resource of a sample, with its tags and metrics where these are resources of their own."""
    view = made.view
    region = GLOBAL if view.is_global else made.region
    documents: dict[str, Any] = {}
    metrics: dict[str, Document] = {}
    prefix = f"{view.kind}/{arn_of(made)}#"
    unknown = set(made.values) - set(view.fields()) - set(view.metric_fields())
    if unknown:
        raise KeyError(f"{view.__name__} has no field {', '.join(sorted(unknown))}")
    for attribute, declared in view.fields().items():
        operation = str(declared.operations[0])
        documents.setdefault(operation, {})
        _put(documents[operation], declared, made.values.get(attribute), metrics, prefix, now)
    for operation, document in documents.items():
        given = [made.values.get(a) for a, f in view.fields().items() if str(f.operations[0]) == operation]
        if any(value is ABSENT for value in given):
            documents[operation] = None
        elif made.secrets:
            document[SECRETS_KEY] = list(made.secrets)
    metrics.setdefault(prefix, {})
    _put_metrics(view, made.values, metrics[prefix], now)
    found = []
    if view.tag_source is not None:
        operation = str(view.tag_source[0])
        if documents.setdefault(operation, {}) is not None:
            documents[operation][view.tag_source[1]] = _tag_list(made.tags)
    elif view.tagged:
        tags = pack({str(ResourceTags.listing[0]): {"Tags": _tag_list(made.tags)}})
        arn = arn_of(made)
        found.append(Resource(ResourceTags.kind, ACCOUNT, region, arn, arn, tags))
    for key, series in metrics.items():
        if series:
            found.append(
                Resource(NodeMetrics.kind, ACCOUNT, region, key, key, pack({str(METRIC_DATA): series}))
            )
    return [Resource(view.kind, ACCOUNT, region, arn_of(made), made.name, pack(documents)), *found]


ABSENT = object()
"""As the value of any field of an operation: AWS answered "not configured" to that operation."""


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _put(
    document: Document,
    declared: Field[Any],
    value: Any,
    metrics: dict[str, Document],
    prefix: str,
    now: datetime,
) -> None:
    """Put one attribute's value where its field reads it."""
    if value is None and declared.required:
        value = declared.sample
    if value is None or value is ABSENT:
        return
    if isinstance(value, Gap):
        value = gap_document(value)
    elif declared.part is not None and declared.many:
        value = [_nested(declared.part, item, metrics, prefix, now) for item in value]
    elif declared.part is not None:
        value = _nested(declared.part, value, metrics, prefix, now)
    elif isinstance(value, datetime):
        value = value.isoformat()
    else:
        # A field inside this one may be put into it: the caller's own map stays as it is.
        value = copy.deepcopy(value)
    *parents, last = declared.keys
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


def _nested(
    part: type[Part], values: Mapping[str, Any], metrics: dict[str, Document], prefix: str, now: datetime
) -> Document:
    unknown = set(values) - set(part.fields()) - set(part.metric_fields())
    if unknown:
        raise KeyError(f"{part.__name__} has no field {', '.join(sorted(unknown))}")
    document: Document = {}
    for attribute, declared in part.fields().items():
        _put(document, declared, values.get(attribute), metrics, prefix, now)
    series = metrics.setdefault(f"{prefix}{document.get(part.key_path, '')}", {})
    _put_metrics(part, values, series, now)
    return document


def _put_metrics(node: type[Node], values: Mapping[str, Any], series: Document, now: datetime) -> None:
    """A metric's datapoints, one a period and ending now; without any AWS sent none."""
    start = now - timedelta(days=14)
    for attribute, declared in node.metric_fields().items():
        points = values.get(attribute) or []
        if isinstance(points, Gap):
            series[attribute] = gap_document(points)
            continue
        period = declared.period or 14 * 86_400
        times = [now - timedelta(seconds=period * (len(points) - i)) for i in range(len(points))]
        series[attribute] = {
            "Start": start.isoformat(),
            "End": now.isoformat(),
            "Period": period,
            "Timestamps": [t.isoformat() for t in times],
            "Values": [float(p) for p in points],
        }
