"""What is forgotten: findings of runs that are older than somebody wants to look back; their scores stay."""

import sqlite3
from datetime import datetime

from auditor.ledger.layout import RESOLVED, transaction

_PARTS = ("scope", "rules", "gaps", "fixes", "coverage")


def forget(connection: sqlite3.Connection, before: datetime) -> int:
    """Drop what only runs before a moment need; how many runs that were comes back. The newest run always stays.

    A finding that was resolved before is forgotten, and so is one that no kept run asked about: should it fail again,
    it is new.
    """
    with transaction(connection):
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
        (kept,) = connection.execute(
            "SELECT coalesce(min(id), ?) FROM runs WHERE started >= ?", (last, before.isoformat())
        ).fetchone()
        old = [
            id_
            for (id_,) in connection.execute(
                "SELECT id FROM runs WHERE id < ? AND scope IS NOT NULL", (kept,)
            )
        ]
        if not old:
            return 0
        emptied = ", ".join(f"{part} = NULL" for part in _PARTS)
        connection.execute(f"UPDATE runs SET {emptied} WHERE id < ?", (kept,))
        connection.execute("DELETE FROM verdicts WHERE until IS NOT NULL AND until <= ?", (kept,))
        connection.execute(
            "DELETE FROM verdicts WHERE until IS NULL AND status = ? AND since < ?", (RESOLVED, kept)
        )
        connection.execute("DELETE FROM events WHERE run < ?", (kept,))
        connection.execute("DELETE FROM deliveries WHERE run < ?", (kept,))
        # What no kept run asked about is known to nobody any more.
        connection.execute(
            "DELETE FROM verdicts WHERE until IS NULL AND id IN (SELECT v.id FROM verdicts v "
            "JOIN resources r ON r.id = v.resource JOIN rules u ON u.id = v.rule LEFT JOIN covered c "
            "ON c.account = r.account AND c.place = r.place AND c.code = u.code WHERE coalesce(c.run, 0) < ?)",
            (kept,),
        )
        connection.execute("DELETE FROM covered WHERE run < ?", (kept,))
        used = " UNION ".join(f"SELECT {part} FROM runs WHERE {part} IS NOT NULL" for part in _PARTS)
        connection.execute(f"DELETE FROM documents WHERE id NOT IN ({used})")
        connection.execute("DELETE FROM resources WHERE id NOT IN (SELECT resource FROM verdicts)")
    return len(old)


def shrink(connection: sqlite3.Connection) -> None:
    """Give back the room of what was deleted, and empty the write-ahead log."""
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
