"""What a mode of failure is, and the bytes that modes are made of."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aigw import APIStatusError

from ..faulty_server import Close  # noqa: TID252  no package is installed

if TYPE_CHECKING:
    from aigw import AIGatewayError

    from ..faulty_server import Act, Reply  # noqa: TID252  no package is installed

LOG_ID: Final = "01FAULTLOG"
ELSEWHERE: Final = b"{elsewhere}"
"""Stands for the host and port of another server, that nothing may be sent to."""


@dataclass(frozen=True)
class Right:
    """The right answer.

    Attributes:
        text: What it says.
    """

    text: str = "Hello"


@dataclass(frozen=True)
class Wrong:
    """A typed error.

    Attributes:
        error: Its class, exactly.
        has_log: Whether it names the log.
        text: In a stream, what came before it.
        words: What its sentence contains.
    """

    error: type[AIGatewayError]
    has_log: bool = True
    text: str = ""
    words: str = ""


@dataclass(frozen=True)
class Mode:
    """One way of a server to behave.

    Attributes:
        name: Its name.
        does: What the server does.
        replies: What it answers to one request after another; the last one repeats.
        whole: What comes out of a call for a whole answer; `None` where it is not asked.
        stream: What comes out of a streamed call; `None` where it is not asked.
        requests: How many requests arrive.
        read_timeout: Seconds the client waits for bytes; so few that it matters only where the server waits.
        is_early: Whether the server answers before it reads the request's body.
        is_heavy: Whether it moves so much that it is tried with the real limits.
        on_aiohttp: What comes out there, where it differs: aiohttp reads a head and what follows it in one go.
    """

    name: str
    does: str
    replies: tuple[Reply, ...]
    whole: Right | Wrong | None
    stream: Right | Wrong | None
    requests: int = 1
    read_timeout: float = 30.0
    is_early: bool = False
    is_heavy: bool = False
    on_aiohttp: Right | Wrong | None = None


def head(status: int = 200, *fields: str, kind: str = "application/json", log: str = LOG_ID) -> bytes:
    """A head without a length."""
    lines = [f"HTTP/1.1 {status} Reason", *([f"content-type: {kind}"] if kind else [])]
    lines += [f"cf-aig-log-id: {log}"] if log else []
    return "\r\n".join([*lines, *fields, "", ""]).encode("latin-1")


def whole(body: bytes, status: int = 200, *fields: str, kind: str = "application/json", log: str = LOG_ID) -> Reply:
    """An answer as it should be."""
    return (head(status, *fields, f"content-length: {len(body)}", kind=kind, log=log) + body,)


def events(*acts: Act, kind: str = "text/event-stream", close: bool = True) -> Reply:
    """A stream that ends with its connection."""
    return (head(200, "connection: close", kind=kind), *acts, *([Close()] if close else []))


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def completion(text: str = "Hello") -> bytes:
    message = {"role": "assistant", "content": text}
    return as_json({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def chunk(text: str, finish: str | None = None) -> bytes:
    return as_json({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


def data(text: str, finish: str | None = None) -> bytes:
    """An event with one chunk."""
    return b"data: " + chunk(text, finish) + b"\n\n"


def chunked(*pieces: bytes) -> bytes:
    """HTTP chunks, with their end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


DONE: Final = b"data: [DONE]\n\n"
WHOLE: Final = completion()
STREAM: Final = data("Hel") + data("lo", "stop") + DONE
UNREADABLE: Final = Wrong(APIStatusError)
