"""Findings as OCSF 1.6 events of the class Compliance Finding (2003), one a line.

What is not known has the status Unknown, and what is unconfirmed too: neither is ever Pass.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auditor import __version__
from auditor.feed_v1 import Feed, FindingV1, RunV1
from auditor.outputs.json_v1 import encoded
from auditor.outputs.text import plain, safe

VERSION = "1.6.0"
CLASS, CATEGORY = 2003, 2

_SEVERITIES = {
    "critical": (5, "Critical"),
    "high": (4, "High"),
    "medium": (3, "Medium"),
    "low": (2, "Low"),
    "info": (1, "Informational"),
}
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_PASS, _FAIL, _UNKNOWN = (1, "Pass"), (3, "Fail"), (0, "Unknown")
_NEW, _IN_PROGRESS, _SUPPRESSED, _RESOLVED = (
    (1, "New"),
    (2, "In Progress"),
    (3, "Suppressed"),
    (4, "Resolved"),
)


def ocsf_chunks(feed: Feed) -> Iterator[bytes]:
    """An event for each finding, and for each that this run resolved."""
    for findings in (feed.findings(), feed.resolved()):
        for finding in findings:
            yield encoded(event(feed.run, finding)) + b"\n"


def event(run: RunV1, finding: FindingV1) -> dict[str, Any]:
    """One finding as an event."""
    activity, status = _course(finding)
    severity = _SEVERITIES[finding.severity]
    return {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "time": _ms(run.started),
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "confidence_score": round(finding.confidence * 100),
        "message": safe(finding.why) or finding.title,
        "cloud": {
            "provider": "AWS",
            "region": finding.region,
            "account": {"uid": finding.account, "type_id": 10, "type": "AWS Account"},
        },
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "auditor", "vendor_name": "auditor", "version": __version__},
            "uid": f"{finding.id}/{run.id or _ms(run.started)}",
            "event_code": finding.rule,
            "logged_time": _ms(run.started),
        },
        "finding_info": {
            "uid": finding.id,
            "title": finding.title,
            "desc": safe(finding.why) or finding.title,
            "types": [finding.pillar],
            "created_time": _ms(finding.first_seen or run.started),
            "first_seen_time": _ms(finding.first_seen or run.started),
            "last_seen_time": _ms(finding.last_seen or run.started),
            "modified_time": _ms(run.started),
            "product": {"name": "auditor", "vendor_name": "auditor", "version": __version__},
        },
        "compliance": _compliance(finding),
        "resources": [_resource(run, finding)],
        "remediation": _remediation(finding),
        "evidences": [
            {"name": item.field, "data": {"operation": item.operation, "value": plain(item.value)}}
            for item in finding.evidence
        ]
        or [{"name": "why", "data": {"value": safe(finding.why)}}],
        "unmapped": {
            "score": finding.score,
            "environment": finding.environment,
            "state": finding.state,
            "part": safe(finding.part),
            "change": finding.change,
            "run": run.id,
            "run_complete": run.complete,
        },
    }


def _course(finding: FindingV1) -> tuple[tuple[int, str], tuple[int, str]]:
    """Activity and status by what became of it."""
    if finding.state == "resolved":
        return _CLOSE, _RESOLVED
    if finding.accepted is not None:
        return _UPDATE, _SUPPRESSED
    if finding.state in (None, "new"):
        return _CREATE, _NEW
    return _UPDATE, _IN_PROGRESS if finding.state != "reopened" else _NEW


def _compliance(finding: FindingV1) -> dict[str, Any]:
    if finding.state == "resolved":
        status = _PASS
    elif finding.verdict == "unknown" or finding.state == "unconfirmed":
        status = _UNKNOWN
    else:
        status = _FAIL
    standards = list(dict.fromkeys(f"{r.standard}:{r.id}" for r in finding.maps)) or ["AWS Well-Architected"]
    return {
        "control": finding.rule,
        "desc": finding.title,
        "standards": standards,
        "status_id": status[0],
        "status": status[1],
        "status_details": [safe(finding.why) or finding.title],
    }


def _resource(run: RunV1, finding: FindingV1) -> dict[str, Any]:
    made: dict[str, Any] = {
        "uid": safe(finding.resource_arn) or f"{finding.account}/{finding.region}/{finding.resource_kind}",
        "name": safe(finding.resource_name) or finding.resource_kind,
        "type": finding.resource_type or finding.resource_kind,
        "region": finding.region,
        "cloud_partition": run.partition,
    }
    tags = [{"name": safe(key), "value": safe(value)} for key, value in finding.tags.items()]
    return made | ({"tags": tags} if tags else {})


def _remediation(finding: FindingV1) -> dict[str, Any]:
    text = finding.remedy + (f" Run: {safe(finding.command)}" if finding.command else "")
    links = list(dict.fromkeys(r.url for r in finding.maps if r.url))
    return {"desc": text} | ({"references": links} if links else {})


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
