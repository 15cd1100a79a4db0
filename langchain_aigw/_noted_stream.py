"""An async stream whose run is noted while it begins, and that is LangChain's own from its first chunk on.

A generator around LangChain's would be entered for every chunk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

from langchain_aigw._runs import NotedRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from langchain_aigw._runs import ModelRun


class NotedStream(AsyncGenerator[AIMessageChunk, None]):
    """The chunks of a model, as the async generator that gives them.

    Args:
        begin: Gives the run of the stream and its chunks; asked for when the first chunk is, in the same context.
    """

    __slots__ = ("_begin", "_chunks")

    def __init__(self, begin: Callable[[], tuple[ModelRun, AsyncGenerator[AIMessageChunk, None]]]) -> None:
        self._begin = begin
        self._chunks: AsyncGenerator[AIMessageChunk, None] | None = None

    def __anext__(self) -> Awaitable[AIMessageChunk]:  # type: ignore[override]  # as a generator's, which is no coroutine
        return self._first() if self._chunks is None else self._chunks.__anext__()

    async def asend(self, value: None) -> AIMessageChunk:
        """Give the next chunk; there is nothing to be sent."""
        del value
        return await self.__anext__()

    async def athrow(self, *error: Any) -> AIMessageChunk:
        """Raise an error where the stream stands."""
        self._chunks = self._chunks or _nothing()
        return await self._chunks.athrow(*error)

    async def aclose(self) -> None:
        """Stop; a stream that was not begun never begins."""
        self._chunks = self._chunks or _nothing()
        await self._chunks.aclose()

    async def _first(self) -> AIMessageChunk:
        run, self._chunks = self._begin()
        with NotedRun(run):
            return await self._chunks.__anext__()


async def _nothing() -> AsyncGenerator[AIMessageChunk, None]:
    return
    yield
