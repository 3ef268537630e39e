"""The findings of one moment as columns in memory: filters, counts and text search that ask SQLite for nothing.

A picture is what holds now over all accounts, or what held in one run. It knows the place of each finding in the
feed's order and a few bytes about it; the findings themselves are read from the ledger a page at a time. At 100,000
findings a filter takes less than a millisecond, and the picture some ten megabytes.

A selection is `bytes`, one for each finding in the order of the picture: 1 where it is chosen, 0 where not.
"""

import functools
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Any, NamedTuple

import msgspec

from auditor.ledger.history import History, Run, state_of
from auditor.ledger.layout import MERGED, RESOLVED, UNKNOWN
from evaluators.rule import Severity

FACETS = ("account", "region", "pillar", "severity", "rule", "environment", "kind", "state", "verdict")
"""What findings are filtered and counted by. A finding without a state (an unknown that never failed) has `none`."""

SORTS = ("score", "severity", "first_seen")
"""`score` is the feed's order: failures worst first, then accepted ones, then unknowns."""

NARROW = 256
"""Values of a column that fit into a byte."""


FEW = 16
"""A selection of less than a sixteenth of a column's values is looked up, any other is gone through."""


@dataclass(frozen=True)
class Column:
    """One property of all findings: `codes` are places in `values`."""

    codes: "bytes | array[int]"
    values: Sequence[str]

    def where(self, holds: Callable[[str], bool]) -> bytes:
        """The selection of the findings whose value holds."""
        return self.having(bytes(map(holds, self.values)))

    def having(self, flags: bytes) -> bytes:
        """The selection of the findings whose value has a flag; `flags` has one for each value."""
        if isinstance(self.codes, bytes):
            return self.codes.translate(flags.ljust(NARROW, b"\0"))
        if flags.count(1) * FEW > len(flags):
            return bytes(map(flags.__getitem__, self.codes))
        starts, places = self._places
        chosen, code = bytearray(len(self.codes)), flags.find(1)
        while code >= 0:
            for place in places[starts[code] : starts[code + 1]]:
                chosen[place] = 1
            code = flags.find(1, code + 1)
        return bytes(chosen)

    def counts(self, chosen: bytes) -> dict[str, int]:
        """How many of a selection have each value, the most frequent first."""
        if isinstance(self.codes, bytes):
            # What is not chosen becomes 0, so that the first value is what the others leave over.
            kept = _both(self.codes, chosen.translate(_FULL))
            numbers = [0, *(kept.count(code) for code in range(1, len(self.values)))]
            numbers[0] = chosen.count(1) - sum(numbers)
        else:
            counted = Counter(compress(self.codes, chosen))
            numbers = [counted[code] for code in range(len(self.values))]
        named = [(value, number) for value, number in zip(self.values, numbers, strict=True) if number]
        return dict(sorted(named, key=lambda each: (-each[1], each[0])))

    @functools.cached_property
    def folded(self) -> list[str]:
        """The values in one case, for a search."""
        return [value.casefold() for value in self.values]

    @functools.cached_property
    def _places(self) -> "tuple[array[int], array[int]]":
        """Where each value is found: the places of all, value by value, and where each value's begin."""
        places = array("I", sorted(range(len(self.codes)), key=self.codes.__getitem__))
        counted = Counter(self.codes)
        starts = array("I", accumulate((counted[code] for code in range(len(self.values))), initial=0))
        return starts, places


_FULL = bytes([0, 255]).ljust(256, b"\0")


class _Codes:
    """A column while it is built."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.codes = array("I")

    def code(self, value: str) -> int:
        return self.places.setdefault(value, len(self.places))

    def column(self) -> Column:
        values = list(self.places)
        return Column(bytes(iter(self.codes)) if len(values) <= NARROW else self.codes, values)


class _Why(msgspec.Struct, array_like=True):
    """The front of a verdict's body; the rest is skipped."""

    why: str


_WHY = msgspec.json.Decoder(_Why)


class Picture:
    """The findings of one moment. `ids` are rows of verdicts, `at` the run that each stands at."""

    def __init__(
        self, ids: "array[int]", at: "array[int]", first: "array[int]", columns: Mapping[str, Column]
    ):
        self.ids = ids
        self.at = at
        self.first = first
        self.columns = columns

    def __len__(self) -> int:
        return len(self.ids)

    # ----------------------------------------------------------------------------------- selecting

    def select(
        self,
        wanted: Mapping[str, Collection[str]],
        resources: Collection[str] = (),
        words: Iterable[str] = (),
    ) -> bytes:
        """The findings that have one of the values in each facet, are about one of the resources, and have all words.

        A resource is named by its whole ARN or name. A word is looked for in name, ARN, why and title, in any case.
        What is resolved is chosen only where `state` asks for it.
        """
        chosen = [
            self.columns[facet].where(frozenset(values).__contains__) for facet, values in wanted.items()
        ]
        if "state" not in wanted:
            chosen.append(self.columns["state"].where(lambda state: state != "resolved"))
        if resources:
            chosen.append(self._about(frozenset(resources)))
        chosen += [self._with(word.casefold()) for word in words]
        return functools.reduce(_both, chosen, b"\1" * len(self))

    def _about(self, resources: frozenset[str]) -> bytes:
        """The findings on resources by name or ARN; the two columns have the same codes."""
        name, arn = self.columns["name"], self.columns["arn"]
        return name.having(
            bytes(
                one in resources or other in resources
                for one, other in zip(name.values, arn.values, strict=True)
            )
        )

    def _with(self, word: str) -> bytes:
        said = [
            column.having(bytes([word in text for text in texts]))
            for column, texts in (
                (self.columns[name], self.columns[name].folded) for name in ("why", "title")
            )
        ]
        named = self.columns["arn"].having(bytes([word in text for text in self._names]))
        return functools.reduce(_either, said, named)

    @functools.cached_property
    def _names(self) -> list[str]:
        """Name and ARN of each resource in one case; most ARNs end with the name."""
        pairs = zip(self.columns["name"].folded, self.columns["arn"].folded, strict=True)
        return [arn if name in arn else f"{name}\n{arn}" for name, arn in pairs]

    def facet(self, name: str, chosen: bytes) -> dict[str, int]:
        """How many findings of a selection have each value, the most frequent first."""
        return self.columns[name].counts(chosen)

    # ------------------------------------------------------------------------------------- reading

    def sorted(self, chosen: bytes, sort: str) -> bytes:
        """A selection in the order of a sort: what `page` goes through."""
        order = self._order(sort)
        return chosen if order is None else bytes(map(chosen.__getitem__, order))

    def page(self, ordered: bytes, sort: str, start: int, limit: int) -> tuple[list[int], int | None]:
        """Places of the next findings from a place of the order on, and where the rest goes on, if there is any."""
        order = self._order(sort)
        found: list[int] = []
        place = ordered.find(1, start)
        while place >= 0 and len(found) < limit:
            found.append(place if order is None else order[place])
            place = ordered.find(1, place + 1)
        return found, place if place >= 0 else None

    def verdicts(self, places: Iterable[int]) -> list[tuple[int, int]]:
        """The (row, run) of findings, as `History.verdicts` takes them."""
        return [(self.ids[place], self.at[place]) for place in places]

    def _order(self, sort: str) -> "array[int] | None":
        return {"score": None, "severity": self._by_severity, "first_seen": self._by_first}[sort]

    @functools.cached_property
    def _by_severity(self) -> "array[int]":
        severities = self.columns["severity"]
        weight = [-int(Severity[value.upper()]) for value in severities.values]
        return array("I", sorted(range(len(self)), key=lambda place: weight[severities.codes[place]]))

    @functools.cached_property
    def _by_first(self) -> "array[int]":
        """The latest first; what never failed comes last."""
        return array("I", sorted(range(len(self)), key=lambda place: -self.first[place]))


def _both(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def _either(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


# ----------------------------------------------------------------------------------------- building


class _About(NamedTuple):
    """A resource as codes of the columns that it gives."""

    place: tuple[str, str]
    number: int
    codes: tuple[int, ...]


_RESOURCE = ("account", "region", "environment", "kind")
_RULE = ("rule", "pillar", "title")
_COLUMNS = (*_RESOURCE, *_RULE, "severity", "state", "verdict", "why")

_SELECT = (
    "SELECT v.id, v.status, v.confirmed, v.severity, v.first, v.opened, v.rule, v.resource, v.body "
    "FROM verdicts v JOIN resources r ON r.id = v.resource JOIN rules u ON u.id = v.rule WHERE "
)
_ORDER = " ORDER BY v.status, v.score DESC, v.severity DESC, u.code, r.region, r.arn, v.part"


def current_picture(history: History) -> Picture:
    """What holds now over all accounts: each finding as of the last run that spoke of its place and rule."""
    covered: dict[tuple[str, str, str], int] = {}
    for account, place, code, run in history.connection.execute(
        "SELECT account, place, code, run FROM covered"
    ):
        covered[account, place, code] = run
    (last,) = history.connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
    rows = history.connection.execute(f"{_SELECT} v.until IS NULL AND v.status != {MERGED} {_ORDER}")
    return _Building(history).picture(
        rows, lambda account, place, code: covered.get((account, place, code), last)
    )


def picture_of(history: History, run: Run) -> Picture:
    """What held in a run, and what it resolved."""
    scope = history.scope(run)
    places, codes = {tuple(place) for place in scope.places}, set(scope.codes)
    rows = history.connection.execute(
        f"{_SELECT} v.since <= :run AND (v.until IS NULL OR v.until > :run) AND v.status != {MERGED} "
        f"AND (v.status != {RESOLVED} OR EXISTS (SELECT 1 FROM events e WHERE e.run = :run "
        f"AND e.finding = v.finding AND e.what = 'resolved' AND v.since = :run)) {_ORDER}",
        {"run": run.id},
    )

    def standing(account: str, place: str, code: str) -> int | None:
        return run.id if (account, place) in places and code in codes else None

    return _Building(history).picture(rows, standing)


class _Building:
    def __init__(self, history: History) -> None:
        self.history = history
        self.made = {name: _Codes() for name in _COLUMNS}
        self.resources: dict[int, _About] = {}
        self.rules: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.named: list[tuple[str, str]] = []
        for id_, place, name, arn, *texts in history.connection.execute(
            f"SELECT id, place, name, arn, {', '.join(_RESOURCE)} FROM resources"
        ):
            self.resources[id_] = _About((texts[0], place), len(self.named), self.codes(_RESOURCE, texts))
            self.named.append((name, arn))
        self.severities = {int(each): self.made["severity"].code(each.label) for each in Severity}

    def codes(self, names: Iterable[str], values: Iterable[str]) -> tuple[int, ...]:
        return tuple(self.made[name].code(value) for name, value in zip(names, values, strict=True))

    def rule(self, id_: int) -> tuple[str, tuple[int, ...]]:
        if id_ not in self.rules:
            code, pillar, title = self.history.rule_title(id_)
            self.rules[id_] = code, self.codes(_RULE, (code, pillar, title))
        return self.rules[id_]

    def picture(
        self, rows: Iterator[tuple[Any, ...]], standing: Callable[[str, str, str], int | None]
    ) -> Picture:
        """Take in all rows. `standing` tells by account, place and rule at which run a finding stands, if it does."""
        ids, at, firsts, resources = array("q"), array("q"), array("q"), array("I")
        state, verdict, why = (self.made[name] for name in ("state", "verdict", "why"))
        codes = [self.made[name].codes for name in _COLUMNS]
        for id_, status, confirmed, severity, first, opened, rule, resource, body in rows:
            about, (code, of_rule) = self.resources[resource], self.rule(rule)
            run = standing(*about.place, code)
            if run is None:
                continue
            ids.append(id_)
            at.append(run)
            firsts.append(first or 0)
            resources.append(about.number)
            rest = (
                self.severities[severity],
                state.code(state_of(status, confirmed, first, opened, run) or "none"),
                verdict.code("unknown" if status == UNKNOWN else "fail"),
                why.code(_WHY.decode(body).why),
            )
            for column, each in zip(codes, (*about.codes, *of_rule, *rest), strict=True):
                column.append(each)
        columns = {name: made.column() for name, made in self.made.items()}
        columns["name"] = Column(resources, [name for name, _ in self.named])
        columns["arn"] = Column(resources, [arn for _, arn in self.named])
        return Picture(ids, at, firsts, columns)
