"""Many logs, read at once: those of calls, for what only they know, what each call cost; and those that fit filters.

Apart from `_rating`, which writes to logs one after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from aigw._driver import check_wait
from aigw._errors import LogNotFoundError
from aigw._retries import FIRST_POLL, next_poll

if TYPE_CHECKING:
    from aigw._async_gateway import AsyncGateway
    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog
    from aigw._gateway import Gateway
    from aigw._noted._recorded import CallReport
    from aigw._rating._feedback import LoggedCall

MAX_AT_ONCE: Final = 8
_MAX_LOGS: Final = 1000

Readings = Iterable[tuple["LoggedCall", Callable[["GatewayLog"], object]]]
"""Calls, and whom their logs are told."""


def read_logs(readings: Readings, *, wait: float = 0) -> None:
    """Read the log of every call, at most eight at once, and tell each as it comes.

    A call of which only the event id is known is read by that; the newest log of it counts.

    Args:
        readings: Calls, each with what is called with its log; from a thread of its own.
        wait: Seconds that logs which are not there yet, or have no cost yet, are waited for, all together; one that
            never comes is passed over, and one that never has a cost is told without.

    Raises:
        ConfigurationError: `wait` is no number of seconds.
        AIGatewayError: The gateway could not be reached, or said no.
    """
    check_wait(wait)
    deadline = time.monotonic() + wait

    def read(call: LoggedCall, tell: Callable[[GatewayLog], object]) -> None:
        log = _read(call, deadline)
        if log is not None:
            tell(log)

    known = _known(readings)
    if known:
        with ThreadPoolExecutor(min(MAX_AT_ONCE, len(known))) as pool:
            list(pool.map(lambda reading: read(*reading), known))


async def aread_logs(readings: Readings, *, wait: float = 0) -> None:
    """As `read_logs`, with `await`, and told in this task's event loop."""
    check_wait(wait)
    deadline = time.monotonic() + wait
    slots = asyncio.Semaphore(MAX_AT_ONCE)

    async def read(call: LoggedCall, tell: Callable[[GatewayLog], object]) -> None:
        async with slots:
            log = await _aread(call, deadline)
        if log is not None:
            tell(log)

    await asyncio.gather(*(read(*reading) for reading in _known(readings)))


def readings_of(reports: Iterable[CallReport[Any, Any]]) -> list[tuple[LoggedCall, Callable[[GatewayLog], object]]]:
    """Give the attempts of some reports whose cost is not known, each with the report that is told its log."""
    return [(call.logged, report.found) for report in reports for call in report.unpriced()]


def _read(call: LoggedCall, deadline: float) -> GatewayLog | None:
    gateway = call.sync_client().gateway(call.info.gateway_id)
    delay = FIRST_POLL
    while True:
        try:
            log_id, event_id = call.info.log_id, call.info.event_id or ""
            log = gateway.get_log(log_id) if log_id else _newest(gateway.find_logs(event_id=event_id))
        except LogNotFoundError:
            log = None
        delay = next_poll(delay, deadline - time.monotonic())
        if not delay or (log is not None and log.is_settled):
            return log
        time.sleep(delay)


async def _aread(call: LoggedCall, deadline: float) -> GatewayLog | None:
    gateway = call.async_client().gateway(call.info.gateway_id)
    delay = FIRST_POLL
    while True:
        try:
            log_id, event_id = call.info.log_id, call.info.event_id or ""
            log = await gateway.get_log(log_id) if log_id else _newest(await gateway.find_logs(event_id=event_id))
        except LogNotFoundError:
            log = None
        delay = next_poll(delay, deadline - time.monotonic())
        if not delay or (log is not None and log.is_settled):
            return log
        await asyncio.sleep(delay)


def _newest(logs: Sequence[GatewayLog]) -> GatewayLog | None:
    return logs[-1] if logs else None


def _known(readings: Readings) -> list[tuple[LoggedCall, Callable[[GatewayLog], object]]]:
    return [reading for reading in readings if reading[0].is_known]


def newest_logs(gateway: Gateway, filters: Sequence[LogFilter]) -> list[GatewayLog]:
    """Give the logs that fit, oldest first; where there are more than a thousand, the newest."""
    return list(islice(gateway.iter_logs(filters=filters), _MAX_LOGS))[::-1]


async def anewest_logs(gateway: AsyncGateway, filters: Sequence[LogFilter]) -> list[GatewayLog]:
    """As `newest_logs`, with `await`."""
    found: list[GatewayLog] = []
    async for log in gateway.iter_logs(filters=filters):
        found.append(log)
        if len(found) == _MAX_LOGS:
            break
    return found[::-1]
