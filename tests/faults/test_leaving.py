"""Consumers that leave: tasks cancelled, streams closed, dropped and abandoned; every connection is let go of."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from aigw import AIGateway

from .driving import CHAT, TOKEN, done, items
from .faulty_server import Endless, Stall
from .modes.mode import WHOLE, data, events, head, whole

STALLS = {
    "before-the-head": (Stall(),),
    "in-the-head": (b"HTTP/1.1 200 OK\r\n", Stall()),
    "in-the-body": (head(200, "content-length: 99"), b"{", Stall()),
    "in-an-error": (head(500, "content-length: 99"), b"{", Stall()),
}
ASYNC = pytest.mark.parametrize("driver", ["httpx", "aiohttp", "httpx-aiohttp"], indirect=True)


def stream_of(server):
    server.replies = [events(data("a"), Endless(data("b"), 0.01), close=False), whole(WHOLE)]


async def works_again(server, client):
    assert await asyncio.to_thread(server.closed)
    assert (await done(client.chat(CHAT))).text == "Hello"


@ASYNC
@pytest.mark.parametrize("place", STALLS)
async def test_a_call_that_is_cancelled_frees_its_connection(driver, server, place):
    server.replies = [STALLS[place], whole(WHOLE)]
    client = driver.client(server.url)
    task = asyncio.create_task(client.chat(CHAT))
    assert await asyncio.to_thread(server.asked)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await works_again(server, client)


@ASYNC
async def test_a_stream_that_is_cancelled_frees_its_connection(driver, server):
    server.replies = [events(data("a"), Stall(), close=False), whole(WHOLE)]
    client = driver.client(server.url)
    came = asyncio.Event()

    async def read():
        async for _ in client.stream_chat(CHAT):
            came.set()

    task = asyncio.create_task(read())
    await came.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await works_again(server, client)


@ASYNC
async def test_a_timeout_of_the_caller_frees_the_connection(driver, server):
    server.replies = [(Stall(),), whole(WHOLE)]
    client = driver.client(server.url)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.chat(CHAT)
    await works_again(server, client)


async def test_a_stream_that_is_dropped_unread_frees_its_connection_without_the_garbage_collector(driver, server):
    stream_of(server)
    client = driver.client(server.url)
    gc.disable()
    try:
        opened = await done(client.stream_chat(CHAT))
        del opened
        await works_again(server, client)
    finally:
        gc.enable()


async def test_a_loop_that_is_left_frees_its_connection_without_the_garbage_collector(driver, server):
    stream_of(server)
    client = driver.client(server.url)
    gc.disable()
    try:
        async for _ in items(await done(client.stream_chat(CHAT))):
            break
        await works_again(server, client)
    finally:
        gc.enable()


async def test_a_consumer_that_fails_frees_the_connection(driver, server):
    stream_of(server)
    client = driver.client(server.url)

    async def read():
        async for _ in items(await done(client.stream_chat(CHAT))):
            raise KeyError

    with pytest.raises(KeyError):
        await read()
    await works_again(server, client)


async def test_a_stream_is_closed_as_often_as_one_likes(driver, server):
    stream_of(server)
    client = driver.client(server.url)
    opened = await done(client.stream_chat(CHAT))
    for _ in range(3):
        await done(opened.close() if driver.is_sync else opened.aclose())
    await works_again(server, client)


@ASYNC
async def test_a_stream_that_is_closed_before_it_begins_sends_nothing(driver, server):
    stream = driver.client(server.url).stream_chat(CHAT)
    await stream.aclose()

    assert [item async for item in stream] == []
    assert server.connections == 0


def test_a_thread_that_leaves_its_stream_frees_the_connection(server):
    stream_of(server)
    with AIGateway("acct", TOKEN, base_url=server.url) as client:
        thread = threading.Thread(target=lambda: next(client.stream_chat(CHAT)))
        thread.start()
        thread.join(10)
        assert server.closed()
        assert client.chat(CHAT).text == "Hello"


async def test_closing_the_client_ends_an_open_stream(driver, server):
    stream_of(server)
    client = driver.client(server.url)
    opened = await done(client.stream_chat(CHAT))
    await done(client.close() if driver.is_sync else client.aclose())
    del opened

    assert await asyncio.to_thread(server.closed)
