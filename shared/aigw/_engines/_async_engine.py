"""The HTTP clients under the async driver: one for each event loop, or the user's own.

aiohttp where it is installed, whose connections cost a third of httpx's and stay as cheap with a thousand calls in
flight; httpx where it is not, behind a proxy of the environment, whose rules it knows, and where somebody watches it.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from aigw._engines import _engine
from aigw._engines._library import NO_COOKIES, URLS, Family, build, read_timeout_of, ssl_context
from aigw._engines._loops import Place, close_now
from aigw._engines._observers import goes_straight, is_watched
from aigw._engines._proxies import is_here, usable_proxies
from aigw._forks import Making

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from aigw._engines._answer import Answer
    from aigw._http import Request


class LoopClient(Protocol):
    """A client that belongs to one event loop."""

    def open(self, request: Request) -> Awaitable[Answer]:
        """Send, and give the answer with its body still to come."""

    async def close(self) -> None:
        """Close the connections."""

    def let_go(self) -> bool:
        """Close the connections without waiting, those that can be; tell whether that is all."""


class AsyncUserClient:
    """A client of the user's."""

    def __init__(self, client: Any, timeout: Any) -> None:
        self._client = client
        self._timeout = timeout
        self._family = Family(client, "AsyncClient")

    async def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        family = self._family
        built = family.build_with(self._client, request, self._timeout)
        try:
            response = await self._client.send(built, stream=True, auth=None, follow_redirects=False)
            if response.status_code < HTTPStatus.OK:  # as httpx-aiohttp gives it
                await response.aclose()
                raise family.not_final()
        except family.errors as error:
            failed = [family.error(error, request)]
        else:
            return family.async_answer(response, read_timeout_of(built))
        raise failed.pop()


class _AsyncClient(httpx.AsyncClient):
    @property  # type: ignore[misc]  # nobody sets them
    def cookies(self) -> httpx.Cookies:
        return NO_COOKIES

    def transport_for(self, url: str) -> httpx.AsyncBaseTransport:
        """Give the transport of a URL: a proxy's where the environment names one."""
        return self._transport_for_url(httpx.URL(url))


class HttpxLoopClient:
    """An httpx client made here, for one event loop.

    Args:
        timeout: Seconds, or an `httpx.Timeout`.
        is_direct: Whether it passes over the environment's proxies.
    """

    def __init__(self, timeout: Any, *, is_direct: bool) -> None:
        more: dict[str, Any] = {"limits": _engine.LIMITS, "timeout": timeout, "trust_env": not is_direct}
        self._client = _AsyncClient(verify=ssl_context(), **more)
        self._transport_for = functools.lru_cache(maxsize=URLS)(self._client.transport_for)
        self._timeouts = self._client.timeout.as_dict()
        self._family = Family(self._client, "AsyncClient")
        self._closing = asyncio.Lock()

    async def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        family = self._family
        try:
            response = await self._send(build(request, self._timeouts), request.url)
        except family.errors as error:
            failed = [family.error(error, request)]
        else:
            return family.async_answer(response, self._timeouts["read"])
        raise failed.pop()

    async def _send(self, built: httpx.Request, url: str) -> httpx.Response:
        if goes_straight("async"):
            return await self._transport_for(url).handle_async_request(built)
        return await self._client.send(built, stream=True, auth=None, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections; whoever comes second waits for the first."""
        async with self._closing:
            await self._client.aclose()

    def let_go(self) -> bool:
        """Leave the connections, which httpx closes no other way than `close`."""
        return False


class OwnLoopClient:
    """The clients made here for one event loop: one over aiohttp if it can be had, one of httpx once it is needed."""

    def __init__(self, timeout: Any) -> None:
        self._timeout = timeout
        self._aiohttp = _over_aiohttp(timeout)
        self._httpx: dict[bool, HttpxLoopClient] = {}

    def open(self, request: Request) -> Awaitable[Answer]:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        if self._aiohttp is None or is_watched("async"):
            return self._over_httpx(is_direct=is_here(request.url)).open(request)
        return self._aiohttp.open(request)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients():
            await client.close()

    def let_go(self) -> bool:
        """Close what can be closed without waiting; tell whether that is all."""
        clients = self._clients()
        return sum(client.let_go() for client in clients) == len(clients)

    def _clients(self) -> list[LoopClient]:
        return [*self._httpx.values()] if self._aiohttp is None else [self._aiohttp, *self._httpx.values()]

    def _over_httpx(self, *, is_direct: bool) -> HttpxLoopClient:
        if is_direct not in self._httpx:
            with usable_proxies():
                self._httpx[is_direct] = HttpxLoopClient(self._timeout, is_direct=is_direct)
        return self._httpx[is_direct]


def _over_aiohttp(timeout: Any) -> LoopClient | None:
    if _engine.has_proxy():
        return None
    try:
        from aigw._engines._over_aiohttp import AiohttpLoopClient  # noqa: PLC0415  an extra
    except ImportError:
        return None
    return AiohttpLoopClient(timeout, _engine.LIMITS)


class AsyncEngine(Making):
    """Sends requests over async clients, one for each event loop.

    A client kept from one loop fails on the next, after the server has already received the request. So each loop has
    its own, and an async generator that the loop itself finishes when it shuts down closes it.

    When nobody holds the engine any more, a finalizer closes them, at once: a loop that ends would not wait for a task,
    and the collector, were the finalizer not holding them, would call them unclosed.

    Args:
        client: The user's own; `None` for one made here.
        timeout: Of a client made here; of a user's, unless it is the default.
    """

    def __init__(self, client: Any, timeout: Any) -> None:
        self._user = None if client is None else AsyncUserClient(client, timeout)
        self._timeout = timeout
        self._by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = weakref.WeakKeyDictionary()
        super().__init__()
        weakref.finalize(self, _let_go_of_all, self._by_loop)

    def open(self, request: Request) -> Awaitable[Answer]:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        if self._user is not None:
            return self._user.open(request)
        loop = asyncio.get_running_loop()
        kept = self._by_loop.get(loop)
        return self._open_first(loop, request) if kept is None else kept.client.open(request)

    async def close(self) -> None:
        """Close this loop's client; those of other loops close with their loops."""
        with self._lock:
            kept = self._by_loop.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept.closer.aclose()

    async def _open_first(self, loop: asyncio.AbstractEventLoop, request: Request) -> Answer:
        with self._lock:
            ended = [self._by_loop.pop(each) for each in list(self._by_loop) if each.is_closed()]
            kept = self._by_loop[loop] = _Kept(OwnLoopClient(self._timeout))
        for each in ended:  # which keep hold of their loops
            each.let_go()
        await anext(kept.closer)
        return await kept.client.open(request)


class _Kept:
    """The client of one event loop, and what closes it with its loop."""

    __slots__ = ("_place", "client", "closer")

    def __init__(self, client: LoopClient) -> None:
        self.client = client
        self.closer = _close_with_loop(client)
        self._place = Place()

    def let_go(self) -> None:
        """Close the client without waiting, since nobody holds the engine, or the loop has ended."""
        self._place.reach(self._let_go)

    def _let_go(self) -> None:
        if self.client.let_go():
            close_now(self.closer)
        elif self._place.loop.is_running():
            self._place.loop.create_task(self._close()).add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        """Try again if a loop that ends has cancelled the task; finishing the closer, it waits for the new one."""
        if task.cancelled():
            self._let_go()

    async def _close(self) -> None:
        await self.client.close()
        close_now(self.closer)


async def _close_with_loop(client: LoopClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.close()


def _let_go_of_all(by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept]) -> None:
    for kept in list(by_loop.values()):
        kept.let_go()
