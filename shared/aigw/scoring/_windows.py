"""Logs in the order of time, between two moments, each once, whatever is written or patched meanwhile.

Pages by number shift when a log is written, and when feedback makes a log fit the filters no more. Here a page begins
where the one before ended in time; only logs of one moment are told apart by page number. What was written after the
reading began is beyond its end, and a judge's own calls are never judged by the same run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aigw._calls._log_calls import MAX_PER_PAGE
from aigw._errors import AIGatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aigw._async_gateway import AsyncGateway
    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog, LogPage

LOGS_PER_WINDOW: Final = 1000
_INSTANT: Final = timedelta(microseconds=1)
_OVERLAP: Final = timedelta(milliseconds=1)
"""How much is read once more before a page begins: a gateway may compare times less finely than it tells them."""
_SLACK: Final = timedelta(seconds=1)
"""The same for the end, where it costs nothing: what is too late is not used."""
_MOST_WINDOWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time.

    Attributes:
        start: The first moment in it; `None` for the beginning of the logs.
        end: The first moment after it.
    """

    start: datetime | None
    end: datetime


@dataclass(frozen=True, slots=True)
class Extent:
    """What there is to read.

    Attributes:
        window: All of it.
        count: How many logs fit, as the gateway counts; `None` when it does not say.
    """

    window: Window
    count: int | None


async def extent_of(gateway: AsyncGateway, filters: Sequence[LogFilter]) -> Extent | None:
    """Find out up to when there are logs that fit, by the gateway's own clock; `None` when there are none.

    Raises:
        AIGatewayError: The logs cannot be read.
    """
    newest = await gateway.list_logs(filters=filters, direction="desc", per_page=1)
    if not newest.logs:
        return None
    return Extent(Window(None, _moment(newest.logs[0]) + _INSTANT), newest.total_count)


async def cut(
    gateway: AsyncGateway, filters: Sequence[LogFilter], extent: Extent, size: int = LOGS_PER_WINDOW
) -> AsyncIterator[Window]:
    """Cut a stretch into windows of about `size` logs, in order and without a gap, one request for each; at most 2,000.

    A gateway counts what fits for every page it gives, so that a page of a narrow window is cheaper than one of all.

    Raises:
        AIGatewayError: The logs cannot be read.
    """
    whole, count = extent.window, extent.count or 0
    size = max(size, -(-count // _MOST_WINDOWS))
    start = whole.start
    for rank in range(size, count, size):
        page = await gateway.list_logs(filters=filters, direction="asc", per_page=1, page=rank + 1)
        edge = _moment(page.logs[0]) if page.logs else whole.end
        if edge >= whole.end:
            break
        if start is None or edge > start:
            yield Window(start, edge)
            start = edge
    yield Window(start, whole.end)


async def read_window(gateway: AsyncGateway, filters: Sequence[LogFilter], window: Window) -> AsyncIterator[GatewayLog]:
    """Give the logs of a window, oldest first, each once.

    Raises:
        AIGatewayError: The logs cannot be read.
    """
    since, number = window.start, 1
    last: tuple[str, ...] = ()
    seen: dict[str, datetime] = {}
    while True:
        page = await _read_page(gateway, filters, Window(since, window.end), number)
        fresh = [log for log in page.logs if log.id not in seen and not _is_before(log, window.start)]
        for log in fresh:
            if _moment(log) >= window.end:
                return
            yield log
        ids = tuple(log.id for log in page.logs)
        if len(ids) < MAX_PER_PAGE or (number > 1 and ids == last):
            return
        newest = _moment(page.logs[-1])
        seen.update((log.id, _moment(log)) for log in page.logs)
        if since is None or newest > since:
            since, number = newest, 1
            seen = {log_id: moment for log_id, moment in seen.items() if moment >= newest - _OVERLAP}
        else:
            number += 1
        last = ids


async def _read_page(gateway: AsyncGateway, filters: Sequence[LogFilter], window: Window, number: int) -> LogPage:
    bounds: list[LogFilter] = [{"key": "created_at", "operator": "lt", "value": _text(window.end + _SLACK)}]
    if window.start is not None:
        bounds.append({"key": "created_at", "operator": "gt", "value": _text(window.start - _OVERLAP)})
    return await gateway.list_logs(filters=[*filters, *bounds], direction="asc", per_page=MAX_PER_PAGE, page=number)


def _is_before(log: GatewayLog, start: datetime | None) -> bool:
    return start is not None and _moment(log) < start


def _moment(log: GatewayLog) -> datetime:
    if log.created_at is None:
        raise AIGatewayError(f"log {log.id} has no created_at, by which logs are read")
    return log.created_at if log.created_at.tzinfo else log.created_at.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
