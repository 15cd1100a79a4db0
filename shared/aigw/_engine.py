"""The HTTP client under the sync driver: made on first use, one per process, or the user's own.

A client of the user's is sent through and never closed. One made here lends its connections and its proxies, but the
requests go to its transports straight: hooks, redirects, cookies and credentials, which it has none of, are a quarter
of what a call costs.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import weakref
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import httpx

from aigw._library import NO_COOKIES, URLS, Family, build, read_timeout_of, ssl_context

if TYPE_CHECKING:
    from aigw._answer import Answer
    from aigw._http import Request

LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
"""Of a client made here."""

_LOG: Final = logging.getLogger("httpx")
_SENDS: Final = {kind: kind.send for kind in (httpx.Client, httpx.AsyncClient)}


def goes_straight(kind: type[Any]) -> bool:
    """Tell whether nobody would miss a call that goes round `send`: an observer in its place, a reader of its log."""
    send = _SENDS[kind]
    is_plain = kind.send is send and type(send) is FunctionType and not hasattr(send, "__wrapped__")
    return is_plain and not _LOG.isEnabledFor(logging.INFO)


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
            raise family.error(error, request) from error
        return family.answer(response, read_timeout_of(built))


class _Client(httpx.Client):
    @property  # type: ignore[misc]  # nobody sets them
    def cookies(self) -> httpx.Cookies:
        return NO_COOKIES

    def transport_for(self, url: str) -> httpx.BaseTransport:
        """Give the transport of a URL: a proxy's where the environment names one."""
        return self._transport_for_url(httpx.URL(url))


class OwnClient:
    """A client made here, and the process it belongs to."""

    def __init__(self, timeout: Any) -> None:
        self._client = _Client(verify=ssl_context(), limits=LIMITS, timeout=timeout)
        self._transport_for = functools.lru_cache(maxsize=URLS)(self._client.transport_for)
        self._timeouts = self._client.timeout.as_dict()
        self._family = Family(self._client, "Client")
        self._pid = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is its process; connections are not shared between processes."""
        return self._pid == os.getpid()

    def open(self, request: Request) -> Answer:
        """Send, and give the answer with its body still to come.

        Raises:
            APIConnectionError: No answer arrived.
        """
        family = self._family
        try:
            response = self._send(build(request, self._timeouts), request.url)
        except family.errors as error:
            raise family.error(error, request) from error
        return family.answer(response, self._timeouts["read"])

    def _send(self, built: httpx.Request, url: str) -> httpx.Response:
        if goes_straight(httpx.Client):
            return self._transport_for(url).handle_request(built)
        return self._client.send(built, stream=True, auth=None, follow_redirects=False)

    def close(self) -> None:
        """Close the connections; a fork's copy of them is not the fork's to close."""
        if self.is_here:
            self._client.close()


class Engine:
    """Sends requests over a sync client.

    Args:
        client: The user's own; `None` for one made here.
        timeout: Of a client made here; of a user's, unless it is the default.
    """

    def __init__(self, client: Any, timeout: Any) -> None:
        self._user = None if client is None else UserClient(client, timeout)
        self._own: OwnClient | None = None
        self._timeout = timeout
        self._lock = threading.Lock()

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
                self._own = OwnClient(self._timeout)
                weakref.finalize(self, self._own.close)
            return self._own
