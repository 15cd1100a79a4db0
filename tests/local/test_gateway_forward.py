"""Forwarding to another server: one local gateway behind another, and a small starlette application."""

import asyncio
import socket
import threading

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigw.local import ForwardUpstream, LocalGateway, Reply

PATH = "/v1/acct/gw/openai/chat/completions"


@pytest.fixture
def behind():
    """A gateway to forward to."""
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def echo():
    """A server that answers with the header fields and the body it got, or with what the model's name says."""
    seen = []

    async def answer(request):
        body = await request.json()
        seen.append((dict(request.headers), body))
        if body["model"] == "teapot":
            return Response("short and stout", 418, {"retry-after": "7"}, media_type="text/plain")
        return JSONResponse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})

    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/v1/{path:path}", answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", seen
    server.should_exit = True
    thread.join()


@pytest.fixture
def dead_url():
    """An address nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_answers_and_streams_come_through_a_second_gateway(open_client, kit, behind):
    upstream = ForwardUpstream("openai", f"{behind.base_url}/v1/acct/gw/openai")
    client = open_client(LocalGateway(upstream=upstream))
    body = kit.chat("Paris is the capital of France. What is the capital?", model="gpt-5-mini")
    with httpx.Client(base_url=behind.base_url) as direct:
        assert client.post(PATH, json=body).content == direct.post(PATH, json=body).content
        streams = [asker.post(PATH, json={**body, "stream": True}) for asker in (client, direct)]
        assert streams[0].text == streams[1].text
        assert streams[0].text.endswith("data: [DONE]\n\n")
        forwarded = streams[0].headers
        assert forwarded["cf-aig-provider"] == "openai"
        log_id = streams[1].headers["cf-aig-log-id"]
        assert forwarded["cf-aig-log-id"] != log_id
        assert kit.log(client, forwarded["cf-aig-log-id"], "gw")["success"] is True
        assert len(kit.logs(direct, "gw")) == 4


def test_embeddings_are_forwarded(open_client, kit, behind):
    client = open_client(LocalGateway(upstream=ForwardUpstream("x", f"{behind.base_url}/v1/acct/gw/openai")))
    body = {"model": "openai/text-embedding-3-small", "input": "one"}
    assert len(client.post(f"{kit.rest}/v1/embeddings", json=body, headers=kit.token).json()["data"]) == 1


def test_an_error_is_forwarded_as_it_is(open_client, kit, echo):
    client = open_client(LocalGateway(upstream=ForwardUpstream("echo", echo[0])))
    reply = client.post(PATH, json=kit.chat(model="teapot", stream=True))
    assert (reply.status_code, reply.text, reply.headers["retry-after"]) == (418, "short and stout", "7")
    assert reply.headers["content-type"].startswith("text/plain")


def test_gateway_fields_and_other_providers_keys_stay_here(open_client, kit, echo):
    url, seen = echo
    client = open_client(LocalGateway(tokens=["test-token"], upstream=ForwardUpstream("echo", url)))
    headers = {
        "cf-aig-authorization": "Bearer test-token",
        "cf-aig-metadata": '{"a":1}',
        "cookie": "a=b",
        "x-api-key": "anthropic-key",
        "authorization": "Bearer provider-key",
        "user-agent": "my-app/1",
    }
    assert client.post(PATH, json=kit.chat(model="echo/m"), headers=headers).status_code == 200
    got, body = seen[0]
    assert body["model"] == "m"
    assert (got["authorization"], got["user-agent"]) == ("Bearer provider-key", "my-app/1")
    assert "test-token" not in str(got)
    assert not {"cookie", "x-api-key"} & got.keys()
    assert not [name for name in got if name.startswith("cf-")]


def test_the_upstreams_own_key_is_sent_when_the_caller_has_none(open_client, kit, echo):
    url, seen = echo
    upstream = ForwardUpstream("echo", url, api_key="own-key")
    client = open_client(LocalGateway(upstream=upstream))
    client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token)
    client.post(PATH, json=kit.chat(model="m"), headers={"authorization": "Bearer theirs"})
    assert [got["authorization"] for got, _ in seen] == ["Bearer own-key", "Bearer theirs"]
    assert "own-key" not in repr(upstream)


def test_a_dead_upstream_is_a_gateway_error_without_any_key(open_client, kit, dead_url, caplog):
    client = open_client(LocalGateway(upstream=ForwardUpstream("dead", dead_url, api_key="own-key")))
    reply = client.post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2005)
    assert "own-key" not in reply.text + caplog.text


def test_a_caller_who_leaves_closes_the_forwarded_stream(open_client, kit):
    class Endless:
        provider = "endless"
        closed = threading.Event()

        async def send(self, endpoint, body, headers):  # noqa: ARG002
            return Reply(200, (("content-type", "text/event-stream"),), self.pieces())

        async def pieces(self):
            try:
                while True:
                    yield b'data: {"choices":[]}\n\n'
                    await asyncio.sleep(0.001)
            finally:
                self.closed.set()

    with LocalGateway(upstream=Endless()) as behind:
        client = open_client(LocalGateway(upstream=ForwardUpstream("x", f"{behind.base_url}/v1/a/g/openai")))
        with client.stream("POST", PATH, json=kit.chat(model="m", stream=True)) as reply:
            assert next(reply.iter_raw()).startswith(b"data: ")
        assert Endless.closed.wait(5)


def test_one_upstream_works_in_one_loop_after_another(kit, behind):
    upstream = ForwardUpstream("x", f"{behind.base_url}/v1/acct/gw/openai")
    gateway = LocalGateway(upstream=upstream)

    async def ask():
        async with httpx.AsyncClient(transport=gateway.transport(), base_url="http://in.process") as client:
            return (await client.post(PATH, json=kit.chat(model="m"))).status_code

    assert [asyncio.run(ask()), asyncio.run(ask())] == [200, 200]


async def test_closing_one_transport_does_not_cut_a_stream_of_another(kit, behind):
    gateway = LocalGateway(upstream=ForwardUpstream("x", f"{behind.base_url}/v1/acct/gw/openai"))
    body = kit.chat("Paris is the capital of France. Name it.", model="m", stream=True)
    async with (
        httpx.AsyncClient(transport=gateway.transport(), base_url="http://in.process") as client,
        client.stream("POST", PATH, json=body) as reply,
    ):
        await gateway.transport().aclose()
        assert (await reply.aread()).endswith(b"data: [DONE]\n\n")
