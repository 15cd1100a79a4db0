"""Bedrock's own shapes: Claude by `invoke`, any model by `converse`, both in Amazon's binary event stream too."""

from __future__ import annotations

import struct
from base64 import b64decode
from zlib import crc32

import pytest

from aigw._json import parse_json
from aigw.local import LocalGateway, ScriptUpstream
from aigw.local._dialects import DIALECTS, InvalidBody
from aigw.local._dialects._eventstream import frame

RUNTIME = "/v1/acct/gw/aws-bedrock/bedrock-runtime/us-east-1/model"
CLAUDE = f"{RUNTIME}/us.anthropic.claude-x-v1%3A0"
NOVA = f"{RUNTIME}/amazon.nova-pro-v1:0"
QUESTION = "Paris is the capital of France. What is the capital of France?"
MESSAGES = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": QUESTION}],
}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
CALL = {"tool_calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "c1"}], "usage": [7, 3]}


def frames(data):
    """Read an event stream as Amazon describes it, checks included."""
    found = []
    while data:
        size, head = struct.unpack(">II", data[:8])
        assert struct.unpack(">I", data[8:12])[0] == crc32(data[:8])
        assert struct.unpack(">I", data[size - 4 : size])[0] == crc32(data[: size - 4])
        found.append((headers(data[12 : 12 + head]), parse_json(data[12 + head : size - 4])))
        data = data[size:]
    return found


def headers(data):
    found = {}
    while data:
        name = data[1 : 1 + data[0]].decode()
        data = data[1 + data[0] :]
        assert data[0] == 7
        size = struct.unpack(">H", data[1:3])[0]
        found[name] = data[3 : 3 + size].decode()
        data = data[3 + size :]
    return found


@pytest.fixture
def scripted(open_client):
    """Give a client on a gateway whose model says what a test wrote down, and the script."""

    def scripted(*turns):
        script = ScriptUpstream(turns)
        return open_client(LocalGateway(upstream=script)), script

    return scripted


def test_a_frame_is_what_amazon_says():
    # the event stream specification's own test vector of an empty message
    assert frame({}, b"") == bytes.fromhex("000000100000000005c248eb7d98c8ff")
    assert frames(frame({":event-type": "x"}, b"{}")) == [({":event-type": "x"}, {})]


def test_claude_is_invoked_whole(socket_client, kit):
    reply = socket_client.post(f"{CLAUDE}/invoke", json=MESSAGES)
    assert "Paris" in reply.json()["content"][0]["text"]
    log = kit.log(socket_client, reply.headers["cf-aig-log-id"], "gw")
    assert log["model"] == "aws-bedrock/us.anthropic.claude-x-v1:0"
    assert log["tokens_out"] == reply.json()["usage"]["output_tokens"]


def test_claudes_stream_is_anthropics_events_in_frames(socket_client, kit):
    reply = socket_client.post(f"{CLAUDE}/invoke-with-response-stream", json=MESSAGES)
    assert reply.headers["content-type"] == "application/vnd.amazon.eventstream"
    read = frames(reply.content)
    assert {one[":event-type"] for one, _ in read} == {"chunk"}
    events = [parse_json(b64decode(body["bytes"])) for _, body in read]
    assert [events[0]["type"], events[-1]["type"]] == ["message_start", "message_stop"]
    assert "Paris" in "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    assert kit.log(socket_client, reply.headers["cf-aig-log-id"], "gw")["tokens_out"] > 0


def test_claude_on_bedrocks_other_host_speaks_anthropics_shape(socket_client):
    path = "/v1/acct/gw/aws-bedrock/bedrock-mantle/us-east-1/anthropic/v1/messages"
    assert socket_client.post(path, json={**MESSAGES, "model": "anthropic.claude-x"}).json()["type"] == "message"


def test_any_model_converses_whole_and_in_a_stream(socket_client):
    whole = socket_client.post(f"{NOVA}/converse", json=CONVERSE).json()
    assert whole["stopReason"] == "end_turn"
    assert whole["usage"]["totalTokens"] == whole["usage"]["inputTokens"] + whole["usage"]["outputTokens"]
    read = frames(socket_client.post(f"{NOVA}/converse-stream", json=CONVERSE).content)
    told = [(one[":event-type"], body) for one, body in read]
    text = "".join(body["delta"]["text"] for kind, body in told if kind == "contentBlockDelta")
    assert whole["output"]["message"]["content"] == [{"text": text}]
    assert [kind for kind, _ in told if kind != "contentBlockDelta"] == [
        "messageStart",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert told[-1][1]["usage"] == whole["usage"]


def test_a_tool_is_called_in_both_ways(scripted):
    client, script = scripted(CALL, CALL)
    spec = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}
    body = {**CONVERSE, "toolConfig": {"tools": [spec], "toolChoice": {"any": {}}}}
    whole = client.post(f"{NOVA}/converse", json=body).json()
    use = {"toolUseId": "c1", "name": "weather", "input": {"city": "Rome"}}
    assert (whole["output"]["message"]["content"], whole["stopReason"]) == ([{"toolUse": use}], "tool_use")
    assert script.requests[0].body["tool_choice"] == "required"
    read = frames(client.post(f"{NOVA}/converse-stream", json=body).content)
    started = [body["start"] for one, body in read if one[":event-type"] == "contentBlockStart"]
    assert started == [{"toolUse": {"toolUseId": "c1", "name": "weather"}}]
    pieces = [body["delta"]["toolUse"]["input"] for one, body in read if one[":event-type"] == "contentBlockDelta"]
    assert parse_json("".join(pieces).encode()) == {"city": "Rome"}


def test_a_conversation_is_asked_in_openais_shape(scripted):
    client, script = scripted("fine")
    body = {
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "Rome?"}, {"image": {"format": "png", "source": {"bytes": "AA=="}}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "weather", "input": {}}}]},
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "c1", "content": [{"json": {"sun": 1}}], "status": "error"}}],
            },
        ],
        "inferenceConfig": {"maxTokens": 9, "topP": 0.5},
    }
    assert client.post(f"{NOVA}/converse", json=body).status_code == 200
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert script.requests[0].body == {
        "model": "amazon.nova-pro-v1:0",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Rome?"}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": 'Error: {"sun":1}'},
        ],
        "max_tokens": 9,
        "top_p": 0.5,
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "messages: expected an array"),
        ({"messages": []}, "at least one message is required"),
        ({"messages": [{"role": "tool", "content": []}]}, "messages.0.role: expected one of user, assistant"),
        ({"messages": [{"role": "user", "content": [{"document": {}}]}]}, "expected text, image or toolResult"),
    ],
)
def test_what_openai_cannot_say_is_refused(body, says):
    with pytest.raises(InvalidBody, match=says):
        DIALECTS["converse"].ask({"model": "m", **body})


def test_errors_have_bedrocks_shape(scripted):
    client, _ = scripted({"status": 429, "message": "slow down"})
    assert client.post(f"{CLAUDE}/invoke", json=MESSAGES).json() == {"message": "slow down"}


def test_another_models_own_body_is_not_known(socket_client):
    reply = socket_client.post(f"{RUNTIME}/amazon.titan-text/invoke", json={"inputText": "hi"})
    assert (reply.status_code, reply.json()["internalCode"]) == (501, 7000)
