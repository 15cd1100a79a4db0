"""What only the gateway's logs know of recorded calls, read after the fact: what each cost."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from aigw import LogNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aigw import LoggedCall
    from langchain_aigw._recorded import CallReport, RecordedCall

MAX_CONCURRENT: Final = 8


def read_logs(reports: Iterable[CallReport], reach: Callable[[RecordedCall], LoggedCall], wait: float) -> None:
    """Read the logs of all attempts and tell their reports; at most eight at a time.

    A log that is not there, also not after `wait` seconds, is passed over.

    Raises:
        AIGatewayError: The gateway could not be reached, or said no.
    """

    def read(item: tuple[CallReport, str, LoggedCall]) -> None:
        report, log_id, call = item
        try:
            report.found(call.sync_client().gateway(call.info.gateway_id).get_log(log_id, wait=wait))
        except LogNotFoundError:
            return

    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        list(pool.map(read, _logs(reports, reach)))


async def aread_logs(reports: Iterable[CallReport], reach: Callable[[RecordedCall], LoggedCall], wait: float) -> None:
    """As `read_logs`, with `await`."""
    slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def read(report: CallReport, log_id: str, call: LoggedCall) -> None:
        async with slots:
            try:
                report.found(await call.async_client().gateway(call.info.gateway_id).get_log(log_id, wait=wait))
            except LogNotFoundError:
                return

    await asyncio.gather(*(read(*item) for item in _logs(reports, reach)))


def _logs(
    reports: Iterable[CallReport], reach: Callable[[RecordedCall], LoggedCall]
) -> list[tuple[CallReport, str, LoggedCall]]:
    return [
        (report, call.log_id, reach(call)) for report in reports for call in report.calls() if call.log_id is not None
    ]
