"""What is still to be told: recorded with the run itself, tried until it arrives, and never in the run's way.

A run and its messages are one transaction, so that a run which is killed right after it was recorded is told of by the
next one. A message may arrive twice where a run is killed between sending and noting that; it is never lost. Findings
for Security Hub are such a message, too: what a run resolved is told by that run or by none.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor.delivery.notify import PAUSES, Message, Told, UnusableError, channel_name, message, send
from auditor.ledger.history import History, Run
from auditor.ledger.layout import transaction
from auditor.settings import Channel, Settings
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

TRIES = 60
"""After so many attempts over several runs a message is given up; a run makes at most four."""

Say = Callable[[str], None]
Pause = Callable[[float], None]
Way = Callable[[History, Run, bool], tuple[int, str] | None]
"""`way(history, run, newest)` tells of a run: how many attempts it took, and the error of the last one.

Nothing comes back where it is not for this run to tell of that one.
"""


def ways_of(settings: Settings, sessions: "Sessions", say: Say, pause: Pause) -> dict[str, Way]:
    """Whom to tell, by the names under which deliveries are recorded. Nothing is sent yet."""
    ways: dict[str, Way] = {}
    for channel in settings.notify:
        name = channel_name(channel)
        # Two channels may lead to one place, with thresholds of their own.
        same = sum(each.partition(" #")[0] == name for each in ways)
        ways[f"{name} #{same + 1}" if same else name] = _notifying(channel, sessions, pause)
    return ways | dict.fromkeys(settings.push, _pushing(sessions, say, pause))


def deliver(connection: sqlite3.Connection, ways: Mapping[str, Way], say: Say) -> None:
    """Tell what is still to be told, of this run and earlier ones."""
    history = History(connection)
    runs = {run.id: run for run in history.runs()}
    rows = connection.execute(
        "SELECT run, channel, attempts FROM deliveries WHERE delivered IS NULL AND attempts < ? ORDER BY run",
        (TRIES,),
    ).fetchall()
    failed: dict[str, list[str]] = {}
    for number, name, attempts in rows:
        if name not in ways or number not in runs:
            continue
        outcome = ways[name](history, runs[number], number == max(runs))
        if outcome is None:
            continue
        tried, error = outcome
        _note(connection, number, name, attempts + tried, error)
        if error:
            then = "it is given up" if attempts + tried >= TRIES else "the next run tries again"
            failed.setdefault(f"{error}; {then}", []).append(
                f"{name} was not told of run {runs[number].name}"
            )
    for why, told in failed.items():
        more = f" and {len(told) - 1} more" if len(told) > 1 else ""
        say(f"{told[0]}{more}: {why}")


def _pushing(sessions: "Sessions", say: Say, pause: Pause) -> Way:
    def push(history: History, run: Run, newest: bool) -> tuple[int, str] | None:
        from auditor.delivery.push import push_securityhub

        if run.compacted:
            return 0, ""
        try:
            mine = sessions.identity().account
        except CollectorError as error:
            return 1, str(error)
        feed = history.feed(run)
        if not newest:
            if feed.run.account != mine:
                # Another account's run, which it has to tell itself.
                return None
            # Later runs say how everything stands now: of this one only what it resolved is still news.
            feed = replace(feed, findings=lambda: iter(()))
        pushed = push_securityhub(feed, mine, sessions.call, pause)
        if pushed.again:
            return 1, pushed.text
        if not pushed.whole:
            say(pushed.text)
        return 1, ""

    return push


def _notifying(channel: Channel, sessions: "Sessions", pause: Pause) -> Way:
    broken = False

    def notify(history: History, run: Run, newest: bool) -> tuple[int, str]:
        del newest
        nonlocal broken
        told = [Told(what, finding) for what, finding in history.happened(run)]
        found = message(channel, history.run_v1(run), told)
        if found is None:
            return 0, ""
        # A channel that failed a moment ago is not waited for again.
        tried, error = _try(channel, found, sessions, pause, () if broken else PAUSES)
        broken = bool(error)
        return tried, error

    return notify


def _try(
    channel: Channel, told: Message, sessions: "Sessions", pause: Pause, pauses: Sequence[float]
) -> tuple[int, str]:
    """Send a message, again after a pause where it does not arrive: how many attempts, and the last one's error."""
    tried, error = 0, ""
    for wait in (0.0, *pauses):
        if wait:
            pause(wait)
        tried += 1
        try:
            send(channel, told, sessions)
        except UnusableError as failure:
            return tried, str(failure)
        except CollectorError as failure:
            error = str(failure)
        else:
            return tried, ""
    return tried, error


def _note(connection: sqlite3.Connection, run: int, channel: str, attempts: int, error: str) -> None:
    delivered = None if error else datetime.now(UTC).isoformat(timespec="seconds")
    with transaction(connection):
        connection.execute(
            "UPDATE deliveries SET attempts = ?, delivered = ?, error = ? WHERE run = ? AND channel = ?",
            (attempts, delivered, error, run, channel),
        )
