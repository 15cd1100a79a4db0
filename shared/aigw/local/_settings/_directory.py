"""Which gateways exist, per account, and what each is set to: configured ones, made ones, and those that just are.

With no list of gateways every id exists, until it is deleted. `default` always does, as Cloudflare makes it anew on the
next call. What is made or changed through the API lives as long as the local gateway does. Safe in threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from aigw._given import shown
from aigw.local._arguments import read_dict
from aigw.local._settings._gateway_settings import GatewaySettings, GatewaySettingsDict

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway.

    Attributes:
        id: Its id.
        settings: What it is set to.
        created_ms: When it was made, in milliseconds since 1970.
        modified_ms: When it was last changed.
    """

    id: str
    settings: GatewaySettings
    created_ms: int
    modified_ms: int

    @property
    def is_default(self) -> bool:
        """Whether it is the account's default gateway."""
        return self.id == DEFAULT


@dataclass(slots=True)
class Directory:
    """The gateways of every account.

    Attributes:
        defaults: The settings of a gateway that has none of its own.
        gateways: The configured gateways by id with their settings; `None` when every id exists.
    """

    defaults: GatewaySettings
    gateways: Mapping[str, GatewaySettings] | None = None
    _known: dict[tuple[str, str], Gateway] = field(default_factory=dict, repr=False)
    _deleted: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @classmethod
    def read(
        cls, settings: GatewaySettingsDict | None, gateways: Mapping[str, GatewaySettingsDict] | None
    ) -> Directory:
        """Build from what a caller wrote.

        Raises:
            ValueError: A setting's name is unknown, its value is wrong, or what should be a dict is none.
        """
        defaults = _override(GatewaySettings(), "settings", settings)
        if gateways is None:
            return cls(defaults)
        own = read_dict("gateways", gateways)
        return cls(defaults, {name: _override(defaults, f"gateways[{shown(name)}]", own[name]) for name in own})

    def settings(self, account: str, gateway_id: str) -> GatewaySettings:
        """Give the settings of one gateway, whether or not it exists."""
        with self._lock:
            known = self._known.get((account, gateway_id))
            return known.settings if known else (self.gateways or {}).get(gateway_id, self.defaults)

    def find(self, account: str, gateway_id: str, now_ms: int) -> Gateway | None:
        """Give one gateway; one that exists without having been made is there from now on."""
        with self._lock:
            return self._find(account, gateway_id, now_ms)

    def list(self, account: str, now_ms: int) -> list[Gateway]:
        """Give an account's gateways in the order of their ids: configured, made, and used so far."""
        with self._lock:
            for name in (DEFAULT, *(self.gateways or {})):
                self._find(account, name, now_ms)
            mine = [gateway for (owner, _), gateway in self._known.items() if owner == account]
            return sorted(mine, key=lambda gateway: gateway.id)

    def create(self, account: str, gateway_id: str, settings: GatewaySettings, now_ms: int) -> Gateway | None:
        """Make a gateway; `None` when it has been made, configured or used before."""
        key = (account, gateway_id)
        with self._lock:
            configured = gateway_id in (self.gateways or {}) and key not in self._deleted
            if key in self._known or configured:
                return None
            return self._keep(account, Gateway(gateway_id, settings, now_ms, now_ms))

    def update(self, account: str, gateway_id: str, settings: GatewaySettings, now_ms: int) -> Gateway | None:
        """Change a gateway's settings; `None` when there is no such gateway."""
        with self._lock:
            gateway = self._find(account, gateway_id, now_ms)
            if gateway is None:
                return None
            return self._keep(account, replace(gateway, settings=settings, modified_ms=max(now_ms, gateway.created_ms)))

    def delete(self, account: str, gateway_id: str, now_ms: int) -> Gateway | None:
        """Delete a gateway and give what it was; `None` when there is no such gateway."""
        with self._lock:
            gateway = self._find(account, gateway_id, now_ms)
            if gateway is not None:
                del self._known[account, gateway_id]
                self._deleted.add((account, gateway_id))
            return gateway

    def _find(self, account: str, gateway_id: str, now_ms: int) -> Gateway | None:
        key = (account, gateway_id)
        if key in self._known:
            return self._known[key]
        if key in self._deleted:
            return self._keep(account, Gateway(DEFAULT, self.defaults, now_ms, now_ms)) if key[1] == DEFAULT else None
        if self.gateways is None or gateway_id == DEFAULT or gateway_id in self.gateways:
            settings = (self.gateways or {}).get(gateway_id, self.defaults)
            return self._keep(account, Gateway(gateway_id, settings, now_ms, now_ms))
        return None

    def _keep(self, account: str, gateway: Gateway) -> Gateway:
        self._deleted.discard((account, gateway.id))
        self._known[account, gateway.id] = gateway
        return gateway


def _override(defaults: GatewaySettings, name: str, given: GatewaySettingsDict | None) -> GatewaySettings:
    return defaults.overridden(None if given is None else read_dict(name, given))
