"""How far a run has come, in SQLite: each verdict is in the file before it is sent, and finished when it arrived.

A file belongs to one gateway and one judge, and to one run at a time. WAL with `synchronous=NORMAL` survives the end of
the process at any moment, not a power cut in the last instant.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from aigw._errors import ConfigurationError
from aigw._json import dump_json, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Noted = Literal["judged", "scored", "skipped", "failed"]
"""What is known of a log: a verdict on its way, one that arrived, none, or that the judge raised."""

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, changes BLOB NOT NULL DEFAULT x'', error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX log_judged ON log (id) WHERE state = 'judged';
"""
_NOTE: Final = """
INSERT INTO log (id, state, changes, error) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
state = excluded.state, changes = excluded.changes, error = excluded.error
"""


def default_path(gateway_id: str, name: str) -> Path:
    """Give the file of a gateway and a judge in the current folder."""
    return Path(f"aigw-score-{gateway_id}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.sqlite3")


class Progress:
    """The logs of one gateway that one judge has looked at.

    Args:
        path: The file, made with mode 0600; in memory when left out.
        about: Whose it is, by name: account, gateway, judge.

    Raises:
        ConfigurationError: The file is another gateway's or judge's, none of these, or in use by another run.
        OSError: It cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str] | None, about: Mapping[str, str]) -> None:
        self._path = path
        if path is not None:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path or ":memory:", timeout=0.5, isolation_level=None)
        try:
            self._open(about)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise ConfigurationError(f"progress {path!s}: another run has it ({error})") from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise ConfigurationError(f"progress {path!s}: this is no progress file ({error})") from error
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def is_noted(self, log_id: str) -> bool:
        """Tell whether a log is finished, or its verdict waits for delivery: the judge is not to be asked."""
        row = self._db.execute("SELECT state FROM log WHERE id = ?", (log_id,)).fetchone()
        return row is not None and row[0] != "failed"

    def note(self, log_id: str, state: Noted, changes: Mapping[str, Any] | None = None, error: str = "") -> None:
        """Write down what is known of a log; it is safe when this returns."""
        self._db.execute(_NOTE, (log_id, state, dump_json(dict(changes)) if changes else b"", error))

    def undelivered(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the verdicts that are on their way, by log id."""
        rows = self._db.execute("SELECT id, changes FROM log WHERE state = 'judged' ORDER BY id").fetchall()
        return ((log_id, parse_json(changes)) for log_id, changes in rows)

    @property
    def is_again(self) -> bool:
        """Whether everything is being judged once more, and that is not finished."""
        return self._about("again") == "1"

    def begin_again(self) -> None:
        """Forget every log, and that the logs themselves say who judged them, until `end_again`."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM log")
        self._db.execute("INSERT OR REPLACE INTO about VALUES ('again', '1')")
        self._db.execute("COMMIT")

    def end_again(self) -> None:
        """Note that everything was judged once more."""
        self._db.execute("DELETE FROM about WHERE name = 'again'")

    def _open(self, about: Mapping[str, str]) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            self._db.executescript(f"BEGIN EXCLUSIVE;{_SCHEMA}PRAGMA user_version = {_VERSION};COMMIT;")
        elif version != _VERSION:
            raise ConfigurationError(f"progress {self._path!s}: it has version {version}; this aigw reads {_VERSION}")
        self._db.execute("BEGIN EXCLUSIVE")
        for name, value in about.items():
            self._db.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
        self._db.execute("COMMIT")
        for name, value in about.items():
            found = self._about(name)
            if found != value:
                raise ConfigurationError(
                    f"progress {self._path!s}: its {name} is {found!r}, not {value!r}; each has a file of its own"
                )

    def _about(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])
