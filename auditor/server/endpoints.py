"""What each address answers: functions from a reading of the ledger and checked parameters to a shape."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from auditor.feed_v1 import FixV1, GapV1, PracticeV1
from auditor.ledger.current import FACETS, Picture
from auditor.ledger.events import Event, events_in, events_of, standing
from auditor.ledger.history import TREND, History, Run
from auditor.server.query import (
    ACCOUNT_OF_RUN,
    CURSOR,
    FILTERS,
    LIMITED,
    MOST,
    PILLARS,
    RUN,
    SORT,
    Asked,
    AskedWrongly,
    Parameter,
    cursor_to,
    place_in,
)
from auditor.server.shapes import (
    ChangesV1,
    ChangeV1,
    CoverageV1,
    EventV1,
    FacetsV1,
    FacetV1,
    FindingsV1,
    FixesV1,
    GapsV1,
    HistoryV1,
    PillarsV1,
    PillarV1,
    RuleDetailV1,
    RulesV1,
    RunDetailV1,
    RunRowV1,
    RunsV1,
)
from auditor.server.store import Reading
from auditor.settings import suggestion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: what it is for, what it takes, what it answers.

    `key` is the parameter in its path, if any; `slow` says that it reads more than a page.
    """

    path: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    shape: type[msgspec.Struct]
    read: Callable[[Reading, Asked, str], msgspec.Struct]
    key: Parameter | None = None
    slow: bool = False


# ---------------------------------------------------------------------------------------- findings


@dataclass(frozen=True, slots=True)
class Chosen:
    """The findings that a request is about, in its order; `run` is whose name the answer bears."""

    picture: Picture
    ordered: bytes
    total: int
    run: Run


def chosen(reading: Reading, asked: Asked) -> Chosen:
    """What the filters choose. It is kept, so that the next page does not look for it again."""
    run = reading.run(asked.one("run")) if asked.one("run") else None
    picture = reading.picture(run)
    _check_rules(picture, reading, asked)
    question = asked.filters()
    key = (reading.generation, "chosen", run and run.id, question)

    def select() -> bytes:
        found = picture.select(asked.facets(), asked.values.get("resource", ()), asked.words)
        return picture.sorted(found, asked.sort)

    ordered = reading.store.cache.get(key, select, len)
    return Chosen(picture, ordered, ordered.count(1), run or reading.latest())


def _check_rules(picture: Picture, reading: Reading, asked: Asked) -> None:
    """A code that no run asked about would show nothing, which looks like all is well."""
    unseen = set(asked.values.get("rule", ())) - set(picture.columns["rule"].values)
    if not unseen:
        return
    known = [code for (code,) in reading.history.connection.execute("SELECT DISTINCT code FROM covered")]
    for code in sorted(unseen - set(known)):
        raise AskedWrongly(f"no run has asked the rule {code!r}{suggestion(code, known)}", "rule")


def findings(reading: Reading, asked: Asked, _: str) -> FindingsV1:
    """A page of findings."""
    label = reading.generation.label
    found = chosen(reading, asked)
    places, rest = found.picture.page(found.ordered, asked.sort, place_in(asked, label), asked.limit)
    return FindingsV1(
        run=found.run.name,
        as_of=found.run.started,
        total=found.total,
        next=None if rest is None else cursor_to(rest, label, asked),
        findings=list(reading.history.verdicts(found.picture.verdicts(places))),
    )


def finding(reading: Reading, _: Asked, key: str) -> HistoryV1:
    """One finding as it stands, and what happened to it."""
    run, at = reading.latest(), standing(reading.history, key)
    if at is None:
        raise AskedWrongly("the ledger holds no such finding", status=404)
    (held,) = reading.history.verdicts([at])
    events = [_event(reading.history, event) for event in events_of(reading.history, key)]
    return HistoryV1(run=run.name, as_of=run.started, finding=held, events=events)


def _event(history: History, event: Event) -> EventV1:
    return EventV1(event.name, event.run, history.started(event.run), event.what, event.why)


def facets(reading: Reading, asked: Asked, _: str) -> FacetsV1:
    """How many findings have which values."""
    found = chosen(reading, asked)
    counted = {facet: found.picture.facet(facet, found.ordered) for facet in FACETS}
    return FacetsV1(
        run=found.run.name,
        as_of=found.run.started,
        total=found.total,
        facets={
            facet: [FacetV1(value, number) for value, number in values.items()]
            for facet, values in counted.items()
        },
    )


# -------------------------------------------------------------------------------------------- runs


def runs(reading: Reading, asked: Asked, _: str) -> RunsV1:
    """A page of runs, the latest first."""
    found = reading.history.runs(asked.one("account"))[::-1]
    latest, (part, rest) = reading.latest(), _cut(found, reading, asked)
    return RunsV1(
        run=latest.name,
        as_of=latest.started,
        total=len(found),
        next=rest,
        runs=[_run_row(reading.history, each) for each in part],
    )


def _run_row(history: History, run: Run) -> RunRowV1:
    (point,), told = history.points([run]), history.run_v1(run)
    return RunRowV1(
        **msgspec.structs.asdict(point),
        number=run.id,
        account=told.account,
        regions=told.regions,
        compacted=run.compacted,
    )


def run_detail(reading: Reading, _: Asked, key: str) -> RunDetailV1:
    """One run."""
    run = reading.run(key)
    return RunDetailV1(reading.history.run_v1(run), run.id, reading.history.pillars(run))


def changes(reading: Reading, asked: Asked, key: str) -> ChangesV1:
    """What happened in a run, to each finding that something happened to."""
    run = reading.run(key)
    found = events_in(reading.history, run, asked.values.get("what", ()))
    part, rest = _cut(found, reading, asked)
    held = reading.history.verdicts((event.verdict, run.id) for event in part)
    return ChangesV1(
        run=run.name,
        as_of=run.started,
        total=len(found),
        next=rest,
        changes=[ChangeV1(event.what, event.why, finding) for event, finding in zip(part, held, strict=True)],
    )


def pillars(reading: Reading, asked: Asked, _: str) -> PillarsV1:
    """The scores of a run, and how they came to be."""
    run, history = _run(reading, asked), reading.history
    told = history.run_v1(run)
    scores, (point,) = history.pillars(run), history.points([run])
    same = [
        each for each in history.runs() if each.id <= run.id and history.run_v1(each).account == told.account
    ]
    wanted = asked.values.get("pillar", PILLARS)
    return PillarsV1(
        run=run.name,
        as_of=run.started,
        score=told.score,
        pillars=[
            PillarV1(
                name,
                score.low,
                score.high,
                score.coverage,
                point.by_pillar.get(name, 0),
                score.verdicts,
                told.waste.by_pillar.get(name, {}),
            )
            for name, score in scores.items()
            if name in wanted
        ],
        trend=history.points(same[-TREND:]),
    )


def _run(reading: Reading, asked: Asked) -> Run:
    return reading.run(asked.one("run"), asked.one("account"))


# ----------------------------------------------------------------------------------- parts of a run


def rules(reading: Reading, asked: Asked, _: str) -> RulesV1:
    """The rules that ran."""
    run = _run(reading, asked)
    found = [
        rule for rule in reading.history.rules(run) if rule.pillar in asked.values.get("pillar", PILLARS)
    ]
    part, rest = _cut(found, reading, asked)
    return RulesV1(run=run.name, as_of=run.started, total=len(found), next=rest, rules=part)


def rule(reading: Reading, asked: Asked, key: str) -> RuleDetailV1:
    """One rule."""
    run = _run(reading, asked)
    found = {each.code: each for each in reading.history.rules(run)}
    if key.upper() not in found:
        raise AskedWrongly(
            f"the run did not ask the rule {key[:32]!r}{suggestion(key[:32], found)}", status=404
        )
    return RuleDetailV1(run=run.name, as_of=run.started, rule=found[key.upper()])


def coverage(reading: Reading, asked: Asked, _: str) -> CoverageV1:
    """Every practice."""
    run = _run(reading, asked)
    found: list[PracticeV1] = reading.history.coverage(run)
    part, rest = _cut(found, reading, asked)
    return CoverageV1(run=run.name, as_of=run.started, total=len(found), next=rest, practices=part)


def fixes(reading: Reading, asked: Asked, _: str) -> FixesV1:
    """The changes that remove most first."""
    run = _run(reading, asked)
    found: list[FixV1] = reading.history.fixes(run)
    part, rest = _cut(found, reading, asked)
    return FixesV1(run=run.name, as_of=run.started, total=len(found), next=rest, fixes=part)


def gaps(reading: Reading, asked: Asked, _: str) -> GapsV1:
    """Calls that did not tell."""
    run = _run(reading, asked)
    found: list[GapV1] = reading.history.gaps(run)
    part, rest = _cut(found, reading, asked)
    return GapsV1(run=run.name, as_of=run.started, total=len(found), next=rest, gaps=part)


def _cut(found: Sequence[T], reading: Reading, asked: Asked) -> tuple[list[T], str | None]:
    """The page of a list that is asked for, and the cursor of the next one."""
    label = reading.generation.label
    start = place_in(asked, label)
    stop = start + asked.limit
    return list(found[start:stop]), cursor_to(stop, label, asked) if stop < len(found) else None


# ------------------------------------------------------------------------------------------- table

_OF_RUN = (RUN, ACCOUNT_OF_RUN)
_PILLAR = Parameter("pillar", "Pillars.", PILLARS, many=True)
_WHAT = Parameter(
    "what",
    "What happened.",
    ("new", "reopened", "resolved", "unconfirmed", "accepted", "open", "changed"),
    many=True,
)
_PAGED = (LIMITED, CURSOR)
_ID = Parameter("id", "A finding's id.", longest=64)
_NAME = Parameter("name", "A run's name, its number, its day, `latest` or `previous`.", longest=100)
_CODE = Parameter("code", "A rule's code.", longest=32)

ENDPOINTS = (
    Endpoint(
        "/api/v1/findings", "findings", "Findings, filtered.", (*FILTERS, SORT, *_PAGED), FindingsV1, findings
    ),
    Endpoint("/api/v1/findings/{id}", "finding", "One finding and its history.", (), HistoryV1, finding, _ID),
    Endpoint("/api/v1/facets", "facets", "Counts of findings by value.", FILTERS, FacetsV1, facets),
    Endpoint("/api/v1/runs", "runs", "Runs.", (ACCOUNT_OF_RUN, *_PAGED), RunsV1, runs),
    Endpoint("/api/v1/runs/{name}", "run", "One run.", (), RunDetailV1, run_detail, _NAME),
    Endpoint(
        "/api/v1/runs/{name}/changes",
        "changes",
        "What a run changed.",
        (_WHAT, *_PAGED),
        ChangesV1,
        changes,
        _NAME,
        slow=True,
    ),
    Endpoint(
        "/api/v1/pillars", "pillars", "Scores now and their trend.", (*_OF_RUN, _PILLAR), PillarsV1, pillars
    ),
    Endpoint("/api/v1/rules", "rules", "The rules that ran.", (*_OF_RUN, _PILLAR, *_PAGED), RulesV1, rules),
    Endpoint("/api/v1/rules/{code}", "rule", "One rule.", _OF_RUN, RuleDetailV1, rule, _CODE),
    Endpoint(
        "/api/v1/coverage",
        "coverage",
        "Practices and their state.",
        (*_OF_RUN, *_PAGED),
        CoverageV1,
        coverage,
    ),
    Endpoint("/api/v1/fixes", "fixes", "The next best fixes.", (*_OF_RUN, *_PAGED), FixesV1, fixes),
    Endpoint("/api/v1/gaps", "gaps", "What could not be read.", (*_OF_RUN, *_PAGED), GapsV1, gaps),
)


def stream(
    picture: Picture, ordered: bytes, sort: str, start: int, limit: int
) -> Iterator[list[tuple[int, int]]]:
    """The (row, run) of findings from a place on, some hundreds at a time, up to `limit`."""
    rest: int | None = start
    while rest is not None and limit > 0:
        places, rest = picture.page(ordered, sort, rest, min(limit, MOST // 2))
        limit -= len(places)
        if places:
            yield picture.verdicts(places)
