"""Feedback to the logs of calls that a framework made: which logs, in which order, and what to do while they are late.

`patch_log` rates one log by its id. Here stand calls that know their gateway and their clients, so that an adapter's
verbs need no more than the calls of a run.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from aigw._calls._log_calls import UNSET, Unset, check_changes
from aigw._driver import check_wait
from aigw._errors import ConfigurationError, LogNotFoundError
from aigw._given import shown
from aigw._retries import FIRST_POLL, next_poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aigw._async_client import AsyncAIGateway
    from aigw._async_gateway import AsyncGateway
    from aigw._calls._log_calls import Feedback
    from aigw._client import AIGateway
    from aigw._facts import GatewayLog, ResponseInfo
    from aigw._gateway import Gateway
    from aigw._options import MetadataValue

Which = Literal["last", "all"]
"""Which of a run's calls are rated: the last, which mostly gave the answer, or all."""

CallKind = Literal["chat", "embedding"]
"""What a call asked for: an answer, or vectors."""

Source = Literal["target", "memory", "store", "gateway"]
"""Who knew of a log: what was to be rated itself, the memory of this process, a shared store, or the gateway."""

DEFAULT_WAIT: Final = 5.0


def no_client() -> AIGateway:
    """Stand for the client of a call of which none is known."""
    raise ConfigurationError("there is no client to reach the logs: give client=aigw.AIGateway(...)")


def no_async_client() -> AsyncAIGateway:
    """Stand for the async client of a call of which none is known."""
    raise ConfigurationError("there is no client to reach the logs: give async_client=aigw.AsyncAIGateway(...)")


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call whose log can be rated.

    Attributes:
        info: What the gateway said of the call.
        sync_client: Gives the client that made it, or one like it; asked only when it is needed.
        async_client: Gives its async twin.
        kind: `chat` or `embedding`.
        is_replayed: Whether a framework's own cache gave the answer: the log is that of an earlier call.
        source: Who knew of the call.
        log: The log, where it was read to find the call.
    """

    info: ResponseInfo
    sync_client: Callable[[], AIGateway] = no_client
    async_client: Callable[[], AsyncAIGateway] = no_async_client
    kind: CallKind = "chat"
    is_replayed: bool = False
    source: Source = "target"
    log: GatewayLog | None = None

    @property
    def is_known(self) -> bool:
        """Whether the call's log can be found: by its id, or by the event id it was sent with."""
        return bool(self.info.log_id or self.info.event_id)


def rate_logs(
    calls: Iterable[LoggedCall],
    feedback: Unset | Feedback = 1,
    *,
    score: Unset | float | None = UNSET,
    metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
    which: Which = "last",
    wait: float = DEFAULT_WAIT,
) -> list[str]:
    """Send the same feedback to the logs of calls, one request per log.

    Args:
        calls: The calls, oldest first.
        feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
        score: A finite number, or `None` to clear.
        metadata: At most five entries of str, int, float or bool, or `None` to clear.
        which: `last` rates the last chat call that has a log, or the last call if there are no chats, since an
            embedding gave no answer; `all` rates every one. What a framework's cache replayed is no call of its own.
        wait: Seconds a log that is not there yet is waited for; the gateway writes logs a moment after the answer.

    Returns:
        The ids of the rated logs, in the order of the calls.

    Raises:
        ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
        LogNotFoundError: A log is not there, also not after `wait`.
        AIGatewayError: The gateway could not be reached, or said no.
    """
    changes = check_changes(feedback=feedback, score=score, metadata=metadata)
    check_wait(wait)
    return [_rate(call, changes, wait) for call in choose_calls(calls, which)]


async def arate_logs(
    calls: Iterable[LoggedCall],
    feedback: Unset | Feedback = 1,
    *,
    score: Unset | float | None = UNSET,
    metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
    which: Which = "last",
    wait: float = DEFAULT_WAIT,
) -> list[str]:
    """As `rate_logs`, with `await`."""
    changes = check_changes(feedback=feedback, score=score, metadata=metadata)
    check_wait(wait)
    return [await _arate(call, changes, wait) for call in choose_calls(calls, which)]


def check_which(which: Any) -> None:
    """Refuse what is neither.

    Raises:
        ConfigurationError: It is not `last` or `all`.
    """
    if which not in get_args(Which):
        raise ConfigurationError(f"which cannot be {shown(which)}: it is 'last' or 'all'")


def choose_calls(calls: Iterable[LoggedCall], which: Which) -> list[LoggedCall]:
    """Give the calls that `which` means, oldest first, each log once.

    Raises:
        ConfigurationError: `which` is neither, no call has a log, or the last answer was replayed by a cache.
    """
    check_which(which)
    asked = list(calls)
    if which == "last":
        asked = [call for call in asked if call.kind == "chat"] or asked
        if asked and asked[-1].is_replayed:
            raise ConfigurationError(
                f"the last answer came from LangChain's cache; its log {asked[-1].info.log_id} is that of an earlier "
                "run: give the message instead to rate it all the same"
            )
    findable = _findable([call for call in asked if call.is_known and not call.is_replayed])
    if not findable:
        raise ConfigurationError("there is no call with a log id or an event id: no feedback can be sent")
    return findable[-1:] if which == "last" else findable


def _findable(calls: Sequence[LoggedCall]) -> list[LoggedCall]:
    """Leave out what has no log id while another attempt of its event has one, and what would find the same log."""
    logged = {call.info.event_id for call in calls if call.info.log_id}
    findable = [call for call in calls if call.info.log_id or call.info.event_id not in logged]
    newest = {_log_of(call.info): call for call in findable}
    return [call for call in findable if newest[_log_of(call.info)] is call]


def _log_of(info: ResponseInfo) -> tuple[str | None, str | None, str | None]:
    """Give what the log of a call is found by."""
    return info.gateway_id, info.log_id, None if info.log_id else info.event_id


def _rate(call: LoggedCall, changes: dict[str, Any], wait: float) -> str:
    gateway = call.sync_client().gateway(call.info.gateway_id)
    deadline, delay = time.monotonic() + wait, FIRST_POLL
    while True:
        try:
            log_id = call.info.log_id or _find(gateway, call.info.event_id)
            gateway.patch_log(log_id, **changes)
        except LogNotFoundError:
            delay = next_poll(delay, deadline - time.monotonic())
            if not delay:
                raise
            time.sleep(delay)
        else:
            return log_id


async def _arate(call: LoggedCall, changes: dict[str, Any], wait: float) -> str:
    gateway = call.async_client().gateway(call.info.gateway_id)
    deadline, delay = time.monotonic() + wait, FIRST_POLL
    while True:
        try:
            log_id = call.info.log_id or await _afind(gateway, call.info.event_id)
            await gateway.patch_log(log_id, **changes)
        except LogNotFoundError:
            delay = next_poll(delay, deadline - time.monotonic())
            if not delay:
                raise
            await asyncio.sleep(delay)
        else:
            return log_id


def _find(gateway: Gateway, event_id: str | None) -> str:
    found = gateway.find_logs(event_id=event_id or "")
    return _newest([log.id for log in found], event_id)


async def _afind(gateway: AsyncGateway, event_id: str | None) -> str:
    found = await gateway.find_logs(event_id=event_id or "")
    return _newest([log.id for log in found], event_id)


def _newest(log_ids: list[str], event_id: str | None) -> str:
    if not log_ids:
        raise LogNotFoundError(f"no log has the event id {shown(event_id)}, or not yet")
    return log_ids[-1]
