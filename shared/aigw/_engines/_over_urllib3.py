"""The sync engine's client over urllib3, without httpx between: nine tenths of a call's cost, two thirds of a chunk's.

Imported at the first sync call; an `ImportError` where urllib3 is missing, or older than 2.1, which leaks sockets.
Proxies, and calls that somebody watches, are httpx's, as `_engine` sees to.
"""

from __future__ import annotations

import functools
import http.client
import os
import re
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import httpx
import urllib3
from urllib3.exceptions import EmptyPoolError, HTTPError

from aigw._engines._answer import Answer, make_error
from aigw._engines._http_head import WireError
from aigw._engines._library import COMMON_HEADERS, URLS, decoded, refuse_before
from aigw._engines._observers import tell
from aigw._engines._urllib3_pools import NotConnectedError, make_pool, ssl_context, wake
from aigw._errors import APIConnectionError, APITimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw._engines._urllib3_pools import Pool, StrictAnswer
    from aigw._facts import ResponseInfo
    from aigw._http import Request

refuse_before((2, 1), "urllib3", vars(urllib3)["__version__"], "leaks sockets")

_PIECE: Final = 64 * 1024
_NAMES: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]*")
_VALUES: Final = re.compile(r"[\t\x20-\x7e]*")
_ONCE: Final = urllib3.Retry(total=False, redirect=0)
_NOT_SENT: Final = (NotConnectedError, EmptyPoolError, httpx.InvalidURL)
_TIMEOUTS: Final = (TimeoutError, EmptyPoolError)


class UrllibLibrary:
    """How urllib3 and `http.client` fail."""

    errors: tuple[type[Exception], ...] = (
        *(HTTPError, http.client.HTTPException, OSError, zlib.error),
        *(WireError, NotConnectedError, httpx.InvalidURL),
    )

    def error(self, error: Exception, request: Request, info: ResponseInfo | None = None) -> APIConnectionError:
        """Make our error of the library's; it says whether the request may have arrived."""
        error_class = APITimeoutError if isinstance(reason_of(error), _TIMEOUTS) else APIConnectionError
        return make_error(
            reason_of(error), error_class, request, info, may_have_arrived=not isinstance(error, _NOT_SENT)
        )


def reason_of(error: BaseException) -> Exception:
    """Give what lies below that which urllib3 wraps it in."""
    while isinstance(error, (NotConnectedError, HTTPError)):
        below = (error.__cause__, *error.args)
        reasons = [reason for reason in below if isinstance(reason, Exception)]
        if not reasons:
            break
        error = reasons[0]
    return cast("Exception", error)


class UrllibClient:
    """Connections and what is asked over them, by any number of threads; it keeps no cookies and follows nothing.

    Args:
        timeout: Seconds, or an `httpx.Timeout`.
        limits: How many connections there may be to one place, and how long they are kept.
    """

    def __init__(self, timeout: Any, limits: httpx.Limits) -> None:
        self._timeout = httpx.Timeout(timeout)
        self._limits = limits
        self._pools: dict[tuple[str, str, int | None], Pool] = {}
        self._place = functools.lru_cache(maxsize=URLS)(self._find_place)
        self._library = UrllibLibrary()
        ssl_context()  # loaded here, by one thread

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        try:
            exchange = Exchange(self._send(request))
        except self._library.errors as error:
            failed = [self._library.error(error, request)]
        else:
            return self._answer(exchange, request)
        raise failed.pop()

    def _answer(self, exchange: Exchange, request: Request) -> Answer:
        tell(request, exchange.status)
        body = decoded(exchange.read(), exchange.headers)
        more = (self._timeout.read, self._library, exchange.hurry)
        return Answer(exchange.status, exchange.headers, body, exchange.close, *more)

    def close(self) -> None:
        """Close the connections, also those in use."""
        for pool in list(self._pools.values()):
            pool.close()

    def _send(self, request: Request) -> urllib3.BaseHTTPResponse:
        pool: Any
        pool, target = self._place(request.url)
        response: urllib3.BaseHTTPResponse = pool.urlopen(
            request.method,
            target,
            request.content or None,
            _mapping((*COMMON_HEADERS, *request.headers)),
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            pool_timeout=self._timeout.pool,
        )
        return response

    def _find_place(self, url: str) -> tuple[Pool, str]:
        parsed = httpx.URL(url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise httpx.InvalidURL("the URL is not one of http or https")
        place = (parsed.scheme, parsed.raw_host.decode("ascii"), parsed.port)
        pool = self._pools.get(place) or self._pools.setdefault(place, make_pool(*place, self._timeout, self._limits))
        return pool, parsed.raw_path.decode("ascii")


def _mapping(headers: tuple[tuple[str, str], ...]) -> Any:
    """Give header fields as urllib3 takes them: a plain dict, which is quicker, unless a name is there twice.

    Raises:
        NotConnectedError: A field cannot be sent. Its value is not told, since it may be a secret.
    """
    if not (
        _NAMES.fullmatch("".join([name for name, _ in headers]))
        and _VALUES.fullmatch("".join([value for _, value in headers]))
    ):
        raise NotConnectedError("a header field holds what a header cannot")
    mapping = dict(headers)
    return mapping if len(mapping) == len(headers) else urllib3.HTTPHeaderDict(headers)


class Exchange:
    """An answer on a connection, which is kept if the answer is read whole, and else closed.

    Attributes:
        status: The HTTP status code.
        headers: The header fields.
    """

    __slots__ = ("_answer", "_pid", "_response", "headers", "status")

    def __init__(self, response: Any) -> None:
        self._response: Any = response
        self._answer: StrictAnswer = response._original_response  # noqa: SLF001 -- what requests reads too
        self._pid = os.getpid()
        self.status = self._answer.status
        self.headers = self._answer.fields

    def read(self) -> Iterator[bytes]:
        """Give the body as it comes.

        Raises:
            OSError: The connection broke, or took too long.
            http.client.HTTPException: The body is broken, or not whole.
        """
        answer = self._answer
        try:
            while piece := answer.read1(_PIECE):
                yield piece
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)  # noqa: TRY301 -- and close
            self._end()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def hurry(self, seconds: float) -> Iterator[bool]:
        """Shorten the waits for what is left; the next request over the connection sets them anew."""
        opened = getattr(getattr(self._response, "connection", None), "sock", None)
        if opened is not None:
            opened.settimeout(min(seconds, opened.gettimeout() or seconds))
        yield opened is not None

    def close(self) -> None:
        """Let go of the connection, also while another thread reads from it; of a fork, only its copy."""
        self._let_go(is_kept=False)

    __del__ = close

    def _end(self) -> None:
        self._answer.close()
        if self._response is None:
            raise WireError("the answer was closed")
        self._let_go(is_kept=self._answer.is_clean)

    def _let_go(self, *, is_kept: bool) -> None:
        response, self._response = self._response, None
        if response is None:
            return
        if not is_kept:
            if self._pid == os.getpid():
                wake(response.connection)
            response.close()
        response.release_conn()
