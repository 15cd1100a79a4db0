"""Events, spans and callbacks: each call tells of itself exactly once, with the server's numbers and no secret."""

from __future__ import annotations

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler, TokenCountingHandler
from llama_index.core.instrumentation.dispatcher import instrument_tags

from .kit import METHODS, STREAMED, WHOLE, Conformance, ask, close, first_of, named, question, start
from .server import Turn


class _Limiter:
    """A rate limiter that counts."""

    def __init__(self) -> None:
        self.acquired = 0

    def acquire(self) -> None:
        self.acquired += 1

    async def async_acquire(self) -> None:
        self.acquired += 1


def _kind(method: str) -> str:
    return "LLMCompletion" if "complete" in method else "LLMChat"


class TellingCases(Conformance):
    @pytest.mark.parametrize("method", METHODS)
    async def test_a_call_starts_once_and_ends_once(self, llm, events, method):
        """A completion made of the public `chat` tells of itself twice, and its tokens are counted twice."""
        await ask(llm, method)
        kind = _kind(method)
        assert named(events, "StartEvent", "EndEvent") == [f"{kind}StartEvent", f"{kind}EndEvent"]

    @pytest.mark.parametrize("method", STREAMED)
    async def test_each_response_of_a_stream_is_told(self, llm, events, method):
        responses = await ask(llm, method)
        assert named(events, "InProgress") == [f"{_kind(method)}InProgressEvent"] * len(responses)

    @pytest.mark.parametrize("method", METHODS)
    async def test_events_belong_to_the_calls_span(self, llm, events, spans, method):
        await ask(llm, method)
        ids = {event.span_id for event in events}
        assert len(ids) == 1
        assert ids <= set(spans["entered"])
        assert f".{method}-" in ids.pop()

    @pytest.mark.parametrize("method", METHODS)
    async def test_each_span_that_is_entered_is_left(self, llm, spans, method):
        await ask(llm, method)
        assert sorted(spans["entered"]) == sorted(spans["left"])
        assert "dropped" not in spans

    @pytest.mark.parametrize("method", METHODS)
    async def test_tokens_are_counted_as_the_server_counts(self, server, method):
        counter = TokenCountingHandler(tokenizer=str.split)
        llm = self.new_llm(server.url, callback_manager=CallbackManager([counter]))
        await ask(llm, method)
        await self.close_llm(llm)
        counted = [(event.prompt_token_count, event.completion_token_count) for event in counter.llm_token_counts]
        assert counted == [(7, 5)]

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_callback_manager_hears_of_a_start_and_an_end(self, server, method):
        debug = LlamaDebugHandler(print_trace_on_end=False)
        llm = self.new_llm(server.url, callback_manager=CallbackManager([debug]))
        await ask(llm, method)
        await self.close_llm(llm)
        assert [len(pair) for pair in debug.get_event_pairs(CBEventType.LLM)] == [2]

    @pytest.mark.parametrize("method", METHODS)
    async def test_the_rate_limiter_is_asked_once(self, server, method):
        llm = self.new_llm(server.url)
        if not hasattr(llm, "rate_limiter"):
            pytest.skip("this LlamaIndex limits no rates")
        llm.rate_limiter = _Limiter()
        await ask(llm, method)
        await self.close_llm(llm)
        assert llm.rate_limiter.acquired == 1

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_refused_call_starts_and_does_not_end(self, llm, server, events, method):
        server.say(Turn(status=400))
        with pytest.raises(Exception, match="scripted error"):
            await ask(llm, method)
        assert named(events, "StartEvent", "EndEvent") == [f"{_kind(method)}StartEvent"]

    @pytest.mark.parametrize("method", WHOLE)
    async def test_a_refused_call_drops_its_span(self, llm, server, spans, method):
        server.say(Turn(status=400))
        with pytest.raises(Exception, match="scripted error"):
            await ask(llm, method)
        assert len(spans["dropped"]) == 1

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_that_breaks_is_told_as_an_exception(self, llm, server, events, method):
        server.say(Turn(text=("Hello",), is_broken=True))
        with pytest.raises(Exception, match="scripted"):
            await ask(llm, method)
        assert named(events, "EndEvent", "Exception") == ["ExceptionEvent"]

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_left_early_is_told_as_an_exception(self, llm, events, method):
        given = await start(llm, method, question(method))
        await first_of(given)
        await close(given)
        assert named(events, "EndEvent", "Exception") == ["ExceptionEvent"]

    @pytest.mark.parametrize("method", METHODS)
    async def test_what_is_told_holds_no_secret(self, llm, events, method):
        await ask(llm, method)
        assert self.secret not in "".join(event.model_dump_json() + repr(event) for event in events)

    @pytest.mark.parametrize("method", METHODS)
    async def test_tags_are_on_the_start_event(self, llm, events, method):
        with instrument_tags({"team": "a"}):
            await ask(llm, method)
        assert events[0].tags == {"team": "a"}

    @pytest.mark.parametrize("method", STREAMED)
    async def test_a_stream_read_elsewhere_keeps_its_span(self, llm, events, method):
        with instrument_tags({"team": "a"}):
            given = await start(llm, method, question(method))
        first = await first_of(given)
        await close(given)
        assert first is not None
        assert len({event.span_id for event in events}) == 1
