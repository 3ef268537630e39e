"""A finding: a verdict that a person can act on, with an identity that outlives wording and time."""

import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collectors.model import Gap
from evaluators.engine import Judgement, Subject
from evaluators.money import PriceBook, Saving
from evaluators.rule import Rule, Severity, Status
from evaluators.score import finding_score, lowered_severity


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was read: the operation (empty for a computed figure), the field and its value."""

    operation: str
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Opposed:
    """A finding of another rule on the same resource, and what has to be weighed between the two."""

    id: str
    code: str
    why: str
    weigh: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure, or an *unknown*, of one rule about one resource or part of one.

    `score` is 0–100 (0 for an unknown); `lowered` says why the severity is below the rule's; `gap`
    is behind an unknown; `savings` are what a month costs that following the advice ends. `loss` is
    the score before rounding; `chain` leads from an endpoint to the subject; `opposed` are findings
    that this one stands for, since their advice pulls the other way.
    """

    id: str
    rule: Rule
    status: Status
    severity: Severity
    score: int
    subject: Subject
    environment: str
    environment_source: str
    why: str
    evidence: tuple[Evidence, ...]
    lowered: tuple[str, ...]
    gap: Gap | None = None
    savings: tuple[Saving, ...] = ()
    loss: float = 0.0
    chain: tuple[str, ...] = ()
    opposed: tuple[Opposed, ...] = ()

    @property
    def by_choice(self) -> bool:
        """Whether it is unknown though nothing went wrong: not asked for, not answered, not offered."""
        return self.gap is not None and self.gap.reason.is_expected

    @property
    def command(self) -> str:
        """The command that mends it, with its names filled in; none for an unknown."""
        return "" if self.status is Status.UNKNOWN else filled(self.rule.remedy.command, self.subject)

    @property
    def rank(self) -> tuple[int, int, str, str, str, str]:
        """Worst first; then by code, place and name, so that the order never depends on a run."""
        return (
            -self.score,
            -int(self.severity),
            self.rule.code,
            self.subject.region,
            self.subject.arn,
            self.subject.part,
        )


def finding_id(code: str, arn: str, part: str) -> str:
    """The identity of a finding: a hash of rule code, resource ARN and part key, 20 hex digits."""
    return hashlib.sha256("\0".join((code, arn, part)).encode()).hexdigest()[:20]


def finding_of(
    judgement: Judgement,
    prices: PriceBook | None = None,
    chains: Mapping[str, tuple[str, ...]] | None = None,
) -> Finding:
    """The finding of a verdict that failed or is unknown.

    `prices` put a figure on what it wastes; `chains` lead from endpoints to resources, by ARN.
    """
    rule, subject, verdict = judgement.rule, judgement.subject, judgement.verdict
    unknown = verdict.status is Status.UNKNOWN
    severity, lowered = lowered_severity(judgement)
    identity = subject.arn or f"{subject.account}/{subject.region}/{subject.kind}/*"
    return Finding(
        id=finding_id(rule.code, identity, subject.part),
        rule=rule,
        status=verdict.status,
        severity=severity,
        score=0 if unknown else finding_score(severity, judgement.placement.weight, rule.confidence),
        subject=subject,
        environment=judgement.placement.environment or "unplaced",
        environment_source=judgement.placement.source,
        why=verdict.message,
        evidence=tuple(_evidence(judgement)),
        lowered=lowered,
        gap=judgement.gap,
        chain=(chains or {}).get(subject.arn, ()),
        loss=0.0 if unknown else severity * judgement.placement.weight * rule.confidence,
        savings=prices.savings(verdict.waste, subject.account, subject.region) if prices else (),
    )


def _evidence(judgement: Judgement) -> list[Evidence]:
    if judgement.gap is not None:
        gap = judgement.gap
        return [Evidence(gap.operation, gap.reason.value, gap.message or gap.code)]
    evidence: Mapping[str, Any] = judgement.verdict.evidence
    return [Evidence(judgement.operations.get(name, ""), name, value) for name, value in evidence.items()]


def filled(command: str, subject: Subject) -> str:
    """A command with the subject's names in it, quoted for a POSIX shell: names from AWS are hostile text."""
    partition = subject.arn.split(":")[1] if subject.arn.startswith("arn:") else "aws"
    values = {
        "name": subject.name,
        "arn": subject.arn,
        "region": subject.region,
        "account": subject.account,
        "part": subject.part,
        "partition": partition,
    }
    if not command:
        return ""
    text = re.sub(r"{(\w+)}", lambda match: shlex.quote(values[match[1]]), command)
    regional = command.startswith("aws ") and " --region " not in command and subject.region != "global"
    return f"{text} --region {shlex.quote(subject.region)}" if regional else text
