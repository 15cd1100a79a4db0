"""The head of an HTTP/1.1 answer, and what is told of its end."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from aigw._engines._http_head import MAX_FIELDS, WireError, parse_head

OK = b"HTTP/1.1 200 OK\r\n"


def head(*lines, start=OK):
    return start + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a: b", "b"),
        (b"a:b", "b"),
        (b"a:  \t b \t ", "b"),
        (b"a:", ""),
        (b"a: b\r\n  c\r\n\td", "b c d"),
        (b"a: b\r\nA: c", "b, c"),
        ("a: grüße".encode(), "grüße"),
        (b"a: K\xf6ln", "K\xf6ln"),
        ("a: x\u2028y\u0085z".encode(), "x\u2028y\u0085z"),
    ],
)
def test_a_field_is_read(line, expected):
    assert parse_head(head(line, b"z: 1")).headers["a"] == expected


def test_lines_may_end_in_lf_alone():
    assert parse_head(b"HTTP/1.1 200 OK\na: b\n\n").headers["a"] == "b"


@pytest.mark.parametrize(
    "line",
    [b"a", b"a b: c", b"a : b", b": b", b" a: b", b"a: b\x00", b"a: b\rc", b"a: \x01", b"\xff: b", b"a: b\r\n\x0b: c"],
)
def test_what_is_no_field_is_refused(line):
    with pytest.raises(WireError, match="no header field"):
        parse_head(head(line))


@pytest.mark.parametrize(
    "start",
    [b"HTTP/2.0 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000", b"HTTP/1.1 099 x", b"http/1.1 200 OK", b"ICY 200", b"",
     b"HTTP/1.1  200 OK", b"HTTP/1.1 +20 OK", "HTTP/1.1 \u0662\u0660\u0660 OK".encode()],
)  # fmt: skip
def test_what_is_no_status_line_is_refused(start):
    with pytest.raises(WireError, match=r"not HTTP/1\.1"):
        parse_head(start + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], []),
        ([b"connection: keep-alive", b"server: x"], []),
        ([b"content-length: 5"], [b"content-length: 5"]),
        ([b"content-length: 5, 5"], [b"content-length: 5"]),
        ([b"content-length: 5", b"content-length: 5"], [b"content-length: 5"]),
        ([b"Transfer-Encoding: Chunked"], [b"transfer-encoding: chunked"]),
        ([b"connection: close"], [b"connection: close"]),
        ([b"connection: x, Close"], [b"connection: close"]),
        ([b"transfer-encoding: chunked", b"content-length: 5"], [b"transfer-encoding: chunked", b"connection: close"]),
    ],
)
def test_a_head_tells_where_its_body_and_its_connection_end(lines, told):
    assert parse_head(head(*lines)).framing() == head(*told, start=b"HTTP/1.1 200 -\r\n")


def test_a_connection_of_http_1_0_is_not_kept():
    old = parse_head(head(b"connection: keep-alive", start=b"HTTP/1.0 200 OK\r\n"))
    assert old.framing() == head(b"connection: close", start=b"HTTP/1.0 200 -\r\n")


def test_too_many_fields_are_refused():
    with pytest.raises(WireError, match="more than"):
        parse_head(head(*[b"a: b"] * (MAX_FIELDS + 1)))


@pytest.mark.parametrize(
    "value", [b" " * 90_000 + b"\x01", b"a " * 45_000 + b"\x01", b"\r\n " * 30_000, b" " * 90_000, b":" * 90_000]
)
def test_no_head_takes_long_to_read(value):
    began = time.process_time()
    with suppress(WireError):
        parse_head(head(b"a: " + value))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "lines",
    [
        [b"content-length: 5", b"content-length: 6"],
        [b"content-length: -5"],
        [b"content-length: +5"],
        [b"content-length: 5 5"],
        [b"content-length: 0x5"],
        [b"content-length: 1_0"],
        [b"content-length:"],
        ["content-length: \u0665".encode()],
        [b"content-length: " + b"9" * 19],
        [b"transfer-encoding: gzip"],
        [b"transfer-encoding: gzip, chunked"],
        [b"transfer-encoding: chunked", b"transfer-encoding: chunked"],
        [b"transfer-encoding:"],
    ],
)
def test_a_body_that_two_readers_could_read_in_two_ways_is_refused(lines):
    with pytest.raises(WireError, match="the answer"):
        parse_head(head(*lines)).framing()
