"""The head of an HTTP/1.1 answer, from bytes; bring your own I/O.

Apart from the library that carries it, whose parser is one for e-mail: it takes half a head for a whole one, and five
times as long. What is no header field is refused, and everything has a bound.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from aigw._http import Headers

MAX_HEAD_BYTES: Final = 100 * 1024
"""A longer head is refused."""

MAX_FIELDS: Final = 1000
"""More header fields are refused."""

MAX_INTERIM: Final = 20
"""More answers of 1xx before the real one are refused."""

NOT_FINAL: Final = "the server changes the protocol, or gives interim answers without end"
"""What is said then."""

_MAX_DIGITS: Final = 18
_CONTROL: Final = r"\x00-\x08\x0a-\x1f\x7f"
_STATUS: Final = re.compile(rf"HTTP/1\.([0-9]) ([1-9][0-9]{{2}})(?: [^{_CONTROL}]*)?\r?\n")
_FIELD: Final = re.compile(rf"^([-!#$%&'*+.^_`|~0-9A-Za-z]+):([^{_CONTROL}]*)\r?\n", re.MULTILINE)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")


class WireError(Exception):
    """What came is no answer in HTTP/1.1."""


class Head(NamedTuple):
    """The head of an answer.

    Attributes:
        version: 0 or 1, of HTTP/1.
        status: The HTTP status code.
        headers: The header fields.
    """

    version: int
    status: int
    headers: Headers

    def framing(self) -> bytes:
        """Give it again with nothing but what says where its body ends, and whether the connection ends there too.

        Raises:
            WireError: The body would have two ends, or one that nobody can read.
        """
        connection = self.headers.get("connection", "").lower()
        coding, length = self.headers.get("transfer-encoding"), self.headers.get("content-length")
        lines = [f"HTTP/1.{self.version} {self.status} -"]
        if coding is not None:
            if coding.lower() != "chunked":
                raise WireError("the answer has a transfer coding that is not chunked")
            lines.append("transfer-encoding: chunked")
        elif length is not None:
            lines.append(f"content-length: {_parse_length(length)}")
        if "close" in connection or not self.version or (coding is not None and length is not None):
            lines.append("connection: close")
        return "\r\n".join((*lines, "", "")).encode("ascii")


def parse_head(head: bytes) -> Head:
    """Read a head, with the empty line at its end.

    Raises:
        WireError: It is none.
    """
    text = _decode(head)
    status = _STATUS.match(text)
    if status is None:
        raise WireError("the answer is not HTTP/1.1")
    return Head(int(status[1]), int(status[2]), _parse_fields(text, status.end()))


def _decode(head: bytes) -> str:
    """Read a head as httpx does: in UTF-8, or all in Latin-1 if that is not what it is."""
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _parse_fields(text: str, begin: int) -> Headers:
    """Read all lines but the last one, which is empty."""
    pairs = _FIELD.findall(text, begin)
    if len(pairs) != text.count("\n", begin) - 1:
        unfolded = _FOLD.sub(" ", text[begin:])
        pairs = _FIELD.findall(unfolded)
        if len(pairs) != unfolded.count("\n") - 1:
            raise WireError("a line of the answer's head is no header field")
    if len(pairs) > MAX_FIELDS:
        raise WireError(f"the answer has more than {MAX_FIELDS} header fields")
    return Headers([(name, value.strip(" \t")) for name, value in pairs])


def _parse_length(value: str) -> int:
    lengths = {length.strip() for length in value.split(",")}
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()) or len(length) > _MAX_DIGITS:
        raise WireError("the answer names no length, or two")
    return int(length)
