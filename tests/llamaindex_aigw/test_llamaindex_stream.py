"""Streamed answers: literal chunks in, cumulative responses out."""

from llama_index.core.base.llms.types import LogProb, TextBlock, ThinkingBlock, ToolCallBlock

from aigw import ResponseInfo
from llamaindex_aigw._stream import ChunkDecoder
from llamaindex_aigw._tools import decode_tool_calls

INFO = ResponseInfo(log_id="log-1", status_code=200)
AIGW = {"log_id": "log-1", "status_code": 200}


def chunk(delta=None, finish_reason=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return {"id": "x", "choices": choices, **more}


def call(index=None, call_id=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "function": {key: value for key, value in function.items() if value}}


def gather(*chunks):
    decoder = ChunkDecoder(INFO)
    responses = [response for item in chunks if (response := decoder.feed(item)) is not None]
    return [*responses, decoder.close()]


def calls_of(*calls):
    last = gather(*(chunk({"tool_calls": [item]}) for item in calls))[-1]
    return [(block.tool_call_id, block.tool_name, block.tool_kwargs) for block in last.message.blocks]


def test_messages_grow_and_deltas_do_not():
    responses = gather(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}))
    assert [(response.message.content, response.delta) for response in responses] == [
        ("Hel", "Hel"),
        ("Hello", "lo"),
        ("Hello", ""),
    ]


def test_a_stream_without_chunks_gives_one_empty_response():
    responses = gather()
    assert [(response.message.content, response.delta) for response in responses] == [("", "")]
    assert responses[0].additional_kwargs == {"aigw": AIGW}


def test_the_last_response_alone_has_usage_counts_and_facts():
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    first, last = gather(chunk({"content": "Hi"}), chunk({}, "stop"), chunk(usage=usage))
    assert first.additional_kwargs == {}
    assert "aigw" not in first.raw
    assert last.additional_kwargs == {**usage, "aigw": AIGW}
    assert last.raw == {
        "id": "x",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": usage,
        "aigw": AIGW,
    }


def test_of_a_usage_on_every_chunk_the_last_one_counts():
    chunks = [
        chunk({"content": "a"}, usage={"total_tokens": 1}),
        chunk({"content": "b"}, usage={"total_tokens": 2}),
        chunk({}, "stop", usage=None),
    ]
    assert gather(*chunks)[-1].raw["usage"] == {"total_tokens": 2}


def test_the_choice_that_says_why_it_ended_outlives_later_ones():
    last = gather(chunk({"content": "a"}), chunk({}, "length"), chunk({"content": ""}))[-1]
    assert last.raw["choices"][0]["finish_reason"] == "length"


def test_reasoning_comes_as_thinking_delta_and_block():
    first, second, last = gather(
        chunk({"reasoning_content": "Hm"}), chunk({"reasoning_content": "m."}), chunk({"content": None})
    )
    assert (first.delta, first.additional_kwargs) == ("", {"thinking_delta": "Hm"})
    assert second.additional_kwargs == {"thinking_delta": "m."}
    assert last.message.blocks == [ThinkingBlock(content="Hmm."), TextBlock(text="")]
    assert last.additional_kwargs == {"aigw": AIGW}


def test_a_chunk_with_thought_and_text_gives_both():
    response = gather(chunk({"reasoning": "Hm.", "content": "Yes"}))[0]
    assert (response.delta, response.additional_kwargs) == ("Yes", {"thinking_delta": "Hm."})


def test_a_tool_calls_arguments_grow():
    responses = gather(
        chunk({"tool_calls": [call(0, "c1", "weather", '{"ci')]}), chunk({"tool_calls": [call(0, arguments='ty": 1}')]})
    )
    assert [response.message.blocks for response in responses] == [
        [ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs='{"ci')],
        [ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs='{"city": 1}')],
        [ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs='{"city": 1}')],
    ]
    assert [response.message.additional_kwargs["tool_calls"][0]["function"]["arguments"] for response in responses] == [
        '{"ci',
        '{"city": 1}',
        '{"city": 1}',
    ]


def test_parallel_calls_that_come_interleaved_stay_apart():
    assert calls_of(
        call(0, "c1", "a", '{"x"'), call(1, "c2", "b", '{"y"'), call(0, arguments=": 1}"), call(1, arguments=": 2}")
    ) == [("c1", "a", '{"x": 1}'), ("c2", "b", '{"y": 2}')]


def test_calls_without_index_follow_their_ids():
    assert calls_of(
        call(None, "c1", "a", "{"), call(None, None, None, "}"), call(None, "c2", "b", "{"), call(None, "c2", "b", "}")
    ) == [("c1", "a", "{}"), ("c2", "b", "{}")]


def test_whole_calls_without_index_and_id_stay_apart():
    assert calls_of(call(None, None, "a", "{}"), call(None, None, "b", "{}")) == [
        ("call_x_0", "a", "{}"),
        ("call_x_1", "b", "{}"),
    ]


def test_a_name_repeated_while_arguments_grow_goes_on_with_the_call():
    assert calls_of(call(None, None, "f", '{"x":'), call(None, None, "f", " 1}")) == [("call_x_0", "f", '{"x": 1}')]


def test_a_new_id_under_an_old_index_is_a_new_call():
    assert calls_of(call(0, "c1", "a", "{}"), call(0, "c2", "b", "{"), call(0, None, None, "}")) == [
        ("c1", "a", "{}"),
        ("c2", "b", "{}"),
    ]


def test_a_repeated_name_is_not_doubled():
    assert calls_of(call(0, "c1", "f", "{"), call(0, "c1", "f", "}")) == [("c1", "f", "{}")]


def test_nulls_in_chunks_do_no_harm():
    chunks = [
        {"choices": None},
        {"choices": [{"index": 0, "delta": None}]},
        chunk({"content": None, "tool_calls": None, "refusal": None}),
        chunk({"content": "ok", "tool_calls": [{"function": None}]}),
    ]
    assert gather(*chunks)[-1].message.content == "ok"


def test_other_choices_are_not_mixed_in():
    both = {"choices": [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]}
    assert gather(both)[-1].message.content == "A"


def test_responses_share_nothing_that_can_change():
    usage = {"total_tokens": 1}
    first, last = gather(chunk({"tool_calls": [call(0, "c1", "f", "{}")]}, usage=usage))
    last.raw["usage"]["total_tokens"] = 2
    last.message.additional_kwargs["tool_calls"][0]["id"] = "changed"
    last.additional_kwargs["aigw"]["log_id"] = "changed"
    assert first.raw["usage"] == {"total_tokens": 1}
    assert first.message.additional_kwargs["tool_calls"][0]["id"] == "c1"
    assert last.raw["aigw"]["log_id"] == "log-1"


def test_what_comes_beside_the_text_grows_and_names_are_told_once():
    last = gather(
        chunk({"audio": {"id": "audio_1", "data": "QU", "transcript": "Hel"}}),
        chunk(
            {"audio": {"id": "audio_1", "data": "JD", "transcript": "lo"}, "annotations": [{"type": "url_citation"}]}
        ),
        chunk({"audio": {"expires_at": 5}, "annotations": [{"type": "file_citation"}]}),
    )[-1]
    assert last.message.additional_kwargs == {
        "audio": {"id": "audio_1", "data": "QUJD", "transcript": "Hello", "expires_at": 5},
        "annotations": [{"type": "url_citation"}, {"type": "file_citation"}],
    }


def test_a_streamed_call_of_a_function_has_its_whole_arguments():
    parts = ({"name": "f", "arguments": '{"a": '}, {"name": "f", "arguments": "1}"})
    last = gather(*(chunk({"function_call": part}) for part in parts))[-1]
    assert last.message.additional_kwargs == {"function_call": {"name": "f", "arguments": '{"a": 1}'}}


def test_logprobs_are_on_the_last_response_alone():
    chunks = [chunk({"content": token}) for token in "ab"]
    for item, token in zip(chunks, "ab", strict=True):
        item["choices"][0]["logprobs"] = {"content": [{"token": token, "logprob": -0.5}]}
    assert [response.logprobs for response in gather(*chunks)] == [
        None,
        None,
        [[LogProb(token="a", logprob=-0.5)], [LogProb(token="b", logprob=-0.5)]],
    ]


def test_numbers_as_content_are_text():
    assert gather(chunk({"content": 4}), chunk({"content": 0}), chunk({"content": "."}))[-1].message.content == "40."


def test_arguments_that_were_cut_off_are_given_to_no_tool():
    *grown, last = gather(
        chunk({"tool_calls": [call(0, "c1", "pay", '{"amount": 1')]}),
        chunk({"tool_calls": [call(0, None, None, "2")]}, "length"),
    )
    assert [decode_tool_calls(response.message)[0].tool_kwargs for response in grown] == [{"amount": 1}, {"amount": 12}]
    assert decode_tool_calls(last.message)[0].tool_kwargs == {}
    assert last.message.additional_kwargs["invalid_tool_calls"] == ["c1"]


def test_whole_arguments_are_given_whatever_ended_the_stream():
    last = gather(chunk({"tool_calls": [call(0, "c1", "pay", '{"amount": 12}')]}, "length"))[-1]
    assert decode_tool_calls(last.message)[0].tool_kwargs == {"amount": 12}
    assert "invalid_tool_calls" not in last.message.additional_kwargs
