"""What both queues are but for their waiting: feedback comes in, is taken, and what became of it is noted.

A fork gets a backlog of its own: a file is opened again, and what was only in memory stays the parent's to deliver.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from aigw._account import check_gateway_id
from aigw._errors import AIGatewayError, ConfigurationError
from aigw._given import check_whole, shown
from aigw.feedback._delivery import Delivered, Found, Outcome, Refused
from aigw.feedback._merge import merge_changes
from aigw.feedback._patience import hold, is_temporary
from aigw.feedback._sinks import SentFeedback, Sink
from aigw.feedback._spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.feedback._merge import Changes
    from aigw.feedback._patience import Patience
    from aigw.feedback._rows import FailedFeedback, Target, Work


class FeedbackQueueFullError(AIGatewayError):
    """The queue holds as much as it may; nothing was accepted. Later there may be room."""

    is_retryable = True


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """What a queue did in this process.

    Attributes:
        accepted: Feedback that was taken in.
        delivered: Feedback that is in its log.
        failed: Feedback that became a dead letter.
        patches: Requests that were sent to change a log, those that failed too.
        mirrored: By sink, what it was told.
        unmirrored: By sink, what it could not be told.
    """

    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    patches: int = 0
    mirrored: dict[str, int] = field(default_factory=dict)
    unmirrored: dict[str, int] = field(default_factory=dict)


class Backlog:
    """Feedback of one account on its way to the gateway.

    Args:
        account_id: The account.
        spool: The file it is kept in, or `None`.
        mirror: Who else is told.
        concurrency: Requests to the gateway at once.
        max_pending: How much may wait.
        patience: How long delivery is tried.
        clock: Gives the time in seconds since 1970.

    Attributes:
        path: The file.
        max_workers: How many may work at once.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """

    def __init__(
        self,
        account_id: str,
        spool: str | os.PathLike[str] | None,
        mirror: Sequence[Sink],
        *,
        concurrency: int,
        max_pending: int,
        patience: Patience,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not account_id:
            raise ConfigurationError("account_id is missing: give the client one, or set CLOUDFLARE_ACCOUNT_ID")
        self.path = spool
        self._account_id = account_id
        self._sinks = _by_name(mirror)
        self._limits = {False: concurrency, True: _TELLERS if self._sinks else 0}
        self.max_workers = sum(self._limits.values())
        self._max_pending = max_pending
        self._patience = patience
        self._clock = clock
        self._spool: Spool
        self._open()

    @property
    def is_forked(self) -> bool:
        """Whether this is the child of the process that opened it."""
        return self._pid != os.getpid()

    def reopen(self) -> None:
        """Begin anew in the child of a fork."""
        self._open()

    @property
    def counts(self) -> FeedbackCounts:
        """What was done so far."""
        with self._lock:
            totals, told = self._totals, self._told
            mirrored = {name: told[name, True] for name in self._sinks}
            unmirrored = {name: told[name, False] for name in self._sinks}
            return FeedbackCounts(**totals, mirrored=mirrored, unmirrored=unmirrored)

    @property
    def accepted(self) -> int:
        """How much feedback was taken in so far."""
        return self._totals["accepted"]

    def accept(self, targets: Sequence[Target], changes: Changes) -> bool:
        """Take feedback in for all targets, and tell whether there was room; it is kept when this returns.

        Raises:
            RuntimeError: The queue is closed.
        """
        accepted = self._spool.accept(targets, changes, self._clock(), self._max_pending)
        self._count(accepted=accepted)
        return accepted > 0

    def full(self) -> FeedbackQueueFullError:
        """Say that there was no room."""
        return FeedbackQueueFullError(
            f"{self._spool.pending} feedbacks wait for delivery, as many as max_pending={self._max_pending} allows"
        )

    def take(self) -> Work | None:
        """Take what is due; one who took something gives it back by `settle` or `release`."""
        with self._taking:
            now = self._clock()
            work = self._spool.take(
                now, [name for is_sink in self._doors(now) for name in self._names(is_sink=is_sink)]
            )
            if work is not None:
                self._busy[bool(work.sink)] += 1
            return work

    def pause(self) -> float | None:
        """Give the seconds until something can be taken; `None` when nothing waits, or others must be ready first."""
        with self._taking:
            now = self._clock()
            dues = []
            for is_sink in (False, True):
                due = self._spool.next_due(self._names(is_sink=is_sink)) if self._has_hands(is_sink=is_sink) else None
                if due is not None:
                    dues.append(due if is_sink else max(due, self._held_until))
        return max(0.0, min(dues) - now) if dues else None

    def tell(self, work: Work) -> Outcome:
        """Tell the sink that work is for."""
        sink = self._sinks[work.sink]
        log_id, event_id = ("", work.name) if work.kind == "event" else (work.name, work.event_id)
        try:
            for changes in merge_changes(work.changes):
                sink.send(SentFeedback(work.gateway_id, log_id, event_id, changes))
        except Exception as error:  # noqa: BLE001 -- a sink is somebody else's code; what it raises is told by class
            return Refused(error)
        return Delivered()

    def settle(self, work: Work, outcome: Outcome, patches: int) -> None:
        """Note what became of work, and how many patches were sent for it."""
        now = self._clock()
        if not work.sink:
            self._watch(outcome, now)
        match outcome:
            case Delivered():
                self._spool.finish(work, now)
                self._settled(work, delivered=True)
            case Found(last, every):
                self._spool.refile(work, last, every, now)
            case Refused(error):
                self._refused(work, error, now)
        self._count(patches=patches)
        self._ready(work)

    def release(self, work: Work) -> None:
        """Give back what was taken and whose fate is not known."""
        self._spool.release(work)
        self._ready(work)

    def release_all(self) -> None:
        """Give back what those had that are no more."""
        self._spool.release()
        with self._taking:
            self._busy = {False: 0, True: 0}

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, of other processes in the same file too."""
        return self._spool.is_empty

    def waiting(self) -> int:
        """Count the feedback that is neither delivered nor failed, that of other processes in the same file too."""
        return self._spool.waiting()

    def renew(self) -> None:
        """Keep what is taken, and free what processes had that are gone."""
        self._spool.renew(self._clock())

    def failed(self) -> list[FailedFeedback]:
        """Give the dead letters."""
        return self._spool.failed()

    def retry_failed(self) -> int:
        """Let the dead letters wait again."""
        return self._spool.retry_failed(self._clock())

    def seal(self) -> None:
        """Take nothing more in."""
        self._spool.seal()

    def close(self) -> None:
        """Give back what is taken; the rest stays in the file."""
        self._spool.close()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._lock = Lock()
        self._taking = Lock()
        self._busy = {False: 0, True: 0}
        self._held_until = 0.0
        self._failures = 0
        self._totals = dict.fromkeys(_TOTALS, 0)
        self._told: Counter[tuple[str, bool]] = Counter()
        self._began = self._clock()
        self._spool = Spool(self.path, self._account_id, tuple(self._sinks))
        self.renew()

    def _doors(self, now: float) -> list[bool]:
        """Give for whom something may be taken: the gateway (False), unless it is left alone, and sinks (True)."""
        return [
            is_sink for is_sink in (False, True) if self._has_hands(is_sink=is_sink) and not self._is_held(now, is_sink)
        ]

    def _has_hands(self, *, is_sink: bool) -> bool:
        return self._busy[is_sink] < self._limits[is_sink]

    def _is_held(self, now: float, is_sink: bool) -> bool:  # noqa: FBT001
        return not is_sink and now < self._held_until

    def _names(self, *, is_sink: bool) -> tuple[str, ...]:
        return tuple(self._sinks) if is_sink else ("",)

    def _ready(self, work: Work) -> None:
        with self._taking:
            self._busy[bool(work.sink)] -= 1

    def _watch(self, outcome: Outcome, now: float) -> None:
        """Leave a gateway alone that fails; requests that were under way when it began to tell nothing new."""
        error = outcome.error if isinstance(outcome, Refused) else None
        with self._taking:
            if error is None or not is_temporary(error):
                self._failures = 0
                return
            if now >= self._held_until:
                self._failures += 1
            self._held_until = max(self._held_until, now + hold(error, 1 if now < self._held_until else self._failures))

    def _refused(self, work: Work, error: Exception, now: float) -> None:
        waited = now - max(work.since, self._began)
        delay = self._patience.delay(error, work.attempts + 1, waited)
        if delay is not None:
            self._spool.postpone(work, now + delay, _say(error))
        elif self._spool.fail(work, _say(error), now):
            self._settled(work, delivered=False)

    def _settled(self, work: Work, *, delivered: bool) -> None:
        count = len(work.seqs)
        if work.sink:
            with self._lock:
                self._told[work.sink, delivered] += count
        else:
            self._count(**{"delivered" if delivered else "failed": count})

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, count in more.items():
                self._totals[name] += count


_TELLERS: Final = 2
"""Workers that sinks have for themselves, so that one that hangs keeps nothing from the gateway."""

_TOTALS: Final = ("accepted", "delivered", "failed", "patches")


def _by_name(mirror: Any) -> dict[str, Sink]:
    if not isinstance(mirror, Iterable):
        raise ConfigurationError(
            f"mirror cannot be a {type(mirror).__name__}: it is a list of sinks, also when there is only one"
        )
    given = [_check_sink(sink) for sink in mirror]
    sinks = {sink.name: sink for sink in given}
    if "" in sinks or len(sinks) != len(given):
        names = [sink.name for sink in given]
        raise ConfigurationError(f"mirror cannot have sinks of the names {shown(names)}: each needs one of its own")
    return sinks


def _check_sink(given: Any) -> Sink:
    if isinstance(given, type) or not isinstance(getattr(given, "name", None), str) or not hasattr(given, "send"):
        raise ConfigurationError(f"a sink of mirror cannot be a {type(given).__name__}: it has a name and send()")
    return cast("Sink", given)


def _say(error: Exception) -> str:
    """Put an error into a dead letter: ours hold no secret, while a sink's own may hold anything."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, AIGatewayError) else name


def check_queue(gateway_id: str | None, counts: Mapping[str, int], seconds: Mapping[str, float]) -> None:
    """Check what both queues are given.

    Raises:
        ConfigurationError: A value is not allowed.
    """
    if gateway_id is not None:
        check_gateway_id(gateway_id)
    for name, count in counts.items():
        check_whole(name, count)
    for name, value in seconds.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ConfigurationError(f"{name} cannot be {shown(value)}: it is a number of seconds, 0 or more")
