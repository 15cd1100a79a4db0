"""The queue for threads: a few daemon threads that live only while there is something to deliver."""

from __future__ import annotations

import atexit
import logging
import sqlite3
import time
import weakref
from threading import Condition, Event, Thread, current_thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from aigw._calls._log_calls import UNSET, check_changes
from aigw._client import AIGateway
from aigw._noted._log_reading import newest_logs
from aigw.feedback._delivery import Delivery, Patch
from aigw.feedback._either_queue import EitherQueue
from aigw.feedback._gathering import Gathering
from aigw.feedback._targets import targets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from aigw._calls._log_calls import Feedback, Unset
    from aigw._options import MetadataValue
    from aigw._rating._feedback import Which
    from aigw.feedback._delivery import Outcome, Step
    from aigw.feedback._rows import FailedFeedback, Work

T = TypeVar("T")

_log: Final = logging.getLogger("aigw.feedback")
LOOK_SECONDS: Final = 0.1
KEEP_SECONDS: Final = 5.0
EXIT_SECONDS: Final = 5.0
LEAVE_SECONDS: Final = 1.0
LINGER_SECONDS: Final = 5.0


class FeedbackQueue(EitherQueue[AIGateway]):
    """Feedback that is sent in the background, until it has arrived: `feedback()` returns at once.

    What is tried again, with a growing and random wait and as `Retry-After` asks: logs that are late, gateways that are
    busy or fail, lost connections. To one log at most one request is under way at a time, and what waits for the same
    log is folded into one patch: the last write of each field wins, metadata is joined key by key. What cannot be
    delivered becomes a dead letter (`failed`), never nothing.

    With `spool` what was accepted outlives the process, also `kill -9`, and several processes may share the file.
    Threads are made when they are needed, so that a queue may be made before a server forks its workers.

    Args:
        client: Whose gateway it is; one from the environment, which waits 30 seconds for an answer, when left out.
        gateway_id: The gateway of handles that name none; the client's when left out.
        spool: A file that keeps what waits (SQLite, mode 0600, on a local disk); in memory when left out.
        mirror: Who else is told of feedback, once it was delivered or given up; see `Sink`.
        memory: What is known of calls in this process.
        concurrency: How many requests are under way at most.
        max_pending: How much may wait; then `feedback()` waits for room.
        accept_timeout: Seconds it waits for room.
        late: Seconds a log that is not there yet is waited for.
        unreachable: Seconds a gateway that fails or cannot be reached is tried.

    Raises:
        ConfigurationError: An argument cannot be what it is, or there is no account.
        ModuleNotFoundError: The extra `aigw[feedback]` is not installed.
    """

    _new_client = AIGateway

    def _start_up(self) -> None:
        self._begin()
        self._close_at_exit()
        if not self._backlog.is_empty:
            self._wake()

    def feedback(
        self,
        handle: Any,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
    ) -> None:
        """Accept feedback; when this returns it will be delivered, or show in `failed`.

        Args:
            handle: What `aigw.LogResolver` takes: an answer, its facts, a recorded call, a capture; or the id of a log,
                event, run, span or thread, which is looked for in the background.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: Of a handle that means several calls: `last` rates the last, `all` every one.

        Raises:
            ConfigurationError: A value is not allowed, or the handle means no call; nothing was accepted.
            FeedbackQueueFullError: There was no room within `accept_timeout`; nothing was accepted.
            RuntimeError: The queue is closed.
            sqlite3.OperationalError: The spool cannot be written: the disk is full, or another process keeps the file
                for ten seconds; nothing was accepted.
        """
        changes = check_changes(feedback=feedback, score=score, metadata=metadata)
        targets = targets_of(handle, which, self._gateway_id, self._memory)
        self._enter()
        if not (
            self._backlog.accept(targets, changes)
            or self._wait_until(lambda: self._backlog.accept(targets, changes), self._accept_timeout)
        ):
            raise self._backlog.full()
        self._wake()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing waits any more; whether that was so within `timeout` seconds."""
        self._enter()
        return self._drain(timeout)

    def failed(self) -> list[FailedFeedback]:
        """Give the dead letters, oldest first."""
        self._enter()
        return self._backlog.failed()

    def waiting(self) -> int:
        """Count what is neither delivered nor failed, that of other processes in the same spool too."""
        self._enter()
        return self._backlog.waiting()

    def retry_failed(self) -> int:
        """Try the dead letters again, and count them."""
        self._enter()
        count = self._backlog.retry_failed()
        self._wake()
        return count

    def close(self, timeout: float | None = EXIT_SECONDS) -> bool:
        """Deliver what can be within `timeout` seconds, and stop; whether nothing is left.

        What is left stays in the spool for the next queue on it; without a spool it is lost, and logged as a warning.
        Once is enough.
        """
        if self._is_closed or self._backlog.is_forked:  # a fork's exit runs what its parent registered
            return True
        self._is_closed = True
        self._backlog.seal()
        is_empty = self._drain(timeout)
        atexit.unregister(self.close)
        if not is_empty and self._backlog.path is None:
            _log.warning("the feedback queue was closed with %d feedbacks undelivered", self._backlog.waiting())
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
            threads = [*self._threads]
            self._close_when_left()
        deadline = time.monotonic() + LEAVE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return is_empty

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        self._changed = Condition()
        self._settled = Condition()
        self._stopping = Event()
        self._threads: set[Thread] = set()
        self._workers = 0
        self._is_rung = False
        self._is_idle = False
        self._idle_until = 0.0
        self._gathering = Gathering()
        self._is_kept = False

    def _close_at_exit(self) -> None:
        """Have Python close the queue before it runs finalizers, which close the client: the last registered is first.

        Now and not when there is work, since nothing that is registered while Python ends is called.
        """
        weakref.finalize(self, int).detach()
        atexit.register(self.close)

    def _enter(self) -> None:
        if self._backlog.is_forked:
            self._backlog.reopen()
            self._is_closed = False
            self._begin()
        if self._is_closed:
            raise RuntimeError("the feedback queue is closed")

    def _drain(self, timeout: float | None) -> bool:
        self._wake()
        if not self._workers and not self._backlog.is_empty:  # a thread cannot be made any more: Python ends
            self._work_here(timeout)
        return self._wait_until(lambda: self._backlog.is_empty, timeout)

    def _wait_until(self, is_done: Callable[[], bool], timeout: float | None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._settled:
            while not is_done():
                left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, deadline - time.monotonic())
                if left <= 0:
                    return False
                self._settled.wait(left)
        return True

    def _wake(self) -> None:
        """See to it that somebody looks for work."""
        if self._is_rung and self._workers:  # who has not heard it yet will find this too
            return
        with self._changed:
            self._is_rung = True
            if self._is_idle:
                self._changed.notify()
            elif self._workers < self._backlog.max_workers and self._start(self._work):
                self._workers += 1
            if not self._is_kept and self._backlog.path is not None:
                self._is_kept = self._start(self._keep)

    def _start(self, work: Callable[[], None]) -> bool:
        thread = Thread(target=work, name="aigw-feedback", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there are too many, or Python ends
            return False
        self._threads.add(thread)
        return True

    def _left(self) -> None:
        """Forget the current thread; for those who hold `_changed`."""
        self._threads.discard(current_thread())
        self._workers -= 1
        self._close_when_left()

    def _close_when_left(self) -> None:
        """Close the spool when all is over and nobody has a request under way; for those who hold `_changed`."""
        if self._stopping.is_set() and not self._threads:
            self._backlog.close()

    def _work(self) -> None:
        while (work := self._next()) is not None:
            self._do(work)

    def _do(self, work: Work) -> None:
        outcome, patches = self._perform(work)
        self._insist(self._backlog.settle, work, outcome, patches)
        with self._settled:
            self._settled.notify_all()

    def _next(self) -> Work | None:
        """Give what is to be done; with `None`, the thread has left."""
        while True:
            self._gather()
            with self._changed:
                self._is_rung = False
            work = None if self._stopping.is_set() else self._insist(self._backlog.take)
            pause = self._insist(self._backlog.pause)
            if work is not None:
                if pause is not None:  # who works must not be the only one, however long it takes
                    self._wake()
                return work
            with self._changed:
                if self._stopping.is_set() or not self._stays(pause):
                    self._left()
                    return None

    def _gather(self) -> None:
        """Let a burst come in before any of it is sent."""
        while (pause := self._gathering.pause(self._backlog.accepted)) and not self._stopping.wait(pause):
            pass

    def _stays(self, pause: float | None) -> bool:
        """Wait for work unless another does, and tell whether to look again; for those who hold `_changed`."""
        if self._is_rung:
            return True
        until = time.monotonic() + (LINGER_SECONDS if pause is None else pause)
        if self._is_idle:  # one that waits is enough, if it knows how long
            if until < self._idle_until:
                self._changed.notify()
            return False
        self._is_idle, self._idle_until = True, until
        is_rung = self._changed.wait(until - time.monotonic())
        self._is_idle = False
        return is_rung or pause is not None or self._is_rung

    def _work_here(self, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while deadline is None or time.monotonic() < deadline:
            work = self._backlog.take()
            if work is not None:
                self._do(work)
            elif (pause := self._backlog.pause()) is None:
                return
            else:
                time.sleep(min(pause, LOOK_SECONDS))

    def _keep(self) -> None:
        while not self._stopping.wait(KEEP_SECONDS):
            self._insist(self._backlog.renew)
            self._wake()
        with self._changed:
            self._threads.discard(current_thread())
            self._close_when_left()

    def _insist(self, note: Callable[..., T], *given: Any) -> T | None:
        """Do something to the spool, however long the disk is full or another process has it; once, when it closes."""
        while True:
            try:
                return note(*given)
            except sqlite3.OperationalError as error:
                _log.warning("the feedback spool cannot be used: %s", error)
                if self._stopping.wait(1):
                    return None

    def _perform(self, work: Work) -> tuple[Outcome, int]:
        if work.sink:
            return self._backlog.tell(work), 0
        delivery = Delivery(work)
        while (step := delivery.step) is not None:
            try:
                answer = self._answer(work, step)
            except Exception as error:  # noqa: BLE001 -- the delivery knows what may be tried again
                delivery.refused(error)
            else:
                delivery.answered(answer)
        return delivery.outcome, delivery.patches

    def _answer(self, work: Work, step: Step) -> Any:
        gateway = self._client.gateway(work.gateway_id)
        if isinstance(step, Patch):
            return gateway.patch_log(step.log_id, **step.changes)
        return newest_logs(gateway, step.filters)
