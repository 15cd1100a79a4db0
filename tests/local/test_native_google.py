"""Google's own shape, on both of Google's providers, answered by the offline model and by scripts."""

from __future__ import annotations

import httpx
import pytest

from aigw._json import parse_json
from aigw.local import LocalGateway, ScriptUpstream
from aigw.local._dialects import DIALECTS, InvalidBody

HOST = "/v1/acct/gw"
STUDIO = f"{HOST}/google-ai-studio/v1beta/models/gemini-x"
VERTEX = f"{HOST}/google-vertex-ai/v1/projects/p/locations/us-east1/publishers/google/models/gemini-x"
QUESTION = "Paris is the capital of France. What is the capital of France?"
ASKED = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
TOOL = {"name": "weather", "description": "The weather.", "parameters": {"type": "OBJECT", "properties": {}}}
CALL = {"tool_calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "c1"}], "usage": [7, 3]}


def events(reply):
    return [parse_json(line[6:].encode()) for line in reply.text.splitlines() if line.startswith("data: ")]


def said(responses):
    parts = [part for one in responses for part in one["candidates"][0]["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts)


@pytest.fixture
def scripted(open_client):
    """Give a client on a gateway whose model says what a test wrote down, and the script."""

    def scripted(*turns):
        script = ScriptUpstream(turns)
        return open_client(LocalGateway(upstream=script)), script

    return scripted


@pytest.mark.parametrize("base", [STUDIO, VERTEX], ids=["studio", "vertex"])
def test_content_is_generated_whole(socket_client, kit, base):
    reply = socket_client.post(f"{base}:generateContent", json=ASKED)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert "Paris" in said([body])
    assert (body["candidates"][0]["finishReason"], body["modelVersion"]) == ("STOP", "gemini-x")
    log = kit.log(socket_client, reply.headers["cf-aig-log-id"], "gw")
    usage = body["usageMetadata"]
    assert log["model"] == f"{base.split('/')[4]}/gemini-x"
    assert (log["tokens_in"], log["tokens_out"]) == (usage["promptTokenCount"], usage["candidatesTokenCount"])
    assert usage["totalTokenCount"] == log["tokens_in"] + log["tokens_out"]


@pytest.mark.parametrize("base", [STUDIO, VERTEX], ids=["studio", "vertex"])
def test_a_stream_is_events_or_one_array(socket_client, kit, base):
    whole = socket_client.post(f"{base}:generateContent", json=ASKED).json()
    streamed = socket_client.post(f"{base}:streamGenerateContent?alt=sse", json=ASKED)
    assert streamed.headers["content-type"] == "text/event-stream"
    assert said(events(streamed)) == said([whole])
    assert events(streamed)[-1]["candidates"][0]["finishReason"] == "STOP"
    array = socket_client.post(f"{base}:streamGenerateContent", json=ASKED)
    assert array.headers["content-type"] == "application/json"
    assert said(array.json()) == said([whole])
    assert array.json()[-1]["usageMetadata"] == whole["usageMetadata"]
    log = kit.log(socket_client, array.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["response_content_type"]) == (True, "application/json")
    assert log["tokens_out"] == whole["usageMetadata"]["candidatesTokenCount"]


def test_a_function_call_comes_whole_in_both_ways(scripted):
    client, _ = scripted(CALL, CALL)
    body = {**ASKED, "tools": [{"functionDeclarations": [TOOL]}]}
    whole = client.post(f"{STUDIO}:generateContent", json=body).json()
    part = {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}}}
    assert whole["candidates"][0]["content"] == {"parts": [part], "role": "model"}
    assert whole["usageMetadata"] == {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
    streamed = events(client.post(f"{STUDIO}:streamGenerateContent?alt=sse", json=body))
    assert [one["candidates"][0]["content"]["parts"] for one in streamed] == [[part], []]


def test_a_conversation_is_asked_in_openais_shape(scripted):
    client, script = scripted("fine")
    body = {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Rome?"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Rome"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"sun": True}}}]},
        ],
        "tools": [{"function_declarations": [TOOL]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
        "generationConfig": {
            "temperature": 0,
            "max_output_tokens": 9,
            "stopSequences": ["x"],
            "topK": 4,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}},
        },
        "safetySettings": [],
    }
    assert client.post(f"{STUDIO}:generateContent", json=body).status_code == 200
    key = "call_contents_1_parts_0"
    assert script.requests[0].body == {
        "model": "gemini-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Rome?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": key, "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": key, "content": '{"sun":true}'},
        ],
        "max_tokens": 9,
        "temperature": 0,
        "stop": ["x"],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "The weather.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": {"type": "array", "items": {"type": "string"}}},
        },
    }


def test_texts_become_vectors_one_or_many(socket_client, kit):
    content = {"content": {"parts": [{"text": "one"}]}}
    one = socket_client.post(f"{STUDIO}:embedContent", json=content)
    many = socket_client.post(f"{STUDIO}:batchEmbedContents", json={"requests": [content, content]})
    assert many.json()["embeddings"] == [one.json()["embedding"]] * 2
    assert len(one.json()["embedding"]["values"]) > 1
    assert kit.log(socket_client, one.headers["cf-aig-log-id"], "gw")["model_type"] == "text-embeddings"


@pytest.mark.parametrize(
    ("dialect", "body", "says"),
    [
        ("google", {}, "contents: expected an array"),
        ("google", {"contents": []}, "contents: at least one content is required"),
        ("google", {"contents": [{"parts": [{"fileData": {}}]}]}, "contents.0.parts.0.text: expected a string"),
        (
            "google",
            {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": ""}}]}]},
            "only images are supported; got 'audio/wav'",
        ),
        ("google", {**ASKED, "tools": [{"googleSearch": {}}]}, "only functionDeclarations are supported"),
        (
            "google",
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]},
            "no call of 'f' came before it",
        ),
        ("google-embed", {}, "content: expected an object"),
        ("google-embed-batch", {"requests": []}, "requests: at least one request is required"),
    ],
)
def test_what_openai_cannot_say_is_refused(dialect, body, says):
    with pytest.raises(InvalidBody, match=says):
        DIALECTS[dialect].ask({"model": "m", **body})


def test_errors_have_googles_shape(scripted):
    client, _ = scripted({"status": 429, "message": "slow down"})
    refused = client.post(f"{STUDIO}:generateContent", json={})
    assert refused.status_code == 400
    assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"
    failed = client.post(f"{STUDIO}:generateContent", json=ASKED)
    assert failed.json() == {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}


def test_a_stream_that_breaks_off_is_not_made_to_look_whole(scripted, kit):
    client, _ = scripted({"pieces": ["a", "b", "c"], "cut": 2})
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(f"{STUDIO}:streamGenerateContent", json=ASKED)
    assert [log["success"] for log in kit.logs(client, "gw")] == [False]


def test_claude_on_vertex_speaks_anthropics_shape(socket_client, kit):
    path = f"{HOST}/google-vertex-ai/v1/projects/p/locations/l/publishers/anthropic/models/claude-x"
    body = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
    whole = socket_client.post(f"{path}:rawPredict", json=body)
    assert (whole.status_code, whole.json()["type"]) == (200, "message")
    streamed = socket_client.post(f"{path}:streamRawPredict", json={**body, "stream": True})
    assert "event: message_stop" in streamed.text
    assert kit.log(socket_client, streamed.headers["cf-aig-log-id"], "gw")["model"] == "google-vertex-ai/claude-x"
