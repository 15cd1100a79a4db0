"""A streamed answer on its way from the upstream to the caller: translated, counted, and logged.

The log is written before the bytes that end the answer are handed out, so that a caller who has read the end finds it.
A stream that the caller leaves early is logged as it was until then, as a success; one that breaks off, as a failure.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json
from aigw._sse import SSEDecoder
from aigw.local._log_entry import Outcome
from aigw.local._native._stream import NativeCodec
from aigw.local._reply import EVENT_STREAM
from aigw.local._spending._usage import Usage, dicts, estimate_usage, read_usage
from aigw.local._upstreams._attempts import close_body
from aigw.local._upstreams._upstream import StreamBrokenError, UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aigw._sse import Event
    from aigw.local._dialects import StreamTranslator
    from aigw.local._log_entry import LogEntry

_log: Final = logging.getLogger("aigw.local")
_DONE: Final = b"[DONE]"


class StreamCodec:
    """Reads a stream of chat completion chunks, and writes it in the caller's dialect.

    Args:
        translator: Writes the dialect's events; `None` passes the bytes on as they are.

    Attributes:
        usage: The last usage a chunk reported.
        finished: Whether a chunk said why the answer ended.
        done: Whether the end was said.
        failed: Whether a chunk was an error.
    """

    def __init__(self, translator: StreamTranslator | None) -> None:
        self._translator = translator
        self._decoder = SSEDecoder()
        self._text: list[str] = []
        self.usage: Usage | None = None
        self.finished = False
        self.done = False
        self.failed = False

    @property
    def text(self) -> str:
        """All that the model has said, tool arguments included."""
        return "".join(self._text)

    def estimate(self, asked: Mapping[str, Any]) -> Usage:
        """Give the usage where none was reported, from the body that was asked and the text that came."""
        return estimate_usage(asked, self.text)

    def feed(self, data: bytes) -> bytes:
        """Take the upstream's next bytes; give the caller's.

        Raises:
            ValueError: An event is larger than any that is kept.
        """
        written = self._take(self._decoder.feed(data))
        return data if self._translator is None else written

    def close(self) -> bytes:
        """Say that the upstream's bytes have ended; give the caller's last.

        What ends without `[DONE]` and without a finish reason was cut short, and is not made to look whole.
        """
        written = self._take(self._decoder.close())
        if self.finished and not self.done:
            written += self._end()
        return written

    def _take(self, events: list[Event]) -> bytes:
        return b"".join([self._read(event.data) for event in events if not self.done])

    def _read(self, data: bytes) -> bytes:
        if data.strip() == _DONE:
            return self._end()
        try:
            chunk = parse_json(data)
        except ValueError:
            return b""
        if not isinstance(chunk, dict):
            return b""
        self._note(chunk)
        return self._translator.feed(chunk) if self._translator else b""

    def _end(self) -> bytes:
        self.done = True
        return self._translator.close() if self._translator else b""

    def _note(self, chunk: Mapping[str, Any]) -> None:
        self.failed = self.failed or chunk.get("error") is not None
        self.usage = read_usage(chunk) or self.usage
        for choice in dicts(chunk.get("choices")):
            self.finished = self.finished or choice.get("finish_reason") is not None
            self._text.extend(text for delta in dicts([choice.get("delta")]) for text in _texts(delta))


class Relay:
    """The body of a streamed answer: one asynchronous pass over the upstream's, closed whatever happens.

    Args:
        source: The upstream's body.
        codec: What reads and writes it.
        entry: The log it ends in.
        asked: The OpenAI body that was asked, from which missing token counts are estimated.
        status: The answer's status.
        media_type: The answer's media type.
    """

    def __init__(
        self,
        source: AsyncIterator[bytes],
        codec: StreamCodec | NativeCodec,
        entry: LogEntry,
        asked: Mapping[str, Any],
        *,
        status: int = 200,
        media_type: str = EVENT_STREAM,
    ) -> None:
        self._source = source
        self._codec = codec
        self._entry = entry
        self._asked = asked
        self._status = status
        self._media_type = media_type
        self._ended = False

    def __aiter__(self) -> Relay:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended:
            piece = await self._next_piece()
            if piece:
                return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop here: write the log of what came, and let go of the upstream."""
        self._ended = True
        self._write()
        await close_body(self._source)

    async def _next_piece(self) -> bytes:
        try:
            data = await anext(self._source, None)
            written = self._codec.close() if data is None else self._codec.feed(data)
        except (UpstreamUnreachableError, OSError) as error:
            _log.warning("a streamed answer broke off: %s", error)
            await self._break_off()
            raise StreamBrokenError("the upstream's answer broke off") from error
        except Exception as error:
            _log.exception("a streamed answer cannot be read")
            await self._break_off()
            raise StreamBrokenError("the upstream's answer cannot be read") from error
        except BaseException:
            await self.aclose()
            raise
        self._entry.body.add(written)
        self._ended = data is None
        if self._ended or self._codec.done:
            self._write(failed=not (self._codec.done or self._codec.finished))
        return written

    async def _break_off(self) -> None:
        self._write(failed=True)
        await self.aclose()

    def _write(self, *, failed: bool = False) -> None:
        usage = self._codec.usage or self._codec.estimate(self._asked)
        if isinstance(self._codec, NativeCodec):
            self._entry.name_model(self._codec.model)
        self._entry.write(Outcome(self._status, self._media_type, usage, failed=failed or self._codec.failed))


def _texts(delta: Mapping[str, Any]) -> list[str]:
    texts = [delta.get("content"), delta.get("reasoning_content")]
    for call in dicts(delta.get("tool_calls")):
        texts += [text for function in dicts([call.get("function")]) for text in function.values()]
    return [text for text in texts if isinstance(text, str)]
