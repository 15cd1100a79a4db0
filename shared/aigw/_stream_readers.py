"""What a streaming method returns: an iterator over the decoded answer which also closes the connection.

Two thin loops over `StreamDecoder`, sync and async. When the consumer stops early the response is closed; when the
connection breaks before the answer is whole, that is an error with the log id, never a short answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from aigw._errors import APITimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from types import TracebackType

    from aigw._engine import Family
    from aigw._errors import AIGatewayError
    from aigw._http import Request
    from aigw._models import ResponseInfo
    from aigw._streams import StreamDecoder

T = TypeVar("T")


class OpenStream(Generic[T]):
    """A streaming answer whose head has arrived, and what is needed to read on.

    Attributes:
        response: The HTTP library's response.
        family: That library.
        request: What was sent.
        decoder: Turns bytes into items.
        info: What the gateway said of the call.
    """

    __slots__ = ("decoder", "family", "info", "request", "response")

    def __init__(
        self, response: Any, family: Family, request: Request, decoder: StreamDecoder[T], info: ResponseInfo
    ) -> None:
        self.response = response
        self.family = family
        self.request = request
        self.decoder = decoder
        self.info = info

    def error(self, error: Exception) -> AIGatewayError:
        """Make our error of one of the library's while the body was read."""
        made = self.family.error(error, self.request, self.info)
        if isinstance(made, APITimeoutError):
            return made
        return self.decoder.truncated(
            f"the connection broke before the answer was whole: {str(error) or type(error).__name__}"
        )


class Stream(Generic[T]):
    """An answer that comes in pieces: iterate over it, once.

    The connection is closed when the iteration ends, when `close()` is called, and at the end of a `with` block.
    """

    def __init__(self, opened: OpenStream[T]) -> None:
        self._opened = opened
        self._items = self._read()

    @property
    def info(self) -> ResponseInfo:
        """What the gateway said of the call; known before the first item."""
        return self._opened.info

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._items.close()
        self._opened.response.close()

    def _read(self) -> Generator[T, None, None]:
        opened = self._opened
        decoder = opened.decoder
        try:
            for data in opened.response.iter_bytes():
                yield from decoder.feed(data)
        except opened.family.errors as error:
            if not decoder.is_done:
                raise opened.error(error) from error
        else:
            yield from decoder.close()
        finally:
            opened.response.close()


class AsyncStream(Generic[T]):
    """An answer that comes in pieces: `async for` over it, once, or `await` it first to have `info`.

    The connection is closed when the iteration ends, when `aclose()` is called, and at the end of an `async with`
    block.
    """

    def __init__(self, open_stream: Callable[[], Awaitable[OpenStream[T]]]) -> None:
        self._open_stream = open_stream
        self._opened: OpenStream[T] | None = None
        self._items = self._read()

    @property
    def info(self) -> ResponseInfo | None:
        """What the gateway said of the call; `None` until the stream is awaited or iterated."""
        return self._opened.info if self._opened else None

    def __await__(self) -> Generator[Any, Any, Self]:
        """Send the request and wait for the head of the answer."""
        return self._start().__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await anext(self._items)

    async def __aenter__(self) -> Self:
        return await self._start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop reading and free the connection."""
        await self._items.aclose()
        if self._opened is not None:
            await self._opened.response.aclose()

    async def _start(self) -> Self:
        if self._opened is None:
            self._opened = await self._open_stream()
        return self

    async def _read(self) -> AsyncGenerator[T, None]:
        await self._start()
        opened = self._opened
        if opened is None:
            return
        decoder = opened.decoder
        try:
            async for data in opened.response.aiter_bytes():
                for item in decoder.feed(data):
                    yield item
        except opened.family.errors as error:
            if not decoder.is_done:
                raise opened.error(error) from error
        else:
            for item in decoder.close():
                yield item
        finally:
            await opened.response.aclose()
