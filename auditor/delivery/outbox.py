"""What is still to be told: recorded with the run itself, tried until it arrives, and never in the run's way.

A run and its messages are one transaction, so that a run which is killed right after it was recorded is told of by the
next one. A message may arrive twice where a run is killed between sending and noting that; it is never lost. Findings
for Security Hub are such a message, too: what a run resolved is told by that run or by none.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor.delivery.notify import PAUSES, Message, Told, channel_name, message, send
from auditor.ledger.history import History, Run
from auditor.ledger.layout import transaction
from auditor.settings import Channel, Settings
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

TRIES = 12
"""After so many attempts over several runs a message is given up."""

Say = Callable[[str], None]
Pause = Callable[[float], None]
Way = Callable[[History, Run, bool], tuple[int, str]]
"""`way(history, run, newest)` tells of a run: how many attempts it took, and the error of the last one."""


def ways_of(settings: Settings, sessions: "Sessions", say: Say, pause: Pause) -> dict[str, Way]:
    """Whom to tell, by the names under which deliveries are recorded. Nothing is sent yet."""
    ways = {
        channel_name(number, channel): _notifying(channel, sessions, pause)
        for number, channel in enumerate(settings.notify)
    }
    return ways | dict.fromkeys(settings.push, _pushing(sessions, say, pause))


def deliver(connection: sqlite3.Connection, ways: Mapping[str, Way], say: Say) -> int:
    """Tell what is still to be told, of this run and earlier ones; how many messages did not arrive comes back."""
    history = History(connection)
    runs = history.runs()
    by_id = {run.id: run for run in runs}
    failed = 0
    rows = connection.execute(
        "SELECT run, channel, attempts FROM deliveries WHERE delivered IS NULL AND attempts < ? ORDER BY run",
        (TRIES,),
    ).fetchall()
    for number, name, attempts in rows:
        if name not in ways or number not in by_id:
            continue
        run = by_id[number]
        tried, error = ways[name](history, run, number == runs[-1].id)
        _note(connection, number, name, attempts + tried, error)
        if error:
            failed += 1
            say(f"{name} was not told of run {run.name}: {error}; the next run tries again")
    return failed


def _pushing(sessions: "Sessions", say: Say, pause: Pause) -> Way:
    def push(history: History, run: Run, newest: bool) -> tuple[int, str]:
        from auditor.delivery.push import push_with

        if run.compacted:
            return 0, ""
        feed = history.feed(run)
        # The newest run says how everything stands now: of an earlier one only what it resolved is still news.
        pushed = push_with(feed if newest else replace(feed, findings=lambda: iter(())), sessions, pause)
        if pushed.again:
            return 1, pushed.text
        if not pushed.whole:
            say(pushed.text)
        return 1, ""

    return push


def _notifying(channel: Channel, sessions: "Sessions", pause: Pause) -> Way:
    def notify(history: History, run: Run, newest: bool) -> tuple[int, str]:
        del newest
        told = [Told(what, finding) for what, finding in history.happened(run)]
        found = message(channel, history.run_v1(run), told)
        return _try(channel, found, sessions, pause) if found is not None else (0, "")

    return notify


def _try(channel: Channel, told: Message, sessions: "Sessions", pause: Pause) -> tuple[int, str]:
    """Send a message, again after a pause where it does not arrive: how many attempts, and the last one's error."""
    error = ""
    for tried, wait in enumerate((0.0, *PAUSES), 1):
        if wait:
            pause(wait)
        try:
            send(channel, told, sessions)
        except CollectorError as failure:
            error = str(failure)
        else:
            return tried, ""
    return 1 + len(PAUSES), error


def _note(connection: sqlite3.Connection, run: int, channel: str, attempts: int, error: str) -> None:
    delivered = None if error else datetime.now(UTC).isoformat(timespec="seconds")
    with transaction(connection):
        connection.execute(
            "UPDATE deliveries SET attempts = ?, delivered = ?, error = ? WHERE run = ? AND channel = ?",
            (attempts, delivered, error, run, channel),
        )
