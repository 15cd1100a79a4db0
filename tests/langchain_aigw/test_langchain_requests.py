"""What is sent: fields, `model_kwargs` and a call's keywords, read from the body that reached the upstream."""

import json
import warnings
from typing import TypedDict

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field, ValidationError

from aigw import ConfigurationError
from langchain_aigw._request import build_request
from langchain_aigw._tools import encode_tool_choice

MESSAGES = [{"role": "user", "content": "hi"}]
PLAIN = {"model": "openai/gpt-5-mini", "messages": MESSAGES}
EVERY_FIELD = {
    "temperature": 0.0,
    "top_p": 0.5,
    "max_tokens": 10,
    "stop": ["x"],
    "seed": 0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.1,
    "n": 1,
    "logprobs": False,
    "top_logprobs": 2,
    "reasoning_effort": "low",
}


def sent(stage, call=None, *, bound=None, **fields):
    model = stage.chat(**fields)
    (bound(model) if bound else model).invoke("hi", **(call or {}))
    return stage.bodies[-1]


def body(call, stop=None, *, is_stream=False, **defaults):
    defaults = {"model": "m", "stream_usage": True, **defaults}
    return build_request([HumanMessage("hi")], defaults, call, stop=stop, is_stream=is_stream).body


def test_nothing_is_sent_that_was_not_given(stage):
    assert sent(stage) == PLAIN


def test_every_field_is_sent_when_given_even_when_zero(stage):
    assert sent(stage, **EVERY_FIELD) == {**PLAIN, **EVERY_FIELD}


def test_a_stream_asks_for_its_usage(stage, wire):
    stage.play([wire.delta(content="a"), wire.end()])
    list(stage.chat().stream("hi"))
    assert stage.bodies == [{**PLAIN, "stream": True, "stream_options": {"include_usage": True}}]


@pytest.mark.parametrize(
    ("fields", "call", "expected"),
    [
        ({"stream_usage": False}, {}, None),
        ({}, {"stream_usage": False}, None),
        ({"stream_usage": False}, {"stream_usage": True}, {"include_usage": True}),
        ({}, {"stream_options": {"x": 1}}, {"x": 1}),
        ({"stream_options": {"x": 1}}, {}, {"x": 1}),
        ({}, {"stream_usage": True, "stream_options": {"x": 1}}, {"x": 1, "include_usage": True}),
        ({}, {"stream_usage": False, "stream_options": {"x": 1, "include_usage": True}}, {"x": 1}),
    ],
)
def test_who_decides_whether_a_stream_tells_its_usage(fields, call, expected):
    assert body(call, is_stream=True, **fields).get("stream_options") == expected


def test_a_whole_answer_is_asked_for_without_stream_options():
    assert "stream_options" not in body({"stream_options": {"include_usage": True}, "stream": False})


def test_a_calls_keywords_win_over_the_fields_and_model_kwargs(stage):
    call = {"model": "openai/gpt-5", "temperature": 0.9, "top_k": 3, "stop": ["y"]}
    given = sent(stage, call, temperature=0.1, stop=["x"], model_kwargs={"top_k": 1, "user": "u"})
    assert given == {**PLAIN, **call, "user": "u"}


def test_none_in_a_call_leaves_a_field_out(stage):
    assert sent(stage, {"temperature": None}, temperature=0.1) == PLAIN


@pytest.mark.parametrize(("own", "called"), [(["x"], []), ([], None), ("", None)])
def test_no_stop_sequence_is_no_parameter(stage, own, called):
    assert sent(stage, {"stop": called}, stop=own) == PLAIN


def test_what_only_langchain_understands_stays_here(stage):
    format_ = {"kwargs": {"method": "json_mode"}, "schema": {"title": "T", "type": "object"}}
    result = stage.chat()._generate([HumanMessage("hi")], ls_structured_output_format=format_, stream=False)
    assert result.generations[0].message.content == "Hello."
    assert stage.bodies == [PLAIN]


@pytest.mark.parametrize(("name", "value"), [("max_tokens", 5), ("max_completion_tokens", 5)])
def test_the_limit_of_tokens_is_sent_under_the_name_it_was_given_by(stage, name, value):
    assert sent(stage, **{name: value}) == {**PLAIN, name: value}


def test_a_calls_limit_of_tokens_replaces_the_fields_under_either_name(stage):
    assert sent(stage, {"max_completion_tokens": 7}, max_tokens=5) == {**PLAIN, "max_completion_tokens": 7}


def test_unknown_keywords_go_to_model_kwargs_with_a_warning(stage):
    with pytest.warns(UserWarning, match="top_k was transferred to model_kwargs"):
        model = stage.chat(top_k=4)
    model.invoke("hi")
    assert stage.bodies == [{**PLAIN, "top_k": 4}]


def test_a_field_in_model_kwargs_goes_to_the_field_with_a_warning(stage):
    with pytest.warns(UserWarning, match="should be specified explicitly"):
        model = stage.chat(model_kwargs={"max_completion_tokens": 4})
    assert model.max_tokens == 4
    model.invoke("hi")
    assert stage.bodies == [{**PLAIN, "max_completion_tokens": 4}]


def test_the_model_kwargs_given_stay_as_they_were(stage):
    given = {"top_k": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stage.chat(model_kwargs=given, mirostat=2)
    assert given == {"top_k": 1}


def test_equal_calls_send_equal_bytes():
    call = {"tools": [{"type": "function", "function": {"name": "f"}}], "temperature": 0}
    assert json.dumps(body(call, top_p=1)) == json.dumps(body(dict(call), top_p=1))


def get_weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return city


class Weather(BaseModel):
    """Tell the weather."""

    city: str = Field(description="Where.")


class WeatherDict(TypedDict):
    """Tell the weather."""

    city: str


@tool
def weather_tool(city: str) -> str:
    """Tell the weather."""
    return city


RAW_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ANTHROPIC_TOOL = {
    "name": "weather",
    "description": "Tell the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (get_weather, "get_weather"),
        (Weather, "Weather"),
        (WeatherDict, "WeatherDict"),
        (weather_tool, "weather_tool"),
        (RAW_TOOL, "weather"),
        (ANTHROPIC_TOOL, "weather"),
    ],
)
def test_every_form_of_a_tool_is_sent_as_a_function(stage, given, name):
    (described,) = sent(stage, bound=lambda model: model.bind_tools([given]))["tools"]
    assert described["type"] == "function"
    assert described["function"]["name"] == name
    assert described["function"]["description"] == "Tell the weather."
    assert described["function"]["parameters"]["properties"]["city"]["type"] == "string"
    assert described["function"]["parameters"]["required"] == ["city"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (False, None),
        (True, "required"),
        ("any", "required"),
        ("required", "required"),
        ("auto", "auto"),
        ("none", "none"),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "function", "function": {"name": "weather"}},
        ),
    ],
)
def test_every_form_of_a_tool_choice(choice, expected):
    assert encode_tool_choice(choice, [RAW_TOOL]) == expected


def test_a_tool_choice_that_names_no_tool_is_refused(stage):
    with pytest.raises(ValueError, match="tool_choice 'wether' names no tool; bound are weather"):
        stage.chat().bind_tools([RAW_TOOL], tool_choice="wether")


@pytest.mark.parametrize("choice", [5, [], ["weather"]])
def test_a_tool_choice_of_no_form_is_refused(stage, choice):
    with pytest.raises(ValueError, match="names no tool; bound are weather"):
        stage.chat().bind_tools([RAW_TOOL], tool_choice=choice)


@pytest.mark.parametrize("given", [5, "top_k", [1]])
@pytest.mark.parametrize("more", [{}, {"max_completion_tokens": 5}, {"top_k": 1}])
def test_model_kwargs_that_are_no_dict_are_refused_by_their_name(stage, given, more):
    with pytest.raises(ValidationError, match="model_kwargs\n  Input should be a valid dictionary"):
        stage.chat(model_kwargs=given, **more)


def test_a_call_without_a_model_is_refused_before_any_request(stage):
    with pytest.raises(ConfigurationError, match="model"):
        stage.chat().invoke("hi", model=None)
    assert stage.bodies == []


def test_strict_and_parallel_are_sent_when_given(stage):
    given = sent(stage, bound=lambda model: model.bind_tools([Weather], strict=True, parallel_tool_calls=False))
    assert given["tools"][0]["function"]["strict"] is True
    assert given["parallel_tool_calls"] is False


def test_no_tools_means_none_of_their_parameters(stage):
    bound = sent(stage, bound=lambda model: model.bind_tools([], tool_choice="auto", parallel_tool_calls=False))
    assert bound == PLAIN


class Joke(BaseModel):
    """A joke."""

    setup: str
    punchline: str


JOKE_SCHEMA = {
    "name": "Joke",
    "description": "A joke.",
    "schema": {
        "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
        "required": ["setup", "punchline"],
        "type": "object",
    },
}


def structured(stage, wire, schema, **options):
    stage.play(wire.answer('{"setup": "a", "punchline": "b"}'))
    result = stage.chat().with_structured_output(schema, **options).invoke("hi")
    return result, stage.bodies[-1]


def test_structured_output_asks_for_the_schema(stage, wire):
    result, body = structured(stage, wire, Joke)
    assert result == Joke(setup="a", punchline="b")
    assert body == {**PLAIN, "response_format": {"type": "json_schema", "json_schema": JOKE_SCHEMA}}


def test_strict_structured_output_says_so(stage, wire):
    _, body = structured(stage, wire, Joke, strict=True)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"]["additionalProperties"] is False


@pytest.mark.parametrize("schema", [JOKE_SCHEMA, {"type": "json_schema", "json_schema": JOKE_SCHEMA}])
def test_a_schema_in_the_wires_own_form_is_sent_as_it_is(stage, wire, schema):
    result, body = structured(stage, wire, schema)
    assert result == {"setup": "a", "punchline": "b"}
    assert body["response_format"]["json_schema"] == JOKE_SCHEMA


def test_json_mode_goes_without_a_schema(stage, wire):
    result, body = structured(stage, wire, None, method="json_mode")
    assert result == {"setup": "a", "punchline": "b"}
    assert body["response_format"] == {"type": "json_object"}


def test_function_calling_forces_the_tool(stage, wire):
    arguments = '{"setup": "a", "punchline": "b"}'
    call = {"id": "call_1", "type": "function", "function": {"name": "Joke", "arguments": arguments}}
    stage.play(wire.answer(None, tool_calls=[call]))
    result = stage.chat().with_structured_output(Joke, method="function_calling").invoke("hi")
    assert result == Joke(setup="a", punchline="b")
    assert stage.bodies[-1]["tool_choice"] == {"type": "function", "function": {"name": "Joke"}}
    assert stage.bodies[-1]["parallel_tool_calls"] is False


def test_include_raw_keeps_the_message_and_the_error(stage, wire):
    stage.play(wire.answer("no JSON"))
    result = stage.chat().with_structured_output(Joke, include_raw=True).invoke("hi")
    assert result["raw"].content == "no JSON"
    assert result["parsed"] is None
    assert "Invalid json output" in str(result["parsing_error"])


@pytest.mark.parametrize(
    ("schema", "options", "message"),
    [
        (None, {}, "json_schema needs a schema"),
        (None, {"method": "function_calling"}, "function_calling needs a schema"),
        (Joke, {"method": "json_mode", "strict": True}, "strict cannot be set"),
        (Joke, {"method": "xml"}, "method cannot be 'xml'"),
    ],
)
def test_structured_output_that_cannot_work_is_refused(stage, schema, options, message):
    with pytest.raises(ValueError, match=message):
        stage.chat().with_structured_output(schema, **options)
