"""The wire's answers as LlamaIndex's responses: literal JSON in, responses out."""

import pytest
from llama_index.core.base.llms.types import TextBlock, ThinkingBlock, ToolCallBlock

from aigw import APIStatusError, ResponseInfo
from llamaindex_aigw._decode import decode_completion, to_completion

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
        {"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}}
    ]


def test_a_whole_answers_calls_without_index_and_id_stay_apart():
    calls = [{"function": {"name": "a", "arguments": "{}"}}, {"function": {"name": "b", "arguments": "{}"}}]
    message = decode_completion(whole({"content": None, "tool_calls": calls}), INFO).message
    assert [(block.tool_call_id, block.tool_name) for block in message.blocks] == [("call_0", "a"), ("call_1", "b")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_a_thinking_block(name):
    message = decode_completion(whole({"content": "Yes.", name: "Let me see."}), INFO).message
    assert message.blocks == [ThinkingBlock(content="Let me see."), TextBlock(text="Yes.")]
    assert message.content == "Yes."


def test_content_in_parts_is_joined():
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}, {"type": "other"}]
    assert decode_completion(whole({"content": parts}), INFO).message.content == "Hello"


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
