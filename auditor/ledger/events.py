"""What happened to findings: in a run, and to one of them over time."""

from collections.abc import Collection
from typing import NamedTuple

from auditor.ledger.history import History, Run
from auditor.ledger.layout import MERGED


class Event(NamedTuple):
    """One thing that happened: to which verdict (its row, where it is asked for), in which run, what and why."""

    verdict: int
    run: int
    name: str
    what: str
    why: str


def events_in(history: History, run: Run, what: Collection[str] = ()) -> list[Event]:
    """What a run did, the worst findings first; `what` chooses."""
    rows = history.connection.execute(
        "SELECT v.id, e.run, e.what, e.why FROM events e JOIN verdicts v ON v.finding = e.finding AND v.since = e.run "
        "WHERE e.run = ? ORDER BY v.score DESC, v.severity DESC, v.id",
        (run.id,),
    )
    return [
        Event(id_, number, run.name, told, why) for id_, number, told, why in rows if not what or told in what
    ]


def events_of(history: History, finding: str) -> list[Event]:
    """What happened to a finding, the oldest first. A run that was compacted away has no name."""
    # Events are found by their run first: this asks the runs one by one instead of reading all events.
    rows = history.connection.execute(
        "SELECT e.run, coalesce(r.name, ''), e.what, e.why "
        "FROM (SELECT id FROM runs UNION SELECT since FROM verdicts WHERE finding = :key) n "
        "CROSS JOIN events e ON e.run = n.id AND e.finding = :key LEFT JOIN runs r ON r.id = e.run ORDER BY e.run",
        {"key": bytes.fromhex(finding)},
    )
    return [Event(0, *row) for row in rows]


def standing(history: History, finding: str) -> tuple[int, int] | None:
    """The row of a finding's current verdict and the run that it stands at; none where it has no such verdict."""
    try:
        key = bytes.fromhex(finding)
    except ValueError:
        return None
    row = history.connection.execute(
        "SELECT v.id, coalesce(c.run, v.since) FROM verdicts v JOIN resources r ON r.id = v.resource "
        "JOIN rules u ON u.id = v.rule "
        "LEFT JOIN covered c ON c.account = r.account AND c.place = r.place AND c.code = u.code "
        f"WHERE v.finding = ? AND v.until IS NULL AND v.status != {MERGED}",
        (key,),
    ).fetchone()
    return None if row is None else (row[0], row[1])
