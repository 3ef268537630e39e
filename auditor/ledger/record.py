"""A report becomes a run of the ledger, and every finding gets its state.

    before         judged now     state now
    -              fails          new
    resolved       fails          reopened
    accepted       fails          reopened, for the acceptance has ended
    open           fails          open
    open           not known      unconfirmed
    open           passes, gone   resolved
    anything       accepted       accepted

What the run did not ask about stays as it is.
"""

import hashlib
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from auditor.feed_v1 import SEVERITIES, AcceptedV1, OpposedV1, PointV1, ReferenceV1, RunV1, SavingV1
from auditor.ledger.fate import Fate, Spoken, place_of
from auditor.ledger.layout import ACCEPTED, FAIL, MERGED, RESOLVED, UNKNOWN, transaction
from auditor.outputs.json_v1 import encoded
from auditor.publish import feed_of, references, saving_v1
from auditor.report import Report
from collectors.model import Snapshot
from collectors.redaction import without_hashes
from evaluators.engine import Subject
from evaluators.finding import Finding
from evaluators.rule import Rule

_BATCH = 10_000

CHANGES = ("new", "reopened", "resolved", "unconfirmed", "accepted", "open", "changed")
"""What may happen to a finding in a run. `open` is one that is confirmed again."""


class RuleText(msgspec.Struct, frozen=True, array_like=True):
    """What a rule says of all its findings."""

    name: str
    title: str
    severity: str
    confidence: float
    rationale: str
    remedy: str
    command: str
    change: str
    maps: list[ReferenceV1]


class ResourceFacts(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a resource beside its columns."""

    environment_source: str
    tags: dict[str, str]
    chain: list[str]


class VerdictBody(msgspec.Struct, frozen=True, array_like=True):
    """What a verdict says beside its columns; evidence as (operation, field, value)."""

    why: str
    lowered: list[str]
    evidence: list[tuple[str, str, Any]]
    savings: list[SavingV1]
    opposed: list[OpposedV1]
    accepted: AcceptedV1 | None


class Scope(msgspec.Struct, frozen=True):
    """What a run spoke of: (account, place) and rule codes."""

    places: list[tuple[str, str]]
    codes: list[str]


class _Held(NamedTuple):
    """A current verdict as the writer needs it: where it is, and what it was."""

    id: int
    digest: bytes
    status: int
    confirmed: int
    first: int | None
    opened: int | None


class Recorded(NamedTuple):
    """A run as it was recorded: its number, its name and how many findings changed how."""

    run: int
    name: str
    changes: Mapping[str, int]


def record(
    connection: sqlite3.Connection, report: Report, snapshot: Snapshot, channels: tuple[str, ...] = ()
) -> Recorded:
    """Write a run, whole or not at all. `channels` are where its changes are to be told afterwards.

    Raises `sqlite3.Error` where the disk is full or the file damaged.
    """
    with transaction(connection):
        return _Recording(connection, report, snapshot).run(channels)


def digest_of(*parts: bytes) -> bytes:
    """Eight bytes that tell one row from another."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).digest()


class _Recording:
    def __init__(self, connection: sqlite3.Connection, report: Report, snapshot: Snapshot) -> None:
        self.connection = connection
        self.report = report
        self.snapshot = snapshot
        before = connection.execute("SELECT DISTINCT account, place FROM covered").fetchall()
        self.spoken = Spoken.by(report, snapshot, before, self.windows())
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
        self.number = last + 1
        self.changes: Counter[str] = Counter()
        self.rules: dict[Rule, int] = {}
        self.resources: dict[int, int] = {}
        self.known = dict(connection.execute("SELECT digest, id FROM resources"))
        self.closed: list[tuple[int]] = []
        self.written: list[tuple[Any, ...]] = []
        self.events: list[tuple[int, bytes, str, str]] = []

    def windows(self) -> dict[str, int]:
        """How many days the last run about each account looked back."""
        rows = self.connection.execute(
            "SELECT c.account, r.run FROM runs r "
            "JOIN (SELECT account, max(run) AS run FROM covered GROUP BY account) c ON r.id = c.run"
        )
        return {account: msgspec.json.decode(run, type=RunV1).lookback_days for account, run in rows}

    def run(self, channels: tuple[str, ...]) -> Recorded:
        held = self.current()
        told: set[bytes] = set()
        for finding, status, accepted in self.findings():
            key = bytes.fromhex(finding.id)
            # AWS may name two parts of a resource alike; the first one, which is the worst, stands for both.
            if key not in told:
                told.add(key)
                self.judge(key, finding, status, accepted, held.pop(key, None))
        self.rest(held)
        self.flush()
        name = self.describe()
        self.connection.executemany(
            "INSERT INTO deliveries (run, channel) VALUES (?, ?)", [(self.number, each) for each in channels]
        )
        return Recorded(self.number, name, self.counted())

    def counted(self) -> dict[str, int]:
        """How many findings changed how, in a fixed order."""
        return {what: self.changes[what] for what in CHANGES if what != "changed"}

    def current(self) -> dict[bytes, _Held]:
        """The current verdicts by finding, of the accounts that this run is about."""
        accounts = sorted({account for account, _ in self.spoken.places})
        marks = ", ".join("?" * len(accounts))
        rows = self.connection.execute(
            "SELECT v.finding, v.id, v.digest, v.status, v.confirmed, v.first, v.opened FROM verdicts v "
            f"JOIN resources r ON r.id = v.resource WHERE v.until IS NULL AND r.account IN ({marks})",
            accounts,
        )
        return {finding: _Held(*rest) for finding, *rest in rows}

    def findings(self) -> Iterator[tuple[Finding, int, AcceptedV1 | None]]:
        for finding in self.report.findings:
            yield finding, FAIL, None
        for finding, acceptance in self.report.accepted:
            yield finding, ACCEPTED, AcceptedV1(acceptance.reason, acceptance.expires)
        for finding in self.report.unknown:
            yield finding, UNKNOWN, None
        for finding in self.report.folded:
            yield finding, MERGED, None

    def judge(
        self, key: bytes, finding: Finding, status: int, accepted: AcceptedV1 | None, held: _Held | None
    ) -> None:
        """One verdict of this run against the one before it."""
        was = held.status if held is not None else None
        # Whoever does not know now has not seen it end: it was open, and may be.
        unconfirmed = (
            status == UNKNOWN and held is not None and (was in (FAIL, ACCEPTED, MERGED) or not held.confirmed)
        )
        rule, resource = self.rule(finding.rule), self.resource(finding)
        body = encoded(_body(finding, accepted))
        columns = (status, int(not unconfirmed), finding.score, int(finding.severity), rule, resource)
        bare = without_hashes(body)
        digest = digest_of(repr(columns).encode(), bare)
        if held is not None and held.digest == digest:
            if bare != body:
                # The findings of a run tell the same secret by the same hash.
                self.connection.execute("UPDATE verdicts SET body = ? WHERE id = ?", (body, held.id))
            return
        what, first, opened = self.told(status, unconfirmed, held)
        if what:
            self.happened(key, what, self.reason(what, finding))
        seen = None if not unconfirmed or held is None else self.seen(held)
        self.close(held)
        self.write(key, *columns[:4], first, opened, seen, rule, resource, finding.subject.part, digest, body)

    def told(self, status: int, unconfirmed: bool, held: _Held | None) -> tuple[str, int | None, int | None]:
        """What happened to the finding, in which run it failed first, and since which run it is open."""
        first = held.first if held is not None else None
        opened = held.opened if held is not None else None
        was = held.status if held is not None else None
        now = self.number
        if status == UNKNOWN:
            told = "unconfirmed" if unconfirmed and held is not None and held.confirmed else ""
            return told, first, opened if unconfirmed else None
        if status == ACCEPTED:
            return ("" if was == ACCEPTED else "accepted"), first or now, opened or now
        if status == MERGED:
            # Another finding tells it.
            return "", first or now, opened or now
        if first is None:
            return "new", now, now
        if was in (RESOLVED, ACCEPTED) or opened is None:
            return "reopened", first, now
        if held is not None and not held.confirmed:
            return "open", first, opened
        return ("" if was == MERGED else "changed"), first, opened

    def reason(self, what: str, finding: Finding) -> str:
        if what == "unconfirmed" and finding.gap is not None:
            return str(finding.gap)
        return ""

    def rest(self, held: dict[bytes, _Held]) -> None:
        """What this run did not give: resolved where it shows that, unconfirmed where it cannot."""
        waiting = {old.id: (key, old) for key, old in held.items() if old.status != RESOLVED}
        ids = sorted(waiting)
        for start in range(0, len(ids), 500):
            chunk = ids[start : start + 500]
            rows = self.connection.execute(
                "SELECT v.id, v.score, v.severity, v.rule, v.resource, v.part, v.body, u.code, "
                "r.kind, r.account, r.place, r.arn, r.name FROM verdicts v JOIN rules u ON u.id = v.rule "
                f"JOIN resources r ON r.id = v.resource WHERE v.id IN ({', '.join('?' * len(chunk))})",
                chunk,
            ).fetchall()
            for id_, score, severity, rule, resource, part, body, code, *where in rows:
                key, old = waiting[id_]
                fate = self.spoken.fate(code, *where)
                self.end(key, old, fate, (score, severity), (rule, resource, part, body))

    def end(
        self, key: bytes, old: _Held, fate: Fate, weight: tuple[int, int], rest: tuple[int, int, str, bytes]
    ) -> None:
        """One earlier verdict that this run did not repeat."""
        if fate is Fate.UNTOUCHED:
            return
        if old.first is None or fate is Fate.RETIRED:
            # It was only ever unknown, and is no more; or nobody asks any longer, which resolves nothing.
            if fate not in (Fate.UNCONFIRMED, Fate.BEYOND):
                self.close(old)
            return
        rule, resource, part, body = rest
        status, confirmed, opened, what = RESOLVED, 1, None, "resolved"
        if fate in (Fate.UNCONFIRMED, Fate.BEYOND):
            status, body = self.unjudged(old.status, body)
            confirmed, opened, what = 0, old.opened, "unconfirmed"
            if opened is None or (status == old.status and not old.confirmed):
                return
        columns = (status, confirmed, *weight, rule, resource)
        digest = digest_of(repr(columns).encode(), without_hashes(body))
        if digest == old.digest:
            return
        if old.opened is not None and (old.confirmed or confirmed):
            self.happened(key, what, fate.value)
        seen = self.seen(old)
        self.close(old)
        self.write(key, *columns[:4], old.first, opened, seen, rule, resource, part, digest, body)

    def unjudged(self, status: int, body: bytes) -> tuple[int, bytes]:
        """How an earlier verdict stands that could not be judged again: no acceptance outlives its last day."""
        if status == ACCEPTED:
            told = msgspec.json.decode(body, type=VerdictBody)
            if told.accepted is not None and told.accepted.expires < self.report.run.started.date():
                return FAIL, encoded(msgspec.structs.replace(told, accepted=None))
        # Whoever stood for a finding may not be there either: it speaks for itself again.
        return (FAIL if status == MERGED else status), body

    def seen(self, held: _Held) -> int | None:
        """The last run that judged it so: the one before this where it was confirmed until now."""
        if not held.confirmed:
            row = self.connection.execute("SELECT seen FROM verdicts WHERE id = ?", (held.id,)).fetchone()
            return int(row[0]) if row and row[0] is not None else None
        row = self.connection.execute(
            "SELECT c.run FROM verdicts v JOIN resources r ON r.id = v.resource JOIN rules u ON u.id = v.rule "
            "JOIN covered c ON c.account = r.account AND c.place = r.place AND c.code = u.code WHERE v.id = ?",
            (held.id,),
        ).fetchone()
        return int(row[0]) if row else None

    # ------------------------------------------------------------------------------------ writing

    def happened(self, finding: bytes, what: str, why: str) -> None:
        self.changes[what] += 1
        self.events.append((self.number, finding, what, why))

    def close(self, held: _Held | None) -> None:
        if held is not None:
            self.closed.append((held.id,))

    def write(self, finding: bytes, *columns: Any) -> None:
        self.written.append((finding, self.number, *columns))
        if len(self.written) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self.connection.executemany(
            f"UPDATE verdicts SET until = {self.number} WHERE id = ?",
            self.closed,
        )
        self.connection.executemany(
            "INSERT INTO verdicts (finding, since, status, confirmed, score, severity, first, opened, seen, rule, "
            "resource, part, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.written,
        )
        self.connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", self.events)
        self.closed, self.written, self.events = [], [], []

    def rule(self, rule: Rule) -> int:
        if rule not in self.rules:
            text = RuleText(
                rule.name,
                rule.title,
                rule.severity.label,
                rule.confidence,
                rule.rationale,
                rule.remedy.text,
                rule.remedy.command,
                rule.change.value,
                references(rule),
            )
            body = encoded(text)
            self.rules[rule] = self.kept(
                "rules",
                digest_of(rule.code.encode(), body),
                code=rule.code,
                pillar=rule.pillar.value,
                body=body,
            )
        return self.rules[rule]

    def resource(self, finding: Finding) -> int:
        # The findings on a resource share one subject, and the report keeps it alive.
        subject = finding.subject
        if id(subject) not in self.resources:
            self.resources[id(subject)] = self.resource_row(finding, subject)
        return self.resources[id(subject)]

    def resource_row(self, finding: Finding, subject: Subject) -> int:
        place = place_of(subject.kind, subject.region)
        columns = {
            "account": subject.account,
            "place": place,
            "region": subject.region,
            "kind": subject.kind,
            "type": subject.type,
            "arn": subject.arn,
            "name": subject.name,
            "environment": finding.environment,
            "body": encoded(
                ResourceFacts(finding.environment_source, dict(subject.tags), list(finding.chain))
            ),
        }
        digest = digest_of(repr(columns).encode())
        if digest not in self.known:
            self.known[digest] = self.kept("resources", digest, **columns)
        return int(self.known[digest])

    def kept(self, table: str, digest: bytes, **columns: Any) -> int:
        """The row of a table with this digest, made where there is none."""
        row = self.connection.execute(f"SELECT id FROM {table} WHERE digest = ?", (digest,)).fetchone()
        if row is not None:
            return int(row[0])
        names, marks = ", ".join(("digest", *columns)), ", ".join("?" * (len(columns) + 1))
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            (digest, *columns.values()),
        )
        return int(cursor.lastrowid or 0)

    def document(self, value: Any) -> int:
        body = encoded(value)
        return self.kept("documents", digest_of(body), body=zlib.compress(body, 6))

    def describe(self) -> str:
        """Write the run itself; its name comes back."""
        feed = feed_of(self.report)
        started = self.report.run.started
        name = f"{started:%Y%m%dT%H%M%SZ}-{self.number}"
        run: RunV1 = msgspec.structs.replace(feed.run, id=name, changes=self.counted())
        scope = Scope(sorted(self.spoken.places), sorted(self.spoken.codes))
        counts = [(self.rule(rule), dict(verdicts)) for rule, verdicts in self.report.rules]
        documents = [scope, counts, feed.gaps, feed.fixes, feed.coverage]
        self.connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.number,
                name,
                started.isoformat(),
                int(run.complete),
                encoded(run),
                encoded(feed.pillars),
                encoded(self.point(run, feed.pillars)),
                *map(self.document, documents),
            ),
        )
        covered = [(*place, code, self.number) for place in scope.places for code in scope.codes]
        self.connection.executemany("INSERT OR REPLACE INTO covered VALUES (?, ?, ?, ?)", covered)
        return name

    def point(self, run: RunV1, pillars: Mapping[str, Any]) -> PointV1:
        found = Counter(finding.severity.label for finding in self.report.findings)
        by_pillar = Counter(finding.rule.pillar.value for finding in self.report.findings)
        return PointV1(
            id=run.id,
            started=run.started,
            complete=run.complete,
            score=run.score,
            pillars=dict(pillars),
            severities={severity: found[severity] for severity in SEVERITIES},
            by_pillar={pillar: by_pillar[pillar] for pillar in pillars},
            unknown=len(self.report.unknown),
            changes=dict(run.changes),
            waste=dict(run.waste.total),
            waste_by_pillar={pillar: dict(amounts) for pillar, amounts in run.waste.by_pillar.items()},
        )


def _body(finding: Finding, accepted: AcceptedV1 | None) -> VerdictBody:
    return VerdictBody(
        finding.why,
        list(finding.lowered),
        [(each.operation, each.field, each.value) for each in finding.evidence],
        [saving_v1(saving) for saving in finding.savings],
        [OpposedV1(o.id, o.code, o.why, o.weigh) for o in finding.opposed],
        accepted,
    )
