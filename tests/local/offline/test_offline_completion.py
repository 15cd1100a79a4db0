import subprocess
import sys

import pytest

from aigw.local.offline import InvalidRequest, chat, count_tokens, stream_chat

ASK = {"model": "m", "messages": [{"role": "user", "content": "The sky is blue today. Which colour is the sky?"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"messages": [{"role": "user", "content": "What's the weather in New York?"}], "tools": [WEATHER]}


def add_up(chunks):
    choices = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            message, delta = choices.setdefault(choice["index"], {"finish_reason": None}), choice["delta"]
            if delta.get("role"):
                message |= {"role": delta["role"], "content": delta["content"]}
            elif "content" in delta:
                message["content"] += delta["content"]
            for call in delta.get("tool_calls", ()):
                calls = message.setdefault("tool_calls", [])
                if "id" in call:
                    calls.append({"id": call["id"], "type": call["type"], "function": dict(call["function"])})
                else:
                    calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
            message["finish_reason"] = choice["finish_reason"] or message["finish_reason"]
    return choices, usage


@pytest.mark.parametrize("body", [ASK, CALL, ASK | {"n": 3}, CALL | {"n": 2}, ASK | {"max_tokens": 2}])
def test_the_stream_adds_up_to_the_whole_answer(body):
    whole = chat(body)
    choices, usage = add_up(stream_chat(body | {"stream": True, "stream_options": {"include_usage": True}}))
    expected = {item["index"]: item["message"] | {"finish_reason": item["finish_reason"]} for item in whole["choices"]}
    assert choices == expected
    assert usage == whole["usage"]


def test_a_stream_has_the_id_of_the_whole_answer():
    assert {chunk["id"] for chunk in stream_chat(ASK | {"stream": True})} == {chat(ASK)["id"]}


def test_a_stream_is_cut_after_the_white_space_behind_each_word():
    deltas = [chunk["choices"][0]["delta"] for chunk in stream_chat(ASK)]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "The "},
        {"content": "sky "},
        {"content": "is "},
        {"content": "blue "},
        {"content": "today."},
        {},
    ]


def test_a_stream_without_include_usage_has_no_usage():
    assert all("usage" not in chunk for chunk in stream_chat(ASK))


def test_the_first_tool_delta_has_id_and_name_and_no_arguments():
    first = list(stream_chat(CALL))[1]["choices"][0]["delta"]["tool_calls"][0]
    assert first["function"] == {"name": "get_weather", "arguments": ""}
    assert first["id"].startswith("call_")


def test_another_process_gives_the_same_answer():
    code = f"from aigw.local.offline import chat; print(chat({CALL!r}), chat({ASK!r}))"
    one, other = (_run(code, seed) for seed in ("1", "2"))
    assert one == other


def _run(code, seed):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout  # noqa: S603 - our own code


def test_a_malformed_stream_request_is_refused_before_the_first_chunk():
    with pytest.raises(InvalidRequest):
        stream_chat({"messages": []})


def test_the_completion_has_openai_s_shape():
    assert chat(ASK, created=7) == {
        "id": chat(ASK)["id"],
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "system_fingerprint": "fp_offline",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "The sky is blue today."},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 15, "completion_tokens": 6, "total_tokens": 21},
    }


def test_max_tokens_cuts_the_answer_and_says_so():
    choice = chat(ASK | {"max_tokens": 3})["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("The sky is", "length")


def test_stop_ends_the_answer_before_the_stop_text():
    choice = chat(ASK | {"stop": [" blue", "today"]})["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("The sky is", "stop")


def test_the_stop_text_that_was_hit_is_named():
    said = chat({"messages": [{"role": "user", "content": "Say: one two three"}], "stop": ["three", "two"]})
    assert said["choices"][0]["stop_reason"] == "two"
    assert "stop_reason" not in chat(user())["choices"][0]


def test_choices_are_as_many_as_asked_for():
    choices = chat(CALL | {"n": 2})["choices"]
    assert [choice["index"] for choice in choices] == [0, 1]
    assert choices[0]["message"]["tool_calls"][0]["id"] != choices[1]["message"]["tool_calls"][0]["id"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("word", 1), ("two words", 2), ("Hi, you!", 4), ("incomprehensible", 2), ("日本語", 3)],
)
def test_tokens_are_counted_by_the_documented_rule(text, tokens):
    assert count_tokens(text) == tokens


def user(**fields):
    return {"messages": [{"role": "user", "content": "hi"}], **fields}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "human", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (user(model=3), "model"),
        (user(n=0), "n"),
        (user(max_tokens="1"), "max_tokens"),
        (user(stop=[1]), "stop"),
        (user(temperature="hot"), "temperature"),
        (user(top_p=True), "top_p"),
        (user(seed=1.5), "seed"),
        (user(logprobs=1), "logprobs"),
        (user(stream="yes"), "stream"),
        (user(tools=[]), "tools"),
        (user(tools=[{"type": "web_search"}]), "tools[0].type"),
        (user(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
        (
            user(tools=[{"type": "function", "function": {"name": "f", "parameters": []}}, {"type": "x"}]),
            "tools[1].type",
        ),
        (user(tool_choice="required"), "tool_choice"),
        (user(tools=[WEATHER], tool_choice="sometimes"), "tool_choice"),
        (user(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "other"}}), "tool_choice"),
        (user(response_format={"type": "yaml"}), "response_format"),
        (user(response_format={"type": "json_schema", "json_schema": {}}), "response_format.json_schema.schema"),
    ],
)
def test_a_malformed_request_is_refused_by_field(body, param):
    with pytest.raises(InvalidRequest) as refusal:
        chat(body)
    assert refusal.value.param == param
