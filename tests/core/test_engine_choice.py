"""Which way a call takes: straight to a connection, through a proxy, or through what somebody put in its place."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import logging
import sys
import weakref
import zlib
from unittest import mock

import httpx
import pytest

from aigw import AIGateway, APIConnectionError, AsyncAIGateway
from aigw._engines._async_engine import OwnLoopClient
from aigw._engines._engine import OwnClient
from aigw._engines._observers import is_watched

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


@pytest.fixture
def proxied(monkeypatch):
    """Name a proxy for everything where nobody listens, with a password, and exempt nothing from it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://me:planted@127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@OWN
@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_asked_directly_whatever_proxies_the_environment_names(driver, server, wire, host):
    server.will(wire.json(wire.completion("Hello")), wire.sse(wire.chunk("a", "stop"), wire.done))
    client = driver.client(server.url.replace("127.0.0.1", host))

    assert (await driver.done(client.chat(wire.chat))).text == "Hello"
    stream = await driver.done(client.stream_chat(wire.chat))
    assert [chunk.text for chunk in await driver.items(stream)] == ["a"]


@OWN
@pytest.mark.usefixtures("proxied")
async def test_a_call_that_httpx_is_watched_for_goes_directly_to_this_machine_too(driver, server, wire, caplog):
    server.will(wire.json(wire.completion("Hello")))
    with caplog.at_level(logging.INFO, "httpx"):
        answer = await driver.done(driver.client(server).chat(wire.chat))

    assert (answer.text, [record.name for record in caplog.records]) == ("Hello", ["httpx"])


@OWN
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://127.0.0.1:9"])
async def test_a_proxy_that_httpx_cannot_use_keeps_nobody_from_this_machine(driver, server, wire, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    server.will(wire.json(wire.completion("Hello")))

    assert (await driver.done(driver.client(server).chat(wire.chat))).text == "Hello"


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("origin", ["http://gateway.test:8000", "https://gateway.test"])
async def test_an_error_behind_a_proxy_names_it_without_its_password(driver, wire, origin):
    client = driver.client(origin, max_retries=0)
    with pytest.raises(APIConnectionError) as failure:
        await driver.done(client.chat(wire.chat))

    assert str(failure.value).startswith(f"No answer from {origin} through the proxy http://127.0.0.1:9: ")
    assert "planted" not in str(failure.value)


@OWN
async def test_an_answer_that_breaks_off_behind_a_proxy_names_it(driver, server, wire, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.will(wire.Reply(200, (("content-type", "application/json"),), (b"{",), cut="after"))
    with pytest.raises(
        APIConnectionError, match=f"^The answer broke off from http://gateway.test through the proxy {server.url}: "
    ):
        await driver.done(driver.client("http://gateway.test", max_retries=0).chat(wire.chat))


async def test_an_async_client_rides_on_aiohttp_unless_there_is_a_proxy(monkeypatch):
    plain = OwnLoopClient(5.0)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    proxied = OwnLoopClient(5.0)

    assert (plain._aiohttp is None, proxied._aiohttp is None) == (False, True)
    await plain.close()
    await proxied.close()


def test_a_sync_client_rides_on_urllib3_unless_there_is_a_proxy(monkeypatch):
    plain = OwnClient(5.0)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    proxied = OwnClient(5.0)

    assert (plain._urllib3 is None, proxied._urllib3 is None) == (False, True)


@pytest.mark.parametrize(
    ("version", "is_ridden"),
    [("3.12.15", False), ("3.13.5", True), ("4.0.0a1", True)],
)
async def test_an_aiohttp_that_reads_headers_without_end_is_left_alone(monkeypatch, version, is_ridden):
    monkeypatch.setattr("aiohttp.__version__", version)
    monkeypatch.delitem(sys.modules, "aigw._engines._over_aiohttp", raising=False)
    client = OwnLoopClient(5.0)

    assert (client._aiohttp is not None) is is_ridden
    await client.close()


@pytest.mark.parametrize(("version", "is_ridden"), [("2.0.7", False), ("2.1.0", True), ("3.0.0a1", True)])
def test_a_urllib3_that_leaks_sockets_is_left_alone(monkeypatch, version, is_ridden):
    monkeypatch.setattr("urllib3.__version__", version)
    monkeypatch.delitem(sys.modules, "aigw._engines._over_urllib3", raising=False)

    assert (OwnClient(5.0)._urllib3 is not None) is is_ridden


@OWN
async def test_where_httpx_answers_it_answers_alike(driver, server, wire, monkeypatch):
    monkeypatch.setattr("aigw._engines._engine.has_proxy", lambda: True)
    server.will(wire.json(wire.completion("Hello")), wire.sse(wire.chunk("a", "stop"), wire.done))
    client = driver.client(server)

    assert (await driver.done(client.chat(wire.chat))).text == "Hello"
    stream = await driver.done(client.stream_chat(wire.chat))
    assert [chunk.text for chunk in await driver.items(stream)] == ["a"]


@OWN
async def test_an_encoding_nobody_asked_for_is_refused_without_unpacking(driver, server, wire):
    packed = zlib.compress(b'{"response": "Hello"}')
    server.will(wire.Reply(200, (("content-type", "application/json"), ("content-encoding", "deflate")), (packed,)))

    with pytest.raises(APIConnectionError, match="encoding is not gzip") as refused:
        await driver.done(driver.client(server).run("@cf/a/b", {}))
    assert refused.value.request_sent


PLACES = [
    ("sync", "httpx", "Client", "send"),
    ("sync", "httpx", "Client", "_send_single_request"),
    ("sync", "httpx", "HTTPTransport", "handle_request"),
    ("sync", "httpcore", "ConnectionPool", "handle_request"),
    ("sync", "httpcore", "HTTPConnection", "handle_request"),
    ("async", "httpx", "AsyncClient", "send"),
    ("async", "httpx", "AsyncClient", "_send_single_request"),
    ("async", "httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("async", "httpcore", "AsyncConnectionPool", "handle_async_request"),
    ("async", "httpcore", "AsyncHTTPConnection", "handle_async_request"),
]


@pytest.mark.parametrize(("kind", "library", "owner", "name"), PLACES)
async def test_who_stands_in_the_place_of_a_function_of_httpx_hears_of_every_call(
    server, wire, monkeypatch, kind, library, owner, name
):
    heard, owner = [], getattr(importlib.import_module(library), owner)
    own = getattr(owner, name)

    def watching(self, request, **settings):
        heard.append(bytes(getattr(request.url, "raw_path", b"") or request.url.target))
        return own(self, request, **settings)

    server.will(wire.json(wire.completion()))
    client_class = AIGateway if kind == "sync" else AsyncAIGateway
    client = client_class("acct", wire.token, base_url=server.url)
    for is_watching in (False, True, False):
        with monkeypatch.context() as patched:
            if is_watching:
                patched.setattr(owner, name, watching)
            assert is_watched(kind) is is_watching
            answer = client.chat(wire.chat)
            assert (answer if kind == "sync" else await answer).text == "Hello"
    await (asyncio.to_thread(client.close) if kind == "sync" else client.aclose())

    assert heard == [b"/client/v4/accounts/acct/ai/v1/chat/completions"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_wrapper_that_pretends_to_be_the_function_is_seen(monkeypatch, kind):
    owner = httpx.Client if kind == "sync" else httpx.AsyncClient

    @functools.wraps(owner.send)
    def wrapper(*args, **settings):
        raise AssertionError(args, settings)

    monkeypatch.setattr(owner, "send", wrapper)
    assert is_watched(kind)
    monkeypatch.setattr(owner, "send", mock.MagicMock(spec=httpx.Client.send))
    assert is_watched(kind)


@OWN
async def test_who_reads_the_log_of_httpx_finds_every_call(driver, server, wire, caplog):
    server.will(wire.json(wire.completion()))
    with caplog.at_level(logging.INFO, "httpx"):
        await driver.done(driver.client(server).chat(wire.chat))

    assert [record.name for record in caplog.records] == ["httpx"]
    assert wire.token not in caplog.text


@OWN
async def test_an_application_that_logs_everything_from_info_on_costs_no_call_its_speed(driver, server, wire, caplog):
    server.will(wire.json(wire.completion()))
    with caplog.at_level(logging.INFO):
        assert not is_watched(driver.kind)
        await driver.done(driver.client(server).chat(wire.chat))

    assert caplog.records == []


@OWN
async def test_a_call_that_goes_round_httpx_has_a_line_in_our_log(driver, server, wire, caplog):
    server.will(wire.json({"success": True, "result": []}))
    with caplog.at_level(logging.DEBUG, "aigw"):
        await driver.done(driver.client(server).gateway("gw").list_logs(per_page=7))

    assert [record.getMessage() for record in caplog.records if record.name == "aigw"] == [
        f"GET {server.url}/client/v4/accounts/acct/ai-gateway/gateways/gw/logs: HTTP 200"
    ]
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
