"""From a report to the shapes of the feed."""

from collections.abc import Iterator, Mapping

from auditor.feed_v1 import (
    SCHEMA_VERSION,
    AcceptedV1,
    AttestationV1,
    EvidenceV1,
    ExpiredV1,
    Feed,
    FindingV1,
    FixV1,
    GapV1,
    OpposedV1,
    PracticeV1,
    ReferenceV1,
    RuleV1,
    RunV1,
    SavingV1,
    ScoreV1,
    WasteV1,
)
from auditor.report import Report
from collectors.model import Gap
from evaluators.coverage import Entry
from evaluators.finding import Finding
from evaluators.fixes import Fix
from evaluators.money import Saving
from evaluators.rule import Rule
from evaluators.score import Score
from evaluators.waste import Waste


def feed_of(report: Report) -> Feed:
    """A report as the outputs render it, without a history."""
    return Feed(
        run=run_v1(report),
        pillars={pillar.value: _score(score) for pillar, score in report.pillars.items()},
        findings=lambda: findings_v1(report),
        gaps=[gap_v1(gap) for gap in report.gaps],
        rules=[rule_v1(rule, verdicts) for rule, verdicts in report.rules],
        fixes=[fix_v1(fix) for fix in report.fixes],
        coverage=[practice_v1(entry) for entry in report.coverage],
    )


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
        maps=references(rule),
        accepted=accepted,
        savings=[saving_v1(saving) for saving in finding.savings],
        chain=list(finding.chain),
        opposed=[OpposedV1(o.id, o.code, o.why, o.weigh) for o in finding.opposed],
    )


def saving_v1(saving: Saving) -> SavingV1:
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


def references(rule: Rule) -> list[ReferenceV1]:
    if rule.code not in _REFERENCES:
        _REFERENCES[rule.code] = [
            ReferenceV1(r.standard.value, r.id, r.title, r.url, r.former) for r in rule.maps
        ]
    return _REFERENCES[rule.code]


def gap_v1(gap: Gap) -> GapV1:
    """One gap in the feed's shape."""
    return GapV1(gap.operation, gap.reason.value, gap.code, gap.message, gap.account, gap.region)


def rule_v1(rule: Rule, verdicts: Mapping[str, int]) -> RuleV1:
    """One rule in the feed's shape."""
    return RuleV1(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        pillar=rule.pillar.value,
        severity=rule.severity.label,
        verdicts=dict(verdicts),
        rationale=rule.rationale,
        remedy=rule.remedy.text,
        change=rule.change.value,
        confidence=rule.confidence,
        maps=references(rule),
    )


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
