"""The gateways API over HTTP: make, list, read, change and delete the gateways of an account.

Source: Cloudflare API reference, AI Gateway. Where it is silent: an id that is taken is 400/7001, a PUT keeps the
optional fields it leaves out, unknown fields are ignored, and null stands for a field's default.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.local._envelopes import rest_error, rest_result
from aigw.local._logs._record import rfc3339
from aigw.local._management._requests import NOT_FOUND, Ask, by_method, invalid, paged
from aigw.local._settings._gateway_settings import GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.local._reply import Reply
    from aigw.local._settings._directory import Directory, Gateway

MAX_ID: Final = 64
"""The longest gateway id. Source: AI Gateway docs, Limits."""

GATEWAY_ID: Final = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)*")
REQUIRED: Final = (
    *("cache_invalidate_on_update", "cache_ttl", "collect_logs"),
    *("rate_limiting_interval", "rate_limiting_limit"),
)
NOT_NULL: Final = ("cache_invalidate_on_update", "collect_logs")


@dataclass(frozen=True, slots=True)
class GatewaysApi:
    """The gateways API.

    Attributes:
        directory: Where the gateways are.
        demands_token: Whether a gateway that does not say so asks for a token.
        on_change: Called with a gateway's account and id, and whether it is gone, after a change of it.
    """

    directory: Directory
    demands_token: bool
    on_change: Callable[[str, str, bool], None]

    def answer(self, ask: Ask) -> Reply:
        """Answer one request at `.../ai-gateway/gateways` or below it, where `ask.item` is the gateway's id.

        Raises:
            RefusalError: 400/7001: a value is not taken.
        """
        one = {"GET": self._get, "PUT": self._update, "DELETE": self._delete}
        return by_method(ask, one if ask.item else {"GET": self._list, "POST": self._create})

    def _list(self, ask: Ask) -> Reply:
        wanted = ask.param("search")
        found = self.directory.list(ask.account, ask.now_ms)
        return paged(ask, [self._shown(gateway) for gateway in found if wanted in gateway.id])

    def _create(self, ask: Ask) -> Reply:
        fields = ask.json_object()
        gateway_id = fields.get("id")
        if not isinstance(gateway_id, str) or len(gateway_id) > MAX_ID or not GATEWAY_ID.fullmatch(gateway_id):
            raise invalid(
                f"id: expected 1 to {MAX_ID} of a-z, 0-9, _ and single inner hyphens; got {gateway_id!r}"[:300]
            )
        settings = _read(self.directory.defaults, fields)
        gateway = self.directory.create(ask.account, gateway_id, settings, ask.now_ms)
        if gateway is None:
            raise invalid(f"id: a gateway {gateway_id!r} exists already")
        return rest_result(self._shown(gateway))

    def _get(self, ask: Ask) -> Reply:
        return self._answered(self.directory.find(ask.account, ask.item, ask.now_ms))

    def _update(self, ask: Ask) -> Reply:
        fields = ask.json_object()
        settings = _read(self.directory.settings(ask.account, ask.item), fields)
        gateway = self.directory.update(ask.account, ask.item, settings, ask.now_ms)
        if gateway is not None and settings.cache_invalidate_on_update:
            self.on_change(ask.account, ask.item, False)  # noqa: FBT003 -- a callback has no keywords
        return self._answered(gateway)

    def _delete(self, ask: Ask) -> Reply:
        gateway = self.directory.delete(ask.account, ask.item, ask.now_ms)
        if gateway is not None:
            self.on_change(ask.account, ask.item, True)  # noqa: FBT003 -- as above
        return self._answered(gateway)

    def _answered(self, gateway: Gateway | None) -> Reply:
        return rest_error(404, NOT_FOUND, "Gateway not found") if gateway is None else rest_result(self._shown(gateway))

    def _shown(self, gateway: Gateway) -> dict[str, Any]:
        settings = asdict(gateway.settings)
        if settings["authentication"] is None:
            settings["authentication"] = self.demands_token
        times = {"created_at": rfc3339(gateway.created_ms), "modified_at": rfc3339(gateway.modified_ms)}
        return {"id": gateway.id, **settings, "is_default": gateway.is_default, **times}


def _read(base: GatewaySettings, fields: Mapping[str, Any]) -> GatewaySettings:
    for name in REQUIRED:
        if name not in fields or (name in NOT_NULL and fields[name] is None):
            raise invalid(f"{name}: is required")
    known = {name: value for name, value in fields.items() if name in GatewaySettings.__dataclass_fields__}
    try:
        return base.overridden(known)
    except ValueError as error:
        raise invalid(str(error)) from error
