"""The API of stored provider keys (bring your own key).

No reply has any of a key, and `secret_preview` is always `***`. Source: AI Gateway docs, Bring your own keys;
Cloudflare API reference, provider configs. Where those are silent: an alias that is taken is 400/7001, and a config
made with `secret_id` alone has no secret here, so that using it is refused as when the real secret is gone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw._http import HIDDEN
from aigw.local._envelopes import rest_error, rest_result
from aigw.local._ids import new_id
from aigw.local._logs._record import rfc3339
from aigw.local._management._requests import NOT_FOUND, Ask, by_method, invalid, paged
from aigw.local._routes import is_provider
from aigw.local._spending._key_ring import DEFAULT_ALIAS, StoredKey

if TYPE_CHECKING:
    from aigw.local._reply import Reply
    from aigw.local._spending._key_ring import KeyRing

_ALIAS: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)


def answer_provider_configs(ring: KeyRing, ask: Ask) -> Reply:
    """Answer one request at `.../gateways/{gateway}/provider_configs` or below it, where `ask.item` is a config's id.

    Raises:
        RefusalError: 400/7001: a value is not taken.
    """
    if ask.item:
        return by_method(ask, {"DELETE": lambda ask: _delete(ring, ask)})
    return by_method(ask, {"GET": lambda ask: _list(ring, ask), "POST": lambda ask: _create(ring, ask)})


def _list(ring: KeyRing, ask: Ask) -> Reply:
    return paged(ask, [_shown(key) for key in ring.of(ask.account, ask.gateway)])


def _create(ring: KeyRing, ask: Ask) -> Reply:
    key = _read(ask, ask.json_object())
    if not ring.add(key):
        raise invalid(f"alias: {key.provider} has a key {key.alias!r} already")
    return rest_result(_shown(key))


def _delete(ring: KeyRing, ask: Ask) -> Reply:
    key = ring.remove(ask.account, ask.gateway, ask.item)
    return rest_error(404, NOT_FOUND, "Provider config not found") if key is None else rest_result(_shown(key))


def _read(ask: Ask, fields: dict[str, Any]) -> StoredKey:
    provider, alias = fields.get("provider_slug"), fields.get("alias", DEFAULT_ALIAS)
    secret, secret_id = fields.get("secret"), fields.get("secret_id")
    if not isinstance(provider, str) or not is_provider(provider):
        raise invalid("provider_slug: expected the slug of a provider")
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise invalid("alias: expected 1 to 64 letters, digits, dots, hyphens and underscores")
    if not isinstance(secret or secret_id, str):
        raise invalid("secret: expected the provider's key, or secret_id")
    if secret and not (secret.isprintable() and secret.isascii()):
        raise invalid("secret: expected printable ASCII, as a header field takes it")
    return StoredKey(
        id=new_id(),
        account=ask.account,
        gateway=ask.gateway,
        provider=provider,
        alias=alias,
        default_config=fields.get("default_config") is True,
        secret_id=secret_id if isinstance(secret_id, str) else f"{ask.gateway}_{provider}_{alias}",
        modified_ms=ask.now_ms,
        rate_limit=_amount(fields, "rate_limit"),
        rate_limit_period=_amount(fields, "rate_limit_period"),
        secret=secret if isinstance(secret, str) else None,
    )


def _amount(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
        return value
    raise invalid(f"{name}: expected a number of 0 or more")


def _shown(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "alias": key.alias,
        "default_config": key.default_config,
        "gateway_id": key.gateway,
        "modified_at": rfc3339(key.modified_ms),
        "provider_slug": key.provider,
        "secret_id": key.secret_id,
        "secret_preview": HIDDEN,
        "rate_limit": key.rate_limit,
        "rate_limit_period": key.rate_limit_period,
    }
