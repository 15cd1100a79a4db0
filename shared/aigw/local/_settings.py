"""What a gateway is set to: the caller's dict in, one frozen value with every default filled in out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

Backoff = Literal["constant", "linear", "exponential"]


class GatewaySettingsDict(TypedDict, total=False):
    """The settings of one gateway, named as Cloudflare's API names them; what is left out has its default.

    Source: AI Gateway API reference, Create a new Gateway.

    Attributes:
        authentication: Whether the gateway host asks for a token; by default it does when tokens are configured.
        cache_ttl: Seconds an answer is cached; `0` or `None` is off, the default.
        collect_logs: Whether calls are logged; `True` by default.
        retry_max_attempts: Attempts in all, 1 to 5; 1 by default.
        retry_delay: Milliseconds before a further attempt, 0 to 60000; 100 by default.
        retry_backoff: How the delay grows; `constant` by default.
    """

    authentication: bool | None
    cache_ttl: int | None
    collect_logs: bool
    retry_max_attempts: int
    retry_delay: int
    retry_backoff: Backoff


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The settings of one gateway, complete; see `GatewaySettingsDict` for each."""

    authentication: bool | None = None
    cache_ttl: int | None = None
    collect_logs: bool = True
    retry_max_attempts: int = 1
    retry_delay: int = 100
    retry_backoff: Backoff = "constant"

    def overridden(self, given: Mapping[str, Any] | None) -> GatewaySettings:
        """Give these settings with those of `given` in their place.

        Raises:
            ValueError: `given` names a setting that does not exist here.
        """
        given = given or {}
        names = [field.name for field in fields(self)]
        for name in given:
            if name not in names:
                raise ValueError(f"unknown gateway setting {name!r}; the local gateway knows {', '.join(names)}")
        return replace(self, **given)


@dataclass(frozen=True, slots=True)
class Directory:
    """Which gateways exist, and what each is set to.

    Attributes:
        defaults: The settings of a gateway that has none of its own.
        gateways: The gateways by id with their settings; `None` when every id exists.
    """

    defaults: GatewaySettings
    gateways: Mapping[str, GatewaySettings] | None = None

    @classmethod
    def read(
        cls, settings: GatewaySettingsDict | None, gateways: Mapping[str, GatewaySettingsDict] | None
    ) -> Directory:
        """Build from what a caller wrote.

        Raises:
            ValueError: A setting's name is unknown.
        """
        defaults = GatewaySettings().overridden(settings)
        if gateways is None:
            return cls(defaults)
        return cls(defaults, {name: defaults.overridden(own) for name, own in gateways.items()})

    def settings(self, gateway_id: str) -> GatewaySettings:
        """Give the settings of one gateway, whether or not it exists."""
        return (self.gateways or {}).get(gateway_id, self.defaults)

    def knows(self, gateway_id: str) -> bool:
        """Tell whether a gateway exists; `default` always does, since Cloudflare makes it on the first call."""
        return self.gateways is None or gateway_id == "default" or gateway_id in self.gateways
