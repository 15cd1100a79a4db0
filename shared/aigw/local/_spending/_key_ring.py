"""Stored provider keys by alias (bring your own key), in memory.

A key goes to the provider and nowhere else: no repr has any of it. Source: AI Gateway docs, Bring your own keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Final

DEFAULT_ALIAS: Final = "default"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One provider config.

    Attributes:
        id: Its id.
        account: The account it belongs to.
        gateway: The gateway it belongs to.
        provider: The provider's slug.
        alias: The name a call chooses it by.
        default_config: Whether it is chosen when a call names no alias.
        secret_id: The name of the secret.
        modified_ms: When it was made, in milliseconds since 1970.
        rate_limit: Kept, without effect.
        rate_limit_period: Kept, without effect.
        secret: The provider's key; `None` when it is not here.
    """

    id: str
    account: str
    gateway: str
    provider: str
    alias: str
    default_config: bool
    secret_id: str
    modified_ms: int
    rate_limit: float | None = None
    rate_limit_period: float | None = None
    secret: str | None = field(default=None, repr=False)


class KeyRing:
    """All stored keys; safe in threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: dict[str, StoredKey] = {}

    def add(self, key: StoredKey) -> bool:
        """Store a key; whether its alias was free."""
        with self._lock:
            if any(
                (one.gateway, one.provider, one.alias) == (key.gateway, key.provider, key.alias)
                for one in self._keys.values()
                if one.account == key.account
            ):
                return False
            self._keys[key.id] = key
            return True

    def of(self, account: str, gateway: str, provider: str = "") -> list[StoredKey]:
        """Give a gateway's keys, of one provider or of all, oldest first."""
        with self._lock:
            mine = [key for key in self._keys.values() if (key.account, key.gateway) == (account, gateway)]
        return [key for key in mine if not provider or key.provider == provider]

    def remove(self, account: str, gateway: str, key_id: str = "") -> StoredKey | None:
        """Forget one key and give what it was, or all of a gateway's when no id is given."""
        last = None
        for key in self.of(account, gateway):
            if not key_id or key.id == key_id:
                with self._lock:
                    last = self._keys.pop(key.id, None)
        return last
