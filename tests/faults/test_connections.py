"""Connections as they are kept, lent and left: what nobody asked for, what is old, whose server does not read."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress

import httpx
import pytest

from aigw import AIGateway, APITimeoutError, AsyncAIGateway, ConfigurationError, StreamTruncatedError
from aigw._engines._over_urllib3 import UrllibClient
from aigw._http import Request

from .driving import CHAT, DEVELOPMENT, TOKEN, done, ended, told
from .faulty_server import Deaf, Endless, Stall
from .modes.mode import WHOLE, chunked, data, events, head, whole

LONG = {**CHAT, "x": "y" * 8_000_000}
ENDLESS = Endless(data("b"), 0.01)
STREAMS = {
    "closing": events(data("a"), ENDLESS, close=False),
    "without-a-length": (head(kind="text/event-stream"), data("a"), ENDLESS),
    "chunked": (
        head(200, "transfer-encoding: chunked", kind="text/event-stream") + chunked(data("a"))[:-5],
        Endless(chunked(data("b"))[:-5], 0.01),
    ),
    "chunked-and-closing": (
        head(200, "transfer-encoding: chunked", "connection: close", kind="text/event-stream")
        + chunked(data("a"))[:-5],
        Endless(chunked(data("b"))[:-5], 0.01),
    ),
    "silent": events(data("a"), Stall(), close=False),
}
IN_A_CYCLE = """
import gc, aigw
client = aigw.AIGateway('acct', TOKEN, base_url=URL, max_retries=0)
for _ in range(3):
    stream = client.stream_chat(CHAT)
    next(stream)
    cycle = [stream]
    cycle.append(cycle)
    del stream, cycle
gc.collect()
"""


@pytest.mark.parametrize("driver", ["sync", "sync-httpx", "aiohttp", "httpx"], indirect=True)
async def test_a_server_that_does_not_read_is_not_waited_for_without_end(driver, server):
    server.is_early, server.replies = True, [(Deaf(20),)]

    began = time.monotonic()
    with pytest.raises(APITimeoutError) as late:
        await done(driver.client(server.url, write_timeout=0.3).chat(LONG))
    assert time.monotonic() - began < 10
    assert (late.value.request_sent, len(server.requests)) == (True, 1)


@pytest.fixture
def sockets():
    """Count the sockets that the event loop looks at."""
    return lambda: len(asyncio.get_running_loop()._selector.get_map())


@pytest.mark.parametrize("driver", ["aiohttp"], indirect=True)
async def test_a_stream_that_is_left_while_its_request_is_still_sent_ends_the_connection(driver, server, sockets):
    server.is_early, server.replies = True, [(events(data("a"), close=False)[0], data("a"), Deaf(20))]
    before = sockets()
    stream = driver.client(server.url).stream_chat(LONG)
    assert (await anext(stream)).text == "a"
    assert sockets() > before
    del stream

    for _ in range(9):
        await asyncio.sleep(0)
    assert sockets() == before


@pytest.mark.parametrize("driver", ["aiohttp"], indirect=True)
async def test_a_call_that_is_cancelled_while_it_is_still_sent_ends_the_connection(driver, server, sockets):
    server.is_early, server.replies = True, [(Deaf(20),)]
    before = sockets()
    task = asyncio.create_task(driver.client(server.url).chat(LONG))
    assert await asyncio.to_thread(server.asked)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(9):
        await asyncio.sleep(0)
    assert sockets() == before


async def test_a_long_body_arrives_as_it_is(driver, server):
    server.replies = [whole(WHOLE)]
    for size in (32_000, 33_000, 262_144, 262_145, 900_000):
        await done(driver.client(server.url).chat({**CHAT, "x": "y" * size}))
        assert server.requests[-1].body.count(b"y") == size
        await driver.close()


@pytest.mark.parametrize("name", STREAMS)
def test_closing_the_client_wakes_who_waits_for_a_stream(server, name):
    server.replies = [STREAMS[name]]
    client, ends = AIGateway("acct", TOKEN, base_url=server.url, max_retries=0), []
    began = threading.Event()

    def read():
        stream = client.stream_chat(CHAT)
        next(stream)
        began.set()
        with pytest.raises(StreamTruncatedError):
            list(stream)
        ends.append(time.monotonic())

    thread = threading.Thread(target=read)
    thread.start()
    assert began.wait(10)
    closed = time.monotonic()
    client.close()
    thread.join(20)
    assert ends[0] - closed < 5


@pytest.mark.parametrize("name", STREAMS)
def test_streams_in_a_cycle_are_closed_by_the_collector_without_a_word(server, name):
    server.replies = [STREAMS[name]]
    assert ended(server, IN_A_CYCLE, *DEVELOPMENT) == (0, "")
    assert server.closed()


def test_with_one_connection_that_is_too_old_all_that_are_go(server):
    server.replies = [whole(WHOLE)]
    client = UrllibClient(5, httpx.Limits(max_connections=9, keepalive_expiry=0.2))
    request = Request("POST", server.url, content=b"{}")
    answers = [client.open(request) for _ in range(3)]
    for answer in answers:
        b"".join(answer.body)
    assert (server.connections, len(server._open)) == (3, 3)
    time.sleep(0.25)

    b"".join(client.open(request).body)
    assert server.wait_for(lambda: len(server._open) == 1, 5)
    client.close()


def test_many_loops_begin_and_end_on_one_client(server):
    server.replies = [whole(WHOLE)]
    client, failed = AsyncAIGateway("acct", TOKEN, base_url=server.url), []

    async def call():
        await client.chat(CHAT)
        await client.aclose()

    def run():
        try:
            for _ in range(15):
                asyncio.run(call())
        except BaseException as error:  # noqa: BLE001 -- told below
            failed.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failed == []


@pytest.fixture
def secure(require, tmp_path):
    """A server over TLS whose first answer fills a reader's buffer, with another after it that nobody asked for."""
    openssl = require.program("openssl", how="install OpenSSL")
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", made, *names], check=True, capture_output=True)  # noqa: S603
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    listener = socket.create_server(("127.0.0.1", 0))
    size = io.DEFAULT_BUFFER_SIZE - len(_answer(b"", 1000))
    surplus = [_answer(b"a" * size, size) + _answer(b"poisoned", 8), _answer(b"b", 1)]

    def serve():
        with suppress(OSError):
            for answer in surplus:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secured:
                    while secured.recv(65536):
                        secured.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}", ssl.create_default_context(cafile=made)
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def _answer(body, size):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %04d\r\n\r\n%s" % (size, body)


def test_what_came_after_an_answer_over_tls_is_no_answer(secure, monkeypatch):
    url, context = secure
    monkeypatch.setattr("aigw._engines._urllib3_pools.ssl_context", lambda: context)
    client = UrllibClient(5, httpx.Limits(max_connections=1))
    bodies = [b"".join(client.open(Request("POST", url, content=b"{}")).body)[:8] for _ in range(2)]
    client.close()
    assert bodies == [b"a" * 8, b"b"]


PROXIES = {
    "HTTP_PROXY": "ftp://me:planted@127.0.0.1:1",
    "https_proxy": "http://me:planted@127.0.0.1:port",
    "ALL_PROXY": "http://me:planted@[::bad",
}


@pytest.mark.parametrize("driver", ["sync", "aiohttp"], indirect=True)
@pytest.mark.parametrize("name", PROXIES)
async def test_a_proxy_that_cannot_be_asked_is_named_without_its_password(driver, monkeypatch, name):
    monkeypatch.setenv(name, PROXIES[name])

    with pytest.raises(ConfigurationError, match=name) as refused:
        await done(driver.client("http://example.invalid").chat(CHAT))
    assert "planted" not in "".join(told(refused.value))


@pytest.mark.parametrize("driver", ["sync", "aiohttp"], indirect=True)
async def test_a_socks_proxy_without_its_package_says_what_to_install(driver, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://me:planted@127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigurationError, match=r"ALL_PROXY .*httpx\[socks\]") as refused:
        await done(driver.client("http://example.invalid").chat(CHAT))
    assert "planted" not in "".join(told(refused.value))
