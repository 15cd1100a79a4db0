"""Structured output: in the class that was asked for, on every path, with the system prompt, and never by repair."""

from __future__ import annotations

import pytest
from llama_index.core.prompts import PromptTemplate

from .kit import PROMPT, Conformance, Person, ask, gather, named, start
from .server import Call, Turn

ADA = Person(name="Ada", age=36)
PIECES = ('{"name": "A', 'da", ', '"age": 3', "6}")
WHO = PromptTemplate("Who is {who}?")
WAYS = ["schema", "tools"]
METHODS = ["structured_predict", "astructured_predict"]
STREAMS = ["stream_structured_predict", "astream_structured_predict"]


def _turn(way: str, pieces: tuple[str, ...] = PIECES) -> Turn:
    """The object in the model's text, or in a call of the tool that stands for the class."""
    return Turn(text=pieces) if way == "schema" else Turn(calls=(Call("c1", "Person", pieces),))


async def _predict(llm, method, **more):
    return await gather(await start(llm, method, Person, WHO, **more, who="she"))


class StructuredCases(Conformance):
    def structured_llm(self, server, way, **fields):
        if way not in self.structured:
            pytest.skip(f"this integration knows no way by {way}")
        return self.new_llm(server.url, **self.structured[way], **fields)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_the_last_object_is_of_the_class(self, server, way, method):
        """A stream that ends in LlamaIndex's stand-in, `FlexiblePerson`, has skipped the class's own checks."""
        server.say(_turn(way))
        llm = self.structured_llm(server, way)
        last = (await _predict(llm, method))[-1]
        await self.close_llm(llm)
        assert type(last) is Person
        assert last == ADA

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", STREAMS)
    async def test_a_stream_has_objects_on_their_way(self, server, way, method):
        server.say(_turn(way))
        llm = self.structured_llm(server, way)
        objects = await _predict(llm, method)
        await self.close_llm(llm)
        assert len(objects) > 1
        assert any(item.name == "Ada" and getattr(item, "age", None) != 36 for item in objects)

    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_a_schema_is_asked_for_where_the_model_can(self, server, method):
        server.say(_turn("schema"))
        llm = self.structured_llm(server, "schema")
        await _predict(llm, method)
        await self.close_llm(llm)
        form = server.bodies[0]["response_format"]
        assert form["type"] == "json_schema"
        assert set(form["json_schema"]["schema"]["properties"]) == {"name", "age"}

    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_else_the_tool_is_required(self, server, method):
        """With a choice, a model may answer in words, and the object is lost."""
        server.say(_turn("tools"))
        llm = self.structured_llm(server, "tools")
        await _predict(llm, method)
        await self.close_llm(llm)
        (tool,) = server.bodies[0]["tools"]
        named_choice = {"type": "function", "function": {"name": tool["function"]["name"]}}
        assert server.bodies[0]["tool_choice"] in ("required", named_choice)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_the_system_prompt_is_kept(self, server, way, method):
        """Also in async, where LlamaIndex's own program forgets it."""
        server.say(_turn(way))
        llm = self.structured_llm(server, way, system_prompt="Be exact.")
        await _predict(llm, method)
        await self.close_llm(llm)
        sent = [(message["role"], message["content"]) for message in server.bodies[0]["messages"]]
        assert sent == [("system", "Be exact."), ("user", "Who is she?")]

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_the_keywords_that_are_given_stay_as_they_were(self, server, way, method):
        """The next call is given the same dict, and would be sent what this one left in it."""
        server.say(_turn(way))
        llm = self.structured_llm(server, way)
        kwargs = {"temperature": 0.25}
        await _predict(llm, method, llm_kwargs=kwargs)
        await self.close_llm(llm)
        assert kwargs == {"temperature": 0.25}
        assert server.bodies[0]["temperature"] == 0.25

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_a_wrong_object_is_an_error(self, server, way, method):
        server.say(_turn(way, ('{"name": "Ada", "age": "old"}',)))
        llm = self.structured_llm(server, way)
        with pytest.raises((ValueError, TypeError), match="age"):
            await _predict(llm, method)
        await self.close_llm(llm)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_an_object_that_was_cut_off_is_an_error(self, server, way, method):
        """What is missing may be all that matters: an answer cut by its token limit is not to be completed by guess."""
        server.say(_turn(way, ('{"name": "Ada", "age": 3',)))
        llm = self.structured_llm(server, way)
        with pytest.raises((ValueError, TypeError)):
            await _predict(llm, method)
        await self.close_llm(llm)

    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_words_instead_of_a_call_are_an_error(self, server, method):
        server.say(Turn(text=("I would rather not.",)))
        llm = self.structured_llm(server, "tools")
        with pytest.raises((ValueError, TypeError)):
            await _predict(llm, method)
        await self.close_llm(llm)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", METHODS + STREAMS)
    async def test_a_prediction_starts_once_and_ends_once(self, server, events, way, method):
        server.say(_turn(way))
        llm = self.structured_llm(server, way)
        await _predict(llm, method)
        await self.close_llm(llm)
        assert named(events, "StructuredPredictStart", "StructuredPredictEnd") == [
            "LLMStructuredPredictStartEvent",
            "LLMStructuredPredictEndEvent",
        ]
        assert named(events, "LLMChatStart", "LLMChatEnd") == ["LLMChatStartEvent", "LLMChatEndEvent"]

    @pytest.mark.filterwarnings("ignore:The `json` method is deprecated:pydantic.warnings.PydanticDeprecationWarning")
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("method", ["chat", "achat", "stream_chat", "astream_chat", "complete", "acomplete"])
    async def test_a_structured_llm_answers_in_the_class(self, server, way, method):
        server.say(_turn(way))
        llm = self.structured_llm(server, way)
        last = (await ask(llm.as_structured_llm(Person), method))[-1]
        await self.close_llm(llm)
        assert last.raw == ADA
        assert PROMPT in server.bodies[0]["messages"][0]["content"]
