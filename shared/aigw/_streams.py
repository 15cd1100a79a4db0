"""From a stream's bytes to its items; bring your own I/O.

A stream that was asked for may come as server-sent events, as one JSON document (guardrails hold an answer back whole,
some models do not stream), or, from `run`, as bytes that are neither. The first bytes tell, since content types lie. A
stream that ends before its provider said so raises `StreamTruncatedError` at `close`, never silently; what comes after
`[DONE]`, or after the last event of a kind that names one, is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

from aigw._error_bodies import error_from_response, find_code_and_message, hide, hide_in_json, says_error
from aigw._errors import StreamError, StreamTruncatedError
from aigw._http import Headers, Response
from aigw._json import parse_json
from aigw._models import ChatCompletionChunk, StreamEvent
from aigw._sse import MAX_EVENT_BYTES, EventTooLargeError, SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aigw._facts import ResponseInfo
    from aigw._sse import Event

T = TypeVar("T")

_BOM: Final = b"\xef\xbb\xbf"
_DONE: Final = b"[DONE]"
_TEXT_TYPES: Final = ("", "text/event-stream", "text/plain", "application/x-ndjson", "application/octet-stream")


class End(Protocol):
    """Watches one answer until it is whole.

    Attributes:
        is_final: Whether nothing can come any more that belongs to it.
    """

    @property
    def is_final(self) -> bool: ...

    def __call__(self, value: dict[str, Any], /) -> bool:
        """See the next object; tell whether the answer is whole by now."""


@dataclass(frozen=True, slots=True)
class StreamShape(Generic[T]):
    """What the events of one kind of stream mean.

    Attributes:
        wrap: Makes the item of a decoded object; the facts come with the first one.
        new_end: Makes the watcher of one answer.
        from_whole: Makes the first object of a JSON document that came in place of a stream.
        allow_bytes: Whether an answer that is neither events nor JSON is handed on as bytes.
    """

    wrap: Callable[[dict[str, Any], ResponseInfo | None], T]
    new_end: Callable[[], End]
    from_whole: Callable[[dict[str, Any]], dict[str, Any]]
    allow_bytes: bool = False


class StreamDecoder(Generic[T]):
    """Decodes one answer to a streaming request.

    Args:
        shape: What its events mean.
        headers: The response headers.
        info: What the gateway said of the call.
        secrets: Credentials, taken out of every error.

    Attributes:
        is_done: Whether the answer is whole by now; of some kinds more may come, its usage above all.
        is_over: Whether the stream has ended, or failed, and no more bytes are wanted.
        count: How many items came.
        failure: What the last bytes ended in, if items came before it; the next call raises it.
    """

    def __init__(
        self, shape: StreamShape[T], headers: Headers, info: ResponseInfo, secrets: Iterable[str] = ()
    ) -> None:
        self._shape = shape
        self._headers = headers
        self._info: ResponseInfo = info
        self._first: ResponseInfo | None = info
        self._secrets = tuple(secrets)
        self._sse: SSEDecoder | None = None
        self._whole: list[bytes] = []
        self._whole_size = 0
        self._is_bytes = shape.allow_bytes and not _is_text(headers.media_type)
        self._is_end = shape.new_end()
        self._kind = b""
        self.is_done = False
        self.is_over = False
        self.count = 0
        self.failure: StreamError | None = None

    def feed(self, data: bytes) -> list[T]:
        """Take the next bytes; give the items they complete, those before an error too.

        Raises:
            StreamError: The stream reported an error, or cannot be read.
        """
        if self.is_over:
            self._check_failure()
            return []
        if self._is_bytes:
            self.count += bool(data)
            return [cast("T", data)] if data else []
        return self._decode_events(self._split(data))

    def close(self) -> Iterator[T]:
        """Say that no more bytes come; give the last items.

        Raises:
            StreamTruncatedError: The answer is not whole.
            StreamError: It cannot be read.
        """
        self._check_failure()
        if self._is_bytes or self.is_over:
            return
        if self._sse is None:
            yield self._decode_whole(b"".join(self._whole))
            return
        yield from self._decode_events(self._sse.close())
        self._check_failure()
        if not self.is_done:
            raise self.truncated("the stream ended before the answer was whole")

    def _check_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def truncated(self, why: str) -> StreamTruncatedError:
        """Make the error of a stream that stopped early."""
        return StreamTruncatedError(f"{why}{self._log()}", status_code=self._info.status_code, info=self._info)

    def _keep(self, data: bytes) -> None:
        """Keep what may be of either kind, and look for the first character that tells of which it is."""
        if 0 < self._whole_size < len(_BOM):
            self._whole = [data := b"".join((*self._whole, data))]
            self._whole_size = len(data)
        elif data:
            self._whole.append(data)
            self._whole_size += len(data)
        if not self._kind:
            self._kind = (_beginning(data) if len(self._whole) == 1 else data.lstrip())[:1]
        if self._whole_size > MAX_EVENT_BYTES:
            raise self._unreadable(f"the answer is larger than {MAX_EVENT_BYTES} bytes")

    def _split(self, data: bytes) -> list[Event]:
        """Give the events the bytes complete; none as long as it is open whether they are events at all."""
        if self._sse is None:
            self._keep(data)
            if not self._kind or self._kind in b"{[<":
                return []
            self._sse = SSEDecoder()
            data, self._whole = b"".join(self._whole), []
        try:
            return self._sse.feed(data)
        except EventTooLargeError as error:
            raise self._unreadable(str(error)) from None

    def _decode_events(self, events: list[Event]) -> list[T]:
        items: list[T] = []
        try:
            for data, name in events:
                if data == _DONE:
                    self.is_done = self.is_over = True
                elif data:
                    items.append(self._decode(data, name))
                if self.is_over:
                    break
        except StreamError as error:
            if not items:
                raise
            self.failure = error
            self.is_over = True
        return items

    def _decode(self, data: bytes, name: str) -> T:
        try:
            value = parse_json(data)
        except ValueError:
            value = None
        if name == "error" or not isinstance(value, dict) or says_error(value):
            raise self._reported(value, data)
        return self._wrap(value)

    def _decode_whole(self, content: bytes) -> T:
        if not content.strip():
            raise self.truncated("the stream ended before it began")
        try:
            value = parse_json(content.removeprefix(_BOM))
        except ValueError:
            raise self._unreadable("the answer is neither a stream nor JSON") from None
        if not isinstance(value, dict):
            raise self._unreadable("the answer is neither a stream nor a JSON object")
        if says_error(value):
            response = Response(self._info.status_code or 200, self._headers, content)
            raise error_from_response(response, self._info, secrets=self._secrets)
        item = self._wrap(value, self._shape.from_whole)
        self.is_done = self.is_over = True
        return item

    def _wrap(self, value: dict[str, Any], convert: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> T:
        """Make an item of an object, whose fields may be anything."""
        self.count += 1
        first, self._first = self._first, None
        try:
            value = convert(value) if convert else value
            self.is_done = self._is_end(value)
            if self.is_done and self._is_end.is_final:
                self.is_over = True
            return self._shape.wrap(value, first)
        except _FailedChoiceError:
            raise self._reported(value) from None
        except (ValueError, TypeError, AttributeError) as error:
            raise self._unreadable(f"the stream has an object of an unknown shape ({type(error).__name__})") from None

    def _reported(self, value: Any, data: bytes = b"") -> StreamError:
        body = hide_in_json(value, self._secrets)
        code, text = find_code_and_message(body)
        if not text and isinstance(body, dict):
            text = "the stream reported an error without a message"
        said = hide(data.decode("utf-8", "replace"), self._secrets)[:80]
        return self._unreadable(text or f"an event of the stream is not a JSON object: {said!r}", code=code, body=body)

    def _unreadable(self, why: str, *, code: int | str | None = None, body: Any = None) -> StreamError:
        text = hide(f"{why}{self._log()}", self._secrets)
        return StreamError(text, status_code=self._info.status_code, code=code, info=self._info, body=body)

    def _log(self) -> str:
        return f" (log {self._info.log_id})" if self._info.log_id else ""


def _beginning(data: bytes) -> bytes:
    """Give the data from its first character that tells what it is; empty while there is none."""
    return b"" if _BOM.startswith(data) else data.removeprefix(_BOM).lstrip()


def _is_text(media_type: str) -> bool:
    return media_type in _TEXT_TYPES or media_type.endswith(("json", "html"))


_FINAL_TYPES: Final = frozenset({"message_stop", "response.completed", "response.failed", "response.incomplete"})


class _FailedChoiceError(Exception):
    """An answer ended in an error; the object says of which."""


class _ChoicesEnd:
    """A completion is whole when every answer that began has a finish reason; its usage may still come."""

    __slots__ = ("_open", "_seen")

    is_final: Final = False

    def __init__(self) -> None:
        self._seen = False
        self._open: set[Any] = set()

    def __call__(self, chunk: dict[str, Any]) -> bool:
        for choice in chunk.get("choices") or ():
            if isinstance(choice, dict):
                delta = choice.get("delta")
                if delta and not isinstance(delta, dict):
                    raise TypeError
                reason = choice.get("finish_reason")
                if reason == "error" or choice.get("error"):
                    raise _FailedChoiceError
                self._seen = True
                change = self._open.discard if reason else self._open.add
                change(choice.get("index"))
        return self._seen and not self._open


class _TypeEnd:
    """An event stream is whole when an event of a final type came."""

    __slots__ = ("is_final",)

    def __init__(self) -> None:
        self.is_final = False

    def __call__(self, event: dict[str, Any]) -> bool:
        self.is_final = event.get("type") in _FINAL_TYPES
        return self.is_final


class _AnyEnd:
    """A model that was run may stream either kind."""

    __slots__ = ("_choices", "_type")

    def __init__(self) -> None:
        self._choices = _ChoicesEnd()
        self._type = _TypeEnd()

    @property
    def is_final(self) -> bool:
        return self._type.is_final

    def __call__(self, event: dict[str, Any]) -> bool:
        return self._type(event) or self._choices(event)


def _chat_from_whole(completion: dict[str, Any]) -> dict[str, Any]:
    """Turn a whole completion into the one chunk that says the same."""
    choices = [_chunk_choice(choice) for choice in completion.get("choices") or [] if isinstance(choice, dict)]
    return {**completion, "object": "chat.completion.chunk", "choices": choices}


def _chunk_choice(choice: dict[str, Any]) -> dict[str, Any]:
    delta = dict(choice.get("message") or {})
    calls = delta.get("tool_calls")
    if calls:
        delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(calls)]
    return {**{key: value for key, value in choice.items() if key != "message"}, "delta": delta}


def _unwrap_result(value: dict[str, Any]) -> dict[str, Any]:
    result = value.get("result") if "success" in value or "state" in value else value
    return result if isinstance(result, dict) else value


def _same(value: dict[str, Any]) -> dict[str, Any]:
    return value


CHAT_STREAM: Final = StreamShape(ChatCompletionChunk.from_raw, _ChoicesEnd, _chat_from_whole)
"""Chat completion chunks; `[DONE]` ends them, or a finish reason on every answer when a provider forgets `[DONE]`."""

CHAT_EVENTS: Final = StreamShape(StreamEvent, _ChoicesEnd, _chat_from_whole)
"""The same chunks as plain JSON objects."""

EVENT_STREAM: Final = StreamShape(StreamEvent, _TypeEnd, _same)
"""Responses and Messages events, as they come."""

RUN_STREAM: Final[StreamShape[Any]] = StreamShape(StreamEvent, _AnyEnd, _unwrap_result, allow_bytes=True)
"""Whatever a model that was run streams: events of any of these kinds, or bytes."""
