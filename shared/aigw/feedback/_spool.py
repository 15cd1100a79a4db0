"""What was accepted and is not delivered yet, in SQLite: in memory, or in a file that outlives the process.

A *target* is one log to be changed, or one sink to be told; its *changes* are what was said of it, in order. A target
is taken by one queue at a time, so that two processes never send to one log at once and the later word always wins.
What was taken is given back by `finish`, `postpone`, `fail` or `release`; by `renew` a claim lives on, and the claims
of processes that are gone are void.

Feedback to an event id becomes feedback to logs once they are found (`refile`). What was delivered to logs in the
meantime is remembered until then, so that an older word never overrides a newer one.
"""

from __future__ import annotations

import math
import os
import weakref
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json, parse_json
from aigw.feedback import _spool_sql as sql
from aigw.feedback._owner import Owner
from aigw.feedback._rows import FailedFeedback, Kind, Target, Work
from aigw.feedback._spool_file import open_spool

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from aigw.feedback._merge import Changes

LEASE_SECONDS: Final = 30.0

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
        self._owner = str(Owner.current())
        self._lock = Lock()
        self._is_sealed = False
        self._is_closed = False
        self._untidied = 0
        self._path = path
        self._connection: sqlite3.Connection | None = open_spool(path)
        self.pending = self._count([""])
        if path is not None:
            _close_at_forks(self)

    def seal(self) -> None:
        """Accept nothing more."""
        with self._lock:
            self._is_sealed = True

    def close(self) -> None:
        """Give back what is still taken, and close the file."""
        self.release()
        with self._lock:
            self._is_closed = True
            self._db.close()

    def before_fork(self) -> None:
        """Close the file while the process forks: SQLite's locks would not be the child's, nor safe with the parent."""
        self._lock.acquire()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def after_fork(self) -> None:
        """Go on, in the parent; the file is opened again when it is needed."""
        self._lock.release()

    def accept(self, targets: Iterable[Target], changes: Changes, now: float, most: float = math.inf) -> int:
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
        bodies = (dump_json(changes),)
        with self._writing():
            if self._is_sealed:
                raise RuntimeError("the feedback queue is closed")
            if self.pending >= most:
                self.pending = self._count([""])
                if self.pending >= most:
                    return 0
            before = self.pending
            for target in targets:
                self._add("", target, bodies, now)
            return self.pending - before

    def take(self, now: float, sinks: Collection[str] | None = None) -> Work | None:
        """Take the target that is due the longest; `None` when none is.

        Args:
            now: The time.
            sinks: For whom; the gateway is the empty one. For all when left out.
        """
        names = _json(self._names if sinks is None else sinks)
        with self._writing():
            row = self._db.execute(sql.TAKE, (self._owner, now + LEASE_SECONDS, now, self._account, names)).fetchone()
            if row is None:
                return None
            rows = self._db.execute(
                "SELECT seq, body, done FROM change WHERE target = ? ORDER BY coalesce(said, seq), seq", row[:1]
            ).fetchall()
        bodies = tuple(parse_json(body) for _, body, _ in rows)
        seqs = tuple(seq for seq, _, done in rows if not done)
        return Work(*row, bodies, seqs)  # type: ignore[call-arg] # a row has the columns

    def next_due(self, sinks: Collection[str] | None = None) -> float | None:
        """Tell when the next target that nobody has taken is due."""
        names = _json(self._names if sinks is None else sinks)
        with self._reading():
            row = self._db.execute(sql.NEXT_DUE, (self._account, names)).fetchone()
        return None if row[0] is None else float(row[0])

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, for the gateway or for our sinks."""
        with self._reading():
            return self._db.execute(sql.IS_WAITING, (self._account, _json(self._names))).fetchone() is None

    def waiting(self) -> int:
        """Count the feedback that is neither delivered nor failed."""
        with self._reading():
            return self._count(self._names)

    def finish(self, work: Work, now: float) -> None:
        """Note that all of it was delivered; the sinks are told next."""
        with self._settling(work) as is_ours:
            if not is_ours:
                return
            self._mirror(work, now)
            self._db.execute(
                "UPDATE change SET done = 1 WHERE seq IN (SELECT value FROM json_each(?))", (_json(work.seqs),)
            )
            state = "waiting" if self._has_more(work) else "done"
            self._db.execute(
                f"{sql.GIVE_BACK}, state = ?, attempts = 0, since = ?, due = ? WHERE id = ?",
                (state, now, now, work.target_id),
            )
            self._said(work)
            self._tidy()

    def refile(self, work: Work, last: Sequence[str], found: Sequence[str], now: float) -> None:
        """Note that logs were found: what is said goes there, in the order it was said.

        Args:
            work: Who looked for them.
            last: The log that is meant when not all are.
            found: All of them.
            now: The time.
        """
        event_id = work.event_id or work.name
        with self._settling(work) as is_ours:
            if not is_ours:
                return
            for log_id in dict.fromkeys((*found, *last)):
                row = self._row("", Target(work.gateway_id, "log", log_id, event_id), now)
                self._db.execute(sql.REFILE, (row, work.target_id, log_id in last))
            self._db.execute("DELETE FROM change WHERE target = ?", (work.target_id,))
            self._db.execute("DELETE FROM target WHERE id = ?", (work.target_id,))
            self.pending = self._count([""])

    def postpone(self, work: Work, due: float, error: str) -> None:
        """Note that it could not be delivered yet."""
        with self._settling(work) as is_ours:
            if is_ours:
                self._db.execute(
                    f"{sql.GIVE_BACK}, attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
                    (due, error, work.target_id),
                )

    def fail(self, work: Work, error: str, now: float) -> bool:
        """Make it a dead letter, of which the sinks are told all the same; not if more was said since it was taken."""
        with self._settling(work) as is_ours:
            if not is_ours:
                return False
            if self._has_more(work):
                self._db.execute(
                    f"{sql.GIVE_BACK}, attempts = 0, since = ?, due = ?, error = ? WHERE id = ?",
                    (now, now, error, work.target_id),
                )
                return False
            self._mirror(work, now)
            self._db.execute(
                f"{sql.GIVE_BACK}, attempts = attempts + 1, state = 'failed', error = ? WHERE id = ?",
                (error, work.target_id),
            )
            self._said(work)
            return True

    def release(self, work: Work | None = None) -> None:
        """Give back what was taken and not tried: one target, or all."""
        one = "" if work is None else " AND id = ?"
        with self._writing():
            self._db.execute(
                f"{sql.GIVE_BACK} WHERE owner = ?{one}", (self._owner, *([] if work is None else [work.target_id]))
            )

    def renew(self, now: float) -> None:
        """Keep what this queue has taken, free what nobody works on any more, and count anew."""
        with self._writing():
            self._db.execute("UPDATE target SET lease = ? WHERE owner = ?", (now + LEASE_SECONDS, self._owner))
            owners = self._db.execute("SELECT DISTINCT owner FROM target WHERE owner != ''").fetchall()
            gone = [owner for (owner,) in owners if Owner.parse(owner).is_gone]
            self._db.execute(
                f"{sql.GIVE_BACK} WHERE owner != '' AND (lease < ? OR owner IN (SELECT value FROM json_each(?)))",  # noqa: S608
                (now, _json(gone)),
            )
            self.pending = self._count([""])

    def failed(self) -> list[FailedFeedback]:
        """Give the dead letters of the account, oldest first."""
        with self._reading():
            targets = self._db.execute(
                "SELECT id, gateway, name, kind, sink, error, attempts, since FROM target"
                " WHERE state = 'failed' AND account = ? ORDER BY since, id",
                (self._account,),
            ).fetchall()
            return [self._failed(*target) for target in targets]

    def retry_failed(self, now: float) -> int:
        """Let dead letters wait for delivery again, and count them."""
        with self._writing():
            count = self._db.execute(
                "UPDATE target SET state = 'waiting', attempts = 0, since = ?, due = ?"
                " WHERE state = 'failed' AND account = ?",
                (now, now, self._account),
            ).rowcount
            self.pending = self._count([""])
        return count

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_spool(self._path)
        return self._connection

    @property
    def _names(self) -> tuple[str, ...]:
        return ("", *self._sinks)

    def _failed(self, target: int, gateway: str, name: str, kind: Kind, sink: str, *rest: Any) -> FailedFeedback:
        rows = self._db.execute(
            "SELECT body FROM change WHERE target = ? AND done = 0 ORDER BY coalesce(said, seq), seq", (target,)
        )
        return FailedFeedback(gateway, name, kind, sink, [parse_json(body) for (body,) in rows], *rest)

    def _add(self, sink: str, target: Target, bodies: Sequence[bytes], now: float) -> None:
        row = self._row(sink, target, now)
        self._db.executemany(
            "INSERT INTO change (target, is_for_all, body) VALUES (?, ?, ?)",
            [(row, target.is_for_all, body) for body in bodies],
        )
        if not sink:
            self.pending += len(bodies)

    def _row(self, sink: str, target: Target, now: float) -> int:
        key = (sink, self._account, target.gateway_id, target.kind, target.name, target.event_id, now, now)
        row, attempts = self._db.execute(sql.INSERT_TARGET, key).fetchone()
        if attempts < 0:  # it was a dead letter, and all of it waits again
            self._db.execute("UPDATE target SET attempts = 0 WHERE id = ?", (row,))
            self.pending = self._count([""])
        return int(row)

    def _mirror(self, work: Work, now: float) -> None:
        if work.sink or not self._sinks:
            return
        bodies = self._db.execute(
            "SELECT body FROM change WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY coalesce(said, seq), seq",
            (_json(work.seqs),),
        ).fetchall()
        target = Target(work.gateway_id, work.kind, work.name, work.event_id)
        for sink in self._sinks:
            self._add(sink, target, [body for (body,) in bodies], now)

    def _said(self, work: Work) -> None:
        if not work.sink:
            self.pending -= len(work.seqs)

    def _has_more(self, work: Work) -> bool:
        """Tell whether more was said of a target since it was taken."""
        return self._db.execute(sql.MORE, (work.target_id, _json(work.seqs))).fetchone() is not None

    def _tidy(self) -> None:
        """Forget what was delivered, but for what is newer than feedback whose log is still looked for."""
        oldest = math.inf
        if self._db.execute(sql.IS_SEARCHED).fetchone() is not None:
            self._untidied += 1
            if self._untidied % _TIDY_EVERY:
                return
            oldest = self._db.execute(sql.OLDEST_SEARCHED).fetchone()[0] or math.inf
        told = self._db.execute(
            "DELETE FROM change WHERE done = 1 AND coalesce(said, seq) < ? RETURNING target", (oldest,)
        ).fetchall()
        self._db.execute(
            "DELETE FROM target WHERE state = 'done' AND id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM change WHERE change.target = target.id)",
            (_json({target for (target,) in told}),),
        )

    def _count(self, sinks: Sequence[str]) -> int:
        return int(self._db.execute(sql.COUNT, (self._account, _json(sinks))).fetchone()[0])

    @contextmanager
    def _settling(self, work: Work) -> Iterator[bool]:
        """Tell whether what was taken is still ours; a claim that was not renewed in time may be another's."""
        with self._writing():
            ours = "SELECT 1 FROM target WHERE id = ? AND owner = ?"
            yield self._db.execute(ours, (work.target_id, self._owner)).fetchone() is not None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            self._check_open()
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._check_open()
            pending = self.pending
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self.pending = pending
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("the feedback queue is closed")


def _close_at_forks(spool: Spool) -> None:
    """Have a spool closed while its process forks, as long as there is one."""
    if not hasattr(os, "register_at_fork"):
        return
    held = weakref.ref(spool)

    def tell(method: Callable[[Spool], None]) -> None:
        kept = held()
        if kept is not None:
            method(kept)

    os.register_at_fork(
        before=lambda: tell(Spool.before_fork),
        after_in_parent=lambda: tell(Spool.after_fork),
        after_in_child=lambda: tell(Spool.after_fork),
    )


def _json(values: Iterable[object]) -> str:
    return dump_json(list(values)).decode()
