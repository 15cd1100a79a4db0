"""From calls to their logs at the gateway: which of them feedback is for, and costs read from them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from aigw import LogNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw import GatewayLog, LoggedCall, Which
    from llamaindex_aigw._recorded import CallReport, RecordedCall

_AT_ONCE: Final = 8


def choose_calls(calls: Sequence[RecordedCall], which: Which) -> list[LoggedCall]:
    """Give the calls that `which` may mean, oldest first.

    The last call is looked for among the chats, if there are any, since an embedding gave no answer. An attempt whose
    log id is not known is left out where another of the same event id is: it would be found by that id, and be another.
    """
    chats = [call for call in calls if call.kind == "chat"]
    asked = chats if which == "last" and chats else calls
    newest = {call.event_id: call for call in asked if call.event_id}
    logged = {call.event_id for call in asked if call.log_id}
    return [
        call.logged
        for call in asked
        if call.log_id or (call.event_id not in logged and newest.get(call.event_id or "") is call)
    ]


def calls_of(reports: Sequence[CallReport]) -> list[RecordedCall]:
    """Give all attempts of the calls, in the order the calls were made."""
    return [call for report in reports for call in report.calls()]


def reconcile_reports(reports: Sequence[CallReport], wait: float) -> list[RecordedCall]:
    """Read the log of every call that has one, at most eight at once; give the calls with what is known now."""

    def read(pair: tuple[CallReport, RecordedCall]) -> None:
        report, call = pair
        log = _read(call, wait)
        if log is not None:
            report.found(log)

    with ThreadPoolExecutor(_AT_ONCE) as executor:
        list(executor.map(read, _with_logs(reports)))
    return calls_of(reports)


async def areconcile_reports(reports: Sequence[CallReport], wait: float) -> list[RecordedCall]:
    """As `reconcile_reports`, with `await`."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def read(report: CallReport, call: RecordedCall) -> None:
        async with turns:
            log = await _aread(call, wait)
        if log is not None:
            report.found(log)

    await asyncio.gather(*(read(report, call) for report, call in _with_logs(reports)))
    return calls_of(reports)


def _with_logs(reports: Sequence[CallReport]) -> list[tuple[CallReport, RecordedCall]]:
    return [(report, call) for report in reports for call in report.calls() if call.log_id]


def _read(call: RecordedCall, wait: float) -> GatewayLog | None:
    gateway = call.caller.sync_client().gateway(call.info.gateway_id)
    try:
        return gateway.get_log(call.log_id or "", wait=wait)
    except LogNotFoundError:
        return None


async def _aread(call: RecordedCall, wait: float) -> GatewayLog | None:
    gateway = call.caller.async_client().gateway(call.info.gateway_id)
    try:
        return await gateway.get_log(call.log_id or "", wait=wait)
    except LogNotFoundError:
        return None
