"""Who may see the page: the right host name, no other origin's writing, and a token where the gateway has tokens.

The names: a page on this machine answers to this machine's names only, so that no other site's name, pointed here by
its owner (DNS rebinding), can read it. The origins: a browser says where a request comes from, in `Origin` and
`Sec-Fetch-Site`, and what would change something must come from here. The token: it is asked for once, in a form; the
cookie it is exchanged for holds an expiry and a MAC of it, never the token. Its key is made when the server starts, so
that a restart signs everybody out. The standard library's `hmac` is all it takes: a signing library would be one more
dependency for one function.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final

from aigw.local._origins import LOOPBACK_NAMES, host_name, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aigw._http import Headers

SESSION_SECONDS: Final = 12 * 60 * 60
"""So long a sign-in holds."""

SIGN_IN: Final = "/-/sign-in"
STATIC: Final = "/-/static/"
_READING: Final = frozenset({"GET", "HEAD"})


class Door:
    """Lets requests for the page in, or says why not.

    Args:
        tokens: The known tokens; nobody is asked when there are none.
        host: The address that the server listens on.
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, tokens: Collection[str], host: str, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tuple(token.encode() for token in tokens)
        self._names = LOOPBACK_NAMES | {host} if is_loopback(host) else None
        self._clock = clock
        self._key = secrets.token_bytes(32)

    @property
    def asks(self) -> bool:
        """Whether a token is asked for."""
        return bool(self._tokens)

    def refusal(self, method: str, headers: Headers) -> str:
        """Say why a request is refused, whoever it comes from; empty when it is not."""
        host = headers.get("host", "")
        if self._names is not None and host_name(host) not in self._names:
            return "This page answers to this machine's own names only, such as 127.0.0.1."
        if method not in _READING and not _is_own(headers, host):
            return "This page takes changes from itself only, not from another site."
        return ""

    def is_in(self, headers: Headers, port: int) -> bool:
        """Tell whether a request may see the page: it is signed in, or nobody needs to be."""
        return not self._tokens or self._is_good(_cookies(headers).get(_cookie_name(port), ""))

    def sign_in(self, token: str, port: int) -> str:
        """Give the `Set-Cookie` field for a good token; empty for any other."""
        given = token.strip().encode()
        if not any([hmac.compare_digest(given, known) for known in self._tokens]):  # noqa: C419 -- always all of them
            return ""
        until = str(int(self._clock()) + SESSION_SECONDS)
        value = f"{until}.{self._mac(until)}"
        return f"{_cookie_name(port)}={value}; Max-Age={SESSION_SECONDS}; Path=/; HttpOnly; SameSite=Strict"

    def sign_out(self, port: int) -> str:
        """Give the `Set-Cookie` field that takes the session away from the browser."""
        return f"{_cookie_name(port)}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"

    def _is_good(self, value: str) -> bool:
        until, _, mac = value.partition(".")
        genuine = hmac.compare_digest(mac.encode(), self._mac(until).encode())
        return genuine and int(until) > self._clock()

    def _mac(self, until: str) -> str:
        return hmac.digest(self._key, until.encode(), "sha256").hex()


def _is_own(headers: Headers, host: str) -> bool:
    """Tell whether a browser says that a request comes from here; what is no browser says nothing."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    return site in {None, "same-origin", "none"} and origin in {None, f"http://{host}", f"https://{host}"}


def _cookies(headers: Headers) -> dict[str, str]:
    """Read the cookies, whatever other programs on this machine have put among them."""
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs}


def _cookie_name(port: int) -> str:
    """Name the cookie after the port: browsers give a cookie to every port of a host."""
    return f"aigw-page-{port}"
