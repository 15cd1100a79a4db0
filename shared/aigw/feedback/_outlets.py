"""Where the feedback of a browser goes: a client or a queue, sync or async, in front of one coroutine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw._async_client import AsyncAIGateway
from aigw._calls._log_calls import UNSET
from aigw._client import AIGateway
from aigw._errors import ConfigurationError
from aigw._rating._feedback import LoggedCall, arate_logs, rate_logs
from aigw.feedback._async_queue import AsyncFeedbackQueue
from aigw.feedback._queue import FeedbackQueue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aigw._facts import ResponseInfo

Taker = AIGateway | AsyncAIGateway | FeedbackQueue | AsyncFeedbackQueue

WAIT: Final = 3.0
"""Seconds a late log is waited for where there is no queue."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """One way to give feedback.

    Attributes:
        give: Gives it: the call it is of, and what it changes.
        status: The HTTP status when that is done: 200, or 202 when it was accepted and will be.
    """

    give: Callable[[ResponseInfo, dict[str, Any]], Awaitable[object]]
    status: int


def outlet_of(taker: Taker) -> Outlet:
    """Give the outlet of a client or a queue; what blocks does so in a thread.

    Raises:
        ConfigurationError: It is neither.
    """
    match taker:
        case AsyncFeedbackQueue():
            return Outlet(lambda info, changes: taker.feedback(info, **_whole(changes)), 202)
        case FeedbackQueue():
            return Outlet(lambda info, changes: asyncio.to_thread(taker.feedback, info, **_whole(changes)), 202)
        case AsyncAIGateway():
            return Outlet(lambda info, changes: arate_logs(_acall(info, taker), **_whole(changes), wait=WAIT), 200)
        case AIGateway():
            return Outlet(
                lambda info, changes: asyncio.to_thread(rate_logs, _call(info, taker), **_whole(changes), wait=WAIT),
                200,
            )
        case _:
            raise ConfigurationError(f"feedback cannot be given to {type(taker).__name__}: give a client or a queue")


def _whole(changes: dict[str, Any]) -> dict[str, Any]:
    """Leave feedback alone where it was not given, rather than praise."""
    return {"feedback": UNSET, **changes}


def _call(info: ResponseInfo, client: AIGateway) -> list[LoggedCall]:
    return [LoggedCall(info, sync_client=lambda: client)]


def _acall(info: ResponseInfo, client: AsyncAIGateway) -> list[LoggedCall]:
    return [LoggedCall(info, async_client=lambda: client)]
