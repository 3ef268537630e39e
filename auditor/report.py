"""A report: everything that the outputs say about one run, made from a snapshot and its verdicts."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from auditor.baseline import Baseline, accepted_by
from auditor.settings import Accepted, Attestation, Settings
from collectors.collector import all_collectors
from collectors.graph import Graph
from collectors.model import Gap, Snapshot
from collectors.pricing import GET_PRODUCTS
from evaluators.answers import Answer
from evaluators.coverage import Entry, ledger
from evaluators.engine import judge
from evaluators.environment import Environment, Placing
from evaluators.finding import Finding, finding_of
from evaluators.fixes import Fix, next_fixes
from evaluators.money import Own, PriceBook
from evaluators.rule import Pillar, Rule, Severity, Status, all_rules
from evaluators.score import Score, Scoreboard
from evaluators.tradeoffs import settled
from evaluators.waste import Waste, WasteBoard


@dataclass(frozen=True, slots=True)
class Run:
    """What was audited, when, how far back, and how it went. Every value comes out of the snapshot."""

    tool_version: str
    account: str
    partition: str
    regions: tuple[str, ...]
    started: datetime
    jobs_since: datetime
    lookback_days: int
    metric_days: int
    seconds: float
    calls: int
    throttles: int
    complete: bool
    why_incomplete: str
    resources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """A run's findings (worst first), unknowns, scores and gaps.

    `findings` holds what failed and was not accepted, from the least severity that was asked for on;
    `severities` counts the hidden ones as well. `accepted` is what a person accepted, with the
    acceptance; `unknown` what nobody knows; `folded` what fails, too, and another finding stands for.
    `excluded` maps kinds to globs of names that no rule spoke of.
    """

    run: Run
    severities: Mapping[Severity, int]
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Accepted], ...]
    expired: tuple[Accepted, ...]
    attestations: Mapping[str, Attestation]
    overall: Score
    pillars: Mapping[Pillar, Score]
    rules: tuple[tuple[Rule, Mapping[str, int]], ...]
    gaps: tuple[Gap, ...]
    waste: Waste
    fixes: tuple[Fix, ...]
    coverage: tuple[Entry, ...]
    folded: tuple[Finding, ...]
    excluded: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether everything was read that was asked for and that there is."""
        # Without a price a saving has no figure; every verdict is what it is.
        missing = [g for g in self.gaps if not (g.reason.is_expected or g.operation == str(GET_PRODUCTS))]
        return self.run.complete and not missing and all(finding.by_choice for finding in self.unknown)

    def at_or_over(self, severity: Severity) -> int:
        """How many findings are at least so severe, hidden ones too."""
        return sum(number for each, number in self.severities.items() if each >= severity)


def placing_of(settings: Settings) -> Placing:
    """How the settings place resources in environments."""
    given = settings.environments
    each = {environment: getattr(given, environment.value) for environment in Environment}
    return Placing(
        tag_keys=given.tag_keys,
        tags={e: tuple(value.lower() for value in matches.tags) for e, matches in each.items()},
        names={e: matches.names for e, matches in each.items() if matches.names},
        accounts={e: matches.accounts for e, matches in each.items() if matches.accounts},
    )


def answers_of(settings: Settings) -> dict[str, Answer]:
    """People's answers by rule code."""
    return {code: Answer(a.answer, a.owner, a.date) for code, a in settings.attestations.items()}


def make_report(
    snapshot: Snapshot,
    rules: tuple[Rule, ...],
    settings: Settings,
    thresholds: Mapping[str, Mapping[str, Any]],
    *,
    severity: Severity = Severity.INFO,
    prices: Own | None = None,
    baseline: Baseline | None = None,
    on_finding: Callable[[int, int | None, str], None] | None = None,
) -> Report:
    """Judge a snapshot. `severity` hides findings below it; they still count in the scores.

    `prices` are the user's own; `baseline` holds accepted findings beside those of the settings; `on_finding`
    is told how many findings there are so far.
    """
    board = Scoreboard(rules)
    findings: list[Finding] = []
    unknown: list[Finding] = []
    accepted: list[tuple[Finding, Accepted]] = []
    severities: Counter[Severity] = Counter()
    today = _today(snapshot)
    chains = {
        id_: tuple(node.text for node in chain)
        for manifest in snapshot.manifests
        for id_, chain in Graph(snapshot, manifest.account).chains().items()
        if len(chain) > 1
    }
    excluded = {"bucket": settings.excluded_buckets}
    book = PriceBook(snapshot, prices)
    wasted = WasteBoard()
    for judgement in judge(rules, snapshot, thresholds, placing_of(settings), excluded, answers_of(settings)):
        if judgement.verdict.status not in (Status.FAIL, Status.UNKNOWN):
            board.add(judgement)
            continue
        finding = finding_of(judgement, book, chains)
        acceptance = None
        if finding.status is Status.FAIL:
            code, subject = finding.rule.code, finding.subject
            acceptance = settings.accepted_for(code, subject.arn, subject.part or None, today)
            if acceptance is None and baseline:
                acceptance = accepted_by(baseline, (code, subject.arn, subject.part), today)
        board.add(judgement, accepted=acceptance is not None)
        if acceptance is not None:
            accepted.append((finding, acceptance))
        elif finding.status is Status.UNKNOWN:
            unknown.append(finding)
        else:
            severities[finding.severity] += 1
            wasted.add(finding)
            if finding.severity >= severity:
                findings.append(finding)
            if on_finding is not None:
                on_finding(severities.total(), None, f"{severities.total()} findings so far")
    verdicts = {rule.code: board.verdicts(rule) for rule in rules}
    findings.sort(key=lambda f: f.rank)
    shown = settled(findings)
    named = {finding.id for finding in shown}
    return Report(
        run=_run(snapshot),
        severities=severities,
        findings=tuple(shown),
        unknown=tuple(sorted(unknown, key=lambda f: f.rank)),
        accepted=tuple(sorted(accepted, key=lambda pair: pair[0].rank)),
        expired=(
            *settings.expired(today),
            *(entry for entry in (baseline or {}).values() if entry.expires < today),
        ),
        attestations=settings.attestations,
        overall=board.overall(settings.pillar_weights),
        pillars={pillar: board.pillar(pillar) for pillar in Pillar},
        rules=tuple((rule, verdicts[rule.code]) for rule in rules),
        gaps=tuple(snapshot.gaps),
        waste=wasted.total(),
        fixes=tuple(next_fixes(findings, board.worth(settings.pillar_weights))),
        coverage=tuple(ledger(all_rules(), verdicts)),
        folded=tuple(finding for finding in findings if finding.id not in named),
        excluded=excluded,
    )


def _today(snapshot: Snapshot) -> date:
    """The day of the snapshot: a report on it says the same whenever it is made."""
    return snapshot.manifests[0].taken_at.date()


def _resources(snapshot: Snapshot) -> dict[str, int]:
    """Resources by kind, without what only belongs to them: tags, metrics, deployments."""
    typed = {collector.name for collector in all_collectors() if collector.view.type}
    return {kind: number for kind, number in snapshot.counts().items() if kind in typed}


def _run(snapshot: Snapshot) -> Run:
    first, ends = snapshot.manifests[0], snapshot.ends
    broken = next((end.why for end in ends if end.why), "")
    return Run(
        tool_version=first.tool_version,
        account=", ".join(sorted({manifest.account for manifest in snapshot.manifests})),
        partition=first.partition,
        regions=tuple(sorted({region for m in snapshot.manifests for region in m.regions})),
        started=first.taken_at,
        jobs_since=first.taken_at - timedelta(days=first.lookback_days),
        lookback_days=first.lookback_days,
        metric_days=first.metric_days,
        seconds=round(sum(end.seconds for end in ends), 1),
        calls=sum(end.calls for end in ends),
        throttles=sum(end.throttles for end in ends),
        complete=snapshot.complete,
        why_incomplete="" if snapshot.complete else broken or "the snapshot ends early",
        resources=_resources(snapshot),
    )
