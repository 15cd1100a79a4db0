"""From calls to their logs at the gateway: which of them feedback is for, and costs read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw import aread_logs, read_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw import GatewayLog, LoggedCall, Which
    from llamaindex_aigw._recorded import CallReport, RecordedCall


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
    """Read the log of every call that has one; give the calls with what is known now."""
    read_logs(_readings(reports), wait=wait)
    return calls_of(reports)


async def areconcile_reports(reports: Sequence[CallReport], wait: float) -> list[RecordedCall]:
    """As `reconcile_reports`, with `await`."""
    await aread_logs(_readings(reports), wait=wait)
    return calls_of(reports)


def _readings(reports: Sequence[CallReport]) -> list[tuple[LoggedCall, Callable[[GatewayLog], None]]]:
    return [(call.logged, report.found) for report in reports for call in report.calls()]
