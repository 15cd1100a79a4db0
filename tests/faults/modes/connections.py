"""Connections that end, or fall silent, at every place of an answer."""

from __future__ import annotations

from typing import Final

from aigw import APIConnectionError, APITimeoutError, BadRequestError, StreamTruncatedError

from ..faulty_server import Close, Endless, Reset, Stall  # noqa: TID252  no package is installed
from .mode import DONE, STREAM, WHOLE, Mode, Right, Wrong, data, events, head, whole

_SIZE = len(WHOLE)
_NO_HEAD: Final = Wrong(APIConnectionError, has_log=False)
_NO_HEAD_IN_TIME: Final = Wrong(APITimeoutError, has_log=False)
_CUT: Final = Wrong(APIConnectionError)
_LATE: Final = Wrong(APITimeoutError)
_HALF: Final = WHOLE[: _SIZE // 2]
_SOME: Final = head(200, f"content-length: {_SIZE}")
_IN_EVENT: Final = data("Hel") + data("lo")[:20]


def _cut(
    name: str, does: str, sent: bytes, whole: Wrong, stream: Wrong, *, in_stream: bytes | None = None
) -> list[Mode]:
    """A place, with the three things that can happen there."""
    begun = sent if in_stream is None else in_stream
    only_stream = in_stream is not None
    ways = (("closed", "closes the connection", Close()), ("reset", "resets the connection", Reset()))
    modes = [
        Mode(f"{way}-{name}", f"{does}, then {what}", ((begun, act),), None if only_stream else whole, stream)
        for way, what, act in ways
    ]
    late = _NO_HEAD_IN_TIME if not stream.has_log else Wrong(APITimeoutError, text=stream.text)
    stalled = Mode(
        f"stalled-{name}",
        f"{does}, then says nothing more",
        ((begun, Stall()),),
        None if only_stream else (late if not stream.has_log else _LATE),
        late,
        read_timeout=0.25,
    )
    return [*modes, stalled]


MODES: Final = [
    *_cut("before-the-status", "reads the request", b"", _NO_HEAD, _NO_HEAD),
    *_cut("in-the-status", "sends half a status line", b"HTTP/1.1 20", _NO_HEAD, _NO_HEAD),
    *_cut("in-the-headers", "sends half of the headers", head()[:-10], _NO_HEAD, _NO_HEAD),
    *_cut("before-the-body", "sends the head", _SOME, _CUT, Wrong(StreamTruncatedError)),
    *_cut("in-the-body", "sends half of a JSON answer", _SOME + _HALF, _CUT, Wrong(StreamTruncatedError)),
    *_cut(
        "in-an-event",
        "sends one event and half of another",
        b"",
        _CUT,
        Wrong(StreamTruncatedError, text="Hel"),
        in_stream=head(200, "transfer-encoding: chunked", kind="text/event-stream")
        + b"%x\r\n%s\r\n" % (len(_IN_EVENT), _IN_EVENT),
    ),
    Mode(
        "reset-after-done",
        "sends a whole stream, `[DONE]`, and resets the connection",
        (
            (
                head(200, "transfer-encoding: chunked", kind="text/event-stream"),
                b"%x\r\n%s\r\n" % (len(STREAM), STREAM),
                Reset(),
            ),
        ),
        None,
        Right(),
    ),
    Mode(
        "closed-after-done",
        "sends a whole stream, `[DONE]`, and closes without the last HTTP chunk",
        (
            (
                head(200, "transfer-encoding: chunked", kind="text/event-stream"),
                b"%x\r\n%s\r\n" % (len(STREAM), STREAM),
                Close(),
            ),
        ),
        None,
        Right(),
    ),
    Mode(
        "closed-after-the-finish-reason",
        "sends a stream with its finish reason, no `[DONE]`, and closes",
        (events(STREAM.removesuffix(DONE)),),
        None,
        Right(),
    ),
    Mode(
        "slow-bytes",
        "sends an answer byte by byte",
        ((_SOME, *(WHOLE[place : place + 1] for place in range(_SIZE))),),
        Right(),
        Right(),
    ),
    Mode(
        "slow-stream",
        "sends a stream byte by byte",
        (events(*(STREAM[place : place + 1] for place in range(len(STREAM)))),),
        None,
        Right(),
    ),
    Mode(
        "trickle",
        "sends a JSON answer one space at a time, for ever",
        ((head(200, "content-length: 1000000"), Endless(b" ", 0.02)),),
        _LATE,
        _LATE,
        read_timeout=0.25,
    ),
    Mode(
        "endless-comments",
        "sends keep-alive comments for ever, after one event",
        (events(data("Hel"), Endless(b": keep-alive\n\n", 0.02), close=False),),
        None,
        Wrong(APITimeoutError, text="Hel", words="keep-alive"),
        read_timeout=0.25,
    ),
    Mode(
        "early-answer",
        "refuses before it reads the body of the request",
        ((*whole(b'{"error":{"message":"too large"}}', 413, "connection: close"), Stall()),),
        Wrong(BadRequestError),
        Wrong(BadRequestError),
        is_early=True,
    ),
]
