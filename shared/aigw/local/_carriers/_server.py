"""The local gateway over a real socket: its endpoint and its page, and uvicorn in a thread.

Stopping the server cuts all connections, so it is prompt also with streams open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send  # noqa: TC002 -- the page's; if missing, say it at once

from aigw.local._carriers._endpoint import CUT, Endpoint
from aigw.local.page import Page

if TYPE_CHECKING:
    from aigw.local._engine import Engine

_log: Final = logging.getLogger("aigw.local")
_STOP_SECONDS: Final = 5.0


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
    """Uvicorn's settings, with whichever of its protocols as a `_Connection`."""

    def load(self) -> None:
        super().load()
        self.http_protocol_class = type("Protocol", (_Connection, self.http_protocol_class), {})


class _Connection(asyncio.Protocol):
    """What is ours in uvicorn's protocols: the endpoint may close the connection without a complaint in the log."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, CUT: transport.close}
        super().connection_made(transport)

    def _unsupported_upgrade_warning(self) -> None:
        """Spare a client that wants a WebSocket the advice to install a library."""


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
        await self._accept_no_more()
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

    async def _accept_no_more(self) -> None:
        """Give connections that were just accepted the two turns until they are known, and can be cut.

        asyncio fails to hand them to a server that is closed by then, and never closes them.
        """
        loop = asyncio.get_running_loop()
        for listener in [listener for server in self.servers for listener in server.sockets]:
            with suppress(NotImplementedError):  # a loop without readers, which accepts in one turn
                loop.remove_reader(listener.fileno())
        for _ in range(2):
            await asyncio.sleep(0)


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
    calls = Endpoint(engine)
    page = Page(engine.store, engine.tokens, host)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (page if page.owns(scope) else calls)(scope, receive, send)

    return application
