"""What was accepted and is not delivered yet, in SQLite: in memory, or in a file that outlives the process.

A *target* is one log to be changed, or one sink to be told; its *changes* are what was said of it, in order, so that
the later word always wins. What was taken is given back by `finish`, `postpone`, `fail` or `release`.

Feedback to an event id becomes feedback to logs once they are found (`refile`). What was delivered to logs in the
meantime is remembered until then, so that an older word never overrides a newer one.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json
from aigw.feedback import _inbox as inbox
from aigw.feedback import _spool_sql as sql
from aigw.feedback._claims import GIVE_BACK, Claims
from aigw.feedback._database import Database, transaction
from aigw.feedback._rows import FailedFeedback, Kind, Target, Work
from aigw.feedback._spool_sql import as_json

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from aigw.feedback._merge import Changes

_TIDY_EVERY: Final = 256


class Spool:
    """The rows of one account, for one queue; safe in threads. The child of a fork needs one of its own.

    Args:
        path: The file, made with mode 0600; in memory when left out.
        account_id: Whose feedback it is; others in the same file are left alone.
        sinks: The names of the sinks this queue can tell.

    Attributes:
        pending: Feedback that waits for the gateway, as far as this queue knows of other processes.

    Raises:
        ConfigurationError: The file is no spool of this version.
        OSError: The file cannot be made.
        sqlite3.Error: The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str] | None, account_id: str, sinks: Sequence[str] = ()) -> None:
        self._account = account_id
        self._sinks = tuple(sinks)
        self._names = ("", *sinks)
        self._claims = Claims()
        self._is_sealed = False
        self._untidied = 0
        self._database = Database(path)
        with self._database as db:
            self.pending = self._count(db, [""])

    def seal(self) -> None:
        """Accept nothing more."""
        with self._database:
            self._is_sealed = True

    def close(self) -> None:
        """Give back what is still taken, and close the file."""
        self.release()
        self._database.close()

    def accept(self, targets: Sequence[Target], changes: Changes, now: float, most: float = math.inf) -> int:
        """Keep feedback to some targets, all or none; it is safe when this returns.

        Args:
            targets: What it is for.
            changes: What it says.
            now: The time.
            most: How much may wait before it.

        Returns:
            For how many targets it was kept: 0 when there was no room.

        Raises:
            RuntimeError: The queue is closed.
        """
        with self._database as db:
            if self._is_sealed:
                raise RuntimeError("the feedback queue is closed")
            if self.pending >= most:
                self.pending = self._count(db, [""])
                if self.pending >= most:
                    return 0
            inbox.put(db, self._account, targets, changes, now)
            self.pending += len(targets)
        return len(targets)

    def take(self, now: float, sinks: Collection[str] | None = None) -> Work | None:
        """Take the target that is due the longest; `None` when none is.

        Args:
            now: The time.
            sinks: For whom; the gateway is the empty one. For all when left out.
        """
        with self._writing() as db:
            row = self._claims.take(db, self._account, self._names if sinks is None else sinks, now)
            if row is None:
                return None
            rows = db.execute(sql.CHANGES, row[:1]).fetchall()
        bodies = tuple(parse_json(body) for _, body, _ in rows)
        seqs = tuple(seq for seq, _, done in rows if not done)
        return Work(*row, bodies, seqs)  # type: ignore[call-arg] # a row has the columns

    def next_due(self, sinks: Collection[str] | None = None) -> float | None:
        """Tell when the next target that nobody has taken is due; what is not filed yet is due at once."""
        names = self._names if sinks is None else sinks
        with self._database as db:
            dues = [*db.execute(sql.NEXT_DUE, (self._account, as_json(names))).fetchone()]
            if "" in names:
                dues += db.execute(sql.NEXT_UNFILED, (self._account,)).fetchone()
        return min((due for due in dues if due is not None), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, for the gateway or for our sinks."""
        with self._database as db:
            return not db.execute(sql.IS_WAITING, (self._account, self._account, as_json(self._names))).fetchone()[0]

    def waiting(self) -> int:
        """Count the feedback that is neither delivered nor failed."""
        with self._reading() as db:
            return self._count(db, self._names)

    def finish(self, work: Work, now: float) -> None:
        """Note that all of it was delivered; the sinks are told next."""
        with self._settling(work) as db:
            if db is None:
                return
            self._mirror(db, work, now)
            db.execute(sql.DONE, (as_json(work.seqs),))
            state = "waiting" if _has_more(db, work) else "done"
            db.execute(
                f"{GIVE_BACK}, state = ?, attempts = 0, since = ?, due = ? WHERE id = ?",
                (state, now, now, work.target_id),
            )
            self._said(work)
            self._tidy(db)

    def refile(self, work: Work, last: Sequence[str], found: Sequence[str], now: float) -> None:
        """Note that logs were found: what is said goes there, in the order it was said.

        Args:
            work: Who looked for them.
            last: The log that is meant when not all are.
            found: All of them.
            now: The time.
        """
        event_id = work.event_id or work.name
        with self._settling(work) as db:
            if db is None:
                return
            for log_id in dict.fromkeys((*found, *last)):
                row = self._row(db, "", Target(work.gateway_id, "log", log_id, event_id), now)
                db.execute(sql.REFILE, (row, work.target_id, log_id in last))
            db.execute("DELETE FROM change WHERE target = ?", (work.target_id,))
            db.execute("DELETE FROM target WHERE id = ?", (work.target_id,))
            self.pending = self._count(db, [""])

    def postpone(self, work: Work, due: float, error: str) -> None:
        """Note that it could not be delivered yet."""
        with self._settling(work) as db:
            if db is not None:
                db.execute(
                    f"{GIVE_BACK}, attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
                    (due, error, work.target_id),
                )

    def fail(self, work: Work, error: str, now: float) -> bool:
        """Make it a dead letter, of which the sinks are told all the same; not if more was said since it was taken."""
        with self._settling(work) as db:
            if db is None:
                return False
            if _has_more(db, work):
                db.execute(
                    f"{GIVE_BACK}, attempts = 0, since = ?, due = ?, error = ? WHERE id = ?",
                    (now, now, error, work.target_id),
                )
                return False
            self._mirror(db, work, now)
            db.execute(
                f"{GIVE_BACK}, attempts = attempts + 1, state = 'failed', error = ? WHERE id = ?",
                (error, work.target_id),
            )
            self._said(work)
            return True

    def release(self, work: Work | None = None) -> None:
        """Give back what was taken and not tried: one target, or all."""
        with self._writing() as db:
            self._claims.release(db, None if work is None else work.target_id)

    def renew(self, now: float) -> None:
        """Keep what this queue has taken, free what nobody works on any more, and count anew."""
        with self._writing() as db:
            self._claims.renew(db, now)
            self.pending = self._count(db, [""])

    def failed(self) -> list[FailedFeedback]:
        """Give the dead letters of the account, oldest first."""
        with self._reading() as db:
            return [_failed(db, *target) for target in db.execute(sql.FAILED, (self._account,)).fetchall()]

    def retry_failed(self, now: float) -> int:
        """Let dead letters wait for delivery again, and count them."""
        with self._writing() as db:
            count = db.execute(sql.RETRY, (now, now, self._account)).rowcount
            self.pending = self._count(db, [""])
        return count

    def _row(self, db: sqlite3.Connection, sink: str, target: Target, now: float) -> int:
        key = (sink, self._account, target.gateway_id, target.kind, target.name, target.event_id, now, now)
        [(row,)] = db.execute(sql.INSERT_TARGET, key).fetchall()
        if db.execute(sql.REVIVE).rowcount:
            self.pending = self._count(db, [""])
        return int(row)

    def _mirror(self, db: sqlite3.Connection, work: Work, now: float) -> None:
        if work.sink:
            return
        target = Target(work.gateway_id, work.kind, work.name, work.event_id)
        for sink in self._sinks:
            db.execute(sql.MIRROR, (self._row(db, sink, target, now), as_json(work.seqs)))

    def _said(self, work: Work) -> None:
        if not work.sink:
            self.pending -= len(work.seqs)

    def _tidy(self, db: sqlite3.Connection) -> None:
        """Forget what was delivered, but for what is newer than feedback whose log is still looked for."""
        oldest = math.inf
        if db.execute(sql.IS_SEARCHED).fetchone() is not None:
            self._untidied += 1
            if self._untidied % _TIDY_EVERY:
                return
            oldest = db.execute(sql.OLDEST_SEARCHED).fetchone()[0] or math.inf
        told = db.execute(sql.FORGET_CHANGES, (oldest,)).fetchall()
        db.execute(sql.FORGET_TARGETS, (as_json({target for (target,) in told}),))

    def _count(self, db: sqlite3.Connection, sinks: Sequence[str]) -> int:
        given = (self._account, self._account, as_json(sinks))
        return int(db.execute(sql.COUNT, given).fetchone()[0])

    @contextmanager
    def _settling(self, work: Work) -> Iterator[sqlite3.Connection | None]:
        """Give nothing when what was taken is another's by now."""
        with self._writing() as db:
            yield db if self._claims.has(db, work.target_id) else None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give a spool in which everything is filed."""
        with self._database as db:
            is_filed = inbox.is_empty(db)
            if is_filed:
                yield db
        if not is_filed:
            with self._writing() as db:
                yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give a spool in which everything is filed, for one transaction."""
        with self._database as db:
            pending = self.pending
            try:
                with transaction(db):
                    if inbox.file_all(db):
                        self.pending = self._count(db, [""])
                    yield db
            except BaseException:
                self.pending = pending
                raise


def _has_more(db: sqlite3.Connection, work: Work) -> bool:
    """Tell whether more was said of a target since it was taken."""
    return db.execute(sql.MORE, (work.target_id, as_json(work.seqs))).fetchone() is not None


def _failed(
    db: sqlite3.Connection, target: int, gateway: str, name: str, kind: Kind, sink: str, *rest: Any
) -> FailedFeedback:
    changes = [parse_json(body) for _, body, done in db.execute(sql.CHANGES, (target,)) if not done]
    return FailedFeedback(gateway, name, kind, sink, changes, *rest)
