"""Structured output and tools: every method with every kind of schema, as it streams, refused, and beside tools."""

import json

import pydantic.v1
import pytest
from langchain_core import exceptions
from langchain_core.tools import tool
from pydantic import BaseModel
from typing_extensions import TypedDict

METHODS = ["json_schema", "function_calling", "json_mode"]
REFUSAL = getattr(exceptions, "ModelRefusalError", exceptions.OutputParserException)


class Joke(BaseModel):
    """A joke."""

    setup: str
    punchline: str


class JokeDict(TypedDict):
    """A joke."""

    setup: str
    punchline: str


class OldJoke(pydantic.v1.BaseModel):
    """A joke."""

    setup: str
    punchline: str


JOKE_JSON = {
    "title": "Joke",
    "description": "A joke.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
    "required": ["setup", "punchline"],
}
TOLD = {"setup": "Why?", "punchline": "So."}


def call(arguments, name="Joke"):
    return {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def answer_in(stage, wire, method, schema, text=json.dumps(TOLD)):  # noqa: B008  a text
    """Let the upstream answer as a model does that is asked by this method."""
    if method == "function_calling":
        stage.play(wire.answer(None, tool_calls=[call(text, getattr(schema, "__name__", "Joke"))]))
    else:
        stage.play(wire.answer(text))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("schema", "expected"),
    [(Joke, Joke(**TOLD)), (JokeDict, TOLD), (JOKE_JSON, TOLD)],
    ids=["pydantic", "typed", "json"],
)
async def test_every_method_gives_every_kind_of_schema(stage, wire, method, schema, expected):
    answer_in(stage, wire, method, schema)
    model = stage.chat().with_structured_output(schema, method=method)
    assert model.invoke("hi") == expected
    assert await model.ainvoke("hi") == expected


@pytest.mark.parametrize("method", METHODS)
def test_the_raw_answer_can_be_had_too(stage, wire, method):
    answer_in(stage, wire, method, Joke)
    result = stage.chat().with_structured_output(Joke, method=method, include_raw=True).invoke("hi")
    assert (result["parsed"], result["parsing_error"]) == (Joke(**TOLD), None)
    assert result["raw"].response_metadata["aigw"]["log_id"]


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_does_not_fit_is_an_error_or_a_parsing_error(stage, wire, method):
    answer_in(stage, wire, method, Joke, '{"setup": 1}')
    with pytest.raises((exceptions.OutputParserException, ValueError)):
        stage.chat().with_structured_output(Joke, method=method).invoke("hi")
    result = stage.chat().with_structured_output(Joke, method=method, include_raw=True).invoke("hi")
    assert result["parsed"] is None
    assert result["parsing_error"] is not None


def test_an_old_pydantic_class_is_asked_for_by_a_tool(stage, wire):
    answer_in(stage, wire, "function_calling", OldJoke)
    with pytest.warns(UserWarning, match="using function_calling"):
        model = stage.chat().with_structured_output(OldJoke)
    assert model.invoke("hi") == OldJoke(**TOLD)
    assert stage.bodies[-1]["tool_choice"]["function"]["name"] == "OldJoke"


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_dict_streams_as_it_grows(stage, wire, method):
    stage.play([wire.delta(content='{"setup": "Wh'), wire.delta(content='y?", "punchline": "So."}'), wire.end()])
    streamed = list(stage.chat().with_structured_output(JOKE_JSON, method=method).stream("hi"))
    assert streamed == [{"setup": "Wh"}, TOLD]


def test_a_tool_that_is_called_streams_as_it_grows(stage, wire):
    pieces = [call('{"setup": "Wh'), {"index": 0, "function": {"arguments": 'y?", "punchline": "So."}'}}]
    stage.play([*(wire.delta(tool_calls=[piece]) for piece in pieces), wire.end("tool_calls")])
    streamed = list(stage.chat().with_structured_output(JOKE_JSON, method="function_calling").stream("hi"))
    assert streamed[0] == {"setup": "Wh"}
    assert streamed[-1] == TOLD


async def test_a_class_streams_when_it_is_whole(stage, wire):
    stage.play([wire.delta(content='{"setup": "Why?", '), wire.delta(content='"punchline": "So."}'), wire.end()])
    model = stage.chat().with_structured_output(Joke)
    assert list(model.stream("hi"))[-1] == Joke(**TOLD)
    assert [joke async for joke in model.astream("hi")][-1] == Joke(**TOLD)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Joke, JOKE_JSON], ids=["pydantic", "json"])
async def test_a_refusal_is_an_error_of_its_own(stage, wire, method, schema):
    stage.play(wire.answer(None, refusal="I cannot."))
    model = stage.chat().with_structured_output(schema, method=method)
    with pytest.raises(REFUSAL, match="I cannot") as caught:
        model.invoke("hi")
    assert isinstance(caught.value, exceptions.ModelError)
    assert caught.value.raw_message.additional_kwargs == {"refusal": "I cannot."}
    with pytest.raises(REFUSAL, match="I cannot"):
        await model.ainvoke("hi")


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_lands_beside_the_raw_answer(stage, wire, method):
    stage.play(wire.answer(None, refusal="I cannot."))
    result = stage.chat().with_structured_output(Joke, method=method, include_raw=True).invoke("hi")
    assert isinstance(result["parsing_error"], exceptions.ModelError)


async def test_a_streamed_refusal_is_an_error_too(stage, wire):
    stage.play([wire.delta(refusal="I "), wire.delta(refusal="cannot."), wire.end()])
    model = stage.chat().with_structured_output(Joke)
    with pytest.raises(REFUSAL, match="I cannot"):
        list(model.stream("hi"))
    with pytest.raises(REFUSAL, match="I cannot"):
        _ = [joke async for joke in model.astream("hi")]


def cut(wire, method, text, reason):
    """An answer, whole and as a stream, that ended for a reason of its own."""
    said = {"tool_calls": [{**call(text), "index": 0}]} if method == "function_calling" else {"content": text}
    whole = wire.answer(None, **said)
    whole["choices"][0]["finish_reason"] = reason
    return whole, [wire.delta(**said), wire.end(reason)]


@pytest.mark.parametrize("schema", [Joke, JokeDict])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_cut_off_is_an_error_and_no_guess(stage, wire, method, schema, reason):
    whole, stream = cut(wire, method, '{"setup": "Why?", "punchline": "Becau', reason)
    stage.play(whole, stream, whole, stream)
    model = stage.chat().with_structured_output(schema, method=method)
    with pytest.raises(exceptions.OutputParserException, match="cut off"):
        model.invoke("hi")
    with pytest.raises(exceptions.OutputParserException, match="cut off"):
        list(model.stream("hi"))
    with pytest.raises(exceptions.OutputParserException, match="cut off"):
        await model.ainvoke("hi")
    with pytest.raises(exceptions.OutputParserException, match="cut off"):
        _ = [part async for part in model.astream("hi")]


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_is_whole_at_its_limit_is_taken(stage, wire, method):
    stage.play(*cut(wire, method, json.dumps(TOLD), "length"))
    model = stage.chat().with_structured_output(JOKE_JSON, method=method)
    assert model.invoke("hi") == TOLD
    assert list(model.stream("hi"))[-1] == TOLD


def test_what_was_cut_off_is_beside_the_raw_answer(stage, wire):
    stage.play(cut(wire, "json_schema", '{"setup": "Why?", "punchline": "Becau', "length")[0])
    result = stage.chat().with_structured_output(Joke, include_raw=True).invoke("hi")
    assert result["parsed"] is None
    assert "see max_tokens" in str(result["parsing_error"])


def test_tools_can_be_bound_beside_a_schema(stage, wire):
    answer_in(stage, wire, "json_schema", Joke)
    stage.chat().with_structured_output(Joke, tools=[lookup], strict=True).invoke("hi")
    body = stage.bodies[-1]
    assert body["tools"][0]["function"]["strict"] is True
    assert body["response_format"]["json_schema"]["strict"] is True


@tool("look_it_up", extras={"cache_control": {"type": "ephemeral"}, "type": "mine"})
def lookup(word: str) -> str:
    """Look a word up."""
    return word


def test_a_tool_is_known_by_its_own_name_and_keeps_its_extras(stage):
    stage.chat().bind_tools([lookup], tool_choice="look_it_up").invoke("hi")
    body = stage.bodies[-1]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look_it_up"}}
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "look_it_up",
                "description": "Look a word up.",
                "parameters": {"properties": {"word": {"type": "string"}}, "required": ["word"], "type": "object"},
            },
            "cache_control": {"type": "ephemeral"},
        }
    ]


@pytest.mark.parametrize("method", METHODS)
async def test_answers_in_v1_blocks_are_parsed_too(stage, wire, method):
    answer_in(stage, wire, method, Joke)
    model = stage.chat(output_version="v1").with_structured_output(Joke, method=method)
    assert model.invoke("hi") == Joke(**TOLD)
    if method != "function_calling":
        stage.play([wire.delta(content='{"setup": "Why?", '), wire.delta(content='"punchline": "So."}'), wire.end()])
        assert list(model.stream("hi"))[-1] == Joke(**TOLD)
