"""Tasks cancelled at every place where they wait: each ends, and the connection is there for the next call."""

from __future__ import annotations

import asyncio
import itertools
import types

import pytest
from llama_index.core.llms import ChatMessage

from langchain_aigw import ChatCloudflareAIGateway
from llamaindex_aigw import CloudflareAIGateway

from .driving import CHAT, done
from .modes.mode import DONE, WHOLE, chunked, data, head, whole

STREAMED = (
    head(200, "transfer-encoding: chunked", kind="text/event-stream") + chunked(data("Hel"), data("lo", "stop"), DONE),
)
MOST = 200
"""More places than anything here waits at."""


@types.coroutine
def cancelled_at(work, place):
    """Do some work, and cancel its task when it waits for the so-manieth time."""
    steps, thrown = work.__await__(), None
    for turn in itertools.count():
        try:
            waits_for = steps.send(None) if thrown is None else steps.throw(thrown)
        except StopIteration as ended:
            return ended.value
        if turn == place:
            asyncio.current_task().cancel()
        thrown = None
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001 -- told to the work, which decides
            thrown = error


async def text_of(stream, delta_of):
    return "".join([delta_of(item) async for item in await done(stream)])


class Core:
    def __init__(self, driver, url):
        self.client = driver.client(url)

    async def call(self):
        return (await self.client.chat(CHAT)).text

    async def stream(self):
        return await text_of(self.client.stream_chat(CHAT), lambda chunk: chunk.text)


class LangChain:
    def __init__(self, driver, url):
        self.model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", **driver.settings(url))
        driver.closes(self.model.aclose)

    async def call(self):
        return (await self.model.ainvoke("Hi")).text

    async def stream(self):
        return await text_of(self.model.astream("Hi"), lambda chunk: chunk.text)


class LlamaIndex:
    def __init__(self, driver, url):
        self.llm = CloudflareAIGateway(model="openai/gpt-5-mini", **driver.settings(url))
        driver.closes(self.llm.aclose)

    async def call(self):
        return (await self.llm.achat([ChatMessage("Hi")])).message.content

    async def stream(self):
        return await text_of(self.llm.astream_chat([ChatMessage("Hi")]), lambda chunk: chunk.delta or "")


WHO = [(Core, "aiohttp"), (Core, "httpx-aiohttp"), (LangChain, "aiohttp"), (LlamaIndex, "aiohttp")]
"""All but the core over httpx, whose own pool forgets a connection that is cancelled while it is made or given back."""


@pytest.mark.parametrize(("way", "reply"), [("call", whole(WHOLE)), ("stream", STREAMED)], ids=["call", "stream"])
@pytest.mark.parametrize("is_kept", [False, True], ids=["new-connection", "kept-connection"])
@pytest.mark.parametrize(
    ("who", "driver"), WHO, indirect=["driver"], ids=[f"{who.__name__}-{engine}" for who, engine in WHO]
)
async def test_a_task_can_be_cancelled_wherever_it_waits(who, driver, server, is_kept, way, reply):
    server.replies = [reply]
    asks = who(driver, server.url)
    for place in range(MOST):
        if not is_kept:
            asks = who(driver, server.url)
        elif not place:
            assert await getattr(asks, way)() == "Hello"
        task = asyncio.create_task(cancelled_at(getattr(asks, way)(), place))
        await asyncio.wait([task], timeout=5)
        assert task.done()
        if not task.cancelled():
            break
        async with asyncio.timeout(5):  # there is room for one connection
            assert await getattr(asks, way)() == "Hello"
    assert task.result() == "Hello"
    assert place
