"""The queue for tasks, twin of `FeedbackQueue`: a few tasks that live only while there is something to deliver."""

from __future__ import annotations

import asyncio
import atexit
import logging
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from aigw._async_client import AsyncAIGateway
from aigw._calls._log_calls import UNSET, check_changes
from aigw._noted._log_reading import anewest_logs
from aigw.feedback._delivery import Delivery, Patch
from aigw.feedback._either_queue import EitherQueue
from aigw.feedback._gathering import Gathering
from aigw.feedback._queue import EXIT_SECONDS, KEEP_SECONDS, LINGER_SECONDS, LOOK_SECONDS
from aigw.feedback._targets import targets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType

    from aigw._calls._log_calls import Feedback, Unset
    from aigw._options import MetadataValue
    from aigw._rating._feedback import Which
    from aigw.feedback._delivery import Outcome, Step
    from aigw.feedback._rows import FailedFeedback, Work

T = TypeVar("T")

_log: Final = logging.getLogger("aigw.feedback")


class AsyncFeedbackQueue(EitherQueue[AsyncAIGateway]):
    """As `FeedbackQueue`, with `await`.

    It belongs to one event loop at a time: the one it is used in, until that is closed. It must be closed, by `async
    with` or `aclose()`: nobody can wait for it when Python ends, and what is not in a spool is lost then, with a
    warning.

    Args:
        client: Whose gateway it is; one from the environment, which waits 30 seconds for an answer, when left out.
        gateway_id: The gateway of handles that name none; the client's when left out.
        spool: A file that keeps what waits (SQLite, mode 0600, on a local disk); in memory when left out.
        mirror: Who else is told of feedback, once it was delivered or given up; asked in a thread.
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

    _new_client = AsyncAIGateway

    def _start_up(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begin()

    async def feedback(
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
            or await self._wait_until(lambda: self._backlog.accept(targets, changes), self._accept_timeout)
        ):
            raise self._backlog.full()
        self._wake()

    async def flush(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 -- the twin's name, and no error
        """Wait until nothing waits any more; whether that was so within `timeout` seconds."""
        self._enter()
        return await self._drain(timeout)

    async def failed(self) -> list[FailedFeedback]:
        """Give the dead letters, oldest first."""
        self._enter()
        return self._backlog.failed()

    async def waiting(self) -> int:
        """Count what is neither delivered nor failed, that of other processes in the same spool too."""
        self._enter()
        return self._backlog.waiting()

    async def retry_failed(self) -> int:
        """Try the dead letters again, and count them."""
        self._enter()
        count = self._backlog.retry_failed()
        self._wake()
        return count

    async def aclose(self, timeout: float | None = EXIT_SECONDS) -> bool:  # noqa: ASYNC109 -- as `flush`
        """Deliver what can be within `timeout` seconds, and stop; whether nothing is left.

        What is left stays in the spool for the next queue on it; without a spool it is lost, and logged as a warning.
        Once is enough.
        """
        if self._is_closed or self._backlog.is_forked:
            return True
        self._enter()
        self._is_closed = True
        self._backlog.seal()
        try:
            is_empty = await self._drain(timeout)
        finally:
            await self._stop()
        return is_empty

    async def __aenter__(self) -> Self:
        self._enter()
        if not self._backlog.is_empty:
            self._wake()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _begin(self) -> None:
        self._bell = asyncio.Event()
        self._settled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = 0
        self._is_rung = False
        self._rousing: asyncio.Handle | None = None
        self._is_idle = False
        self._idle_until = 0.0
        self._gathering = Gathering()
        self._is_kept = False

    def _enter(self) -> None:
        if self._backlog.is_forked:
            self._backlog.reopen()
            self._is_closed = False
            self._loop = None
        if self._is_closed:
            raise RuntimeError("the feedback queue is closed")
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError(
                "the feedback queue is in use in another event loop: make one for each, or FeedbackQueue"
            )
        if self._loop is not None:
            self._backlog.release_all()
        self._begin()
        self._loop = loop
        atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        if not (self._is_closed or self._backlog.is_forked):
            self._is_closed = True
            self._close()

    def _close(self) -> None:
        atexit.unregister(self._at_exit)
        left = 0 if self._backlog.path is not None else self._backlog.waiting()
        if left:
            _log.warning("the feedback queue was closed with %d feedbacks undelivered", left)
        self._backlog.close()

    async def _stop(self) -> None:
        if self._rousing is not None:
            self._rousing.cancel()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._close()

    async def _drain(self, timeout: float | None) -> bool:  # noqa: ASYNC109 -- as `flush`
        self._wake()
        return await self._wait_until(lambda: self._backlog.is_empty, timeout)

    async def _wait_until(self, is_done: Callable[[], bool], timeout: float | None) -> bool:  # noqa: ASYNC109
        deadline = None if timeout is None else time.monotonic() + timeout
        while not is_done():
            left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, deadline - time.monotonic())
            if left <= 0:
                return False
            await _wait(self._settled, left)
        return True

    def _wake(self) -> None:
        """See to it that somebody looks for work."""
        if self._is_rung:  # who has not heard it yet will find this too
            return
        self._is_rung = True
        self._rousing = asyncio.get_running_loop().call_soon(self._rouse)

    def _rouse(self) -> None:
        """Ring for one who waits, or have one more, unless somebody has heard it in the meantime."""
        if self._is_rung:
            if self._is_idle:
                self._bell.set()
            elif self._workers < self._backlog.max_workers:
                self._workers += 1
                self._start(self._work())
        if not self._is_kept and self._backlog.path is not None:
            self._is_kept = True
            self._start(self._keep())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="aigw-feedback")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        try:
            while (work := await self._next()) is not None:
                await self._do(work)
        except BaseException:  # nobody may hear what was rung for it
            self._is_rung = False
            raise
        finally:
            self._workers -= 1

    async def _do(self, work: Work) -> None:
        try:
            outcome, patches = await self._perform(work)
        except BaseException:  # the task was cancelled
            self._backlog.release(work)
            raise
        await self._insist(self._backlog.settle, work, outcome, patches)
        self._settled.set()

    async def _next(self) -> Work | None:
        while True:
            await self._gather()
            self._is_rung = False
            work = await self._insist(self._backlog.take)
            pause = await self._insist(self._backlog.pause)
            if work is not None:
                if pause is not None:  # who works must not be the only one, however long it takes
                    self._wake()
                return work
            if not await self._stays(pause):
                return None

    async def _gather(self) -> None:
        """Let a burst come in before any of it is sent."""
        while pause := self._gathering.pause(self._backlog.accepted):  # noqa: ASYNC110 -- a lull is no event
            await asyncio.sleep(pause)

    async def _stays(self, pause: float | None) -> bool:
        """Wait for work unless another does, and tell whether to look again."""
        if self._is_rung:
            return True
        until = time.monotonic() + (LINGER_SECONDS if pause is None else pause)
        if self._is_idle:  # one that waits is enough, if it knows how long
            if until < self._idle_until:
                self._bell.set()
            return False
        self._is_idle, self._idle_until = True, until
        try:
            is_rung = await _wait(self._bell, until - time.monotonic())
        finally:
            self._is_idle = False
        return is_rung or pause is not None or self._is_rung

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._insist(self._backlog.renew)
            self._wake()

    async def _insist(self, note: Callable[..., T], *given: Any) -> T:
        """Do something to the spool, however long the disk is full or another process keeps it."""
        while True:
            try:
                return note(*given)
            except sqlite3.OperationalError as error:
                _log.warning("the feedback spool cannot be used: %s", error)
                await asyncio.sleep(1)

    async def _perform(self, work: Work) -> tuple[Outcome, int]:
        if work.sink:
            return await asyncio.to_thread(self._backlog.tell, work), 0
        delivery = Delivery(work)
        while (step := delivery.step) is not None:
            try:
                answer = await self._answer(work, step)
            except Exception as error:  # noqa: BLE001 -- the delivery knows what may be tried again
                delivery.refused(error)
            else:
                delivery.answered(answer)
        return delivery.outcome, delivery.patches

    async def _answer(self, work: Work, step: Step) -> Any:
        gateway = self._client.gateway(work.gateway_id)
        if isinstance(step, Patch):
            return await gateway.patch_log(step.log_id, **step.changes)
        return await anewest_logs(gateway, step.filters)


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Wait until it is set from now on, and tell whether that was so within some seconds."""
    event.clear()
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
