"""The HTTP clients under the sync driver: made on first use, for one process, or the user's own.

A client of the user's is sent through and never closed. Calls of our own go over urllib3 where it is installed; over
httpx where it is not, behind a proxy of the environment, which httpx knows better, and where somebody watches httpx.
No proxy leads back to this machine, so that its own origins are asked directly.
"""

from __future__ import annotations

import codecs
import functools
import os
import weakref
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import httpx

from aigw._engines._library import NO_COOKIES, URLS, Family, build, read_timeout_of, ssl_context
from aigw._engines._observers import goes_straight, is_watched
from aigw._engines._proxies import is_here, usable_proxies
from aigw._forks import Making

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aigw._engines._answer import Answer
    from aigw._engines._over_urllib3 import UrllibClient
    from aigw._http import Request

LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
"""Of a client made here."""


def has_proxy() -> bool:
    """Tell whether the environment names a proxy that httpx would use."""
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in ("http", "https", "all"))


class UserClient:
    """A client of the user's."""

    def __init__(self, client: Any, timeout: Any) -> None:
        self._client = client
        self._timeout = timeout
        self._family = Family(client, "Client")

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        family = self._family
        built = family.build_with(self._client, request, self._timeout)
        try:
            response = self._client.send(built, stream=True, auth=None, follow_redirects=False)
        except family.errors as error:
            failed = [family.error(error, request)]
        else:
            return family.answer(response, read_timeout_of(built))
        raise failed.pop()


class _Client(httpx.Client):
    @property  # type: ignore[misc]  # nobody sets them
    def cookies(self) -> httpx.Cookies:
        return NO_COOKIES

    def transport_for(self, url: str) -> httpx.BaseTransport:
        """Give the transport of a URL: a proxy's where the environment names one."""
        return self._transport_for_url(httpx.URL(url))


class HttpxClient:
    """An httpx client made here.

    It lends its connections and its proxies, but the requests go to its transports straight: hooks, redirects, cookies
    and credentials, which it has none of, are a quarter of what a call costs.

    Args:
        timeout: Seconds, or an `httpx.Timeout`.
        is_direct: Whether it passes over the environment's proxies.
    """

    def __init__(self, timeout: Any, *, is_direct: bool) -> None:
        self._client = _Client(verify=ssl_context(), limits=LIMITS, timeout=timeout, trust_env=not is_direct)
        self._transport_for = functools.lru_cache(maxsize=URLS)(self._client.transport_for)
        self._timeouts = self._client.timeout.as_dict()
        self._family = Family(self._client, "Client")

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        family = self._family
        try:
            response = self._send(build(request, self._timeouts), request.url)
        except family.errors as error:
            failed = [family.error(error, request)]
        else:
            return family.answer(response, self._timeouts["read"])
        raise failed.pop()

    def _send(self, built: httpx.Request, url: str) -> httpx.Response:
        if goes_straight("sync"):
            return self._transport_for(url).handle_request(built)
        return self._client.send(built, stream=True, auth=None, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class OwnClient:
    """The clients made here, and the process they belong to: over urllib3 if it can be had, and of httpx if needed.

    Args:
        timeout: Seconds, or an `httpx.Timeout`.
        lock: Held while one is made; one of its own when left out.
    """

    def __init__(self, timeout: Any, lock: AbstractContextManager[Any] | None = None) -> None:
        self._timeout = timeout
        self._urllib3 = _over_urllib3(timeout)
        self._httpx: dict[bool, HttpxClient] = {}
        self._lock = lock or Lock()
        self._pid = os.getpid()
        codecs.lookup("idna")  # imported here, under the lock: a fork does not wait for the first call

    @property
    def is_here(self) -> bool:
        """Whether this is its process; connections are not shared between processes."""
        return self._pid == os.getpid()

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        if self._urllib3 is None or is_watched("sync"):
            return self._over_httpx(is_direct=is_here(request.url)).open(request)
        return self._urllib3.open(request)

    def close(self) -> None:
        """Close the connections; a fork's copy of httpx's is not the fork's to close."""
        if self._urllib3 is not None:
            self._urllib3.close()
        for client in list(self._httpx.values()) if self.is_here else ():
            client.close()

    def _over_httpx(self, *, is_direct: bool) -> HttpxClient:
        with self._lock:
            if is_direct not in self._httpx:
                with usable_proxies():
                    self._httpx[is_direct] = HttpxClient(self._timeout, is_direct=is_direct)
            return self._httpx[is_direct]


def _over_urllib3(timeout: Any) -> UrllibClient | None:
    if has_proxy():
        return None
    try:
        from aigw._engines._over_urllib3 import UrllibClient  # noqa: PLC0415  an extra
    except ImportError:
        return None
    return UrllibClient(timeout, LIMITS)


class Engine(Making):
    """Sends requests over a sync client.

    Args:
        client: The user's own; `None` for one made here.
        timeout: Of a client made here; of a user's, unless it is the default.
    """

    def __init__(self, client: Any, timeout: Any) -> None:
        self._user = None if client is None else UserClient(client, timeout)
        self._own: OwnClient | None = None
        self._timeout = timeout
        super().__init__()

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        return (self._user or self.own_client()).open(request)

    def close(self) -> None:
        """Close a client made here; the next call would make another."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def own_client(self) -> OwnClient:
        """Give the client made here; after a fork a new one."""
        own = self._own
        return own if own is not None and own.is_here else self._make()

    def _make(self) -> OwnClient:
        with self._lock:
            if self._own is None or not self._own.is_here:
                self._own = OwnClient(self._timeout, self._lock)
                weakref.finalize(self, self._own.close)
            return self._own
