"""The shapes of the JSON feed, version 1, of their own, so that inner types can change without breaking users.

Additions keep the version; a removed or changed field makes a version 2 in a module of its own.
`auditor schema findings` prints the JSON Schema that these shapes give.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SCHEMA_VERSION: Literal["1.0"] = "1.0"

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""The worst first."""

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
    id: Annotated[str, Meta(description="The run's name in the ledger; empty where none is kept.")] = ""
    changes: Annotated[
        dict[str, int],
        Meta(description="Findings by what became of them since the run before: new, resolved, ..."),
    ] = {}


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


State = Literal["new", "open", "reopened", "unconfirmed", "accepted", "resolved"]
"""What became of a finding since the run before.

`unconfirmed` failed earlier and could not be judged again, so that nobody knows; `resolved` passes, or is gone from a
listing that was complete.
"""


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
    state: Annotated[
        State | None,
        Meta(description="What became of it since the run before; null where no ledger is kept."),
    ] = None
    first_seen: Annotated[
        datetime | None, Meta(description="The first run that found it; null where no ledger is kept.")
    ] = None
    last_seen: Annotated[
        datetime | None, Meta(description="The last run that judged it so; null where no ledger is kept.")
    ] = None


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
    rationale: Annotated[str, Meta(description="Why it should be so.")] = ""
    remedy: Annotated[str, Meta(description="How to mend what it finds.")] = ""
    change: Annotated[str, Meta(description="in place, restart, recreate or next run.")] = ""
    confidence: Annotated[float, Meta(description="0-1; below 1 for indirect signals.")] = 1.0
    maps: Annotated[list[ReferenceV1], Meta(description="Controls and practices that say the same.")] = []


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


class PointV1(msgspec.Struct, frozen=True):
    """One run in the course of time: what a trend is drawn from."""

    id: Annotated[str, Meta(description="The run's name in the ledger.")]
    started: Annotated[datetime, Meta(description="When its snapshot was taken.")]
    complete: Annotated[bool, Meta(description="Whether everything was known.")]
    score: Annotated[ScoreV1, Meta(description="Of the whole.")]
    pillars: Annotated[dict[str, ScoreV1], Meta(description="By pillar.")]
    severities: Annotated[dict[str, int], Meta(description="Findings by severity.")]
    by_pillar: Annotated[dict[str, int], Meta(description="Findings by pillar.")]
    unknown: Annotated[int, Meta(description="How many verdicts nobody knows.")]
    changes: Annotated[dict[str, int], Meta(description="Findings by what became of them.")]
    waste: Annotated[dict[str, float], Meta(description="A month, by currency.")]
    waste_by_pillar: Annotated[
        dict[str, dict[str, float]], Meta(description="A month, by pillar and currency.")
    ]


class FeedV1(ReportV1, frozen=True, kw_only=True):
    """What the file holds: the report with its version in front."""

    schema_version: Annotated[Literal["1.0"], Meta(description="Version of this feed.")]


@dataclass(frozen=True, slots=True)
class Feed:
    """What every output renders: one run in the feed's shapes, whether it comes from a scan or from the ledger.

    `findings` gives failures worst first, then accepted ones, then unknowns, each time anew: a million of them
    never have to stand in memory. `resolved` are those that this run closed; `trend` are the runs up to this one,
    the oldest first.
    """

    run: RunV1
    pillars: Mapping[str, ScoreV1]
    findings: Callable[[], Iterator[FindingV1]]
    gaps: Sequence[GapV1]
    rules: Sequence[RuleV1]
    fixes: Sequence[FixV1]
    coverage: Sequence[PracticeV1]
    resolved: Callable[[], Iterator[FindingV1]] = lambda: iter(())
    trend: Sequence[PointV1] = ()

    def above(self, least: str) -> "Feed":
        """The same run without the failures below a severity; scores and counts stay."""
        shown = SEVERITIES[: SEVERITIES.index(least) + 1]
        return replace(
            self,
            findings=lambda: (
                f
                for f in self.findings()
                if f.severity in shown or f.accepted is not None or f.verdict == "unknown"
            ),
        )
