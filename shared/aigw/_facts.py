"""What the gateway says of a call: at once, in the headers of the answer, and later, in its log.

`parse_info` reads the headers; logs are read from JSON. What the model itself answered is in `_models`.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw._http import Headers


class FrozenModel(BaseModel):
    """What came back: cannot be changed, keeps the fields nobody told us of, and shows those that are set."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), arbitrary_types_allowed=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)


class ResponseInfo(FrozenModel):
    """What the `cf-aig-*` response headers of one call said; a header that was not sent is `None`.

    Unknown `cf-aig-*` headers are kept as extra attributes (`cf-aig-run-id` as `run_id`).

    Attributes:
        log_id: The id of the gateway's log of this call, opaque: UUIDv7, or ULID before October 2026.
        event_id: The caller's own id of the call, or the gateway's.
        request_id: The id of the request; equal to the log id when one step answered.
        gateway_id: The gateway the call was sent to; `None` where the account's default one was.
        cache_status: `HIT` or `MISS` when the gateway looked into its cache.
        step: Which step of a universal request answered, from 0.
        provider: The provider that answered, where the gateway says so (dynamic routes).
        model: The model that answered, likewise.
        dlp: What data loss prevention found.
        routed_model: The model the Auto Router chose.
        routing_reason: Why it did.
        routing_decision_id: The id of that decision.
        status_code: The HTTP status; `None` when no answer arrived.

    Source: AI Gateway docs, Header glossary.
    """

    log_id: str | None = None
    event_id: str | None = None
    request_id: str | None = None
    gateway_id: str | None = None
    cache_status: str | None = None
    step: int | None = None
    provider: str | None = None
    model: str | None = None
    dlp: dict[str, Any] | None = None
    routed_model: str | None = None
    routing_reason: str | None = None
    routing_decision_id: str | None = None
    status_code: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set as a plain dict, fit for JSON."""
        return self.model_dump(exclude_none=True)


_PREFIX: Final = "cf-aig-"


def parse_info(headers: Headers, *, status: int, gateway_id: str | None = None) -> ResponseInfo:
    """Read the gateway's facts from response headers; what cannot be read is left out, never guessed."""
    fields: dict[str, Any] = {"gateway_id": gateway_id}
    for name, value in headers.items():
        if name[:7] == _PREFIX and value and "authorization" not in name:
            fields[name[7:].replace("-", "_")] = value
    fields["status_code"] = status
    if "step" in fields:
        fields["step"] = int(fields["step"]) if fields["step"].isascii() and fields["step"].isdigit() else None
    if "log_id" in fields:  # a proxy that repeats the field must not make it unknown to the logs API
        fields["log_id"] = fields["log_id"].partition(",")[0].strip()
    if "dlp" in fields:
        fields["dlp"] = _object(fields["dlp"])
    return ResponseInfo(**fields)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = parse_json(text.encode())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _metadata(value: Any) -> Any:
    """The API reference says a string, the Workers runtime an object: read either."""
    return _object(value) if isinstance(value, str) else value


class GatewayLog(FrozenModel):
    """One log of the gateway; the list leaves out what only the single log has (heads, sizes).

    Attributes:
        id: The log's id.
        created_at: When the call began, UTC.
        provider: Who answered.
        model: The model as the gateway names it, which can differ from the one asked for.
        path: The path below the provider.
        duration: Milliseconds.
        success: Whether the call succeeded.
        cached: Whether the cache answered.
        tokens_in: Prompt tokens; 0 on a cache hit.
        tokens_out: Answer tokens.
        cost: US dollars.
        feedback: -1, 0, 1 or `None`, as patched.
        score: As patched.
        metadata: The caller's labels.
        event_id: The caller's own id of the call.
        status_code: The status of the answer.
        step: Which step of a universal request this was, from 0.

    Source: AI Gateway API reference, Logs.
    """

    id: str
    created_at: datetime | None = None
    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    path: str | None = None
    duration: float | None = None
    success: bool | None = None
    cached: bool | None = None
    tokens_in: int | float | None = None
    tokens_out: int | float | None = None
    cost: float | None = None
    custom_cost: bool | None = None
    feedback: int | float | None = None
    score: int | float | None = None
    metadata: Annotated[dict[str, Any] | None, BeforeValidator(_metadata)] = None
    event_id: str | None = None
    status_code: int | None = None
    step: int | None = None
    request_type: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
    request_size: int | None = None
    request_head: str | None = None
    request_head_complete: bool | None = None
    response_size: int | None = None
    response_head: str | None = None
    response_head_complete: bool | None = None

    @property
    def has_heads(self) -> bool:
        """Whether the beginnings of request and response are there, which come a moment after the answer."""
        return None not in (self.request_head, self.response_head)

    @property
    def is_complete(self) -> bool:
        """Whether all is there that the gateway writes a moment after the answer: heads and cost.

        A log whose payload is not collected never has heads, and one of a model without a known price no cost.
        """
        return self.has_heads and self.cost is not None

    @property
    def is_settled(self) -> bool:
        """Whether it says what the call cost, or never will: failed calls and answers of the cache may have no cost."""
        return self.cost is not None or self.success is False or self.cached is True


class LogPage(FrozenModel):
    """One page of logs.

    Attributes:
        logs: The logs, in the order asked for.
        page: The number of this page, from 1.
        per_page: Logs a page holds at most.
        count: Logs on this page.
        total_count: Logs that fit the filters.
    """

    logs: tuple[GatewayLog, ...] = ()
    page: int | None = None
    per_page: int | None = None
    count: int | None = None
    total_count: int | None = None
