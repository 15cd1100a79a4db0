"""Asking an upstream until it answers: attempts, the pause between them, the time to the first byte.

The docs do not say which failures are tried again; here they are the statuses 408, 429 and 5xx, a connection that
failed, and a timeout. The n-th further attempt waits the delay (constant), n times it (linear), or it doubled n-1 times
(exponential), never more than a minute.

The docs say both that a direct request fails when its timeout is over, and that the timeout is not applied to the last
attempt. Here the last of several waits (attempts, steps, models of a route), and one that is alone fails.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import anyio

from aigw.local._reply import Reply
from aigw.local._upstreams._upstream import UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aigw.local._call_options import CallOptions
    from aigw.local._settings._gateway_settings import Backoff, GatewaySettings

MAX_PAUSE: Final = 60.0

Turn = Literal["only", "followed", "last"]
"""Where asking one model stands in a call: nothing else is asked, something is if it fails, or something was before."""

_PASSING: Final = frozenset({408, 429})


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """How often an upstream is asked.

    Attributes:
        attempts: Attempts in all.
        delay: Seconds before the second one.
        backoff: How the delay grows.
        timeout: Seconds to the first part of an answer; `None` waits.
        waits_last: Whether the last attempt has no timeout.
    """

    attempts: int = 1
    delay: float = 0.1
    backoff: Backoff = "constant"
    timeout: float | None = None
    waits_last: bool = True

    def pause(self, failures: int) -> float:
        """Give the seconds to wait after so many failures."""
        factors: dict[Backoff, int] = {"constant": 1, "linear": failures, "exponential": 1 << (failures - 1)}
        return min(self.delay * factors[self.backoff], MAX_PAUSE)

    def limit(self, attempt: int) -> float | None:
        """Give the timeout of one attempt, counted from 1."""
        return None if self.waits_last and attempt == self.attempts else self.timeout


def plan_attempts(options: CallOptions, settings: GatewaySettings, turn: Turn) -> AttemptPlan:
    """Put a call's options before the gateway's settings."""
    attempts = options.max_attempts or settings.retry_max_attempts
    delay = settings.retry_delay if options.retry_delay is None else options.retry_delay
    return AttemptPlan(
        attempts=attempts,
        delay=delay / 1000,
        backoff=options.backoff or settings.retry_backoff,
        timeout=options.request_timeout / 1000 if options.request_timeout else None,
        waits_last=waits_last(turn, attempts),
    )


def turn_of(turn: Turn, *, is_followed: bool, is_first: bool = True) -> Turn:
    """Give the turn of one among several inside a turn."""
    if is_followed or turn == "followed":
        return "followed"
    return turn if is_first else "last"


def waits_last(turn: Turn, attempts: int) -> bool:
    """Tell whether the last attempt has no timeout: only as the last of several."""
    return turn == "last" or (turn == "only" and attempts > 1)


async def ask_until_answered(send: Callable[[], Awaitable[Reply]], plan: AttemptPlan) -> Reply:
    """Ask until an answer is good or the attempts are used up; a stream is good once its first piece is there.

    Raises:
        UpstreamUnreachableError: The last attempt brought no answer at all.
    """
    for attempt in range(1, plan.attempts):
        try:
            reply = await _ask(send, plan.limit(attempt))
        except UpstreamUnreachableError:
            pass
        else:
            if not _is_passing(reply.status):
                return reply
            await close_body(reply.body)
        await anyio.sleep(plan.pause(attempt))
    return await _ask(send, plan.limit(plan.attempts))


async def close_body(body: bytes | AsyncIterator[bytes]) -> None:
    """Let go of a body that is not read to its end, also while the task is being cancelled."""
    close = getattr(body, "aclose", None)
    if close is not None:
        with anyio.CancelScope(shield=True):
            await close()


async def _ask(send: Callable[[], Awaitable[Reply]], limit: float | None) -> Reply:
    try:
        with nullcontext() if limit is None else anyio.fail_after(limit):
            return await _begun(await send())
    except OSError as error:  # TimeoutError is one
        raise UpstreamUnreachableError(str(error) or "the upstream took too long") from error


async def _begun(reply: Reply) -> Reply:
    if isinstance(reply.body, bytes):
        return reply
    try:
        first = await anext(reply.body, b"")
    except BaseException:
        await close_body(reply.body)
        raise
    return Reply(reply.status, reply.headers, BegunBody(first, reply.body))


class BegunBody:
    """A body whose first piece has been read already."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> BegunBody:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._rest)

    async def aclose(self) -> None:
        """Let go of the rest."""
        await close_body(self._rest)


def _is_passing(status: int) -> bool:
    return status in _PASSING or status >= 500
