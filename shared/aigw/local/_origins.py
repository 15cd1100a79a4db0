"""Whose web page is behind a request, as browsers tell; what is no browser tells nothing, and is let in.

A page of any site can send a browser's requests to this machine. It cannot read the answers, but a call costs money
where an upstream is paid for. And a site's name that its owner points here (DNS rebinding) would make it this site,
that may read as well. A gateway with tokens is safe from both, for no such page knows one.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN: Final = "This gateway has no tokens (tokens=, --token), and so it answers"
_OTHER_NAME: Final = f"{_OPEN} to this machine's own names only, such as 127.0.0.1."
_OTHER_SITE: Final = f"{_OPEN} programs, and no other site's web page."


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """Give a `Host` field's name without the port and the brackets, in lower case."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def foreign(method: str, fields: Iterable[tuple[bytes, bytes]]) -> str:
    """Say why a gateway without tokens refuses a request; empty when it does not.

    Args:
        method: The method in upper case.
        fields: The header fields, names in lower case.
    """
    told = dict(fields)
    host = told.get(b"host")
    if host and not _is_here(host):
        return _OTHER_NAME
    if method in _SAFE:
        return ""
    site, origin = told.get(b"sec-fetch-site"), told.get(b"origin")
    is_other = site == b"cross-site" if site is not None else origin is not None and not _is_from_here(origin)
    return _OTHER_SITE if is_other else ""


@lru_cache(maxsize=64)
def _is_here(host: bytes) -> bool:
    name = host_name(host.decode("latin-1"))
    return is_loopback(name) or name.endswith(".localhost")


def _is_from_here(origin: bytes) -> bool:
    scheme, _, host = origin.partition(b"://")
    return scheme in {b"http", b"https"} and _is_here(host)
