"""A logged body, made readable: JSON with indents, a stream's events, and the text that an answer says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from aigw._answer_texts import events_of, json_or_none, said

MAX_SHOWN: Final = 200_000
"""So many characters of a body are shown; the whole of it can be downloaded."""

MAX_EVENTS: Final = 500
"""So many events of a stream are shown, the first ones."""

_MAX_PRETTY: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Body:
    """One body.

    Attributes:
        text: The body as text, JSON with indents; of a stream, empty.
        events: A stream's events, in order.
        answer: What an answer says; empty when it says nothing.
        tools: The tools it calls, as `name(arguments)`.
        size: The whole body in bytes.
        is_cut: Whether some of it is not shown.
        is_stream: Whether it is a stream of events.
    """

    text: str
    events: tuple[str, ...]
    answer: str
    tools: tuple[str, ...]
    size: int
    is_cut: bool
    is_stream: bool


def read_body(content: bytes, media_type: str | None) -> Body:
    """Read a body.

    Args:
        content: The body.
        media_type: Its content type, parameters and all; `None` when it has none.
    """
    if (media_type or "").partition(";")[0].strip().lower() == "text/event-stream":
        return _stream(content)
    value = json_or_none(content) if len(content) <= _MAX_PRETTY else None
    text = content.decode("utf-8", "replace") if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    answer, tools = said([value])
    shown = text[:MAX_SHOWN]
    return Body(shown, (), answer, tools, len(content), len(shown) < len(text), is_stream=False)


def _stream(content: bytes) -> Body:
    events = events_of(content)
    answer, tools = said(map(json_or_none, events))
    shown = tuple(event.decode("utf-8", "replace")[:MAX_SHOWN] for event in events[:MAX_EVENTS])
    return Body("", shown, answer, tools, len(content), len(events) > MAX_EVENTS, is_stream=True)
