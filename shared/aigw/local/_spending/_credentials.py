"""Who pays the provider: the request's own key, a stored one, or Unified Billing, in that order.

Source: AI Gateway docs, Bring your own keys and Unified Billing; the codes were seen of the real gateway. On the REST
host only the key `default` is looked for. Where the docs are silent: `cf-aig-byok-alias` counts on the whole gateway
host, compat and universal included, a stored key without its secret is 400/2040, and a credential is rejected by a 401.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from aigw._providers import KEY_HEADERS, PROVIDERS
from aigw.local._refusal import RefusalError
from aigw.local._spending._key_ring import DEFAULT_ALIAS
from aigw.local._spending._masking import masked
from aigw.local._upstreams._native_path import query_has_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._arrival import Arrival
    from aigw.local._reply import Reply
    from aigw.local._spending._key_ring import KeyRing, StoredKey

Payer = Literal["request", "stored", "unified", "workers-ai", "machine"]

UNIFIED_PROVIDERS: Final = frozenset({"openai", "anthropic", "google-ai-studio", "google-vertex-ai", "grok", "groq"})
"""The providers Unified Billing pays on their own paths. Source: AI Gateway docs, Unified Billing."""

_WORKERS_AI: Final = "workers-ai"
_MIN_SECRET: Final = 8
_REJECTED: Final = (401, 2009, "Unauthorized: the provider rejected the credentials")
_MANAGED_REJECTED: Final = (503, 503, "The provider rejected the credentials that Cloudflare manages")
_REJECTIONS: Final[Mapping[Payer, tuple[int, int, str]]] = {
    "request": _REJECTED,
    "stored": _REJECTED,
    "unified": _MANAGED_REJECTED,
    "machine": _MANAGED_REJECTED,
}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a call goes to its provider with.

    Attributes:
        payer: Who pays.
        fields: The header fields that carry the key, in place of any of their names.
    """

    payer: Payer
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def draws_credits(self) -> bool:
        """Whether Unified Billing pays."""
        return self.payer == "unified"

    def rejection(self, arrival: Arrival, reply: Reply) -> RefusalError | None:
        """Say what a provider's rejection of this credential is on `ai/run`; `None` for anything else.

        Source: AI Gateway changelog, 2026-10-05; the body of the 503 is not told.
        """
        known = _REJECTIONS.get(self.payer)
        if reply.status != _REJECTED[0] or arrival.surface.dialect != "run" or known is None:
            return None
        return RefusalError(*known)

    def hide_in(self, reply: Reply) -> Reply:
        """Take a stored key out of an answer, whole or streamed, should the provider have echoed it."""
        for _, value in self.fields:
            secret = value.rpartition(" ")[2]
            if len(secret) >= _MIN_SECRET:
                reply = replace(reply, body=masked(reply.body, secret.encode()))
        return reply


def choose_credential(ring: KeyRing, arrival: Arrival, provider: str) -> Credential:
    """Choose what a call to `provider` goes out with.

    Raises:
        RefusalError: 400/2040 for an alias that is not stored, 400/2044 where Unified Billing is forbidden.
    """
    on_gateway = arrival.entrance.host == "gateway"
    if on_gateway and _has_key(arrival):
        return Credential("request")
    alias = arrival.headers.get("cf-aig-byok-alias", "").strip() if on_gateway else ""
    stored = _stored(ring.of(arrival.entrance.account_id, arrival.entrance.gateway_id, provider), alias)
    if stored is not None:
        return Credential("stored", _fields(stored))
    settings = arrival.entrance.settings
    if provider == _WORKERS_AI:
        return Credential("unified" if settings.workers_ai_billing_mode == "unified" else _WORKERS_AI)
    if settings.byok_only or arrival.headers.get("cf-aig-no-wholesale", "").strip().lower() == "true":
        raise RefusalError(400, 2044, "Customer-provided provider credentials are required for this request")
    return Credential("unified")


def _has_key(arrival: Arrival) -> bool:
    return query_has_key(arrival.surface.raw) or any(
        name in KEY_HEADERS and value.strip() for name, value in arrival.fields
    )


def _stored(keys: list[StoredKey], alias: str) -> StoredKey | None:
    if not keys:
        return None
    by_alias = {key.alias: key for key in keys}
    if alias and alias not in by_alias:
        known = ", ".join(sorted(by_alias))
        raise RefusalError(
            400,
            2040,
            f"Provider '{keys[0].provider}' has no BYOK credential named '{alias}'. Configured aliases: {known}",
        )
    marked = next((key for key in keys if key.default_config), None)
    return by_alias.get(alias or DEFAULT_ALIAS, None if alias else marked)


def _fields(key: StoredKey) -> tuple[tuple[str, str], ...]:
    if not key.secret:
        raise RefusalError(400, 2040, "Configured BYOK credentials are unavailable")
    provider = PROVIDERS.get(key.provider)
    if provider is None:
        return (("authorization", f"Bearer {key.secret}"),)
    return ((provider.key_header, f"{provider.key_prefix}{key.secret}"),)
