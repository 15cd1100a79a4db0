"""Answers as standard content blocks: in messages, in `output_version="v1"`, in the events of version 3."""

import functools
import operator

import pytest
from langchain_core import exceptions
from langchain_core.messages import AIMessage
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_aigw import ChatCloudflareAIGateway  # noqa: F401  registers the translators
from langchain_aigw._messages import PROVIDER, encode_messages

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

KNOWS_REFUSALS = hasattr(exceptions, "ModelRefusalError")
REFUSAL = [{"type": "refusal", "refusal": "I cannot."}] if KNOWS_REFUSALS else []
CALLS = [
    {"type": "tool_call", "id": "call_1", "name": "f", "args": {"a": 1}},
    {"type": "tool_call", "id": "call_2", "name": "g", "args": {}},
]


def call(index, call_id=None, name=None, arguments=""):
    given = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in given.items() if value is not None}


def bare(blocks):
    """Give blocks without their index, which only joins chunks."""
    return [{key: value for key, value in block.items() if key != "index"} for block in blocks]


def kinds(blocks):
    return [block["type"] for block in blocks]


@pytest.fixture
def mixed(wire):
    """Thoughts and text in one chunk, text before parallel calls, the calls interleaved."""
    return [
        wire.delta(role="assistant", content=""),
        wire.delta(reasoning_content="Hm"),
        wire.delta(reasoning_content=", ok.", content="Let "),
        wire.delta(content="me."),
        wire.delta(tool_calls=[call(0, "call_1", "f")]),
        wire.delta(tool_calls=[call(0, arguments='{"a":'), call(1, "call_2", "g", "{}")]),
        wire.delta(tool_calls=[call(0, arguments="1}")]),
        wire.end("tool_calls"),
    ]


EXPECTED = [{"type": "reasoning", "reasoning": "Hm, ok."}, {"type": "text", "text": "Let me."}, *CALLS]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_stream_keeps_thoughts_text_and_parallel_calls_apart(stage, mixed, version):
    stage.play(mixed)
    added = functools.reduce(operator.add, stage.chat(output_version=version).stream("hi"))
    assert bare(added.content_blocks) == EXPECTED
    assert [made["args"] for made in added.tool_calls] == [{"a": 1}, {}]


def test_the_content_of_a_v1_stream_is_its_blocks(stage, mixed):
    stage.play(mixed)
    added = functools.reduce(operator.add, stage.chat(output_version="v1").stream("hi"))
    assert bare(added.content) == EXPECTED
    assert added.response_metadata["output_version"] == "v1"


async def test_an_async_v1_stream_is_the_same(stage, mixed):
    stage.play(mixed)
    chunks = [chunk async for chunk in stage.chat(output_version="v1").astream("hi")]
    assert bare(functools.reduce(operator.add, chunks).content) == EXPECTED


def test_events_of_version_3_keep_them_apart_too(stage, mixed):
    stage.play(mixed)
    stream = stage.chat().stream_events("hi", version="v3")
    assert_valid_event_stream(list(stream))
    assert bare(stream.output.content) == EXPECTED
    assert stream.output.tool_calls == [{**made, "type": "tool_call"} for made in CALLS]


async def test_async_events_of_version_3_are_the_same(stage, mixed):
    stage.play(mixed)
    stream = await stage.chat().astream_events("hi", version="v3")
    assert_valid_event_stream([event async for event in stream])
    assert bare((await stream.output).content) == EXPECTED


def test_a_whole_answer_has_the_same_blocks(stage, wire):
    calls = [call(0, "call_1", "f", '{"a":1}'), call(1, "call_2", "g", "{}")]
    stage.play(wire.answer("Let me.", reasoning_content="Hm, ok.", tool_calls=calls))
    assert stage.chat().invoke("hi").content_blocks == EXPECTED
    assert stage.chat(output_version="v1").invoke("hi").content == EXPECTED


def test_the_metadata_of_the_three_ways_is_the_same(stage, wire):
    def told(message):
        told = dict(message.response_metadata)
        return {key: value for key, value in told.items() if key not in {"aigw", "output_version"}}

    model = stage.chat(output_version="v1")
    stage.play(wire.answer("ab"))
    whole = told(model.invoke("hi"))
    stage.play([wire.delta(content="a"), wire.delta(content="b"), wire.end()])
    added = functools.reduce(operator.add, model.stream("hi"))
    events = model.stream_events("hi", version="v3")
    assert told(added) == told(events.output) == whole


def test_a_call_without_an_id_gets_one_in_blocks_too(stage, wire):
    stage.play([wire.delta(content="Hi"), wire.delta(tool_calls=[call(0, None, "f", "{}")]), wire.end("tool_calls")])
    added = functools.reduce(operator.add, stage.chat(output_version="v1").stream("hi"))
    made = {"type": "tool_call", "id": "call_chatcmpl1_0", "name": "f", "args": {}}
    assert bare(added.content) == [{"type": "text", "text": "Hi"}, made]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_refusal_is_told_once_and_whole(stage, wire, version):
    stage.play([wire.delta(refusal="I "), wire.delta(refusal="cannot."), wire.end()])
    chunks = list(stage.chat(output_version=version).stream("hi"))
    added = functools.reduce(operator.add, chunks)
    assert added.additional_kwargs == {"refusal": "I cannot."}
    assert bare(added.content_blocks) == REFUSAL
    assert sum("refusal" in chunk.additional_kwargs for chunk in chunks) == 1


def test_a_refusal_of_a_whole_answer_is_a_block(stage, wire):
    stage.play(wire.answer(None, refusal="I cannot."))
    assert stage.chat().invoke("hi").content_blocks == REFUSAL


def test_what_nobody_knows_is_a_block_that_is_not_standard():
    message = AIMessage(
        [{"type": "text", "text": "a"}, {"type": "hologram", "data": 1}, "b", ""],
        response_metadata={"model_provider": PROVIDER},
    )
    assert message.content_blocks == [
        {"type": "text", "text": "a"},
        {"type": "non_standard", "value": {"type": "hologram", "data": 1}},
        {"type": "text", "text": "b"},
    ]


def test_parts_of_plain_text_and_thoughts_are_joined(stage, wire):
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    stage.play(
        [
            wire.delta(content=[thought]),
            wire.delta(content=[{"type": "text", "text": "Hel"}]),
            wire.delta(content=[{"type": "text", "text": "lo."}]),
            wire.end(),
        ]
    )
    added = functools.reduce(operator.add, stage.chat().stream("hi"))
    assert added.content == "Hello."
    assert added.additional_kwargs == {"reasoning_content": "Hm."}


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_an_answer_goes_back_to_the_wire_as_it_came(stage, mixed, version):
    stage.play(mixed)
    added = functools.reduce(operator.add, stage.chat(output_version=version).stream("hi"))
    sent = encode_messages([added])[0]
    text = sent["content"] if version == "v0" else sent["content"][0]["text"]
    assert text == "Let me."
    assert [made["function"]["arguments"] for made in sent["tool_calls"]] == ['{"a": 1}', "{}"]


def test_a_refusal_block_goes_back_to_the_wire_as_a_refusal():
    message = AIMessage([{"type": "refusal", "refusal": "I cannot.", "index": "lc_rfs_0"}])
    assert encode_messages([message]) == [{"role": "assistant", "content": None, "refusal": "I cannot."}]
