"""The query string of the logs API, read into a frozen `LogQuery`; no SQL here.

What may be asked is held in tables: filter keys with the kind of their values, operators by kind, and the deprecated
simple parameters as the filters they stand for. Source: AI Gateway docs, Logging; Cloudflare API reference, AI Gateway
logs.

Where those are silent: parameters nobody knows are ignored, values outside a range or an enumeration are refused (code
7001) rather than corrected, several values of one filter mean "any of them" (`neq`: none of them), and the deprecated
`feedback=0` finds -1 as well as 0, for it comes from a time when 0 was the thumb down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from aigw._given import shown
from aigw._json import parse_json
from aigw.local._logs._record import scalar_text, to_ms

Value = str | int | float | None
Params = Mapping[str, list[str]]

_T = TypeVar("_T")
_D = TypeVar("_D")

MAX_PER_PAGE: Final = 50
_MAX_INT: Final = 2**63 - 1
DIRECTIONS: Final = ("asc", "desc")
LIST_ORDERS: Final = ("created_at", "provider", "model", "model_type", "success", "cached")
DELETE_ORDERS: Final = (*LIST_ORDERS, "cost", "tokens_in", "tokens_out", "duration", "feedback")

KINDS: Final[Mapping[str, str]] = {
    "id": "text",
    "created_at": "time",
    "request_content_type": "text",
    "response_content_type": "text",
    "request_type": "text",
    "success": "bool",
    "cached": "bool",
    "provider": "text",
    "model": "text",
    "model_type": "text",
    "cost": "number",
    "tokens": "number",
    "tokens_in": "number",
    "tokens_out": "number",
    "duration": "number",
    "feedback": "number",
    "event_id": "text",
    "metadata.key": "text",
    "metadata.value": "text",
    "authentication": "bool",
    "wholesale": "bool",
    "compatibilityMode": "bool",
    "dlp_action": "text",
    "user_agent": "text",
}
"""The filter keys, and what kind of value each compares."""

_OPERATORS: Final = ("eq", "neq", "contains", "lt", "gt")
OPERATORS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "text": _OPERATORS,
    "number": ("eq", "neq", "lt", "gt"),
    "time": ("eq", "neq", "lt", "gt"),
    "bool": ("eq", "neq"),
}

SIMPLE: Final[Mapping[str, tuple[str, str]]] = {
    "cached": ("cached", "eq"),
    "success": ("success", "eq"),
    "provider": ("provider", "eq"),
    "model": ("model", "eq"),
    "model_type": ("model_type", "eq"),
    "request_content_type": ("request_content_type", "eq"),
    "response_content_type": ("response_content_type", "eq"),
    "start_date": ("created_at", "ge"),
    "end_date": ("created_at", "le"),
    "min_cost": ("cost", "ge"),
    "max_cost": ("cost", "le"),
    "min_duration": ("duration", "ge"),
    "max_duration": ("duration", "le"),
    "min_tokens_in": ("tokens_in", "ge"),
    "max_tokens_in": ("tokens_in", "le"),
    "min_tokens_out": ("tokens_out", "ge"),
    "max_tokens_out": ("tokens_out", "le"),
    "min_total_tokens": ("tokens", "ge"),
    "max_total_tokens": ("tokens", "le"),
}
_OLD_FEEDBACK: Final[Mapping[str, tuple[Value, ...]]] = {"0": (0, -1), "1": (1,)}


class InvalidLogQueryError(ValueError):
    """A parameter has a value the logs API does not take; the text names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a log.

    Attributes:
        key: A key of `KINDS`.
        operator: `eq`, `neq`, `contains`, `lt`, `gt`; `ge` and `le` come from the deprecated ranges only.
        values: What is compared, already of the key's kind: text, a number, 0 or 1, or milliseconds since the epoch.
    """

    key: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which logs, in which order, and which page of them.

    Attributes:
        filters: The conditions, all of which must hold.
        search: Text that must occur in a metadata key or value; empty for any.
        order_by: The column that orders.
        descending: Whether the largest comes first.
        page: The page, from 1.
        per_page: Rows on a page, 1 to 50.
        limit: The most logs a delete takes; `None` for all.
    """

    filters: tuple[Filter, ...] = ()
    search: str = ""
    order_by: str = "created_at"
    descending: bool = True
    page: int = 1
    per_page: int = 20
    limit: int | None = None


def parse_list_query(query: str) -> LogQuery:
    """Read the query string of `GET /logs`.

    Raises:
        InvalidLogQueryError: A parameter is out of its range or enumeration.
    """
    params = _params(query)
    _last(params, "meta_info", _bool, 0)
    direction = _last(params, "direction", _one_of(DIRECTIONS), "desc")
    return LogQuery(
        filters=(*_filters(params), *_simple_filters(params)),
        search=_last(params, "search", _text, ""),
        order_by=_last(params, "order_by", _one_of(LIST_ORDERS), "created_at"),
        descending=_last(params, "order_by_direction", _one_of(DIRECTIONS), direction) == "desc",
        page=_last(params, "page", _integer(1, _MAX_INT // MAX_PER_PAGE), 1),
        per_page=_last(params, "per_page", _integer(1, MAX_PER_PAGE), 20),
    )


def parse_delete_query(query: str) -> LogQuery:
    """Read the query string of `DELETE /logs`: no page, but a limit, and more columns to order by.

    Raises:
        InvalidLogQueryError: A parameter is out of its range or enumeration.
    """
    params = _params(query)
    return LogQuery(
        filters=_filters(params),
        order_by=_last(params, "order_by", _one_of(DELETE_ORDERS), "created_at"),
        descending=_last(params, "order_by_direction", _one_of(DIRECTIONS), "desc") == "desc",
        limit=_last(params, "limit", _integer(1, _MAX_INT), None),
    )


def _params(query: str) -> Params:
    params: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(query, keep_blank_values=True):
        params[name].append(value)
    return params


def _last(params: Params, name: str, read: Callable[[str, Any], _T], default: _D) -> _T | _D:
    return read(name, params[name][-1]) if name in params else default


def _filters(params: Params) -> tuple[Filter, ...]:
    return tuple(_filter(item) for item in (*_json_filters(params.get("filters", ())), *_dotted_filter(params)))


def _json_filters(texts: Iterable[str]) -> Iterable[object]:
    for text in texts:
        try:
            value = parse_json(text.encode())
        except ValueError as error:
            raise InvalidLogQueryError("filters: expected a JSON array of {key, operator, value}") from error
        yield from value if isinstance(value, list) else [value]


def _dotted_filter(params: Params) -> Iterable[object]:
    """Give the one filter that the official SDKs write as `filters.key=..&filters.operator=..&filters.value=..`."""
    found = {name: params[f"filters.{name}"] for name in ("key", "operator", "value") if f"filters.{name}" in params}
    if not found:
        return
    if len(found.get("key", ())) > 1 or len(found.get("operator", ())) > 1:
        raise InvalidLogQueryError("filters: several filters are told apart only as one JSON array")
    yield {name: values if name == "value" else values[0] for name, values in found.items()}


def _filter(item: object) -> Filter:
    if not isinstance(item, dict):
        raise InvalidLogQueryError("filters: each must be an object {key, operator, value}")
    key = _one_of(tuple(KINDS))("filters.key", item.get("key"))
    kind = KINDS[key]
    operator = _one_of(OPERATORS_OF[kind])(f"filters.operator of {key}", item.get("operator"))
    values = item.get("value")
    values = values if isinstance(values, list) else [values]
    if not values:
        raise InvalidLogQueryError(f"filters.value of {key}: expected at least one value")
    return Filter(key, operator, tuple(_nullable(kind, key, operator, value) for value in values))


def _nullable(kind: str, key: str, operator: str, value: object) -> Value:
    if value is None and operator in ("eq", "neq"):
        return None
    return _READERS[kind](f"filters.value of {key}", value)


def _simple_filters(params: Params) -> Iterable[Filter]:
    for name, (key, operator) in SIMPLE.items():
        if name in params:
            yield Filter(key, operator, (_READERS[KINDS[key]](name, params[name][-1]),))
    if "feedback" in params:
        old = _one_of(tuple(_OLD_FEEDBACK))("feedback", params["feedback"][-1])
        yield Filter("feedback", "eq", _OLD_FEEDBACK[old])


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise InvalidLogQueryError(f"{name}: expected one of {', '.join(allowed)}; got {shown(value)}")

    return read


def _integer(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if value.isascii() and value.isdigit() and len(value) < 20 and low <= int(value) <= high:
            return int(value)
        raise InvalidLogQueryError(f"{name}: expected an integer from {low} to {high}; got {shown(value)}")

    return read


def _text(name: str, value: object) -> str:
    if isinstance(value, str | int | float):
        return scalar_text(value)
    raise InvalidLogQueryError(f"{name}: expected text; got {shown(value)}")


def _number(name: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (OverflowError, ValueError):
        number = None
    if number is not None and isfinite(number):
        return number
    raise InvalidLogQueryError(f"{name}: expected a number; got {shown(value)}")


def _bool(name: str, value: object) -> int:
    text = scalar_text(value) if isinstance(value, str | int) else ""
    if text in ("true", "1", "false", "0"):
        return int(text in ("true", "1"))
    raise InvalidLogQueryError(f"{name}: expected true or false; got {shown(value)}")


def _time(name: str, value: object) -> int:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidLogQueryError(f"{name}: expected an RFC 3339 time; got {shown(value)}")
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


_READERS: Final[Mapping[str, Callable[[str, object], str | int | float]]] = {
    "text": _text,
    "number": _number,
    "time": _time,
    "bool": _bool,
}
