"""What a run can tell of a finding that it did not give.

A finding ends only where the run shows it: its rule spoke of the resource again and did not fail, or a complete
listing has the resource no more. Where a listing was not whole, or the rule could not see the resource's parts, the
finding is unconfirmed; where the run did not ask at all, it says nothing.
"""

import functools
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from auditor.report import Report
from collectors.collector import all_collectors
from collectors.model import GLOBAL, Snapshot
from evaluators.rule import all_rules


class Fate(Enum):
    """What becomes of a finding that a run did not give."""

    UNTOUCHED = "not asked about"
    PASSES = "no longer fails"
    GONE = "gone"
    AGED = "older than the window"
    MERGED = "told by another finding"
    UNCONFIRMED = "could not be judged"
    RETIRED = "its rule is no more"


@functools.cache
def _views() -> dict[str, tuple[bool, bool]]:
    """Of each kind whether it is listed once per account, and whether it is read within a window of time."""
    return {c.name: (c.is_global, c.view.windowed) for c in all_collectors()}


@functools.cache
def _followed() -> frozenset[str]:
    """Kinds of the whole account that are found through what lies in Regions: buckets, by the jobs that use them."""
    return frozenset(
        c.name for c in all_collectors() if c.is_global and any(not v.is_global for v in c.follows)
    )


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(rule.code for rule in all_rules())


def place_of(kind: str, region: str) -> str:
    """Where a kind is listed: a bucket lives in a Region, and is listed with all others of the account."""
    return GLOBAL if _views().get(kind, (False, False))[0] else region


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one run spoke of.

    `unseen` are (rule code, ARN) whose parts could not be read; `merged` the ids that another finding stands for;
    `narrower` the accounts of which earlier runs saw more Regions: what is found through those may still be there.
    """

    snapshot: Snapshot
    codes: frozenset[str]
    places: frozenset[tuple[str, str]]
    unseen: frozenset[tuple[str, str]]
    merged: Collection[str]
    narrower: frozenset[str] = frozenset()

    @classmethod
    def by(cls, report: Report, snapshot: Snapshot, before: Collection[tuple[str, str]] = ()) -> "Spoken":
        """What a report on a snapshot speaks of; `before` are the (account, place) of earlier runs."""
        places = frozenset(snapshot.places())
        return cls(
            snapshot,
            frozenset(rule.code for rule, _ in report.rules),
            places,
            frozenset((f.rule.code, f.subject.arn) for f in report.unknown if not f.subject.part),
            frozenset(opposed.id for finding in report.findings for opposed in finding.opposed),
            frozenset(account for account, place in before if (account, place) not in places),
        )

    def fate(self, id_: str, code: str, kind: str, account: str, place: str, arn: str) -> Fate:
        """What becomes of an earlier finding that is not among the run's. `place` is where its kind is listed."""
        if code not in _known():
            return Fate.RETIRED
        if code not in self.codes or (account, place) not in self.places:
            return Fate.UNTOUCHED
        if id_ in self.merged:
            return Fate.MERGED
        if (code, arn) in self.unseen:
            return Fate.UNCONFIRMED
        if kind not in _views():
            # A Region as a whole is always judged.
            return Fate.PASSES
        if kind in _followed() and account in self.narrower:
            # Who uses it elsewhere was not seen, and that may be what it fails for.
            return Fate.UNTOUCHED
        if arn and self.snapshot.find(kind, account, place, arn) is not None:
            return Fate.PASSES
        if self.snapshot.listing_gap(kind, account, place) is not None:
            return Fate.UNCONFIRMED
        return Fate.AGED if _views()[kind][1] else Fate.GONE
