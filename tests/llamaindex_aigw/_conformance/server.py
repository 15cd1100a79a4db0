"""The server of the conformance suite: OpenAI's chat completions on a loopback port, answering in written turns.

It stands on the standard library alone. A `Turn` says what the model says; whether it goes out whole or streamed is up
to the request, so one turn serves all of LlamaIndex's endpoints.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


@dataclass(frozen=True)
class Call:
    """A tool call of the model; its arguments stream in these pieces."""

    id: str
    name: str
    arguments: tuple[str, ...]

    def whole(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": "".join(self.arguments)},
        }

    def deltas(self, index: int) -> list[dict[str, Any]]:
        first = {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": ""}}
        rest = [{"function": {"arguments": piece}} for piece in self.arguments]
        return [{"tool_calls": [{"index": index, **part}]} for part in (first, *rest)]


@dataclass(frozen=True)
class Turn:
    """What the model says to one request.

    Attributes:
        text: Its text, in the pieces it streams in.
        calls: Its tool calls.
        thoughts: Its reasoning (`reasoning_content`), in pieces.
        usage: The token counts; on a stream they come in a last chunk, if they were asked for.
        status: 200, or an error's.
        is_broken: Whether a stream turns into an error after its pieces.
        is_endless: Whether a stream goes on until the client leaves.
        is_silent: Whether a stream has no chunk at all.
    """

    text: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    thoughts: tuple[str, ...] = ()
    usage: dict[str, int] | None = field(default_factory=lambda: dict(USAGE))
    status: int = 200
    is_broken: bool = False
    is_endless: bool = False
    is_silent: bool = False

    def whole(self) -> dict[str, Any]:
        """Give the completion."""
        if self.status != 200:
            return {"error": {"message": "scripted error", "type": "scripted", "code": None}}
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.text) or None}
        if self.calls:
            message["tool_calls"] = [call.whole() for call in self.calls]
        if self.thoughts:
            message["reasoning_content"] = "".join(self.thoughts)
        choice = {"index": 0, "message": message, "finish_reason": self._reason(), "logprobs": None}
        return {**_head("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunks(self, *, with_usage: bool) -> list[dict[str, Any]]:
        """Give the chunks of the stream."""
        if self.is_silent:
            return []
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": piece} for piece in self.thoughts]
        deltas += [{"content": piece} for piece in self.text]
        for index, call in enumerate(self.calls):
            deltas += call.deltas(index)
        chunks = [_chunk(delta) for delta in deltas]
        if self.is_broken or self.is_endless:
            return chunks
        chunks.append(_chunk({}, self._reason()))
        if with_usage:
            chunks.append({**_head("chat.completion.chunk"), "choices": [], "usage": self.usage})
        return chunks

    def _reason(self) -> str:
        return "tool_calls" if self.calls else "stop"


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "scripted"}


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
    return {**_head("chat.completion.chunk"), "choices": [choice]}


class _QuietServer(ThreadingHTTPServer):
    """A server that says nothing of clients that go away, which is what some cases ask of them."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ScriptedServer:
    """The server, as a context manager; the last turn repeats.

    Attributes:
        bodies: The JSON bodies that came, oldest first.
        client_left: Set when a client left an endless stream.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.client_left = threading.Event()
        self._turns: deque[Turn] = deque([Turn(text=("Hello", " there"))])
        self._http = _QuietServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens, without a path; every path ending in `/chat/completions` is answered."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def say(self, *turns: Turn) -> None:
        """Write down the next turns."""
        self._turns = deque(turns)

    def next_turn(self, body: dict[str, Any]) -> Turn:
        self.bodies.append(body)
        return self._turns.popleft() if len(self._turns) > 1 else self._turns[0]

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler_of(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            turn = server.next_turn(body)
            if body.get("stream") and turn.status == 200:
                usage = (body.get("stream_options") or {}).get("include_usage")
                self._stream(turn, turn.chunks(with_usage=bool(usage)))
            else:
                self._send(turn.status, json.dumps(turn.whole()).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, turn: Turn, chunks: list[dict[str, Any]]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for chunk in chunks:
                    self._event(json.dumps(chunk))
                while turn.is_endless:
                    self._event(json.dumps(_chunk({"content": " more" * 500})))
                self._event(json.dumps({"error": {"message": "scripted"}}) if turn.is_broken else "[DONE]")
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
                server.client_left.set()

        def _event(self, data: str) -> None:
            event = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
