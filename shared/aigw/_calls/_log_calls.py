"""Calls on the gateway's logs, described: list, get, patch, bodies.

Source: AI Gateway API reference, Logs; docs, Add human feedback.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from urllib.parse import urlencode

from typing_extensions import TypedDict

from aigw._account import quote_segment
from aigw._calls._described import Call
from aigw._calls._request_heads import encode_body
from aigw._errors import ConfigurationError, LogNotFoundError, NotFoundError
from aigw._facts import GatewayLog, LogPage
from aigw._given import check_whole, shown
from aigw._http import Request
from aigw._json import dump_json, parse_json
from aigw._options import MAX_METADATA, check_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw._account import Account
    from aigw._facts import ResponseInfo
    from aigw._http import Response
    from aigw._options import MetadataValue

FilterOperator = Literal["eq", "neq", "contains", "lt", "gt"]
FilterKey = Literal[
    "id",
    "created_at",
    "request_content_type",
    "response_content_type",
    "request_type",
    "success",
    "cached",
    "provider",
    "model",
    "model_type",
    "cost",
    "tokens",
    "tokens_in",
    "tokens_out",
    "duration",
    "feedback",
    "event_id",
    "metadata.key",
    "metadata.value",
    "authentication",
    "wholesale",
    "compatibilityMode",
    "dlp_action",
    "user_agent",
]
OrderBy = Literal["created_at", "provider", "model", "model_type", "success", "cached"]
Direction = Literal["asc", "desc"]

MAX_PER_PAGE: Final = 50


class LogFilter(TypedDict):
    """One condition on logs; several must all hold.

    Keys:
        key: The field. `metadata.key` and `metadata.value` are not paired to one entry.
        operator: `eq`, `neq`, `contains`, `lt` or `gt`.
        value: What to compare with; a list means any of them.
    """

    key: FilterKey
    operator: FilterOperator
    value: Any


class Unset:
    """The type of `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""What a field of `patch_log` is when it is left out: it stays as it is, while `None` clears it."""

Feedback = Literal[-1, 0, 1] | None

_NO_LOG_ID: Final = (
    "log_id cannot be None: the call has no log, since its logging is off (collect_log, or the gateway's setting), its "
    "answer came from elsewhere than the gateway, or no answer came"
)

_NO_BODY: Final = (
    "there is no such log, or its body was not kept (collect_log_payload, or the gateway's setting); get_log tells "
    "which it is"
)


def get_log(account: Account, gateway_id: str, log_id: str | None) -> Call[GatewayLog]:
    """Describe the reading of one log."""
    return _call(account, gateway_id, "GET", _log_path(log_id), _parse_log, not_found=LogNotFoundError)


def patch_log(
    account: Account,
    gateway_id: str,
    log_id: str | None,
    *,
    feedback: Unset | Feedback = UNSET,
    score: Unset | float | None = UNSET,
    metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
) -> Call[None]:
    """Describe a patch of one log.

    Raises:
        ConfigurationError: Nothing is given, or a value is not allowed.
    """
    changes = check_changes(feedback=feedback, score=score, metadata=metadata)
    path = _log_path(log_id)
    return _call(account, gateway_id, "PATCH", path, _parse_nothing, not_found=LogNotFoundError, body=changes)


def check_changes(**given: Any) -> dict[str, Any]:
    """Give what was given of feedback, score and metadata, if it can be sent.

    Raises:
        ConfigurationError: Nothing is given, or a value is not allowed.
    """
    changes = {name: value for name, value in given.items() if not isinstance(value, Unset)}
    if not changes:
        raise ConfigurationError("the feedback changes nothing: give feedback, score or metadata")
    for name, value in changes.items():
        _CHECKS[name](value)
    if changes.get("metadata") is not None:
        changes["metadata"] = dict(changes["metadata"])
    return changes


def list_logs(
    account: Account,
    gateway_id: str,
    *,
    filters: Sequence[LogFilter] = (),
    order_by: OrderBy = "created_at",
    direction: Direction = "desc",
    page: int = 1,
    per_page: int = 20,
    search: str | None = None,
) -> Call[LogPage]:
    """Describe the reading of one page of logs.

    Raises:
        ConfigurationError: A parameter is not allowed.
    """
    _check_choice("order_by", order_by, get_args(OrderBy))
    _check_choice("direction", direction, get_args(Direction))
    check_whole("page", page)
    check_whole("per_page", per_page, most=MAX_PER_PAGE)
    query: dict[str, str] = {
        "page": str(page),
        "per_page": str(per_page),
        "order_by": order_by,
        "order_by_direction": direction,
    }
    if filters:
        query["filters"] = _encode_filters(filters)
    if search:
        query["search"] = _check_search(search)
    return _call(account, gateway_id, "GET", f"logs?{urlencode(query)}", _parse_page)


def log_body(account: Account, gateway_id: str, log_id: str | None, part: Literal["request", "response"]) -> Call[Any]:
    """Describe the reading of the body a log keeps."""
    path = f"{_log_path(log_id)}/{part}"
    return _call(account, gateway_id, "GET", path, _parse_body, not_found=LogNotFoundError, hint_not_found=_NO_BODY)


def _call(
    account: Account,
    gateway_id: str,
    method: str,
    path: str,
    parse: Callable[[Response, ResponseInfo], Any],
    *,
    not_found: type[NotFoundError] = NotFoundError,
    hint_not_found: str = "",
    body: Any = None,
) -> Call[Any]:
    url = account.rest_url(f"ai-gateway/gateways/{quote_segment(gateway_id)}/{path}")
    headers = account.logs_credentials()
    if body is not None:
        headers.append(("content-type", "application/json"))
    request = Request(method, url, tuple(headers), b"" if body is None else encode_body(body))
    return Call(
        request=request,
        gateway_id=gateway_id,
        is_model_call=False,
        not_found=not_found,
        hint_not_found=hint_not_found,
        secrets=account.secrets,
        parse=parse,
    )


def _log_path(log_id: str | None) -> str:
    if log_id is None:
        raise ConfigurationError(_NO_LOG_ID)
    if not isinstance(log_id, str) or not log_id.strip() or not log_id.isprintable() or log_id in (".", ".."):
        raise ConfigurationError(f"log_id cannot be {shown(log_id)}: it is the text that .info.log_id gave")
    return f"logs/{quote_segment(log_id)}"


def _encode_filters(filters: Sequence[LogFilter]) -> str:
    try:
        return dump_json([_encode_filter(item) for item in filters]).decode()
    except ConfigurationError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"log filters cannot be {shown(filters)}: they are a list of dicts of key, operator and value; a value is "
            f"text, a finite number or a bool, or a list of these ({error})"
        ) from error


def _encode_filter(item: LogFilter) -> dict[str, Any]:
    if not isinstance(item, dict) or set(item) != {"key", "operator", "value"}:
        raise ConfigurationError(f"a log filter is a dict of key, operator and value, not {shown(item)}")
    _check_choice("filter key", item["key"], get_args(FilterKey))
    _check_choice("filter operator", item["operator"], get_args(FilterOperator))
    value = item["value"]
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    return {"key": item["key"], "operator": item["operator"], "value": values}


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name} cannot be {shown(value)}: it is one of {', '.join(choices)}")


def _check_search(value: Any) -> str:
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise ConfigurationError(f"search cannot be {shown(value)}: it is text")
    return value


def check_feedback(value: Any) -> None:
    """Refuse what is no feedback.

    Raises:
        ConfigurationError: It is not -1, 0, 1 or `None`.
    """
    if value is not None and (isinstance(value, bool) or value not in (-1, 0, 1)):
        raise ConfigurationError(f"feedback cannot be {shown(value)}: it is 1 (good), -1 (bad), 0, or None to clear it")


def check_score(value: Any) -> None:
    """Refuse what is no score.

    Raises:
        ConfigurationError: It is not a finite number or `None`.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and math.isfinite(value)):
        raise ConfigurationError(f"score cannot be {shown(value)}: it is a finite number, or None to clear it")


def check_metadata(value: Any) -> None:
    """Refuse what is no metadata.

    Raises:
        ConfigurationError: It is not a dict of at most five scalars, or `None`.
    """
    if value is not None:
        if not isinstance(value, Mapping) or not value:
            raise ConfigurationError(
                f"metadata cannot be {shown(value)}: it is a dict of 1 to {MAX_METADATA} entries, or None"
            )
        check_options({"metadata": value}, called="")


_CHECKS: Final[dict[str, Callable[[Any], None]]] = {
    "feedback": check_feedback,
    "score": check_score,
    "metadata": check_metadata,
}


def _parse_log(response: Response, _info: ResponseInfo) -> GatewayLog:
    return GatewayLog.model_validate(parse_json(response.content)["result"])


def _parse_page(response: Response, _info: ResponseInfo) -> LogPage:
    body = parse_json(response.content)
    return LogPage.model_validate({**(body.get("result_info") or {}), "logs": body["result"] or []})


def _parse_body(response: Response, _info: ResponseInfo) -> Any:
    try:
        return parse_json(response.content)
    except ValueError:
        return response.content


def _parse_nothing(response: Response, _info: ResponseInfo) -> None:
    if response.content and parse_json(response.content).get("success") is False:
        raise ValueError
