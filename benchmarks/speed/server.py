"""The server that everybody is measured against: prebuilt bytes, so that hardly any of a call's time is its own.

`python -m benchmarks.speed.server` prints its port and ends when its input is closed. Every POST is answered like a
chat completion of Cloudflare's: 14 headers, and for a stream one HTTP chunk of 330 bytes an event. A prompt may say
`[chunks=N]` for the length of a stream, and `[hold]` for one that stays open after its first chunk.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final, Self

_HEADERS: Final = (
    b"date: Sun, 22 Nov 2026 12:00:00 GMT",
    b"connection: keep-alive",
    b"cf-ray: 8e6b1c2d3e4f5a6b-LHR",
    b"cf-aig-log-id: 01JADMCQQQBWH3NXZ5GCRN98DP",
    b"cf-aig-event-id: 7e0d8f2c-0d9e-4a4a-9d54-1f5f4a0c8a11",
    b"cf-aig-cache-status: MISS",
    b"cf-aig-step: 0",
    b"cf-aig-provider: openai",
    b"cf-aig-model: gpt-4.1-mini",
    b"server: cloudflare",
    b"vary: Accept-Encoding",
    b"x-content-type-options: nosniff",
)
_HEAD: Final = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(_HEADERS) + b"\r\n"
_MODEL: Final = "gpt-4.1-mini-2025-04-14"
_USAGE: Final = {"prompt_tokens": 12, "completion_tokens": 20, "total_tokens": 32}
_COMPLETION: Final = {
    "id": "chatcmpl-AQx8QmPZ0kq7n3vJ",
    "object": "chat.completion",
    "created": 1763800000,
    "model": _MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello there. " * 8, "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": _USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_0392822090",
}
EVENT_BYTES: Final = 330


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def whole_answer() -> bytes:
    """Give an answer that is no stream."""
    body = _dump(_COMPLETION)
    return _HEAD + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def event(content: str | None, finish_reason: str | None = None, **more: Any) -> bytes:
    """Give one event of a stream; those with content are `EVENT_BYTES` long."""
    delta = {} if content is None else {"content": content}
    chunk = {
        "id": _COMPLETION["id"],
        "object": "chat.completion.chunk",
        "created": _COMPLETION["created"],
        "model": _MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0392822090",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        **more,
    }
    if content is not None:
        chunk["obfuscation"] = ""
        chunk["obfuscation"] = "x" * max(EVENT_BYTES - len(b"data: " + _dump(chunk) + b"\n\n"), 0)
    return b"data: " + _dump(chunk) + b"\n\n"


_STREAM_HEAD: Final = _HEAD + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@functools.lru_cache
def streamed_answer(chunks: int) -> bytes:
    """Give a streamed answer of so many chunks with content, all sent at once."""
    word = _http_chunk(event(" hello"))
    usage = event(None, choices=[], usage=_USAGE)
    return b"".join(
        (
            _STREAM_HEAD,
            word * chunks,
            *map(_http_chunk, (event(None, "stop"), usage, b"data: [DONE]\n\n")),
            b"0\r\n\r\n",
        )
    )


_WHOLE: Final = whole_answer()
_CHUNKS: Final = re.compile(rb"\[chunks=(\d+)\]")
_STREAM: Final = re.compile(rb'"stream": ?true')


def _answer(body: bytes) -> bytes:
    if not _STREAM.search(body):
        return _WHOLE
    if b"[hold]" in body:
        return _STREAM_HEAD + _http_chunk(event(" hello"))
    found = _CHUNKS.search(body)
    return streamed_answer(int(found[1]) if found else 20)


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._needed = 0

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < self._needed:
            return
        head, found, body = bytes(self._buffer).partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: *(\d+)", head.lower())
        self._needed = len(head) + 4 + int(length[1]) if length else 0
        if len(self._buffer) >= self._needed and (length or body.endswith(b"0\r\n\r\n")):
            self._buffer.clear()
            self._needed = 0
            self._transport.write(_answer(body))  # type: ignore[attr-defined]


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
    server.close()


def pin(core: int) -> None:
    """Keep this process on one core, where there is more than one and the system can."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


class Server:
    """The server, in a process of its own on a core of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None  # noqa: S101 -- a pipe, as asked
        self.base_url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


if __name__ == "__main__":
    pin(1)
    asyncio.run(_serve())
