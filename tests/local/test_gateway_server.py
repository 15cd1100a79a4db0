"""The server's life: it starts, it stops at once whatever is open, and it leaves nothing behind."""

import gc
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from aigw.local import LocalGateway, Reply, ScriptUpstream
from aigw.local._carriers._server import _listen

PATH = "/v1/acct/gw/openai/chat/completions"


class Silent:
    """An upstream that never answers, or stops in the middle of a stream."""

    provider = "silent"

    def __init__(self):
        self.asked = threading.Event()

    async def send(self, endpoint, body, headers):  # noqa: ARG002
        self.asked.set()
        if not body.get("stream"):
            await anyio.sleep_forever()
        return Reply(200, (("content-type", "text/event-stream"),), self.pieces())

    async def pieces(self):
        yield b'data: {"choices":[]}\n\n'
        await anyio.sleep_forever()


def test_the_base_url_needs_a_running_server():
    gateway = LocalGateway()
    with pytest.raises(RuntimeError, match="not running: enter it first"):
        _ = gateway.base_url
    with gateway:
        assert gateway.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="not running"):
        _ = gateway.base_url


def test_the_server_ends_with_its_block(threads):
    with LocalGateway() as gateway:
        url = gateway.base_url
        assert httpx.get(url).status_code == 200
        assert len(threads()) == 1
    assert threads() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


async def test_the_server_is_an_async_context_manager_too(threads):
    async with LocalGateway() as gateway, httpx.AsyncClient(base_url=gateway.base_url) as client:
        assert (await client.get("/")).status_code == 200
    assert threads() == []


def test_a_gateway_can_be_entered_again_but_not_twice_at_once():
    gateway = LocalGateway()
    with gateway, pytest.raises(RuntimeError, match="already running"):
        gateway.__enter__()
    with gateway:
        assert httpx.get(gateway.base_url).status_code == 200


def test_stopping_is_prompt_with_open_streams_waiting_calls_and_idle_connections(kit, threads):
    gateway = LocalGateway(upstream=Silent())
    with gateway, httpx.Client(base_url=gateway.base_url, timeout=30) as client:
        client.get("/")
        with client.stream("POST", PATH, json=kit.chat(model="m", stream=True)) as reply:
            next(reply.iter_raw())
            waiting = threading.Thread(target=_ask_in_vain, args=(gateway, kit))
            gateway._upstream.asked.clear()
            waiting.start()
            assert gateway._upstream.asked.wait(5)
            begin = time.perf_counter()
            gateway.__exit__(None, None, None)
            assert time.perf_counter() - begin < 1
            waiting.join(5)
            assert not waiting.is_alive()
    assert threads() == []
    gc.collect()


def test_a_connection_that_comes_while_the_server_stops_is_closed():
    gateway = LocalGateway()
    with gateway:
        port = urlsplit(gateway.base_url).port
        gateway._server._running._loop.call_soon_threadsafe(time.sleep, 0.2)  # so that both come in one turn of it
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            gateway.__exit__(None, None, None)
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    gc.collect()  # what is left unclosed fails the test here


def _ask_in_vain(gateway, kit):
    with pytest.raises(httpx.TransportError):
        httpx.post(gateway.base_url + PATH, json=kit.chat(model="m"), timeout=30)


def test_a_caller_who_leaves_before_the_answer_frees_the_upstream(kit):
    class Patient(Silent):
        left = threading.Event()

        async def send(self, endpoint, body, headers):
            try:
                return await super().send(endpoint, body, headers)
            finally:
                self.left.set()

    with LocalGateway(upstream=Patient()) as gateway:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(gateway.base_url + PATH, json=kit.chat(model="m"), timeout=httpx.Timeout(5, read=0.05))
        assert Patient.left.wait(5)


def test_a_taken_port_is_an_os_error(threads):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gateway = LocalGateway(port=taken.getsockname()[1])
        with pytest.raises(OSError, match=r"in use|Only one usage"):
            gateway.__enter__()
    assert threads() == []


def test_logs_outlive_the_server_when_a_folder_is_given(tmp_path, kit):
    for _ in range(2):
        with LocalGateway(data=tmp_path) as gateway, httpx.Client(base_url=gateway.base_url) as client:
            client.post(PATH, json=kit.chat(model="m"))
            count = len(kit.logs(client, "gw"))
    assert count == 2


def test_a_body_above_the_limit_is_refused(aigw_local, kit, monkeypatch):
    monkeypatch.setattr("aigw.local._carriers._endpoint.MAX_BODY_BYTES", 1000)
    reply = httpx.post(aigw_local.base_url + PATH, content=b"x" * 1001)
    assert reply.status_code == 413
    assert reply.json()["success"] is False
    assert httpx.post(aigw_local.base_url + PATH, json=kit.chat(model="m")).status_code == 200


def test_a_connection_serves_many_requests(aigw_local, kit):
    with httpx.Client(base_url=aigw_local.base_url, limits=httpx.Limits(max_connections=1)) as client:
        assert [client.post(PATH, json=kit.chat(model="m")).status_code for _ in range(5)] == [200] * 5


def test_the_fixture_gives_a_running_gateway(aigw_local):
    assert isinstance(aigw_local, LocalGateway)
    assert httpx.get(aigw_local.base_url).status_code == 200


@pytest.mark.parametrize("host", ["[bad", "a b", "", "é"])
def test_an_odd_host_field_does_no_harm(aigw_local, host):
    assert httpx.get(aigw_local.base_url, headers={"host": host.encode()}).status_code in {200, 400, 403}


def test_a_wish_for_a_websocket_is_not_answered_with_advice_in_the_log(aigw_local, caplog):
    wish = {"connection": "upgrade", "upgrade": "websocket"}
    reply = httpx.get(f"{aigw_local.base_url}/v1/acct/gw/openai/realtime", headers=wish)
    assert reply.status_code == 501
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_small_writes_are_sent_at_once():
    listener = _listen("127.0.0.1", 0)
    with listener:
        assert listener.proto == socket.IPPROTO_TCP  # asyncio asks for this before it turns Nagle's algorithm off


def test_a_stream_that_is_cut_ends_its_connection_without_a_complaint_in_the_log(caplog):
    cut = ScriptUpstream([{"text": "one two three", "cut": 2}])
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with LocalGateway(upstream=cut) as gateway, pytest.raises(httpx.RemoteProtocolError, match="peer closed"):
        httpx.post(gateway.base_url + PATH, json=body)
    assert [entry.name for entry in caplog.records if entry.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("port", [-1, 65_536, "8787", None, True, 1.5])
def test_a_port_that_cannot_be_is_refused(port):
    with pytest.raises(ValueError, match=r"^port cannot be .*: it is a whole number, 0 \(a free one\) to 65535"):
        LocalGateway(port=port)


def test_a_file_that_holds_no_logs_is_told_as_such_and_kept(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("no logs " * 200)
    with pytest.raises(ValueError, match=r"^data cannot be .*notes.txt': it is a folder, or a file of logs"):
        LocalGateway(data=file).transport()
    assert file.read_text() == "no logs " * 200
