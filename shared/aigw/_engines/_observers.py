"""Who watches httpx: what stands in the place of its functions, and who reads its log.

Mocks, cassettes and tracing put functions of their own in the place of httpx's or httpcore's. The engines that go
round both (`_over_urllib3`, `_over_aiohttp`) are for calls that nobody watches; a watched one goes through httpx, where
it is looked for. What was put there is seen at each call, since it comes and goes with a test.
"""

from __future__ import annotations

import functools
import logging
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw._http import Request

_LOG: Final = logging.getLogger("aigw")
_READ_LOGS: Final = ((logging.getLogger("httpx"), logging.INFO), (logging.getLogger("httpcore"), logging.DEBUG))

# library, class, functions: those of `send` are gone round also when a client's transport is asked straight
_SENDING: Final = {
    "sync": (("httpx", "Client", ("send", "_send_single_request", "_transport_for_url")),),
    "async": (("httpx", "AsyncClient", ("send", "_send_single_request", "_transport_for_url")),),
}
_CARRYING: Final = {
    "sync": (
        ("httpx", "HTTPTransport", ("handle_request",)),
        ("httpcore", "ConnectionPool", ("handle_request",)),
        ("httpcore", "HTTPConnection", ("handle_request",)),
    ),
    "async": (
        ("httpx", "AsyncHTTPTransport", ("handle_async_request",)),
        ("httpcore", "AsyncConnectionPool", ("handle_async_request",)),
        ("httpcore", "AsyncHTTPConnection", ("handle_async_request",)),
    ),
}

Row = tuple[str, str, tuple[str, ...]]
Place = tuple[type[Any], str, "FunctionType | None"]


def is_watched(kind: str) -> bool:
    """Tell whether somebody would miss a call that goes round httpx.

    A level that the whole application logs at is no reading of httpx's log; a level or a handler of that very logger
    is.

    Args:
        kind: `sync` or `async`.
    """
    for log, level in _READ_LOGS:
        if (log.level or log.handlers) and log.isEnabledFor(level):
            return True
    httpcore = sys.modules.get("httpcore")
    return not _are_untouched(_places(kind, httpcore if hasattr(httpcore, "__version__") else None))


def goes_straight(kind: str) -> bool:
    """Tell whether nobody would miss a call that goes round `send` of httpx, to its transport.

    Args:
        kind: `sync` or `async`.
    """
    return _are_untouched(_sending_places(kind)) and not _READ_LOGS[0][0].isEnabledFor(logging.INFO)


def tell(request: Request, status: int) -> None:
    """Log a call that went round httpx, whose log has a line for each."""
    if _LOG.isEnabledFor(logging.DEBUG):
        _LOG.debug("%s %s: HTTP %d", request.method, request.url.partition("?")[0], status)


def _are_untouched(places: tuple[Place, ...]) -> bool:
    for owner, name, own in places:
        found = getattr(owner, name)
        if found is not own and not _is_own(found, owner):
            return False
    return True


def _is_own(found: object, owner: type[Any]) -> bool:
    """Tell a library's own function from what was put in its place, also from what was put there before it was seen."""
    library = owner.__module__.partition(".")[0]
    is_plain = type(found) is FunctionType and not hasattr(found, "__wrapped__")
    return is_plain and found.__module__.partition(".")[0] == library


@functools.lru_cache
def _places(kind: str, httpcore: ModuleType | None) -> tuple[Place, ...]:
    """Find what can be replaced; of httpcore there is nothing before somebody has imported it."""
    return tuple(_found((*_SENDING[kind], *_CARRYING[kind]), {"httpx": httpx, "httpcore": httpcore}))


@functools.lru_cache
def _sending_places(kind: str) -> tuple[Place, ...]:
    return tuple(_found(_SENDING[kind], {"httpx": httpx}))


def _found(table: Iterable[Row], libraries: Mapping[str, ModuleType | None]) -> Iterator[Place]:
    for library, class_name, names in table:
        owner = getattr(libraries[library], class_name, None)
        for name in names:
            found = getattr(owner, name, None)
            if owner is not None and found is not None:
                yield owner, name, found if _is_own(found, owner) else None
