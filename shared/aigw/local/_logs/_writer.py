"""How logs get into the store: those of calls that end in the same moment go in one transaction.

A transaction costs more than the log in it, on disk three times as much. Nothing is lost by waiting for others: a log
is committed when its writing returns, also when that is cancelled, so that no answer is ahead of its log.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Final

from anyio.lowlevel import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.local._logs._record import LogRecord
    from aigw.local._logs._store import LogStore

_log: Final = logging.getLogger("aigw.local")


class LogWriter:
    """The one writer of an engine's logs; safe in threads, each with an event loop of its own.

    A log that cannot be written is reported to `logging`, and takes no other with it.

    Args:
        store: Where logs are kept.

    Attributes:
        store: Where logs are kept.
    """

    def __init__(self, store: LogStore) -> None:
        self.store = store
        self._lock = Lock()
        self._waiting: deque[LogRecord] = deque()

    def write(self, record: LogRecord) -> None:
        """Write a log now."""
        self._waiting.append(record)
        self._flush()

    async def write_together(self, record: LogRecord) -> None:
        """Write a log with those of all calls that have come as far in this turn of the event loop."""
        self._waiting.append(record)
        try:
            await checkpoint()
        finally:
            self._flush()

    def _flush(self) -> None:
        """Write what waits; what another thread has begun to write is written when this returns."""
        with self._lock:
            records = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if records:
                self._write(records)

    def _write(self, records: Sequence[LogRecord]) -> None:
        try:
            self.store.add_many(records)
        except (sqlite3.Error, OverflowError, ValueError):
            if len(records) == 1:
                _log.exception("log %r could not be written", records[0].id)
                return
            for record in records:
                self._write((record,))
