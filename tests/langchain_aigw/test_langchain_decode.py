"""Whole completions of the wire to LangChain messages."""

import pytest
from langchain_core.messages import AIMessage

from langchain_aigw._messages import decode_completion


def decode(completion, **more):
    return decode_completion(completion, **more).generations[0].message


def test_text_usage_and_metadata_are_told(wire):
    completion = {**wire.answer("Hello."), "system_fingerprint": "fp_1", "service_tier": "default"}
    message = decode(completion, model="asked", info={"log_id": "L1"})
    assert message == AIMessage(
        content="Hello.",
        response_metadata={
            "id": "chatcmpl-1",
            "model_name": "gpt-5-mini-2026",
            "model_provider": "cloudflare_ai_gateway",
            "system_fingerprint": "fp_1",
            "service_tier": "default",
            "finish_reason": "stop",
            "aigw": {"log_id": "L1"},
        },
        usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    )


def test_an_answer_without_a_model_is_named_after_the_one_asked(wire):
    completion = {**wire.answer("x"), "model": None}
    assert decode(completion, model="asked").response_metadata["model_name"] == "asked"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"neurons": 1.5}, None),
        (
            {"prompt_tokens": 7.0, "completion_tokens": None},
            {"input_tokens": 7, "output_tokens": 0, "total_tokens": 7},
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3.0, "audio_tokens": None},
            },
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 15,
                "input_token_details": {"audio": 0, "cache_read": 4, "cache_creation": 1},
                "output_token_details": {"reasoning": 3},
            },
        ),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 1,
                "prompt_tokens_details": None,
                "completion_tokens_details": None,
            },
            {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        ),
    ],
)
def test_usage_is_counted_in_whole_numbers(wire, usage, expected):
    assert decode({**wire.answer("x"), "usage": usage}).usage_metadata == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, ""),
        ([], ""),
        ("", ""),
        ([{"type": "text", "text": "a"}, "b"], "ab"),
        ([{"type": "image", "url": "u"}], [{"type": "image", "url": "u"}]),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_content_is_text_or_blocks(wire, content, expected):
    assert decode(wire.answer(content)).content == expected


def test_tool_calls_are_parsed(wire):
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = decode(wire.answer(None, tool_calls=[call]))
    assert message.tool_calls == [{"name": "f", "args": {"a": 1}, "id": "call_1", "type": "tool_call"}]


@pytest.mark.parametrize("arguments", ["", None, "{}", {}])
def test_a_call_without_arguments_has_an_empty_dict(wire, arguments):
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    assert decode(wire.answer(None, tool_calls=[call])).tool_calls[0]["args"] == {}


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "text"])
def test_arguments_that_are_no_object_make_an_invalid_call(wire, arguments):
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = decode(wire.answer(None, tool_calls=[call]))
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == arguments
    assert "the arguments are no JSON" in message.invalid_tool_calls[0]["error"]


def test_a_call_without_an_id_gets_one_of_the_answer(wire):
    call = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    message = decode(wire.answer(None, tool_calls=[call, call]))
    assert [call["id"] for call in message.tool_calls] == ["call_chatcmpl1_0", "call_chatcmpl1_1"]


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_beside_the_content(wire, key):
    message = decode(wire.answer("42", **{key: "six times seven"}))
    assert message.additional_kwargs == {"reasoning_content": "six times seven"}


def test_a_refusal_is_kept_beside_the_content(wire):
    assert decode(wire.answer(None, refusal="No.")).additional_kwargs == {"refusal": "No."}


def test_each_choice_is_a_generation_and_usage_is_told_once(wire):
    completion = wire.answer("a")
    second = {"index": 1, "message": {"role": "assistant", "content": "b"}, "finish_reason": "length"}
    completion["choices"].append(second)
    result = decode_completion(completion, info={"log_id": "L1"})
    messages = [generation.message for generation in result.generations]
    assert [message.content for message in messages] == ["a", "b"]
    assert [message.response_metadata["finish_reason"] for message in messages] == ["stop", "length"]
    assert [message.response_metadata["aigw"] for message in messages] == [{"log_id": "L1"}, {"log_id": "L1"}]
    assert [message.usage_metadata is None for message in messages] == [False, True]


def test_logprobs_are_told(wire):
    completion = wire.answer("a")
    completion["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}]}
    assert decode(completion).response_metadata["logprobs"] == {"content": [{"token": "a", "logprob": -0.5}]}


@pytest.mark.parametrize("choices", [None, []])
def test_an_answer_without_choices_is_none(wire, choices):
    with pytest.raises(ValueError, match="no choices"):
        decode_completion({**wire.answer("x"), "choices": choices})
