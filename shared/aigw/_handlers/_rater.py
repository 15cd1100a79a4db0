"""Feedback that nobody asks for: what went wrong, and what a judge says, sent away from the call it is of.

One thread in the background takes what happened from a bounded queue. What a judge or the gateway does wrong is counted
and logged, and harms nobody; when more happens than can be sent, the newest goes unrated. Which calls are rated is
decided here and now, so that a call outside the sample costs a hash.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict, deque
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aigw._background import Background
from aigw._errors import ConfigurationError, DLPBlockedError, GuardrailBlockedError
from aigw._given import shown
from aigw._rating._feedback import LoggedCall
from aigw._rating._queues import is_async, with_unset
from aigw._rating._verdicts import check_sample, is_sampled, judge_source, read_automatic, read_verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from aigw._facts import ResponseInfo
    from aigw._finding._resolver import LogResolver
    from aigw._noted._recorded import RecordedCall
    from aigw._rating._queues import FeedbackTaker
    from aigw._rating._verdicts import AutomaticFeedback, Verdict

_LOGGER: Final = logging.getLogger("aigw")
_MAX_TOLD: Final = 10_000
_BLOCKS: Final = ((GuardrailBlockedError, "guardrail"), (DLPBlockedError, "dlp"))

_IS_RATING: Final[ContextVar[bool]] = ContextVar("aigw.is_rating", default=False)


@dataclass(frozen=True, slots=True)
class RaterCounts:
    """What became of feedback that nobody asked for.

    Attributes:
        rated: Calls whose feedback was sent, or taken by the queue.
        unsaid: Answers that the judge said nothing of.
        unsampled: Calls that are not among the share that is rated.
        failed: Calls that the judge or the gateway failed at; the log `aigw` says why.
        dropped: Calls that went unrated because too many waited, or the rater was closed.
    """

    rated: int = 0
    unsaid: int = 0
    unsampled: int = 0
    failed: int = 0
    dropped: int = 0


class Rater(Background["deque[Callable[[asyncio.Runner], None]]"]):
    """Rates calls by what became of them and by a judge, in a thread of its own.

    Args:
        resolver: Sends the feedback, by its own queue where it has one.
        automatic: What is rated by itself, and how.
        judge: Gets an answer and its call; sync or async.
        sample: The share of the calls that is rated, from 0 to 1.
        queue: The resolver's queue.
        max_waiting: Calls that may wait.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """

    def __init__(
        self,
        resolver: LogResolver,
        *,
        automatic: AutomaticFeedback | bool | None = None,
        judge: Callable[[Any, Any], Verdict | Awaitable[Verdict]] | None = None,
        sample: float = 1.0,
        queue: FeedbackTaker | None = None,
        max_waiting: int = 1000,
    ) -> None:
        self.occasions = read_automatic(automatic)
        if judge is not None and not callable(judge):
            raise ConfigurationError(f"judge cannot be {shown(judge)}: it is a function of an answer and its call")
        self.judge = judge
        self._sample = check_sample(sample)
        if self.is_needed and queue is not None and is_async(queue):
            raise ConfigurationError("automatic feedback and judges cannot await a queue: give a FeedbackQueue")
        self._resolver = resolver
        self._source = "" if judge is None else judge_source(judge)
        self._max_waiting = max_waiting
        self._told: OrderedDict[Hashable, None] = OrderedDict()
        self._counts = RaterCounts()
        super().__init__("aigw-rater")

    @property
    def is_needed(self) -> bool:
        """Whether anything is rated at all."""
        return bool(self.occasions or self.judge)

    @property
    def counts(self) -> RaterCounts:
        """What became of everything so far."""
        return self._counts

    def happened(self, occasion: str, info: ResponseInfo | None) -> None:
        """Have a call rated for what became of it; returns at once. Each log is rated once for each occasion.

        Args:
            occasion: A key of `AutomaticFeedback`; nothing is done of one that is not rated.
            info: What the gateway said of the call.
        """
        changes = self.occasions.get(occasion)
        if changes is not None and info is not None and self._is_chosen(info) and self._is_new(occasion, info):
            self._submit(partial(self._send, info, changes))

    def failed(self, info: ResponseInfo | None, error: BaseException) -> None:
        """Have a call rated that the gateway blocked; returns at once."""
        for blocked, occasion in _BLOCKS:
            if isinstance(error, blocked):
                self.happened(occasion, info)

    def answered(self, message: Any, call: RecordedCall) -> None:
        """Have an answer judged some time soon; returns at once."""
        if self.judge is not None and self._is_chosen(call.info):
            self._submit(partial(self._judge, message, call))

    def send(self, call: LoggedCall, changes: dict[str, Any]) -> None:
        """Have feedback sent some time soon that was decided elsewhere; returns at once."""
        if self._is_chosen(call.info):
            self._submit(partial(self._send, call, changes))

    def close(self, timeout: float | None = None) -> None:
        """Wait as `flush` does, then rate no more."""
        self.flush(timeout)
        with self._changed:
            self._is_closed = True
            self._count(dropped=len(self._waiting))
            self._waiting.clear()
            self._changed.notify_all()

    def _nothing(self) -> deque[Callable[[asyncio.Runner], None]]:
        return deque()

    def _take(self) -> Callable[[asyncio.Runner], None]:
        return self._waiting.popleft()

    def _is_chosen(self, info: ResponseInfo) -> bool:
        name = info.event_id or info.log_id
        if not name or is_sampled(name, self._sample):
            return bool(name)
        with self._changed:
            self._count(unsampled=1)
        return False

    def _is_new(self, occasion: str, info: ResponseInfo) -> bool:
        key = (occasion, info.log_id or info.event_id)
        with self._changed:
            is_new = key not in self._told
            self._told[key] = None
            if len(self._told) > _MAX_TOLD:
                self._told.popitem(last=False)
            return is_new

    def _submit(self, job: Callable[[asyncio.Runner], None]) -> None:
        with self._changed:
            if self._is_closed or len(self._waiting) >= self._max_waiting:
                if not self._counts.dropped:
                    _LOGGER.warning("an answer goes unrated: %s", "closed" if self._is_closed else "too many wait")
                self._count(dropped=1)
                return
            self._waiting.append(job)
            self._wake()

    def _send(self, target: ResponseInfo | LoggedCall, changes: dict[str, Any], runner: asyncio.Runner) -> None:
        del runner
        call = target if isinstance(target, LoggedCall) else LoggedCall(target)
        self._resolver.feedback(call, **with_unset(changes))
        with self._changed:
            self._count(rated=1)

    def _judge(self, message: Any, call: RecordedCall, runner: asyncio.Runner) -> None:
        if self.judge is None:
            return
        said = self.judge(message, call)
        verdict = runner.run(_wait_for(said)) if inspect.isawaitable(said) else said
        changes = read_verdict(verdict, self._source)
        if changes is None:
            with self._changed:
                self._count(unsaid=1)
        else:
            self._send(call.logged, changes, runner)

    def _count(self, **more: int) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + n for name, n in more.items()})

    def _work(self) -> None:
        _IS_RATING.set(True)
        with asyncio.Runner() as runner:
            while (job := self._next()) is not None:
                try:
                    job(runner)
                except Exception:
                    _LOGGER.exception("an answer could not be rated")
                    with self._changed:
                        self._count(failed=1)


def is_rating() -> bool:
    """Tell whether this code runs for a judge, whose own calls are not to be recorded or judged."""
    return _IS_RATING.get()


async def _wait_for(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict
