from __future__ import annotations

import importlib
import json

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from aigw._sse import SSEDecoder
from aigw.local._dialects import DIALECTS, InvalidBody

RESPONSES = DIALECTS["responses"]

COMPLETION = {
    "id": "chatcmpl-7",
    "created": 1_790_000_000,
    "choices": [
        {
            "finish_reason": "tool_calls",
            "message": {
                "content": "Let me look.",
                "tool_calls": [{"id": "call_1", "function": {"name": "find", "arguments": '{"q":1}'}}],
            },
        }
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}

OUTPUT = [
    {
        "id": "msg_7_0",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": []}],
    },
    {
        "id": "fc_call_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "find",
        "arguments": '{"q":1}',
    },
]


def chunk(delta: object = None, finish: str | None = None, **more: object) -> dict:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-7", "created": 1_790_000_000, "choices": choices, **more}


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Let me "}),
    chunk({"content": "look."}),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "find", "arguments": '{"q'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}}]}),
    chunk({}, "tool_calls"),
    chunk(usage=COMPLETION["usage"]),
]


def translate(chunks: list[dict]) -> bytes:
    stream = RESPONSES.stream("gpt")
    return b"".join([*map(stream.feed, chunks), stream.close()])


def events(raw: bytes) -> list[dict]:
    found = SSEDecoder().feed(raw)
    bodies = [json.loads(event.data) for event in found]
    assert [event.event for event in found] == [body["type"] for body in bodies]
    return bodies


def ask(**body: object) -> dict:
    return RESPONSES.ask({"model": "gpt", "input": "hi", **body})


def test_a_plain_question():
    assert ask() == {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}


def test_options_take_the_names_of_chat_completions():
    assert ask(
        instructions="Be brief.",
        max_output_tokens=16,
        temperature=0,
        top_p=0.5,
        parallel_tool_calls=False,
        reasoning={"effort": "low"},
        text={"verbosity": "low"},
        store=False,
        include=["x"],
    ) == {
        "model": "gpt",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "max_tokens": 16,
        "temperature": 0,
        "top_p": 0.5,
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "verbosity": "low",
    }


def test_a_stream_is_asked_with_usage():
    assert ask(stream=True)["stream_options"] == {"include_usage": True}


def test_items_become_messages():
    items = [
        {"role": "developer", "content": "Rules."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
        {"type": "function_call", "call_id": "c1", "name": "find", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "noon"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "well?"}]},
    ]
    assert ask(input=items)["messages"] == [
        {"role": "system", "content": "Rules."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        {"role": "user", "content": "well?"},
    ]


def test_tools_take_the_nested_form():
    body = ask(
        tools=[{"type": "function", "name": "find", "parameters": {"type": "object"}, "strict": True}],
        tool_choice={"type": "function", "name": "find"},
    )
    function = {"name": "find", "parameters": {"type": "object"}, "strict": True}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "find"}}
    assert ask(tool_choice="required")["tool_choice"] == "required"


def test_a_text_format_becomes_a_response_format():
    form = {"type": "json_schema", "name": "out", "schema": {"type": "object"}, "strict": True}
    assert ask(text={"format": form})["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "out", "schema": {"type": "object"}, "strict": True},
    }
    assert ask(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}
    assert "response_format" not in ask(text={"format": {"type": "text"}})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"previous_response_id": "resp_1"},
            "previous_response_id: not supported, for the local gateway keeps no responses",
        ),
        ({"input": None}, "input: expected an array"),
        ({"input": []}, "input: at least one message is required"),
        (
            {"input": [{"type": "item_reference", "id": "x"}]},
            (
                "input.0.type: expected one of message, function_call, function_call_output, reasoning; "
                "got 'item_reference'"
            ),
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
            (
                "input.0.content.0.type: expected one of input_text, output_text, text, refusal, input_image; "
                "got 'input_file'"
            ),
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input.0.content.0.image_url: expected a string",
        ),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type: only function tools are supported; got 'web_search'"),
        ({"model": 5}, "model: expected a string"),
    ],
)
def test_a_wrong_body_is_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(InvalidBody) as caught:
        ask(**wrong)
    assert str(caught.value) == sentence


def test_an_answer_with_text_and_a_call():
    response = RESPONSES.answer(COMPLETION, model="gpt")
    assert {key: response[key] for key in ("id", "object", "created_at", "status", "model", "output", "usage")} == {
        "id": "resp_7",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": "gpt",
        "output": OUTPUT,
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 13,
        },
    }


def test_an_answer_is_valid_in_the_official_model():
    assert Response.model_validate(RESPONSES.answer(COMPLETION, model="gpt")).output_text == "Let me look."


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_cut_short_is_incomplete(finish, reason):
    completion = {"choices": [{"message": {"content": "a"}, "finish_reason": finish}]}
    response = RESPONSES.answer(completion, model="gpt")
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})


def test_a_stream_is_told_in_numbered_events():
    told = events(translate(CHUNKS))
    assert [event["type"].removeprefix("response.") for event in told] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in told] == list(range(15))
    assert told[2]["item"]["content"] == []
    assert told[4]["delta"] == "Let me "
    assert told[9]["item"]["arguments"] == ""
    assert (told[8]["item"], told[13]["item"]) == tuple(OUTPUT)


def test_the_last_event_has_the_whole_answer():
    assert events(translate(CHUNKS))[-1]["response"] == RESPONSES.answer(COMPLETION, model="gpt")


def test_every_event_is_valid_in_the_official_model():
    adapter = TypeAdapter(ResponseStreamEvent)
    for event in events(translate(CHUNKS)):
        adapter.validate_python(event)


def test_the_official_sdk_gathers_the_stream_into_the_whole_answer():
    headers = {"content-type": "text/event-stream"}
    httpx = importlib.import_module(openai.DefaultHttpxClient.send.__module__.partition(".")[0])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=translate(CHUNKS)))
    with (
        openai.OpenAI(api_key="test-token", http_client=httpx.Client(transport=transport)) as client,
        client.responses.stream(model="gpt", input="hi") as stream,
    ):
        final = stream.get_final_response()
    assert final.output_text == "Let me look."
    assert final.output[1].arguments == '{"q":1}'
    assert final.usage.total_tokens == 13


def test_a_stream_cut_short_ends_incomplete():
    last = events(translate([chunk({"content": "a"}, "length")]))[-1]
    assert (last["type"], last["response"]["incomplete_details"]) == (
        "response.incomplete",
        {"reason": "max_output_tokens"},
    )


def test_an_error_in_the_stream_fails_the_response():
    stream = RESPONSES.stream("gpt")
    stream.feed(CHUNKS[1])
    (failed,) = events(stream.feed({"error": {"message": "overloaded"}}))
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": "overloaded"}
    assert stream.close() == b""


def test_text_after_a_call_is_an_item_of_its_own():
    chunks = [CHUNKS[1], CHUNKS[3], CHUNKS[4], chunk({"content": "Done."}, "stop")]
    output = events(translate(chunks))[-1]["response"]["output"]
    assert [(item["type"], item["id"]) for item in output] == [
        ("message", "msg_7_0"),
        ("function_call", "fc_call_1"),
        ("message", "msg_7_2"),
    ]
