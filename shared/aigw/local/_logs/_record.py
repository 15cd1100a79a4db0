"""One line of the gateway's log, as a value: what the engine writes and the store keeps.

Apart from the store, so that the engine can describe a call without knowing SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = str | int | float | bool
"""What a metadata value may be. Source: AI Gateway docs, Custom metadata."""

MAX_METADATA = 5
"""The most metadata entries a log keeps. Source: AI Gateway docs, Custom metadata."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One logged step of a request.

    Attributes:
        account: The account id.
        gateway: The gateway id.
        id: The log id; unique within its gateway.
        created_at: When the request arrived: an aware datetime, or milliseconds since the epoch.
        provider: The provider's slug.
        model: The model's name; empty when there was none.
        path: The provider's path, without the gateway's prefix.
        duration_ms: From the request's arrival to the end of the answer, in milliseconds.
        success: Whether the caller got an answer from the model.
        cached: Whether the answer came from the cache.
        tokens_in: Input tokens; `None` when unknown.
        tokens_out: Output tokens; `None` when unknown.
        cost: US dollars; `None` when unknown.
        custom_cost: Whether the request set the price.
        metadata: The user's labels, at most five.
        model_type: The kind of model (`text-generation`, `text-embeddings`).
        request_type: The kind of request (the universal endpoint, compat, a run).
        request_content_type: The request's media type.
        response_content_type: The answer's media type.
        status_code: The HTTP status the caller got.
        step: The index of the step that answered, from 0.
        event_id: The caller's correlation id, or the id made for it.
        user_agent: The caller's `User-Agent`.
        authentication: Whether the gateway demanded its own token.
        wholesale: Whether Unified Billing paid; `None` when unknown.
        compatibility_mode: Whether the call came through the compat endpoint.
        dlp_action: `FLAG` or `BLOCK`; `None` when DLP found nothing.
        request_head: The beginning of the request's body as text; `None` when the payload is not stored.
        response_head: The beginning of the answer's body as text; `None` when the payload is not stored.
        request_size: The size of the whole request body in bytes.
        response_size: The size of the whole answer body in bytes.
        request_body: The whole request body; `None` when the payload is not stored.
        response_body: The whole answer body; `None` when the payload is not stored.
    """

    account: str
    gateway: str
    id: str
    created_at: datetime | int
    provider: str
    model: str
    path: str
    duration_ms: int = 0
    success: bool = True
    cached: bool = False
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost: float | None = None
    custom_cost: bool = False
    metadata: Mapping[str, Scalar] | None = None
    model_type: str | None = None
    request_type: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
    status_code: int | None = None
    step: int = 0
    event_id: str | None = None
    user_agent: str | None = None
    authentication: bool = False
    wholesale: bool | None = None
    compatibility_mode: bool = False
    dlp_action: str | None = None
    request_head: str | None = None
    response_head: str | None = None
    request_size: int = 0
    response_size: int = 0
    request_body: bytes | None = None
    response_body: bytes | None = None

    @property
    def created_ms(self) -> int:
        """The moment in milliseconds since the epoch.

        Raises:
            TypeError: `created_at` is a datetime without a time zone.
        """
        return self.created_at if isinstance(self.created_at, int) else to_ms(self.created_at)

    @property
    def request_head_complete(self) -> bool:
        """Whether the head is the whole request body."""
        return _is_whole(self.request_head, self.request_body, self.request_size)

    @property
    def response_head_complete(self) -> bool:
        """Whether the head is the whole answer body."""
        return _is_whole(self.response_head, self.response_body, self.response_size)


def to_ms(moment: datetime) -> int:
    """Give an aware datetime as whole milliseconds since the epoch.

    Raises:
        TypeError: `moment` has no time zone.
    """
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def rfc3339(ms: int) -> str:
    """Write milliseconds since the epoch as RFC 3339 in UTC: `2026-10-08T09:10:11.123Z`."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def scalar_text(value: Scalar) -> str:
    """Write a metadata value as the text that filters and the search compare: `true`, `12`, `gold`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_whole(head: str | None, body: bytes | None, size: int) -> bool:
    if head is None:
        return False
    if body is None:
        return len(head.encode()) >= size
    return head == body.decode("utf-8", "replace")
