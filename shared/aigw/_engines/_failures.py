"""What may be told of an HTTP library's error.

Libraries quote what they cannot read, and a server may have sent back the credentials it was sent: whole, escaped, or
cut at any place. So a text ends where its quotation begins, and an error is a cause only if it is of a kind that holds
nothing but what the system said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw._error_bodies import hide
from aigw._http import SECRET_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw._http import Request

_QUOTATION: Final = re.compile(r"""[\s:(]*(?:\bbytearray\()?(?:(?<!\w)b?['"]|<|\n).*""", re.DOTALL)

# by name, of whatever library: connections and time, and what their errors stand for
_OF_THE_SYSTEM: Final = frozenset(
    {
        *("OSError", "TimeoutException", "NetworkError", "CancelledError", "UnsupportedProtocol", "InvalidURL"),
        *("BrokenResourceError", "ClosedResourceError", "EndOfStream", "CertificateError", "EmptyPoolError"),
        "ProxyError",  # what a proxy answered to being asked for a way: a status and its reason
    }
)


def words_of(error: BaseException, request: Request) -> str:
    """Give what an error says, without what it quotes and without the request's credentials.

    Args:
        error: A library's.
        request: What was sent, or was to be.
    """
    reason = _reason(error)
    said = getattr(reason, "message", None)
    text = said if isinstance(said, str) else str(reason)
    told = text if is_of_the_system(reason) else _QUOTATION.sub("", text, count=1)
    return hide(told, _credentials(request)) or type(reason).__name__


def cause_of(error: Exception, request: Request) -> Exception | None:
    """Give an error as the cause of ours, if it and what lies below it can hold no credential."""
    links = list(_chain(error))
    if not all(map(is_of_the_system, links)):
        return None
    told = "".join(f"{link} {link!r} {vars(link)}" for link in links)
    return None if any(secret in told for secret in _credentials(request)) else error


def is_of_the_system(error: BaseException) -> bool:
    """Tell whether an error is about the connection, and not about what came over it."""
    return not _OF_THE_SYSTEM.isdisjoint(base.__name__ for base in type(error).__mro__)


def _reason(error: BaseException) -> BaseException:
    """Give aiohttp's own error, where httpx-aiohttp has put another before it."""
    below = error.__cause__
    return below if below is not None and type(below).__module__.startswith("aiohttp") else error


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _credentials(request: Request) -> list[str]:
    values = [value for name, value in request.headers if name.lower() in SECRET_HEADERS]
    return [value.removeprefix("Bearer ") for value in values]
