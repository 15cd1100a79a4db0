"""Event streams in every legal form, and in illegal ones."""

from __future__ import annotations

from typing import Final

from aigw import StreamError, StreamTruncatedError

from .mode import DONE, STREAM, Mode, Right, Wrong, chunk, data, events

_HEL: Final = data("Hel")


def _legal(name: str, does: str, document: bytes, out: Right | Wrong | None = None) -> Mode:
    return Mode(f"sse-{name}", f"streams {does}", (events(document),), None, out or Right())


def _reports(name: str, whose: str, event: bytes, words: str) -> Mode:
    out = Wrong(StreamError, text="Hel", words=words)
    return Mode(f"sse-error-{name}", f"streams an error in {whose} shape", (events(_HEL, event, DONE),), None, out)


def _broken(name: str, does: str, event: bytes) -> Mode:
    return Mode(f"sse-{name}", f"streams {does}", (events(_HEL, event, DONE),), None, Wrong(StreamError, text="Hel"))


MODES: Final = [
    _legal("lf", "lines that end in LF", STREAM),
    _legal("crlf", "lines that end in CRLF", STREAM.replace(b"\n", b"\r\n")),
    _legal("cr", "lines that end in CR", STREAM.replace(b"\n", b"\r")),
    _legal(
        "mixed",
        "lines that end in all three",
        _HEL.replace(b"\n", b"\r\n", 1) + data("lo", "stop").replace(b"\n", b"\r") + DONE,
    ),
    _legal("bom", "a BOM first", b"\xef\xbb\xbf" + STREAM),
    _legal("comments", "comments everywhere", b": hi\n\n" + _HEL + b":\n:\n\n" + data("lo", "stop") + b": x\n" + DONE),
    _legal("no-space", "`data:` without a space", STREAM.replace(b"data: ", b"data:")),
    _legal("multi-line", "data on many lines", STREAM.replace(b', "', b',\ndata: "')),
    _legal(
        "fields", "ids, retry times, names, unknown fields", b"id: 7\nretry: 10\nevent: chunk\nfoo: bar\nbaz\n" + STREAM
    ),
    _legal("empty-data", "empty data", b"data\n\ndata:\n\n" + STREAM),
    _legal("blank-lines", "blank lines", b"\n\r\n\r" + _HEL + b"\n\n\n" + data("lo", "stop") + b"\n" + DONE),
    _legal("no-blank-line", "no blank line at its end", STREAM.rstrip(b"\n")),
    _legal("no-done", "no `[DONE]` after the finish reason", STREAM.removesuffix(DONE)),
    _legal("after-done", "events after `[DONE]`", STREAM + b": bye\n\n"),
    _legal("text-plain", "under a wrong content type", STREAM),
    _legal(
        "separators",
        "U+2028 inside a text",
        data("He\u2028").replace(b"\\u2028", "\u2028".encode()) + data("", "stop") + DONE,
        Right("He\u2028"),
    ),
    _legal("no-end", "without an end", _HEL, Wrong(StreamTruncatedError, text="Hel")),
    _legal("empty", "nothing", b"", Wrong(StreamTruncatedError)),
    _legal("only-comments", "comments alone", b": a\n\n: b\n\n", Wrong(StreamTruncatedError)),
    _legal("only-done", "`[DONE]` alone", DONE, Right("")),
    _legal("cut-in-utf-8", "half of a character at its end", b"data: \xc3", Wrong(StreamError)),
    _reports(
        "openai", "OpenAI's", b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n', "overloaded"
    ),
    _reports(
        "anthropic",
        "Anthropic's",
        b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}\n\n',
        "busy",
    ),
    _reports(
        "gateway",
        "the gateway's",
        b'data: {"success": false, "error": [{"code": 2017, "message": "blocked"}]}\n\n',
        "blocked",
    ),
    _reports("text", "no", b"event: error\ndata: it broke\n\n", "it broke"),
    _broken("no-json", "an event that is no JSON", b"data: hello\n\n"),
    _broken("json-array", "an event that is an array", b"data: []\n\n"),
    _broken("json-null", "an event that is `null`", b"data: null\n\n"),
    _broken("nan", "an event with NaN", b'data: {"choices": NaN}\n\n'),
    _broken("deep", "an event nested 100,000 deep", b"data: " + b'{"a":' * 100_000 + b"\n\n"),
    _broken("invalid-utf-8", "invalid UTF-8", b"data: " + chunk("x").replace(b"x", b"\xff") + b"\n\n"),
    _broken("odd-shape", "choices that are a number", b'data: {"choices": 7}\n\n'),
    _broken("odd-choice", "a choice whose index is a list", b'data: {"choices": [{"index": [], "delta": 7}]}\n\n'),
    _broken("odd-delta", "a delta that is a text", b'data: {"choices": [{"index": 0, "delta": "x"}]}\n\n'),
    _legal(
        "surrogate", "half of a surrogate pair: U+FFFD", STREAM.replace(b'"Hel"', b'"Hel\\ud83d"'), Right("Hel\ufffdlo")
    ),
]
