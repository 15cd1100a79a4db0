"""Each way to ask a model: what goes in, what comes out, whole and streamed."""

import json

import pytest

from aigw.local import LocalGateway

GATEWAY = "/v1/acct/gw"
QUESTION = "Paris is the capital of France. What is the capital of France?"
CHAT = [{"role": "user", "content": QUESTION}]
REST_CHAT = "/client/v4/accounts/acct/ai/v1/chat/completions"

OPENAI_SURFACES = [
    (REST_CHAT, "openai/gpt-5-mini"),
    (REST_CHAT, "@cf/meta/llama-3.1-8b-instruct"),
    (f"{GATEWAY}/compat/chat/completions", "openai/gpt-5-mini"),
    (f"{GATEWAY}/compat/chat/completions", "workers-ai/@cf/meta/llama-3.1-8b-instruct"),
    (f"{GATEWAY}/compat/chat/completions", "dynamic/support"),
    (f"{GATEWAY}/compat/chat/completions", "cloudflare/auto"),
    (f"{GATEWAY}/compat/chat/completions", "custom-mine/some-model"),
    (f"{GATEWAY}/openai/chat/completions", "gpt-5-mini"),
    (f"{GATEWAY}/openai/v1/chat/completions", "gpt-5-mini"),
    (f"{GATEWAY}/groq/chat/completions", "llama-3.3-70b"),
    (f"{GATEWAY}/custom-mine/api/v2/chat/completions", "some-model"),
    (f"{GATEWAY}/workers-ai/v1/chat/completions", "@cf/meta/llama-3.1-8b-instruct"),
]


@pytest.fixture
def client(socket_client):
    return socket_client


def events(reply):
    """The data of each server-sent event."""
    return [line[6:] for line in reply.text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize(("path", "model"), OPENAI_SURFACES)
def test_chat_completions_answer_in_openais_shape(client, path, model):
    reply = client.post(path, json={"model": model, "messages": CHAT})
    assert reply.status_code == 200
    assert reply.json()["object"] == "chat.completion"
    assert "Paris" in reply.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("path", "model"), OPENAI_SURFACES)
def test_chat_completions_stream_in_openais_shape(client, path, model):
    reply = client.post(path, json={"model": model, "messages": CHAT, "stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    *chunks, end = events(reply)
    words = [choice["delta"].get("content") or "" for chunk in chunks for choice in json.loads(chunk)["choices"]]
    assert "Paris" in "".join(words)
    assert end == "[DONE]"


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/client/v4/accounts/acct/ai/v1/responses", "openai/gpt-5-mini"),
        (f"{GATEWAY}/openai/responses", "gpt-5-mini"),
        (f"{GATEWAY}/openai/v1/responses", "gpt-5-mini"),
    ],
)
def test_responses_answer_and_stream_in_their_own_shape(client, path, model):
    reply = client.post(path, json={"model": model, "input": QUESTION})
    assert reply.json()["object"] == "response"
    assert "Paris" in reply.json()["output"][-1]["content"][0]["text"]
    reply = client.post(path, json={"model": model, "input": QUESTION, "stream": True})
    assert "event: response.completed" in reply.text


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/client/v4/accounts/acct/ai/v1/messages", "anthropic/claude-haiku-4.5"),
        (f"{GATEWAY}/anthropic/v1/messages", "claude-haiku-4-5"),
    ],
)
def test_messages_answer_and_stream_in_anthropics_shape(client, path, model):
    body = {"model": model, "max_tokens": 50, "messages": CHAT}
    reply = client.post(path, json=body)
    assert reply.json()["type"] == "message"
    assert reply.json()["model"] == model
    assert "Paris" in reply.json()["content"][0]["text"]
    reply = client.post(path, json={**body, "stream": True})
    assert reply.text.startswith("event: message_start\n")
    assert "event: message_stop\n" in reply.text


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/client/v4/accounts/acct/ai/v1/embeddings", "openai/text-embedding-3-small"),
        (f"{GATEWAY}/compat/embeddings", "openai/text-embedding-3-small"),
        (f"{GATEWAY}/openai/embeddings", "text-embedding-3-small"),
        (f"{GATEWAY}/workers-ai/v1/embeddings", "@cf/baai/bge-base-en-v1.5"),
    ],
)
def test_embeddings_answer_in_openais_shape(client, path, model):
    reply = client.post(path, json={"model": model, "input": ["one", "two"]})
    assert [item["index"] for item in reply.json()["data"]] == [0, 1]
    assert len(reply.json()["data"][0]["embedding"]) > 10


WORKERS_AI = [
    ("/client/v4/accounts/acct/ai/run", "input"),
    ("/client/v4/accounts/acct/ai/run/@cf/meta/llama-3.1-8b-instruct", ""),
    (f"{GATEWAY}/workers-ai/@cf/meta/llama-3.1-8b-instruct", ""),
    (f"{GATEWAY}/workers-ai/run/@cf/meta/llama-3.1-8b-instruct", ""),
]


def workers_ai_body(inputs, wrapped):
    return {"model": "@cf/meta/llama-3.1-8b-instruct", "input": inputs} if wrapped else inputs


@pytest.mark.parametrize(("path", "wrapped"), WORKERS_AI)
@pytest.mark.parametrize("inputs", [{"messages": CHAT}, {"prompt": QUESTION}])
def test_workers_ai_answers_in_the_rest_envelope(client, path, wrapped, inputs):
    reply = client.post(path, json=workers_ai_body(inputs, wrapped))
    assert reply.json()["success"] is True
    assert reply.json()["errors"] == []
    assert "Paris" in reply.json()["result"]["response"]


@pytest.mark.parametrize(("path", "wrapped"), WORKERS_AI)
def test_workers_ai_streams_tokens_without_an_envelope(client, path, wrapped):
    reply = client.post(path, json=workers_ai_body({"messages": CHAT, "stream": True}, wrapped))
    *tokens, end = events(reply)
    assert "Paris" in "".join(json.loads(token)["response"] for token in tokens)
    assert end == "[DONE]"


@pytest.mark.parametrize("text", ["one", ["one", "two", "three"]])
def test_workers_ai_embeds_text(client, kit, text):
    body = {"model": "@cf/baai/bge-base-en-v1.5", "input": {"text": text}}
    result = client.post(f"{kit.rest}/run", json=body).json()["result"]
    rows = 1 if isinstance(text, str) else 3
    assert result["shape"] == [rows, len(result["data"][0])]
    assert len(result["data"]) == rows


def test_run_answers_a_third_partys_chat_without_an_envelope(client, kit):
    body = {"model": "openai/gpt-5-mini", "input": {"messages": CHAT}}
    assert client.post(f"{kit.rest}/run", json=body).json()["object"] == "chat.completion"


def test_run_streams_when_the_input_says_so(client, kit):
    body = {"model": "openai/gpt-5-mini", "input": {"messages": CHAT, "stream": True}}
    assert events(client.post(f"{kit.rest}/run", json=body))[-1] == "[DONE]"


def test_run_speaks_anthropics_shape_for_an_anthropic_model(client, kit):
    body = {"model": "anthropic/claude-haiku-4.5", "input": {"messages": CHAT, "max_tokens": 50}}
    assert client.post(f"{kit.rest}/run", json=body).json()["type"] == "message"


def test_run_speaks_responses_for_an_input_and_embeddings_for_an_embedding_model(client, kit):
    body = {"model": "openai/gpt-5-mini", "input": {"input": QUESTION}}
    assert client.post(f"{kit.rest}/run", json=body).json()["object"] == "response"
    body = {"model": "openai/text-embedding-3-small", "input": {"input": "one"}}
    assert client.post(f"{kit.rest}/run", json=body).json()["object"] == "list"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "openai/gpt-5-mini", "input": "text"}, 400),
        ({"model": "openai/gpt-5-mini"}, 400),
        ({"model": "openai/gpt-5-mini", "input": {"messages": CHAT}, "options": {"webhookUrl": "https://x.test"}}, 400),
        ({"model": "openai/gpt-5-mini", "input": {"messages": CHAT}, "options": {"background": True}}, 501),
        ({"model": "gpt-5-mini", "input": {"messages": CHAT}}, 404),
        ({"input": {"messages": CHAT}}, 404),
        ({"model": "@cf/meta/llama-3.1-8b-instruct", "input": {"image": [1]}}, 400),
    ],
)
def test_run_refuses_in_the_rest_envelope(client, kit, body, status):
    reply = client.post(f"{kit.rest}/run", json=body)
    assert reply.status_code == status
    assert reply.json()["success"] is False
    assert reply.json()["errors"][0]["message"]


@pytest.mark.parametrize("model", ["gpt-5-mini", "", "@cf/llama", None, 7])
def test_rest_refuses_a_model_without_an_author(client, kit, model):
    reply = client.post(f"{kit.rest}/v1/chat/completions", json={"model": model, "messages": CHAT})
    assert reply.status_code == 404
    assert reply.json()["errors"] == [
        {"code": 7003, "message": f"Model not found: {model if isinstance(model, str) else ''}"}
    ]


def test_an_answer_states_the_time_and_a_cached_one_stays_as_it_was(open_client, kit):
    times = iter(range(1_800_000_000, 1_800_001_000, 10))
    client = open_client(LocalGateway(settings={"cache_ttl": 500}, clock=lambda: float(next(times))))
    body = {"model": "openai/gpt-5-mini", "messages": CHAT}
    first, second = (client.post(f"{kit.rest}/v1/chat/completions", json=body, headers=kit.token) for _ in range(2))
    assert 1_800_000_000 <= first.json()["created"] < 1_800_001_000
    assert (second.headers["cf-aig-cache-status"], second.content) == ("HIT", first.content)


def test_rest_messages_refuse_workers_ai(client, kit):
    body = {"model": "@cf/meta/llama-3.1-8b-instruct", "max_tokens": 5, "messages": CHAT}
    reply = client.post(f"{kit.rest}/v1/messages", json=body)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 7003)


def test_a_model_in_the_run_path_belongs_to_workers_ai(client, kit):
    reply = client.post(f"{kit.rest}/run/openai/gpt-5-mini", json={"messages": CHAT})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (404, 7003)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("gpt-5-mini", 2019),
        ("openai/", 2019),
        (None, 2019),
        ("google/gemini-3-flash", 2008),
        ("xai/grok-3", 2008),
        ("@cf/meta/llama-3.1-8b-instruct", 2008),
        ("nobody/model", 2008),
    ],
)
def test_compat_refuses_a_model_without_a_provider_it_knows(client, model, code):
    reply = client.post(f"{GATEWAY}/compat/chat/completions", json={"model": model, "messages": CHAT})
    assert reply.status_code == 400
    assert reply.json()["internalCode"] == code
    assert reply.json()["error"][0]["code"] == code


def test_a_body_that_is_no_json_object_is_refused_as_each_surface_does(client, kit):
    reply = client.post(f"{GATEWAY}/compat/chat/completions", content=b"[1]")
    assert reply.json()["internalCode"] == 2019
    reply = client.post(f"{kit.rest}/run", content=b"nonsense")
    assert reply.json()["errors"][0]["code"] == 7003
    reply = client.post(f"{GATEWAY}/anthropic/v1/messages", content=b"")
    assert reply.json()["type"] == "error"
    reply = client.post(f"{GATEWAY}/openai/chat/completions", content=b"\xff")
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_a_dialects_refusal_is_in_its_own_words(client):
    reply = client.post(f"{GATEWAY}/anthropic/v1/messages", json={"model": "claude-haiku-4-5", "messages": CHAT})
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert "max_tokens" in reply.json()["error"]["message"]


def test_the_offline_models_refusal_is_an_openai_error(client, kit):
    reply = client.post(f"{kit.rest}/v1/chat/completions", json={"model": "openai/gpt-5-mini", "messages": []})
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nobody/v1/chat/completions", 400, 2008),
        ("/compat/models", 400, 2008),
        ("/compat/responses", 400, 2008),
        ("/openai/models", 501, 7000),
        ("/openai", 404, 7002),
        ("/openai/", 404, 7002),
        ("/elevenlabs/v1/text-to-speech/x", 501, 7000),
        ("/run", 501, 7000),
    ],
)
def test_unknown_paths_of_the_gateway_host_are_refused_in_its_envelope(client, path, status, code):
    reply = client.post(GATEWAY + path, json={"model": "m", "messages": CHAT})
    assert reply.status_code == status
    assert reply.json()["error"][0]["code"] == code
    assert reply.json()["httpCode"] == status


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/"), ("GET", REST_CHAT), ("POST", "/client/v4/user")]
)
def test_unknown_paths_elsewhere_are_refused_in_the_rest_envelope(client, method, path):
    reply = client.request(method, path)
    assert reply.status_code == 404
    assert reply.json()["errors"][0]["code"] == 7002


def test_management_that_is_not_there_yet_says_so(client):
    reply = client.get("/client/v4/accounts/acct/ai-gateway/gateways/gw/datasets")
    assert reply.status_code == 501
    assert "ai-gateway/gateways/gw/datasets yet" in reply.json()["errors"][0]["message"]


@pytest.mark.parametrize(("tail", "end"), [("url/openai", "/openai"), ("url/universal", "/"), ("url", "/")])
def test_the_url_of_a_provider_is_an_address_of_this_gateway(client, aigw_local, tail, end):
    reply = client.get(f"/client/v4/accounts/acct/ai-gateway/gateways/gw/{tail}")
    assert reply.json()["result"] == f"{aigw_local.base_url}/v1/acct/gw{end}"


def test_the_front_page_says_what_this_is(client):
    reply = client.get("/")
    assert reply.status_code == 200
    assert "local gateway" in reply.json()["about"]


def test_a_path_may_be_percent_encoded(client, kit):
    reply = client.post(f"{kit.rest}/run/%40cf%2Fmeta%2Fllama-3.1-8b-instruct", json={"prompt": QUESTION})
    assert "Paris" in reply.json()["result"]["response"]


def test_only_models_that_fit_a_pattern_exist(open_client, kit):
    client = open_client(LocalGateway(models=["openai/gpt-*", "@cf/*"]))

    def status(path, model):
        return client.post(path, json=kit.chat(model=model), headers=kit.token).status_code

    assert status(REST_CHAT, "openai/gpt-5-mini") == 200
    assert status(f"{GATEWAY}/openai/chat/completions", "gpt-5-mini") == 200
    assert status(f"{GATEWAY}/compat/chat/completions", "workers-ai/@cf/meta/llama-3.1-8b-instruct") == 200
    assert status(REST_CHAT, "anthropic/claude-haiku-4.5") == 404
    reply = client.post(f"{GATEWAY}/openai/chat/completions", json=kit.chat(model="o3"))
    assert reply.json()["error"] == [{"code": 7003, "message": "Model not found: o3"}]


@pytest.mark.parametrize(
    ("path", "asked", "sent"),
    [
        (f"{GATEWAY}/compat/chat/completions", "custom-scripted/m", "custom-scripted/m"),
        (f"{GATEWAY}/compat/chat/completions", "workers-ai/@cf/a/m", "@cf/a/m"),
        (REST_CHAT, "scripted/m", "m"),
        (REST_CHAT, "openai/m", "openai/m"),
    ],
)
def test_the_upstreams_own_prefix_is_taken_off_the_model(open_client, kit, path, asked, sent):
    upstream = kit.Scripted(kit.completion("hi"))
    client = open_client(LocalGateway(upstream=upstream))
    reply = client.post(path, json=kit.chat(model=asked), headers=kit.token)
    assert upstream.asked[0][1]["model"] == sent
    assert reply.headers["cf-aig-model"] == sent


def test_an_upstreams_error_is_passed_on_and_translated(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(kit.failure(418, "I am a teapot"))))
    reply = client.post(f"{GATEWAY}/openai/chat/completions", json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["error"]["message"]) == (418, "I am a teapot")
    body = {"model": "claude", "max_tokens": 5, "messages": CHAT}
    reply = client.post(f"{GATEWAY}/anthropic/v1/messages", json=body)
    assert (reply.status_code, reply.json()["error"]["message"]) == (418, "I am a teapot")
    reply = client.post(f"{GATEWAY}/workers-ai/@cf/a/m", json={"prompt": "x"})
    assert (reply.status_code, reply.json()["errors"][0]["message"]) == (418, "I am a teapot")


def test_a_bug_is_an_answer_and_a_line_in_the_log(open_client, kit, caplog):
    client = open_client(LocalGateway(upstream=kit.Scripted(RuntimeError("a bug"))))
    reply = client.post(f"{GATEWAY}/openai/chat/completions", json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["httpCode"]) == (500, 500)
    assert "a bug" not in reply.text
    assert "a bug" in caplog.text
    assert client.get("/").status_code == 200
