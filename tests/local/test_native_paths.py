"""What stands below a provider's slug: the URL it means, the model it names, and what is refused."""

from __future__ import annotations

import http.client

import httpx
import pytest

from aigw._providers import PROVIDERS
from aigw.local import LocalGateway, Reply, ScriptUpstream
from aigw.local._routes import native_surface, split_provider
from aigw.local._upstreams._native_path import has_address, upstream_url, without_keys

HOST = "/v1/acct/gw"
VERTEX = "v1/projects/p/locations/{}/publishers/google/models/g:generateContent"


@pytest.mark.parametrize(
    ("slug", "path", "base", "url"),
    [
        ("openai", "responses", None, "https://api.openai.com/v1/responses"),
        ("openai", "v1/files/x?after=1", None, "https://api.openai.com/v1/files/x?after=1"),
        ("groq", "openai/v1/models", None, "https://api.groq.com/openai/v1/models"),
        ("groq", "audio/speech", None, "https://api.groq.com/openai/v1/audio/speech"),
        ("mistral", "v1/ocr", None, "https://api.mistral.ai/v1/ocr"),
        ("mistral", "v1/ocr", "http://x/v1", "http://x/v1/ocr"),
        ("perplexity-ai", "chat/completions", None, "https://api.perplexity.ai/chat/completions"),
        ("parallel", "v1beta/search", None, "https://api.parallel.ai/v1beta/search"),
        ("fal", "fal-ai/flux/dev", None, "https://fal.run/fal-ai/flux/dev"),
        ("huggingface", "org/model", None, "https://api-inference.huggingface.co/models/org/model"),
        ("azure-openai", "res/dep/x?v=1", None, "https://res.openai.azure.com/openai/deployments/dep/x?v=1"),
        ("azure-openai", "res/dep/x", "http://x", "http://x/openai/deployments/dep/x"),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/arn%3Aaws/invoke",
            None,
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws/invoke",
        ),
        (
            "aws-bedrock",
            "bedrock-mantle/us-east-1/anthropic/v1/messages",
            None,
            "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages",
        ),
        ("aws-bedrock", "bedrock-runtime/eu-1/model/m/invoke", "http://{region}.x", "http://eu-1.x/model/m/invoke"),
        ("aws-bedrock", "bedrock-runtime/evil.com%2F/model/m/invoke", None, None),
        (
            "google-vertex-ai",
            VERTEX.format("us-east1"),
            None,
            f"https://us-east1-aiplatform.googleapis.com/{VERTEX.format('us-east1')}",
        ),
        (
            "google-vertex-ai",
            VERTEX.format("global"),
            None,
            f"https://aiplatform.googleapis.com/{VERTEX.format('global')}",
        ),
        ("google-vertex-ai", "elsewhere", None, None),
        ("workers-ai", "run/@cf/a/m", "http://x/ai", "http://x/ai/run/@cf/a/m"),
        ("custom-mine", "v1/v1/x?y=z", "http://x/v1", "http://x/v1/v1/v1/x?y=z"),
        ("custom-mine", "", "http://x/v1/", "http://x/v1"),
        ("custom-mine", "x", None, None),
    ],
)
def test_a_path_stands_for_a_url(slug, path, base, url):
    assert upstream_url(slug, path, base) == url


@pytest.mark.parametrize("slug", [slug for slug in PROVIDERS if has_address(slug)])
def test_no_path_leaves_the_providers_host(slug):
    for path in ("@evil.example/x", "//evil.example", "https://evil.example", "res/dep/@evil.example"):
        url = upstream_url(slug, path)
        assert url is None or not (httpx.URL(url).host or "evil").endswith("evil.example")


@pytest.mark.parametrize(
    ("provider", "path", "method", "dialect", "model"),
    [
        ("google-ai-studio", "v1beta/models/g-1.5:generateContent", "POST", "google", "g-1.5"),
        ("google-ai-studio", "v1/models/g:streamGenerateContent", "POST", "google-array", "g"),
        ("google-ai-studio", "v1/models/g:streamGenerateContent?alt=sse&key=k", "POST", "google-sse", "g"),
        ("google-ai-studio", "v1beta/models/e:embedContent", "POST", "google-embed", "e"),
        ("google-ai-studio", "v1beta/models/e:batchEmbedContents", "POST", "google-embed-batch", "e"),
        ("google-ai-studio", "v1beta/openai/chat/completions", "POST", "chat", ""),
        ("google-ai-studio", "v1beta/models/g:countTokens", "POST", "raw", ""),
        ("google-vertex-ai", VERTEX.format("us-east1"), "POST", "google", "g"),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict",
            "POST",
            "messages",
            "c",
        ),
        ("aws-bedrock", "bedrock-runtime/r/model/us.anthropic.c-v1%3A0/invoke", "POST", "bedrock-claude", None),
        ("aws-bedrock", "bedrock-runtime/r/model/amazon.titan/invoke", "POST", "raw", ""),
        (
            "aws-bedrock",
            "bedrock-runtime/r/model/amazon.nova/converse-stream",
            "POST",
            "converse-stream",
            "amazon.nova",
        ),
        ("aws-bedrock", "bedrock-mantle/r/anthropic/v1/messages", "POST", "messages", ""),
        ("cohere", "v2/chat", "POST", "cohere", ""),
        ("openai", "v1/threads/t/messages", "POST", "raw", ""),
        ("openai", "v1/chat/completions", "GET", "raw", ""),
        ("anthropic", "v1/messages/count_tokens", "POST", "raw", ""),
        ("custom-mine", "", "POST", "raw", ""),
    ],
)
def test_a_path_has_a_shape(provider, path, method, dialect, model):
    surface = native_surface(provider, path, method)
    assert surface.dialect == dialect
    assert surface.model == ("us.anthropic.c-v1:0" if model is None else model)
    assert (surface.raw, surface.method) == (path, method)


def test_a_provider_and_what_stands_below_it():
    assert split_provider("custom-a?x=1/2") == ("custom-a", "?x=1/2")
    assert split_provider("fal/a%2Fb/c") == ("fal", "a%2Fb/c")


@pytest.mark.parametrize(
    "path", ["/v1/a%2Fb%2Fc/x", "/v1/a%2Fb/g/openai/models", "/v1/a/g/%2F", "/v1/a/g/%6Fpenai/models"]
)
def test_an_encoded_slash_is_no_error_of_ours(socket_client, path):
    assert socket_client.get(path).status_code in {200, 400, 404}


def test_a_key_in_a_query_can_be_hidden():
    assert without_keys("v1/x?key=secret&alt=sse&api_key=other") == "v1/x?key=***&alt=sse&api_key=***"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_what_the_offline_model_cannot_say_is_refused_and_logged(open_client, kit, method):
    client = open_client(LocalGateway())
    reply = client.request(method, f"{HOST}/elevenlabs/v1/voices/x")
    assert (reply.status_code, reply.json()["internalCode"]) == (501, 7000)
    assert f"{method} elevenlabs/v1/voices/x" in reply.json()["message"]
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["path"], log["status_code"], log["success"]) == ("v1/voices/x", 501, False)


COUNTED = {"role": "user", "content": "How many tokens are these?"}
GOOGLES = {"contents": [{"role": "user", "parts": [{"text": COUNTED["content"]}]}]}


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("anthropic/v1/messages/count_tokens?beta=true", {"model": "claude-x", "messages": [COUNTED]}, "input_tokens"),
        ("google-ai-studio/v1beta/models/gemini-x:countTokens", GOOGLES, "totalTokens"),
        (
            "google-ai-studio/v1beta/models/gemini-x:countTokens",
            {"generateContentRequest": {"model": "models/gemini-x", **GOOGLES}},
            "totalTokens",
        ),
    ],
)
def test_the_offline_model_counts_a_prompts_tokens_as_its_answers_do(open_client, kit, path, body, name):
    client = open_client(LocalGateway())
    reply = client.post(f"{HOST}/{path}", json=body)
    answer = client.post(f"{HOST}/openai/chat/completions", json=kit.chat(COUNTED["content"], model="m"))
    assert reply.json() == {name: answer.json()["usage"]["prompt_tokens"]}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("anthropic/v1/messages/count_tokens", {"type": "invalid_request_error"}),
        ("google-ai-studio/v1beta/models/gemini-x:countTokens", {"code": 400, "status": "INVALID_ARGUMENT"}),
    ],
)
def test_what_cannot_be_counted_is_refused_in_the_providers_words(open_client, path, error):
    reply = open_client(LocalGateway()).post(f"{HOST}/{path}", json={})
    assert reply.status_code == 400
    assert reply.json()["error"].items() >= error.items()


@pytest.mark.parametrize("path", ["openai/models", "openai/v1/models", "grok/v1/models"])
def test_the_offline_model_lists_itself_where_openais_list_is(open_client, path):
    reply = open_client(LocalGateway()).get(f"{HOST}/{path}")
    assert [model["id"] for model in reply.json()["data"]] == ["local"]
    assert reply.headers["cf-aig-provider"] == "local"


def test_a_script_answers_any_path_as_it_is_written(open_client, kit):
    sound = Reply(200, (("content-type", "audio/mpeg"),), b"\xff\x00")
    events = {"pieces": ["data: 1\n\n", "data: 2\n\n"], "headers": {"content-type": "text/event-stream"}}
    script = ScriptUpstream([{"json": {"voices": []}}, "plain", sound, events, 429], provider="elevenlabs")
    client = open_client(LocalGateway(upstreams={"elevenlabs": script}))
    replies = [client.post(f"{HOST}/elevenlabs/v1/a?b=c", content=b"\x00") for _ in range(5)]
    assert replies[0].json() == {"voices": []}
    assert (replies[1].text, replies[1].headers["content-type"]) == ("plain", "text/plain; charset=utf-8")
    assert replies[2].content == b"\xff\x00"
    assert replies[3].text == "data: 1\n\ndata: 2\n\n"
    assert replies[4].status_code == 429
    assert {(one.method, one.endpoint, one.content) for one in script.requests} == {("POST", "v1/a?b=c", b"\x00")}
    assert [log["success"] for log in kit.logs(client, "gw")] == [False, True, True, True, True]


def test_a_failure_on_demand_works_on_any_path(open_client):
    client = open_client(LocalGateway(upstreams={"elevenlabs": ScriptUpstream([{"text": "x", "times": "forever"}])}))
    reply = client.get(f"{HOST}/elevenlabs/v1/a", headers={"aigw-local-fail": "503"})
    assert reply.status_code == 503


@pytest.mark.parametrize(
    ("path", "body", "provider", "model"),
    [
        ("compat/chat/completions", {"model": "nobody/m"}, "nobody", "nobody/m"),
        ("compat/chat/completions", {"model": "gpt-5"}, "", "gpt-5"),
        ("compat/responses", {"model": "openai/gpt-5"}, "openai", "openai/gpt-5"),
        ("nobody/v1/chat", {"model": "m"}, "nobody", "nobody/m"),
        ("openai", {"model": "m"}, "openai", "openai/m"),
        ("openai/chat/completions", {"messages": []}, "openai", ""),
        ("elevenlabs/v1/x", {"model_id": "eleven"}, "elevenlabs", "elevenlabs/eleven"),
        ("anthropic/v1/messages", {"model": "claude"}, "anthropic", "anthropic/claude"),
    ],
)
def test_a_refused_call_is_logged_with_what_it_named(open_client, kit, path, body, provider, model):
    client = open_client(LocalGateway())
    reply = client.post(f"{HOST}/{path}", json=body)
    assert reply.status_code >= 400
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["provider"], log["model"]) == (provider, model)


def test_a_refused_rest_call_is_logged_with_what_it_named(open_client, kit):
    client = open_client(LocalGateway())
    reply = client.post(f"{kit.rest}/v1/chat/completions", json={"model": "gpt-5"}, headers=kit.token)
    assert reply.status_code == 404
    assert kit.log(client, reply.headers["cf-aig-log-id"])["model"] == "gpt-5"


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", f"{HOST}/run", "/ai/run"),
        ("GET", "/client/v4/accounts/acct/ai-gateway/gateways/gw/datasets", "gateways/gw/datasets"),
        ("POST", "/client/v4/accounts/acct/ai-gateway/gateways/gw/evaluations", "gateways/gw/evaluations"),
        ("GET", "/client/v4/accounts/acct/ai-gateway/evaluation-types", "evaluation-types"),
    ],
)
def test_what_is_not_here_says_so(socket_client, method, path, named):
    reply = socket_client.request(method, path, json={})
    assert reply.status_code == 501
    assert named in reply.text


@pytest.mark.parametrize("path", [HOST, f"{HOST}/", f"{HOST}/openai/v1/realtime?model=m", f"{HOST}/nobody/x"])
def test_a_websocket_is_refused_with_a_sentence(aigw_local, path):
    address = httpx.URL(aigw_local.base_url)
    connection = http.client.HTTPConnection(address.host, address.port or 80, timeout=5)
    fields = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    connection.request("GET", path, headers={**fields, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
    answer = connection.getresponse()
    assert answer.status == 501
    assert b"WebSockets" in answer.read()
    connection.close()


@pytest.mark.parametrize("path", ["/openai/v1/chat/completions", "/compat/chat/completions", "/anthropic/v1/messages"])
def test_a_custom_domains_paths_say_which_to_use(socket_client, path):
    reply = socket_client.post(path, json={})
    assert reply.status_code == 404
    assert "/v1/{account}/{gateway}" + path in reply.json()["errors"][0]["message"]
