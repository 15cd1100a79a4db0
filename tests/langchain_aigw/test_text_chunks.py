"""Chunks of plain text are made on a short way: they must be what the long way makes."""

from __future__ import annotations

import copy
import pickle

import pytest

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
