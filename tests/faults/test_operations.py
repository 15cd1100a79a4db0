"""Failures that every operation of the client meets alike."""

from __future__ import annotations

import asyncio
import json

import pytest

from aigw import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    StreamError,
    StreamTruncatedError,
)

from .driving import CHAT, TOKEN, done, items
from .faulty_server import Close, Reset, Stall
from .modes.mode import LOG_ID, as_json, data, events, head, whole

EVENT = b'data: {"type": "response.created"}\n\n'
CALLS = {
    "run": lambda client: client.run("@cf/a/b", {"prompt": "Hi"}),
    "embed": lambda client: client.embed({"model": "openai/e", "input": ["a"]}),
    "completions": lambda client: client.completions(CHAT),
    "responses": lambda client: client.responses({"model": "openai/m", "input": "Hi"}),
    "messages": lambda client: client.messages({"model": "anthropic/m", "messages": []}),
    "universal": lambda client: client.gateway().run([{"provider": "openai", "endpoint": "x", "query": {}}]),
    "patch_log": lambda client: client.gateway().patch_log("1", feedback=1),
}
READS = {
    "get_log": lambda client: client.gateway().get_log("1"),
    "list_logs": lambda client: client.gateway().list_logs(),
}
STREAMS = {
    "stream_run": lambda client: client.stream_run("@cf/a/b", {"prompt": "Hi"}),
    "stream_completions": lambda client: client.stream_completions(CHAT),
    "stream_responses": lambda client: client.stream_responses({"model": "openai/m", "input": "Hi"}),
    "stream_messages": lambda client: client.stream_messages({"model": "anthropic/m", "messages": []}),
    "stream_universal": lambda client: client.gateway().stream_run(
        [{"provider": "openai", "endpoint": "x", "query": {}}]
    ),
}
FAULTS = {
    "closed": ((Close(),), APIConnectionError, 1),
    "reset-in-the-body": ((head(200, "content-length: 9"), b"{", Reset()), APIConnectionError, 1),
    "refused": (whole(b"<html>", 500, kind="text/html"), InternalServerError, 3),
    "redirected": (whole(b"", 307, "location: /"), APIStatusError, 1),
    "html": (whole(b"<html>", kind="text/html"), APIStatusError, 1),
}
STREAM_FAULTS = {
    "closed-in-an-event": (events(EVENT, EVENT[:9]), StreamError, 1),
    "ended-too-soon": (events(EVENT), StreamTruncatedError, 1),
    "an-error": (events(EVENT, b'data: {"type": "error", "error": {"message": "busy"}}\n\n'), StreamError, 1),
}


@pytest.mark.parametrize("driver", ["sync", "sync-httpx", "aiohttp", "httpx-aiohttp"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", [*CALLS, *READS])
async def test_every_call_fails_with_a_typed_error(driver, server, name, fault):
    reply, error, requests = FAULTS[fault]
    server.replies = [reply]
    client = driver.client(server.url)
    if (name, fault) == ("patch_log", "html"):
        return  # it reads no answer but the status

    with pytest.raises(error):
        await done((CALLS | READS)[name](client))
    assert len(server.requests) == requests or name in READS
    assert await asyncio.to_thread(server.let_go)


@pytest.mark.parametrize("driver", ["sync", "sync-httpx", "aiohttp", "httpx-aiohttp"], indirect=True)
@pytest.mark.parametrize("fault", STREAM_FAULTS)
@pytest.mark.parametrize("name", STREAMS)
async def test_every_stream_fails_with_a_typed_error_and_its_log(driver, server, name, fault):
    reply, error, _ = STREAM_FAULTS[fault]
    server.replies = [reply]

    with pytest.raises(error) as failed:
        async for _ in items(await done(STREAMS[name](driver.client(server.url)))):
            pass
    assert (failed.value.log_id, len(server.requests)) == (LOG_ID, 1)
    assert await asyncio.to_thread(server.let_go)


async def test_a_kept_connection_that_closes_with_the_next_request_is_not_asked_again(driver, server):
    server.replies = [whole(as_json({"choices": []})), (Close(),)]
    client = driver.client(server.url)
    await done(client.chat(CHAT))

    with pytest.raises(APIConnectionError) as lost:
        await done(client.chat(CHAT))
    assert (lost.value.request_sent, len(server.requests)) == (True, 2)


async def test_a_kept_connection_that_closed_meanwhile_is_opened_again(driver, server):
    server.replies = [(*whole(as_json({"choices": []})), Close()), whole(as_json({"choices": []}))]
    client = driver.client(server.url)
    await done(client.chat(CHAT))
    assert await asyncio.to_thread(server.closed)
    for _ in range(3):
        await asyncio.sleep(0)  # the loop looks at its sockets

    await done(client.chat(CHAT))
    assert len(server.requests) == 2


async def test_a_connect_that_gets_no_answer_ends_in_time(driver, monkeypatch):
    import socket  # noqa: PLC0415

    monkeypatch.setattr("aigw._retries._LONGEST_DELAY", 0.0)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003  socket's own
            one.connect_ex(full.getsockname())
        client = driver.client(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout=0.1)
        with pytest.raises(APITimeoutError) as late:
            await done(client.without_retries().chat(CHAT))
        for one in waiting:
            one.close()
    assert not late.value.request_sent


async def test_what_json_has_no_word_for_is_refused_before_any_request(driver, server):
    client = driver.client(server.url)
    circle: list[object] = []
    circle.append(circle)
    deep: object = 1
    for _ in range(5000):
        deep = [deep]

    for value in (float("nan"), float("inf"), circle, deep, "\ud83d", {1, 2}, b"x"):
        with pytest.raises(ValueError, match="the request is not JSON"):
            await done(client.chat({**CHAT, "x": value}))
    assert server.connections == 0


async def test_null_and_unusual_numbers_are_sent_as_they_are(driver, server):
    server.replies = [whole(as_json({"choices": []}))]
    await done(driver.client(server.url).chat({**CHAT, "x": [None, 10**30, 1e-300, -0.0]}))

    assert json.loads(server.requests[0].body)["x"] == [None, 10**30, 1e-300, -0.0]


async def test_a_stall_in_a_stream_names_the_log(driver, server):
    server.replies = [events(data("a"), Stall(), close=False)]

    with pytest.raises(APITimeoutError) as late:
        async for _ in items(await done(driver.client(server.url, 0.3).stream_chat(CHAT))):
            pass
    assert late.value.log_id == LOG_ID
    assert TOKEN not in str(late.value)
