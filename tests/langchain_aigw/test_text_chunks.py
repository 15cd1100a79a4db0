"""Chunks and answers of plain text are made on a short way: they must be what the long way makes."""

from __future__ import annotations

import copy
import pickle

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_aigw._decode import decode_completion
from langchain_aigw._stream import ChunkDecoder


def said(content="word ", finish_reason=None, **delta):
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish_reason, "logprobs": None}
    return {"id": "chatcmpl-1", "model": "gpt", "choices": [choice]}


def decoder(*, is_short=True):
    made = ChunkDecoder(model="gpt")
    if not is_short:
        made._plain_text = lambda _: None
    made.feed(said("first"), {"log_id": "log"})
    return made


PLAIN = [
    said(),
    said(role="assistant"),
    said(refusal=None, tool_calls=None, reasoning_content=""),
    {**said(), "usage": None, "system_fingerprint": None, "obfuscation": "xx"},
    {"choices": [{"delta": {"content": "x"}}]},
]
NOT_PLAIN = [
    said(""),
    said(None),
    said(["part"]),
    said([{"type": "text", "text": "part"}]),
    said(finish_reason="stop"),
    said(refusal="no"),
    said(reasoning_content="hm"),
    said(tool_calls=[{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}]),
    {**said(), "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
    {**said(), "service_tier": "default"},
    {**said(), "choices": []},
    {**said(), "choices": [{"index": 1, "delta": {"content": "other"}}]},
    {**said(), "choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": {"content": []}}]},
    {**said(), "choices": said()["choices"] * 2},
    {**said(), "choices": ["?"]},
    {**said(), "choices": [{"index": 0, "delta": None}]},
]


@pytest.mark.parametrize("event", PLAIN)
def test_plain_text_goes_the_short_way(event):
    assert decoder()._plain_text(event) == event["choices"][0]["delta"]["content"]


@pytest.mark.parametrize("event", NOT_PLAIN)
def test_what_says_more_than_text_goes_the_long_way(event):
    assert decoder()._plain_text(event) is None


@pytest.mark.parametrize("event", [*PLAIN, *NOT_PLAIN])
def test_both_ways_lead_to_the_same_chunk(event):
    short, long = decoder().feed(event), decoder(is_short=False).feed(event)
    assert short == long
    assert repr(short) == repr(long)
    if short is not None:
        assert vars(short.message) == vars(long.message)
        assert short.message.model_fields_set == long.message.model_fields_set
        assert short.model_fields_set == long.model_fields_set
        assert short.model_dump() == long.model_dump()


GIVEN = {"content", "additional_kwargs", "tool_call_chunks", "response_metadata", "usage_metadata", "chunk_position"}


def constructed_chunk(chunk):
    given = GIVEN & chunk.message.model_fields_set
    message = AIMessageChunk(**{name: copy.deepcopy(getattr(chunk.message, name)) for name in given})
    return ChatGenerationChunk(message=message, generation_info=chunk.generation_info)


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}}


@pytest.mark.parametrize("event", [*PLAIN, *NOT_PLAIN, {"usage": USAGE, "choices": []}])
def test_every_chunk_is_what_would_be_constructed(event):
    feeding = ChunkDecoder(model="gpt")
    made = [feeding.feed(event, {"log_id": "log"}), feeding.feed(event), feeding.close()]
    for chunk in filter(None, made):
        constructed = constructed_chunk(chunk)
        for ours, theirs in ((chunk, constructed), (chunk.message, constructed.message)):
            assert vars(ours) == vars(theirs)
            assert repr(ours) == repr(theirs)
            assert ours.model_fields_set == theirs.model_fields_set
            assert ours.model_dump() == theirs.model_dump()


def test_no_two_chunks_share_what_can_be_changed():
    one, other = (decoder().feed(said()) for _ in range(2))
    one.message.additional_kwargs["mine"] = one.message.response_metadata["mine"] = 1
    one.message.tool_calls.append("mine")
    one.message.tool_call_chunks.append("mine")
    one.message.invalid_tool_calls.append("mine")
    one.message.model_fields_set.add("mine")
    assert other == decoder().feed(said())
    assert "mine" not in other.message.model_fields_set


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda chunk: pickle.loads(pickle.dumps(chunk))])  # noqa: S301 -- our own
def test_a_chunk_can_be_copied_added_and_changed(again):
    chunk = decoder().feed(said("a"))
    copied = again(chunk)
    assert copied == chunk
    total = copied + decoder().feed(said("b"))
    assert (total.text, total.message.content) == ("ab", "ab")
    copied.message.id = "run-1"
    assert chunk.message.id is None or again is copy.copy


def answered(content="word", **message):
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "model": "gpt", "choices": [choice], "usage": {"prompt_tokens": 1}}


def constructed(message):
    return AIMessage(
        content=message.content,
        additional_kwargs=message.additional_kwargs,
        tool_calls=[],
        invalid_tool_calls=[],
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
    )


@pytest.mark.parametrize(
    "completion",
    [answered(), answered(""), answered(None), answered(refusal="no"), answered(reasoning_content="hm", tool_calls=[])],
)
def test_an_answer_of_text_is_what_would_be_constructed(completion):
    made = decode_completion(completion, info={"log_id": "log"})
    message = made.generations[0].message
    generation = ChatGeneration(message=constructed(message), generation_info=made.generations[0].generation_info)
    result = ChatResult(generations=[generation], llm_output=made.llm_output)
    assert made == result
    assert repr(made) == repr(result)
    for ours, theirs in ((made, result), (made.generations[0], generation), (message, generation.message)):
        assert vars(ours) == vars(theirs)
        assert ours.model_fields_set == theirs.model_fields_set
        assert ours.model_dump() == theirs.model_dump()


def test_no_two_answers_share_what_can_be_changed():
    one, other = (decode_completion(answered(), info={"log_id": "log"}) for _ in range(2))
    message = one.generations[0].message
    message.additional_kwargs["mine"] = message.response_metadata["mine"] = one.llm_output["mine"] = 1
    message.response_metadata["aigw"]["mine"] = one.generations[0].generation_info["mine"] = 1
    message.tool_calls.append("mine")
    message.invalid_tool_calls.append("mine")
    one.generations.append("mine")
    assert other == decode_completion(answered(), info={"log_id": "log"})


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301 -- our own
def test_an_answer_can_be_copied_and_changed(again):
    message = decode_completion(answered()).generations[0].message
    copied = again(message)
    assert copied == message
    copied.id = "run-1"
    assert message.id is None
