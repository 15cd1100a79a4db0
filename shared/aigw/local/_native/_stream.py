"""A provider's own stream on its way to the caller: the bytes pass unchanged, and what they say of tokens is read.

Server-sent events and JSON are understood as far as the log needs it; sound, and Amazon's binary events, pass unread.
Where a stream has no mark of its own for its end, the end of the connection is one: a cut connection is an error there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json
from aigw._sse import SSEDecoder
from aigw.local._reply import EVENT_STREAM, JSON
from aigw.local._spending._usage import Usage, dicts, read_answering_model, read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

_DONE: Final = b"[DONE]"
_LAST_EVENTS: Final = frozenset({"message_stop", "message-end", "response.completed", "response.incomplete"})
_FAILED_EVENTS: Final = frozenset({"error", "response.failed"})
_MAX_JSON: Final = 10 * 1024 * 1024


class NativeCodec:
    """Passes a stream on, and notes what it says.

    Args:
        media_type: The stream's media type.

    Attributes:
        usage: The tokens reported so far.
        model: The model that the stream names; empty when it names none.
        finished: Whether the stream came to its end.
        done: Whether the end was said in the stream itself.
        failed: Whether the stream said that something failed.
    """

    def __init__(self, media_type: str) -> None:
        self._events = SSEDecoder() if media_type == EVENT_STREAM else None
        self._json: list[bytes] | None = [] if media_type == JSON else None
        self._size = 0
        self.usage: Usage | None = None
        self.model = ""
        self.finished = False
        self.done = False
        self.failed = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; give them back."""
        if self._events is not None:
            self._read_events(data)
        elif self._json is not None:
            self._size += len(data)
            self._json.append(data)
            self._json = self._json if self._size <= _MAX_JSON else None
        return data

    def close(self) -> bytes:
        """Say that the bytes have ended; nothing is added to them."""
        self.finished = True
        if self._events is not None:
            for event in self._events.close():
                self._read(event.data)
        elif self._json:
            self._read(b"".join(self._json))
        return b""

    def estimate(self, asked: Mapping[str, Any]) -> Usage:  # noqa: ARG002 -- the request of a provider says nothing here
        """Give the usage where none was reported: unknown."""
        return Usage()

    def _read_events(self, data: bytes) -> None:
        try:
            events = self._events.feed(data) if self._events else []
        except ValueError:  # an event too large to be kept: the caller gets it, the log does without
            self._events = None
            return
        for event in events:
            self._read(event.data)

    def _read(self, data: bytes) -> None:
        if data.strip() == _DONE:
            self.done = True
            return
        try:
            value = parse_json(data)
        except ValueError:
            return
        for item in dicts(value if isinstance(value, list) else [value]):
            self._note(item)

    def _note(self, item: Mapping[str, Any]) -> None:
        kind = item.get("type")
        self.done = self.done or kind in _LAST_EVENTS
        self.failed = self.failed or kind in _FAILED_EVENTS or item.get("error") is not None
        self.model = self.model or read_answering_model(item)
        found = read_usage(item)
        if found is not None:
            self.usage = found.over(self.usage)
