"""Alarms, and the datapoints of every metric that a selected rule reads."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Gap, Operation, Reason, Resource, Unread, gap_document
from collectors.view import (
    METRIC_DATA,
    PART,
    Field,
    Metric,
    Node,
    NodeMetrics,
    Part,
    View,
    items,
    optional,
    required,
)

if TYPE_CHECKING:
    from collectors.reader import Reader

# Without AlarmTypes AWS returns metric alarms only. The third type, log alarms, evaluates log
# queries and never a metric, so it is not asked for.
METRIC_ALARMS = Operation(
    "cloudwatch",
    "DescribeAlarms",
    result="MetricAlarms[]",
    parameters=(("AlarmTypes", ("MetricAlarm",)),),
    page_size=100,
)
COMPOSITE_ALARMS = Operation(
    "cloudwatch",
    "DescribeAlarms",
    result="CompositeAlarms[]",
    parameters=(("AlarmTypes", ("CompositeAlarm",)),),
    page_size=100,
)

_DRIFT = re.compile(
    r"/?aws/sagemaker/(endpoints?|modelmonitoring)/(data|model|bias|explainability)-metrics?", re.IGNORECASE
)
"""The namespaces of Model Monitor's metrics: AWS's documents spell them in several ways."""

_CHILD = re.compile(r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*?))\s*\)""")


class Dimension(Part):
    """One dimension of an alarm's metric."""

    name = required(PART, "Name", str, "EndpointName")
    value = required(PART, "Value", str, "example")


class MetricQuery(Part):
    """One metric, or one expression over metrics, of an alarm that has several."""

    namespace = optional(PART, "MetricStat.Metric.Namespace", str)
    metric_name = optional(PART, "MetricStat.Metric.MetricName", str)
    dimensions = items(PART, "MetricStat.Metric.Dimensions[]", Dimension)
    expression = optional(PART, "Expression", str)
    account_id = optional(PART, "AccountId", str)


class MetricAlarm(
    View,
    kind="metric-alarm",
    type="AWS::CloudWatch::Alarm",
    listing=(METRIC_ALARMS,),
    name="AlarmName",
    arn="AlarmArn",
):
    """An alarm on one metric, on metric math, or on a query over many metrics."""

    actions_enabled = required(METRIC_ALARMS, "ActionsEnabled", bool, True)
    alarm_actions = optional(METRIC_ALARMS, "AlarmActions", list[str])
    namespace = optional(METRIC_ALARMS, "Namespace", str)
    metric_name = optional(METRIC_ALARMS, "MetricName", str)
    dimensions = items(METRIC_ALARMS, "Dimensions[]", Dimension)
    metrics = items(METRIC_ALARMS, "Metrics[]", MetricQuery)
    state_value = required(METRIC_ALARMS, "StateValue", str, "OK")
    state_updated_timestamp = required(
        METRIC_ALARMS, "StateUpdatedTimestamp", datetime, datetime.fromisoformat("2026-11-19T06:00:00+00:00")
    )
    query = optional(METRIC_ALARMS, "EvaluationCriteria.PromQLCriteria.Query", str)

    @property
    def about_sagemaker(self) -> bool:
        """Whether it can be about a SageMaker metric; a PromQL query need not name the service."""
        texts = [self.namespace, *(text for q in self.metrics for text in (q.namespace, q.expression))]
        return self.query is not None or any("sagemaker" in (text or "").lower() for text in texts)

    @property
    def drift_of(self) -> frozenset[str]:
        """The names of the schedules whose drift it looks at, and of endpoints where it names no schedule."""
        named = [(self.namespace, self.dimensions), *((q.namespace, q.dimensions) for q in self.metrics)]
        found: set[str] = set()
        for namespace, dimensions in named:
            if _DRIFT.fullmatch(namespace or ""):
                schedules = [held.value for held in dimensions if "schedule" in held.name.lower()]
                found.update(schedules or [held.value for held in dimensions])
        return frozenset(found)


class CompositeAlarm(
    View,
    kind="composite-alarm",
    type="AWS::CloudWatch::CompositeAlarm",
    listing=(COMPOSITE_ALARMS,),
    name="AlarmName",
    arn="AlarmArn",
):
    """An alarm on other alarms."""

    actions_enabled = required(COMPOSITE_ALARMS, "ActionsEnabled", bool, True)
    alarm_actions = optional(COMPOSITE_ALARMS, "AlarmActions", list[str])
    alarm_rule = required(COMPOSITE_ALARMS, "AlarmRule", str, 'ALARM("example")')

    @property
    def children(self) -> frozenset[str]:
        """The names or ARNs of the alarms that its rule names."""
        return frozenset(next(filter(None, found), "") for found in _CHILD.findall(self.alarm_rule)) - {""}


@collects(MetricAlarm)
def metric_alarms(reader: "Reader") -> Iterator[Resource]:
    """Every metric alarm, a hundred a page: by metric it would be a call for each variant."""
    for document in reader.list(METRIC_ALARMS):
        yield from reader.resource({METRIC_ALARMS: document})


@collects(CompositeAlarm)
def composite_alarms(reader: "Reader") -> Iterator[Resource]:
    """Every composite alarm."""
    for document in reader.list(COMPOSITE_ALARMS):
        yield from reader.resource({COMPOSITE_ALARMS: document})


_HOUR = 3600
_MOST_QUERIES = 500
_MOST_POINTS = 100_800
_RETENTION = ((timedelta(days=63), 3600), (timedelta(days=15), 300))
"""From which age on CloudWatch keeps only such periods (seconds); younger data come by the minute."""


@dataclass(frozen=True, slots=True)
class _Query:
    """One series to ask for. `end` is exclusive; `own` says that the window is the node's, not the run's."""

    key: str
    field: str
    metric: Metric
    dimensions: tuple[tuple[str, str], ...]
    start: datetime
    end: datetime
    period: int
    own: bool

    def points(self, start: datetime, end: datetime) -> int:
        """How many datapoints a window can hold at most."""
        return -(-_seconds(start, end) // self.period) if self.period else 1

    def fits(self, start: datetime, end: datetime, now: datetime) -> bool:
        """Whether its datapoints stay the same when asked for in this wider window.

        CloudWatch counts periods from the start of the window (boto3 issue 3457), and one datapoint
        over the run's window must be of just that window; a job's dimensions hold nothing outside its own.
        """
        if self.period and self.period < _finest(start, now):
            return False
        if self.period > _HOUR or (not self.period and not self.own):
            return start == self.start and (bool(self.period) or end == self.end)
        return True


@dataclass(slots=True)
class _Batch:
    """Queries that one GetMetricData call can answer on one page."""

    start: datetime
    end: datetime
    queries: list[_Query]

    def takes(self, query: _Query, now: datetime) -> bool:
        """Take in one more query, widening the window, unless a limit or another query forbids it."""
        end = max(self.end, query.end)
        together = [*self.queries, query]
        if len(together) > _MOST_QUERIES or not query.fits(self.start, end, now):
            return False
        if end != self.end and not all(q.fits(self.start, end, now) for q in self.queries):
            return False
        if sum(q.points(self.start, end) for q in together) > _MOST_POINTS:
            return False
        self.end, self.queries = end, together
        return True


_Points = list[tuple[datetime, float]]


@collects(NodeMetrics, last=True)
def node_metrics(reader: "Reader") -> Iterator[Resource]:
    """One document for each resource or part that has metrics, from as few calls as there can be."""
    documents: dict[str, Document] = {}
    queries: list[_Query] = []
    for node in _measured(reader):
        found, unread = _queries_of(node, reader)
        queries.extend(found)
        if unread:
            documents.setdefault(node.metrics_key, {}).update(unread)
    waiting = Counter(query.key for query in queries)
    for key in [key for key in documents if key not in waiting]:
        yield from _resource(reader, key, documents.pop(key))
    answers: dict[str, list[tuple[_Query, int, _Points | Gap]]] = {}
    batches = _batches(queries, reader.region.now)
    for batch, results in zip(batches, reader.gather(lambda b: _ask(reader, b), batches), strict=True):
        window = _seconds(batch.start, batch.end)
        for query, result in zip(batch.queries, results, strict=True):
            answers.setdefault(query.key, []).append((query, query.period or window, result))
            waiting[query.key] -= 1
            if not waiting[query.key]:
                document = documents.pop(query.key, {}) | _document(answers.pop(query.key))
                yield from _resource(reader, query.key, document)


def _resource(reader: "Reader", key: str, document: Document) -> Iterator[Resource]:
    return reader.resource({METRIC_DATA: document}, key=key, name=key)


def _measured(reader: "Reader") -> Iterator[Node]:
    """Every resource, and part of one, whose class declares a metric that a selected rule reads."""
    wanted = {metric.owner for metric in reader.plan.reads.metrics if metric.owner is not None}

    def has(node: type[Node]) -> bool:
        parts = {field.part for field in node.fields().values() if field.part is not None} - {node}
        return any(issubclass(node, owner) for owner in wanted) or any(has(part) for part in parts)

    def within(node: Node) -> Iterator[Node]:
        if any(isinstance(node, owner) for owner in wanted):
            yield node
        for field in type(node).fields().values():
            if field.part is not None and has(field.part):
                for part in _parts(node, field):
                    yield from within(part)

    for view in sorted(reader.plan.reads.views, key=lambda v: v.kind):
        if not view.is_global and has(view):
            for resource in reader.known(view):
                yield from within(resource)


def _parts(node: Node, field: Field[Any]) -> Iterable[Node]:
    """The parts of a node at a field; none where they cannot be read: a rule cannot judge those either."""
    try:
        value = field.__get__(node, type(node))
    except Unread:
        return ()
    return value if isinstance(value, tuple) else filter(None, (value,))


def _queries_of(node: Node, reader: "Reader") -> tuple[list[_Query], Document]:
    """What to ask for a node, and stand-ins for what cannot be asked because its dimensions are unread."""
    declared = {k: m for k, m in type(node).metric_fields().items() if m in reader.plan.reads.metrics}
    try:
        dimensions = node.metric_dimensions()
        own = node.metric_window()
    except Unread as unread:
        return [], dict.fromkeys(declared, gap_document(unread.gap))
    found = []
    for name, metric in declared.items():
        start, end, period = _window(metric, own, reader)
        for chosen in dict.fromkeys(_chosen(metric, dimensions)):
            key = node.metrics_key
            found.append(_Query(key, name, metric, chosen, start, end, period, own is not None))
    return found, {}


def _chosen(metric: Metric, dimensions: Iterable[Mapping[str, str]]) -> Iterator[tuple[tuple[str, str], ...]]:
    for named in dimensions:
        if named.keys() >= set(metric.dimensions):
            yield tuple((name, named[name]) for name in metric.dimensions)


def _window(
    metric: Metric, own: tuple[datetime, datetime] | None, reader: "Reader"
) -> tuple[datetime, datetime, int]:
    """The window of a metric, on whole hours and whole periods, and the period that AWS still keeps."""
    now = reader.region.now
    manifest = reader.region.manifest
    start, end = own or (now - timedelta(days=manifest.metric_days if manifest else 14), now)
    period = max(metric.period, _finest(start, now)) if metric.period else 0
    if own is not None:
        return _floor(start), _ceil(end), period
    step = max(period, _HOUR)
    periods = -(-_seconds(start, end) // step)
    return _ceil(end) - timedelta(seconds=periods * step), _ceil(end), period


def _finest(start: datetime, now: datetime) -> int:
    """The shortest period (seconds) that CloudWatch still has from a moment on."""
    age = now - start + timedelta(hours=2)
    return next((period for limit, period in _RETENTION if age >= limit), 60)


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _ceil(moment: datetime) -> datetime:
    """The next full hour, so that what was published in the last minutes counts."""
    floored = _floor(moment)
    return floored if floored == moment else floored + timedelta(hours=1)


def _seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())


def _batches(queries: list[_Query], now: datetime) -> list[_Batch]:
    """Queries of neighbouring windows share a call, cut to their own afterwards."""
    batches: list[_Batch] = []
    for query in sorted(queries, key=lambda q: (q.start, q.own, q.key)):
        if not batches or not batches[-1].takes(query, now):
            batches.append(_Batch(query.start, query.end, [query]))
    return batches


def _ask(reader: "Reader", batch: _Batch) -> list[_Points | Gap]:
    """The datapoints of each query of a batch, or why there are none."""
    window = _seconds(batch.start, batch.end)
    points: list[_Points] = [[] for _ in batch.queries]
    status = [""] * len(batch.queries)
    failed: Gap | None = None
    try:
        for result in reader.pages(
            METRIC_DATA,
            MetricDataQueries=[_asked(n, query, window) for n, query in enumerate(batch.queries)],
            StartTime=batch.start,
            EndTime=batch.end,
            ScanBy="TimestampAscending",
        ):
            # A series may go on over several pages, PartialData on all but its last.
            number = int(result["Id"].removeprefix("q"))
            points[number] += zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
            status[number] = result.get("StatusCode", "Complete")
    except Unread as unread:
        failed = unread.gap
        reader.incomplete(failed)
    return [
        found if code == "Complete" else failed or _unfinished(query, code, reader)
        for query, found, code in zip(batch.queries, points, status, strict=True)
    ]


def _asked(number: int, query: _Query, window: int) -> Document:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {
        "Namespace": query.metric.namespace,
        "MetricName": query.metric.metric,
        "Dimensions": dimensions,
    }
    stat = {"Metric": metric, "Period": query.period or window, "Stat": query.metric.statistic}
    return {"Id": f"q{number}", "MetricStat": stat}


def _unfinished(query: _Query, code: str, reader: "Reader") -> Gap:
    """AWS answered the call, but not this series."""
    reason = {"Forbidden": Reason.DENIED, "PartialData": Reason.TRUNCATED}.get(code, Reason.FAILED)
    region = reader.region
    message = f"{query.metric.metric} of {query.key}"
    return Gap(str(METRIC_DATA), reason, code or "NoResult", message, region.account, region.name)


def _document(answers: list[tuple[_Query, int, _Points | Gap]]) -> Document:
    """The series of one node by field; those of several hosts are put together in the order of time."""
    document: Document = {}
    points: dict[str, _Points] = {}
    for query, period, result in answers:
        if isinstance(result, Gap):
            document[query.field] = gap_document(result)
        elif query.field not in document or query.field in points:
            points.setdefault(query.field, []).extend(_cut(query, period, result))
            document[query.field] = {
                "Start": query.start.isoformat(),
                "End": query.end.isoformat(),
                "Period": period,
                "Timestamps": [],
                "Values": [],
            }
    for field, found in points.items():
        if "Timestamps" in document[field]:
            found.sort(key=lambda point: point[0])
            document[field]["Timestamps"] = [moment.isoformat() for moment, _ in found]
            document[field]["Values"] = [value for _, value in found]
    return document


def _cut(query: _Query, period: int, points: _Points) -> Iterator[tuple[datetime, float]]:
    """The datapoints of a query's own window, out of those of its batch's."""
    for timestamp, value in points:
        moment = timestamp.astimezone(UTC)
        if moment < query.end and moment + timedelta(seconds=period) > query.start:
            yield max(moment, query.start), value
