"""Both queues with one face, so that a test is written once."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from aigw import AIGateway, AsyncAIGateway
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue

from .faulty import ACCOUNT, TOKEN, FaultyGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Face:
    """One kind of queue, awaited whichever it is. A sync queue waits in a thread, so that tasks go on."""

    def __init__(self, kind: str) -> None:
        self.is_async = kind == "async"
        self.made: list[Any] = []
        self.clients: list[Any] = []

    def client(self, url: str, **settings: Any) -> Any:
        make = AsyncAIGateway if self.is_async else AIGateway
        self.clients.append(make(ACCOUNT, TOKEN, "gw", base_url=url, **settings))
        return self.clients[-1]

    def make(self, server: Any, *, timeout: float = 10, **settings: Any) -> Any:
        """Make a queue to a server."""
        client = self.client(getattr(server, "url", server), timeout=timeout)
        self.made.append((AsyncFeedbackQueue if self.is_async else FeedbackQueue)(client, **settings))
        return self.made[-1]

    async def do(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a queue or a client."""
        if inspect.iscoroutinefunction(method):
            return await method(*args, **kwargs)
        return await asyncio.to_thread(method, *args, **kwargs)

    async def close(self, queue: Any, seconds: float = 5) -> bool:
        return await self.do(queue.aclose if self.is_async else queue.close, seconds)

    async def end(self) -> None:
        for queue in self.made:
            await self.close(queue, 0)
        for client in self.clients:
            await self.do(client.aclose if self.is_async else client.close)


@pytest.fixture(params=["sync", "async"])
async def face(request: pytest.FixtureRequest) -> AsyncIterator[Face]:
    face = Face(request.param)
    yield face
    await face.end()


@pytest.fixture
def faulty() -> Iterator[FaultyGateway]:
    with FaultyGateway() as server:
        yield server
