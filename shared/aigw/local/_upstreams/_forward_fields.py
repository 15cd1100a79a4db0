"""Which header fields go out to a provider, and which of its own come back.

A server with OpenAI's API is told only what that API knows. A provider that is asked in its own shape gets what the
caller sent, but for what belongs to one connection, to the gateway, or to another provider's account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._providers import KEY_HEADERS, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Fields = tuple[tuple[str, str], ...]

_OPENAI_ASKED: Final = frozenset(
    {"authorization", "openai-organization", "openai-project", "user-agent", "idempotency-key", "x-request-id"}
)
_OPENAI_ANSWERED: Final = frozenset({"content-type", "retry-after", "retry-after-ms", "x-request-id"})
_HOP_BY_HOP: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade", "content-length"),
    }
)
_NEVER_ASKED: Final = _HOP_BY_HOP | {"host", "accept-encoding", "expect", "cookie", "forwarded", "via", "origin"}
_NEVER_ANSWERED: Final = _HOP_BY_HOP | {"date", "server", "set-cookie", "alt-svc", "strict-transport-security"}
_OURS: Final = ("cf-", "aigw-local-", "x-forwarded-")
_ANSWERED_ELSEWHERE: Final = ("cf-aig-", "access-control-")
_DECODED: Final = frozenset({"gzip", "x-gzip", "deflate", "identity"})


def openai_fields(headers: Iterable[tuple[str, str]], api_key: str | None) -> dict[str, str]:
    """Give the fields that a server with OpenAI's API is asked with."""
    fields = {name.lower(): value for name, value in headers if name.lower() in _OPENAI_ASKED}
    if api_key:
        fields.setdefault("authorization", f"Bearer {api_key}")
    return fields | {"content-type": "application/json", "accept-encoding": "identity"}


def openai_answer_fields(headers: Mapping[str, str]) -> Fields:
    """Give the fields of such a server's answer that a caller may see."""
    return tuple((name, value) for name, value in headers.items() if name.lower() in _OPENAI_ANSWERED)


def native_fields(provider: str, headers: Fields, api_key: str | None, *, has_key: bool) -> list[tuple[str, str]]:
    """Give the fields that a provider is asked with.

    Args:
        provider: Its slug.
        headers: The caller's fields, names in lower case.
        api_key: The key sent when the caller sends none.
        has_key: Whether the caller's key stands in the query.
    """
    row = PROVIDERS.get(provider)
    others = KEY_HEADERS - {"authorization", row.key_header} if row else frozenset()
    dropped = _NEVER_ASKED | others | _nominated(headers)
    kept = [(name, value) for name, value in headers if name not in dropped and not name.startswith(_OURS)]
    names = {name for name, _ in kept}
    if api_key and not has_key and not names & KEY_HEADERS:
        kept.append((row.key_header, f"{row.key_prefix}{api_key}") if row else ("authorization", f"Bearer {api_key}"))
    kept += [pair for pair in (row.headers if row else ()) if pair[0] not in names]
    return [*kept, ("accept-encoding", "identity")]


def native_answer_fields(headers: Iterable[tuple[str, str]]) -> Fields:
    """Give the fields of a provider's answer that a caller sees, to go with the body as it is decoded here."""
    fields = tuple((name.lower(), value) for name, value in headers)
    dropped = _NEVER_ANSWERED | _nominated(fields)
    if is_decoded(fields):
        dropped |= {"content-encoding"}
    return tuple(
        (name, value) for name, value in fields if name not in dropped and not name.startswith(_ANSWERED_ELSEWHERE)
    )


def is_decoded(fields: Iterable[tuple[str, str]]) -> bool:
    """Tell whether every content encoding of an answer is one that is taken off here."""
    codings = [
        coding.strip().lower() for name, value in fields if name == "content-encoding" for coding in value.split(",")
    ]
    return all(coding in _DECODED for coding in codings if coding)


def encoded(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Give the bytes of fields: those that came over the wire as they came, and other text in UTF-8."""
    return [(name.encode(), value.encode("latin-1" if _is_latin(value) else "utf-8")) for name, value in fields]


def _is_latin(value: str) -> bool:
    return all(ord(letter) < 0x100 for letter in value)


def _nominated(fields: Fields) -> frozenset[str]:
    """Give the fields that `connection` names as belonging to one connection."""
    values = [value for name, value in fields if name == "connection"]
    return frozenset(name.strip().lower() for value in values for name in value.split(","))
