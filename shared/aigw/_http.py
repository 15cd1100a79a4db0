"""The HTTP vocabulary: what is sent and what came back, as plain values.

Nothing here knows a socket, a client library or the gateway. The client's drivers carry a `Request` out and a
`Response` back; the local gateway takes the one and gives the other.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar, overload

_T = TypeVar("_T")

SECRET_HEADERS: Final = frozenset(
    {
        "api-key",
        "authorization",
        "cf-access-client-secret",
        "cf-aig-authorization",
        "cookie",
        "payment-signature",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
        "xi-api-key",
    }
)
"""Header names, in lower case, whose values never reach a repr, a log, an exception or a cassette."""

HIDDEN: Final = "***"
"""What stands in a text where a secret was."""


class Headers(Mapping[str, str]):
    """Header fields, looked up in any letter case; a repeated field's values are joined by a comma.

    Args:
        pairs: The fields in the order of the wire, names in any case.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        pairs = tuple(pairs)
        values = {name.lower(): value for name, value in pairs}
        self._values = values if len(values) == len(pairs) else _joined(pairs)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: _T) -> str | _T: ...
    def get(self, name: str, /, default: object = None) -> object:
        """Give a field's value, or `default`; most that are asked for are absent, and `Mapping.get` raises for each."""
        return self._values.get(name.lower(), default)

    def items(self) -> ItemsView[str, str]:
        """Give the fields, names in lower case; `Mapping.items` looks each up again."""
        return self._values.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({hide_secrets(self._values.items())!r})"

    @property
    def media_type(self) -> str:
        """The content type in lower case and without parameters; empty when there is none."""
        return self._values.get("content-type", "").partition(";")[0].strip().lower()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        values[key] = f"{values[key]}, {value}" if key in values else value
    return values


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request, complete: nothing is added to it on the way but what HTTP itself needs.

    Attributes:
        method: The method in upper case.
        url: The absolute URL, already percent-encoded.
        headers: The fields in the order they are sent.
        content: The body; empty for none.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""

    def __repr__(self) -> str:
        fields = hide_secrets(self.headers)
        return f"Request({self.method!r}, {self.url!r}, headers={fields!r}, content=<{len(self.content)} bytes>)"


@dataclass(frozen=True, slots=True)
class Response:
    """One response whose body has been read.

    Attributes:
        status: The HTTP status code.
        headers: The header fields.
        content: The decoded body (content encodings taken off).
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    content: bytes = field(default=b"", repr=False)


def hide_secrets(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give header fields as a dict in which the value of every secret field is `***`."""
    return {name: HIDDEN if name.lower() in SECRET_HEADERS else value for name, value in pairs}
