"""A run as metrics in the Prometheus text format, for node_exporter's textfile collector and for `/metrics`.

No series names a resource: their number is bounded by pillars, severities, states and reasons. The text collector reads
the Prometheus format, and so does every scraper; OpenMetrics' closing `# EOF` is a comment there, so one file is both.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from auditor.feed_v1 import SEVERITIES, Feed, RunV1, ScoreV1

STATES = ("new", "open", "reopened", "unconfirmed", "accepted", "untracked")
"""A finding's states; `untracked` where no ledger is kept."""
ENVIRONMENTS = ("production", "staging", "development", "sandbox", "unplaced")


def openmetrics_chunks(feed: Feed) -> Iterator[bytes]:
    """All metrics of a run."""
    registry = CollectorRegistry()
    registry.register(_Metrics(feed))
    yield generate_latest(registry)


class _Metrics(Collector):
    def __init__(self, feed: Feed) -> None:
        self.feed = feed

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _scores(self.feed)
        yield from _findings(self.feed)
        yield from _run(self.feed.run)
        gaps = _gauge("auditor_gaps", "Calls that did not tell, by reason.", ["account", "reason"])
        for reason, number in sorted(Counter(gap.reason for gap in self.feed.gaps).items()):
            gaps.add_metric([self.feed.run.account, reason], number)
        yield gaps


def _gauge(name: str, text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _scores(feed: Feed) -> Iterator[GaugeMetricFamily]:
    low = _gauge(
        "auditor_score_low", "Score with everything unknown as failed, 0-100.", ["account", "pillar"]
    )
    high = _gauge(
        "auditor_score_high", "Score with everything unknown as passed, 0-100.", ["account", "pillar"]
    )
    known = _gauge(
        "auditor_coverage_ratio", "Share of the score's weight that is known.", ["account", "pillar"]
    )
    verdicts = _gauge("auditor_verdicts", "Verdicts by name.", ["account", "pillar", "verdict"])
    scores: list[tuple[str, ScoreV1]] = [*feed.pillars.items(), ("all", feed.run.score)]
    for pillar, score in scores:
        labels = [feed.run.account, pillar]
        for gauge, value in ((low, score.low), (high, score.high), (known, score.coverage)):
            if value is not None:
                gauge.add_metric(labels, value)
        for verdict, number in sorted(score.verdicts.items()):
            verdicts.add_metric([*labels, verdict], number)
    yield from (low, high, known, verdicts)


def _findings(feed: Feed) -> Iterator[GaugeMetricFamily]:
    failing: Counter[tuple[str, str, str]] = Counter()
    unknown: Counter[str] = Counter()
    for finding in feed.findings():
        if finding.verdict == "unknown":
            unknown[finding.pillar] += 1
        else:
            state: str = finding.state or ("accepted" if finding.accepted else "untracked")
            failing[finding.pillar, finding.severity, state] += 1
    account = feed.run.account
    gauge = _gauge("auditor_findings", "What fails.", ["account", "pillar", "severity", "state"])
    tracked = [state for state in STATES if (state == "untracked") != bool(feed.run.id)]
    for pillar in feed.pillars:
        for severity in SEVERITIES:
            for told in dict.fromkeys((*tracked, "accepted")):
                # A series that comes and goes cannot be alarmed on: zeros are told, too.
                gauge.add_metric([account, pillar, severity, told], failing[pillar, severity, told])
    yield gauge
    gauge = _gauge("auditor_unknown", "Verdicts that nobody knows.", ["account", "pillar"])
    for pillar in feed.pillars:
        gauge.add_metric([account, pillar], unknown[pillar])
    yield gauge


def _run(run: RunV1) -> Iterator[GaugeMetricFamily]:
    figures = (
        ("auditor_run_timestamp_seconds", "When the snapshot was taken.", run.started.timestamp()),
        ("auditor_run_complete", "1 where everything was known.", float(run.complete)),
        ("auditor_run_duration_seconds", "How long reading took.", run.seconds),
        ("auditor_api_calls", "Calls of the run.", run.calls),
        ("auditor_api_throttles", "Calls that AWS asked to repeat more slowly.", run.throttles),
        ("auditor_resources", "Resources read.", sum(run.resources.values())),
    )
    for name, text, value in figures:
        gauge = _gauge(name, text, ["account"])
        gauge.add_metric([run.account], value)
        yield gauge
    changes = _gauge(
        "auditor_changes", "What happened to findings since the run before.", ["account", "what"]
    )
    for what, number in run.changes.items():
        changes.add_metric([run.account, what], number)
    yield changes
    waste = _gauge("auditor_waste_monthly", "What is wasted a month.", ["account", "environment", "currency"])
    for environment in ENVIRONMENTS:
        for currency, amount in sorted(run.waste.by_environment.get(environment, {}).items()):
            waste.add_metric([run.account, environment, currency], amount)
    yield waste
