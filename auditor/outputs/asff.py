"""Findings in AWS's own format (ASFF), as `securityhub:BatchImportFindings` takes them.

AWS refuses a finding that breaks one of the documented limits, and cuts nothing itself: so texts are cut here, and
lists are shortened. `Workflow` and `Note` are the user's, and an import cannot change them later: so what is accepted
is archived, and active again from the day after the acceptance ends.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from auditor import __version__
from auditor.feed_v1 import Feed, FindingV1, RunV1
from auditor.outputs.json_v1 import encoded
from auditor.outputs.text import plain, safe

BATCH, BATCH_BYTES, FINDING_BYTES = 100, 6_000_000, 240 * 1024
"""AWS's limits: findings in a call, bytes of a call, bytes of a finding."""
SCHEMA_VERSION = "2018-10-08"

_LABELS = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW", "info": "INFORMATIONAL"}
_TYPES = {
    "operations": "Software and Configuration Checks/AWS Well-Architected/Operational Excellence",
    "security": "Software and Configuration Checks/AWS Security Best Practices",
    "reliability": "Software and Configuration Checks/AWS Well-Architected/Reliability",
    "performance": "Software and Configuration Checks/AWS Well-Architected/Performance Efficiency",
    "cost": "Software and Configuration Checks/AWS Well-Architected/Cost Optimization",
}
_TITLE, _DESCRIPTION, _REMEDY, _URL, _VALUE, _TAGS, _REASON = 256, 1024, 512, 2048, 2048, 50, 1024


def asff_chunks(feed: Feed) -> Iterator[bytes]:
    """`{"Findings": [...]}`: what fails, what failed and is not known now, and what this run resolved."""
    yield b'{"Findings": ['
    before = b"\n"
    for finding in asff_findings(feed):
        yield before + encoded(finding)
        before = b",\n"
    yield b"\n]}\n"


def asff_findings(feed: Feed) -> Iterator[dict[str, Any]]:
    """The findings of a run, and those that it resolved; of nothing else is anything said.

    What was only ever unknown is left out: no later run would tell that it passes, and it would stay for good.
    """
    for finding in itertools.chain(feed.findings(), feed.resolved()):
        if finding.verdict == "fail" or finding.state == "unconfirmed":
            yield asff_finding(feed.run, finding)


def asff_finding(run: RunV1, finding: FindingV1) -> dict[str, Any]:
    """One finding. Times are the ledger's, so that a finding keeps its age."""
    region = home_region(run, finding)
    resolved = finding.state == "resolved"
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": f"auditor/{finding.account}/{finding.region}/{finding.id}",
        "ProductArn": f"arn:{run.partition}:securityhub:{region}:{finding.account}:product/{finding.account}/default",
        "ProductName": "auditor",
        "CompanyName": "auditor",
        "GeneratorId": f"auditor/{finding.rule}",
        "AwsAccountId": finding.account,
        "Region": region,
        "Types": [_TYPES[finding.pillar]],
        "CreatedAt": _time(finding.first_seen or run.started),
        "FirstObservedAt": _time(finding.first_seen or run.started),
        "LastObservedAt": _time(finding.last_seen or run.started),
        "UpdatedAt": _time(run.started),
        "Severity": {"Label": _LABELS[finding.severity], "Original": str(finding.score)},
        "Confidence": round(finding.confidence * 100),
        "Title": cut(f"{finding.rule} {finding.title}", _TITLE),
        "Description": cut(safe(finding.why) or finding.title, _DESCRIPTION),
        "Remediation": {"Recommendation": _recommendation(finding)},
        "ProductFields": _fields(run, finding),
        "Resources": [_resource(run, finding, region)],
        "Compliance": _compliance(finding, resolved=resolved),
        "RecordState": "ARCHIVED" if resolved or finding.accepted is not None else "ACTIVE",
        "FindingProviderFields": {
            "Severity": {"Label": _LABELS[finding.severity], "Original": str(finding.score)},
            "Types": [_TYPES[finding.pillar]],
        },
    }


def home_region(run: RunV1, finding: FindingV1) -> str:
    """Where a finding is sent: its Region, or the run's first where it belongs to the whole account."""
    return finding.region if finding.region in run.regions else run.regions[0]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cut(text: str, limit: int) -> str:
    """A text of at most so many characters, which says that it was cut."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _recommendation(finding: FindingV1) -> dict[str, str]:
    text = finding.remedy + (f" Run: {safe(finding.command)}" if finding.command else "")
    made = {"Text": cut(text, _REMEDY)}
    urls = [reference.url for reference in finding.maps if reference.url]
    return made | ({"Url": urls[0]} if urls and len(urls[0]) <= _URL else {})


def _fields(run: RunV1, finding: FindingV1) -> dict[str, str]:
    """What has no place of its own, at most fifty fields with at most 2,048 characters each."""
    made = {
        "auditor/FindingId": finding.id,
        "auditor/Run": run.id,
        "auditor/Version": __version__,
        "auditor/State": finding.state or "",
        "auditor/Verdict": finding.verdict,
        "auditor/Pillar": finding.pillar,
        "auditor/Environment": finding.environment,
        "auditor/Score": str(finding.score),
        "auditor/Part": safe(finding.part),
        "auditor/RunComplete": str(run.complete).lower(),
    }
    if finding.accepted is not None:
        made["auditor/Accepted"] = f"until {finding.accepted.expires}: {safe(finding.accepted.reason)}"
    for number, item in enumerate(finding.evidence[:30]):
        made[f"auditor/Evidence/{number}"] = f"{item.operation} {item.field}={plain(item.value)}".strip()
    return _filled(made, _VALUE)


def _resource(run: RunV1, finding: FindingV1, region: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Type": "Other",
        "Id": cut(safe(finding.resource_arn), 512),
        "Partition": run.partition,
        "Region": region,
        "Details": {"Other": _details(finding)},
    }
    tags = _filled({cut(safe(key), 128): safe(value) for key, value in finding.tags.items()}, 256)
    tags = dict(itertools.islice(tags.items(), _TAGS))
    return made | ({"Tags": tags} if tags else {})


def _details(finding: FindingV1) -> dict[str, str]:
    said = {"Kind": finding.resource_kind, "Type": finding.resource_type, "Name": safe(finding.resource_name)}
    return _filled(said, 1024)


def _filled(fields: Mapping[str, str], limit: int) -> dict[str, str]:
    """Fields that say something: AWS refuses blank names and values."""
    return {name: cut(value, limit) for name, value in fields.items() if name.strip() and value.strip()}


def _compliance(finding: FindingV1, *, resolved: bool) -> dict[str, Any]:
    """`NOT_AVAILABLE` is what failed and nobody knows now: it is never passed."""
    if resolved:
        return {"Status": "PASSED"}
    if finding.state == "unconfirmed":
        reason = {"ReasonCode": "AUDITOR_NOT_KNOWN", "Description": cut(safe(finding.why), _REASON)}
        return {"Status": "NOT_AVAILABLE", "StatusReasons": [reason]}
    return {"Status": "FAILED"}


def batches(findings: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Findings in calls as AWS takes them: of one account and Region, at most a hundred, and not too many bytes."""
    open_: dict[tuple[str, str], tuple[list[dict[str, Any]], int]] = {}
    for finding in findings:
        size = len(encoded(finding))
        if size > FINDING_BYTES:
            # Only evidence can be that long.
            finding["ProductFields"] = {
                k: v for k, v in finding["ProductFields"].items() if "/Evidence/" not in k
            }
            size = len(encoded(finding))
        place = (finding["AwsAccountId"], finding["Region"])
        held, total = open_.get(place, ([], 0))
        if len(held) == BATCH or total + size > BATCH_BYTES:
            yield held
            held, total = [], 0
        held.append(finding)
        open_[place] = (held, total + size)
    for held, _ in open_.values():
        if held:
            yield held
