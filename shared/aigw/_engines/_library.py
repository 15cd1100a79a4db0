"""What is known of httpx, and of libraries that have its names (httpx2): requests, answers, errors.

A client of the user's is used as it is, httpx or httpx2; only its default credentials stay behind, since the gateway
would take them for a provider key.
"""

from __future__ import annotations

import functools
import re
import sys
import zlib
from typing import TYPE_CHECKING, Any, Final

import httpx

from aigw._engines._answer import Answer, make_error
from aigw._engines._http_head import NOT_FINAL
from aigw._engines._inflate import aunpacked, unpacked
from aigw._engines._proxies import proxy_of
from aigw._engines._rest import hurry
from aigw._errors import APIConnectionError, APITimeoutError, ConfigurationError
from aigw._given import shown
from aigw._http import Headers
from aigw._providers import KEY_HEADERS
from aigw._version import __version__

if TYPE_CHECKING:
    import ssl
    from types import ModuleType

    from aigw._facts import ResponseInfo
    from aigw._http import Request

MAX_SECONDS: Final = 365 * 86_400
"""The longest timeout, far below what a system's clock can count to."""

DEFAULT_TIMEOUT: Final = httpx.Timeout(300.0, connect=10.0)
"""Seconds: ten to connect, five minutes for each wait after that; models think long."""

ACCEPTED: Final = ("accept-encoding", "gzip")
"""What can be unpacked within bounds."""

COMMON_HEADERS: Final = (
    ("user-agent", f"aigw/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"),
    ("accept", "*/*"),
    ACCEPTED,
)
"""What a client made here adds to every request."""

URLS: Final = 64
"""As many URLs are looked up once; calls of a model share theirs."""

_NOT_SENT: Final = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
_AIOHTTP_NOT_SENT: Final = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}
_CREDENTIALS: Final = KEY_HEADERS | {"cf-aig-authorization"}


class _NoCookies(httpx.Cookies):
    """Remembers nothing: each call stands for itself."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave a response's cookies alone."""


NO_COOKIES: Final = _NoCookies()


@functools.lru_cache(maxsize=1)
def ssl_context() -> ssl.SSLContext:
    """Load the certificates once; that is most of what a client costs."""
    return httpx.create_ssl_context()


def check_timeout(timeout: Any) -> Any:
    """Give a timeout back if it is one.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        parts = timeout.as_dict() if hasattr(timeout, "as_dict") else httpx.Timeout(timeout).as_dict()
        fits = all(seconds is None or 0 < seconds <= MAX_SECONDS for seconds in parts.values())
        fits = fits and not any(isinstance(seconds, bool) for seconds in parts.values())
    except (TypeError, ValueError, IndexError):
        fits = False
    if not fits:
        raise ConfigurationError(
            f"timeout cannot be {shown(timeout)}: it is seconds above 0, at most {MAX_SECONDS}, None for no limit, "
            "or an httpx.Timeout of these"
        )
    return timeout


def refuse_before(since: tuple[int, ...], name: str, version: str, fault: str) -> None:
    """Refuse a library that is too old.

    Raises:
        ImportError: Its version is before `since`; the text tells its fault.
    """
    if tuple(map(int, re.findall(r"\d+", version)[: len(since)])) < since:
        raise ImportError(f"{name} {version} {fault}", name=name)


def decoded(body: Any, headers: Headers) -> Any:
    """Give what a body unpacks to."""
    encoding = headers.get("content-encoding")
    return body if encoding is None else unpacked(body, encoding)


def adecoded(body: Any, headers: Headers) -> Any:
    """As `decoded`, for a body that is iterated over with `async for`."""
    encoding = headers.get("content-encoding")
    return body if encoding is None else aunpacked(body, encoding)


class Family:
    """The library a client object comes from.

    Args:
        client: The client.
        base: `Client` or `AsyncClient`: what one of the ancestors of its class must be called.

    Raises:
        ConfigurationError: It is no such client.
    """

    def __init__(self, client: Any, base: str) -> None:
        self._module = _find_module(client, base)
        self._client = client
        self._url = functools.lru_cache(maxsize=URLS)(self._module.URL)
        more = getattr(sys.modules.get("aiohttp"), "ClientError", None)
        self.errors: tuple[type[Exception], ...] = (
            self._module.RequestError,
            self._module.InvalidURL,
            zlib.error,
            *([more] if more else []),
        )

    @staticmethod
    def build_with(client: Any, request: Request, timeout: Any) -> Any:
        """Have a user's client make the request; it adds its default headers and timeout, but no credential."""
        more = {} if timeout is DEFAULT_TIMEOUT else {"timeout": timeout}
        headers = [*request.headers, ACCEPTED]
        built = client.build_request(request.method, request.url, headers=headers, content=request.content, **more)
        ours = {name for name, _ in request.headers}
        for name in _CREDENTIALS - ours:
            built.headers.pop(name, None)
        return built

    def answer(self, response: Any, read_timeout: float | None) -> Answer:
        """Give a sync client's response as ours."""
        headers = response_headers(response)
        body = body_of(response, headers.get("content-encoding"))
        return Answer(
            response.status_code, headers, body, response.close, read_timeout, self, functools.partial(hurry, response)
        )

    def async_answer(self, response: Any, read_timeout: float | None) -> Answer:
        """Give an async client's response as ours."""
        headers = response_headers(response)
        body = async_body_of(response, headers.get("content-encoding"))
        return Answer(response.status_code, headers, body, response.aclose, read_timeout, self)

    def not_final(self) -> Exception:
        """Make the library's error of an answer that is none."""
        error: Exception = self._module.RemoteProtocolError(NOT_FINAL)
        return error

    def error(self, error: Exception, request: Request, info: ResponseInfo | None = None) -> APIConnectionError:
        """Make our error of the library's; it says whether the request may have arrived."""
        is_timeout = isinstance(error, self._module.TimeoutException) and not _is_aiohttp_break(error)
        error_class = APITimeoutError if is_timeout else APIConnectionError
        proxy = proxy_of(self._client, self._url(request.url))
        return make_error(error, error_class, request, info, may_have_arrived=_may_have_arrived(error), proxy=proxy)


@functools.lru_cache(maxsize=URLS)
def _parsed(url: str) -> tuple[httpx.URL, str]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc.decode("ascii")


def build(request: Request, timeouts: dict[str, float | None]) -> httpx.Request:
    """Make the request for a client of httpx's made here; complete, since httpx takes long to see what is missing."""
    url, host = _parsed(request.url)
    headers = [("host", host), *COMMON_HEADERS, *request.headers]
    if request.content or request.method != "GET":
        headers.append(("content-length", str(len(request.content))))
    stream = httpx.ByteStream(request.content)
    return httpx.Request(request.method, url, headers=headers, stream=stream, extensions={"timeout": timeouts})


def read_timeout_of(built: Any) -> float | None:
    """Give the seconds that a library's request allows for each wait."""
    timeout: float | None = built.extensions.get("timeout", {}).get("read")
    return timeout


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


def response_headers(response: Any) -> Headers:
    """Give a library's response headers as ours."""
    try:
        return Headers([(name.decode("ascii"), value.decode("ascii")) for name, value in response.headers.raw])
    except UnicodeDecodeError:
        return Headers(response.headers.multi_items())


def body_of(response: Any, encoding: str | None = None) -> Any:
    """Give what a response's body is iterated by: its own stream, unless it was read already or has to be unpacked.

    The library's `iter_bytes` puts three generators over each piece, which is a fifth of what a streamed chunk costs.
    """
    if response.is_stream_consumed:
        return response.iter_bytes()
    return unpacked(response.stream, encoding) if encoding else response.stream


def async_body_of(response: Any, encoding: str | None = None) -> Any:
    """Give what an async client's response is iterated by, as `body_of`."""
    if response.is_stream_consumed:
        return response.aiter_bytes()
    return aunpacked(response.stream, encoding) if encoding else response.stream
