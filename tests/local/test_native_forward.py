"""A provider's own paths, forwarded to a real server that keeps what it was sent, byte for byte."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import NamedTuple

import anyio
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from aigw.local import ForwardUpstream, LocalGateway

HOST = "/v1/acct/gw"
SOUND = bytes(range(256)) * 40
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
USAGE = b'{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":1}'
ANTHROPIC_EVENTS = [
    b'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-x","usage":%b}}\n\n' % USAGE,
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"hi"}}\n\n',
    b'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":{"output_tokens":5}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]


class Seen(NamedTuple):
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def fields(self):
        return dict(self.headers)


class Provider:
    """A server that keeps what it was asked; the path says how it answers."""

    def __init__(self, url):
        self.url = url
        self.seen: list[Seen] = []
        self.received: list[bytes] = []
        self.go_on = threading.Event()

    async def answer(self, request):
        target = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        self.received += [value for name, value in request.headers.raw if name == b"x-own"]
        self.seen.append(Seen(request.method, target, headers, await request.body()))
        name = request.path_params["path"].rpartition("/")[2]
        return getattr(self, f"_{name}", self._json)()

    def _json(self):
        fields = {"x-provider": "mine", "set-cookie": "a=b", "cf-aig-cache-status": "HIT", "alt-svc": "h3"}
        body = {"model": "model-that-answered", "usage": {"input_tokens": 3, "output_tokens": 4}}
        return JSONResponse(body, headers=fields)

    def _sound(self):
        return Response(SOUND, media_type="audio/mpeg")

    def _gzip(self):
        fields = {"content-encoding": "gzip"}
        return Response(gzip.compress(b'{"packed":true}'), headers=fields, media_type="application/json")

    def _other(self):
        return Response(b"\x0bpacked", headers={"content-encoding": "x-mine"}, media_type="application/json")

    def _moved(self):
        return RedirectResponse("/elsewhere", 302)

    def _empty(self):
        return Response(status_code=204)

    def _teapot(self):
        return Response(b"short and stout", 418, {"retry-after": "7"}, "text/plain")

    def _messages(self):
        return StreamingResponse(self._pieces(ANTHROPIC_EVENTS), media_type="text/event-stream")

    def _slow(self):
        return StreamingResponse(self._pieces([b"d", b"ata: 1\n\n", b"data: 2\n\n"]), media_type="text/event-stream")

    async def _pieces(self, pieces):
        for piece in pieces:
            yield piece
            if piece == b"d":
                await anyio.to_thread.run_sync(self.go_on.wait, 5)


@pytest.fixture(scope="module")
def server():
    """One server for all tests of this module: starting one takes longer than a test."""
    listener = socket.create_server(("127.0.0.1", 0))
    one = Provider(f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = Starlette(routes=[Route("/{path:path}", one.answer, methods=METHODS)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield one
    one.go_on.set()
    server.should_exit = True
    thread.join()


@pytest.fixture
def provider(server):
    """The server, which has seen nothing yet."""
    server.seen.clear()
    server.received.clear()
    server.go_on.clear()
    return server


@pytest.fixture
def client(open_client, provider):
    """Give a client on a gateway that forwards one provider's calls to the server."""

    def client(slug="elevenlabs", path="", **more):
        upstream = ForwardUpstream(slug, provider.url + path, **more)
        return open_client(LocalGateway(tokens=["test-token"], upstreams={slug: upstream}))

    return client


AUTH = {"cf-aig-authorization": "Bearer test-token"}


@pytest.mark.parametrize("method", METHODS)
def test_any_method_and_path_goes_out_as_it_came(client, provider, kit, method):
    asker = client()
    reply = asker.request(method, f"{HOST}/elevenlabs/v1/voices/a%2Fb?x=1&y=%20z", headers=AUTH)
    assert reply.status_code == 200
    assert [(one.method, one.target) for one in provider.seen] == [(method, "/v1/voices/a%2Fb?x=1&y=%20z")]
    log = kit.log(asker, reply.headers["cf-aig-log-id"], "gw")
    assert (log["provider"], log["path"], log["success"]) == ("elevenlabs", "v1/voices/a/b", True)


def test_a_form_with_sound_arrives_byte_for_byte_and_names_the_model(client, provider, kit):
    asker = client("openai", "/v1")
    files = {"file": ("a.mp3", SOUND, "audio/mpeg")}
    reply = asker.post(f"{HOST}/openai/audio/transcriptions", data={"model": "whisper-1"}, files=files, headers=AUTH)
    seen = provider.seen[0]
    assert SOUND in seen.body
    assert seen.target == "/v1/audio/transcriptions"
    assert seen.fields["content-type"].startswith("multipart/form-data; boundary=")
    assert reply.headers["cf-aig-model"] == "whisper-1"
    assert kit.log(asker, reply.headers["cf-aig-log-id"], "gw")["model"] == "openai/whisper-1"


def test_sound_comes_back_byte_for_byte_and_is_logged(client, kit):
    asker = client()
    body = {"text": "hi", "model_id": "eleven_v2"}
    reply = asker.post(f"{HOST}/elevenlabs/v1/text-to-speech/sound", json=body, headers=AUTH)
    assert reply.content == SOUND
    assert reply.headers["content-type"] == "audio/mpeg"
    log = kit.log(asker, reply.headers["cf-aig-log-id"], "gw")
    assert (log["model"], log["response_content_type"], log["success"]) == ("elevenlabs/eleven_v2", "audio/mpeg", True)
    assert log["tokens_in"] is None
    assert log["response_size"] == len(SOUND)


def test_the_first_byte_comes_before_the_last_is_sent(client, provider):
    with client().stream("POST", f"{HOST}/elevenlabs/v1/slow", json={}, headers=AUTH) as reply:
        pieces = reply.iter_raw()
        assert next(pieces) == b"d"
        assert not provider.go_on.is_set()
        provider.go_on.set()
        assert b"".join(pieces) == b"ata: 1\n\ndata: 2\n\n"


def test_a_providers_own_stream_passes_unchanged_and_its_tokens_are_logged(client, kit):
    asker = client("anthropic")
    body = {"model": "claude-x", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    reply = asker.post(f"{HOST}/anthropic/v1/messages", json=body, headers=AUTH)
    assert reply.content == b"".join(ANTHROPIC_EVENTS)
    log = kit.log(asker, reply.headers["cf-aig-log-id"], "gw")
    assert (log["model"], log["tokens_in"], log["tokens_out"]) == ("anthropic/claude-x", 10, 5)
    assert log["success"] is True


def test_packed_answers_are_unpacked_where_that_is_known_and_left_alone_where_not(client):
    asker = client()
    packed = asker.get(f"{HOST}/elevenlabs/gzip", headers=AUTH)
    assert packed.json() == {"packed": True}
    assert "content-encoding" not in packed.headers
    other = asker.get(f"{HOST}/elevenlabs/other", headers=AUTH)
    assert (other.content, other.headers["content-encoding"]) == (b"\x0bpacked", "x-mine")


def test_redirects_errors_and_empty_answers_are_given_as_they_are(client):
    asker = client()
    moved = asker.get(f"{HOST}/elevenlabs/moved", headers=AUTH)
    assert (moved.status_code, moved.headers["location"]) == (302, "/elsewhere")
    teapot = asker.get(f"{HOST}/elevenlabs/teapot", headers=AUTH)
    assert (teapot.status_code, teapot.text, teapot.headers["retry-after"]) == (418, "short and stout", "7")
    assert asker.delete(f"{HOST}/elevenlabs/empty", headers=AUTH).status_code == 204


def test_what_belongs_to_the_connection_or_the_gateway_stays_here(client, provider):
    headers = {
        **AUTH,
        "cf-aig-metadata": '{"a":1}',
        "aigw-local-delay": "1",
        "cookie": "a=b",
        "x-api-key": "anthropic-key",
        "xi-api-key": "eleven-key",
        "x-forwarded-for": "10.0.0.1",
        "connection": "x-private",
        "x-private": "1",
        "accept-encoding": "br",
        "x-own": "kept",
    }
    reply = client().post(f"{HOST}/elevenlabs/v1/x", json={}, headers=headers)
    got = provider.seen[0].fields
    assert (got["xi-api-key"], got["x-own"], got["accept-encoding"]) == ("eleven-key", "kept", "identity")
    assert not {"cookie", "x-api-key", "x-forwarded-for", "x-private", "aigw-local-delay"} & got.keys()
    assert not [name for name in got if name.startswith("cf-")]
    assert "test-token" not in str(provider.seen)
    assert reply.headers["x-provider"] == "mine"
    assert not {"set-cookie", "alt-svc", "cf-aig-cache-status"} & reply.headers.keys()


@pytest.mark.parametrize(
    ("slug", "name", "value"),
    [
        ("openai", "authorization", "Bearer my-own-key"),
        ("anthropic", "x-api-key", "my-own-key"),
        ("google-ai-studio", "x-goog-api-key", "my-own-key"),
        ("azure-openai", "api-key", "my-own-key"),
        ("elevenlabs", "xi-api-key", "my-own-key"),
        ("deepgram", "authorization", "Token my-own-key"),
        ("fal", "authorization", "Key my-own-key"),
        ("cartesia", "x-api-key", "my-own-key"),
        ("custom-mine", "authorization", "Bearer my-own-key"),
    ],
)
@pytest.mark.parametrize("source", ["upstream", "stored", "request"])
def test_a_key_goes_out_in_the_providers_own_header(open_client, provider, kit, slug, name, value, source):
    upstream = ForwardUpstream(slug, provider.url, "my-own-key" if source == "upstream" else None)
    asker = open_client(LocalGateway(upstreams={slug: upstream}))
    if source == "stored":
        configs = "/client/v4/accounts/acct/ai-gateway/gateways/gw/provider_configs"
        stored = {"provider_slug": slug, "secret": "my-own-key", "alias": "default"}
        assert asker.post(configs, json=stored, headers=kit.token).status_code == 200
    own = {name: value} if source == "request" else {}
    reply = asker.post(f"{HOST}/{slug}/a/b/c", json={"model": "m"}, headers=own)
    assert provider.seen[0].fields[name] == value
    seen = asker.get("/client/v4/accounts/acct/ai-gateway/gateways/gw/logs", headers=kit.token).text + str(upstream)
    assert "my-own-key" not in seen + reply.text


def test_a_key_in_the_query_is_the_requests_own_and_is_kept_out_of_logs(open_client, provider, kit):
    gateway = LocalGateway(upstreams={"google-ai-studio": ForwardUpstream("google-ai-studio", provider.url, "mine")})
    asker = open_client(gateway)
    reply = asker.get(f"{HOST}/google-ai-studio/v1beta/files?key=secret-key&pageSize=1")
    assert provider.seen[0].target == "/v1beta/files?key=secret-key&pageSize=1"
    assert "x-goog-api-key" not in provider.seen[0].fields
    assert "secret-key" not in str(kit.log(asker, reply.headers["cf-aig-log-id"], "gw"))
    assert gateway.requests[0].path == "v1beta/files?key=***&pageSize=1"


def test_a_model_that_only_the_answer_names_is_logged(client, kit):
    asker = client("openai", "/v1")
    reply = asker.post(f"{HOST}/openai/v1/moderations", json={"input": "hi"}, headers=AUTH)
    log = kit.log(asker, reply.headers["cf-aig-log-id"], "gw")
    assert (log["model"], log["tokens_in"], log["tokens_out"]) == ("openai/model-that-answered", 3, 4)


@pytest.mark.parametrize("path", ["responses", "v1/responses"])
def test_both_ways_to_write_an_openai_path_reach_the_same_place(client, provider, path):
    client("openai", "/v1").post(f"{HOST}/openai/{path}", json={"model": "m", "input": "hi"}, headers=AUTH)
    assert provider.seen[0].target == "/v1/responses"


@pytest.mark.parametrize(
    ("below", "target"),
    [
        ("/v1/things?x=1", "/base/v1/things?x=1"),
        ("/base/twice", "/base/base/twice"),
        ("?x=1", "/base?x=1"),
        ("", "/base"),
        ("/", "/base"),
    ],
)
@pytest.mark.parametrize("slug", ["custom-mine", "custom-custom-ai"])
def test_all_that_follows_a_custom_slug_is_appended(client, provider, slug, below, target):
    assert client(slug, "/base").post(f"{HOST}/{slug}{below}", json={}, headers=AUTH).status_code == 200
    assert provider.seen[0].target == target


def test_compat_reaches_a_custom_provider_and_a_provider_with_a_path_of_its_own(client, provider, kit):
    body = kit.chat(model="custom-mine/some/model")
    client("custom-mine", "/base").post(f"{HOST}/compat/chat/completions", json=body, headers=AUTH)
    client("google-ai-studio").post(
        f"{HOST}/compat/chat/completions", json=kit.chat(model="google-ai-studio/g"), headers=AUTH
    )
    targets = [one.target for one in provider.seen]
    assert targets == ["/base/chat/completions", "/v1beta/openai/chat/completions"]
    assert b'"model":"some/model"' in provider.seen[0].body


def test_messages_and_responses_on_rest_reach_the_provider_in_their_own_shape(open_client, provider, kit):
    upstreams = {slug: ForwardUpstream(slug, provider.url) for slug in ("anthropic", "grok")}
    asker = open_client(LocalGateway(upstreams=upstreams))
    body = {"model": "anthropic/claude-x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    asker.post(f"{kit.rest}/v1/messages", json=body, headers=kit.token)
    asker.post(f"{kit.rest}/v1/responses", json={"model": "xai/grok-4", "input": "hi"}, headers=kit.token)
    assert [one.target for one in provider.seen] == ["/v1/messages", "/v1/responses"]
    assert b'"model":"claude-x"' in provider.seen[0].body
    assert b'"model":"grok-4"' in provider.seen[1].body
    assert provider.seen[0].fields["anthropic-version"] == "2023-06-01"


def test_a_guarded_stream_is_asked_whole(open_client, provider):
    settings = {"guardrails": {"prompt": {}, "response": {"S1": "BLOCK"}}}
    upstream = ForwardUpstream("google-ai-studio", provider.url)
    asker = open_client(LocalGateway(settings=settings, upstreams={"google-ai-studio": upstream}))
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    path = "v1beta/models/g:streamGenerateContent?alt=sse&x=1"
    reply = asker.post(f"{HOST}/google-ai-studio/{path}", json=body)
    assert reply.headers["content-type"] == "application/json"
    assert provider.seen[0].target == "/v1beta/models/g:generateContent?x=1"


def test_a_prompt_is_guarded_on_any_path(open_client, provider):
    settings = {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}
    asker = open_client(
        LocalGateway(settings=settings, upstreams={"elevenlabs": ForwardUpstream("elevenlabs", provider.url)})
    )
    reply = asker.post(f"{HOST}/elevenlabs/v1/text-to-speech/x", json={"text": "unsafe-s1"})
    assert (reply.status_code, reply.json()["internalCode"]) == (424, 2016)
    assert provider.seen == []


def test_only_what_is_posted_is_cached(open_client, provider):
    upstream = ForwardUpstream("elevenlabs", provider.url)
    asker = open_client(LocalGateway(settings={"cache_ttl": 60}, upstreams={"elevenlabs": upstream}))
    posted = [asker.post(f"{HOST}/elevenlabs/v1/x?y=1", json={}) for _ in range(2)]
    assert [reply.headers["cf-aig-cache-status"] for reply in posted] == ["MISS", "HIT"]
    assert asker.post(f"{HOST}/elevenlabs/v1/x?y=2", json={}).headers["cf-aig-cache-status"] == "MISS"
    assert "cf-aig-cache-status" not in asker.get(f"{HOST}/elevenlabs/v1/x").headers
    assert len(provider.seen) == 3


def test_a_universal_step_goes_to_any_path_with_its_query(open_client, provider, kit):
    asker = open_client(LocalGateway(upstreams={"deepgram": ForwardUpstream("deepgram", provider.url)}))
    steps = [
        {"provider": "elevenlabs", "endpoint": "v1/x", "query": {}},
        {"provider": "deepgram", "endpoint": "v1/speak?model=aura", "query": {"text": "hi"}},
    ]
    reply = asker.post(HOST, json=steps)
    assert reply.headers["cf-aig-step"] == "1"
    assert provider.seen[0].target == "/v1/speak?model=aura"
    assert kit.log(asker, reply.headers["cf-aig-log-id"], "gw")["model"] == "deepgram/aura"


def test_a_provider_nobody_listens_for_is_a_gateway_error(open_client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    asker = open_client(LocalGateway(upstreams={"elevenlabs": ForwardUpstream("elevenlabs", url, "own-key")}))
    reply = asker.post(f"{HOST}/elevenlabs/v1/x", json={})
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2005)


def test_a_stream_that_breaks_off_is_cut_here_too_and_logged_as_a_failure(open_client, kit):
    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        asker = open_client(LocalGateway(upstreams={"elevenlabs": ForwardUpstream("elevenlabs", url)}))
        with pytest.raises(httpx.RemoteProtocolError):
            asker.post(f"{HOST}/elevenlabs/v1/x", json={})
        thread.join()
    assert [log["success"] for log in kit.logs(asker, "gw")] == [False]


def test_a_name_without_an_address_needs_a_url():
    with pytest.raises(ValueError, match="the address of 'ollama' is not known"):
        ForwardUpstream("ollama")
    assert "elevenlabs" in repr(ForwardUpstream("elevenlabs"))


def test_header_values_that_are_not_ascii_go_out_too(client, provider):
    asker = client()
    asker.get(f"{HOST}/elevenlabs/v1/x", headers=[*AUTH.items(), ("x-own", b"caf\xe9")])
    steps = [{"provider": "elevenlabs", "endpoint": "v1/x", "headers": {"x-own": "\u20ac"}, "query": {}}]
    assert asker.post(HOST, json=steps, headers=AUTH).status_code == 200
    assert provider.received == [b"caf\xe9", "\u20ac".encode()]
