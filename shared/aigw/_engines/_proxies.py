"""Proxies: whom none leads to, which ones cannot be asked, and which one a client asks, should no answer come."""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._origins import is_loopback, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORIGINS: Final = 64
_UNUSABLE: Final = (ValueError, ImportError, httpx.InvalidURL)


def is_here(url: str) -> bool:
    """Tell whether a URL is of this machine itself: it is asked directly, whatever proxies the environment names.

    A proxy would look for it on its own machine. Browsers pass over proxies for the same names and addresses.
    """
    scheme, _, place = url.split("/", 3)[:3]
    return _is_origin_here(f"{scheme}//{place}")


@functools.lru_cache(maxsize=_ORIGINS)
def _is_origin_here(origin: str) -> bool:
    return is_loopback(urlsplit(origin).hostname or "")


def proxy_of(client: Any, url: Any) -> str | None:
    """Give the proxy that a client sends a URL's calls through, `scheme://host:port`, as far as the library tells.

    Args:
        client: A sync or async client of httpx's, or of a library with its names.
        url: The library's own.
    """
    try:
        origin = client._transport_for_url(url)._pool._proxy_url.origin  # noqa: SLF001  there is no public way
    except AttributeError:
        return None
    host = origin.host.decode()
    return f"{origin.scheme.decode()}://{f'[{host}]' if ':' in host else host}:{origin.port}"


@contextmanager
def usable_proxies() -> Iterator[None]:
    """Have a client of httpx's made, which reads the environment.

    Raises:
        ConfigurationError: A proxy that is named there cannot be asked.
    """
    try:
        yield
    except _UNUSABLE:
        refused = [ConfigurationError(_fault())]
    else:
        return
    raise refused.pop()


def _fault() -> str:
    for scheme in ("http", "https", "all"):
        proxy = getproxies().get(scheme) or ""
        why = _why_unusable(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
        if why:
            return f"{_variable(scheme)} cannot be {shown(without_secrets(proxy))}: {why}"
    return f"{_variable('no')} cannot be read: it is names of hosts, with commas between"


def _variable(scheme: str) -> str:
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else name.upper()


def _why_unusable(proxy: str) -> str | None:
    try:
        httpx.HTTPTransport(proxy=httpx.Proxy(proxy), verify=False).close()
    except ImportError:
        return "a SOCKS proxy needs a package; pip install 'httpx[socks]'"
    except _UNUSABLE:
        return "it is the URL of a proxy, as in 'http://127.0.0.1:3128'; its scheme is http, https, socks5 or socks5h"
    return None
