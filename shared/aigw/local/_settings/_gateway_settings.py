"""What a gateway is set to: the caller's dict in, one frozen value with every default filled in out.

The fields are those of Cloudflare's API. Those that only matter to Cloudflare itself (log pushes, OpenTelemetry,
Stripe, a secrets store, zero data retention) are kept and given back, and change nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from aigw._given import shown
from aigw.local._settings._readers import check_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

Backoff = Literal["constant", "linear", "exponential"]
Technique = Literal["fixed", "sliding"]


class GatewaySettingsDict(TypedDict, total=False):
    """The settings of one gateway, named as Cloudflare's API names them; what is left out has its default.

    Source: AI Gateway API reference, Create a new Gateway.

    Attributes:
        authentication: Whether the gateway host asks for a token; by default it does when tokens are configured.
        byok_only: Whether Unified Billing may never pay; off by default.
        cache_invalidate_on_update: Whether a change of the settings empties the cache; off by default.
        cache_ttl: Seconds an answer is cached; `0` or `None` is off, the default.
        collect_logs: Whether calls are logged; `True` by default.
        dlp: `{enabled, action, profiles}` or `{enabled, policies: [{id, action, check, enabled, profiles}]}`.
        guardrails: `{prompt: {S1: "BLOCK"}, response: {P1: "FLAG"}}`, with the categories S1 to S13 and P1.
        rate_limiting_interval: Seconds of the rate limit's window; `0` or `None` is off.
        rate_limiting_limit: Requests in a window; `0` or `None` is off, the default.
        rate_limiting_technique: `fixed` (the default) or `sliding`.
        retry_max_attempts: Attempts in all, 1 to 5; 1 by default.
        retry_delay: Milliseconds before a further attempt, 0 to 60000; 100 by default.
        retry_backoff: How the delay grows; `constant` by default.
        spend_limits: `{enabled, rules: [{id, limitType, limit, window, technique, metadata, model, provider}]}`.
        workers_ai_billing_mode: `postpaid` (the default), or `unified` to draw on the credits.
        log_classification: Kept, without effect.
        log_management: How many logs are kept; `0` or `None` is no limit, the default.
        log_management_strategy: What happens at that limit: `STOP_INSERTING` (the default), or `DELETE_OLDEST`.
        logpush: Kept, without effect.
        logpush_public_key: Kept, without effect.
        otel: Kept, without effect.
        store_id: Kept, without effect.
        stripe: Kept, without effect.
        zdr: Kept, without effect.
    """

    authentication: bool | None
    byok_only: bool
    cache_invalidate_on_update: bool
    cache_ttl: int | None
    collect_logs: bool
    dlp: dict[str, Any] | None
    guardrails: dict[str, Any] | None
    rate_limiting_interval: int | None
    rate_limiting_limit: int | None
    rate_limiting_technique: Technique | None
    retry_max_attempts: int | None
    retry_delay: int | None
    retry_backoff: Backoff | None
    spend_limits: dict[str, Any] | None
    workers_ai_billing_mode: Literal["postpaid", "unified"]
    log_classification: bool
    log_management: int | None
    log_management_strategy: Literal["STOP_INSERTING", "DELETE_OLDEST"] | None
    logpush: bool
    logpush_public_key: str | None
    otel: list[dict[str, Any]] | None
    store_id: str | None
    stripe: dict[str, Any] | None
    zdr: bool


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The settings of one gateway, complete; see `GatewaySettingsDict` for each."""

    authentication: bool | None = None
    byok_only: bool = False
    cache_invalidate_on_update: bool = False
    cache_ttl: int | None = None
    collect_logs: bool = True
    dlp: dict[str, Any] | None = None
    guardrails: dict[str, Any] | None = None
    rate_limiting_interval: int | None = None
    rate_limiting_limit: int | None = None
    rate_limiting_technique: Technique = "fixed"
    retry_max_attempts: int = 1
    retry_delay: int = 100
    retry_backoff: Backoff = "constant"
    spend_limits: dict[str, Any] | None = None
    workers_ai_billing_mode: Literal["postpaid", "unified"] = "postpaid"
    log_classification: bool = False
    log_management: int | None = None
    log_management_strategy: str | None = None
    logpush: bool = False
    logpush_public_key: str | None = None
    otel: list[dict[str, Any]] | None = None
    store_id: str | None = None
    stripe: dict[str, Any] | None = None
    zdr: bool = False

    def overridden(self, given: Mapping[str, Any] | None) -> GatewaySettings:
        """Give these settings with those of `given` in their place; null stands for the default.

        Raises:
            ValueError: `given` names a setting that does not exist here, or a value is out of its range.
        """
        given = given or {}
        for name in given:
            if name not in _DEFAULTS:
                raise ValueError(
                    f"unknown gateway setting {shown(name)}; the local gateway knows {', '.join(_DEFAULTS)}"
                )
        check_settings(given)
        return replace(self, **{name: _DEFAULTS[name] if value is None else value for name, value in given.items()})


_DEFAULTS: Final[Mapping[str, Any]] = {field.name: field.default for field in fields(GatewaySettings)}
