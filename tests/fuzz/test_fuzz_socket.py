"""Whatever bytes come to the server's port, the next call is answered, and every answered call is in the log."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.local import LocalGateway

CALL = "/client/v4/accounts/acct/ai/v1/chat/completions"
LOGS = "/client/v4/accounts/acct/ai-gateway/gateways/default/logs"
TOKEN = {"authorization": "Bearer t"}
PLAIN = b'{"model":"openai/m","messages":[{"role":"user","content":"hi"}]}'
HEAD = f"POST {CALL} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\n".encode()
SENT = (
    *(
        b"",
        b"\r\n\r\n",
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n\r\n",
    ),
    *(b"GET " + b"/a" * 60_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", HEAD + b"x: " + b"a" * 200_000 + b"\r\n\r\n"),
    *(
        HEAD + b"content-length: 5\r\n\r\n12",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"content-length: 9e9\r\n\r\n",
    ),
    *(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x", HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"),
    *(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{}", HEAD + b"expect: 100-continue\r\ncontent-length: 3\r\n\r\n"),
    *(
        b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nhost: [\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\r\nhost: x\r\nhost: \xff\xfe\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET /%00%ff HTTP/1.1\r\n\r\n",
    ),
)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalGateway]:
    with LocalGateway() as running:
        yield running


@pytest.fixture(scope="module")
def client(running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.base_url, headers=TOKEN, timeout=5) as client:
        yield client


def send(running, data):
    """Send bytes, wait a moment for an answer, and go away."""
    with socket.create_connection(("127.0.0.1", httpx.URL(running.base_url).port), timeout=5) as connection:
        with suppress(OSError):  # the server may have had enough of it
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := _received(connection):
            pieces.append(piece)
    return b"".join(pieces)


def _received(connection):
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("data", SENT, ids=lambda data: repr(data[:24]))
def test_what_is_hardly_http_harms_nobody(running, client, data):
    answer = send(running, data)
    assert not answer or int(answer.split(b" ")[1]) < 500
    assert client.post(CALL, content=PLAIN).status_code == 200


def test_any_bytes_harm_nobody(running, client, profile):
    @profile
    @given(st.sampled_from([b"", HEAD, b"GET "]), st.binary(max_size=300))
    def examples(head, data):
        answer = send(running, head + data)
        assert not answer or int(answer.split(b" ")[1]) < 500

    examples()
    assert client.post(CALL, content=PLAIN).status_code == 200


def test_of_many_calls_at_once_none_is_lost(client):
    before = client.get(LOGS).json()["result_info"]["total_count"]
    bodies = [PLAIN, PLAIN.replace(b'"openai', b'"stream":true,"model":"openai'), b"{", b"null"] * 25
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: client.post(CALL, content=body), bodies))
    ids = {answer.headers["cf-aig-log-id"] for answer in answers}
    assert len(ids) == len(bodies)
    assert client.get(LOGS).json()["result_info"]["total_count"] == before + len(bodies)
