"""The local gateway over a real socket: an ASGI application around the engine, and uvicorn in a thread.

Every request is answered with a watch on its connection: when the caller goes away, whatever is under way for it is
cancelled, up to the upstream's own connection. Stopping the server cuts all connections, so it is prompt
also with streams open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import anyio
import uvicorn
from starlette.requests import ClientDisconnect, Request

from aigw._http import Request as GatewayRequest
from aigw.local._attempts import close_body
from aigw.local._envelopes import rest_error
from aigw.local._origins import foreign
from aigw.local._refusal import RefusalError
from aigw.local._routes import find_target
from aigw.local._upstream import StreamBrokenError
from aigw.local.page import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from aigw.local._engine import Engine
    from aigw.local._reply import Reply

MAX_BODY_BYTES: Final = 100 * 1024 * 1024
"""A larger request body is refused with status 413."""

_log: Final = logging.getLogger("aigw.local")
_STOP_SECONDS: Final = 5.0
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]+)?|\[[0-9a-fA-F:.]+\](?::[0-9]+)?")


class Server:
    """One engine on one address.

    Args:
        engine: What answers.
        host: The address to listen on.
        port: The port; 0 for any free one.
    """

    def __init__(self, engine: Engine, host: str, port: int) -> None:
        self._engine = engine
        self._host = host
        self._port = port
        self._running: _Uvicorn | None = None
        self._thread: Thread | None = None

    def start(self) -> int:
        """Listen, and give the port once connections are accepted.

        Raises:
            OSError: The address cannot be listened on.
        """
        listener = _listen(self._host, self._port)
        port: int = listener.getsockname()[1]
        self._running = _Uvicorn(_Config(_application(self._engine, self._host), **_SETTINGS))
        self._thread = Thread(target=self._run, args=(self._running, listener), name="aigw-local-server", daemon=True)
        self._thread.start()
        self._running.settled.wait()
        if not self._running.started:
            self.stop()
            raise OSError("the server could not be started; see the log")
        return port

    def stop(self) -> None:
        """Cut all connections and end the thread; once is enough."""
        if self._running is not None and self._thread is not None:
            self._running.leave()
            self._thread.join()
        self._running = self._thread = None

    def _run(self, running: _Uvicorn, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(running, listener))
        except BaseException:  # noqa: BLE001 - the thread has nobody to raise to; `start` reports it
            _log.exception("the local gateway's server ended")
        finally:
            listener.close()
            running.settled.set()

    async def _serve(self, running: _Uvicorn, listener: socket.socket) -> None:
        try:
            await running.serve(sockets=[listener])
        finally:
            await self._engine.aclose()


_SETTINGS: Final[dict[str, Any]] = {
    "log_config": None,
    "access_log": False,
    "lifespan": "off",
    "ws": "none",
    "server_header": False,
    "timeout_keep_alive": 75,
}


class _Config(uvicorn.Config):
    """Uvicorn's settings, without its advice to install a WebSocket library whenever a client wants a WebSocket."""

    def load(self) -> None:
        super().load()
        silent = {"_unsupported_upgrade_warning": lambda _protocol: None}
        self.http_protocol_class = type("Protocol", (self.http_protocol_class,), silent)


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its polling: it leaves when it is told to, and cuts what is still open."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = Event()
        self._left = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def leave(self) -> None:
        """Stop serving; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._left.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        await self.on_tick(0)
        self.settled.set()

    async def main_loop(self) -> None:
        while not self._left.is_set():
            with anyio.move_on_after(1):
                await self._left.wait()
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_STOP_SECONDS)
        for server in self.servers:
            await server.wait_closed()
        for listener in sockets or ():
            listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name TCP; without this every call takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option lets two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def _application(engine: Engine, host: str) -> ASGIApp:
    calls = _Endpoint(engine)
    page = Page(engine.store, engine.tokens, host)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (page if page.owns(scope) else calls)(scope, receive, send)

    return application


class _Endpoint:
    """The one endpoint: an ASGI application that answers every path and method."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            content = await _read_body(Request(scope, receive))
        except ClientDisconnect:
            return
        with anyio.CancelScope() as answering:
            watch = asyncio.create_task(_watch(receive, answering))  # a task group takes four times as long
            try:
                await self._answer(scope, content, send)
            finally:
                watch.cancel()

    async def _answer(self, scope: Scope, content: bytes | None, send: Send) -> None:
        request = _gateway_request(scope, content or b"")
        why = "" if self._engine.tokens else foreign(request.method, scope["headers"])
        if why:
            reply = RefusalError(403, 403, why).reply(find_target(request.method, request.url).host)
        elif content is None:
            reply = rest_error(413, 413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        else:
            reply = await self._engine.answer(request)
        await _send_reply(reply, send)


async def _read_body(request: Request) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MAX_BODY_BYTES:
            pieces.append(piece)
        else:
            pieces.clear()
    return b"".join(pieces) if size <= MAX_BODY_BYTES else None


def _gateway_request(scope: Scope, content: bytes) -> GatewayRequest:
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    host = _safe_host(dict(fields).get("host", ""))
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    url = f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")
    return GatewayRequest(scope["method"], url, fields, content)


def _safe_host(host: str) -> str:
    return host if _HOST.fullmatch(host) else "localhost"


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _send_reply(reply: Reply, send: Send) -> None:
    if isinstance(reply.body, bytes):
        length = (b"content-length", str(len(reply.body)).encode())
        await send({"type": "http.response.start", "status": reply.status, "headers": [*_raw(reply), length]})
        await send(_part(reply.body, more=False))
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": _raw(reply)})
    try:
        await _send_stream(reply.body, send)
    finally:
        await close_body(reply.body)


async def _send_stream(body: AsyncIterator[bytes], send: Send) -> None:
    try:
        async for piece in body:
            await send(_part(piece, more=True))
    except StreamBrokenError:
        return  # uvicorn closes a connection whose answer has no end, and so the caller learns of it
    await send(_part(b"", more=False))


def _part(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _raw(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers]
