"""A small load generator: HTTP/1.1 over raw asyncio protocols, so that the client costs less than what it measures."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_END_OF_FIELDS: Final = b"\r\n\r\n"
_END_OF_CHUNKS: Final = b"0\r\n\r\n"


def post(url: str, body: bytes) -> bytes:
    """Write one request as it goes over the wire."""
    parts = urlsplit(url)
    fields = f"host: {parts.netloc}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"POST {parts.path} HTTP/1.1\r\n{fields}\r\n".encode() + body


@dataclass(slots=True)
class Answers:
    """What came back.

    Attributes:
        seconds: How long each answer took.
        failed: Answers that were not 200, or were cut.
    """

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


class _Connection(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, answers: Answers) -> None:
        self._request = request
        self._until = until
        self._answers = answers
        self._buffer = b""
        self._asked = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(_END_OF_FIELDS)
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        self._answers.seconds.append(now - self._asked)
        self._answers.failed += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._answers.failed += bool(error or self._buffer)
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])


async def ask_for(url: str, body: bytes, *, seconds: float, connections: int) -> Answers:
    """Keep so many connections busy for so many seconds."""
    parts = urlsplit(url)
    answers = Answers()
    request, until = post(url, body), time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(request, until, answers), parts.hostname, parts.port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))
    return answers


@dataclass(slots=True)
class Streams:
    """What became of many streams at once.

    Attributes:
        complete: How many came to their `[DONE]`.
        largest_gap: The longest time, in seconds, that one of them was silent after its first byte.
        first: The longest time to a first byte, in seconds.
        seconds: From the first request to the last end.
    """

    complete: int
    largest_gap: float
    first: float
    seconds: float


class _Stream(asyncio.Protocol):
    """One streamed answer."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self._last = 0.0
        self._began = time.perf_counter()
        self.first = self.gap = 0.0
        self.complete = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._last:
            self.gap = max(self.gap, now - self._last)
        else:
            self.first = now - self._began
        self._last = now
        self._tail = (self._tail + data)[-64:]
        if self._tail.endswith(_END_OF_CHUNKS):
            self.complete = b"[DONE]" in self._tail
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- asyncio's interface
        if not self.done.done():
            self.done.set_result(None)


async def stream_many(url: str, body: bytes, count: int) -> Streams:
    """Open so many streams, all at once, and read each to its end."""
    parts = urlsplit(url)
    request, began = post(url, body), time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = await asyncio.gather(
        *(loop.create_connection(lambda: _Stream(request), parts.hostname, parts.port) for _ in range(count))
    )
    streams = [stream for _, stream in opened]
    await asyncio.gather(*(stream.done for stream in streams))
    return Streams(
        sum(stream.complete for stream in streams),
        max(stream.gap for stream in streams),
        max(stream.first for stream in streams),
        time.perf_counter() - began,
    )
