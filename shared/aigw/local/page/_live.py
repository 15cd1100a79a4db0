"""Server-sent events that say when the logs have changed, and nothing else: the browser then asks for what it shows.

What is watched is a number in memory, a few times a second and only while somebody looks; no query, no disk. The watch
ends with the connection, whichever side ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from aigw.local._logs._store import LogStore

_EVERY_SECONDS: Final = 0.3
_BEATS: Final = 50
_HEADERS: Final = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
_CHANGED: Final = b"event: logs\ndata: changed\n\n"
_BEAT: Final = b": still here\n\n"


class Live:
    """The ASGI application behind the page's event stream.

    Args:
        store: The logs that are watched.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the browser, or the server, goes away."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async with anyio.create_task_group() as group:
            group.start_soon(_leave, receive, group.cancel_scope)
            await self._tell(_seen(scope), send)

    async def _tell(self, seen: int, send: Send) -> None:
        await _send(send, _BEAT)
        beats = 0
        while True:
            beats += 1
            if self._store.changes != seen:
                seen = self._store.changes
                await _send(send, _CHANGED)
            elif beats % _BEATS == 0:
                await _send(send, _BEAT)
            await anyio.sleep(_EVERY_SECONDS)


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _leave(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _seen(scope: Scope) -> int:
    """Read which change the browser has seen: a page loaded before the last one is told at once."""
    text = scope["query_string"].decode("latin-1").removeprefix("seen=")
    return int(text) if text.isdigit() and len(text) < 20 else -1
