"""What the core's tests share: a server that records and says what a test wrote down, and one face for all drivers."""

from __future__ import annotations

import asyncio
import inspect
import json
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aigw import AIGateway, AsyncAIGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

TOKEN = "test-token-0123456789"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    Attributes:
        headers: The fields; `content-length` is added unless `chunked`.
        pieces: The body, written piece by piece.
        chunked: Send the pieces as HTTP chunks.
        cut: `before` drops the connection without an answer, `after` in the body, `raw` after the pieces alone;
            `silent` sends nothing after the pieces, and keeps the connection until the client goes away.
        delay: Seconds before the head.
        endless: Repeat the last piece until the client goes away.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes, ...] = ()
    chunked: bool = False
    cut: str = ""
    delay: float = 0
    endless: bool = False


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def json_reply(value: Any, status: int = 200, *headers: tuple[str, str]) -> Reply:
    return Reply(status, (("content-type", "application/json"), *headers), (json.dumps(value).encode(),))


def sse_reply(*pieces: bytes, headers: tuple[tuple[str, str], ...] = (), **more: Any) -> Reply:
    return Reply(200, (("content-type", "text/event-stream"), *headers), pieces, chunked=True, **more)


@dataclass
class RecordingServer:
    """An HTTP/1.1 server on a free loopback port. The scripted replies are given in turn; the last one repeats."""

    script: list[Reply | Callable[[Recorded], Reply]] = field(default_factory=lambda: [json_reply({})])
    requests: list[Recorded] = field(default_factory=list)
    url: str = ""
    connections: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def will(self, *replies: Reply | Callable[[Recorded], Reply]) -> None:
        self.script[:] = replies

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer_one(reader, writer):
                pass
        self.gone.set()
        writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in head[1:-2]))
        size = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        recorded = Recorded(method, path, headers, await reader.readexactly(size))
        self.requests.append(recorded)
        turn = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        reply = turn(recorded) if callable(turn) else turn
        await asyncio.sleep(reply.delay)
        goes_on = reply.cut != "before" and await self._write(writer, reply)
        if reply.cut == "silent":
            await reader.read()
        return goes_on

    @staticmethod
    async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
        size = str(sum(map(len, reply.pieces)) + (10 if reply.cut else 0))
        length = ("transfer-encoding", "chunked") if reply.chunked else ("content-length", size)
        lines = "".join(f"{name}: {value}\r\n" for name, value in (*reply.headers, length))
        if reply.cut != "raw":
            writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{lines}\r\n".encode())
        for piece in reply.pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.chunked else piece)
            await writer.drain()
            await asyncio.sleep(0)
        while reply.endless:
            writer.write(b"%x\r\n%s\r\n" % (len(reply.pieces[-1]), reply.pieces[-1]))
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n" if reply.chunked and not reply.cut else b"")
        await writer.drain()
        return not reply.cut


def serve(server: RecordingServer, started: threading.Event, stop: list[Callable[[], object]]) -> None:
    async def main() -> None:
        stopped = asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
        loop = asyncio.get_running_loop()
        sockets = await asyncio.start_server(server.answer, "127.0.0.1", 0, backlog=2048)
        server.url = f"http://127.0.0.1:{sockets.sockets[0].getsockname()[1]}"
        started.set()
        await stopped.wait()
        sockets.close()

    asyncio.run(main())


@pytest.fixture
def open_server() -> Iterator[Callable[[], RecordingServer]]:
    """Start recording servers, one a call."""
    stops: list[Callable[[], object]] = []
    threads: list[threading.Thread] = []

    def open_server() -> RecordingServer:
        server, started = RecordingServer(), threading.Event()
        threads.append(threading.Thread(target=serve, args=(server, started, stops), daemon=True))
        threads[-1].start()
        assert started.wait(10)
        return server

    yield open_server
    for stop, thread in zip(stops, threads, strict=True):
        stop()
        thread.join(10)


@pytest.fixture
def server(open_server: Callable[[], RecordingServer]) -> RecordingServer:
    return open_server()


class Driver:
    """One face for the sync client, the async one, and the async one over plain httpx."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.is_async = kind != "sync"
        self.closing: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def client(self, server: RecordingServer | str, **settings: Any) -> Any:
        settings = {"account_id": "acct", "api_token": TOKEN, "base_url": getattr(server, "url", server)} | settings
        if self.kind == "async-httpx" and "http_client" not in settings:
            settings["http_client"] = httpx.AsyncClient(verify=NO_CERTIFICATES)
            self.closing.append(settings["http_client"].aclose)
        client = (AsyncAIGateway if self.is_async else AIGateway)(**settings)
        self.closing.append(lambda: self.close(client))
        return client

    async def done(self, value: Any) -> Any:
        """Give a call's result, and a stream once it is open."""
        return await value if inspect.isawaitable(value) else value

    async def items(self, stream: Any) -> list[Any]:
        return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)

    async def first(self, stream: Any) -> Any:
        return await anext(stream) if hasattr(stream, "__anext__") else next(stream)

    async def close(self, closable: Any) -> None:
        await self.done(closable.aclose() if hasattr(closable, "aclose") else closable.close())


@pytest.fixture(params=["sync", "async", "async-httpx"])
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    driver = Driver(request.param)
    yield driver
    for close in reversed(driver.closing):
        await close()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without waiting."""
    monkeypatch.setattr("aigw._retries._FIRST_DELAY", 0.0)


@dataclass(frozen=True)
class Wire:
    """What tests write down, as one fixture: test modules cannot import a conftest."""

    token = TOKEN
    Reply = Reply
    json = staticmethod(json_reply)
    sse = staticmethod(sse_reply)
    ids = (("cf-aig-log-id", "01LOG"), ("cf-aig-event-id", "evt-1"), ("cf-aig-cache-status", "MISS"))
    done = b"data: [DONE]\n\n"
    chat: dict[str, Any] = field(
        default_factory=lambda: {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}
    )

    @staticmethod
    def completion(text: str = "Hello") -> dict[str, Any]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"id": "c1", "object": "chat.completion", "model": "m", "choices": [choice]}

    @staticmethod
    def chunk(text: str | None, finish: str | None = None, index: int = 0) -> bytes:
        delta = {} if text is None else {"content": text}
        choice = {"index": index, "delta": delta, "finish_reason": finish}
        return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"

    @staticmethod
    def failure(status: int, code: int, message: str, *headers: tuple[str, str]) -> Reply:
        body = {"success": False, "result": [], "messages": [], "error": [{"code": code, "message": message}]}
        return json_reply(body, status, *headers)


@pytest.fixture
def wire() -> Wire:
    return Wire()
