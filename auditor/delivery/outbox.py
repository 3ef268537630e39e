"""What is still to be told: recorded with the run itself, tried until it arrives, and never in the run's way.

A run and its messages are one transaction, so that a run which is killed right after it was recorded is told of by the
next one. A message may arrive twice where a run is killed between sending and noting that; it is never lost.
"""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor.delivery.notify import PAUSES, Message, Told, channel_name, message, send
from auditor.ledger.history import History
from auditor.ledger.layout import transaction
from auditor.settings import Channel
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

TRIES = 12
"""After so many attempts over several runs a message is given up."""


def channels_of(channels: tuple[Channel, ...]) -> dict[str, Channel]:
    """The channels by the names under which their deliveries are recorded."""
    return {channel_name(number, channel): channel for number, channel in enumerate(channels)}


def deliver(
    connection: sqlite3.Connection,
    channels: Mapping[str, Channel],
    sessions: "Sessions",
    say: Callable[[str], None],
    pause: Callable[[float], None],
) -> int:
    """Send what is still to be told, of this run and earlier ones; how many messages did not arrive comes back."""
    history = History(connection)
    by_id = {run.id: run for run in history.runs()}
    failed = 0
    rows = connection.execute(
        "SELECT run, channel, attempts FROM deliveries WHERE delivered IS NULL AND attempts < ? ORDER BY run",
        (TRIES,),
    ).fetchall()
    for number, name, attempts in rows:
        if name not in channels or number not in by_id:
            continue
        run = by_id[number]
        told = [Told(what, finding) for what, finding in history.happened(run)]
        found = message(channels[name], history.run_v1(run), told)
        tried, error = _try(channels[name], found, sessions, pause) if found is not None else (0, "")
        _note(connection, number, name, attempts + tried, error)
        if error:
            failed += 1
            say(f"{name} was not told of run {run.name}: {error}; the next run tries again")
    return failed


def _try(
    channel: Channel, told: Message, sessions: "Sessions", pause: Callable[[float], None]
) -> tuple[int, str]:
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
