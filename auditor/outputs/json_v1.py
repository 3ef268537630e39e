"""The JSON feed, version 1: shapes of their own, so that inner types can change without breaking users.

Additions keep the version; a removed or changed field makes a version 2 in a module of its own.
`auditor schema findings` prints the JSON Schema that these shapes give.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from auditor.report import Report
from collectors.model import Gap
from evaluators.finding import Finding
from evaluators.rule import Rule
from evaluators.score import Score

SCHEMA_VERSION = "1.0"

Verdicts = dict[str, int]


class ScoreV1(msgspec.Struct, frozen=True):
    """A score as an interval, with how much of it is known."""

    low: Annotated[float, Meta(description="0-100; everything unknown counted as failed.")] | None
    high: Annotated[float, Meta(description="0-100; everything unknown counted as passed.")] | None
    coverage: Annotated[float, Meta(description="Share (0-1) of the score's weight that is known.")] | None
    verdicts: Annotated[
        Verdicts, Meta(description="Verdicts by name: pass, fail, not_applicable, unknown, accepted.")
    ]


class AttestationV1(msgspec.Struct, frozen=True):
    """A person's answer about something that leaves no trace in any API."""

    code: str
    answer: str
    owner: str
    date: date


class ExpiredV1(msgspec.Struct, frozen=True):
    """An acceptance that has run out: what it covered counts again."""

    rule: str
    resource: str
    reason: str
    expires: date


class RunV1(msgspec.Struct, frozen=True):
    """The run behind a report."""

    schema_version: Annotated[str, Meta(description="Version of this feed.")]
    tool_version: str
    account: Annotated[str, Meta(description="12-digit account id.")]
    partition: str
    regions: list[str]
    started: Annotated[datetime, Meta(description="When the snapshot was taken; the clock of every rule.")]
    jobs_since: Annotated[datetime, Meta(description="Start of the window from which jobs were read.")]
    lookback_days: int
    metric_days: int
    seconds: Annotated[float, Meta(description="How long reading took.")]
    calls: Annotated[int, Meta(description="API calls made.")]
    throttles: Annotated[int, Meta(description="Calls that AWS asked to repeat more slowly.")]
    complete: Annotated[bool, Meta(description="False when interrupted, or when anything was not known.")]
    why_incomplete: str
    resources: Annotated[dict[str, int], Meta(description="Resources read, by kind.")]
    score: ScoreV1
    attestations: list[AttestationV1]
    expired_acceptances: list[ExpiredV1]


class EvidenceV1(msgspec.Struct, frozen=True):
    """One thing that was read."""

    operation: Annotated[str, Meta(description="The API operation; empty for a computed figure.")]
    field: Annotated[str, Meta(description="The member of its response, or the figure's name.")]
    value: Any


class ReferenceV1(msgspec.Struct, frozen=True):
    """A control or practice of another standard."""

    standard: str
    id: str
    title: str
    url: str | None


class AcceptedV1(msgspec.Struct, frozen=True):
    """Why a person accepted a finding, and until when."""

    reason: str
    expires: date


class FindingV1(msgspec.Struct, frozen=True):
    """A failure or an unknown of one rule about one resource."""

    id: Annotated[str, Meta(description="Hash of rule code, resource ARN and part: stable over runs.")]
    verdict: Literal["fail", "unknown"]
    rule: str
    name: str
    title: str
    pillar: str
    severity: Literal["critical", "high", "medium", "low", "info"]
    rule_severity: Literal["critical", "high", "medium", "low", "info"]
    lowered: Annotated[list[str], Meta(description="Why the severity is below the rule's.")]
    score: Annotated[int, Meta(description="0-100: severity x environment x confidence.", ge=0, le=100)]
    confidence: float
    environment: Literal["production", "staging", "development", "sandbox", "unplaced"]
    environment_source: str
    account: str
    region: str
    resource_kind: str
    resource_type: str
    resource_arn: Annotated[str, Meta(description="Empty where a whole listing could not be read.")]
    resource_name: str
    part: Annotated[str, Meta(description="The part of the resource, such as a variant's name.")]
    tags: dict[str, str]
    why: str
    evidence: list[EvidenceV1]
    remedy: str
    command: str
    change: Literal["in place", "restart", "recreate", "next run"]
    maps: list[ReferenceV1]
    accepted: AcceptedV1 | None


class GapV1(msgspec.Struct, frozen=True):
    """A call that did not tell: what it was and why."""

    operation: str
    reason: str
    code: str
    message: str
    account: str
    region: str


class RuleV1(msgspec.Struct, frozen=True):
    """A rule that ran, with its verdicts."""

    code: str
    name: str
    title: str
    pillar: str
    severity: str
    verdicts: Verdicts


class ReportV1(msgspec.Struct, frozen=True):
    """The whole feed."""

    run: RunV1
    pillars: dict[str, ScoreV1]
    findings: list[FindingV1]
    gaps: list[GapV1]
    rules: list[RuleV1]


def _score(score: Score) -> ScoreV1:
    return ScoreV1(score.low, score.high, score.coverage, dict(score.verdicts))


def run_v1(report: Report) -> RunV1:
    """The run's part of the feed."""
    run = report.run
    attested = sorted(report.attestations.items())
    return RunV1(
        schema_version=SCHEMA_VERSION,
        tool_version=run.tool_version,
        account=run.account,
        partition=run.partition,
        regions=list(run.regions),
        started=run.started,
        jobs_since=run.jobs_since,
        lookback_days=run.lookback_days,
        metric_days=run.metric_days,
        seconds=run.seconds,
        calls=run.calls,
        throttles=run.throttles,
        complete=report.complete,
        why_incomplete=run.why_incomplete,
        resources=dict(run.resources),
        score=_score(report.overall),
        attestations=[AttestationV1(c, str(a.answer), a.owner, a.date) for c, a in attested],
        expired_acceptances=[ExpiredV1(a.rule, a.resource, a.reason, a.expires) for a in report.expired],
    )


def findings_v1(report: Report) -> Iterator[FindingV1]:
    """Failures worst first, then accepted ones, then unknowns."""
    for finding in report.findings:
        yield finding_v1(finding)
    for finding, acceptance in report.accepted:
        yield finding_v1(finding, AcceptedV1(acceptance.reason, acceptance.expires))
    for finding in report.unknown:
        yield finding_v1(finding)


def finding_v1(finding: Finding, accepted: AcceptedV1 | None = None) -> FindingV1:
    """One finding in the feed's shape."""
    rule, subject = finding.rule, finding.subject
    return FindingV1(
        id=finding.id,
        verdict="unknown" if finding.status.value == "unknown" else "fail",
        rule=rule.code,
        name=rule.name,
        title=rule.title,
        pillar=rule.pillar.value,
        severity=finding.severity.label,  # type: ignore[arg-type]  # the labels are these literals
        rule_severity=rule.severity.label,  # type: ignore[arg-type]  # the labels are these literals
        lowered=list(finding.lowered),
        score=finding.score,
        confidence=rule.confidence,
        environment=finding.environment,  # type: ignore[arg-type]  # the environments are these literals
        environment_source=finding.environment_source,
        account=subject.account,
        region=subject.region,
        resource_kind=subject.kind,
        resource_type=subject.type,
        resource_arn=subject.arn,
        resource_name=subject.name,
        part=subject.part,
        tags=dict(subject.tags),
        why=finding.why,
        evidence=[EvidenceV1(e.operation, e.field, e.value) for e in finding.evidence],
        remedy=rule.remedy.text,
        command=finding.command,
        change=rule.change.value,
        maps=_references(rule),
        accepted=accepted,
    )


_REFERENCES: dict[str, list[ReferenceV1]] = {}


def _references(rule: Rule) -> list[ReferenceV1]:
    if rule.code not in _REFERENCES:
        _REFERENCES[rule.code] = [ReferenceV1(r.standard.value, r.id, r.title, r.url) for r in rule.maps]
    return _REFERENCES[rule.code]


def gap_v1(gap: Gap) -> GapV1:
    """One gap in the feed's shape."""
    return GapV1(gap.operation, gap.reason.value, gap.code, gap.message, gap.account, gap.region)


def rules_v1(report: Report) -> list[RuleV1]:
    """The rules that ran."""
    return [
        RuleV1(rule.code, rule.name, rule.title, rule.pillar.value, rule.severity.label, dict(verdicts))
        for rule, verdicts in report.rules
    ]


def json_chunks(report: Report) -> Iterator[bytes]:
    """The feed as JSON, indented, one finding at a time: a million findings never stand in memory twice."""
    yield b'{\n"schema_version": ' + _encode(SCHEMA_VERSION) + b',\n"run": ' + _encode(run_v1(report))
    pillars = {pillar.value: _score(score) for pillar, score in report.pillars.items()}
    yield b',\n"pillars": ' + _encode(pillars)
    yield from _array("findings", findings_v1(report))
    yield from _array("gaps", map(gap_v1, report.gaps))
    yield from _array("rules", iter(rules_v1(report)))
    yield b"\n}\n"


def _array(name: str, values: Iterator[Any]) -> Iterator[bytes]:
    yield f',\n"{name}": ['.encode()
    before = b"\n"
    for value in values:
        yield before + _encode(value)
        before = b",\n"
    yield b"\n]"


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def ndjson_chunks(report: Report) -> Iterator[bytes]:
    """One flat finding a line, each with the run it belongs to."""
    run = {"schema_version": SCHEMA_VERSION, "run_started": report.run.started}
    for finding in findings_v1(report):
        flat = {**run, **msgspec.structs.asdict(finding)}
        yield _encode(flat) + b"\n"


class FeedV1(ReportV1, frozen=True, kw_only=True):
    """What the file holds: the report with its version in front."""

    schema_version: Literal["1.0"]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the feed."""
    made = msgspec.json.schema(FeedV1)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "auditor findings", **made}
