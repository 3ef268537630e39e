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
from evaluators.coverage import Entry
from evaluators.finding import Finding
from evaluators.fixes import Fix
from evaluators.money import Saving
from evaluators.rule import Rule
from evaluators.score import Score
from evaluators.waste import Waste

SCHEMA_VERSION = "1.0"

Verdicts = dict[str, int]


class ScoreV1(msgspec.Struct, frozen=True):
    """A score as an interval, with how much of it is known."""

    low: Annotated[float | None, Meta(description="0-100; everything unknown counted as failed.")]
    high: Annotated[float | None, Meta(description="0-100; everything unknown counted as passed.")]
    coverage: Annotated[float | None, Meta(description="Share (0-1) of the score's weight that is known.")]
    verdicts: Annotated[
        Verdicts, Meta(description="Verdicts by name: pass, fail, not_applicable, unknown, accepted.")
    ]


class AttestationV1(msgspec.Struct, frozen=True):
    """A person's answer about something that leaves no trace in any API."""

    code: Annotated[str, Meta(description="The practice or rule that it answers.")]
    answer: Annotated[str, Meta(description="What the person says.")]
    owner: Annotated[str, Meta(description="Who says so.")]
    date: Annotated[date, Meta(description="When.")]


class ExpiredV1(msgspec.Struct, frozen=True):
    """An acceptance that has run out: what it covered counts again."""

    rule: Annotated[str, Meta(description="Rule code.")]
    resource: Annotated[str, Meta(description="ARN pattern that it covered.")]
    reason: Annotated[str, Meta(description="Why it was accepted.")]
    expires: Annotated[date, Meta(description="The last day on which it counted.")]


class WasteV1(msgspec.Struct, frozen=True):
    """Monthly waste that the findings see, by currency; each resource counts once."""

    total: Annotated[dict[str, float], Meta(description="By currency.")]
    by_pillar: Annotated[dict[str, dict[str, float]], Meta(description="By pillar and currency.")]
    by_environment: Annotated[dict[str, dict[str, float]], Meta(description="By environment and currency.")]
    priced: Annotated[int, Meta(description="Findings with a full figure.")]
    unpriced: Annotated[int, Meta(description="Findings on cost without a full figure.")]


class RunV1(msgspec.Struct, frozen=True):
    """The run behind a report."""

    schema_version: Annotated[str, Meta(description="Version of this feed.")]
    tool_version: Annotated[str, Meta(description="Version of auditor that read the account.")]
    account: Annotated[str, Meta(description="12-digit account id; of joined snapshots all, with commas.")]
    partition: Annotated[str, Meta(description="aws, aws-cn, aws-us-gov or aws-eusc.")]
    regions: Annotated[list[str], Meta(description="Regions that were read.")]
    started: Annotated[datetime, Meta(description="When the snapshot was taken; the clock of every rule.")]
    jobs_since: Annotated[datetime, Meta(description="Start of the window from which jobs were read.")]
    lookback_days: Annotated[int, Meta(description="Length of the jobs' window in days.")]
    metric_days: Annotated[int, Meta(description="Length of the metrics' window in days.")]
    seconds: Annotated[float, Meta(description="How long reading took.")]
    calls: Annotated[int, Meta(description="API calls made.")]
    throttles: Annotated[int, Meta(description="Calls that AWS asked to repeat more slowly.")]
    complete: Annotated[bool, Meta(description="False when interrupted, or when anything was not known.")]
    why_incomplete: Annotated[str, Meta(description="Why reading ended early; empty where it did not.")]
    resources: Annotated[dict[str, int], Meta(description="Resources read, by kind.")]
    score: Annotated[ScoreV1, Meta(description="The mean of the pillars by their weights.")]
    attestations: Annotated[list[AttestationV1], Meta(description="Answers from the settings.")]
    expired_acceptances: Annotated[list[ExpiredV1], Meta(description="Acceptances that have run out.")]
    waste: Annotated[WasteV1, Meta(description="What the findings say is wasted each month.")]


class EvidenceV1(msgspec.Struct, frozen=True):
    """One thing that was read."""

    operation: Annotated[str, Meta(description="The API operation; empty for a computed figure.")]
    field: Annotated[str, Meta(description="The member of its response, or the figure's name.")]
    value: Annotated[Any, Meta(description="What was read, or computed from what was read.")]


class ReferenceV1(msgspec.Struct, frozen=True):
    """A control or practice of another standard. Those of the ML Lens have an id in its edition of 2023, too."""

    standard: Annotated[str, Meta(description="security_hub, config_rule, ml_lens or prowler.")]
    id: Annotated[str, Meta(description="Its id there.")]
    title: Annotated[str, Meta(description="Its title there.")]
    url: Annotated[str | None, Meta(description="Where it is documented, if that is known.")]
    former: Annotated[str | None, Meta(description="Its id in the ML Lens of 2023, such as MLSEC-12.")]


class SavingV1(msgspec.Struct, frozen=True):
    """One usage that following the advice ends, for a month, with its arithmetic."""

    component: Annotated[str, Meta(description="What AWS bills for: hosting, notebook, studio, ...")]
    instance_type: Annotated[str, Meta(description="The instance type; empty where there is none.")]
    quantity: Annotated[float, Meta(description="How much of it a month.")]
    unit: Annotated[str, Meta(description="hour, GB-month or unit.")]
    price: Annotated[float | None, Meta(description="By the unit; null where no price was read.")]
    currency: Annotated[str, Meta(description="Of price and amount; empty without a price.")]
    source: Annotated[str, Meta(description="AWS price list, or the name of the user's own file.")]
    date: Annotated[str, Meta(description="The price's day, YYYY-MM-DD; may be unknown.")]
    amount: Annotated[float | None, Meta(description="What it saves a month; null without a price.")]
    text: Annotated[str, Meta(description="The arithmetic in words.")]


class OpposedV1(msgspec.Struct, frozen=True):
    """A finding on the same resource whose advice cannot be followed as well."""

    id: Annotated[str, Meta(description="Its id.")]
    rule: Annotated[str, Meta(description="Its rule's code.")]
    why: Annotated[str, Meta(description="What it says is wrong.")]
    weigh: Annotated[str, Meta(description="What has to be weighed between the two.")]


class AcceptedV1(msgspec.Struct, frozen=True):
    """Why a person accepted a finding, and until when."""

    reason: Annotated[str, Meta(description="Why it was accepted.")]
    expires: Annotated[date, Meta(description="The last day on which that counts.")]


class FindingV1(msgspec.Struct, frozen=True):
    """A failure or an unknown of one rule about one resource."""

    id: Annotated[str, Meta(description="Hash of rule code, resource ARN and part: stable over runs.")]
    verdict: Annotated[
        Literal["fail", "unknown"], Meta(description="fail, or unknown where something could not be read.")
    ]
    rule: Annotated[str, Meta(description="Rule code, stable.")]
    name: Annotated[str, Meta(description="Rule name, for the weakness.")]
    title: Annotated[str, Meta(description="What should be true.")]
    pillar: Annotated[str, Meta(description="The rule's pillar.")]
    severity: Annotated[
        Literal["critical", "high", "medium", "low", "info"], Meta(description="After lowering.")
    ]
    rule_severity: Annotated[
        Literal["critical", "high", "medium", "low", "info"], Meta(description="The rule's own.")
    ]
    lowered: Annotated[list[str], Meta(description="Why the severity is below the rule's.")]
    score: Annotated[int, Meta(description="0-100: severity x environment x confidence.", ge=0, le=100)]
    confidence: Annotated[float, Meta(description="0-1; below 1 for indirect signals.")]
    environment: Annotated[
        Literal["production", "staging", "development", "sandbox", "unplaced"],
        Meta(description="Where the resource was placed."),
    ]
    environment_source: Annotated[str, Meta(description="By what it was placed there.")]
    account: Annotated[str, Meta(description="12-digit account id.")]
    region: Annotated[str, Meta(description="Region, or global.")]
    resource_kind: Annotated[str, Meta(description="auditor's name of the kind.")]
    resource_type: Annotated[str, Meta(description="CloudFormation's name of the kind.")]
    resource_arn: Annotated[str, Meta(description="Empty where a whole listing could not be read.")]
    resource_name: Annotated[str, Meta(description="The resource's name; text from AWS.")]
    part: Annotated[str, Meta(description="The part of the resource, such as a variant's name.")]
    tags: Annotated[dict[str, str], Meta(description="The resource's tags, without AWS's own.")]
    why: Annotated[str, Meta(description="What is wrong, or what is not known.")]
    evidence: Annotated[list[EvidenceV1], Meta(description="What was read.")]
    remedy: Annotated[str, Meta(description="How to mend it.")]
    command: Annotated[
        str, Meta(description="A command that mends it, names quoted for a shell; may be empty.")
    ]
    change: Annotated[
        Literal["in place", "restart", "recreate", "next run"],
        Meta(description="What mending does to the resource."),
    ]
    maps: Annotated[list[ReferenceV1], Meta(description="Controls and practices that say the same.")]
    accepted: Annotated[AcceptedV1 | None, Meta(description="Set where a person accepted the finding.")]
    savings: Annotated[list[SavingV1], Meta(description="What a month costs that the fix ends.")]
    chain: Annotated[
        list[str], Meta(description="The way from an endpoint to the resource; empty where none leads there.")
    ]
    opposed: Annotated[
        list[OpposedV1], Meta(description="Findings that this one stands for: their advice pulls against it.")
    ]


class GapV1(msgspec.Struct, frozen=True):
    """A call that did not tell: what it was and why."""

    operation: Annotated[str, Meta(description="The API operation.")]
    reason: Annotated[str, Meta(description="denied, throttled, failed, vanished, not offered, ...")]
    code: Annotated[str, Meta(description="AWS's error code.")]
    message: Annotated[str, Meta(description="AWS's text, without secrets.")]
    account: Annotated[str, Meta(description="12-digit account id.")]
    region: Annotated[str, Meta(description="Region, or global.")]


class RuleV1(msgspec.Struct, frozen=True):
    """A rule that ran, with its verdicts."""

    code: Annotated[str, Meta(description="Rule code.")]
    name: Annotated[str, Meta(description="Rule name.")]
    title: Annotated[str, Meta(description="What should be true.")]
    pillar: Annotated[str, Meta(description="Its pillar.")]
    severity: Annotated[str, Meta(description="Its own severity.")]
    verdicts: Annotated[Verdicts, Meta(description="Verdicts by name.")]


class FixV1(msgspec.Struct, frozen=True):
    """One change and the findings that it removes."""

    kind: Annotated[str, Meta(description="What is changed: a kind of resource, launcher or domain.")]
    target: Annotated[str, Meta(description="Its name; for a launcher the kind and family of its jobs.")]
    account: Annotated[str, Meta(description="12-digit account id.")]
    region: Annotated[str, Meta(description="Region, or global.")]
    change: Annotated[str, Meta(description="in place, restart, recreate or next run.")]
    gain: Annotated[float, Meta(description="Points (0-100) that the whole score gains.")]
    savings: Annotated[dict[str, float], Meta(description="A month, by currency.")]
    rules: Annotated[list[str], Meta(description="The rules that it satisfies.")]
    findings: Annotated[list[str], Meta(description="The ids of the findings that it removes.")]


class PracticeV1(msgspec.Struct, frozen=True):
    """One practice of the guide or the ML Lens, and what this run says of it."""

    id: Annotated[str, Meta(description="Its id: P101, or MLSEC04-BP01.")]
    source: Annotated[Literal["guide", "ml_lens"], Meta(description="Where it is written down.")]
    title: Annotated[str, Meta(description="What is done.")]
    observed: Annotated[
        Literal["observed", "partly", "asked", "not observable"],
        Meta(description="How far rules can see it."),
    ]
    result: Annotated[
        str | None, Meta(description="The worst verdict of its rules; null where none of them ran.")
    ]
    rules: Annotated[list[str], Meta(description="The rules behind it.")]
    failing: Annotated[list[str], Meta(description="Those of them that fail.")]


class ReportV1(msgspec.Struct, frozen=True):
    """The whole feed."""

    run: Annotated[RunV1, Meta(description="The run.")]
    pillars: Annotated[dict[str, ScoreV1], Meta(description="Scores by pillar.")]
    findings: Annotated[
        list[FindingV1], Meta(description="Failures worst first, then accepted ones, then unknowns.")
    ]
    gaps: Annotated[list[GapV1], Meta(description="Calls that did not tell.")]
    rules: Annotated[list[RuleV1], Meta(description="The rules that ran.")]
    fixes: Annotated[list[FixV1], Meta(description="Changes that remove the findings, the most worth first.")]
    coverage: Annotated[list[PracticeV1], Meta(description="Every practice, and what the run says of it.")]


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
        waste=_waste(report.waste),
    )


def _waste(waste: Waste) -> WasteV1:
    return WasteV1(
        dict(waste.total),
        {pillar: dict(amounts) for pillar, amounts in waste.by_pillar.items()},
        {place: dict(amounts) for place, amounts in waste.by_environment.items()},
        waste.priced,
        waste.unpriced,
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
        savings=[_saving(saving) for saving in finding.savings],
        chain=list(finding.chain),
        opposed=[OpposedV1(o.id, o.code, o.why, o.weigh) for o in finding.opposed],
    )


def _saving(saving: Saving) -> SavingV1:
    usage, rate = saving.usage, saving.rate
    return SavingV1(
        component=usage.component,
        instance_type=usage.instance_type,
        quantity=usage.quantity,
        unit=usage.unit,
        price=rate.amount if rate else None,
        currency=rate.currency if rate else "",
        source=rate.source if rate else "",
        date=rate.date if rate else "",
        amount=None if saving.amount is None else round(saving.amount, 2),
        text=saving.text,
    )


_REFERENCES: dict[str, list[ReferenceV1]] = {}


def _references(rule: Rule) -> list[ReferenceV1]:
    if rule.code not in _REFERENCES:
        _REFERENCES[rule.code] = [
            ReferenceV1(r.standard.value, r.id, r.title, r.url, r.former) for r in rule.maps
        ]
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


def fix_v1(fix: Fix) -> FixV1:
    """One change in the feed's shape."""
    return FixV1(
        kind=fix.kind,
        target=fix.target,
        account=fix.account,
        region=fix.region,
        change=fix.change.value,
        gain=round(fix.gain, 3),
        savings=dict(fix.savings),
        rules=list(fix.codes),
        findings=[finding.id for finding in fix.findings],
    )


def practice_v1(entry: Entry) -> PracticeV1:
    """One practice in the feed's shape."""
    practice = entry.practice
    return PracticeV1(
        id=practice.id,
        source=practice.source.value,
        title=practice.title,
        observed=entry.observed.value,
        result=entry.result or None,
        rules=list(practice.rules),
        failing=list(entry.failing),
    )


def json_chunks(report: Report) -> Iterator[bytes]:
    """The feed as JSON, indented, one finding at a time: a million findings never stand in memory twice."""
    yield b'{\n"schema_version": ' + _encode(SCHEMA_VERSION) + b',\n"run": ' + _encode(run_v1(report))
    pillars = {pillar.value: _score(score) for pillar, score in report.pillars.items()}
    yield b',\n"pillars": ' + _encode(pillars)
    yield from _array("findings", findings_v1(report))
    yield from _array("gaps", map(gap_v1, report.gaps))
    yield from _array("rules", iter(rules_v1(report)))
    yield from _array("fixes", map(fix_v1, report.fixes))
    yield from _array("coverage", map(practice_v1, report.coverage))
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

    schema_version: Annotated[Literal["1.0"], Meta(description="Version of this feed.")]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the feed."""
    made = msgspec.json.schema(FeedV1)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "auditor findings", **made}
