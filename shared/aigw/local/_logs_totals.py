"""The totals of a list of logs, without reading every log for every page.

A gateway's own are kept by triggers, in a table; after a delete their ranges are read anew, once. Those of a filter are
read, and kept in memory until a log is written, here or by another program.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any, Final

from aigw.local._logs_sql import INFO, INFO_NAMES

_MAX_KEPT: Final = 64
_REFRESH: Final = (
    f"UPDATE totals SET stale = 0, {', '.join(f'{name} = ?' for name in INFO_NAMES)} WHERE account = ? AND gateway = ?"  # noqa: S608 -- constants
)


class Totals:
    """The totals; to be asked under the store's lock.

    Args:
        db: The store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._kept: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = {}
        self._version = 0

    def forget(self) -> None:
        """Say that logs are about to change."""
        self._kept.clear()

    def of_gateway(self, account: str, gateway: str) -> dict[str, Any]:
        """Give the totals of all of a gateway's logs."""
        key = (account, gateway)
        row = self._db.execute("SELECT * FROM totals WHERE account = ? AND gateway = ?", key).fetchone()
        if row is None or row["stale"]:
            fresh = self._read("account = ? AND gateway = ?", key)
            if row is not None:
                with suppress(sqlite3.OperationalError):  # another program writes: the next list tries again
                    self._db.execute(_REFRESH, (*fresh.values(), *key))
            return fresh
        return {name: row[name] for name in INFO_NAMES}

    def of_matches(self, text: str, values: tuple[Any, ...]) -> dict[str, Any]:
        """Give the totals of the logs that a condition picks."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or len(self._kept) >= _MAX_KEPT:
            self._version = version
            self._kept.clear()
        if (text, values) not in self._kept:
            self._kept[text, values] = self._read(text, values)
        return self._kept[text, values]

    def _read(self, text: str, values: tuple[Any, ...]) -> dict[str, Any]:
        return dict(self._db.execute(f"SELECT {INFO} FROM logs WHERE {text}", values).fetchone())  # noqa: S608 -- names from tables, values bound
