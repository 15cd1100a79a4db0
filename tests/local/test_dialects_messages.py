from __future__ import annotations

import importlib
import json

import anthropic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from aigw._sse import SSEDecoder
from aigw.local._dialects import DIALECTS, InvalidBody

MESSAGES = DIALECTS["messages"]
NO_CACHE = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}

COMPLETION = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "upstream-model",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"q":"ü"}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}

ANSWER = {
    "id": "msg_7",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"q": "ü"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 4, **NO_CACHE},
}


def chunk(delta: object = None, finish: str | None = None, **more: object) -> dict:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1, "choices": choices, **more}


def call(index: int, arguments: str, **first: object) -> dict:
    return chunk(
        {"tool_calls": [{"index": index, **first, "function": {**first.get("function", {}), "arguments": arguments}}]}
    )


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Let me "}),
    chunk({"reasoning_content": "hm"}),
    chunk({"content": "look."}),
    call(0, "", id="call_1", type="function", function={"name": "find"}),
    call(0, '{"q":'),
    call(0, '"ü"}'),
    call(1, "{}", id="call_2", type="function", function={"name": "now"}),
    chunk({}, "tool_calls"),
    chunk(usage={"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}),
]


def translate(chunks: list[dict]) -> bytes:
    stream = MESSAGES.stream("claude")
    return b"".join([*map(stream.feed, chunks), stream.close()])


def events(raw: bytes) -> list[dict]:
    found = SSEDecoder().feed(raw)
    bodies = [json.loads(event.data) for event in found]
    assert [event.event for event in found] == [body["type"] for body in bodies]
    return bodies


def ask(**body: object) -> dict:
    return MESSAGES.ask({"model": "claude", "max_tokens": 8, "messages": [{"role": "user", "content": "hi"}], **body})


def turns(*messages: dict) -> list[dict]:
    return ask(messages=list(messages))["messages"]


def test_a_plain_question():
    assert ask() == {"model": "claude", "max_tokens": 8, "messages": [{"role": "user", "content": "hi"}]}


def test_sampling_and_system_take_openai_names():
    assert ask(
        system="Be brief.", temperature=0, top_p=0.5, top_k=4, stop_sequences=["x"], metadata={"user_id": "u"}
    ) == {
        "model": "claude",
        "max_tokens": 8,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "temperature": 0,
        "top_p": 0.5,
        "stop": ["x"],
        "user": "u",
    }


def test_system_blocks_are_joined():
    system = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]
    assert ask(system=system)["messages"][0] == {"role": "system", "content": "a\n\nb"}


def test_a_stream_is_asked_with_usage():
    body = ask(stream=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_images_become_urls():
    content = [
        {"type": "text", "text": "see"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    ]
    assert turns({"role": "user", "content": content}) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ],
        }
    ]


def test_a_tool_round_becomes_calls_and_tool_messages():
    said = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": "ü"}},
    ]
    heard = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "no such file", "is_error": True},
        {"type": "text", "text": "go on"},
    ]
    assert turns({"role": "assistant", "content": said}, {"role": "user", "content": heard}) == [
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "find", "arguments": '{"q":"ü"}'}}],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "Error: no such file"},
        {"role": "user", "content": "go on"},
    ]


def test_a_tool_result_of_blocks_sends_its_images_behind_it():
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "a"}, image]}
    empty = {"type": "tool_result", "tool_use_id": "t2"}
    assert turns({"role": "user", "content": [result, empty]}) == [
        {"role": "tool", "tool_call_id": "t1", "content": "a"},
        {"role": "tool", "tool_call_id": "t2", "content": ""},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
    ]


def test_tools_take_the_nested_form():
    schema = {"type": "object", "properties": {}}
    assert ask(tools=[{"name": "find", "description": "Finds.", "input_schema": schema}])["tools"] == [
        {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": schema}}
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any", "disable_parallel_tool_use": True}, {"tool_choice": "required", "parallel_tool_calls": False}),
        ({"type": "none"}, {"tool_choice": "none"}),
        ({"type": "tool", "name": "f"}, {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ],
)
def test_a_tool_choice(choice, expected):
    body = ask(tool_choice=choice)
    assert {key: body[key] for key in expected} == expected


def test_an_output_schema_becomes_a_response_format():
    schema = {"type": "object"}
    assert ask(output_config={"format": {"type": "json_schema", "schema": schema}})["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": schema},
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"max_tokens": None}, "max_tokens: required, an integer of at least 1"),
        ({"max_tokens": True}, "max_tokens: required, an integer of at least 1"),
        ({"model": None}, "model: expected a string"),
        ({"messages": None}, "messages: expected an array"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": ["hi"]}, "messages.0: expected an object"),
        (
            {"messages": [{"role": "system", "content": "x"}]},
            "messages.0.role: expected one of user, assistant; got 'system'",
        ),
        ({"messages": [{"role": "user"}]}, "messages.0.content: expected an array"),
        (
            {"messages": [{"role": "user", "content": [{"type": "document"}]}]},
            "messages.0.content.0.type: expected text, image or tool_result; got 'document'",
        ),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools.0.type: only tools with an input_schema are supported; got 'web_search_20250305'",
        ),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name: expected a string"),
        ({"stream": "yes"}, "stream: expected true or false"),
    ],
)
def test_a_wrong_body_is_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(InvalidBody) as caught:
        ask(**wrong)
    assert str(caught.value) == sentence


def test_an_answer_with_text_and_tools():
    assert MESSAGES.answer(COMPLETION, model="claude") == ANSWER


def test_an_answer_is_valid_in_the_official_model():
    assert Message.model_validate(MESSAGES.answer(COMPLETION, model="claude")).content[1].input == {"q": "ü"}


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"), (None, "end_turn")],
)
def test_a_finish_reason(finish, reason):
    completion = {"id": "x", "choices": [{"message": {"content": "a"}, "finish_reason": finish}]}
    assert MESSAGES.answer(completion, model="claude")["stop_reason"] == reason


STOPPED = {"finish_reason": "stop", "stop_reason": "###"}


@pytest.mark.parametrize(
    ("dialect", "found"),
    [
        ("messages", {"stop_reason": "stop_sequence", "stop_sequence": "###"}),
        ("bedrock-claude", {"stop_reason": "stop_sequence", "stop_sequence": "###"}),
        ("converse", {"stopReason": "stop_sequence"}),
        ("cohere", {"finish_reason": "STOP_SEQUENCE"}),
    ],
)
def test_a_stop_sequence_that_the_upstream_names_is_told(dialect, found):
    completion = {"id": "x", "choices": [{"message": {"content": "a"}, **STOPPED}]}
    assert DIALECTS[dialect].answer(completion, model="claude").items() >= found.items()


def test_a_stop_sequence_is_told_at_the_end_of_a_stream():
    ended = {**chunk({}), "choices": [{"index": 0, "delta": {}, **STOPPED}]}
    told = events(translate([chunk({"content": "a"}), ended]))
    assert told[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "###"}


@pytest.mark.parametrize("hit", [7, None])
def test_a_stop_that_is_no_text_is_no_stop_sequence(hit):
    completion = {"id": "x", "choices": [{"message": {"content": "a"}, "finish_reason": "stop", "stop_reason": hit}]}
    assert MESSAGES.answer(completion, model="claude")["stop_reason"] == "end_turn"


def test_tokens_from_the_cache_are_counted_apart():
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 6}}
    assert MESSAGES.answer({"usage": usage}, model="claude")["usage"] == {
        "input_tokens": 3,
        "output_tokens": 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 6,
    }


def test_arguments_cut_short_give_what_can_be_read():
    cut = {"id": "c", "function": {"name": "f", "arguments": '{"a":1,"b":"hal'}}
    completion = {"choices": [{"message": {"tool_calls": [cut]}, "finish_reason": "length"}]}
    assert MESSAGES.answer(completion, model="claude")["content"][0]["input"] == {"a": 1, "b": "hal"}


def test_a_stream_is_told_in_anthropics_events():
    told = events(translate(CHUNKS))
    assert [event["type"] for event in told] == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        "message_delta",
        "message_stop",
    ]
    assert told[0]["message"]["usage"] == {"input_tokens": 0, "output_tokens": 0, **NO_CACHE}
    assert told[2] == {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me "}}
    assert told[5] == {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}},
    }
    assert told[6]["delta"] == {"type": "input_json_delta", "partial_json": '{"q":'}
    assert told[-2] == {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 9, "output_tokens": 4, **NO_CACHE},
    }


def test_every_event_is_valid_in_the_official_model():
    adapter = TypeAdapter(RawMessageStreamEvent)
    for event in events(translate(CHUNKS)):
        adapter.validate_python(event)


def test_the_official_sdk_gathers_the_stream_into_the_whole_answer():
    headers = {"content-type": "text/event-stream"}
    httpx = importlib.import_module(anthropic.DefaultHttpxClient.send.__module__.partition(".")[0])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=translate(CHUNKS)))
    with anthropic.Anthropic(api_key="test-token", http_client=httpx.Client(transport=transport)) as client:
        messages = [{"role": "user", "content": "hi"}]
        with client.messages.stream(model="claude", max_tokens=8, messages=messages) as stream:
            final = stream.get_final_message()
    whole = Message.model_validate(MESSAGES.answer(COMPLETION, model="claude"))
    assert [(block.type, getattr(block, "text", None), getattr(block, "input", None)) for block in final.content] == [
        (block.type, getattr(block, "text", None), getattr(block, "input", None)) for block in whole.content
    ]
    assert (final.id, final.stop_reason, final.usage) == (whole.id, whole.stop_reason, whole.usage)


def test_an_empty_stream_is_still_a_message():
    told = events(translate([]))
    assert [event["type"] for event in told] == ["message_start", "message_delta", "message_stop"]


def test_an_error_in_the_stream_ends_it():
    stream = MESSAGES.stream("claude")
    stream.feed(CHUNKS[1])
    assert events(stream.feed({"error": {"message": "overloaded"}})) == [
        {"type": "error", "error": {"type": "api_error", "message": "overloaded"}}
    ]
    assert stream.feed(CHUNKS[3]) + stream.close() == b""


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (429, "rate_limit_error"), (503, "api_error")],
)
def test_an_error_in_anthropics_words(status, kind):
    assert MESSAGES.error(status, "no") == {"type": "error", "error": {"type": kind, "message": "no"}}
