"""An answer whose head has arrived and whose body is still to come, whatever library brings it.

What the drivers know of HTTP libraries is here, and is no library: `_engine`, `_async_engine`, `_over_urllib3` and
`_over_aiohttp` make these.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aigw._engines._failures import cause_of, words_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from aigw._errors import APIConnectionError
    from aigw._facts import ResponseInfo
    from aigw._http import Headers, Request


class Library(Protocol):
    """How an HTTP library fails.

    Attributes:
        errors: What it raises when a connection or an answer cannot be had.
    """

    errors: tuple[type[Exception], ...]

    def error(self, error: Exception, request: Request, info: ResponseInfo | None = None) -> APIConnectionError:
        """Make our error of the library's; it says whether the request may have arrived.

        It has its cause. It is raised where the library's is no longer being handled, or that would be its context, and
        popped out of a list, or the frame that its traceback holds would hold it too.
        """


@dataclass(slots=True, eq=False)
class Answer:
    """One answer.

    Attributes:
        status: The HTTP status code.
        headers: The header fields.
        body: Its bytes, to be iterated over once, with `async for` where the engine is async; unpacked, in pieces of
            bounded size.
        close: Frees the connection, whole answer or not; to be awaited where the engine is async. If it has a `now`,
            that does so without waiting, where it can, and tells whether it could.
        read_timeout: Seconds that each wait for bytes may take; `None` without end.
        library: Whose errors may come while it is read.
        hurry: Shortens each wait of a sync engine to so many seconds, in a `with` block that is told whether it could.
    """

    status: int
    headers: Headers
    body: Any
    close: Callable[[], Any]
    read_timeout: float | None
    library: Library
    hurry: Callable[[float], AbstractContextManager[Any]] = nullcontext

    @property
    def is_success(self) -> bool:
        """Whether the status says yes."""
        return 200 <= self.status < 300


def make_error(
    error: Exception,
    error_class: type[APIConnectionError],
    request: Request,
    info: ResponseInfo | None,
    *,
    may_have_arrived: bool,
    proxy: str | None = None,
) -> APIConnectionError:
    """Make our error of a library's.

    Args:
        error: The library's.
        error_class: Ours.
        request: What was sent, or was to be.
        info: What the gateway said, if the head of an answer had come.
        may_have_arrived: Whether the server may have the request.
        proxy: The origin of the proxy it went through.
    """
    origin = "/".join(request.url.split("/")[:3])
    what = "The answer broke off" if info else "No answer"
    through = f" through the proxy {proxy}" if proxy else ""
    made = error_class(f"{what} from {origin}{through}: {words_of(error, request)}", info=info)
    made.__cause__ = cause_of(error, request)
    made.request_sent = info is not None or may_have_arrived
    return made
