"""Who may ask, and which header fields said so: credentials are checked here and go no further.

Cloudflare reserves `Authorization` on the gateway host for the provider's key, yet its own examples put the gateway's
token there. So a known token in `Authorization` opens the gateway when `cf-aig-authorization` is absent, and a known
token is never passed on to a provider. A gateway with authentication off answers whatever token it is shown, also a
wrong one, as the documented table implies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.local._refusal import Host, RefusalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_GATEWAY_FIELD: Final = "cf-aig-authorization"


def authenticate(host: Host, headers: Mapping[str, str], tokens: Collection[str], *, required: bool) -> None:
    """Let a request pass or refuse it.

    Args:
        host: Whose rules hold.
        headers: The request's fields, looked up in any case.
        tokens: The known tokens; when there are none, any token is good.
        required: Whether the gateway asks for a token; the REST host always does.

    Raises:
        RefusalError: 400/9106 or 401/10000 on the REST host, 401/2009 on the gateway host.
    """
    if host == "rest":
        _authenticate_rest(bearer(headers.get("authorization")), tokens)
    elif required and not _opens_gateway(headers, tokens):
        raise RefusalError(401, 2009, "Unauthorized")


def bearer(value: str | None) -> str:
    """Give the token of a `Bearer` field; empty when there is none."""
    scheme, _, token = (value or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def without_credentials(
    host: Host, fields: Iterable[tuple[str, str]], tokens: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Give the fields, names in lower case, without those meant for the gateway; what is left is for the provider."""
    lower = [(name.lower(), value) for name, value in fields]
    return tuple([pair for pair in lower if not _is_credential(host, *pair, tokens)])


def _authenticate_rest(token: str, tokens: Collection[str]) -> None:
    if not token:
        raise RefusalError(400, 9106, "Missing or malformed Authorization header: a Bearer token is required")
    if tokens and token not in tokens:
        raise RefusalError(401, 10000, "Authentication error")


def _opens_gateway(headers: Mapping[str, str], tokens: Collection[str]) -> bool:
    if _GATEWAY_FIELD in headers:
        token = bearer(headers[_GATEWAY_FIELD])
        return bool(token) and (not tokens or token in tokens)
    return bearer(headers.get("authorization")) in tokens


def _is_credential(host: Host, name: str, value: str, tokens: Collection[str]) -> bool:
    if name == "authorization":
        return host == "rest" or bearer(value) in tokens
    return name in {_GATEWAY_FIELD, "cookie"}
