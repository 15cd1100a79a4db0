"""Who works on what: a target is taken by one queue at a time, so that two processes never send to one log at once.

What was taken is given back; by `renew` a claim lives on, and the claims of processes that are gone are void.
"""

# ruff: noqa: S608

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.feedback._owner import Owner
from aigw.feedback._spool_sql import as_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

LEASE_SECONDS: Final = 30.0

FREE: Final = "state = 'waiting' AND owner = '' AND account = ?"
GIVE_BACK: Final = "UPDATE target SET owner = '', lease = 0"
_TAKE: Final = f"""
UPDATE target SET owner = ?, lease = ? WHERE id = (
  SELECT id FROM target WHERE due <= ? AND id IN (
    SELECT (SELECT id FROM target WHERE {FREE} AND sink = value ORDER BY due LIMIT 1) FROM json_each(?))
  ORDER BY due LIMIT 1)
RETURNING id, sink, gateway, kind, name, event_id, since, attempts
"""
_END_OTHERS: Final = f"{GIVE_BACK} WHERE owner != '' AND (lease < ? OR owner IN (SELECT value FROM json_each(?)))"


class Claims:
    """The claims of one queue; each method is part of a transaction of the caller's."""

    def __init__(self) -> None:
        self._owner = str(Owner.current())

    def take(self, db: sqlite3.Connection, account: str, sinks: Collection[str], now: float) -> tuple[Any, ...] | None:
        """Take the target that is due the longest, and give its row as `Work` begins; `None` when none is."""
        given = (self._owner, now + LEASE_SECONDS, now, account, as_json(sinks))
        row: tuple[Any, ...] | None = db.execute(_TAKE, given).fetchone()
        return row

    def has(self, db: sqlite3.Connection, target_id: int) -> bool:
        """Tell whether what was taken is still ours; a claim that was not renewed in time may be another's."""
        ours = "SELECT 1 FROM target WHERE id = ? AND owner = ?"
        return db.execute(ours, (target_id, self._owner)).fetchone() is not None

    def release(self, db: sqlite3.Connection, target_id: int | None = None) -> None:
        """Give one target back, or all."""
        if target_id is None:
            db.execute(f"{GIVE_BACK} WHERE owner = ?", (self._owner,))
        else:
            db.execute(f"{GIVE_BACK} WHERE owner = ? AND id = ?", (self._owner, target_id))

    def renew(self, db: sqlite3.Connection, now: float) -> None:
        """Keep what this queue has taken, and free what nobody works on any more."""
        db.execute("UPDATE target SET lease = ? WHERE owner = ?", (now + LEASE_SECONDS, self._owner))
        owners = db.execute("SELECT DISTINCT owner FROM target WHERE owner != ''").fetchall()
        gone = [owner for (owner,) in owners if Owner.parse(owner).is_gone]
        db.execute(_END_OTHERS, (now, as_json(gone)))
