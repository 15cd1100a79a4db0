"""Streams of the wire to LangChain chunks: what they add up to, and what is on which."""

import functools
import operator

import pytest

from langchain_aigw._messages import ChunkDecoder, decode_completion

INFO = {"log_id": "L1", "step": 0}


def read(wire_chunks, model="asked"):
    decoder = ChunkDecoder(model=model)
    fed = [decoder.feed(chunk, None if place else INFO) for place, chunk in enumerate(wire_chunks)]
    return [chunk.message for chunk in [*fed, decoder.close()] if chunk is not None]


def total(wire_chunks):
    return functools.reduce(operator.add, read(wire_chunks))


def call(index=None, call_id=None, name=None, arguments=None):
    given = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in given.items() if value is not None}


def test_a_stream_adds_up_to_the_whole_answer(wire):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    first_call = call(0, "call_1", "f", '{"a": 1}')
    second_call = call(1, "call_2", "g", "{}")
    whole = wire.answer("Hello.", reasoning_content="hm", tool_calls=[first_call, second_call])
    whole |= {"usage": usage, "system_fingerprint": "fp_1", "service_tier": "default"}
    more = {"system_fingerprint": "fp_1", "service_tier": "default"}
    added = total(
        [
            {**wire.delta(role="assistant", content=""), **more},
            {**wire.delta(reasoning_content="h"), **more},
            {**wire.delta(reasoning_content="m"), **more},
            {**wire.delta(content="Hel"), **more},
            {**wire.delta(content="lo."), **more},
            {**wire.delta(tool_calls=[call(0, "call_1", "f", "")]), **more},
            {**wire.delta(tool_calls=[call(0, None, None, '{"a":')]), **more},
            {**wire.delta(tool_calls=[call(0, None, None, " 1}")]), **more},
            {**wire.delta(tool_calls=[call(1, "call_2", "g", "{}")]), **more},
            {**wire.end(), **more},
            {**wire.delta(), "choices": [], "usage": usage},
        ]
    )
    expected = decode_completion(whole, model="asked", info=INFO).generations[0].message
    for part in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "response_metadata"):
        assert getattr(added, part) == getattr(expected, part)
    assert added.usage_metadata == expected.usage_metadata


def test_each_entry_of_the_metadata_is_on_one_chunk(wire):
    messages = read([wire.delta(content="a"), wire.delta(content="b"), wire.end(), wire.end()])
    told = [dict(message.response_metadata) for message in messages]
    assert [entries.pop("model_provider") for entries in told] == ["cloudflare_ai_gateway"] * 3  # LangChain's exception
    assert told == [
        {"id": "chatcmpl-1", "model_name": "gpt-5-mini-2026", "aigw": INFO},
        {},
        {"finish_reason": "stop"},
    ]


def test_the_facts_are_on_the_first_chunk_even_when_it_says_nothing_else(wire):
    first = read([wire.delta(role="assistant", content=""), wire.delta(content="a"), wire.end()])[0]
    assert first.content == ""
    assert first.response_metadata["aigw"] == INFO


def test_only_the_last_chunk_is_the_last(wire):
    messages = read([wire.delta(content="a"), wire.end()])
    assert [message.chunk_position for message in messages] == [None, "last"]


def test_no_chunk_has_an_id_of_its_own(wire):
    assert {message.id for message in read([wire.delta(content="a"), wire.end()])} == {None}


def test_a_model_that_is_never_named_is_the_one_asked(wire):
    chunks = [{**wire.delta(content="a"), "model": ""}, {**wire.end(), "model": ""}]
    assert total(chunks).response_metadata["model_name"] == "asked"


def test_a_model_that_is_named_late_is_told_once(wire):
    chunks = [{**wire.delta(content="a"), "model": ""}, wire.delta(content="b"), wire.end()]
    assert total(chunks).response_metadata["model_name"] == "gpt-5-mini-2026"


def test_cumulative_usage_is_told_once_and_the_last_one_counts(wire):
    def usage(tokens):
        return {"usage": {"prompt_tokens": 3, "completion_tokens": tokens, "total_tokens": 3 + tokens, "neurons": 0.5}}

    chunks = [wire.delta(content="a") | usage(1), wire.delta(content="b") | usage(2), wire.end() | usage(2)]
    messages = read(chunks)
    assert [message.usage_metadata is not None for message in messages] == [False, False, True]
    assert messages[-1].usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def test_a_null_usage_after_the_real_one_does_not_unsay_it(wire):
    real = {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
    assert total([wire.delta(content="a") | real, wire.end(usage=None)]).usage_metadata["total_tokens"] == 2


def test_a_stream_without_usage_has_none(wire):
    assert total([wire.delta(content="a"), wire.end()]).usage_metadata is None


@pytest.mark.parametrize("chunk", [{"choices": []}, {"choices": None}, {"choices": [{"index": 0, "delta": None}]}, {}])
def test_a_chunk_that_says_nothing_gives_none(chunk):
    decoder = ChunkDecoder()
    decoder.feed({"choices": []})
    assert decoder.feed(chunk) is None


def test_an_empty_list_of_content_never_begins_a_stream(wire):
    assert total([wire.delta(content=[]), wire.delta(content="hi"), wire.end()]).content == "hi"


def test_of_several_choices_the_first_is_streamed(wire):
    other = {**wire.delta(), "choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}]}
    added = total([wire.delta(content="a"), other, wire.delta(content="b"), wire.end(), other])
    assert added.content == "ab"
    assert added.response_metadata["finish_reason"] == "stop"


def test_logprobs_are_joined(wire):
    def likely(token):
        chunk = wire.delta(content=token)
        chunk["choices"][0]["logprobs"] = {"content": [{"token": token, "logprob": -0.5}], "refusal": None}
        return chunk

    added = total([likely("a"), likely("b"), wire.end()])
    assert [entry["token"] for entry in added.response_metadata["logprobs"]["content"]] == ["a", "b"]


CALLS = {
    "an index each": [
        [call(0, "call_1", "f", "")],
        [call(0, None, None, '{"a":1}')],
        [call(1, "call_2", "g", '{"b":2}')],
    ],
    "interleaved": [
        [call(0, "call_1", "f", ""), call(1, "call_2", "g", "")],
        [call(1, None, None, '{"b":')],
        [call(0, None, None, '{"a":1}')],
        [call(1, None, None, "2}")],
    ],
    "no index, ids": [
        [call(None, "call_1", "f", '{"a":')],
        [call(None, None, None, "1}")],
        [call(None, "call_2", "g", '{"b":2}')],
    ],
    "no index, ids repeated": [
        [call(None, "call_1", "f", '{"a":')],
        [call(None, "call_2", "g", '{"b":')],
        [call(None, "call_1", "f", "1}")],
        [call(None, "call_2", "g", "2}")],
    ],
    "names and ids repeated": [
        [call(0, "call_1", "f", '{"a":')],
        [call(0, "call_1", "f", "1}")],
        [call(1, "call_2", "g", '{"b":')],
        [call(1, "call_2", "g", "2}")],
    ],
    "one index for all": [
        [call(0, "call_1", "f", '{"a":')],
        [call(0, None, None, "1}")],
        [call(0, "call_2", "g", '{"b":')],
        [call(0, None, None, "2}")],
    ],
    "whole calls at once": [[call(None, "call_1", "f", '{"a":1}'), call(None, "call_2", "g", '{"b":2}')]],
    "indices with gaps": [[call(1, "call_1", "f", '{"a":1}')], [call(5, "call_2", "g", '{"b":2}')]],
    "id after the name": [
        [call(0, None, "f", '{"a":1}')],
        [call(0, "call_1", None, None)],
        [call(1, "call_2", "g", '{"b":2}')],
    ],
    "arguments already decoded": [[call(0, "call_1", "f", {"a": 1})], [call(1, "call_2", "g", {"b": 2})]],
}


@pytest.mark.parametrize("deltas", CALLS.values(), ids=CALLS.keys())
def test_tool_calls_come_out_the_same_however_they_are_streamed(wire, deltas):
    added = total([*(wire.delta(tool_calls=calls) for calls in deltas), wire.end("tool_calls")])
    assert added.tool_calls == [
        {"name": "f", "args": {"a": 1}, "id": "call_1", "type": "tool_call"},
        {"name": "g", "args": {"b": 2}, "id": "call_2", "type": "tool_call"},
    ]


NAMELESS = {
    "one index for all": [[call(0, None, "f", '{"a":1}')], [call(0, None, "g", '{"b":2}')]],
    "no index": [[call(None, None, "f", '{"a":1}')], [call(None, None, "g", '{"b":2}')]],
    "at once": [[call(None, None, "f", '{"a":1}'), call(None, None, "g", '{"b":2}')]],
}


@pytest.mark.parametrize("deltas", NAMELESS.values(), ids=NAMELESS.keys())
def test_calls_without_ids_get_those_of_the_whole_answer(wire, deltas):
    added = total([*(wire.delta(tool_calls=calls) for calls in deltas), wire.end("tool_calls")])
    assert [(call["name"], call["args"], call["id"]) for call in added.tool_calls] == [
        ("f", {"a": 1}, "call_chatcmpl1_0"),
        ("g", {"b": 2}, "call_chatcmpl1_1"),
    ]


def test_an_id_that_comes_with_another_name_begins_another_call(wire):
    deltas = [[call(0, None, "f", "{}")], [call(0, "call_2", "g", "{}")]]
    added = total([*(wire.delta(tool_calls=calls) for calls in deltas), wire.end("tool_calls")])
    assert [(call["name"], call["id"]) for call in added.tool_calls] == [("f", "call_chatcmpl1_0"), ("g", "call_2")]


def test_two_calls_of_one_tool_without_index_or_id_stay_two(wire):
    deltas = [[call(None, None, "f", '{"a":1}')], [call(None, None, "f", '{"a":2}')]]
    added = total([*(wire.delta(tool_calls=calls) for calls in deltas), wire.end("tool_calls")])
    assert [call["args"] for call in added.tool_calls] == [{"a": 1}, {"a": 2}]


def test_arguments_that_are_no_object_make_an_invalid_call(wire):
    added = total([wire.delta(tool_calls=[call(0, "call_1", "f", "[1]")]), wire.end("tool_calls")])
    assert added.tool_calls == []
    assert added.invalid_tool_calls[0]["args"] == "[1]"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"path": "/home/a', '{"path": "/home/a"]'),
        ('{"path": "/home/a\\', '{"path": "/home/a\\""]'),
        ('{"a": [1, 2', '{"a": [1, 2}'),
        ('{"a": ["x', '{"a": ["x"}'),
        ('{"a": 1, "b": ', '{"a": 1, "b": ]'),
        ("{", "{]"),
    ],
)
def test_a_call_that_was_cut_is_invalid_and_never_called_with_half_of_its_arguments(wire, arguments, told):
    added = total([wire.delta(tool_calls=[call(0, "call_1", "f", arguments)]), wire.end("length")])
    assert added.tool_calls == []
    assert [(made["name"], made["args"]) for made in added.invalid_tool_calls] == [("f", told)]


def test_a_call_that_is_whole_is_left_as_it_is(wire):
    added = total([wire.delta(tool_calls=[call(0, "call_1", "f", '{"a": "x\ny"}')]), wire.end("tool_calls")])
    assert added.tool_calls[0]["args"] == {"a": "x\ny"}
