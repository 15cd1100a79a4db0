"""Where a stream ends for its reader: at its own end, whatever the server does with the connection after that."""

import time

import httpx
import pytest

from aigw import AIGateway
from aigw._engines._answer import Answer
from aigw._engines._rest import SECONDS, aread_rest, hurry
from aigw._http import Headers

KEEP_ALIVE = b": keep-alive\n\n"
SOON = 2.0
EVENT = b'data: {"type": "x"}\n\n'
USAGE = b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
CHATS = [
    pytest.param({"endless": True}, (KEEP_ALIVE,), id="comments"),
    pytest.param({"cut": "silent"}, (), id="silence"),
    pytest.param({"endless": True}, (b"data: junk\n\n",), id="junk"),
    pytest.param({"cut": "after"}, (b"data: junk\n\n",), id="break"),
]


@pytest.fixture
def own_httpx():
    with httpx.Client() as client:
        yield client


async def timed(driver, opened):
    began = time.monotonic()
    items = await driver.items(opened)
    return items, time.monotonic() - began


@pytest.mark.parametrize(("more", "after"), CHATS)
async def test_done_ends_a_stream_whatever_the_server_goes_on_with(driver, server, wire, more, after):
    server.will(wire.sse(wire.chunk("a", "stop"), USAGE, wire.done, *after, headers=wire.ids, **more))
    client = driver.client(server, timeout=30)

    items, seconds = await timed(driver, await driver.done(client.stream_chat(wire.chat)))
    assert [item.text for item in items] == ["a", ""]
    assert items[1].usage.total_tokens == 3
    assert (items[0].info.log_id, client.log_id) == ("01LOG", "01LOG")
    assert seconds < SOON


@pytest.mark.parametrize(("more", "after"), CHATS)
def test_it_ends_so_over_a_client_of_the_callers_too(server, wire, own_httpx, more, after):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, *after, **more))
    client = AIGateway("acct", wire.token, base_url=server.url, http_client=own_httpx, timeout=30)

    began = time.monotonic()
    assert [item.text for item in client.stream_chat(wire.chat)] == ["a"]
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("kind", ["message_stop", "response.completed", "response.failed", "response.incomplete"])
async def test_the_last_event_of_a_dialect_ends_it_too(driver, server, wire, kind):
    end = b'data: {"type": "%s"}\n\n' % kind.encode()
    server.will(wire.sse(EVENT, end, KEEP_ALIVE, endless=True))
    call = driver.client(server, timeout=30)
    call = call.stream_messages if kind == "message_stop" else call.stream_responses

    items, seconds = await timed(driver, await driver.done(call({"model": "anthropic/m", "input": "Hi"})))
    assert [item["type"] for item in items] == ["x", kind]
    assert seconds < SOON


async def test_a_server_that_goes_on_after_done_loses_its_connection(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, cut="silent"), wire.json(wire.completion()))
    client = driver.client(server)
    await driver.items(await driver.done(client.stream_chat(wire.chat)))

    assert (await driver.done(client.chat(wire.chat))).text == "Hello"
    assert server.connections == 2


def test_the_next_call_over_a_connection_has_its_whole_time_again(server, wire, own_httpx):
    slow = wire.Reply(200, (("content-type", "application/json"),), (b'{"choices": []}',), delay=3 * SECONDS)
    for settings in ({}, {"http_client": own_httpx}):
        server.will(wire.sse(wire.chunk("a", "stop"), wire.done), slow)
        before = server.connections
        with AIGateway("acct", wire.token, base_url=server.url, timeout=30, max_retries=0, **settings) as client:
            assert len(list(client.stream_chat(wire.chat))) == 1
            assert client.chat(wire.chat).text == ""
        assert server.connections == before + 1


async def test_usage_may_come_late_after_a_finish_reason(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), *[KEEP_ALIVE] * 20, USAGE, wire.done))

    items = await driver.items(await driver.done(driver.client(server).stream_chat(wire.chat)))
    assert [bool(item.usage) for item in items] == [False, True]


async def test_nobody_waits_for_usage_without_end(driver, server, wire, monkeypatch):
    monkeypatch.setattr("aigw._stream_readers.PATIENCE", 2.0)
    server.will(wire.sse(wire.chunk("a"), wire.chunk("!", "stop"), KEEP_ALIVE, endless=True))

    opened = await driver.done(driver.client(server, timeout=0.2).stream_chat(wire.chat))
    items, seconds = await timed(driver, opened)
    assert [item.text for item in items] == ["a", "!"]
    assert seconds < SOON


def test_outside_asyncio_the_rest_is_not_waited_for():
    async def body():
        raise AssertionError("asked for")
        yield b""

    answer = Answer(200, Headers(), None, lambda: None, None, None)
    with pytest.raises(StopIteration):
        aread_rest(answer, body()).send(None)


@pytest.mark.parametrize(
    ("extensions", "can_hurry"),
    [({}, True), ({"network_stream": object(), "http_version": b"HTTP/2"}, False)],
)
def test_waits_are_left_alone_where_there_are_none_or_others_share_them(extensions, can_hurry):
    with hurry(httpx.Response(200, extensions=extensions), SECONDS) as could:
        assert could is can_hurry
