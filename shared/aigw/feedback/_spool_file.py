"""The file of a spool: its tables, who may read it, and how it is opened while others do the same."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from aigw._errors import ConfigurationError

_VERSION: Final = 2
_BUSY_SECONDS: Final = 10.0
_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS target (
  id INTEGER PRIMARY KEY, sink TEXT NOT NULL, account TEXT NOT NULL, gateway TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, event_id TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', since REAL NOT NULL,
  due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', lease REAL NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', UNIQUE (sink, account, gateway, name));
CREATE TABLE IF NOT EXISTS change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, said INTEGER, target INTEGER NOT NULL REFERENCES target, body BLOB NOT NULL,
  is_for_all INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS inbox (
  seq INTEGER PRIMARY KEY, account TEXT NOT NULL, said_at REAL NOT NULL, body BLOB NOT NULL, gateway TEXT NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, event_id TEXT NOT NULL, is_for_all INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS change_target ON change (target);
CREATE INDEX IF NOT EXISTS change_done ON change (target) WHERE done = 1;
DROP INDEX IF EXISTS target_waiting;
CREATE INDEX IF NOT EXISTS target_ours ON target (account, sink) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS target_free ON target (account, sink, due) WHERE state = 'waiting' AND owner = '';
CREATE INDEX IF NOT EXISTS target_searched ON target (id) WHERE state = 'waiting' AND kind != 'log' AND sink = '';
CREATE INDEX IF NOT EXISTS target_revived ON target (id) WHERE attempts < 0;
CREATE INDEX IF NOT EXISTS target_owned ON target (owner) WHERE owner != '';
PRAGMA user_version = {_VERSION};
COMMIT;
"""


def open_spool(path: str | os.PathLike[str] | None) -> sqlite3.Connection:
    """Open a spool, and make it if it is new, or give it what is new since its version; in memory without a path.

    Raises:
        ConfigurationError: The file is no spool of this version.
        OSError: The file cannot be made.
        sqlite3.Error: The file cannot be opened.
    """
    if path is not None:
        _make(Path(path))
    db = sqlite3.connect(path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        is_complete = _check(db, path)
        if path is not None:
            Path(path).chmod(0o600)
            _insist(db, "PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if not is_complete:
            _insist(db, _SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _make(path: Path) -> None:
    """Make the file, never touching one that is there: to close it would end the locks SQLite holds on it here."""
    if path.is_dir():
        raise ConfigurationError(f"the spool {str(path)!r} is a folder; it is a file")
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _check(db: sqlite3.Connection, path: object) -> bool:
    """Tell whether the file has all our tables; refuse what somebody else keeps there."""
    try:
        version, tables = _look(db)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"the spool {str(path)!r} cannot be used: {error}") from error
    if not 0 <= version <= _VERSION:
        raise ConfigurationError(f"the spool {str(path)!r} has version {version}; this aigw knows version {_VERSION}")
    if tables and not version:
        raise ConfigurationError(f"the spool {str(path)!r} is a database of something else")
    return bool(version == _VERSION)


def _look(db: sqlite3.Connection) -> tuple[int, int]:
    """Give the version and the number of tables, both of one moment: another process may be making them."""
    db.execute("BEGIN")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        if db.in_transaction:
            db.execute("COMMIT")
    return version, tables


def _insist(db: sqlite3.Connection, script: str) -> None:
    """Do what SQLite refuses at once, time-out or not, while another process does the same."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.executescript(script)
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            if db.in_transaction:
                db.execute("ROLLBACK")
            time.sleep(0.01)
        else:
            return
