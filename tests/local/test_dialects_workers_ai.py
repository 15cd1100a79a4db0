from __future__ import annotations

import json

import pytest

from aigw._sse import SSEDecoder
from aigw.local._dialects import DIALECTS, InvalidBody, workers_ai_for

WORKERS_AI = DIALECTS["workers-ai"]
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
SCHEMA = {"type": "object"}


def events(raw: bytes) -> list[object]:
    return [event.data if event.data == b"[DONE]" else json.loads(event.data) for event in SSEDecoder().feed(raw)]


def chunk(delta: object = None, finish: str | None = None, **more: object) -> dict:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-7", "choices": choices, **more}


def test_messages_are_passed_on_with_the_known_parameters():
    messages = [{"role": "user", "content": "hi"}]
    inputs = {"messages": messages, "max_tokens": 5, "temperature": 0, "seed": 1, "top_k": 3, "raw": True}
    assert WORKERS_AI.ask(inputs) == {"messages": messages, "max_tokens": 5, "temperature": 0, "seed": 1}


def test_a_prompt_is_a_user_message():
    assert WORKERS_AI.ask({"prompt": "hi"}) == {"messages": [{"role": "user", "content": "hi"}]}


def test_a_stream_is_asked_with_usage():
    assert WORKERS_AI.ask({"prompt": "hi", "stream": True})["stream_options"] == {"include_usage": True}


def test_flat_and_nested_tools_are_taken():
    nested = {"type": "function", "function": {"name": "b", "parameters": SCHEMA}}
    tools = WORKERS_AI.ask({"prompt": "hi", "tools": [{"name": "a", "parameters": SCHEMA}, nested]})["tools"]
    assert tools == [{"type": "function", "function": {"name": "a", "parameters": SCHEMA}}, nested]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": SCHEMA},
            {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}},
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
            {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        ),
    ],
)
def test_a_response_format(given, sent):
    assert WORKERS_AI.ask({"prompt": "hi", "response_format": given})["response_format"] == sent


def test_an_answer_is_response_and_usage():
    completion = {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}], "usage": USAGE}
    assert WORKERS_AI.answer(completion, model="m") == {"response": "hello", "usage": USAGE}


def test_tool_calls_have_parsed_arguments():
    call = {"id": "c", "function": {"name": "find", "arguments": '{"q":1}'}}
    completion = {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}
    assert WORKERS_AI.answer(completion, model="m") == {
        "response": "",
        "tool_calls": [{"name": "find", "arguments": {"q": 1}}],
    }


def test_a_stream_of_tokens_ends_with_usage_and_done():
    stream = WORKERS_AI.stream("m")
    fed = [stream.feed(chunk({"content": word})) for word in ("he", "llo")]
    fed += [stream.feed(chunk({}, "stop")), stream.feed(chunk(usage=USAGE)), stream.close()]
    assert events(b"".join(fed)) == [
        {"response": "he"},
        {"response": "llo"},
        {"response": "", "usage": USAGE},
        b"[DONE]",
    ]


def test_tool_calls_come_whole_at_the_end_of_a_stream():
    stream = WORKERS_AI.stream("m")
    first = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "find", "arguments": '{"q'}}]}
    rest = {"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}}]}
    assert stream.feed(chunk(first)) + stream.feed(chunk(rest)) == b""
    assert events(stream.close()) == [
        {"response": "", "tool_calls": [{"name": "find", "arguments": {"q": 1}}]},
        b"[DONE]",
    ]


def test_an_error_in_a_stream_is_the_last_event():
    stream = WORKERS_AI.stream("m")
    assert events(stream.feed({"error": "gone"})) == [
        {"result": None, "success": False, "errors": [{"code": 7000, "message": "gone"}], "messages": []}
    ]
    assert stream.close() == b""


@pytest.mark.parametrize("given", ["a", ["a"]])
def test_text_asks_for_embeddings(given):
    dialect = workers_ai_for({"text": given})
    assert dialect.endpoint == "embeddings"
    assert dialect.ask({"text": given}) == {"input": ["a"], "encoding_format": "float"}


def test_vectors_come_with_their_shape_in_the_order_of_the_texts():
    data = [{"index": 1, "embedding": [3.0, 4.0]}, {"index": 0, "embedding": [1.0, 2.0]}]
    assert workers_ai_for({"text": ["a", "b"]}).answer({"data": data}, model="m") == {
        "shape": [2, 2],
        "data": [[1.0, 2.0], [3.0, 4.0]],
        "pooling": "cls",
    }


def test_messages_and_prompt_are_text_generation():
    assert workers_ai_for({"messages": []}) is WORKERS_AI
    assert workers_ai_for({"prompt": "x"}) is WORKERS_AI


@pytest.mark.parametrize("inputs", [{}, {"image": [1]}, {"audio": "x"}, {"text": "hi", "target_lang": "fr"}])
def test_inputs_of_another_task_are_refused(inputs):
    with pytest.raises(InvalidBody) as caught:
        workers_ai_for(inputs)
    assert str(caught.value) == "inputs: the local gateway supports {messages}, {prompt}, and {text} for embeddings"


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"messages": "hi"}, "messages: expected an array"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"prompt": 5}, "prompt: expected a string"),
        ({"prompt": "a", "tools": [{"parameters": {}}]}, "tools.0.name: expected a string"),
    ],
)
def test_wrong_inputs_are_refused_in_one_sentence(inputs, sentence):
    with pytest.raises(InvalidBody) as caught:
        WORKERS_AI.ask(inputs)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", [[], [1], {"a": 1}, None])
def test_texts_to_embed_must_be_strings(text):
    with pytest.raises(InvalidBody, match=r"text"):
        workers_ai_for({"text": "x"}).ask({"text": text})


def test_embeddings_do_not_stream():
    with pytest.raises(InvalidBody, match="come whole"):
        workers_ai_for({"text": "x"}).stream("m")


def test_an_error_is_in_the_rest_envelope_with_the_code_of_its_status():
    assert WORKERS_AI.error(404, "No such model") == {
        "result": None,
        "success": False,
        "errors": [{"code": 5007, "message": "No such model"}],
        "messages": [],
    }
