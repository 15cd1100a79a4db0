"""The local gateway's page: logs as they come, filters, one log in full, figures, charts, feedback.

Server-rendered, with htmx beside it for what moves. It reads the log store and changes nothing but a log's feedback and
score. The page proper is imported when it is first asked for: most gateways never show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.local._routes import OPENAPI_PATH
from aigw.local.page._door import Door

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from aigw.local._logs._store import LogStore

__all__ = ["Page"]


class Page:
    """The page of one gateway, as an ASGI application.

    Args:
        store: The logs it shows.
        tokens: The tokens of which it asks for one; none is asked for when there are none.
        host: The address that the server listens on.
    """

    def __init__(self, store: LogStore, tokens: Collection[str], host: str) -> None:
        self._store = store
        self._door = Door(tokens, host)
        self._application: ASGIApp | None = None

    @staticmethod
    def owns(scope: Scope) -> bool:
        """Tell whether a request is for the page: all below `/-/` but the API's description, and `/` for a browser."""
        path: str = scope["path"]
        if path.startswith("/-/"):
            return path != OPENAPI_PATH
        return path == "/" and scope["method"] in {"GET", "HEAD"} and _wants_html(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._application is None:
            from aigw.local.page._app import application  # noqa: PLC0415 -- see the module's docstring

            self._application = application(self._store, self._door)
        await self._application(scope, receive, send)


def _wants_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
