"""Findings as SARIF 2.1.0, for GitHub code scanning and whatever else shows it.

SARIF places results in files, and code scanning shows none without a place; so each resource is a file of the account:
`aws/123456789012/eu-west-1/notebook-instance/lab`. Its ARN stands beside it as the logical location.

Code scanning closes an alert that the latest upload no longer has, and heeds neither baselines nor suppressions: so
what is resolved or accepted is left out, and what could not be judged again stays.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from auditor import __version__
from auditor.feed_v1 import Feed, FindingV1, GapV1, RuleV1
from auditor.outputs.asff import cut
from auditor.outputs.json_v1 import encoded
from auditor.outputs.text import plain, safe

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 25_000
"""GitHub refuses a run with more results: the worst come first, and the run says how many are left out."""
_MESSAGE = 4000

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.5"}
_BASELINE = {
    "new": "new",
    "reopened": "new",
    "open": "unchanged",
    "unconfirmed": "unchanged",
}


def sarif_chunks(feed: Feed) -> Iterator[bytes]:
    """One run; what was only ever unknown is a notification of the tool, never a result."""
    places = {rule.code: number for number, rule in enumerate(feed.rules)}
    yield b'{"$schema": ' + encoded(SCHEMA) + b', "version": "2.1.0", "runs": [{\n"tool": '
    yield encoded({"driver": _driver(feed)})
    yield b',\n"columnKind": "unicodeCodePoints",\n"automationDetails": '
    yield encoded({"id": f"auditor/{feed.run.account.replace(', ', '+')}/{feed.run.id}"})
    yield b',\n"results": ['
    before, shown, left, accepted = b"\n", 0, 0, 0
    for finding in feed.findings():
        if finding.verdict == "unknown" and finding.state != "unconfirmed":
            continue
        if finding.accepted is not None:
            accepted += 1
        elif shown >= MOST:
            left += 1
        else:
            yield before + encoded(_result(finding, places))
            before, shown = b",\n", shown + 1
    yield b'\n],\n"invocations": ' + encoded([_invocation(feed, left, accepted)]) + b"\n}]}\n"


def _driver(feed: Feed) -> dict[str, Any]:
    return {
        "name": "auditor",
        "semanticVersion": __version__,
        "informationUri": "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/",
        "rules": [_rule(rule) for rule in feed.rules],
    }


def _rule(rule: RuleV1) -> dict[str, Any]:
    text = f"{rule.rationale or rule.title}\n\n{rule.remedy}"
    links = [f"- [{r.id}]({r.url}) {r.title}" for r in rule.maps if r.url]
    markdown = "\n".join([text, *(["", *links] if links else [])])
    made: dict[str, Any] = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": cut(rule.title, 1024)},
        "fullDescription": {"text": cut(rule.rationale or rule.title, 1024)},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": [rule.pillar, *(r.id for r in rule.maps)][:20],
            "precision": "high" if rule.confidence >= 1 else "medium",
            "problem.severity": _LEVELS[rule.severity].replace("note", "recommendation"),
        },
    }
    if rule.pillar == "security":
        made["properties"]["security-severity"] = _SECURITY[rule.severity]
    links = [r.url for r in rule.maps if r.url]
    return made | ({"helpUri": links[0]} if links else {})


def _result(finding: FindingV1, places: dict[str, int]) -> dict[str, Any]:
    name = safe(finding.resource_name) or finding.resource_kind
    part = f" [{safe(finding.part)}]" if finding.part else ""
    evidence = "; ".join(f"{item.field}={plain(item.value)}" for item in finding.evidence[:6])
    text = f"{name}{part} ({finding.resource_kind}, {finding.region}): {safe(finding.why)}. {evidence}"
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": cut(text, _MESSAGE)},
        "locations": [_location(finding)],
        # GitHub matches alerts by this name alone; two parts of one resource share rule, file and line.
        "partialFingerprints": {"primaryLocationLineHash": finding.id, "auditorFinding/v1": finding.id},
        "rank": float(finding.score),
        "properties": {
            "account": finding.account,
            "environment": finding.environment,
            "remedy": finding.remedy,
            "command": safe(finding.command),
            "state": finding.state or "",
        },
    }
    if finding.rule in places:
        made["ruleIndex"] = places[finding.rule]
    if finding.state is not None:
        made["baselineState"] = _BASELINE[finding.state]
    return made


def _location(finding: FindingV1) -> dict[str, Any]:
    path = "/".join(
        quote(step or "-", safe="")
        for step in ("aws", finding.account, finding.region, finding.resource_kind, finding.resource_name)
    )
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
        "logicalLocations": [
            {
                "name": safe(finding.resource_name),
                "fullyQualifiedName": safe(finding.resource_arn),
                "kind": "resource",
            }
        ],
    }


def _invocation(feed: Feed, left: int, accepted: int) -> dict[str, Any]:
    told = [_notification(gap) for gap in feed.gaps[:1000]]
    if left:
        text = f"{left} findings of lesser weight are left out: GitHub takes {MOST} results a run"
        told.append({"level": "warning", "message": {"text": text}})
    if accepted:
        told.append({"level": "note", "message": {"text": f"{accepted} accepted findings are left out"}})
    if not feed.run.complete:
        why = safe(feed.run.why_incomplete) or "something was not known"
        told.append({"level": "warning", "message": {"text": f"the run is not complete: {why}"}})
    return {
        "executionSuccessful": not feed.run.why_incomplete,
        "startTimeUtc": _time(feed.run.started),
        "toolExecutionNotifications": told,
    }


def _notification(gap: GapV1) -> dict[str, Any]:
    code = f" ({safe(gap.code)})" if gap.code else ""
    text = f"not known: {gap.operation} in {gap.region or 'the account'}: {gap.reason}{code}"
    return {"level": "note", "message": {"text": cut(text, _MESSAGE)}}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
