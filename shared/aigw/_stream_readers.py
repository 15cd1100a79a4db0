"""Reading bodies: whole ones, those of errors, and streams, whose iterators also close the connection.

Thin loops over `StreamDecoder`, sync and async. A consumer who stops early, or drops a stream unread, frees its
connection; a connection that breaks before the answer is whole is an error with the log id, never a short answer.
Nothing is read without end: sizes have limits, and an answer that goes on without bringing anything has a time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from aigw._engines._failures import words_of
from aigw._engines._loops import begin
from aigw._engines._rest import aread_rest, read_rest
from aigw._errors import APIStatusError, APITimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from types import TracebackType

    from aigw._engines._answer import Answer
    from aigw._errors import AIGatewayError
    from aigw._facts import ResponseInfo
    from aigw._http import Request
    from aigw._streams import StreamDecoder

T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
"""A whole answer, decompressed, that is larger is refused; 2,048 embeddings of 3,072 numbers take half of it."""

MAX_ERROR_BYTES: Final = 1024 * 1024
"""Of an error's body no more is read."""

PATIENCE: Final = 10.0
"""Read timeouts that an answer may go on without bringing an item of a stream, or without being whole."""


class Patience:
    """How long an answer may trickle or send keep-alive only, since the HTTP library's timeout starts anew with a byte.

    Args:
        read_timeout: Seconds; `None` without end.
    """

    __slots__ = ("_end", "seconds")

    def __init__(self, read_timeout: float | None) -> None:
        self.seconds: float = float("inf") if read_timeout is None else read_timeout * PATIENCE
        self.renew()

    def renew(self) -> None:
        """Begin anew: something came."""
        self._end = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        """Whether nothing came for too long."""
        return time.monotonic() > self._end


class Body:
    """A body as it is read, up to a limit.

    Args:
        answer: Whose.
        limit: Bytes.
    """

    __slots__ = ("_is_late", "_patience", "_pieces", "_size", "limit")

    def __init__(self, answer: Answer, limit: int) -> None:
        self.limit = limit
        self._patience = Patience(answer.read_timeout)
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_late = False

    def add(self, data: bytes) -> bool:
        """Keep the next bytes; tell whether more may be read."""
        self._pieces.append(data)
        self._size += len(data)
        self._is_late = self._patience.is_over
        return self._size <= self.limit and not self._is_late

    def check(self, info: ResponseInfo) -> None:
        """Refuse a body that was not read to its end.

        Raises:
            APIStatusError: It is larger than the limit.
            APITimeoutError: It took too long.
        """
        log = f" (log {info.log_id})" if info.log_id else ""
        if self._size > self.limit:
            text = f"The answer is larger than {self.limit} bytes{log}"
            raise APIStatusError(text, status_code=info.status_code, info=info)
        if self._is_late:
            raise APITimeoutError(f"The answer was not whole after {self._patience.seconds:g} seconds{log}", info=info)

    @property
    def content(self) -> bytes:
        """What came."""
        return b"".join(self._pieces)


class OpenStream(Generic[T]):
    """A streaming answer whose head has arrived, and what is needed to read on.

    Attributes:
        answer: It.
        request: What was sent.
        decoder: Turns bytes into items.
        info: What the gateway said of the call.
        engine: Whose connection it is: an engine that nobody holds closes its connections.
    """

    __slots__ = ("_patience", "_seen", "answer", "decoder", "engine", "info", "request")

    def __init__(
        self,
        answer: Answer,
        request: Request,
        decoder: StreamDecoder[T],
        info: ResponseInfo,
        engine: object,
    ) -> None:
        self.answer = answer
        self.request = request
        self.decoder = decoder
        self.info = info
        self.engine = engine
        self._patience = Patience(answer.read_timeout)
        self._seen = 0

    def error(self, error: Exception) -> AIGatewayError:
        """Make our error of one of the library's while the body was read."""
        made = self.answer.library.error(error, self.request, self.info)
        if isinstance(made, APITimeoutError):
            return made
        why = words_of(error, self.request)
        cut = self.decoder.truncated(f"the connection broke before the answer was whole: {why}")
        cut.__cause__ = made.__cause__
        return cut

    def goes_on(self) -> bool:
        """Tell whether to wait for more bytes: the answer is not over, and brought an item, or did not too long ago.

        Raises:
            APITimeoutError: Bytes have been coming, and no item, before the answer was whole.
            StreamError: They ended in an error.
        """
        decoder = self.decoder
        if decoder.is_over:
            if decoder.failure is not None:
                raise decoder.failure
            return False
        if decoder.count != self._seen:
            self._seen = decoder.count
            self._patience.renew()
        elif self._patience.is_over:
            if decoder.is_done:
                return False
            log = f" (log {self.info.log_id})" if self.info.log_id else ""
            text = f"The stream brought nothing but keep-alive for {self._patience.seconds:g} seconds{log}"
            raise APITimeoutError(text, info=self.info)
        return True


def _read(opened: OpenStream[T]) -> Generator[T | None, None, None]:
    """Give `None`, from when on the response is closed whatever happens, and then the items.

    Apart from `Stream`, so that there is no cycle of references, and the last one that goes closes the connection at
    once, where it goes. Closed by the garbage collector, a pool that is in the middle of something would be locked.
    """
    decoder = opened.decoder
    failed: list[AIGatewayError] = []
    try:
        yield None
        body = iter(opened.answer.body)
        for data in body:
            yield from decoder.feed(data)
            if not opened.goes_on():
                read_rest(opened.answer, body)
                return
    except opened.answer.library.errors as error:
        if not decoder.is_done:
            failed.append(opened.error(error))
    else:
        yield from decoder.close()
    finally:
        opened.answer.close()
    if failed:
        raise failed.pop()


async def _aread(opened: OpenStream[T]) -> AsyncGenerator[T | None, None]:
    decoder = opened.decoder
    failed: list[AIGatewayError] = []
    try:
        yield None
        body = aiter(opened.answer.body)
        async for data in body:
            for item in decoder.feed(data):
                yield item
            if not opened.goes_on():
                await aread_rest(opened.answer, body)
                return
    except opened.answer.library.errors as error:
        if not decoder.is_done:
            failed.append(opened.error(error))
    else:
        for item in decoder.close():
            yield item
    finally:
        await opened.answer.close()
    if failed:
        raise failed.pop()


class Stream(Generic[T]):
    """An answer that comes in pieces: iterate over it, once, in one thread.

    The connection is closed when the iteration ends, when `close()` is called, at the end of a `with` block, and when
    the last reference to the stream goes.
    """

    def __init__(self, opened: OpenStream[T]) -> None:
        self._info = opened.info
        self._items: Generator[Any, None, None] = _read(opened)
        next(self._items)

    @property
    def info(self) -> ResponseInfo:
        """What the gateway said of the call; known before the first item."""
        return self._info

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        item: T = next(self._items)
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._items.close()


class AsyncStream(Generic[T]):
    """An answer that comes in pieces: `async for` over it, once, or `await` it first to have `info`.

    The connection is closed when the iteration ends, when `aclose()` is called, at the end of an `async with` block,
    and when the last reference to the stream goes: at once over aiohttp, and soon over httpx, which has to wait.
    """

    def __init__(self, open_stream: Callable[[], Awaitable[OpenStream[T]]]) -> None:
        self._open_stream = open_stream
        self._info: ResponseInfo | None = None
        self._items: AsyncGenerator[Any, None] | None = None
        self._closed = False

    @property
    def info(self) -> ResponseInfo | None:
        """What the gateway said of the call; `None` until the stream is awaited or iterated."""
        return self._info

    def __await__(self) -> Generator[Any, Any, Self]:
        """Send the request and wait for the head of the answer."""
        return self._start().__await__()

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T]:
        return self._first() if self._items is None else self._items.__anext__()

    async def _first(self) -> T:
        await self._start()
        if self._items is None:
            raise StopAsyncIteration
        item: T = await anext(self._items)
        return item

    async def __aenter__(self) -> Self:
        return await self._start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop reading and free the connection; a stream that was not begun sends nothing any more."""
        self._closed = True
        if self._items is not None:
            await self._items.aclose()

    async def _start(self) -> Self:
        if self._items is None and not self._closed:
            opened = await self._open_stream()
            self._info = opened.info
            self._items = _aread(opened)
            await begin(self._items, getattr(opened.answer.close, "now", None))
        return self
