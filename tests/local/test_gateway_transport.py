"""The transport: the engine inside the process, from several loops and threads at once."""

import asyncio
import gc
import subprocess
import sys
import threading

import httpx
import pytest

from aigw.local import LocalGateway

PATH = "/v1/acct/gw/openai/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Paris is the capital of France. Name it."}]}


async def test_an_async_client_is_answered_in_its_own_loop_without_a_thread(kit, threads):
    gateway = LocalGateway()
    async with httpx.AsyncClient(transport=gateway.transport(), base_url="https://api.cloudflare.com") as client:
        reply = await client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token)
        assert reply.status_code == 200
        assert threads() == []


async def test_async_streams_come_piece_by_piece(kit):
    pieces = [b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n"]
    gateway = LocalGateway(upstream=kit.Scripted(kit.streamed(*pieces)))
    async with (
        httpx.AsyncClient(transport=gateway.transport(), base_url="http://in.process") as client,
        client.stream("POST", PATH, json={**BODY, "stream": True}) as reply,
    ):
        assert [piece async for piece in reply.aiter_raw()] == pieces


async def test_async_streams_interleave():
    gateway = LocalGateway()
    order = []

    async def ask(name):
        async with client.stream("POST", PATH, json={**BODY, "stream": True}) as reply:
            async for _ in reply.aiter_raw():
                order.append(name)  # noqa: PERF401 -- the order of arrival is the point

    async with httpx.AsyncClient(transport=gateway.transport(), base_url="http://in.process") as client:
        await asyncio.gather(ask("a"), ask("b"))
    assert order.index("b") < len(order) - 1 - order[::-1].index("a")


async def test_a_broken_async_stream_is_a_protocol_error(kit):
    upstream = kit.Scripted(kit.streamed(b"data: {}\n\n", ConnectionResetError("gone")))
    transport = LocalGateway(upstream=upstream).transport()
    async with httpx.AsyncClient(transport=transport, base_url="http://in.process") as client:
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed"):
            await client.post(PATH, json={**BODY, "stream": True})


def test_a_sync_clients_thread_ends_with_it(threads):
    with httpx.Client(transport=LocalGateway().transport(), base_url="http://in.process") as client:
        assert client.post(PATH, json=BODY).status_code == 200
        assert len(threads()) == 1
    assert threads() == []


def test_a_forgotten_transport_ends_its_thread(threads):
    transport = LocalGateway().transport()
    transport.handle_request(httpx.Request("GET", "http://in.process/"))
    assert len(threads()) == 1
    del transport
    gc.collect()
    assert threads() == []


def test_a_closed_transport_can_be_used_again(threads):
    transport = LocalGateway().transport()
    for _ in range(2):
        assert transport.handle_request(httpx.Request("GET", "http://in.process/")).status_code == 200
        transport.close()
    assert threads() == []


def test_transports_and_the_server_share_their_logs(aigw_local, kit):
    with httpx.Client(transport=aigw_local.transport(), base_url="http://in.process") as inside:
        log_id = inside.post(PATH, json=BODY).headers["cf-aig-log-id"]
    with httpx.Client(base_url=aigw_local.base_url) as outside:
        assert kit.log(outside, log_id, "gw")["id"] == log_id


def test_one_transport_answers_many_threads(kit):
    gateway = LocalGateway()
    with httpx.Client(transport=gateway.transport(), base_url="http://in.process") as client:
        workers = [threading.Thread(target=client.post, args=(PATH,), kwargs={"json": BODY}) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len({log["id"] for log in kit.logs(client, "gw")}) == 8


def test_the_url_of_a_provider_is_cloudflares_when_cloudflare_is_asked(kit):
    with httpx.Client(transport=LocalGateway().transport(), base_url="https://api.cloudflare.com") as client:
        path = "/client/v4/accounts/acct/ai-gateway/gateways/gw/url/openai"
        assert (
            client.get(path, headers=kit.token).json()["result"]
            == "https://gateway.ai.cloudflare.com/v1/acct/gw/openai"
        )


def test_the_transport_needs_neither_starlette_nor_uvicorn():
    program = """
import sys
sys.modules["starlette"] = sys.modules["uvicorn"] = None
import httpx
from aigw.local import LocalGateway
with httpx.Client(transport=LocalGateway().transport(), base_url="http://in.process") as client:
    print(client.get("/").status_code)
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    assert (done.stdout, done.stderr) == ("200\n", "")
