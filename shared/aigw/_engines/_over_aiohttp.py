"""The async engine's client over aiohttp, without httpx between: half of what a call costs, and of a chunk.

Imported at the first async call; an `ImportError` where aiohttp is missing, or so old that it reads headers without end
until memory is full.
"""

from __future__ import annotations

import asyncio
import functools
import zlib
from contextlib import suppress
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from aigw._engines._answer import Answer, make_error
from aigw._engines._http_head import MAX_INTERIM, NOT_FINAL
from aigw._engines._library import COMMON_HEADERS, URLS, adecoded, refuse_before, ssl_context
from aigw._engines._loops import Place, forget
from aigw._engines._observers import tell
from aigw._errors import APIConnectionError, APITimeoutError
from aigw._http import Headers

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

    from aigw._facts import ResponseInfo
    from aigw._http import Request

refuse_before((3, 13, 5), "aiohttp", aiohttp.__version__, "does not bound headers")

_BUFFER: Final = 32 * 1024
_PIECE: Final = 256 * 1024
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class AiohttpLibrary:
    """How aiohttp fails."""

    errors: tuple[type[Exception], ...] = (aiohttp.ClientError, TimeoutError, zlib.error)

    def error(self, error: Exception, request: Request, info: ResponseInfo | None = None) -> APIConnectionError:
        """Make our error of the library's; it says whether the request may have arrived."""
        error_class = APITimeoutError if isinstance(error, TimeoutError) else APIConnectionError
        return make_error(error, error_class, request, info, may_have_arrived=not isinstance(error, _NOT_SENT))


class AiohttpLoopClient:
    """A session of aiohttp's, for one event loop; it keeps no cookies and follows nothing.

    Args:
        timeout: Seconds, or an `httpx.Timeout`.
        limits: How many connections there may be, and how long they are kept.
    """

    def __init__(self, timeout: Any, limits: httpx.Limits) -> None:
        given = httpx.Timeout(timeout)
        self._write_timeout = given.write
        self._timeout = aiohttp.ClientTimeout(connect=given.pool, sock_connect=given.connect, sock_read=given.read)
        self._url = functools.lru_cache(maxsize=URLS)(functools.partial(URL, encoded=True))
        self._library = AiohttpLibrary()
        self._place = Place()
        self._open: set[aiohttp.ClientResponse] = set()
        self._connector = _Connector(
            ssl=ssl_context(), limit=limits.max_connections or 0, keepalive_timeout=limits.keepalive_expiry
        )
        self._session = aiohttp.ClientSession(
            headers=COMMON_HEADERS,
            connector=self._connector,
            cookie_jar=_NoCookies(),
            auto_decompress=False,
            timeout=self._timeout,
        )

    async def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        try:
            response = await self._session.request(
                request.method,
                self._url(request.url),
                headers=request.headers,
                data=self._data(request.content),
                allow_redirects=False,
            )
        except self._library.errors as error:
            failed = [self._library.error(error, request)]
        else:
            return self._answer(response, request)
        raise failed.pop()

    def _data(self, content: bytes) -> bytes | _Long | None:
        """Give a body as aiohttp takes it; one that its buffer holds never waits for the server."""
        return (content or None) if len(content) <= _BUFFER else _Long(content, self._write_timeout)

    def _answer(self, response: aiohttp.ClientResponse, request: Request) -> Answer:
        tell(request, response.status)
        headers = _headers(response)
        body = adecoded(response.content.iter_any(), headers)
        closing = _Closing(response, self._open, self._place)
        return Answer(response.status, headers, body, closing, self._timeout.sock_read, self._library)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        self._break_off()

    def let_go(self) -> bool:
        """Close the connections without waiting; tell whether that could be done, which is aiohttp's own affair."""
        with suppress(AttributeError):  # of an aiohttp that calls it otherwise
            self._connector.let_go()
            self._break_off()
            return True
        return False

    def _break_off(self) -> None:
        """Part the responses that are still open from their connections, which are closed by now."""
        while self._open:
            response = self._open.pop()
            connection = response.connection
            response.close()
            if connection is not None:  # the loop has ended
                connection.close()


class _Long(aiohttp.Payload):
    """A long body, sent in pieces that each have their time: aiohttp waits for a server that reads nothing for ever.

    Args:
        content: The body.
        timeout: Seconds for each piece; `None` without end.
    """

    _value: bytes

    def __init__(self, content: bytes, timeout: float | None) -> None:
        super().__init__(content)
        self._size = len(content)
        self._timeout = timeout

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Give it as text, which aiohttp asks of every body."""
        return self._value.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it.

        Raises:
            aiohttp.SocketTimeoutError: The server reads nothing.
        """
        pieces = memoryview(self._value)
        transport = getattr(writer, "transport", None)  # which aiohttp parts with before this is cancelled
        try:
            for at in range(0, len(pieces), _PIECE):
                async with asyncio.timeout(self._timeout):
                    await writer.write(pieces[at : at + _PIECE])
            transport = None
        except TimeoutError:
            raise aiohttp.SocketTimeoutError("the server did not read the request in time") from None
        finally:
            if transport is not None:  # or it would close only when the server has read what it holds
                transport.abort()


class _Protocol(ResponseHandler):
    """What reads from a connection; interim answers have an end, which aiohttp waits for as long as they come."""

    _interim = 0

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take an answer whose head has come."""
        status = data[0].code
        if status >= HTTPStatus.OK:
            self._interim = 0
            super().feed_data(data, size)
            return
        self._interim += 1
        if status == HTTPStatus.SWITCHING_PROTOCOLS or self._interim >= MAX_INTERIM:
            self.set_exception(aiohttp.ClientConnectionError(NOT_FINAL))
            if self.transport is not None:
                self.transport.abort()


class _Connector(aiohttp.TCPConnector):
    """One that can also close without waiting, which aiohttp does for itself alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = functools.partial(_Protocol, loop=self._loop)  # type: ignore[assignment]  # one all the same

    def let_go(self) -> None:
        """Close the connections; of a loop that has ended, their sockets."""
        if self._loop.is_closed():
            idle = [protocol for kept in self._conns.values() for protocol, _ in kept]
            for protocol in (*idle, *self._acquired):
                forget(protocol.transport)
        self._close(abort_ssl=True)


class _NoCookies(aiohttp.DummyCookieJar):
    """A jar without cookies, which makes nothing anew for each request."""

    def __init__(self) -> None:
        super().__init__()
        self._none: SimpleCookie = SimpleCookie()

    def filter_cookies(self, request_url: URL) -> SimpleCookie:  # noqa: ARG002 -- the signature is aiohttp's
        """Give no cookies."""
        return self._none


def _headers(response: aiohttp.ClientResponse) -> Headers:
    """Give the headers as httpx reads them: in UTF-8, or all in Latin-1 if one is not."""
    pairs = list(response.headers.items())
    try:
        "".join([value for _, value in pairs]).encode()
    except UnicodeEncodeError:
        pairs = [(name, value.encode("utf-8", "surrogateescape").decode("latin-1")) for name, value in pairs]
    return Headers(pairs)


class _Closing:
    """Frees the connection of one answer.

    Args:
        response: aiohttp's.
        others: The responses that are open, this one too: held, so that whoever drops a stream closes it, and no
            collector, which would call them unclosed.
        place: Where they live.
    """

    __slots__ = ("_others", "_place", "_response")

    def __init__(self, response: aiohttp.ClientResponse, others: set[aiohttp.ClientResponse], place: Place) -> None:
        self._response = response
        self._others = others
        self._place = place
        others.add(response)

    async def __call__(self) -> None:
        """Wait for what is still being sent."""
        self._others.discard(self._response)
        if not self._response.closed:
            self._response.release()
            await self._response.wait_for_close()

    def now(self) -> bool:
        """Wait for nothing, if this is the place for it; tell whether the connection is free."""
        if self._place.loop.is_closed() or not self._place.is_here:
            return False
        self._others.discard(self._response)
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()
        return True
