"""What feedback may be handed to instead of being sent at once: a `FeedbackQueue`, seen from below.

The queues stand above everything that rates, so here is only what they are asked for.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

from aigw._calls._log_calls import UNSET
from aigw._errors import ConfigurationError
from aigw._rating._feedback import choose_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw._rating._feedback import LoggedCall, Which

    Planned = Iterable[tuple[Any, Which]]
    """What is handed over, each with which of its calls is meant."""


class FeedbackTaker(Protocol):
    """An `aigw.feedback.FeedbackQueue`, as far as it is needed; or an `AsyncFeedbackQueue`, of which it is awaited."""

    def feedback(
        self, handle: Any, feedback: Any = ..., *, score: Any = ..., metadata: Any = ..., which: Which = ...
    ) -> Any:
        """Accept feedback."""


def check_taker(queue: Any) -> None:
    """Refuse what is no queue.

    Raises:
        ConfigurationError: It has no `feedback`.
    """
    if queue is not None and not callable(getattr(queue, "feedback", None)):
        raise ConfigurationError(f"queue cannot be a {type(queue).__name__}: it is a FeedbackQueue of aigw.feedback")


def is_async(queue: FeedbackTaker) -> bool:
    """Tell whether a queue must be awaited."""
    return inspect.iscoroutinefunction(queue.feedback)


def plan_calls(calls: Iterable[LoggedCall], which: Which) -> list[tuple[Any, Which]]:
    """Give the calls that `which` means, as they are handed over.

    Raises:
        ConfigurationError: As in `choose_calls`.
    """
    return [(call.info, "last") for call in choose_calls(calls, which)]


def hand_over(queue: FeedbackTaker, planned: Planned, changes: dict[str, Any]) -> list[str]:
    """Have a queue deliver the same feedback to several logs; returns at once, with the log ids that are known.

    Raises:
        ConfigurationError: The queue must be awaited.
    """
    if is_async(queue):
        raise ConfigurationError("an AsyncFeedbackQueue is awaited: use afeedback, or give a FeedbackQueue")
    told = list(planned)
    for handle, which in told:
        queue.feedback(handle, **with_unset(changes), which=which)
    return _log_ids(told)


async def ahand_over(queue: FeedbackTaker, planned: Planned, changes: dict[str, Any]) -> list[str]:
    """As `hand_over`, also for a queue that is awaited."""
    told = list(planned)
    for handle, which in told:
        accepted = queue.feedback(handle, **with_unset(changes), which=which)
        if inspect.isawaitable(accepted):
            await accepted
    return _log_ids(told)


def with_unset(changes: dict[str, Any]) -> dict[str, Any]:
    """Give changes as `feedback` takes them, whose thumb is up when it is left out."""
    return changes if "feedback" in changes else {"feedback": UNSET, **changes}


def _log_ids(told: Planned) -> list[str]:
    log_ids = (getattr(handle, "log_id", None) for handle, _ in told)
    return [log_id for log_id in log_ids if log_id]
