"""Which way a call takes: straight to a connection, through a proxy, or through what somebody put in its place."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
import zlib

import httpx
import pytest

from aigw import AIGateway, AsyncAIGateway
from aigw._async_engine import HttpxLoopClient, _new_client
from aigw._over_aiohttp import AiohttpLoopClient

PROXIED = pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
OWN = pytest.mark.parametrize("driver", ["sync", "async"], indirect=True)


@PROXIED
@OWN
async def test_a_proxy_of_the_environment_is_asked(driver, server, wire, monkeypatch, name):
    monkeypatch.setenv(name, server.url)
    server.will(wire.json(wire.completion("Hello")))

    answer = await driver.done(driver.client("http://gateway.test:8000").chat(wire.chat))

    assert answer.text == "Hello"
    assert server.last.path.startswith("http://gateway.test:8000/client/v4/")
    assert server.last.header("host") == "gateway.test:8000"


@OWN
async def test_a_host_that_needs_no_proxy_is_asked_itself(driver, server, open_server, wire, monkeypatch):
    proxy = open_server()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.will(wire.json(wire.completion("Hello")))

    await driver.done(driver.client(server).chat(wire.chat))

    assert (len(server.requests), proxy.connections) == (1, 0)


async def test_an_async_client_rides_on_aiohttp_unless_there_is_a_proxy(monkeypatch):
    plain = _new_client(5.0)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    proxied = _new_client(5.0)

    assert (type(plain), type(proxied)) == (AiohttpLoopClient, HttpxLoopClient)
    await plain.close()
    await proxied.close()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.12.15", "HttpxLoopClient"), ("3.13.5", "AiohttpLoopClient"), ("4.0.0a1", "AiohttpLoopClient")],
)
async def test_an_aiohttp_that_reads_headers_without_end_is_left_alone(monkeypatch, version, expected):
    monkeypatch.setattr("aiohttp.__version__", version)
    monkeypatch.delitem(sys.modules, "aigw._over_aiohttp", raising=False)
    client = _new_client(5.0)

    assert type(client).__name__ == expected
    await client.close()


async def test_without_a_proxy_and_aiohttp_httpx_answers(driver, server, wire, monkeypatch):
    monkeypatch.setattr("aigw._async_engine.has_proxy", lambda: True)
    server.will(wire.json(wire.completion("Hello")), wire.sse(wire.chunk("a", "stop"), wire.done))
    client = driver.client(server)

    assert (await driver.done(client.chat(wire.chat))).text == "Hello"
    stream = await driver.done(client.stream_chat(wire.chat))
    assert [chunk.text for chunk in await driver.items(stream)] == ["a"]


@OWN
async def test_an_encoding_nobody_asked_for_is_read_as_far_as_httpx_can(driver, server, wire):
    packed = zlib.compress(b'{"response": "Hello"}')
    server.will(wire.Reply(200, (("content-type", "application/json"), ("content-encoding", "deflate")), (packed,)))

    assert (await driver.done(driver.client(server).run("@cf/a/b", {}))).output == {"response": "Hello"}


def test_who_watches_send_hears_of_every_call(server, wire, monkeypatch):
    heard, send = [], httpx.Client.send

    def watching(self, request, **settings):
        heard.append(request.url.path)
        return send(self, request, **settings)

    monkeypatch.setattr(httpx.Client, "send", watching)
    server.will(wire.json(wire.completion()))
    with AIGateway("acct", wire.token, base_url=server.url) as client:
        client.chat(wire.chat)

    assert len(heard) == 1


def test_who_reads_the_log_of_httpx_finds_every_call(server, wire, caplog):
    server.will(wire.json(wire.completion()))
    with caplog.at_level(logging.INFO, "httpx"), AIGateway("acct", wire.token, base_url=server.url) as client:
        client.chat(wire.chat)

    assert [record.name for record in caplog.records] == ["httpx"]
    assert wire.token not in caplog.text


def test_a_loop_that_ended_is_let_go_of_when_the_next_comes(server, wire):
    server.will(wire.json(wire.completion()))
    client = AsyncAIGateway("acct", wire.token, base_url=server.url)

    async def use():
        await client.chat(wire.chat)
        return weakref.ref(asyncio.get_running_loop())

    first = asyncio.run(use())
    asyncio.run(use())
    gc.collect()

    assert first() is None


@OWN
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
async def test_what_json_has_no_word_for_is_found_beside_a_big_prompt(driver, server, wire, value):
    big = {**wire.chat, "messages": [{"role": "user", "content": "Say hello. " * 90_000}], "x": [{"y": value}]}

    with pytest.raises(ValueError, match="the request is not JSON"):
        await driver.done(driver.client(server).chat(big))
    assert server.connections == 0
