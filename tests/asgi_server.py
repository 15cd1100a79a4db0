"""Apps over a real socket: uvicorn in a thread, on a free loopback port."""

from __future__ import annotations

import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve apps for one test: a function from an app, and uvicorn's settings, to its URL."""
    running: list[tuple[_Server, Thread, socket.socket]] = []

    def serve(app: Any, **settings: Any) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_level="warning", ws="none", **settings))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, listener))
        server.settled.wait()
        assert server.started
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for server, _, _ in running:
        server.should_exit = True
    for _, thread, listener in running:
        thread.join()
        listener.close()
