"""The sync engine's connections: kept, checked, lent to threads, closed by any; and what goes over them."""

from __future__ import annotations

import gc
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException

import httpx
import pytest

from aigw import AIGateway, APIConnectionError, APIStatusError, APITimeoutError
from aigw._engines._http_head import WireError
from aigw._engines._over_urllib3 import UrllibClient
from aigw._http import Request
from aigw._version import __version__

LIMITS = httpx.Limits(max_connections=1)
RAW = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def client():
    made = UrllibClient(httpx.Timeout(5, pool=0.05), LIMITS)
    yield made
    made.close()


def ask(client, server, content=b"{}", path="/x"):
    answer = client.open(Request("POST", f"{server.url}{path}", (("x-a", "b"),), content))
    try:
        return b"".join(answer.body)
    finally:
        answer.close()


class Bare:
    """A server whose connections answer each request with the next of these bytes, and then stay open."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = []
        self._answers = ()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def will(self, *answers):
        self._answers = answers

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, connection):
        with suppress(OSError), connection:
            for answer in (*self._answers, b""):
                if connection.recv(65536):
                    connection.sendall(answer)

    def close(self):
        for opened in (self._listener, *self.connections):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def bare():
    server = Bare()
    yield server
    server.close()


def test_what_is_sent_is_what_was_asked_and_who_asks(client, server):
    client.open(Request("GET", f"{server.url}/a%20b?c=d", (("X-A", "b"),))).close()
    ask(client, server)

    host = ("Host", server.url.removeprefix("http://"))
    common = (
        ("user-agent", f"aigw/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip"),
    )
    first, second = server.requests
    assert (first.method, first.path, first.headers) == ("GET", "/a%20b?c=d", (host, *common, ("X-A", "b")))
    assert (second.body, second.headers) == (b"{}", (host, ("Content-Length", "2"), *common, ("x-a", "b")))


@pytest.mark.parametrize("size", [0, 1, 65_000, 65_536, 1_000_000, 20_000_000])
def test_a_body_of_any_size_arrives_whole(client, server, size):
    content = os.urandom(size)
    ask(client, server, content)

    assert server.last.body == content


def test_a_connection_is_used_again(client, server):
    for _ in range(3):
        ask(client, server)
    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_that_was_idle_too_long_is_not_used_again(server):
    client = UrllibClient(5, httpx.Limits(keepalive_expiry=0.01))
    for _ in range(2):
        ask(client, server)
        time.sleep(0.02)
    client.close()
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (RAW, 1),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}", 2),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", 2),
        (RAW + b"HTTP/1.1 200 OK\r\n", 2),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n\r\n", 2),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 2),
    ],
)
def test_only_a_connection_whose_answer_ends_where_it_says_is_used_again(client, bare, answer, connections):
    bare.will(answer, answer)
    assert [ask(client, bare) for _ in range(2)] == [b"{}", b"{}"]
    assert len(bare.connections) == connections


def test_a_connection_on_which_something_came_meanwhile_is_not_used_again(client, bare):
    bare.will(RAW)
    assert ask(client, bare) == b"{}"
    (pool,) = client._pools.values()
    connection = pool.pool._places[-1]
    bare.connections[0].sendall(RAW)
    select.select([connection.sock], [], [], 10)

    assert ask(client, bare) == b"{}"
    assert len(bare.connections) == 2


@pytest.mark.parametrize(
    ("interim", "error"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", None),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20, "without end"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes the protocol"),
    ],
)
def test_interim_answers_are_passed_over_as_far_as_there_is_an_end(client, bare, interim, error):
    bare.will(interim + RAW)
    if error is None:
        assert ask(client, bare) == b"{}"
    else:
        with pytest.raises(APIConnectionError, match=error) as refused:
            ask(client, bare)
        assert refused.value.request_sent


def test_a_call_waits_for_a_connection_and_no_longer_than_it_may(client, server, wire):
    server.will(wire.sse(wire.done, endless=True))
    held = client.open(Request("POST", server.url))
    with pytest.raises(APITimeoutError, match="Pool is empty") as late:
        ask(client, server)
    assert not late.value.request_sent
    held.close()
    server.will(wire.json({}))
    assert ask(client, server) == b"{}"


def test_an_answer_that_is_dropped_unread_gives_its_connection_back(client, server, wire):
    server.will(wire.sse(wire.done, endless=True), wire.json({}))
    answer = client.open(Request("POST", server.url))
    next(iter(answer.body))
    del answer
    gc.collect()
    assert ask(client, server) == b"{}"


def test_the_garbage_collector_may_give_a_connection_back_wherever_it_strikes(server, wire):
    server.will(wire.json({}))
    client, ended = UrllibClient(5, httpx.Limits(max_connections=200)), []

    def leave_answers():
        for _ in range(40):
            cycle = [client.open(Request("POST", server.url))]
            cycle.append(cycle)
            (pool,) = client._pools.values()
            for _ in range(20):
                pool._put_conn(pool._get_conn())
        ended.append(True)

    thresholds = gc.get_threshold()
    thread = threading.Thread(target=leave_answers, daemon=True)
    try:
        gc.set_threshold(1)
        thread.start()
        thread.join(30)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    (pool,) = client._pools.values()
    assert (ended, len(pool._lent), pool.pool.qsize()) == ([True], 0, 200)
    client.close()


def test_a_connection_that_failed_is_not_held(client, bare):
    bare.will(b"no HTTP\r\n\r\n")
    with pytest.raises(APIConnectionError):
        ask(client, bare)
    (pool,) = client._pools.values()
    assert (pool._lent, pool.pool.qsize()) == (set(), 1)


def test_an_answer_that_breaks_gives_its_connection_back(client, server, wire):
    server.will(wire.Reply(pieces=(b"{}",), cut="after"), wire.json({}))
    answer = client.open(Request("POST", server.url))
    with pytest.raises(HTTPException):
        b"".join(answer.body)
    assert ask(client, server) == b"{}"


def test_a_body_is_not_read_on_when_its_answer_is_closed(client, server, wire):
    server.will(wire.sse(b"abc", endless=True))
    answer = client.open(Request("POST", server.url))
    body = iter(answer.body)
    next(body)
    answer.close()
    answer.close()
    with pytest.raises(WireError, match="closed"):
        next(body)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9", "http://[::1]:9"])
def test_what_was_never_opened_was_never_sent(client, url):
    with pytest.raises(APIConnectionError) as refused:
        client.open(Request("POST", url))
    assert (refused.value.request_sent, isinstance(refused.value.__cause__, OSError)) == (False, True)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "x", "http://[::/", "http://x\r\n", f"http://{'a' * 70}.test"])
def test_a_url_that_leads_nowhere_was_never_sent(client, url):
    with pytest.raises(APIConnectionError) as refused:
        client.open(Request("POST", url))
    assert not refused.value.request_sent


def test_a_name_without_an_address_was_never_sent_to(client, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(APIConnectionError, match="not known") as refused:
        client.open(Request("POST", "http://gateway.test/", (("authorization", "Bearer planted"),)))
    assert (refused.value.request_sent, "planted" in str(refused.value)) == (False, False)


@pytest.mark.parametrize(
    "field",
    [("x", "planted\r\ny: z"), ("x", "planted\x00"), ("x", "planted\xe9"), ("x", "planted\ud83d"), ("x y", "planted")],
)
def test_a_header_that_cannot_be_sent_is_not_sent(client, server, field):
    with pytest.raises(APIConnectionError, match="a header field") as refused:
        client.open(Request("POST", server.url, (field,)))
    assert (refused.value.request_sent, "planted" in str(refused.value), server.connections) == (False, False, 0)


def test_a_server_that_speaks_no_tls_was_never_sent_anything(client, bare):
    bare.will(RAW)
    with pytest.raises(APIConnectionError) as refused:
        client.open(Request("POST", bare.url.replace("http", "https")))
    assert isinstance(refused.value.__cause__, ssl.SSLError)
    assert not refused.value.request_sent


def test_a_handshake_that_gets_no_answer_ends_in_time():
    client = UrllibClient(httpx.Timeout(5, connect=0.1), LIMITS)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(APITimeoutError) as late:
        client.open(Request("POST", f"https://127.0.0.1:{silent.getsockname()[1]}"))
    assert not late.value.request_sent


def test_a_server_that_reads_no_more_is_not_waited_for_without_end():
    client = UrllibClient(httpx.Timeout(30, write=0.2), LIMITS)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(APITimeoutError) as late:
        client.open(Request("POST", f"http://127.0.0.1:{silent.getsockname()[1]}", content=b"x" * 30_000_000))
    assert late.value.request_sent


def test_many_threads_share_a_client(server, wire):
    def echo(request):
        return wire.json({"response": request.json["input"]["n"]})

    server.will(echo)
    with AIGateway("acct", wire.token, base_url=server.url) as client, ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda n: client.run("@cf/a/b", {"n": n}).output["response"], range(640)))
    assert answers == list(range(640))
    assert server.connections <= 32


def test_closing_the_client_wakes_who_waits_for_an_answer(server, wire):
    server.will(wire.Reply(delay=30))
    client, ended = AIGateway("acct", wire.token, base_url=server.url), []

    def wait():
        with pytest.raises(APIConnectionError, match="closed"):
            client.chat(wire.chat)
        ended.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    while not server.requests:
        time.sleep(0.001)
    began = time.monotonic()
    client.close()
    thread.join(10)
    assert ended[0] - began < 5


def test_a_client_that_was_closed_calls_on(server, wire):
    server.will(wire.json(wire.completion("Hello")))
    client = AIGateway("acct", wire.token, base_url=server.url)
    for _ in range(2):
        assert client.chat(wire.chat).text == "Hello"
        client.close()
    assert server.connections == 2


def test_a_refusal_that_comes_before_the_body_was_read_is_heard(wire):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 x\r\ncontent-length: 2\r\n\r\n{}")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with AIGateway("acct", wire.token, base_url=url) as gateway, pytest.raises(APIStatusError) as refused:
            gateway.chat({**wire.chat, "x": "y" * 10_000_000})
        thread.join(10)
    assert refused.value.status_code == 413


@pytest.fixture
def certificate(require, tmp_path):
    """A certificate for localhost that nobody signed, and its key."""
    openssl = require.program("openssl", how="install OpenSSL")
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", made, *names], check=True, capture_output=True)  # noqa: S603
    return made, key


@pytest.fixture
def secure(certificate):
    """A server over TLS that answers each request, until its listener closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secured:
                    seen.append(secured)
                    while data := secured.recv(65536):
                        while not data.endswith(b"}"):
                            data += secured.recv(65536)
                        secured.sendall(RAW)
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}", seen
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def test_tls_is_spoken_on_a_connection_that_is_kept(secure, certificate, monkeypatch):
    url, seen = secure
    monkeypatch.setattr(
        "aigw._engines._urllib3_pools.ssl_context", lambda: ssl.create_default_context(cafile=certificate[0])
    )
    client = UrllibClient(5, LIMITS)
    for size in (1, 1_000_000):
        answer = client.open(Request("POST", url, content=b"x" * size + b"}"))
        assert b"".join(answer.body) == b"{}"
    client.close()
    assert len(seen) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_not_to_be_trusted_is_not_sent_anything(secure, certificate, monkeypatch, host):
    url, _ = secure
    if host != "localhost":  # trusted, and another's
        monkeypatch.setattr(
            "aigw._engines._urllib3_pools.ssl_context", lambda: ssl.create_default_context(cafile=certificate[0])
        )
    client = UrllibClient(5, LIMITS)
    with pytest.raises(APIConnectionError, match="certificate verify failed") as refused:
        client.open(Request("POST", url.replace("localhost", host), content=b"}"))
    assert not refused.value.request_sent
