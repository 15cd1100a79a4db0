"""The wire's answers as LlamaIndex's responses: literal JSON in, responses out."""

import pytest
from llama_index.core.base.llms.types import LogProb, TextBlock, ThinkingBlock, ToolCallBlock

from aigw import APIStatusError, ResponseInfo
from llamaindex_aigw._decode import decode_completion, to_completion
from llamaindex_aigw._encode import encode_message
from llamaindex_aigw._tools import decode_tool_calls

INFO = ResponseInfo(log_id="log-1", status_code=200)
AIGW = {"log_id": "log-1", "status_code": 200}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}


def whole(message, **more):
    return {"id": "x", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **more}


def test_text_is_one_block():
    response = decode_completion(whole({"role": "assistant", "content": "Hello."}), INFO)
    assert response.message.role == "assistant"
    assert response.message.blocks == [TextBlock(text="Hello.")]
    assert response.message.additional_kwargs == {}


def test_raw_is_the_answer_with_the_gateways_facts():
    body = whole({"content": "Hello."}, usage={"prompt_tokens": 1})
    assert decode_completion(body, INFO).raw == {**body, "aigw": AIGW}
    assert "aigw" not in body


def test_token_counts_and_facts_are_in_additional_kwargs():
    body = whole({"content": "Hello."}, usage={"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "x": 1})
    assert decode_completion(body, INFO).additional_kwargs == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "aigw": AIGW,
    }


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, "none"])
def test_an_answer_without_usage_has_no_token_counts(usage):
    assert decode_completion(whole({"content": "Hello."}, usage=usage), INFO).additional_kwargs == {"aigw": AIGW}


def test_tool_calls_are_blocks_and_in_additional_kwargs():
    message = decode_completion(whole({"content": None, "tool_calls": [CALL]}), INFO).message
    assert message.blocks == [
        ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs='{"city": "Bern"}'),
    ]
    assert message.additional_kwargs == {"tool_calls": [CALL]}


def test_arguments_sent_as_an_object_become_text():
    call = {"function": {"name": "weather", "arguments": {"city": "Zürich"}}}
    message = decode_completion(whole({"content": None, "tool_calls": [call]}), INFO).message
    assert message.additional_kwargs["tool_calls"] == [
        {"id": "call_x_0", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}}
    ]


def test_calls_without_id_are_called_otherwise_in_another_answer():
    body = whole({"content": None, "tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}]})
    first, second = (decode_completion({**body, "id": answer}, INFO).message.blocks[0] for answer in ("x", "y"))
    assert first.tool_call_id != second.tool_call_id


def test_a_whole_answers_calls_without_index_and_id_stay_apart():
    calls = [{"function": {"name": "a", "arguments": "{}"}}, {"function": {"name": "b", "arguments": "{}"}}]
    message = decode_completion(whole({"content": None, "tool_calls": calls}), INFO).message
    assert [(block.tool_call_id, block.tool_name) for block in message.blocks] == [("call_x_0", "a"), ("call_x_1", "b")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_a_thinking_block(name):
    message = decode_completion(whole({"content": "Yes.", name: "Let me see."}), INFO).message
    assert message.blocks == [ThinkingBlock(content="Let me see."), TextBlock(text="Yes.")]
    assert message.content == "Yes."


def test_content_in_parts_is_joined():
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}, {"type": "other"}]
    assert decode_completion(whole({"content": parts}), INFO).message.content == "Hello"


@pytest.mark.parametrize(
    ("content", "text"),
    [(4, "4"), (0, "0"), ({"city": "Zürich"}, '{"city": "Zürich"}'), (["Hel", "lo"], "Hello"), ({}, ""), ([], "")],
)
def test_content_that_is_no_text_is_its_json(content, text):
    assert decode_completion(whole({"content": content}), INFO).message.content == text


def test_thoughts_among_the_parts_are_a_thinking_block():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Two."}]
    message = decode_completion(whole({"content": parts}), INFO).message
    assert message.blocks == [ThinkingBlock(content="Hm."), TextBlock(text="Two.")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("annotations", [{"type": "url_citation", "url_citation": {"url": "https://a.example"}}]),
        ("audio", {"id": "audio_1", "data": "QUJD", "transcript": "Hello."}),
        ("function_call", {"name": "f", "arguments": "{}"}),
    ],
)
def test_what_comes_beside_the_text_is_in_additional_kwargs(name, value):
    assert decode_completion(whole({"content": "Hello.", name: value}), INFO).message.additional_kwargs == {name: value}


@pytest.mark.parametrize(
    ("token", "likely"),
    [
        ({"token": "a", "logprob": -0.5, "bytes": None}, [LogProb(token="a", logprob=-0.5)]),
        (
            {"token": "a", "top_logprobs": [{"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b"}]},
            [LogProb(token="a", logprob=-0.5, bytes=[97]), LogProb(token="b")],
        ),
    ],
)
def test_logprobs_are_told(token, likely):
    body = whole({"content": "a"})
    body["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    response = decode_completion(body, INFO)
    assert response.logprobs == [likely]
    assert to_completion(response).logprobs == [likely]


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, "none"])
def test_without_logprobs_there_are_none(logprobs):
    body = whole({"content": "a"})
    body["choices"][0]["logprobs"] = logprobs
    assert decode_completion(body, INFO).logprobs is None


@pytest.mark.parametrize("call", [{"id": 7, "function": {"name": 8}}, {"id": 7, "function": "f"}, {"id": 7}])
def test_a_garbled_call_is_still_a_call(call):
    block = decode_completion(whole({"content": None, "tool_calls": [call]}), INFO).message.blocks[0]
    assert block.tool_call_id == "7"


@pytest.mark.parametrize("arguments", ['{"city": "Be', "[1]", "12", "Bern", '{"city": "Bern"]'])
def test_arguments_that_are_no_object_are_given_to_no_tool_and_sent_back_as_they_were(arguments):
    broken = {**CALL, "function": {"name": "weather", "arguments": arguments}}
    message = decode_completion(whole({"content": None, "tool_calls": [broken, {**CALL, "id": "c2"}]}), INFO).message
    assert [call.tool_kwargs for call in decode_tool_calls(message)] == [{}, {"city": "Bern"}]
    assert message.additional_kwargs["invalid_tool_calls"] == ["c1"]
    assert encode_message(message)["tool_calls"][0] == broken


def test_a_refusal_is_kept():
    assert decode_completion(whole({"content": None, "refusal": "No."}), INFO).message.additional_kwargs == {
        "refusal": "No."
    }


@pytest.mark.parametrize("choices", [[], [{"index": 0, "message": None}]])
def test_an_empty_answer_is_an_empty_message(choices):
    assert decode_completion({"choices": choices}, INFO).message.content == ""


@pytest.mark.parametrize("body", [{}, {"choices": None}])
def test_an_answer_that_is_no_completion_is_an_error_with_the_log_id(body):
    with pytest.raises(APIStatusError) as caught:
        decode_completion(body, INFO)
    assert caught.value.info == INFO


def test_a_completion_has_dicts_of_its_own():
    response = decode_completion(whole({"content": None, "tool_calls": [CALL]}, usage={"total_tokens": 3}), INFO)
    completion = to_completion(response)
    assert completion.additional_kwargs == {"tool_calls": [CALL], "total_tokens": 3, "aigw": AIGW}
    assert set(response.message.additional_kwargs) == {"tool_calls"}
    assert "tool_calls" not in response.additional_kwargs
