"""The HTTP clients under the drivers: made on first use, one per process and event loop, or the user's own.

The one place that knows httpx. The default async client rides on aiohttp where `httpx-aiohttp` is installed, whose pool
stays fast with a thousand calls in flight. A client of the user's is used as it is, httpx or httpx2, and never closed;
only its default credentials stay behind, since the gateway would take them for a provider key.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
import weakref
import zlib
from typing import TYPE_CHECKING, Any, Final

import httpx

from aigw._errors import APIConnectionError, APITimeoutError, ConfigurationError
from aigw._http import Headers
from aigw._inflate import aunpack, unpack
from aigw._providers import KEY_HEADERS
from aigw._version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator
    from types import ModuleType

    from aigw._http import Request
    from aigw._models import ResponseInfo

DEFAULT_TIMEOUT: Final = httpx.Timeout(300.0, connect=10.0)
"""Seconds: ten to connect, five minutes for each wait after that; models think long."""

_LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
_AGENT: Final = ("user-agent", f"aigw/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}")
_ENCODINGS: Final = ("accept-encoding", "gzip")  # what can be unpacked within bounds
_COMMON_HEADERS: Final = (_AGENT, ("accept", "*/*"), _ENCODINGS)
_URLS: Final = 64
_NOT_SENT: Final = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
_AIOHTTP_NOT_SENT: Final = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}
_CREDENTIALS: Final = KEY_HEADERS | {"cf-aig-authorization"}


@functools.lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """Load the certificates once; that is most of what a client costs."""
    return httpx.create_ssl_context()


class Family:
    """The library a client object comes from: httpx, or one that has its names (httpx2).

    Args:
        client: The client.
        base: `Client` or `AsyncClient`: what one of the ancestors of its class must be called.
    """

    def __init__(self, client: Any, base: str) -> None:
        self._module = _find_module(client, base)
        self._url = functools.lru_cache(maxsize=_URLS)(self._module.URL)  # calls of a model share theirs
        more = getattr(sys.modules.get("aiohttp"), "ClientError", None)
        self.errors: tuple[type[Exception], ...] = (
            self._module.RequestError,
            self._module.InvalidURL,
            zlib.error,
            *([more] if more else []),
        )

    def build(self, client: Any, request: Request, timeout: Any, *, is_own: bool) -> Any:
        """Make the library's request; a user's client adds its default headers and timeout, but no credential."""
        if is_own:
            return self._module.Request(
                request.method,
                self._url(request.url),
                headers=[*_COMMON_HEADERS, *request.headers],
                content=request.content,
                extensions={"timeout": client.timeout.as_dict()},
            )
        more = {} if timeout is DEFAULT_TIMEOUT else {"timeout": timeout}
        headers = list(request.headers)
        built = client.build_request(request.method, request.url, headers=headers, content=request.content, **more)
        ours = {name for name, _ in request.headers}
        for name in _CREDENTIALS - ours:
            built.headers.pop(name, None)
        return built

    def error(self, error: Exception, request: Request, info: ResponseInfo | None = None) -> APIConnectionError:
        """Make our error of the library's; it says whether the request may have arrived."""
        origin = "/".join(request.url.split("/")[:3])
        is_timeout = isinstance(error, self._module.TimeoutException) and not _is_aiohttp_break(error)
        error_class = APITimeoutError if is_timeout else APIConnectionError
        what = "The answer broke off" if info else "No answer"
        made = error_class(f"{what} from {origin}: {str(error) or type(error).__name__}", info=info)
        made.request_sent = info is not None or _may_have_arrived(error)
        return made


def _names(error: BaseException | None) -> set[str]:
    return {base.__name__ for base in type(error).__mro__} if error is not None else set()


def _is_aiohttp(error: BaseException | None) -> bool:
    return error is not None and type(error).__module__.startswith("aiohttp")


def _is_aiohttp_break(error: Exception) -> bool:
    """Tell a broken connection from a timeout: httpx-aiohttp reports both as `ConnectTimeout`."""
    return _is_aiohttp(error.__cause__) and not isinstance(error.__cause__, TimeoutError)


def _may_have_arrived(error: Exception) -> bool:
    """Tell whether the server may have the request; under httpx-aiohttp only aiohttp's own error knows."""
    if _is_aiohttp(error.__cause__):
        return not _names(error.__cause__) & _AIOHTTP_NOT_SENT
    return not _names(error) & _NOT_SENT


def _find_module(client: Any, base: str) -> ModuleType:
    for ancestor in type(client).__mro__:
        module = sys.modules.get(ancestor.__module__.partition(".")[0])
        if ancestor.__name__ == base and module is not None and hasattr(module, "RequestError"):
            return module
    raise ConfigurationError(f"http_client cannot be a {type(client).__name__}: it is an httpx.{base} or httpx2.{base}")


def _common_headers() -> list[tuple[str, str]]:
    return [_AGENT, ("accept", "*/*"), _ENCODINGS]


def response_headers(response: Any) -> Headers:
    """Give a library's response headers as ours."""
    try:
        return Headers([(name.decode("ascii"), value.decode("ascii")) for name, value in response.headers.raw])
    except UnicodeDecodeError:
        return Headers(response.headers.multi_items())


def body_of(response: Any) -> Any:
    """Give what a response's body is iterated by: its own stream, unless it was read already or has to be unpacked.

    The library's `iter_bytes` puts three generators over each piece, which is a fifth of what a streamed chunk costs.
    """
    if _is_plain(response):
        return response.stream
    return unpack(response.stream) if _is_gzip(response) else response.iter_bytes()


def async_body_of(response: Any) -> Any:
    """Give what an async client's response is iterated by, as `body_of`."""
    if _is_plain(response):
        return response.stream
    return aunpack(response.stream) if _is_gzip(response) else response.aiter_bytes()


def _is_plain(response: Any) -> bool:
    return not response.is_stream_consumed and "content-encoding" not in response.headers


def _is_gzip(response: Any) -> bool:
    return response.headers.get("content-encoding", "").lower() == "gzip" and not response.is_stream_consumed


class _NoCookies(httpx.Cookies):
    """Remembers nothing: each call stands for itself, and looking for cookies is a tenth of what it costs."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave a response's cookies alone."""


class _Client(httpx.Client):
    @property  # type: ignore[misc]  # nobody sets them
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


class _AsyncClient(httpx.AsyncClient):
    @property  # type: ignore[misc]  # nobody sets them
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


_NO_COOKIES: Final = _NoCookies()


class Engine:
    """Sends requests over a sync client.

    Args:
        client: The user's own; `None` for one made here.
        timeout: Of a client made here.
    """

    def __init__(self, client: Any, timeout: Any) -> None:
        self._own = client is None
        self._client = client
        self._timeout = timeout
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._family: Family | None = None if client is None else Family(client, "Client")

    def open(self, request: Request) -> tuple[Any, Family]:
        """Send, and give the library's response with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        client, family = self._get()
        built = family.build(client, request, self._timeout, is_own=self._own)
        try:
            return client.send(built, stream=True, auth=None, follow_redirects=False), family
        except family.errors as error:
            raise family.error(error, request) from error

    def close(self) -> None:
        """Close a client made here; the next call would make another."""
        with self._lock:
            if self._own and self._client is not None and self._pid == os.getpid():
                self._client.close()
                self._client = None

    def _get(self) -> tuple[Any, Family]:
        """Give the client; after a fork a new one, since connections are not shared between processes."""
        is_forked = self._own and self._pid != os.getpid()  # asked first: another thread may be making the new one
        client, family = self._client, self._family
        if client is None or family is None or is_forked:
            return self._make()
        return client, family

    def _make(self) -> tuple[Any, Family]:
        with self._lock:
            if self._client is None or self._family is None or self._pid != os.getpid():
                client = _Client(verify=_ssl_context(), limits=_LIMITS, timeout=self._timeout)
                self._client = client
                self._family = Family(client, "Client")
                self._pid = os.getpid()
                weakref.finalize(self, _close_in_its_process, client, self._pid)
            return self._client, self._family


def _close_in_its_process(client: httpx.Client, pid: int) -> None:
    """Close the connections of a client nobody holds any more; a fork's copy of them is not the fork's to close."""
    if pid == os.getpid():
        client.close()


class AsyncEngine:
    """Sends requests over async clients, one for each event loop.

    A client kept from one loop fails on the next, after the server has already received the request. So each loop has
    its own, and an async generator that the loop itself finishes when it shuts down closes it.

    Args:
        client: The user's own; `None` for one made here.
        timeout: Of a client made here.
    """

    def __init__(self, client: Any, timeout: Any) -> None:
        self._user_client = client
        self._timeout = timeout
        self._by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClient] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()
        self._family: Family | None = None if client is None else Family(client, "AsyncClient")

    async def open(self, request: Request) -> tuple[Any, Family]:
        """Send, and give the library's response with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        client, family = await self._get()
        built = family.build(client, request, self._timeout, is_own=self._user_client is None)
        try:
            return await client.send(built, stream=True, auth=None, follow_redirects=False), family
        except family.errors as error:
            raise family.error(error, request) from error

    async def close(self) -> None:
        """Close this loop's client; those of other loops close with their loops."""
        mine = self._by_loop.pop(asyncio.get_running_loop(), None)
        if mine is not None:
            await mine.close()

    async def _get(self) -> tuple[Any, Family]:
        if self._user_client is not None and self._family is not None:
            return self._user_client, self._family
        loop = asyncio.get_running_loop()
        mine = self._by_loop.get(loop)
        if mine is None:
            mine = _LoopClient(self._timeout)
            with self._lock:
                self._by_loop[loop] = mine
            await mine.watch()
        return mine.client, mine.family


class _LoopClient:
    """The client of one event loop."""

    def __init__(self, timeout: Any) -> None:
        self.client = _new_async_client(timeout)
        self.family = Family(self.client, "AsyncClient")
        self._closer = self._close_with_loop()

    async def watch(self) -> None:
        """Have the loop close the client when it shuts down."""
        await anext(self._closer)

    async def close(self) -> None:
        """Close the client now."""
        await self._closer.aclose()

    async def _close_with_loop(self) -> AsyncGenerator[None, None]:
        client = self.client
        try:
            yield
        finally:
            await client.aclose()


def _new_async_client(timeout: Any) -> Any:
    settings: dict[str, Any] = {"verify": _ssl_context(), "limits": _LIMITS, "timeout": timeout}
    try:
        from httpx_aiohttp import HttpxAiohttpClient  # noqa: PLC0415  an extra
    except ImportError:
        return _AsyncClient(**settings)

    class _AiohttpClient(_AsyncClient, HttpxAiohttpClient):
        def _init_transport(self, *given: Any, **named: Any) -> Any:
            return _without_jar(super()._init_transport(*given, **named))

        def _init_proxy_transport(self, *given: Any, **named: Any) -> Any:
            return _without_jar(super()._init_proxy_transport(*given, **named))

    return _AiohttpClient(**settings)


def _without_jar(transport: Any) -> Any:
    """Have aiohttp's session, which is made at the first call, keep no cookies either."""
    new_session = transport.get_client

    def session() -> Any:
        from aiohttp import DummyCookieJar  # noqa: PLC0415  it came with the transport

        made = new_session()
        made._cookie_jar = DummyCookieJar()  # noqa: SLF001  there is no other way to hand a jar through the transport
        return made

    transport.get_client = session
    return transport
