"""What the local gateway answers: a status, header fields, and a body that is whole or still coming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aigw._json import dump_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

JSON = "application/json"
EVENT_STREAM = "text/event-stream"

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the local gateway, or of an upstream behind it.

    Attributes:
        status: The HTTP status code.
        headers: The header fields, names in lower case.
        body: The whole body, or its pieces as they come.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | AsyncIterator[bytes] = b""

    @property
    def media_type(self) -> str:
        """The content type in lower case and without parameters; empty when there is none."""
        value = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return value.partition(";")[0].strip().lower()

    def with_headers(self, *fields: tuple[str, str]) -> Reply:
        """Give the same answer with `fields` in place of the fields of those names."""
        names = {name for name, _ in fields}
        kept = [pair for pair in self.headers if pair[0] not in names]
        return Reply(self.status, (*kept, *fields), self.body)


def header_text(value: str) -> str:
    """Make any text fit for a header: what is not printable ASCII is percent-encoded, and 1024 characters are kept."""
    plain = value.isascii() and value.isprintable()
    return (value if plain else quote(value, safe=_PRINTABLE, errors="replace"))[:1024]


def json_reply(status: int, value: Any) -> Reply:
    """Answer with a JSON body."""
    return Reply(status, (("content-type", JSON),), dump_json(value))
