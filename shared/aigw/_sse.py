"""Server-sent events, decoded from bytes as they come; bring your own I/O.

`SSEDecoder.feed` takes bytes cut anywhere and gives the events that are complete; `close` tells whether any were left
half said. Lines end in LF, CRLF or CR and in nothing else: U+2028 or U+0085 inside a JSON string cuts no line. Source:
WHATWG HTML, "Server-sent events", and what the providers behind the gateway really send (`data:` without a space,
comments as keep-alive, a BOM, no blank line at the end).
"""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
"""An event, or a line, larger than this ends the stream with an error instead of filling the memory."""

_BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One server-sent event.

    Attributes:
        data: The data lines joined by LF, undecoded.
        event: The event's name; `message` when none was sent.
    """

    data: bytes
    event: str = "message"


class EventTooLargeError(ValueError):
    """An event went past `MAX_EVENT_BYTES`."""


def _plain_events(data: bytes) -> list[Event] | None:
    """Give the events of bytes that are whole events of one line of data, as providers send them; `None` for others."""
    if not data.startswith(b"data: "):
        return None
    found = data[6:-2].split(b"\n\ndata: ")
    return [_new_tuple(Event, (each, "message")) for each in found] if data.count(b"\n") == 2 * len(found) else None


_new_tuple: Final = tuple.__new__  # a quarter of what `Event(...)` costs


class SSEDecoder:
    """An incremental decoder of one event stream.

    Args:
        max_event_bytes: The largest event that is kept, in bytes of its data lines as they came, line ends and all.
    """

    __slots__ = ("_buffer", "_buffered", "_data", "_event", "_held", "_max", "_start")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._buffer: list[bytes] = []
        self._data: list[bytes] = []
        self._event = ""
        self._buffered = 0
        self._held = 0
        self._start = True
        self._max = max_event_bytes

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; give the events they complete, in order.

        Raises:
            EventTooLargeError: A line or an event went past the limit.
        """
        if data[-2:] == b"\n\n" and data.count(b"\n") == 2 and b"\r" not in data and data[:6] == b"data: ":
            if not (self._start or self._buffer or self._data or self._event) and len(data) <= self._max:
                return [_new_tuple(Event, (data[6:-2], "message"))]  # one event, as most pieces are
        elif b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        block = b"".join((*self._buffer, data)) if self._buffer else data
        if self._start:
            self._start = False
            block = block.removeprefix(_BOM)
        if self._data or self._event or len(block) > self._max or b"\r" in block:
            return self._read(block)
        end = block.rfind(b"\n\n") + 2
        events = _plain_events(block[:end])  # the same bytes, not copied, if nothing follows
        if events is None:
            return self._read(block)
        self._buffer, self._buffered = [], 0
        return events + self._read(block[end:]) if end < len(block) else events

    def _read(self, block: bytes) -> list[Event]:
        """Take lines, the last of which may lack its ending."""
        lines = block.splitlines(keepends=True)
        # A line that has no ending yet, or whose CR may be half of a CRLF, waits for more.
        self._buffer = [] if not lines or lines[-1].endswith(b"\n") else [lines.pop()]
        self._buffered = 0
        events = self._take(lines)
        self._buffered = len(self._buffer[0]) if self._buffer else 0
        self._check_size()
        return events

    def close(self) -> list[Event]:
        """Say that no more bytes come; give the last event if only its blank line was missing.

        The WHATWG rule drops such an event. Providers end streams that way, so it is kept; whether the stream is
        whole is for its reader to say.
        """
        rest = b"".join(self._buffer)
        self._buffer, self._buffered = [], 0
        if self._start:
            self._start = False
            rest = rest.removeprefix(_BOM)
        events = self._take(rest.splitlines(keepends=True) if rest else [])
        return events + self._dispatch()

    def _keep(self, data: bytes) -> None:
        if data:
            self._buffer.append(data)
            self._buffered += len(data)
            self._check_size()

    def _check_size(self) -> None:
        if self._held + self._buffered > self._max:
            raise EventTooLargeError(f"a server-sent event is larger than {self._max} bytes")

    def _take(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for raw in lines:
            line = raw.rstrip(b"\r\n")
            if not line:
                events += self._dispatch()
            elif line.startswith(b"data:"):
                self._add(line[6:] if line.startswith(b"data: ") else line[5:], len(raw))
            elif line.startswith(b"event:"):
                self._event = line[6:].strip().decode("utf-8", "replace")
            elif line == b"data":
                self._add(b"", len(raw))
            # Everything else is a comment, an `id`, a `retry`, or a field nobody knows.
        return events

    def _add(self, value: bytes, size: int) -> None:
        self._data.append(value)
        self._held += size
        self._check_size()

    def _dispatch(self) -> list[Event]:
        event = Event(b"\n".join(self._data), self._event or "message")
        complete = bool(self._data)
        self._data = []
        self._event = ""
        self._held = 0
        return [event] if complete else []
