"""Logs, page after page, in constant memory and each once, however many there are."""

from __future__ import annotations

import itertools
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from aigw._calls._log_calls import MAX_PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog, LogPage
    from aigw._gateway import Gateway

T = TypeVar("T")

_REMEMBERED: Final = 10 * MAX_PER_PAGE
_MOST_STALE: Final = 10
"""Pages without a new log, one after the other, after which no more are read."""


class SeenIds:
    """The newest ids that were shown, as many as a shifting page can bring again."""

    def __init__(self) -> None:
        self._order: deque[str] = deque()
        self._ids: set[str] = set()

    def is_new(self, log_id: str) -> bool:
        """Tell whether an id comes for the first time, and remember it."""
        if log_id in self._ids:
            return False
        self._ids.add(log_id)
        self._order.append(log_id)
        if len(self._order) > _REMEMBERED:
            self._ids.discard(self._order.popleft())
        return True

    def __contains__(self, log_id: object) -> bool:
        return log_id in self._ids


def take(items: Iterable[T], limit: int | None) -> Iterator[T]:
    """Give so many at most; a limit may be larger than any list can be."""
    return itertools.islice(items, None if limit is None else min(limit, sys.maxsize))


def iter_pages(
    gateway: Gateway,
    filters: Sequence[LogFilter],
    *,
    order_by: str = "created_at",
    direction: str = "asc",
    per_page: int = MAX_PER_PAGE,
) -> Iterator[LogPage]:
    """Read all pages; a log that is written meanwhile shifts them, which `SeenIds` makes up for.

    Raises:
        AIGatewayError: A page cannot be read.
    """
    order: Any = {"order_by": cast("Any", order_by), "direction": cast("Any", direction)}
    for number in itertools.count(1):
        page = gateway.list_logs(filters=filters, page=number, per_page=per_page, **order)
        yield page
        if len(page.logs) < per_page:
            return


def iter_once(pages: Iterator[LogPage]) -> Iterator[GatewayLog]:
    """Give the logs of pages, each once; a server that only repeats itself comes to an end, too."""
    seen, stale = SeenIds(), 0
    for page in pages:
        fresh = [log for log in page.logs if seen.is_new(log.id)]
        stale = 0 if fresh else stale + 1
        if stale == _MOST_STALE:
            return
        yield from fresh
