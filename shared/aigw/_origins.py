"""Origins, `scheme://host[:port]`: what may stand for Cloudflare's, how one is told, and which are this machine's."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Final
from urllib.parse import urlsplit

from aigw._errors import ConfigurationError
from aigw._given import shown

_BARE: Final = re.compile(r"https?://[^\s/?#@\\]+", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^(?:https?|socks[45][ah]?)://", re.IGNORECASE)
_WANTED: Final = (
    "it is an origin without a password, path or query, scheme://host[:port], as in 'http://127.0.0.1:8787'; "
    "account and gateway are given as account_id and gateway_id"
)


def check_base_url(base_url: str | None) -> str:
    """Give the origin that stands for Cloudflare's two, the given one or `AIGW_BASE_URL`, without a slash at its end.

    Raises:
        ConfigurationError: It is more than an origin, or none; its password and its query are not told.
    """
    name, text = ("base_url", base_url) if base_url else ("AIGW_BASE_URL", os.environ.get("AIGW_BASE_URL", ""))
    origin = text.rstrip("/")
    if text and not _is_origin(origin):
        raise ConfigurationError(f"{name} cannot be {shown(without_secrets(text))}: {_WANTED}")
    return origin


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return has_host and _BARE.fullmatch(text) is not None


def without_secrets(url: str) -> str:
    """Give what may be told of something that was meant for a URL: neither user nor password, query nor fragment."""
    told, mark, hidden = re.split(r"([?#]|$)", url, maxsplit=1)
    rest = _SCHEME.sub("", told)
    scheme = told.removesuffix(rest)
    if "@" in hidden:  # of the query, or of a password that was not quoted
        return f"{scheme}..."
    _, user, host = rest.rpartition("@")
    return f"{scheme}{user and '***@'}{host}{mark and f'{mark}...'}"


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's own: `localhost`, names below it, 127.0.0.0/8 and ::1."""
    name = host.lower().rstrip(".").strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
