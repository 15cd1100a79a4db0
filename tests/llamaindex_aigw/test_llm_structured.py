"""Structured output beyond the conformance suite: schemas, names, modes, options, log ids."""

from typing import Any, Generic, TypeVar

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field

import aigw
from llamaindex_aigw._objects import ObjectDecoder, ask_with_schema, ask_with_tool, decode_object
from llamaindex_aigw._schemas import can_close, close_schema

T = TypeVar("T")
MESSAGES = [ChatMessage(role="user", content="Who?")]
PROMPT = PromptTemplate("Who is {who}?")


class Address(BaseModel):
    city: str = "Bern"


class Person(BaseModel):
    """A person."""

    name: str
    default: int = 1
    home: Address = Field(default=Address(), description="Where she lives.")
    nick: str | None = None


class Labels(BaseModel):
    labels: dict[str, int]


class Box(BaseModel, Generic[T]):
    item: T


def said(content=None, **more):
    return ChatResponse(message=ChatMessage(role="assistant", content=content, **more))


def test_a_strict_schema_is_closed_and_has_no_defaults():
    schema = close_schema(Person.model_json_schema())
    assert schema["required"] == ["name", "default", "home", "nick"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["default"] == {"title": "Default", "type": "integer"}
    assert schema["properties"]["home"] == {
        "description": "Where she lives.",
        "anyOf": [{"$ref": "#/$defs/Address"}],
    }
    assert schema["$defs"]["Address"]["additionalProperties"] is False


def test_one_of_becomes_any_of():
    schema = {"oneOf": [{"type": "string"}, {"type": "integer"}], "discriminator": {"propertyName": "kind"}}
    assert close_schema(schema) == {"anyOf": [{"type": "string"}, {"type": "integer"}]}


@pytest.mark.parametrize(
    ("schema", "closes"),
    [
        (Person.model_json_schema(), True),
        (Labels.model_json_schema(), False),
        (Box[Any].model_json_schema(), False),
        (Box[tuple[int, str]].model_json_schema(), False),
        (Box[list[Address]].model_json_schema(), True),
        ({"type": "object"}, False),
    ],
)
def test_a_schema_that_cannot_be_closed_is_known(schema, closes):
    assert can_close(schema) is closes


def test_a_schema_that_closes_is_asked_for_strictly():
    form = ask_with_schema(Address, MESSAGES)["response_format"]
    assert form == {
        "type": "json_schema",
        "json_schema": {
            "name": "Address",
            "strict": True,
            "schema": {
                "properties": {"city": {"title": "City", "type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
                "title": "Address",
                "type": "object",
            },
        },
    }


def test_a_schema_that_stays_open_is_asked_for_as_it_is():
    form = ask_with_schema(Labels, MESSAGES)["response_format"]["json_schema"]
    assert form == {"name": "Labels", "schema": Labels.model_json_schema()}


def test_a_tool_stands_for_the_class():
    asked = ask_with_tool(Address, MESSAGES, strict=False)
    (tool,) = asked.pop("tools")
    assert asked == {"messages": MESSAGES, "tool_choice": "required", "parallel_tool_calls": False}
    assert tool["function"]["name"] == "Address"
    assert tool["function"]["parameters"]["properties"]["city"]["type"] == "string"


def test_a_generic_class_has_a_name_the_wire_takes():
    assert ask_with_schema(Box[int], MESSAGES)["response_format"]["json_schema"]["name"] == "Box_int"
    assert ask_with_tool(Box[int], MESSAGES, strict=True)["tools"][0]["function"]["name"] == "Box_int"


def test_a_tool_call_comes_before_text():
    call = ToolCallBlock(tool_call_id="c", tool_name="Address", tool_kwargs={"city": "Oslo"})
    assert decode_object(Address, ChatMessage(role="assistant", blocks=[call])) == Address(city="Oslo")


def test_a_refusal_is_told():
    with pytest.raises(ValueError, match=r"the model gave no Person, and said: 'I will not\.'"):
        decode_object(Person, said(additional_kwargs={"refusal": "I will not."}).message)


def test_a_stream_gives_each_new_object_once():
    decoder = ObjectDecoder(Person)
    texts = ['{"na', '{"name": "Ad', '{"name": "Ada"', '{"name": "Ada", ', '{"name": "Ada", "nick": "A"}']
    found = [decoder.feed(said(text)) for text in texts]
    assert [item and item.name for item in found] == [None, "Ad", "Ada", None, "Ada"]
    assert decoder.close() == Person(name="Ada", nick="A")


def test_an_object_on_its_way_lacks_what_has_not_come():
    class Two(BaseModel):
        one: int
        two: int

    found = ObjectDecoder(Two).feed(said('{"one": 1'))
    assert type(found).__name__ == "FlexibleTwo"
    assert (found.one, found.two) == (1, None)


def test_an_empty_stream_is_an_error():
    with pytest.raises(ValueError, match="the model gave no Person, and said nothing"):
        ObjectDecoder(Person).close()


@pytest.mark.parametrize("mode", [PydanticProgramMode.FUNCTION, PydanticProgramMode.LLM])
async def test_the_program_mode_is_heeded(scripted, kit, mode):
    call = {"id": "c", "type": "function", "function": {"name": "Address", "arguments": '{"city": "Oslo"}'}}
    is_tool = mode is PydanticProgramMode.FUNCTION
    llm, upstream = scripted(
        kit.answered({"tool_calls": [call]} if is_tool else {"content": 'Here: {"city": "Oslo"}'}),
        pydantic_program_mode=mode,
        system_prompt="Be exact.",
    )
    assert llm.structured_predict(Address, PROMPT, who="she") == Address(city="Oslo")
    assert await llm.astructured_predict(Address, PROMPT, who="she") == Address(city="Oslo")
    assert [("tools" in body, "response_format" in body) for body in upstream.bodies] == [(is_tool, False)] * 2
    assert [body["messages"][0] for body in upstream.bodies] == [{"role": "system", "content": "Be exact."}] * 2


def test_what_is_asked_of_a_stream_is_asked_at_once(llm, client):
    """Options of the context count where the stream was asked for, not where it is read."""
    with aigw.gateway_options({"metadata": {"run": "here"}}), aigw.capture_logs() as logs:
        stream = llm.stream_structured_predict(Address, PROMPT, who="she")
    assert isinstance(list(stream)[-1], Address)
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"run": "here"}


async def test_a_prediction_takes_gateway_options(llm, client):
    with aigw.capture_logs() as logs:
        await llm.astructured_predict(
            Address, PROMPT, llm_kwargs={"gateway_options": {"metadata": {"run": "1"}}}, who="she"
        )
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"run": "1"}


async def test_a_structured_llms_calls_have_log_ids(llm):
    with aigw.capture_logs() as logs:
        sllm = llm.as_structured_llm(Address)
        assert isinstance(sllm.chat(MESSAGES).raw, Address)
        assert isinstance((await sllm.achat(MESSAGES)).raw, Address)
    assert len(logs.log_ids) == 2
