"""Cohere's second API, answered by the offline model and by scripts."""

from __future__ import annotations

import pytest

from aigw._json import parse_json
from aigw.local import LocalGateway, ScriptUpstream
from aigw.local._dialects import DIALECTS, InvalidBody

CHAT = "/v1/acct/gw/cohere/v2/chat"
EMBED = "/v1/acct/gw/cohere/v2/embed"
BODY = {"model": "command-a", "messages": [{"role": "user", "content": "Paris is the capital. What is the capital?"}]}
CALL = {"tool_calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "c1"}], "usage": [7, 3]}


def events(reply):
    lines = [line[6:] for line in reply.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [parse_json(line.encode()) for line in lines[:-1]]


def test_a_chat_is_answered_whole_and_in_a_stream(socket_client, kit):
    whole = socket_client.post(CHAT, json=BODY)
    body = whole.json()
    assert body["finish_reason"] == "COMPLETE"
    told = events(socket_client.post(CHAT, json={**BODY, "stream": True}))
    text = "".join(one["delta"]["message"]["content"]["text"] for one in told if one["type"] == "content-delta")
    assert body["message"]["content"] == [{"type": "text", "text": text}]
    assert "Paris" in text
    assert [one["type"] for one in told if one["type"] != "content-delta"] == [
        "message-start",
        "content-start",
        "content-end",
        "message-end",
    ]
    assert told[-1]["delta"]["usage"] == body["usage"]
    log = kit.log(socket_client, whole.headers["cf-aig-log-id"], "gw")
    assert (log["model"], log["tokens_out"]) == ("cohere/command-a", body["usage"]["tokens"]["output_tokens"])


def test_a_tool_is_called_in_both_ways(open_client):
    script = ScriptUpstream([CALL, CALL])
    client = open_client(LocalGateway(upstream=script))
    body = {**BODY, "tools": [{"type": "function", "function": {"name": "weather"}}], "tool_choice": "REQUIRED"}
    whole = client.post(CHAT, json=body).json()
    function = {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert whole["message"]["tool_calls"] == [{"id": "c1", "type": "function", "function": function}]
    assert (whole["finish_reason"], script.requests[0].body["tool_choice"]) == ("TOOL_CALL", "required")
    told = {one["type"]: one for one in events(client.post(CHAT, json={**body, "stream": True}))}
    assert told["tool-call-start"]["delta"]["message"]["tool_calls"]["function"]["name"] == "weather"
    assert told["tool-call-delta"]["delta"]["message"]["tool_calls"]["function"]["arguments"] == '{"city":"Rome"}'
    assert told["message-end"]["delta"]["finish_reason"] == "TOOL_CALL"


def test_a_conversation_is_asked_in_openais_shape(open_client):
    script = ScriptUpstream(["fine"])
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = {
        "model": "command-a",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "tool_plan": "look", "tool_calls": [call]},
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "document", "document": {"data": {"sun": True}}}],
            },
        ],
        "documents": ["a fact"],
        "p": 0.5,
        "k": 3,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
    }
    open_client(LocalGateway(upstream=script)).post(CHAT, json=body)
    assert script.requests[0].body == {
        "model": "command-a",
        "messages": [
            {"role": "system", "content": "a fact"},
            {"role": "user", "content": "a\nb"},
            {"role": "assistant", "tool_calls": [call], "content": None},
            {"role": "tool", "tool_call_id": "c1", "content": '{"sun":true}'},
        ],
        "top_p": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": {"type": "object"}}},
    }


def test_texts_become_vectors_in_their_order(socket_client):
    body = {"model": "embed-v4", "texts": ["one", "two"], "input_type": "search_query", "embedding_types": ["float"]}
    reply = socket_client.post(EMBED, json=body).json()
    alone = socket_client.post(EMBED, json={**body, "texts": ["two"]}).json()
    assert reply["embeddings"]["float"][1] == alone["embeddings"]["float"][0]
    assert reply["meta"]["billed_units"]["input_tokens"] > 0


@pytest.mark.parametrize(
    ("dialect", "body", "says"),
    [
        ("cohere", {}, "messages: expected an array"),
        ("cohere", {"messages": []}, "at least one message is required"),
        ("cohere", {**BODY, "tool_choice": "any"}, "tool_choice: expected one of REQUIRED, NONE"),
        ("cohere-embed", {"texts": []}, "texts: expected a non-empty array"),
        ("cohere-embed", {"texts": ["a"], "embedding_types": ["int8"]}, "only float is supported"),
    ],
)
def test_what_openai_cannot_say_is_refused(dialect, body, says):
    with pytest.raises(InvalidBody, match=says):
        DIALECTS[dialect].ask({"model": "m", **body})


def test_errors_have_coheres_shape(socket_client):
    reply = socket_client.post(CHAT, json={"model": "command-a"})
    assert (reply.status_code, reply.json()) == (400, {"message": "messages: expected an array"})
