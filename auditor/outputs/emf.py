"""A run as CloudWatch's embedded metric format: log lines from which CloudWatch makes metrics.

Written to stdout in Lambda, or through a log driver in a container. Dimensions are the account and the pillar: their
number does not grow with what is found. `RunSucceeded` has no dimension, so that silence can be alarmed on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from auditor.feed_v1 import SEVERITIES, Feed, ScoreV1
from auditor.outputs.json_v1 import encoded

NAMESPACE = "Auditor"


def emf_chunks(feed: Feed) -> Iterator[bytes]:
    """One line for the run unless somebody stopped it, one for the account, one for each pillar."""
    run = feed.run
    stamp = int(run.started.timestamp() * 1000)
    if run.why_incomplete != "interrupted":
        yield _line(stamp, {}, {"RunSucceeded": (1, "Count")}, {"run": run.id, "complete": run.complete})
    failing: Counter[tuple[str, str]] = Counter()
    unknown: Counter[str] = Counter()
    for finding in feed.findings():
        if finding.verdict == "unknown":
            unknown[finding.pillar] += 1
        elif finding.accepted is None:
            failing[finding.pillar, finding.severity] += 1
    changes = {what.capitalize(): (number, "Count") for what, number in run.changes.items()}
    account: dict[str, tuple[float, str]] = {
        **_score(run.score),
        **{_name(s): (sum(failing[p, s] for p in feed.pillars), "Count") for s in SEVERITIES},
        "Unknown": (unknown.total(), "Count"),
        "Complete": (int(run.complete), "Count"),
        "Gaps": (len(feed.gaps), "Count"),
        "Resources": (sum(run.resources.values()), "Count"),
        "ApiCalls": (run.calls, "Count"),
        "Throttles": (run.throttles, "Count"),
        "Seconds": (run.seconds, "Seconds"),
        **changes,
        **{f"WastePerMonth{currency}": (amount, "None") for currency, amount in run.waste.total.items()},
    }
    yield _line(stamp, {"Account": run.account}, account, {"run": run.id})
    for pillar, score in feed.pillars.items():
        metrics: dict[str, tuple[float, str]] = {
            **_score(score),
            **{_name(severity): (failing[pillar, severity], "Count") for severity in SEVERITIES},
            "Unknown": (unknown[pillar], "Count"),
        }
        yield _line(stamp, {"Account": run.account, "Pillar": pillar}, metrics, {"run": run.id})


def _name(severity: str) -> str:
    return f"Findings{severity.capitalize()}"


def _score(score: ScoreV1) -> dict[str, tuple[float, str]]:
    said = {"ScoreLow": score.low, "ScoreHigh": score.high}
    found = {name: (value, "None") for name, value in said.items() if value is not None}
    return found | ({"Coverage": (score.coverage * 100, "Percent")} if score.coverage is not None else {})


def _line(
    stamp: int,
    dimensions: Mapping[str, str],
    metrics: Mapping[str, tuple[float, str]],
    more: Mapping[str, Any],
) -> bytes:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    values = {name: value for name, (value, _) in metrics.items()}
    return (
        encoded(
            {"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]}, **dimensions, **values, **more}
        )
        + b"\n"
    )
