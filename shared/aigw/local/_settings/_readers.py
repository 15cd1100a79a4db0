"""Which values a gateway's settings may have, as a table of readers; the same for a constructor and the API.

Each reader carries the JSON schema of what it takes, so that the description of the API says what is checked here.

Source: AI Gateway API reference, Create a new Gateway. Where that gives no range: whole numbers are 0 or more, and a
window of a spend limit is at least a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_RULES: Final = 20
"""The most spend limit rules of a gateway. Source: AI Gateway docs, Spend limits."""

CATEGORIES: Final = (*(f"S{number}" for number in range(1, 14)), "P1")
"""The hazard categories of guardrails. Source: AI Gateway docs, Guardrails."""

ACTIONS: Final = ("FLAG", "BLOCK")

MAX_WHOLE: Final = 2**53
"""The largest whole number; beyond it JSON readers disagree."""


@dataclass(frozen=True, slots=True)
class Check:
    """One reader of a value.

    Attributes:
        schema: The JSON schema of what it takes.
        demand: Refuses a value that stands at a place, by raising `ValueError`.
    """

    schema: Mapping[str, Any]
    demand: Callable[[str, Any], None]


def check_settings(given: Mapping[str, Any]) -> None:
    """Check the settings that are there; null is always good.

    Raises:
        ValueError: A value is wrong; the text names the field and what it may be.
    """
    _check_fields("", given, CHECKS, ())


def _check_fields(where: str, value: Any, checks: Mapping[str, Check], required: tuple[str, ...]) -> None:
    if not hasattr(value, "items"):
        raise _wrong(where, "an object", value)
    for name in required:
        if value.get(name) is None:
            raise ValueError(f"{where}.{name}: is required")
    for name, item in value.items():
        if name in checks and item is not None:
            checks[name].demand(f"{where}.{name}".lstrip("."), item)


def _simple(kind: type, name: str, expected: str) -> Check:
    def demand(where: str, value: Any) -> None:
        if not isinstance(value, kind):
            raise _wrong(where, expected, value)

    return Check({"type": name}, demand)


def _whole(low: int, high: int = MAX_WHOLE) -> Check:
    expected = f"a whole number of {low} or more" if high == MAX_WHOLE else f"a whole number from {low} to {high}"

    def demand(where: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(where, expected, value)

    return Check({"type": "integer", "minimum": low, "maximum": high}, demand)


def _amount() -> Check:
    def demand(where: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise _wrong(where, "a number of 0 or more", value)

    return Check({"type": "number", "minimum": 0}, demand)


def _one_of(*words: str) -> Check:
    def demand(where: str, value: Any) -> None:
        if value not in words:
            raise _wrong(where, f"one of {', '.join(words)}", value)

    return Check({"enum": list(words)}, demand)


def _list(item: Check, most: int | None = None) -> Check:
    def demand(where: str, value: Any) -> None:
        if not isinstance(value, list) or (most and len(value) > most):
            raise _wrong(where, f"an array of at most {most}" if most else "an array", value)
        for index, entry in enumerate(value):
            item.demand(f"{where}.{index}", entry)

    return Check({"type": "array", "items": item.schema, **({"maxItems": most} if most else {})}, demand)


def _fields(checks: Mapping[str, Check], *required: str) -> Check:
    properties = {name: check.schema if name in required else or_null(check) for name, check in checks.items()}
    schema = {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}
    return Check(schema, lambda where, value: _check_fields(where, value, checks, required))


def _guarded() -> Check:
    actions = dict.fromkeys(CATEGORIES, _one_of(*ACTIONS))

    def demand(where: str, value: Any) -> None:
        _check_fields(where, value, actions, ())
        unknown = [name for name in value if name not in CATEGORIES]
        if unknown:
            raise _wrong(f"{where}.{unknown[0]}", f"one of {', '.join(CATEGORIES)}", unknown[0])

    return Check({**_fields(actions).schema, "additionalProperties": False}, demand)


def or_null(check: Check) -> dict[str, Any]:
    """Give the schema of a value that may be null as well."""
    return {"anyOf": [check.schema, {"type": "null"}]}


def _wrong(where: str, expected: str, value: Any) -> ValueError:
    return ValueError(f"{where}: expected {expected}; got {value!r}"[:500])


_FLAG: Final = _simple(bool, "boolean", "true or false")
_TEXT: Final = _simple(str, "string", "a string")
_ANYTHING: Final = _fields({})
_DLP_POLICY: Final = _fields(
    {
        "id": _TEXT,
        "action": _one_of(*ACTIONS),
        "enabled": _FLAG,
        "profiles": _list(_TEXT),
        "check": _list(_one_of("REQUEST", "RESPONSE")),
    },
    "action",
    "profiles",
)
_DLP: Final = _fields(
    {"enabled": _FLAG, "action": _one_of(*ACTIONS), "profiles": _list(_TEXT), "policies": _list(_DLP_POLICY)}
)
_RULE: Final = _fields(
    {
        "id": _TEXT,
        "enabled": _FLAG,
        "limitType": _one_of("cost"),
        "limit": _amount(),
        "window": _whole(1),
        "technique": _one_of("fixed", "sliding"),
        "metadata": _ANYTHING,
    },
    "limit",
    "window",
)
CHECKS: Final[Mapping[str, Check]] = {
    "authentication": _FLAG,
    "byok_only": _FLAG,
    "cache_invalidate_on_update": _FLAG,
    "cache_ttl": _whole(0),
    "collect_logs": _FLAG,
    "dlp": _DLP,
    "guardrails": _fields({"prompt": _guarded(), "response": _guarded()}),
    "rate_limiting_interval": _whole(0),
    "rate_limiting_limit": _whole(0),
    "rate_limiting_technique": _one_of("fixed", "sliding"),
    "retry_max_attempts": _whole(1, 5),
    "retry_delay": _whole(0, 60_000),
    "retry_backoff": _one_of("constant", "linear", "exponential"),
    "spend_limits": _fields({"enabled": _FLAG, "rules": _list(_RULE, MAX_RULES)}),
    "workers_ai_billing_mode": _one_of("postpaid", "unified"),
    "log_classification": _FLAG,
    "log_management": _whole(0),
    "log_management_strategy": _one_of("STOP_INSERTING", "DELETE_OLDEST"),
    "logpush": _FLAG,
    "logpush_public_key": _TEXT,
    "otel": _list(_ANYTHING),
    "store_id": _TEXT,
    "stripe": _ANYTHING,
    "zdr": _FLAG,
}
"""The readers of a gateway's settings by name."""
