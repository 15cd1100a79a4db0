"""Which values a gateway's settings may have, as a table of readers; the same for a constructor and the API.

Source: AI Gateway API reference, Create a new Gateway. Where that gives no range: whole numbers are 0 or more, and a
window of a spend limit is at least a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Any], None]

MAX_RULES: Final = 20
"""The most spend limit rules of a gateway. Source: AI Gateway docs, Spend limits."""

CATEGORIES: Final = (*(f"S{number}" for number in range(1, 14)), "P1")
"""The hazard categories of guardrails. Source: AI Gateway docs, Guardrails."""

ACTIONS: Final = ("FLAG", "BLOCK")


def check_settings(given: Mapping[str, Any]) -> None:
    """Check the settings that are there; null is always good.

    Raises:
        ValueError: A value is wrong; the text names the field and what it may be.
    """
    _object("", given, _CHECKS)


def _object(where: str, value: Any, checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> None:
    if not hasattr(value, "items"):
        raise _wrong(where, "an object", value)
    for name in required:
        if value.get(name) is None:
            raise ValueError(f"{where}.{name}: is required")
    for name, item in value.items():
        if name in checks and item is not None:
            checks[name](f"{where}.{name}".lstrip("."), item)


def _flag(where: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)


def _text(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(where, "a string", value)


def _whole(low: int, high: int | None = None) -> Check:
    expected = f"a whole number from {low} to {high}" if high else f"a whole number of {low} or more"

    def check(where: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high and value > high):
            raise _wrong(where, expected, value)

    return check


def _amount(where: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise _wrong(where, "a number of 0 or more", value)


def _one_of(*words: str) -> Check:
    def check(where: str, value: Any) -> None:
        if value not in words:
            raise _wrong(where, f"one of {', '.join(words)}", value)

    return check


def _list(item: Check, most: int | None = None) -> Check:
    def check(where: str, value: Any) -> None:
        if not isinstance(value, list) or (most and len(value) > most):
            raise _wrong(where, f"an array of at most {most}" if most else "an array", value)
        for index, entry in enumerate(value):
            item(f"{where}.{index}", entry)

    return check


def _fields(checks: Mapping[str, Check], *required: str) -> Check:
    return lambda where, value: _object(where, value, checks, required)


def _anything(where: str, value: Any) -> None:
    _object(where, value, {})


def _guarded(where: str, value: Any) -> None:
    _object(where, value, dict.fromkeys(CATEGORIES, _one_of(*ACTIONS)))
    unknown = [name for name in value if name not in CATEGORIES]
    if unknown:
        raise _wrong(f"{where}.{unknown[0]}", f"one of {', '.join(CATEGORIES)}", unknown[0])


def _wrong(where: str, expected: str, value: Any) -> ValueError:
    return ValueError(f"{where}: expected {expected}; got {value!r}"[:500])


_DLP_POLICY: Final = _fields(
    {
        "id": _text,
        "action": _one_of(*ACTIONS),
        "enabled": _flag,
        "profiles": _list(_text),
        "check": _list(_one_of("REQUEST", "RESPONSE")),
    },
    "action",
    "profiles",
)
_DLP: Final = _fields(
    {"enabled": _flag, "action": _one_of(*ACTIONS), "profiles": _list(_text), "policies": _list(_DLP_POLICY)}
)
_RULE: Final = _fields(
    {
        "id": _text,
        "enabled": _flag,
        "limitType": _one_of("cost"),
        "limit": _amount,
        "window": _whole(1),
        "technique": _one_of("fixed", "sliding"),
        "metadata": _anything,
    },
    "limit",
    "window",
)
_CHECKS: Final[Mapping[str, Check]] = {
    "authentication": _flag,
    "byok_only": _flag,
    "cache_invalidate_on_update": _flag,
    "cache_ttl": _whole(0),
    "collect_logs": _flag,
    "dlp": _DLP,
    "guardrails": _fields({"prompt": _guarded, "response": _guarded}),
    "rate_limiting_interval": _whole(0),
    "rate_limiting_limit": _whole(0),
    "rate_limiting_technique": _one_of("fixed", "sliding"),
    "retry_max_attempts": _whole(1, 5),
    "retry_delay": _whole(0, 60_000),
    "retry_backoff": _one_of("constant", "linear", "exponential"),
    "spend_limits": _fields({"enabled": _flag, "rules": _list(_RULE, MAX_RULES)}),
    "workers_ai_billing_mode": _one_of("postpaid", "unified"),
    "log_classification": _flag,
    "log_management": _whole(0),
    "log_management_strategy": _one_of("STOP_INSERTING", "DELETE_OLDEST"),
    "logpush": _flag,
    "logpush_public_key": _text,
    "otel": _list(_anything),
    "store_id": _text,
    "stripe": _anything,
    "zdr": _flag,
}
