"""What a run can tell of a finding that it did not give.

A finding ends only where the run shows it: its rule spoke of the resource again and did not fail, or a complete
listing has the resource no more. Where a listing was not whole, or the rule could not see the resource's parts, the
finding is unconfirmed; where the run did not ask at all, it says nothing.

A run that looks less far than the one before it, over fewer Regions or days, cannot show that anything ended which
lies beyond what it saw.
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

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
    UNCONFIRMED = "could not be judged"
    BEYOND = "could not be judged: the run looked less far"
    RETIRED = "nobody asks any more"


@functools.cache
def _views() -> dict[str, tuple[bool, bool]]:
    """Of each kind whether it is listed once per account, and whether it is read within a window of time."""
    return {c.name: (c.is_global, c.view.windowed) for c in all_collectors()}


@functools.cache
def _followed() -> frozenset[str]:
    """Kinds of the whole account that are found in Regions: buckets by who uses them, trails by asking each."""
    return frozenset(
        c.name
        for c in all_collectors()
        if c.is_global
        and (any(not v.is_global for v in c.follows) or "audited" in c.function.__code__.co_names)
    )


@functools.cache
def _across() -> frozenset[str]:
    """Rules about the whole account that judge it by what lies in Regions: a role by what runs under it."""
    return frozenset(
        rule.code
        for rule in all_rules()
        if rule.views
        and all(view.is_global for view in rule.views)
        and any(view.kind in _followed() or (view.type and not view.is_global) for view in rule.reads.views)
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

    `unseen` are (rule code, ARN) whose parts could not be read; `narrower` the accounts of which earlier runs saw more
    Regions, `shorter` those of which the run before looked further back; `excluded` globs of names by kind.
    """

    snapshot: Snapshot
    codes: frozenset[str]
    places: frozenset[tuple[str, str]]
    unseen: frozenset[tuple[str, str]]
    narrower: frozenset[str]
    shorter: frozenset[str]
    excluded: Mapping[str, tuple[str, ...]]

    @classmethod
    def by(
        cls,
        report: Report,
        snapshot: Snapshot,
        before: Collection[tuple[str, str]] = (),
        windows: Mapping[str, int] | None = None,
    ) -> "Spoken":
        """What a report on a snapshot speaks of.

        `before` are the (account, place) of earlier runs, `windows` how many days the run before looked back for jobs,
        by account.
        """
        places = frozenset(snapshot.places())
        return cls(
            snapshot,
            frozenset(rule.code for rule, _ in report.rules),
            places,
            frozenset((f.rule.code, f.subject.arn) for f in report.unknown if not f.subject.part),
            frozenset(account for account, place in before if (account, place) not in places),
            frozenset(a for a, days in (windows or {}).items() if days > report.run.lookback_days),
            report.excluded,
        )

    def fate(self, code: str, kind: str, account: str, place: str, arn: str, name: str) -> Fate:
        """What becomes of an earlier finding that is not among the run's. `place` is where its kind is listed."""
        if code not in _known():
            return Fate.RETIRED
        if code not in self.codes or (account, place) not in self.places:
            return Fate.UNTOUCHED
        if any(fnmatchcase(name, pattern) for pattern in self.excluded.get(kind, ())):
            return Fate.RETIRED
        if (code, arn) in self.unseen:
            return Fate.UNCONFIRMED
        if kind not in _views():
            # A Region as a whole is always judged.
            return Fate.PASSES
        if account in self.narrower and (kind in _followed() or code in _across()):
            # Who uses it elsewhere was not seen, and that may be what it fails for.
            return Fate.BEYOND
        if arn and self.snapshot.find(kind, account, place, arn) is not None:
            return Fate.PASSES
        if self.snapshot.listing_gap(kind, account, place) is not None:
            return Fate.UNCONFIRMED
        if not _views()[kind][1]:
            return Fate.GONE
        return Fate.BEYOND if account in self.shorter else Fate.AGED
