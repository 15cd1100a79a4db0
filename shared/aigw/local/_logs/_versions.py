"""The versions of the log store's file: which file is one, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3
from typing import Final

from aigw.local._logs._schema import FACETS, SCHEMA, TIMES, TRIGGERS
from aigw.local._logs._values import VALUES

VERSION: Final = 4
"""Today's, kept in `PRAGMA user_version`."""

_STEPS: Final = (
    (range(1), SCHEMA.split(";")),
    (range(3), FACETS),
    (range(3, 4), TIMES),
    (range(4), (*TRIGGERS, *VALUES)),
)

_COLUMNS: Final = frozenset(("row", "account", "gateway", "id", "created_at", "provider", "model", "path"))
"""Columns of the logs in every version."""


def check(db: sqlite3.Connection) -> None:
    """Refuse a file that another program or a newer aigw keeps; nothing is written.

    Raises:
        sqlite3.DatabaseError: It is no database, no log store, or one of a newer version.
    """
    version, things = db.execute(
        "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    ).fetchone()
    columns = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('logs')")}
    is_ours = columns >= _COLUMNS if version else not things
    if not is_ours and (things or version <= VERSION):
        raise sqlite3.DatabaseError("another program keeps its data in this database")
    if not 0 <= version <= VERSION:
        raise sqlite3.DatabaseError(f"the log store has schema {version}; this aigw reads {VERSION}")


def upgrade(version: int) -> list[str]:
    """Give the statements that make today's file from one of a version; 0 is an empty one."""
    statements = [statement for versions, step in _STEPS if version in versions for statement in step]
    return [*statements, f"PRAGMA user_version = {VERSION}"] if statements else []
