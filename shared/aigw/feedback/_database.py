"""One SQLite connection for all threads of a process: who may use it when, and what becomes of it when it forks.

It knows nothing of what is in it.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from aigw._forks import Forking
from aigw.feedback._spool_file import open_spool

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator
    from types import TracebackType


class Database(Forking):
    """A spool's file, or memory; entered, the connection is the thread's own, and a statement is a transaction.

    Args:
        path: The file; in memory when left out. A fork's child may go on with a file, and not with memory.

    Raises:
        ConfigurationError: The file is no spool of this version.
        OSError: The file cannot be made.
        sqlite3.Error: The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = path
        self._lock = Lock()
        self._is_closed = False
        self._connection: sqlite3.Connection | None = open_spool(path)
        super().__init__()

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            return self._connection or self._opened()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def close(self) -> None:
        """Close it for good."""
        with self._lock:
            self._is_closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def before_fork(self) -> None:
        """Close the file while the process forks: SQLite's locks would not be the child's, nor safe with the parent."""
        self._lock.acquire()
        if self._path is not None and self._connection is not None:
            self._connection.close()
            self._connection = None

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; the file is opened again when it is needed."""
        del in_child
        self._lock.release()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise RuntimeError("the feedback queue is closed")
        self._connection = open_spool(self._path)
        return self._connection


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Write all of it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
