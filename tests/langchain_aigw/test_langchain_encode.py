"""LangChain messages to the wire, as literal dicts."""

import copy
import json

import pytest
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_aigw._messages import encode_messages

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"city": "Zürich"}'}}


def encode(message):
    return encode_messages([message])[0]


def parts(*blocks):
    return encode(HumanMessage(content=list(blocks)))["content"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (HumanMessage("hi"), {"role": "user", "content": "hi"}),
        (HumanMessage("hi", name="ann"), {"role": "user", "content": "hi", "name": "ann"}),
        (SystemMessage("be brief"), {"role": "system", "content": "be brief"}),
        (
            SystemMessage("be brief", additional_kwargs={"__openai_role__": "developer"}),
            {"role": "developer", "content": "be brief"},
        ),
        (AIMessage("hello"), {"role": "assistant", "content": "hello"}),
        (AIMessage("", name="bot"), {"role": "assistant", "content": "", "name": "bot"}),
        (
            ToolMessage("sunny", tool_call_id="call_1", name="f", status="error"),
            {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
        ),
        (FunctionMessage("sunny", name="f"), {"role": "function", "content": "sunny", "name": "f"}),
        (ChatMessage("hi", role="critic"), {"role": "critic", "content": "hi"}),
    ],
)
def test_each_kind_of_message_has_its_role(message, expected):
    assert encode(message) == expected


def test_a_message_without_a_role_is_refused():
    with pytest.raises(TypeError, match="a RemoveMessage cannot be sent"):
        encode(RemoveMessage(id="1"))


def test_tool_calls_are_sent_with_their_arguments_unescaped_and_null_content():
    message = AIMessage("", tool_calls=[{"id": "call_1", "name": "f", "args": {"city": "Zürich"}}])
    assert encode(message) == {"role": "assistant", "content": None, "tool_calls": [CALL]}


def test_text_beside_tool_calls_is_kept():
    message = AIMessage("Let me see.", tool_calls=[{"id": "call_1", "name": "f", "args": {"city": "Zürich"}}])
    assert encode(message)["content"] == "Let me see."


def test_invalid_tool_calls_go_back_as_they_were_written():
    message = AIMessage("", invalid_tool_calls=[{"id": "call_1", "name": "f", "args": '{"city', "error": "no JSON"}])
    assert encode(message) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"city'}}],
    }


def test_a_refusal_is_said_again():
    message = AIMessage("", additional_kwargs={"refusal": "No."})
    assert encode(message) == {"role": "assistant", "content": None, "refusal": "No."}


def test_the_tool_and_reasoning_blocks_of_other_models_are_left_out():
    message = AIMessage(
        [
            {"type": "thinking", "thinking": "hmm", "signature": "s"},
            {"type": "reasoning", "reasoning": "hmm"},
            {"type": "text", "text": "Let me see.", "annotations": [], "index": "lc_txt_0"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"city": "Zürich"}},
            {"type": "tool_call", "id": "call_1", "name": "f", "args": {"city": "Zürich"}},
        ],
        tool_calls=[{"id": "call_1", "name": "f", "args": {"city": "Zürich"}}],
    )
    assert encode(message) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Let me see."}],
        "tool_calls": [CALL],
    }


@pytest.mark.parametrize(
    "block",
    [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "bash_code_execution_tool_result", "tool_use_id": "s", "content": {}},
        {"type": "mcp_tool_use", "id": "s", "name": "f", "input": {}, "server_name": "m"},
        {"type": "web_search_call", "id": "s", "status": "completed"},
        {"type": "code_interpreter_call", "id": "s", "code": "1"},
        {"type": "mcp_list_tools", "id": "s", "tools": []},
        {"type": "executable_code", "executable_code": "1"},
        {"type": "code_execution_result", "code_execution_result": "1"},
        {"type": "server_tool_call", "id": "s", "name": "web_search", "args": {}},
        {"type": "non_standard", "value": {"type": "web_search_call", "id": "s"}},
    ],
    ids=lambda block: block["type"],
)
def test_tools_that_ran_at_a_provider_are_left_out_in_every_spelling(block):
    message = AIMessage([block, {"type": "text", "text": "found"}])
    assert encode(message) == {"role": "assistant", "content": [{"type": "text", "text": "found"}]}


def test_the_result_of_a_tool_that_ran_here_is_passed_on():
    result = {"type": "tool_result", "tool_use_id": "1", "content": "r"}
    assert parts(result) == [result]


def test_an_answer_of_left_out_blocks_alone_has_null_content():
    message = AIMessage(
        [{"type": "tool_use", "id": "call_1", "name": "f", "input": {"city": "Zürich"}}],
        tool_calls=[{"id": "call_1", "name": "f", "args": {"city": "Zürich"}}],
    )
    assert encode(message) == {"role": "assistant", "content": None, "tool_calls": [CALL]}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
LINKED = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("plain", {"type": "text", "text": "plain"}),
        ({"type": "text", "text": "hi"}, {"type": "text", "text": "hi"}),
        (
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
        ),
        (
            {"type": "text-plain", "text": "a document", "mime_type": "text/plain"},
            {"type": "text", "text": "a document"},
        ),
        ({"type": "image", "source_type": "base64", "mime_type": "image/png", "data": "AAAA"}, IMAGE),
        ({"type": "image", "source_type": "url", "url": "https://example.com/a.png"}, LINKED),
        ({"type": "image", "mime_type": "image/png", "base64": "AAAA"}, IMAGE),
        ({"type": "image", "url": "https://example.com/a.png"}, LINKED),
        (
            {"type": "image", "url": "https://example.com/a.png", "extras": {"detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        ),
        (IMAGE, IMAGE),
        ({"type": "image_url", "image_url": "https://example.com/a.png"}, LINKED),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}, IMAGE),
        ({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}, LINKED),
        (
            {"type": "audio", "mime_type": "audio/wav", "base64": "AAAA"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        ),
        (
            {"type": "audio", "source_type": "base64", "mime_type": "audio/mp3", "data": "AAAA"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        ),
        (
            {"type": "file", "mime_type": "application/pdf", "base64": "AAAA", "filename": "a.pdf"},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
        ),
        ({"type": "file", "file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        ({"type": "file", "file": {"file_id": "file-1"}}, {"type": "file", "file": {"file_id": "file-1"}}),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        ),
        ({"type": "non_standard", "value": {"type": "new", "x": 1}}, {"type": "new", "x": 1}),
    ],
)
def test_each_form_of_a_block_becomes_its_part(block, expected):
    assert parts(block) == [expected]


POINT = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize("more", [POINT, {"extras": POINT}], ids=["v0", "v1"])
@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "hi"},
        {"type": "text-plain", "text": "a document", "mime_type": "text/plain"},
        {"type": "image", "mime_type": "image/png", "base64": "AAAA"},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "audio", "mime_type": "audio/wav", "base64": "AAAA"},
        {"type": "file", "mime_type": "application/pdf", "base64": "AAAA", "filename": "a.pdf"},
    ],
    ids=lambda block: block["type"],
)
def test_a_point_of_the_providers_cache_is_kept_on_every_part(block, more):
    assert parts({**block, **more}) == [{**parts(block)[0], **POINT}]


@pytest.mark.parametrize("encoded", ["WsO8cmlj\naA==", "WsO8cmljaA=="])
def test_a_document_given_as_bytes_is_sent_as_its_text(encoded):
    block = {"type": "text-plain", "base64": encoded, "mime_type": "text/plain"}
    assert parts(block) == [{"type": "text", "text": "Zürich"}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": "https://example.com/a.txt"}, "by URL or file id has no part"),
        ({"file_id": "file-1"}, "by URL or file id has no part"),
        ({}, "has no part"),
        ({"base64": "not base64!"}, "is not that of text in UTF-8"),
        ({"base64": "//79"}, "is not that of text in UTF-8"),
    ],
)
def test_a_document_that_is_no_text_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        parts({"type": "text-plain", "mime_type": "text/plain", **given})


def test_a_file_by_url_has_no_part():
    with pytest.raises(ValueError, match="does not support file URLs"):
        parts({"type": "file", "url": "https://example.com/a.pdf", "mime_type": "application/pdf"})


def test_an_image_source_without_data_has_no_part():
    with pytest.raises(ValueError, match="image source of type 'file'"):
        parts({"type": "image", "source": {"type": "file", "file_id": "1"}})


def test_the_messages_stay_as_they_were():
    messages = [
        HumanMessage([{"type": "image", "mime_type": "image/png", "base64": "AAAA"}, {"type": "text", "text": "hi"}]),
        AIMessage([{"type": "text", "text": "x"}], tool_calls=[{"id": "call_1", "name": "f", "args": {"a": [1]}}]),
    ]
    before = copy.deepcopy(messages)
    encode_messages(messages)
    assert messages == before


def test_equal_messages_give_equal_bytes():
    def build():
        return [
            SystemMessage("be brief"),
            AIMessage("", tool_calls=[{"id": "call_1", "name": "f", "args": {"b": 1, "a": 2}}]),
        ]

    assert json.dumps(encode_messages(build())) == json.dumps(encode_messages(build()))
