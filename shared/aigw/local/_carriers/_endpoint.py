"""The one endpoint: an ASGI application that answers every path and method with the engine.

An answer that takes its time has a watch on its connection: when the caller goes away, whatever is under way for it is
cancelled, up to the upstream's own connection. Most answers are there before a watch would begin.

It reads and writes ASGI's messages itself; a framework's request and response objects cost as much as a log line.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import anyio

from aigw._http import Request
from aigw.local._envelopes import rest_error
from aigw.local._origins import foreign
from aigw.local._refusal import RefusalError
from aigw.local._routes import find_target
from aigw.local._upstreams._attempts import close_body
from aigw.local._upstreams._upstream import StreamBrokenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message, Receive, Scope, Send

    from aigw.local._engine import Engine
    from aigw.local._reply import Reply

MAX_BODY_BYTES: Final = 100 * 1024 * 1024
"""A larger request body is refused with status 413."""

CUT: Final = "aigw.local.cut"
"""Where the scope's state has what closes the connection, if the server can."""

_WATCHED_AFTER: Final = 0.01
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]+)?|\[[0-9a-fA-F:.]+\](?::[0-9]+)?")


class Endpoint:
    """The endpoint of one engine.

    Args:
        engine: What answers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            content = await _read_body(receive)
        except _CallerLeftError:
            return
        with anyio.CancelScope() as answering:
            watch = _Watch(receive, answering)
            try:
                reply = await self._reply(scope, content)
                await _send_reply(reply, send)
            except StreamBrokenError:
                await _cut(scope, receive)
            finally:
                watch.end()

    async def _reply(self, scope: Scope, content: bytes | None) -> Reply:
        request = _request(scope, content or b"")
        why = "" if self._engine.tokens else foreign(request.method, scope["headers"])
        if why:
            return RefusalError(403, 403, why).reply(find_target(request.method, request.url).host)
        if content is None:
            return rest_error(413, 413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        return await self._engine.answer(request)


class _CallerLeftError(Exception):
    """The caller went away before its request was there."""


class _Watch:
    """Cancels what is under way for a caller who goes away; a timer that seldom rings is cheaper than a task."""

    def __init__(self, receive: Receive, answering: anyio.CancelScope) -> None:
        self._receive = receive
        self._answering = answering
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCHED_AFTER, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        await _departure(self._receive)
        self._answering.cancel()


async def _read_body(receive: Receive) -> bytes | None:
    """Read the body whole; `None` for one that is too large."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerLeftError
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= MAX_BODY_BYTES:
            pieces.append(piece)
        else:
            pieces.clear()
        more = message.get("more_body", False)
    return b"".join(pieces) if size <= MAX_BODY_BYTES else None


def _request(scope: Scope, content: bytes) -> Request:
    fields = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
    host = _safe_host(dict(fields).get("host", ""))
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    url = f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")
    return Request(scope["method"], url, fields, content)


@lru_cache(maxsize=64)
def _safe_host(host: str) -> str:
    return host if _HOST.fullmatch(host) else "localhost"


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_reply(reply: Reply, send: Send) -> None:
    fields = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers]
    start: Message = {"type": "http.response.start", "status": reply.status, "headers": fields}
    if isinstance(reply.body, bytes):
        fields.append((b"content-length", b"%d" % len(reply.body)))
        await send(start)
        await send(_part(reply.body, more=False))
        return
    try:
        await send(start)
        await _send_stream(reply.body, send)
    finally:
        await close_body(reply.body)


async def _send_stream(body: AsyncIterator[bytes], send: Send) -> None:
    async for piece in body:
        await send(_part(piece, more=True))
    await send(_part(b"", more=False))


def _part(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection, by which the caller learns that the answer has no end."""
    close = scope.get("state", {}).get(CUT)
    if close is not None:  # any other server closes it when an answer is left without an end
        close()
        await _departure(receive)
