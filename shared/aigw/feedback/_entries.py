"""From feedback to what places of other makes keep: one entry per field, under an id that a retry gives again. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from aigw._errors import ConfigurationError
from aigw._given import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.feedback._sinks import SentFeedback

COMMENT: Final = "comment"
"""The metadata entry that is the comment of a person or a judge."""

_ENTRIES: Final = UUID("8f0c1a53-0c0b-5d0e-9a55-6c5f2c7a3b10")
_TRACE: Final = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-([0-9a-f]{16}))?(?:-[0-9a-f]{2})?")
_ULID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one field of a log says now.

    Attributes:
        id: The same for the same field of the same log, in every process: the last write wins.
        name: `user_feedback`, `user_score` or `user_comment`, after the sink's prefix.
        value: A number, or the text of a comment; `None` was cleared.
    """

    id: UUID
    name: str
    value: float | str | None


@dataclass(frozen=True, slots=True)
class TraceLink:
    """Where a call stands in a trace of OpenTelemetry or Langfuse.

    Attributes:
        trace_id: 32 lowercase hexadecimal digits.
        span_id: The span, 16 such digits; `None` means the whole trace.

    Raises:
        ConfigurationError: An id is not of that form.
    """

    trace_id: str
    span_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no trace or span has."""
        for name, value, digits in (("trace_id", self.trace_id, 32), ("span_id", self.span_id or "0" * 16, 16)):
            if not isinstance(value, str) or not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
                raise ConfigurationError(
                    f"{name} cannot be {shown(value)}: it is {digits} lowercase hexadecimal digits"
                )


def entries_of(feedback: SentFeedback, prefix: str = "user") -> list[Entry]:
    """Give what feedback says, field by field; metadata but the comment makes no entry."""
    said = {name: feedback.changes[name] for name in ("feedback", "score") if name in feedback.changes}
    metadata = feedback.changes.get("metadata", {})
    if metadata is None or COMMENT in metadata:
        said[COMMENT] = None if metadata is None else str(metadata[COMMENT])
    return [Entry(_entry_id(feedback, field), f"{prefix}_{field}", value) for field, value in said.items()]


def labels_of(feedback: SentFeedback) -> dict[str, Any]:
    """Give what an entry carries besides: the ids of the call, and metadata but the comment."""
    metadata = feedback.changes.get("metadata") or {}
    ids = {"gateway_id": feedback.gateway_id, "log_id": feedback.log_id, "event_id": feedback.event_id}
    labels = {name: value for name, value in metadata.items() if name != COMMENT}
    return {**labels, **{f"aigw_{name}": value for name, value in ids.items() if value}}


def link_of(feedback: SentFeedback, find: Callable[[SentFeedback], TraceLink | None] | None) -> TraceLink | None:
    """Give the place in a trace that somebody's own function, or else the event id, names; `None` when none does."""
    if find is not None:
        return find(feedback)
    event_id = chosen_event_id(feedback).lower()
    if (run := as_uuid(event_id)) is not None:
        return TraceLink(run.hex)
    found = _TRACE.fullmatch(event_id)
    return TraceLink(found[1], found[2]) if found else None


def chosen_event_id(feedback: SentFeedback) -> str:
    """Give the event id that the caller chose; empty where the gateway repeated the log id, as it does without one."""
    return "" if feedback.event_id == feedback.log_id else feedback.event_id


def as_uuid(text: str) -> UUID | None:
    """Read a UUID; `None` when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def time_of(feedback: SentFeedback) -> datetime | None:
    """Give when the call was made, as its ids tell (UUIDv7, ULID), the same in every retry; `None` when they do not."""
    for name in (feedback.log_id, feedback.event_id):
        if (milliseconds := _milliseconds(name)) is not None:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return None


def _milliseconds(name: str) -> int | None:
    if _ULID.fullmatch(name):
        return sum(_CROCKFORD.index(digit) << 5 * place for place, digit in enumerate(reversed(name[:10])))
    uuid = as_uuid(name)
    return uuid.int >> 80 if uuid is not None and uuid.version == 7 else None


def _entry_id(feedback: SentFeedback, field: str) -> UUID:
    return uuid5(_ENTRIES, "\n".join((feedback.gateway_id, feedback.log_id or feedback.event_id, field)))


def check_sink_names(name: str, prefix: str) -> None:
    """Check what every sink is given.

    Raises:
        ConfigurationError: It is not text, or empty.
    """
    for argument, value in (("name", name), ("prefix", prefix)):
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"{argument} of a sink cannot be {shown(value)}: it is a text, and not empty")
