"""The eight endpoints: what they give, what they send, and how a stream behaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from itertools import pairwise

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole
from llama_index.core.prompts import PromptTemplate

from .kit import HELLO, METHODS, PROMPT, STREAMED, WHOLE, Conformance, ask, close, first_of, gather, start, text_of
from .kit import question as asked
from .server import USAGE, Turn


class EndpointCases(Conformance):
    @pytest.mark.parametrize("method", METHODS)
    async def test_the_answer_is_the_models(self, llm, method):
        last = (await ask(llm, method))[-1]
        assert isinstance(last, CompletionResponse if "complete" in method else ChatResponse)
        assert text_of(last) == "Hello, Ada"

    @pytest.mark.parametrize("method", [method for method in METHODS if "chat" in method])
    async def test_the_answer_is_an_assistants(self, llm, method):
        assert {response.message.role for response in await ask(llm, method)} == {MessageRole.ASSISTANT}

    @pytest.mark.parametrize("method", METHODS)
    async def test_one_call_is_one_request(self, llm, server, method):
        await ask(llm, method)
        assert len(server.bodies) == 1
        assert bool(server.bodies[0].get("stream")) is ("stream" in method)

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_prompt_is_one_message_of_the_user(self, llm, server, method):
        await ask(llm, method)
        assert [(sent["role"], sent["content"]) for sent in server.bodies[0]["messages"]] == [("user", PROMPT)]

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_last_raw_has_the_servers_usage(self, llm, method):
        """`TokenCountingHandler` reads `dict(raw)["usage"]` of the last response, and guesses without it."""
        usage = dict((await ask(llm, method))[-1].raw)["usage"]
        counts = usage if isinstance(usage, dict) else usage.model_dump()
        assert {name: counts[name] for name in USAGE} == USAGE

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_token_counts_are_in_additional_kwargs(self, llm, method):
        told = (await ask(llm, method))[-1].additional_kwargs
        assert {name: told.get(name) for name in USAGE} == USAGE

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_is_cumulative_with_deltas(self, llm, method):
        responses = await ask(llm, method)
        assert "".join(response.delta or "" for response in responses) == "Hello, Ada"
        for before, after in pairwise(responses):
            assert (text_of(after) or "") == (text_of(before) or "") + (after.delta or "")

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_is_a_real_generator(self, llm, method):
        """LlamaIndex tells streams from answers by this; of another iterator it makes an invalid event."""
        given = await start(llm, method, asked(method))
        assert isinstance(given, AsyncGenerator if method.startswith("a") else Generator)
        await gather(given)

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_that_says_nothing_is_no_error(self, llm, server, method):
        """LlamaIndex's event at the end of a completion wants a response: without one, it raises."""
        server.say(Turn(is_silent=True))
        assert {text_of(response) or "" for response in await ask(llm, method)} <= {""}

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_is_given_as_it_comes(self, llm, server, method):
        server.say(Turn(text=("First",), is_endless=True))
        given = await start(llm, method, asked(method))
        assert (text_of(await first_of(given)) or "First").startswith("First")
        await close(given)

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_left_early_frees_its_connection(self, llm, server, method):
        """A stream that nobody reads is paid for all the same, and its connection is missing in the pool."""
        server.say(Turn(text=("First",), is_endless=True))
        given = await start(llm, method, asked(method))
        await first_of(given)
        await close(given)
        assert await asyncio.to_thread(server.client_left.wait, 5)

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_that_breaks_is_an_error_and_is_not_asked_for_again(self, llm, server, method):
        """What was yielded cannot be taken back, so nothing is tried again after the first piece."""
        server.say(Turn(text=("Hello",), is_broken=True))
        with pytest.raises(Exception, match="scripted"):
            await ask(llm, method)
        assert len(server.bodies) == 1

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_refused_call_is_an_error(self, llm, server, method):
        server.say(Turn(status=400))
        with pytest.raises(Exception, match="scripted error"):
            await ask(llm, method)
        assert len(server.bodies) == 1

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_calls_keyword_wins_over_the_field(self, server, method):
        llm = self.new_llm(server.url, temperature=0.75)
        await ask(llm, method, temperature=0.25)
        await ask(llm, method)
        await self.close_llm(llm)
        assert [body["temperature"] for body in server.bodies] == [0.25, 0.75]

    @pytest.mark.parametrize("method", METHODS)
    async def test_what_a_call_is_given_stays_as_it_was(self, llm, method):
        prompt, kwargs = asked(method), {"stop": ["x"], "temperature": 0.5}
        before = repr(prompt)
        await gather(await start(llm, method, prompt, **kwargs))
        assert (repr(prompt), kwargs) == (before, {"stop": ["x"], "temperature": 0.5})

    @pytest.mark.parametrize("method", WHOLE[:1] + STREAMED[:1])
    async def test_letters_of_any_language_go_there_and_back(self, llm, server, method):
        server.say(Turn(text=("Grüße, ", "雪", " 🎿")))
        given = await gather(await start(llm, method, asked(method, "Zürich?")))
        assert text_of(given[-1]) == "Grüße, 雪 🎿"
        assert server.bodies[0]["messages"][0]["content"] == "Zürich?"

    @pytest.mark.parametrize("method", ["predict", "stream", "apredict", "astream"])
    async def test_the_system_prompt_goes_with_a_prediction(self, server, method):
        llm = self.new_llm(server.url, system_prompt="Be brief.")
        given = await start(llm, method, PromptTemplate("Greet {name}."), name="Ada")
        pieces = await gather(given)
        await self.close_llm(llm)
        assert "".join(pieces) == "Hello, Ada"
        roles = [(sent["role"], sent["content"]) for sent in server.bodies[0]["messages"]]
        assert roles == [("system", "Be brief."), ("user", "Greet Ada.")]

    async def test_a_conversation_keeps_its_order_and_its_roles(self, llm, server):
        turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Again")]
        llm.chat([ChatMessage(role=role, content=content) for role, content in turns])
        assert [(sent["role"], sent["content"]) for sent in server.bodies[0]["messages"]] == turns

    async def test_the_same_call_again_sends_the_same_body(self, llm, server):
        server.say(HELLO)
        llm.chat(asked("chat"))
        llm.chat(asked("chat"))
        assert server.bodies[0] == server.bodies[1]
