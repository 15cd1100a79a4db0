"""The local gateway inside the process: an httpx transport that asks the engine and opens no socket.

Asynchronous clients ask it in their own event loop; for synchronous ones a daemon thread runs a loop, from the first
request until the transport is closed or forgotten. Streams come through piece by piece in both.
"""

from __future__ import annotations

import asyncio
import weakref
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

from aigw._http import Request
from aigw.local._carriers._quiet_loop import new_loop
from aigw.local._upstreams._attempts import close_body
from aigw.local._upstreams._upstream import StreamBrokenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

    from aigw.local._engine import Engine
    from aigw.local._reply import Reply

T = TypeVar("T")
NOWHERE: Final = "http://aigw.invalid"
"""An origin that exists nowhere: a call that leaves the process by mistake cannot arrive."""

_BROKEN: Final = "peer closed connection without sending complete message body"


class LocalTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """An httpx transport, synchronous and asynchronous, over one engine.

    Args:
        engine: What answers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._thread: _LoopThread | None = None

    def client(self, **more: Any) -> httpx.Client:
        """Give a synchronous client on this transport, which answers every host.

        Args:
            more: What else `httpx.Client` takes.
        """
        return httpx.Client(**{"transport": self, "base_url": NOWHERE, **more})

    def async_client(self, **more: Any) -> httpx.AsyncClient:
        """Give an asynchronous client on this transport, which answers every host.

        Args:
            more: What else `httpx.AsyncClient` takes.
        """
        return httpx.AsyncClient(**{"transport": self, "base_url": NOWHERE, **more})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a synchronous client."""
        thread = self._loop_thread()
        reply = thread.run(self._engine.answer(_request(request, request.read())))
        stream = None if isinstance(reply.body, bytes) else _SyncBody(reply.body, thread)
        return _response(reply, stream)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer an asynchronous client."""
        reply = await self._engine.answer(_request(request, await request.aread()))
        return _response(reply, None if isinstance(reply.body, bytes) else _AsyncBody(reply.body))

    def close(self) -> None:
        """End the thread of synchronous requests; a later request starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.run(self._engine.aclose())
            thread.stop()

    async def aclose(self) -> None:
        """Let go of what the upstream holds in this event loop."""
        await self._engine.aclose()

    def _loop_thread(self) -> _LoopThread:
        with self._lock:
            if self._thread is None:
                self._thread = _LoopThread()
            return self._thread


class _LoopThread:
    """An event loop in a daemon thread; it ends with `stop`, or when nobody holds it any more."""

    def __init__(self) -> None:
        self._loop = new_loop()
        self._thread = Thread(target=_run_loop, args=(self._loop,), name="aigw-local-transport", daemon=True)
        self._thread.start()
        self.stop = weakref.finalize(self, _stop_loop, self._loop, self._thread)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _stop_loop(loop: asyncio.AbstractEventLoop, thread: Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not current_thread():
        thread.join(5)


class _SyncBody(httpx.SyncByteStream):
    def __init__(self, body: AsyncIterator[bytes], thread: _LoopThread) -> None:
        self._body = body
        self._thread = thread

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._thread.run(_next_piece(self._body))) is not None:
            yield piece

    def close(self) -> None:
        self._thread.run(close_body(self._body))


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await _next_piece(self._body)) is not None:
            yield piece

    async def aclose(self) -> None:
        await close_body(self._body)


async def _next_piece(body: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await anext(body, None)
    except StreamBrokenError as error:
        raise httpx.RemoteProtocolError(_BROKEN) from error


def _request(request: httpx.Request, content: bytes) -> Request:
    fields = tuple((name.lower(), value) for name, value in request.headers.multi_items())
    return Request(request.method.upper(), str(request.url), fields, content)


def _response(reply: Reply, stream: httpx.SyncByteStream | httpx.AsyncByteStream | None) -> httpx.Response:
    if stream is not None:
        return httpx.Response(reply.status, headers=list(reply.headers), stream=stream)
    return httpx.Response(reply.status, headers=list(reply.headers), content=_whole(reply))


def _whole(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b""
