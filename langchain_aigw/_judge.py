"""The judge of a handler: a function that rates answers, away from the run that waits for them.

One thread, started with the first answer, takes the answers from a bounded queue. What the judge or the gateway does
wrong is logged and harms nobody; when answers come faster than they are judged, the newest go unjudged.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from aigw import UNSET, ConfigurationError, rate_logs

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from aigw import LoggedCall
    from langchain_aigw._recorded import RecordedCall

Verdict = int | Mapping[str, Any] | None
"""What a judge says of an answer: nothing, a feedback (1, 0, -1), or `feedback`, `score` and `metadata` as a dict."""

JudgeFunction = Callable[["BaseMessage", "RecordedCall"], Verdict | Awaitable[Verdict]]

_LOGGER: Final = logging.getLogger("langchain_aigw")
_KEYS: Final = frozenset({"feedback", "score", "metadata"})


class Judge:
    """Rates answers by a function, one after the other in a thread of its own.

    Args:
        function: Gives the verdict on a message and the call it came from; sync or async.
        reach: Gives the call as it can be rated.
        max_waiting: Answers that may wait.
    """

    def __init__(
        self, function: JudgeFunction, reach: Callable[[RecordedCall], LoggedCall], max_waiting: int = 1000
    ) -> None:
        self._function = function
        self._reach = reach
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._waiting: deque[tuple[BaseMessage, RecordedCall]] = deque()
        self._is_busy = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def submit(self, message: BaseMessage, call: RecordedCall) -> None:
        """Have an answer judged some time soon; returns at once."""
        with self._changed:
            if self._is_closed or len(self._waiting) >= self._max_waiting:
                _LOGGER.warning("an answer goes unjudged: %s", "closed" if self._is_closed else "too many wait")
                return
            self._waiting.append((message, call))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=Context().run, args=(self._work,), name="aigw-judge", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every answer so far is judged; tell whether that was so within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_busy, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Wait as `flush` does, then judge no more and end the thread."""
        self.flush(timeout)
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _work(self) -> None:
        with asyncio.Runner() as runner:
            while (job := self._next()) is not None:
                try:
                    self._judge(runner, *job)
                except Exception:
                    _LOGGER.exception("an answer could not be judged")

    def _next(self) -> tuple[BaseMessage, RecordedCall] | None:
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            self._is_busy = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _judge(self, runner: asyncio.Runner, message: BaseMessage, call: RecordedCall) -> None:
        said = self._function(message, call)
        verdict = runner.run(_wait_for(said)) if inspect.isawaitable(said) else said
        if verdict is None:
            return
        changes = dict(verdict) if isinstance(verdict, Mapping) else {"feedback": verdict}
        if unknown := changes.keys() - _KEYS:
            raise ConfigurationError(f"a verdict has no {', '.join(sorted(unknown))}: it has feedback, score, metadata")
        rate_logs([self._reach(call)], **{"feedback": UNSET, **changes})


async def _wait_for(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict
