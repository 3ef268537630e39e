"""What the server answers, beside the shapes of the feed. As with these, additions keep the version."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from auditor.feed_v1 import FindingV1, FixV1, GapV1, PointV1, PracticeV1, RuleV1, RunV1, ScoreV1


class AnswerV1(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer says: which run it is as of."""

    run: Annotated[
        str, Meta(description="Name of the run; the latest one where the current picture is told.")
    ]
    as_of: Annotated[datetime, Meta(description="When that run's snapshot was taken.")]


class PageV1(AnswerV1, frozen=True, kw_only=True):
    """A page of a list."""

    total: Annotated[int, Meta(description="How many there are over all pages.")]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one.")]


class FindingsV1(PageV1, frozen=True, kw_only=True):
    """Findings in the order of `sort`."""

    findings: list[FindingV1]


class EventV1(msgspec.Struct, frozen=True):
    """What happened to a finding in a run."""

    run: Annotated[str, Meta(description="The run's name; empty where it was compacted away.")]
    number: Annotated[int, Meta(description="The run's number.")]
    started: Annotated[datetime | None, Meta(description="When the run's snapshot was taken.")]
    what: Annotated[str, Meta(description="new, reopened, resolved, unconfirmed, accepted, open or changed.")]
    why: Annotated[str, Meta(description="What ended it, or what could not be read.")]


class HistoryV1(AnswerV1, frozen=True, kw_only=True):
    """One finding as it stands, and what happened to it, the oldest first."""

    finding: FindingV1
    events: list[EventV1]


class FacetV1(msgspec.Struct, frozen=True):
    """One value and how many findings have it."""

    value: str
    findings: int


class FacetsV1(AnswerV1, frozen=True, kw_only=True):
    """Counts of the findings by each filter's values, the most frequent first."""

    total: Annotated[int, Meta(description="How many findings the filters choose.")]
    facets: Annotated[dict[str, list[FacetV1]], Meta(description="By the filter's name.")]


class RunRowV1(PointV1, frozen=True, kw_only=True):
    """A run in a list."""

    number: Annotated[int, Meta(description="Its number in the ledger.")]
    account: Annotated[str, Meta(description="12-digit account id; of joined snapshots all, with commas.")]
    regions: Annotated[list[str], Meta(description="Regions that were read.")]
    compacted: Annotated[
        bool, Meta(description="Whether its findings are forgotten and only its scores are kept.")
    ]


class RunsV1(PageV1, frozen=True, kw_only=True):
    """Runs, the latest first."""

    runs: list[RunRowV1]


class RunDetailV1(msgspec.Struct, frozen=True):
    """One run with its scores."""

    run: RunV1
    number: Annotated[int, Meta(description="Its number in the ledger.")]
    pillars: dict[str, ScoreV1]


class ChangeV1(msgspec.Struct, frozen=True):
    """What happened to one finding in a run."""

    what: Annotated[str, Meta(description="new, reopened, resolved, unconfirmed, accepted, open or changed.")]
    why: Annotated[str, Meta(description="What ended it, or what could not be read.")]
    finding: FindingV1


class ChangesV1(PageV1, frozen=True, kw_only=True):
    """What happened in a run."""

    changes: list[ChangeV1]


class PillarV1(msgspec.Struct, frozen=True):
    """A pillar's score now."""

    pillar: str
    low: Annotated[float | None, Meta(description="0-100; everything unknown counted as failed.")]
    high: Annotated[float | None, Meta(description="0-100; everything unknown counted as passed.")]
    coverage: Annotated[float | None, Meta(description="Share (0-1) of the score's weight that is known.")]
    findings: Annotated[int, Meta(description="Findings of the run.")]
    verdicts: Annotated[dict[str, int], Meta(description="Verdicts by name.")]
    waste: Annotated[dict[str, float], Meta(description="A month, by currency.")]


class PillarsV1(AnswerV1, frozen=True, kw_only=True):
    """Scores now and over the runs of the same account, the oldest first."""

    score: Annotated[ScoreV1, Meta(description="Of the whole.")]
    pillars: list[PillarV1]
    trend: list[PointV1]


class RulesV1(PageV1, frozen=True, kw_only=True):
    """The rules that ran."""

    rules: list[RuleV1]


class RuleDetailV1(AnswerV1, frozen=True, kw_only=True):
    """One rule."""

    rule: RuleV1


class CoverageV1(PageV1, frozen=True, kw_only=True):
    """Every practice, and what the run says of it."""

    practices: list[PracticeV1]


class FixesV1(PageV1, frozen=True, kw_only=True):
    """The changes that remove the findings, the most worth first."""

    fixes: list[FixV1]


class GapsV1(PageV1, frozen=True, kw_only=True):
    """Calls that did not tell."""

    gaps: list[GapV1]


class HealthV1(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the ledger can be read. Who gives no token where one is set learns no more than the status."""

    status: Annotated[str, Meta(description="ok or unavailable.")]
    run: Annotated[str | None, Meta(description="The latest run's name; absent without a run.")] = None
    age_seconds: Annotated[
        float | None, Meta(description="Since that run's snapshot was taken; absent without a run.")
    ] = None


class ProblemV1(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    title: str
    status: int
    detail: str
    parameter: Annotated[str | None, Meta(description="The parameter that it is about.")] = None
    type: str = "about:blank"
