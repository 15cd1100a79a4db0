"""Answers that are good HTTP, and whose bodies are something else than what was asked for."""

from __future__ import annotations

from typing import Final

from aigw import (
    APIStatusError,
    BadRequestError,
    GuardrailBlockedError,
    InternalServerError,
    StreamError,
    StreamTruncatedError,
)

from .mode import UNREADABLE, WHOLE, Mode, Right, Wrong, as_json, completion, whole

_HTML: Final = b"<html><head><title>Just a moment...</title></head><body>x</body></html>"
_NO_JSON: Final = Wrong(StreamError)
_HELLO: Final = b'"Hello"'


def _odd(name: str, does: str, body: bytes, stream: Right | Wrong = _NO_JSON, out: Right | Wrong = UNREADABLE) -> Mode:
    return Mode(name, f"answers 200 with {does}", (whole(body),), out, stream)


def _holding(value: bytes) -> bytes:
    """A completion with this JSON in place of its text."""
    return WHOLE.replace(_HELLO, value, 1)


MODES: Final = [
    Mode("html-200", "answers 200 with an HTML page", (whole(_HTML, kind="text/html"),), UNREADABLE, _NO_JSON),
    Mode("html-as-json", "answers 200 with HTML that it calls JSON", (whole(_HTML),), UNREADABLE, _NO_JSON),
    Mode(
        "html-502",
        "answers 502 with an HTML page, always",
        (whole(_HTML, 502, kind="text/html", log=""),),
        Wrong(InternalServerError, has_log=False, words="Just a moment"),
        Wrong(InternalServerError, has_log=False, words="Just a moment"),
        requests=3,
    ),
    _odd("empty-200", "no body", b"", Wrong(StreamTruncatedError)),
    Mode(
        "empty-204",
        "answers 204",
        ((b"HTTP/1.1 204 No Content\r\ncf-aig-log-id: 01FAULTLOG\r\n\r\n",),),
        UNREADABLE,
        Wrong(StreamTruncatedError),
    ),
    Mode(
        "empty-500",
        "answers 500 without a body, always",
        (whole(b"", 500),),
        Wrong(InternalServerError, words="no body"),
        Wrong(InternalServerError, words="no body"),
        requests=3,
    ),
    _odd("json-null", "`null`", b"null", Wrong(StreamTruncatedError)),
    _odd("json-array", "an array", b"[]"),
    _odd("json-number", "a number", b"7", Wrong(StreamTruncatedError)),
    _odd("json-string", "a string", b'"x"', Wrong(StreamTruncatedError)),
    _odd("json-object", "an object of an unknown shape", b'{"choices": 7}'),
    _odd("json-nested-shape", "choices that are texts", b'{"choices": ["x", 1, null]}', Right(""), UNREADABLE),
    _odd("json-nan", "JSON that holds NaN", _holding(b"NaN")),
    _odd("json-huge-int", "an integer of 400 digits", _holding(b"9" * 400)),
    _odd("json-big-int", "an integer beyond 64 bits", WHOLE[:-1] + b',"created":' + b"9" * 30 + b"}", Right(), Right()),
    _odd("json-cut", "half of the JSON", WHOLE[:-20]),
    _odd("json-twice", "two JSON documents", WHOLE + WHOLE),
    _odd("json-same-key", "a key twice: the last one counts", b'{"id":"x",' + WHOLE[1:], Right(), Right()),
    _odd("json-deep", "JSON nested 100,000 deep", _holding(b"[" * 100_000 + b"]" * 100_000)),
    _odd("json-bom", "a BOM before the JSON", b"\xef\xbb\xbf" + WHOLE, Right(), Right()),
    _odd("json-utf-16", "UTF-16", WHOLE.decode().encode("utf-16"), Wrong(StreamTruncatedError)),
    _odd(
        "json-surrogate",
        "half of a surrogate pair: U+FFFD",
        _holding(b'"He\\ud83d"'),
        Right("He\ufffd"),
        Right("He\ufffd"),
    ),
    _odd("json-invalid-utf-8", "invalid UTF-8", _holding(b'"He\xff"')),
    _odd("json-blank-lines", "blank lines as keep-alive before the JSON", b"\n" * 5000 + WHOLE, Right(), Right()),
    Mode(
        "json-as-stream",
        "answers 200 with JSON that it calls a stream",
        (whole(WHOLE, kind="text/event-stream"),),
        Right(),
        Right(),
    ),
    Mode("no-content-type", "names no content type", (whole(WHOLE, kind=""),), Right(), Right()),
    Mode(
        "blocked-200",
        "answers 200 with a guardrail's refusal",
        (whole(as_json({"success": False, "error": [{"code": 2016, "message": "blocked"}]})),),
        Wrong(GuardrailBlockedError),
        Wrong(GuardrailBlockedError),
    ),
    Mode(
        "error-200",
        "answers 200 with OpenAI's error object",
        (whole(as_json({"error": {"message": "overloaded", "code": "x"}})),),
        Wrong(APIStatusError, words="overloaded"),
        Wrong(APIStatusError, words="overloaded"),
    ),
    Mode(
        "error-deep",
        "answers 400 with JSON nested 100,000 deep",
        (whole(b"[" * 100_000, 400),),
        Wrong(BadRequestError),
        Wrong(BadRequestError),
    ),
    Mode(
        "error-odd",
        "answers 400 with an error of odd types",
        (whole(b'{"error": [[], 7, {"code": {}, "message": ["x"]}], "errors": "x", "code": []}', 400),),
        Wrong(BadRequestError),
        Wrong(BadRequestError),
    ),
    Mode(
        "unicode",
        "answers with every kind of text",
        (whole(completion("K\u00f6ln \u2028 \U0001f600 \x00")),),
        Right("K\u00f6ln \u2028 \U0001f600 \x00"),
        Right("K\u00f6ln \u2028 \U0001f600 \x00"),
    ),
]
