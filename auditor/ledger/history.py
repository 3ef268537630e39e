"""Runs, findings and their changes, read back from the ledger as the shapes of the feed."""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from auditor.feed_v1 import (
    EvidenceV1,
    Feed,
    FindingV1,
    FixV1,
    GapV1,
    PointV1,
    PracticeV1,
    RuleV1,
    RunV1,
    ScoreV1,
    State,
)
from auditor.ledger.layout import ACCEPTED, FAIL, MERGED, RESOLVED, UNKNOWN, LedgerError
from auditor.ledger.record import ResourceFacts, RuleText, Scope, VerdictBody
from auditor.outputs.json_v1 import encoded
from collectors.redaction import without_hashes
from evaluators.engine import Subject
from evaluators.finding import filled
from evaluators.rule import Severity

TREND = 90
"""How many runs a trend goes back."""

_COLUMNS = (
    "v.id, v.finding, v.since, v.status, v.confirmed, v.score, v.severity, v.first, v.opened, v.seen, v.rule, "
    "v.part, v.body, r.account, r.place, r.region, r.kind, r.type, r.arn, r.name, r.environment, r.body"
)
_FROM = "verdicts v JOIN resources r ON r.id = v.resource JOIN rules u ON u.id = v.rule"


class Run(NamedTuple):
    """A run by its number and name; `started` is when its snapshot was taken.

    Of a run that was `compacted` away its scores and counts are left, for the trend.
    """

    id: int
    name: str
    started: datetime
    complete: bool
    compacted: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a finding between two runs; `fields` are (field, before, after) of one that changed."""

    what: str
    why: str
    finding: FindingV1
    fields: tuple[tuple[str, Any, Any], ...] = ()


class History:
    """Reads a ledger. Decoded texts of rules and starts of runs are kept; findings are not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._rules: dict[int, tuple[str, str, RuleText]] = {}
        self._starts: dict[int, datetime | None] = {}

    # ---------------------------------------------------------------------------------------- runs

    def runs(self, account: str = "") -> list[Run]:
        """The runs, the oldest first; of one account only those about it."""
        rows = self.connection.execute(
            "SELECT id, name, started, complete, scope IS NULL FROM runs ORDER BY id"
        ).fetchall()
        found = [
            Run(id_, name, datetime.fromisoformat(at), bool(whole), bool(gone))
            for id_, name, at, whole, gone in rows
        ]
        return [run for run in found if not account or account in self.run_v1(run).account.split(", ")]

    def find(self, wanted: str) -> Run:
        """A run by `latest`, `previous`, its number, its name, or a day. Raises `LedgerError`."""
        found = self._find(wanted)
        if found.compacted:
            raise LedgerError(
                f"the findings of run {found.name} are compacted away: only its scores are kept"
            )
        return found

    def _find(self, wanted: str) -> Run:
        runs = self.runs()
        if not runs:
            raise LedgerError("the ledger holds no run yet")
        if wanted == "latest":
            return runs[-1]
        if wanted == "previous":
            place = self._place(runs[-1])
            earlier = [run for run in runs[:-1] if self._place(run) == place]
            if not earlier:
                raise LedgerError("the ledger holds no run before the latest one")
            return earlier[-1]
        of_day = [run for run in runs if run.started.date().isoformat() == wanted]
        named = [run for run in runs if wanted in (run.name, str(run.id))]
        if named or of_day:
            return (named or of_day)[-1]
        raise LedgerError(
            f"no run is called {wanted!r}: `auditor history` lists them; latest, previous, a number or a day will do"
        )

    def _place(self, run: Run) -> str:
        return self.run_v1(run).account

    def run_v1(self, run: Run) -> RunV1:
        """The run's part of the feed."""
        return msgspec.json.decode(self._cell(run, "run"), type=RunV1)

    def pillars(self, run: Run) -> dict[str, ScoreV1]:
        """The scores by pillar."""
        return msgspec.json.decode(self._cell(run, "pillars"), type=dict[str, ScoreV1])

    def points(self, runs: Iterable[Run]) -> list[PointV1]:
        """What a trend over these runs is drawn from."""
        return [msgspec.json.decode(self._cell(run, "point"), type=PointV1) for run in runs]

    def scope(self, run: Run) -> Scope:
        """What the run spoke of."""
        return msgspec.json.decode(self._document(run, "scope"), type=Scope)

    def gaps(self, run: Run) -> list[GapV1]:
        """What it could not read."""
        return msgspec.json.decode(self._document(run, "gaps"), type=list[GapV1])

    def fixes(self, run: Run) -> list[FixV1]:
        """The changes that remove its findings."""
        return msgspec.json.decode(self._document(run, "fixes"), type=list[FixV1])

    def coverage(self, run: Run) -> list[PracticeV1]:
        """Every practice and what it says of it."""
        return msgspec.json.decode(self._document(run, "coverage"), type=list[PracticeV1])

    def rules(self, run: Run) -> list[RuleV1]:
        """The rules that ran, as they were then."""
        counted = msgspec.json.decode(self._document(run, "rules"), type=list[tuple[int, dict[str, int]]])
        found = []
        for id_, verdicts in counted:
            code, pillar, text = self._rule(id_)
            found.append(
                RuleV1(
                    code=code,
                    name=text.name,
                    title=text.title,
                    pillar=pillar,
                    severity=text.severity,
                    verdicts=verdicts,
                    rationale=text.rationale,
                    remedy=text.remedy,
                    change=text.change,
                    confidence=text.confidence,
                    maps=text.maps,
                )
            )
        return found

    def _cell(self, run: Run, column: str) -> bytes:
        row = self.connection.execute(f"SELECT {column} FROM runs WHERE id = ?", (run.id,)).fetchone()
        return bytes(row[0])

    def _document(self, run: Run, column: str) -> bytes:
        row = self.connection.execute(
            f"SELECT d.body FROM runs JOIN documents d ON d.id = runs.{column} WHERE runs.id = ?",
            (run.id,),
        ).fetchone()
        return zlib.decompress(row[0])

    def _rule(self, id_: int) -> tuple[str, str, RuleText]:
        if id_ not in self._rules:
            code, pillar, body = self.connection.execute(
                "SELECT code, pillar, body FROM rules WHERE id = ?", (id_,)
            ).fetchone()
            self._rules[id_] = (code, pillar, msgspec.json.decode(body, type=RuleText))
        return self._rules[id_]

    # ------------------------------------------------------------------------------------ findings

    def feed(self, run: Run) -> Feed:
        """A run as the outputs render it."""
        same = [
            other for other in self.runs() if other.id <= run.id and self._place(other) == self._place(run)
        ]
        return Feed(
            run=self.run_v1(run),
            pillars=self.pillars(run),
            findings=lambda: self.findings(run),
            gaps=self.gaps(run),
            rules=self.rules(run),
            fixes=self.fixes(run),
            coverage=self.coverage(run),
            resolved=lambda: self.resolved(run),
            trend=self.points(same[-TREND:]),
        )

    def findings(self, run: Run) -> Iterator[FindingV1]:
        """What held in a run: failures worst first, then accepted ones, then unknowns."""
        asked = self._asked(run)
        ids = self.connection.execute(
            f"SELECT v.id FROM {_FROM} WHERE v.since <= :run AND (v.until IS NULL OR v.until > :run) "
            f"AND v.status IN ({FAIL}, {ACCEPTED}, {UNKNOWN}) "
            "ORDER BY v.status, v.score DESC, v.severity DESC, u.code, r.region, r.arn, v.part",
            {"run": run.id},
        ).fetchall()
        for row in self._rows(id_ for (id_,) in ids):
            if asked(row[13], row[14], row[10]):
                yield self._finding(row, run.id)

    def resolved(self, run: Run) -> Iterator[FindingV1]:
        """What a run closed, as it was last seen."""
        ids = self.connection.execute(
            f"SELECT v.id FROM {_FROM} JOIN events e ON e.finding = v.finding AND e.run = v.since "
            "WHERE e.run = ? AND e.what = 'resolved' "
            "ORDER BY v.score DESC, v.severity DESC, u.code, r.region, r.arn, v.part",
            (run.id,),
        ).fetchall()
        yield from (self._finding(row, run.id) for row in self._rows(id_ for (id_,) in ids))

    def happened(self, run: Run) -> Iterator[tuple[str, FindingV1]]:
        """What happened to findings in a run, and each as it stood then."""
        rows = self.connection.execute(
            f"SELECT v.id, e.what FROM {_FROM} JOIN events e ON e.finding = v.finding AND e.run = v.since "
            "WHERE e.run = ? ORDER BY v.id",
            (run.id,),
        ).fetchall()
        told = dict(rows)
        for row in self._rows(told):
            yield told[row[0]], self._finding(row, run.id)

    def _rows(self, ids: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Verdicts by their row numbers, in the order of these, a few hundred at a time."""
        chunk: list[int] = []
        for id_ in (*ids, None):
            if id_ is not None:
                chunk.append(id_)
            if len(chunk) == 500 or (id_ is None and chunk):
                rows = self.connection.execute(
                    f"SELECT {_COLUMNS} FROM {_FROM} WHERE v.id IN ({', '.join('?' * len(chunk))})",
                    chunk,
                )
                by_id = {row[0]: row for row in rows}
                yield from (by_id[each] for each in chunk)
                chunk = []

    def _finding(self, row: tuple[Any, ...], run: int) -> FindingV1:
        """A row in the feed's shape, as it stood in a run."""
        (_, key, _, status, confirmed, score, severity, first, opened, seen, rule, part, held) = row[:13]
        account, _, region, kind, type_, arn, name, environment, facts_body = row[13:]
        code, pillar, text = self._rule(rule)
        body, facts = _VERDICT.decode(held), _FACTS.decode(facts_body)
        subject = Subject(kind, type_, account, region, arn, name, part)
        unknown = status == UNKNOWN
        last = seen if seen is not None else run
        return FindingV1(
            id=key.hex(),
            verdict="unknown" if unknown else "fail",
            rule=code,
            name=text.name,
            title=text.title,
            pillar=pillar,
            severity=Severity(severity).label,  # type: ignore[arg-type]  # the labels are these literals
            rule_severity=text.severity,  # type: ignore[arg-type]  # the labels are these literals
            lowered=body.lowered,
            score=score,
            confidence=text.confidence,
            environment=environment,
            environment_source=facts.environment_source,
            account=account,
            region=region,
            resource_kind=kind,
            resource_type=type_,
            resource_arn=arn,
            resource_name=name,
            part=part,
            tags=facts.tags,
            why=body.why,
            evidence=[EvidenceV1(*each) for each in body.evidence],
            remedy=text.remedy,
            command="" if unknown else filled(text.command, subject),
            change=text.change,  # type: ignore[arg-type]  # the kinds of change are these literals
            maps=text.maps,
            accepted=body.accepted,
            savings=body.savings,
            chain=facts.chain,
            opposed=body.opposed,
            state=state_of(status, confirmed, first, opened, run),
            first_seen=None if first is None else self.started(first),
            last_seen=None if first is None else self.started(last),
        )

    def started(self, run: int) -> datetime | None:
        """When a run's snapshot was taken; of one that was compacted away, the oldest kept one's."""
        if run not in self._starts:
            row = self.connection.execute(
                "SELECT started FROM runs WHERE id >= ? ORDER BY id LIMIT 1", (run,)
            ).fetchone()
            self._starts[run] = datetime.fromisoformat(row[0]) if row else None
        return self._starts[run]

    def verdicts(self, wanted: Iterable[tuple[int, int]]) -> Iterator[FindingV1]:
        """Verdicts by (row, run), in the order given, each as it stood in that run. `KeyError` where one is gone."""
        runs = dict(wanted)
        yield from (self._finding(row, runs[row[0]]) for row in self._rows(runs))

    def rule_title(self, id_: int) -> tuple[str, str, str]:
        """Code, pillar and title of a rule by its row."""
        code, pillar, text = self._rule(id_)
        return code, pillar, text.title

    # ------------------------------------------------------------------------------------- changes

    def changes(self, old: Run, new: Run) -> Iterator[Change]:
        """What changed from one run to a later one: each finding once, by how it stands in the two.

        Findings that the later run did not ask about are not told.
        """
        asked = self._asked(new)
        before = self._standing(old, asked)
        for key, (id_, state) in self._standing(new, asked).items():
            was_id, was = before.pop(key, (0, ""))
            what = _between(was, state)
            if not what or (what == "changed" and was_id == id_):
                continue
            (row,) = self._rows([id_])
            found = self._finding(row, new.id)
            fields: tuple[tuple[str, Any, Any], ...] = ()
            if what == "changed":
                (earlier,) = self._rows([was_id])
                fields = _fields(self._finding(earlier, old.id), found)
                if not fields:
                    continue
            yield Change(what, self._why(key, old, new), found, fields)

    def _asked(self, run: Run) -> Callable[[str, str, int], bool]:
        """Whether a run asked about an account, a place and a rule by its row."""
        scope = self.scope(run)
        places, codes = {tuple(place) for place in scope.places}, set(scope.codes)
        return lambda account, place, rule: (account, place) in places and self._rule(rule)[0] in codes

    def _standing(self, run: Run, asked: Callable[[str, str, int], bool]) -> dict[bytes, tuple[int, str]]:
        """How each finding stood in a run: its verdict's row and its state, new counted as open."""
        rows = self.connection.execute(
            "SELECT v.finding, v.id, v.status, v.confirmed, r.account, r.place, v.rule "
            "FROM verdicts v JOIN resources r ON r.id = v.resource "
            "WHERE v.since <= :run AND (v.until IS NULL OR v.until > :run) AND v.first IS NOT NULL "
            "ORDER BY v.status, v.score DESC, v.severity DESC, v.finding",
            {"run": run.id},
        )
        return {
            key: (id_, "unconfirmed" if not confirmed else _STANDING[status])
            for key, id_, status, confirmed, *where in rows
            if asked(*where)
        }

    def _why(self, finding: bytes, old: Run, new: Run) -> str:
        row = self.connection.execute(
            "SELECT why FROM events WHERE finding = ? AND run > ? AND run <= ? ORDER BY run DESC LIMIT 1",
            (finding, old.id, new.id),
        ).fetchone()
        return str(row[0]) if row else ""


_VERDICT = msgspec.json.Decoder(VerdictBody)
_FACTS = msgspec.json.Decoder(ResourceFacts)
_OPENING = {"": "new", "resolved": "reopened", "unknown": "reopened", "accepted": "reopened"}
_STANDING = {FAIL: "open", ACCEPTED: "accepted", UNKNOWN: "unknown", RESOLVED: "resolved", MERGED: "merged"}


def state_of(status: int, confirmed: int, first: int | None, opened: int | None, run: int) -> State | None:
    """A verdict's state as of a run; none for an unknown that never failed."""
    if not confirmed:
        return "unconfirmed"
    if status == ACCEPTED:
        return "accepted"
    if status == RESOLVED:
        return "resolved"
    if status != FAIL:
        return None
    if opened == run:
        return "new" if first == run else "reopened"
    return "open"


def _between(was: str, now: str) -> str:
    """What became of a finding, by how it stood before and how it stands now; nothing where that is no news."""
    if now == was:
        return "changed" if now in ("open", "accepted") else ""
    match now:
        case "open":
            return _OPENING.get(was, "open")
        case "resolved":
            return "resolved" if was in ("open", "unconfirmed", "accepted", "merged") else ""
        case "accepted" | "unconfirmed":
            return now
        case _:
            return ""


def _same(old: Any, new: Any) -> bool:
    return old == new or without_hashes(encoded(old)) == without_hashes(encoded(new))


_TOLD_APART = frozenset({"state", "first_seen", "last_seen"})


def _fields(before: FindingV1, after: FindingV1) -> tuple[tuple[str, Any, Any], ...]:
    """What differs: evidence by its fields, all else by its name."""
    found: list[tuple[str, Any, Any]] = []
    for name in FindingV1.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old == new or name in _TOLD_APART:
            continue
        if name == "evidence":
            was, now = ({e.field: e.value for e in each} for each in (old, new))
            names = [*was, *(field for field in now if field not in was)]
            found += [(f, was.get(f), now.get(f)) for f in names if not _same(was.get(f), now.get(f))]
        else:
            found.append((name, old, new))
    return tuple(found)
