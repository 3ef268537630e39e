"""CloudWatch's GetMetricData over the account's series: statistics, periods, windows, pages and limits."""

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Refusal, Series, moment

MOST_QUERIES = 500
MOST_POINTS = 100_800
_KEPT = ((60, timedelta(days=15)), (300, timedelta(days=63)), (3600, timedelta(days=455)))
"""How long points of a period below the next are kept, from CloudWatch's documentation of metrics retention."""

_Samples = list[tuple[float, float]]


def _percentile(samples: _Samples, share: float) -> float:
    """The smallest value that at least `share` of the measurements do not exceed."""
    wanted = share * sum(count for _, count in samples)
    seen = 0.0
    for value, count in sorted(samples):
        seen += count
        if seen >= wanted:
            return value
    return max(value for value, _ in samples)


def _statistic(samples: _Samples, name: str) -> float:
    total = sum(value * count for value, count in samples)
    number = sum(count for _, count in samples)
    if name == "Sum":
        return total
    if name == "SampleCount":
        return number
    if name == "Average":
        return total / number
    if name in ("Maximum", "Minimum"):
        return (max if name == "Maximum" else min)(value for value, _ in samples)
    if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
        return _percentile(samples, float(name[1:]) / 100)
    raise Refusal("InvalidParameterValue", f"The value {name} for parameter Stat is not supported.")


def _buckets(series: Series, period: int, start: datetime, end: datetime) -> dict[int, _Samples]:
    """The samples of a series within [start, end), by the start of their period."""
    found: dict[int, _Samples] = defaultdict(list)
    origin = series.start.timestamp()
    first = max(0, math.ceil((start.timestamp() - origin) / series.step))
    last = math.ceil((min(end, series.end).timestamp() - origin) / series.step)
    for index in range(first, last):
        value, count = series.values[index % len(series.values)]
        if count:
            stamp = origin + index * series.step
            found[int(stamp // period) * period].append((value, count))
    return found


def _oldest(now: datetime, period: int) -> datetime:
    kept = next((age for least, age in reversed(_KEPT) if period >= least), timedelta(hours=3))
    return now - kept


def _points(
    state: DemoState, region: str, stat: Mapping[str, Any], start: datetime, end: datetime
) -> list[tuple[int, float]]:
    """One metric's points (epoch second, value), oldest first."""
    metric, period = stat["Metric"], int(stat["Period"])
    if period not in (1, 5, 10, 30) and period % 60:
        raise Refusal("InvalidParameterValue", f"Period {period} is no multiple of 60.")
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions", ())}
    start = max(datetime.fromtimestamp(start.timestamp() // period * period, UTC), _oldest(state.now, period))
    gathered: dict[int, _Samples] = defaultdict(list)
    for series in state.series(region, metric["Namespace"], metric["MetricName"], dimensions):
        for stamp, samples in _buckets(series, period, start, end).items():
            gathered[stamp] += samples
    return [(stamp, _statistic(samples, stat["Stat"])) for stamp, samples in sorted(gathered.items())]


def _check(queries: list[Mapping[str, Any]], start: datetime, end: datetime) -> None:
    if len(queries) > MOST_QUERIES:
        raise Refusal(
            "ValidationError",
            f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.",
        )
    if len({query["Id"] for query in queries}) < len(queries):
        raise Refusal("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
    if start >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    for query in queries:
        if "MetricStat" not in query:
            raise Refusal("ValidationError", "The demo account computes no metric math expressions.")


def get_metric_data(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """The answer of GetMetricData, newest point first unless asked.

    A page holds `MaxDatapoints` points; a metric that goes on over the page's end is PartialData there and
    comes again, under the same Id, on the next page.
    """
    queries: list[Mapping[str, Any]] = parameters["MetricDataQueries"]
    start, end = moment(parameters["StartTime"]), moment(parameters["EndTime"])
    _check(queries, start, end)
    room = int(parameters.get("MaxDatapoints", MOST_POINTS))
    if room > MOST_POINTS:
        raise Refusal("ValidationError", f"MaxDatapoints must be at most {MOST_POINTS}.")
    given = str(parameters.get("NextToken", "0.0")).partition(".")
    if not (given[0].isdigit() and given[2].isdigit()):
        raise Refusal("InvalidNextToken", "The token is none of this account's.")
    first, skipped = int(given[0]), int(given[2])
    ascending = parameters.get("ScanBy") == "TimestampAscending"
    results: list[Document] = []
    for index in range(first, len(queries)):
        query = queries[index]
        points = _points(state, region, query["MetricStat"], start, end)
        points = (points if ascending else points[::-1])[skipped:]
        shown = points[:room]
        room -= len(shown)
        left = len(points) - len(shown)
        if query.get("ReturnData", True):
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label", query["MetricStat"]["Metric"]["MetricName"]),
                    "Timestamps": [datetime.fromtimestamp(stamp, UTC) for stamp, _ in shown],
                    "Values": [float(value) for _, value in shown],
                    "StatusCode": "PartialData" if left else "Complete",
                }
            )
        if left:
            token = f"{index}.{skipped + len(shown)}"
            return {"MetricDataResults": results, "Messages": [], "NextToken": token}
        skipped = 0
    return {"MetricDataResults": results, "Messages": []}
