"""Answers that are broken, or odd, as HTTP: lengths, chunks, encodings, headers, versions."""

from __future__ import annotations

import zlib
from typing import Final

from aigw import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    InternalServerError,
    StreamError,
    StreamTruncatedError,
)

from ..driving import TOKEN  # noqa: TID252  no package is installed
from ..faulty_server import Act, Close, Endless, Pause, Send, Stall  # noqa: TID252  no package is installed
from .mode import (
    STREAM,
    UNREADABLE,
    WHOLE,
    Mode,
    Right,
    Wrong,
    chunked,
    data,
    events,
    head,
    whole,
    zipped,
)

_NO_HEAD: Final = Wrong(APIConnectionError, has_log=False)
_CUT: Final = Wrong(APIConnectionError)
_SIZE: Final = len(WHOLE)
_CHUNKED: Final = "transfer-encoding: chunked"
_GZIP: Final = "content-encoding: gzip"
_STREAM_HEAD: Final = head(200, _CHUNKED, kind="text/event-stream")
_BOMB: Final = zipped(b" " * (1024 * 1024))
_FIELDS: Final = [f"x-field-{number}: {number}" for number in range(90)]


def _no_http(name: str, does: str, *acts: Act) -> Mode:
    return Mode(name, does, ((*acts, Close()),), _NO_HEAD, _NO_HEAD)


_ECHO: Final = f"Bearer {TOKEN}".encode()
"""What the client has sent, and is not to see in an error."""


def _bad_chunks(name: str, does: str, after: bytes) -> Mode:
    """A stream whose first chunk is good."""
    first = data("Hel")
    acts = (_STREAM_HEAD + b"%x\r\n%s" % (len(first), first) + after, Close())
    out = Wrong(StreamTruncatedError, text="Hel")
    return Mode(name, does, (acts,), None, out, on_aiohttp=out if after == b"\r\n" else _NO_HEAD)


MODES: Final = [
    _no_http("garbage", "sends bytes that are no HTTP", b"\x00\x01\x02 hello \xff\xfe\r\n\r\n"),
    _no_http("http2-preface", "speaks HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _no_http("http2-settings", "speaks HTTP/2 in binary", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    _no_http("bad-status", "sends a status that is no number", b"HTTP/1.1 abc OK\r\n\r\n"),
    _no_http("echo-in-the-status", "sends the credentials back as a status", b"HTTP/1.1 2x0 " + _ECHO + b"\r\n\r\n"),
    _no_http(
        "echo-in-a-header", "sends them back in a broken field", b"HTTP/1.1 200 OK\r\nx y: " + _ECHO + b"\r\n\r\n"
    ),
    _no_http("echo-in-half-a-head", "sends them back in half a head", b"HTTP/1.1 200 OK\r\nx: " + _ECHO + b"\r\ny: 1"),
    _no_http(
        "echo-in-a-long-header",
        "sends them back where a limit cuts them",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 78 + _ECHO + b"a" * 200_000 + b"\r\n\r\n",
    ),
    _no_http(
        "echo-as-a-length", "sends them back as a length", b"HTTP/1.1 200 OK\r\ncontent-length: " + _ECHO + b"\r\n\r\n"
    ),
    _no_http("tls-alert", "speaks TLS", b"\x15\x03\x01\x00\x02\x02\x46"),
    Mode("http-1.0", "answers in HTTP/1.0", ((head().replace(b"1.1", b"1.0", 1) + WHOLE, Close()),), Right(), Right()),
    Mode(
        "continue",
        "sends `100 Continue` first, uninvited",
        ((b"HTTP/1.1 100 Continue\r\n\r\n", *whole(WHOLE)),),
        Right(),
        Right(),
    ),
    Mode(
        "early-hints",
        "sends `103 Early Hints` first",
        ((b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", *whole(WHOLE)),),
        Right(),
        Right(),
    ),
    Mode(
        "switching-protocols",
        "changes the protocol",
        ((b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", Stall()),),
        _NO_HEAD,
        _NO_HEAD,
        read_timeout=1.5,
    ),
    Mode(
        "endless-interim-answers",
        "sends `100 Continue` for ever (over httpx it is waited for)",
        ((Endless(b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),),),
        Wrong(APIConnectionError, has_log=False, words="without end"),
        Wrong(APIConnectionError, has_log=False, words="without end"),
        read_timeout=1.0,
    ),
    Mode("no-length", "sends no length and closes", ((head() + WHOLE, Close()),), Right(), Right()),
    Mode(
        "length-too-long",
        "sends less than the length it names, and closes",
        ((head(200, f"content-length: {_SIZE + 10}") + WHOLE, Close()),),
        _CUT,
        Wrong(StreamTruncatedError),
    ),
    Mode(
        "length-too-short",
        "names a length that cuts the JSON",
        ((head(200, f"content-length: {_SIZE - 10}", "connection: close") + WHOLE, Close()),),
        UNREADABLE,
        Wrong(StreamError),
        on_aiohttp=_NO_HEAD,
    ),
    Mode(
        "length-negative",
        "names the length -5",
        ((head(200, "content-length: -5") + WHOLE, Close()),),
        _NO_HEAD,
        _NO_HEAD,
    ),
    Mode(
        "length-twice",
        "names two lengths",
        ((head(200, f"content-length: {_SIZE}", "content-length: 5") + WHOLE, Close()),),
        _NO_HEAD,
        _NO_HEAD,
    ),
    Mode(
        "chunked-json",
        "sends JSON in chunks",
        ((head(200, _CHUNKED) + chunked(WHOLE[:9], WHOLE[9:]),),),
        Right(),
        Right(),
    ),
    Mode(
        "chunk-extensions-and-trailers",
        "sends chunk extensions and trailers",
        ((head(200, _CHUNKED) + b"%x;a=b\r\n%s\r\n0\r\nx-trailer: 1\r\n\r\n" % (_SIZE, WHOLE),),),
        Right(),
        Right(),
    ),
    Mode(
        "endless-trailers",
        "sends trailers without end",
        (
            (
                head(200, _CHUNKED) + chunked(WHOLE).removesuffix(b"0\r\n\r\n"),
                Pause(0.05),
                b"0\r\n",
                Endless(b"x-more: and more\r\n" * 1000),
            ),
        ),
        _CUT,
        None,
    ),
    _bad_chunks("chunk-size", "sends a chunk size that is no number", b"\r\nzz\r\nabc\r\n"),
    _bad_chunks("echo-as-a-chunk-size", "sends the credentials back as a chunk size", b"\r\n" + _ECHO + b"\r\n"),
    _bad_chunks("chunk-size-huge", "sends a chunk size of 24 digits", b"\r\n" + b"f" * 24 + b"\r\nabc\r\n"),
    _bad_chunks("chunk-size-prefix", "sends a chunk size that begins with 0x", b"\r\n0x" + chunked(data("lo", "stop"))),
    _bad_chunks("chunk-size-sign", "sends a chunk size with a sign", b"\r\n+" + chunked(data("lo", "stop"))),
    _bad_chunks("chunk-too-long", "sends more of a chunk than its size", b"XX" + chunked(data("lo", "stop"))),
    _bad_chunks("chunk-without-end", "sends no end of a chunk", b"abcdef"),
    _bad_chunks("chunks-without-end", "sends no last chunk", b"\r\n"),
    Mode("gzip", "sends gzip", (whole(zipped(WHOLE), 200, _GZIP),), Right(), Right()),
    Mode(
        "gzip-stream",
        "sends a stream in gzip, in pieces",
        (
            (
                head(200, _GZIP, "connection: close", kind="text/event-stream"),
                *(zipped(STREAM)[at : at + 7] for at in range(0, len(zipped(STREAM)), 7)),
                Close(),
            ),
        ),
        None,
        Right(),
    ),
    Mode(
        "gzip-cut", "sends half of a gzip", (whole(zipped(WHOLE)[:40], 200, _GZIP),), _CUT, Wrong(StreamTruncatedError)
    ),
    Mode("gzip-lie", "says gzip, and sends none", (whole(WHOLE, 200, _GZIP),), _CUT, Wrong(StreamTruncatedError)),
    Mode(
        "gzip-with-padding",
        "sends gzip, and zeros after it",
        (whole(zipped(WHOLE) + b"\0" * 99, 200, _GZIP),),
        Right(),
        None,
    ),
    Mode("x-gzip", "calls gzip `x-gzip`", (whole(zipped(WHOLE), 200, "content-encoding: X-GZip"),), Right(), Right()),
    Mode("identity", "calls nothing an encoding", (whole(WHOLE, 200, "content-encoding: identity"),), Right(), Right()),
    *(
        Mode(
            f"encoding-{name}",
            f"sends {what}, which nobody asked for",
            (whole(body, 200, f"content-encoding: {encoding}"),),
            Wrong(APIConnectionError, words="not gzip"),
            Wrong(StreamTruncatedError, words="not gzip"),
        )
        for name, what, encoding, body in (
            ("gzip-twice", "gzip in gzip", "gzip, gzip", zipped(zipped(WHOLE))),
            ("deflate", "deflate", "deflate", zlib.compress(WHOLE)),
            ("unknown", "an encoding of its own", "xyz", WHOLE),
        )
    ),
    Mode(
        "error-in-gzip-twice",
        "refuses, in gzip in gzip",
        (whole(zipped(zipped(WHOLE)), 400, "content-encoding: gzip, gzip"),),
        Wrong(BadRequestError),
        Wrong(BadRequestError),
    ),
    Mode(
        "gzip-bomb",
        "sends gzip that unpacks a thousandfold, for ever",
        ((head(200, _GZIP, _CHUNKED), Endless(b"%x\r\n%s\r\n" % (len(_BOMB), _BOMB))),),
        Wrong(APIStatusError, words="larger than"),
        Wrong(StreamError, words="larger than"),
    ),
    Mode(
        "endless-answer",
        "sends JSON without end",
        ((head(), b'{"a":"', Endless(b"a" * 65536)),),
        Wrong(APIStatusError, words="larger than"),
        Wrong(StreamError, words="larger than"),
    ),
    Mode(
        "endless-line",
        "sends a line without end in a stream",
        (events(data("Hel"), b"data: ", Endless(b"a" * 65536), close=False),),
        None,
        Wrong(StreamError, text="Hel", words="larger than"),
    ),
    Mode(
        "endless-event",
        "sends an event of endless lines",
        (events(data("Hel"), Endless(b"data: abcdefghijklmnopqrstuvwxyz\n" * 2000), close=False),),
        None,
        Wrong(StreamError, text="Hel", words="larger than"),
    ),
    Mode(
        "endless-header",
        "sends a header field without end",
        ((b"HTTP/1.1 200 OK\r\nx-long: ", Endless(b"a" * 65536)),),
        _NO_HEAD,
        _NO_HEAD,
    ),
    Mode(
        "endless-headers",
        "sends header fields without end",
        ((b"HTTP/1.1 200 OK\r\n", Endless(b"x-more: and more\r\n" * 1000)),),
        _NO_HEAD,
        _NO_HEAD,
    ),
    Mode("many-headers", "sends 90 header fields", (whole(WHOLE, 200, *_FIELDS),), Right(), Right()),
    Mode(
        "long-header",
        "sends a header field of 8,000 bytes",
        (whole(WHOLE, 200, "x-long: " + "a" * 8000),),
        Right(),
        Right(),
    ),
    Mode(
        "log-id-twice",
        "sends the log id twice",
        (whole(WHOLE, 200, "cf-aig-log-id: 02OTHER"),),
        Right(),
        Right(),
    ),
    Mode(
        "header-beyond-ascii",
        "sends header values beyond ASCII",
        (whole(WHOLE, 200, "cf-aig-model: K\xf6ln \xff"),),
        Right(),
        Right(),
    ),
    Mode(
        "many-chunks",
        "sends 100,000 events",
        ((head(200, "connection: close", kind="text/event-stream"), Send(data("") * 1000, 100), STREAM, Close()),),
        None,
        Right(),
        is_heavy=True,
    ),
    Mode(
        "big-event",
        "sends an event of 50 MB",
        (events(b": x\n", b"data: " + b" " * 50_000_000, STREAM[6:]),),
        None,
        Right(),
        is_heavy=True,
    ),
    Mode(
        "stalled-error-body",
        "sends the head of a 400, half of its body, and stalls",
        ((head(400, "content-length: 99"), b'{"error":', Stall()),),
        Wrong(BadRequestError),
        Wrong(BadRequestError),
        read_timeout=0.25,
    ),
    Mode(
        "endless-error-body",
        "sends a 500 whose body has no end",
        ((head(500, "connection: close"), Endless(b"a" * 65536)),),
        Wrong(InternalServerError),
        Wrong(InternalServerError),
        requests=3,
    ),
]
