"""What was just said, in the order it was said: put down by one statement, and filed with its target later, in bulk.

The caller of a queue waits for the statement alone. Who writes anything else to the spool files the inbox first, all of
it and in its order, so that whatever is asked or changed there is as if it had been filed at once.
"""

# ruff: noqa: S608

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._json import dump_json
from aigw.feedback import _spool_sql as sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from aigw.feedback._merge import Changes
    from aigw.feedback._rows import Target

_ONE: Final = """
INSERT INTO inbox (account, said_at, body, gateway, kind, name, event_id, is_for_all) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_MANY: Final = """
INSERT INTO inbox (account, said_at, body, gateway, kind, name, event_id, is_for_all)
SELECT ?, ?, ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each(?) ORDER BY key
"""
_IS_EMPTY: Final = "SELECT NOT EXISTS (SELECT 1 FROM inbox)"
_FILE_TARGETS: Final = f"""
{sql.TARGET} SELECT '', account, gateway, kind, name, event_id, said_at, said_at FROM inbox WHERE true ORDER BY seq
{sql.OR_MERGE}
"""
_FILE_CHANGES: Final = """
INSERT INTO change (target, is_for_all, body)
SELECT target.id, inbox.is_for_all, inbox.body FROM inbox CROSS JOIN target
ON sink = '' AND target.account = inbox.account AND target.gateway = inbox.gateway AND target.name = inbox.name
ORDER BY inbox.seq
"""


def put(db: sqlite3.Connection, account: str, targets: Sequence[Target], changes: Changes, now: float) -> None:
    """Put feedback to some targets down, all or none, in a transaction of its own; it is safe when this returns."""
    said = (account, now, dump_json(changes))
    rows = [(one.gateway_id, one.kind, one.name, one.event_id, one.is_for_all) for one in targets]
    if len(rows) == 1:
        db.execute(_ONE, (*said, *rows[0]))
    else:
        db.execute(_MANY, (*said, sql.as_json(rows)))


def is_empty(db: sqlite3.Connection) -> bool:
    """Tell whether nothing is to be filed, of any account."""
    return bool(db.execute(_IS_EMPTY).fetchone()[0])


def file_all(db: sqlite3.Connection) -> bool:
    """File everything, in a transaction of the caller's; tell whether there were dead letters that wait again."""
    if is_empty(db):
        return False
    db.execute(_FILE_TARGETS)
    db.execute(_FILE_CHANGES)
    db.execute("DELETE FROM inbox")
    return db.execute(sql.REVIVE).rowcount > 0
