"""Async programs that end beside open streams and idle connections, and close nothing: nothing is said or kept."""

from __future__ import annotations

import asyncio
import gc
import weakref
import zlib

import pytest

from aigw import AsyncAIGateway

from .driving import CHAT, DEVELOPMENT, TOKEN, ended
from .faulty_server import Endless
from .modes.mode import completion, data, events, whole

STREAM = events(data("a"), Endless(data("b"), 0.01), close=False)
ANSWER = whole(completion())
START = """
import asyncio, gc, sys, threading, aigw
def new():
    return aigw.AsyncAIGateway('acct', TOKEN, base_url=URL, max_retries=0)
async def begin(client):
    stream = client.stream_chat(CHAT)
    assert (await anext(stream)).text == 'a'
    assert stream.info.log_id
    return stream
async def use(client):
    stream = await begin(client)
    assert (await client.chat(CHAT)).text == 'Hello'
    return stream
def run(coroutine):
    asyncio.run(coroutine, debug=False)
def run_without_shutdown(coroutine):
    loop = asyncio.new_event_loop()
    loop.set_debug(False)
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()
"""
WITHOUT_AIOHTTP = "import sys\nsys.modules['aigw._engines._over_aiohttp'] = None\n"
LOCALS = """
async def main():
    client = new()
    stream = await use(client)
"""
LOCAL_CLIENT = """
async def main():
    global stream
    client = new()
    stream = await use(client)
"""
LOCAL_STREAM = """
client = new()
async def main():
    stream = await use(client)
"""
GLOBALS = """
client = new()
async def main():
    global stream
    stream = await use(client)
"""
COLLECTED = """
async def main():
    client = new()
    stream = await use(client)
    circle = [client, stream]
    circle.append(circle)
    del client, stream, circle
    gc.collect()
"""
IDLE = """
client = new()
async def main():
    assert (await client.chat(CHAT)).text == 'Hello'
"""
RUN = "run(main())\n"
LEAVE = "run_without_shutdown(main())\n"
TURN = [STREAM, ANSWER]
ENDINGS = {
    "locals": (LOCALS + RUN, TURN),
    "a-local-client": (LOCAL_CLIENT + RUN, TURN),
    "a-local-stream": (LOCAL_STREAM + RUN, TURN),
    "globals": (GLOBALS + RUN, TURN),
    "collected": (COLLECTED + RUN, TURN),
    "loops": (GLOBALS + RUN * 3, TURN * 3),
    "locals-unshut": (LOCALS + LEAVE, TURN),
    "globals-unshut": (GLOBALS + LEAVE, TURN),
    "collected-unshut": (COLLECTED + LEAVE, TURN),
    "loops-unshut": (GLOBALS + LEAVE * 3, TURN * 3),
    "idle-loops-unshut": (IDLE + LEAVE * 3, [ANSWER]),
    "many": (
        f"""
async def main():
    client = new()
    streams = [await begin(client) for _ in range(20)]
    await client.chat(CHAT)
{RUN}""",
        [STREAM] * 20 + [ANSWER],
    ),
    "nested-generators": (
        f"""
async def texts():
    client = new()
    await client.chat(CHAT)
    async for chunk in client.stream_chat(CHAT):
        yield chunk.text
async def outer():
    async for text in texts():
        yield text
async def main():
    async for text in outer():
        break
{RUN}""",
        [ANSWER, STREAM],
    ),
    "another-thread": (
        f"""
async def main():
    box = [new()]
    box.append(await use(box[0]))
    await asyncio.to_thread(box.clear)
{RUN}""",
        TURN,
    ),
    "an-error-that-is-kept": (
        f"""
async def main():
    client = new()
    stream = await use(client)
    raise KeyError
try:
    {RUN}
except KeyError as error:
    kept = error
""",
        TURN,
    ),
    "an-item-being-waited-for": (
        f"""
async def main():
    stream = await use(new())
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
{RUN}""",
        TURN,
    ),
}
HTTPX_ENDINGS = ("locals", "a-local-client", "loops", "many", "nested-generators")
"""What httpx lets end in silence; it has no way to close a connection but to wait."""

ADAPTERS = {
    "LangChain": """
from langchain_aigw import ChatCloudflareAIGateway
async def main():
    model = ChatCloudflareAIGateway(
        model='openai/gpt-5-mini', account_id='acct', api_token=TOKEN, base_url=URL, max_retries=0
    )
    stream = model.astream('Hi')
    await anext(stream)
    await model.ainvoke('Hi')
    async for chunk in model.astream('Hi'):
        break
""",
    "LlamaIndex": """
from llama_index.core.llms import ChatMessage
from llamaindex_aigw import CloudflareAIGateway
HI = [ChatMessage(role='user', content='Hi')]
async def main():
    model = CloudflareAIGateway(
        model='openai/gpt-5-mini', account_id='acct', api_token=TOKEN, base_url=URL, max_retries=0
    )
    stream = await model.astream_chat(HI)
    await anext(stream)
    await model.achat(HI)
    async for response in await model.astream_chat(HI):
        break
""",
}


def dev_ended(server, script, *settings):
    """Run a program as `ended` does, after what all here begin with, where no leak passes."""
    return ended(server, f"{START}\n{script}", *DEVELOPMENT, *settings)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_ends_without_a_word_and_frees_its_connections(server, name):
    script, server.replies = ENDINGS[name]
    assert dev_ended(server, script) == (0, "")
    assert server.closed()


@pytest.mark.parametrize("name", HTTPX_ENDINGS)
def test_a_program_on_httpx_ends_without_a_word_and_frees_its_connections(server, name):
    script, server.replies = ENDINGS[name]
    assert dev_ended(server, WITHOUT_AIOHTTP + script) == (0, "")
    assert server.closed()


@pytest.mark.parametrize("unshut", [False, True])
def test_a_program_ends_without_a_word_beside_a_packed_stream(server, unshut):
    packer = zlib.compressobj(wbits=31)
    first, more = (packer.compress(data(text)) + packer.flush(zlib.Z_FULL_FLUSH) for text in "ab")
    head = b"HTTP/1.1 200 OK\r\ncf-aig-log-id: 01LOG\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n"
    server.replies = [(head, first, Endless(more, 0.01)), ANSWER]

    assert dev_ended(server, LOCALS + (LEAVE if unshut else RUN)) == (0, "")
    assert server.closed()


@pytest.mark.parametrize("framework", ADAPTERS)
def test_a_program_of_a_framework_ends_without_a_word(server, framework):
    server.replies = [STREAM, ANSWER, STREAM]
    assert dev_ended(server, ADAPTERS[framework] + RUN, "-W", "ignore::DeprecationWarning") == (0, "")
    assert server.closed()


async def test_a_stream_and_a_client_that_nobody_holds_are_closed_without_a_task(server):
    server.replies = TURN
    client = AsyncAIGateway("acct", TOKEN, base_url=server.url)
    stream = client.stream_chat(CHAT)
    await anext(stream)
    tasks = asyncio.all_tasks()
    gc.disable()
    try:
        del stream, client
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks
        assert await asyncio.to_thread(server.closed)
    finally:
        gc.enable()


async def test_an_item_that_is_waited_for_comes_though_nobody_holds_its_stream(server):
    server.replies = TURN
    client = AsyncAIGateway("acct", TOKEN, base_url=server.url)
    assert (await anext(await client.stream_chat(CHAT))).text == "a"
    waited = anext(await client.stream_chat(CHAT))
    await asyncio.sleep(0)
    assert (await waited).text == "Hello"
    await client.aclose()


async def test_a_client_that_was_closed_lets_go_of_its_loop_when_nobody_holds_it(server):
    server.replies = [ANSWER]
    client = AsyncAIGateway("acct", TOKEN, base_url=server.url)
    await client.chat(CHAT)
    engine = weakref.ref(client._engine)
    await client.aclose()
    del client
    assert engine() is None


async def test_tasks_cancelled_at_any_place_of_opening_leave_no_connection_taken(server):
    server.replies = [ANSWER]
    client = AsyncAIGateway("acct", TOKEN, base_url=server.url)
    for turns in range(30):
        tasks = [asyncio.create_task(client.chat(CHAT)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async with asyncio.timeout(5):
        assert (await client.chat(CHAT)).text == "Hello"
    await client.aclose()
