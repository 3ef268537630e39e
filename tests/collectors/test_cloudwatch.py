"""Alarms of both types, and metrics in few calls: windows, pages, refusals and series of several hosts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState, Series
from collectors.cloudwatch import (
    CompositeAlarm,
    MetricAlarm,
    composite_alarms,
    metric_alarms,
    node_metrics,
)
from collectors.model import Gap, Operation, Reason, as_reading
from collectors.reads import Reads
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sample import NOW, REGION, Sample, sample
from collectors.view import METRIC_DATA, PART, NodeMetrics, Part, View, items, metric, optional

PROBE = Operation("sagemaker", "DescribeEndpoint")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class ProbePart(Part):
    key_path = "VariantName"
    variant_name = optional(PART, "VariantName", str)
    hourly = metric("AWS/SageMaker", "Invocations", "Sum", dimensions=("Endpoint", "Variant"))
    weekly = metric("AWS/SageMaker", "Latency", "p95", dimensions=("Endpoint", "Variant"), period=604_800)
    whole = metric("AWS/SageMaker", "Latency", "p90", dimensions=("Endpoint", "Variant"), period=0)

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        return ({"Endpoint": self.view.name, "Variant": self.variant_name or ""},)


class Probe(View, kind="metric-probe", listing=(PROBE,), name="EndpointName", arn="EndpointArn"):
    production_variants = items(PROBE, "ProductionVariants[]", ProbePart)


class JobProbe(View, kind="metric-job-probe", listing=(PROBE,), name="EndpointName", arn="EndpointArn"):
    creation_time = optional(PROBE, "CreationTime", datetime)
    last_modified_time = optional(PROBE, "LastModifiedTime", datetime)
    cpu = metric("/aws/sagemaker/TrainingJobs", "CPUUtilization", "Average", dimensions=("Host",), period=60)

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        return tuple({"Host": f"{self.name}/algo-{i}"} for i in (1, 2))

    def metric_window(self) -> tuple[datetime, datetime] | None:
        return self.creation_time or NOW, self.last_modified_time or NOW


def reads(view: type[View], *nodes: type[View] | type[Part]) -> Reads:
    return Reads(
        views={view, NodeMetrics}, metrics={m for node in nodes for m in node.metric_fields().values()}
    )


def variants(number: int) -> list[Sample]:
    return [sample(Probe, f"e{i}", production_variants=[{"variant_name": "v"}]) for i in range(number)]


def job(name: str, start: datetime, end: datetime) -> Sample:
    return sample(JobProbe, name, creation_time=start, last_modified_time=end)


def collected(
    state: DemoState, samples: Iterable[Sample], wanted: Reads
) -> tuple[dict[str, dict[str, Any]], Gap | None]:
    """What the collector keeps, by name of the resource."""
    reader = reader_of(node_metrics, state, samples, reads=wanted)
    found = {r.id: r.readings()[str(METRIC_DATA)] for r in node_metrics.function(reader)}
    return {key.partition("/")[2].rpartition("/")[2]: document for key, document in found.items()}, reader.gap  # type: ignore[misc]


def reported(
    state: DemoState, name: str, dimensions: Mapping[str, str], start: datetime, end: datetime, *values: float
) -> None:
    namespace = "/aws/sagemaker/TrainingJobs" if name == "CPUUtilization" else "AWS/SageMaker"
    series = Series(start, end, 60 if end - start < HOUR else 3600, tuple((v, 1.0) for v in values))
    state.metric(REGION, namespace, name, dimensions, series)


def test_a_node_without_datapoints_has_an_empty_series_over_the_runs_window() -> None:
    documents, gap = collected(DemoState(NOW), variants(1), reads(Probe, ProbePart))
    whole = {"Start": (NOW - 14 * DAY).isoformat(), "End": NOW.isoformat(), "Timestamps": [], "Values": []}
    assert documents == {
        "e0#v": {
            "hourly": {**whole, "Period": 3600},
            "weekly": {**whole, "Period": 604_800},
            "whole": {**whole, "Period": 14 * 86_400},
        }
    }
    assert gap is None


def test_series_hold_the_window_oldest_first() -> None:
    state = DemoState(NOW)
    reported(state, "Invocations", {"Endpoint": "e0", "Variant": "v"}, NOW - 20 * DAY, NOW + DAY, 1, 2)
    documents, _ = collected(state, variants(1), reads(Probe, ProbePart))
    hourly = documents["e0#v"]["hourly"]
    times = [datetime.fromisoformat(t) for t in hourly["Timestamps"]]
    assert times == [NOW - 14 * DAY + i * HOUR for i in range(336)]
    assert sum(hourly["Values"]) == 336 * 1.5


@pytest.mark.parametrize(("number", "most"), [(0, 0), (1, 1), (200, 4), (1000, 20)])
def test_variants_share_calls(number: int, most: int) -> None:
    state = DemoState(NOW)
    documents, _ = collected(state, variants(number), reads(Probe, ProbePart))
    assert len(documents) == number
    assert state.calls["cloudwatch:GetMetricData"] <= most


def test_jobs_share_calls_and_are_cut_to_their_own_windows() -> None:
    state = DemoState(NOW)
    jobs = []
    for i in range(200):
        start = NOW - timedelta(days=i % 14, hours=3, minutes=7)
        jobs.append(job(f"j{i}", start, start + HOUR))
    reported(state, "CPUUtilization", {"Host": "j0/algo-1"}, NOW - 3 * HOUR, NOW - 2.5 * HOUR, 10, 30)
    reported(state, "CPUUtilization", {"Host": "j0/algo-2"}, NOW - 3 * HOUR, NOW - 2.5 * HOUR, 50)
    documents, _ = collected(state, jobs, reads(JobProbe, JobProbe))
    assert len(documents) == 200
    assert state.calls["cloudwatch:GetMetricData"] <= 12
    cpu = documents["j0#"]["cpu"]
    assert (cpu["Start"], cpu["End"]) == ((NOW - 4 * HOUR).isoformat(), (NOW - 2 * HOUR).isoformat())
    assert cpu["Timestamps"] == sorted(cpu["Timestamps"])
    assert (len(cpu["Values"]), sum(cpu["Values"])) == (60, 30 * 20 + 30 * 50)


def test_the_period_is_what_cloudwatch_still_keeps_at_that_age() -> None:
    ages = {"new": 2, "older": 20, "oldest": 70}
    jobs = [job(name, NOW - days * DAY, NOW - days * DAY + HOUR) for name, days in ages.items()]
    documents, _ = collected(DemoState(NOW), jobs, reads(JobProbe, JobProbe))
    assert {name: documents[f"{name}#"]["cpu"]["Period"] for name in ages} == {
        "new": 60,
        "older": 300,
        "oldest": 3600,
    }


def result(number: int, code: str, *values: float) -> dict[str, Any]:
    times = [NOW - DAY + HOUR * i for i in range(len(values))]
    return {"Id": f"q{number}", "StatusCode": code, "Timestamps": times, "Values": list(values)}


def test_a_series_that_goes_on_over_pages_is_put_together() -> None:
    state = DemoState(NOW)
    later = {**result(0, "Complete", 3), "Timestamps": [NOW - HOUR]}
    page = {"MetricDataResults": [later, *(result(n, "Complete") for n in (1, 2))]}
    first = {"MetricDataResults": [result(0, "PartialData", 1, 2)], "NextToken": "more"}
    state.answer("cloudwatch:GetMetricData", page, when={"NextToken": "more"})
    state.answer("cloudwatch:GetMetricData", first)
    documents, gap = collected(state, variants(1), reads(Probe, ProbePart))
    assert documents["e0#v"]["hourly"]["Values"] == [1.0, 2.0, 3.0]
    assert gap is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("Forbidden", Reason.DENIED),
        ("InternalError", Reason.FAILED),
        ("PartialData", Reason.TRUNCATED),
        (None, Reason.FAILED),
    ],
)
def test_a_series_that_aws_did_not_finish_is_a_gap_and_the_others_stay(
    code: str | None, reason: Reason
) -> None:
    state = DemoState(NOW)
    results = [result(n, "Complete", 5) for n in (1, 2)] + ([result(0, code, 5)] if code else [])
    state.answer("cloudwatch:GetMetricData", {"MetricDataResults": results})
    documents, gap = collected(state, variants(1), reads(Probe, ProbePart))
    unread = as_reading(documents["e0#v"]["hourly"])
    assert isinstance(unread, Gap)
    assert unread.reason is reason
    assert documents["e0#v"]["weekly"]["Values"] == [5.0]
    assert gap is None


def test_a_denied_call_is_a_gap_in_each_series_and_in_the_listing() -> None:
    state = DemoState(NOW, denied=["cloudwatch:GetMetricData"])
    documents, gap = collected(state, variants(2), reads(Probe, ProbePart))
    unread = [as_reading(series) for document in documents.values() for series in document.values()]
    assert [found.reason for found in unread if isinstance(found, Gap)] == [Reason.DENIED] * 6
    assert gap is not None


def test_only_metrics_that_a_rule_reads_are_asked_for() -> None:
    documents, _ = collected(
        DemoState(NOW),
        variants(1),
        Reads(views={Probe, NodeMetrics}, metrics={ProbePart.metric_fields()["weekly"]}),
    )
    assert [*documents["e0#v"]] == ["weekly"]


ARN = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:"


def alarm(number: int, **members: Any) -> dict[str, Any]:
    name = f"alarm-{number:03}"
    return {"AlarmName": name, "AlarmArn": ARN + name, "ActionsEnabled": True, "StateValue": "OK", **members}


@pytest.mark.parametrize(("number", "calls"), [(0, 1), (100, 1), (101, 2)])
def test_alarms_come_a_hundred_a_page(number: int, calls: int) -> None:
    state = DemoState(NOW)
    for i in range(number):
        state.add("MetricAlarm", REGION, alarm(i))
        state.add(
            "CompositeAlarm", REGION, alarm(i, AlarmName=f"c{i}", AlarmArn=f"{ARN}c{i}", AlarmRule="TRUE")
        )
    for collector in (metric_alarms, composite_alarms):
        state.calls.clear()
        reader = reader_of(collector, state)
        assert len(list(collector.function(reader))) == number
        assert (state.calls["cloudwatch:DescribeAlarms"], reader.gap) == (calls, None)


@pytest.mark.parametrize("collector", [metric_alarms, composite_alarms])
def test_denied_alarms_are_no_empty_listing(collector: Any) -> None:
    reader = reader_of(collector, DemoState(NOW, denied=["cloudwatch:DescribeAlarms"]))
    assert list(collector.function(reader)) == []
    assert reader.gap is not None
    assert reader.gap.reason is Reason.DENIED


@pytest.mark.parametrize(
    ("rule", "children"),
    [
        ("ALARM(a)", {"a"}),
        ('ALARM("a b") OR (OK(c) AND NOT INSUFFICIENT_DATA("d"))', {"a b", "c", "d"}),
        (f'ALARM("{ARN}a")', {f"{ARN}a"}),
        ("ALARM('a') AND TRUE", {"a"}),
        ("TRUE", set()),
    ],
)
def test_a_composite_alarm_names_its_children(rule: str, children: set[str]) -> None:
    reader = reader_of(composite_alarms, DemoState(NOW), [sample(CompositeAlarm, alarm_rule=rule)])
    (found,) = reader.known(CompositeAlarm)
    assert found.children == children


@pytest.mark.parametrize(
    ("values", "relevant"),
    [
        ({"namespace": "AWS/SageMaker"}, True),
        ({"namespace": "/aws/sagemaker/Endpoints"}, True),
        ({"namespace": "AWS/EC2"}, False),
        ({"metrics": [{"namespace": "AWS/EC2"}, {"namespace": "AWS/SageMaker"}]}, True),
        ({"metrics": [{"expression": 'SELECT SUM(Invocations) FROM "AWS/SageMaker"'}]}, True),
        ({"metrics": [{"expression": "m1 / m2"}]}, False),
        ({"query": "sum(ModelLatency)"}, True),
    ],
)
def test_which_alarms_can_be_about_sagemaker(values: dict[str, Any], relevant: bool) -> None:
    reader = reader_of(metric_alarms, DemoState(NOW), [sample(MetricAlarm, **values)])
    (found,) = reader.known(MetricAlarm)
    assert found.about_sagemaker is relevant


def test_all_metrics_of_two_hundred_variants_take_ten_calls_at_most() -> None:
    state = DemoState(NOW)
    served = [sample(Endpoint, f"e{i}", production_variants=[{"variant_name": "v"}]) for i in range(200)]
    documents, gap = collected(state, served, reads(Endpoint, Variant))
    assert len(documents) == 200
    assert {name for document in documents.values() for name in document} == set(Variant.metric_fields())
    assert state.calls["cloudwatch:GetMetricData"] <= 10
    assert gap is None
