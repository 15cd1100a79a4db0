"""The logs of many calls, read at once, for what only they know: what each call cost.

Apart from `_feedback`, which writes to logs one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from aigw._errors import LogNotFoundError

if TYPE_CHECKING:
    from aigw._feedback import LoggedCall
    from aigw._models import GatewayLog

MAX_AT_ONCE: Final = 8

Readings = Iterable[tuple["LoggedCall", Callable[["GatewayLog"], object]]]
"""Calls, and whom their logs are told."""


def read_logs(readings: Readings, *, wait: float = 0) -> None:
    """Read the log of every call that has a log id, at most eight at once, and tell each as it comes.

    Args:
        readings: Calls, each with what is called with its log; from a thread of its own.
        wait: Seconds a log that is not there yet is waited for; one that never comes is passed over.

    Raises:
        ConfigurationError: `wait` is no number of seconds.
        AIGatewayError: The gateway could not be reached, or said no.
    """

    def read(call: LoggedCall, log_id: str, tell: Callable[[GatewayLog], object]) -> None:
        try:
            log = call.sync_client().gateway(call.info.gateway_id).get_log(log_id, wait=wait)
        except LogNotFoundError:
            return
        tell(log)

    with ThreadPoolExecutor(MAX_AT_ONCE) as pool:
        list(pool.map(lambda reading: read(*reading), _with_log_id(readings)))


async def aread_logs(readings: Readings, *, wait: float = 0) -> None:
    """As `read_logs`, with `await`, and told in this task's event loop."""
    slots = asyncio.Semaphore(MAX_AT_ONCE)

    async def read(call: LoggedCall, log_id: str, tell: Callable[[GatewayLog], object]) -> None:
        async with slots:
            try:
                log = await call.async_client().gateway(call.info.gateway_id).get_log(log_id, wait=wait)
            except LogNotFoundError:
                return
        tell(log)

    await asyncio.gather(*(read(*reading) for reading in _with_log_id(readings)))


def _with_log_id(readings: Readings) -> list[tuple[LoggedCall, str, Callable[[GatewayLog], object]]]:
    return [(call, call.info.log_id, tell) for call, tell in readings if call.info.log_id]
