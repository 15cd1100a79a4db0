"""The eight endpoints over a real socket: what they give, what they tell LlamaIndex, how tokens are counted."""

from collections.abc import AsyncGenerator, Generator
from itertools import pairwise

import pytest
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatResponse, CompletionResponse, ThinkingBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import ChatMessage

MESSAGES = [ChatMessage(role="user", content="Say hello to Ada.")]
ANSWER = 'This is the offline model: there is no language model behind it. The prompt says: "Say hello to Ada."'
METHODS = [
    "chat",
    "complete",
    "stream_chat",
    "stream_complete",
    "achat",
    "acomplete",
    "astream_chat",
    "astream_complete",
]


async def call(llm, method, **kwargs):
    """Call any of the eight and give its responses as a list."""
    given = getattr(llm, method)("Say hello to Ada." if "complete" in method else MESSAGES, **kwargs)
    if method.startswith("a"):
        given = await given
    if isinstance(given, AsyncGenerator):
        return [response async for response in given]
    return list(given) if isinstance(given, Generator) else [given]


def text_of(response):
    return response.text if isinstance(response, CompletionResponse) else response.message.content


class Events(BaseEventHandler):
    """Keeps the names of events and what they say."""

    seen: list = []  # noqa: RUF012 a pydantic field

    @classmethod
    def class_name(cls):
        return "Events"

    def handle(self, event, **kwargs):  # noqa: ARG002 LlamaIndex's signature
        self.seen.append(event)


@pytest.fixture
def events():
    handler = Events(seen=[])
    root = get_dispatcher()
    root.add_event_handler(handler)
    yield handler.seen
    root.event_handlers.remove(handler)


@pytest.mark.parametrize("method", METHODS)
async def test_the_answer_is_whole_and_has_its_facts(llm, method, client):
    last = (await call(llm, method))[-1]
    assert isinstance(last, CompletionResponse if "complete" in method else ChatResponse)
    assert text_of(last) == ANSWER
    assert last.raw["aigw"] == last.additional_kwargs["aigw"]
    assert last.raw["usage"]["total_tokens"] == last.additional_kwargs["total_tokens"]
    assert client.gateway().get_log(last.raw["aigw"]["log_id"]).success


@pytest.mark.parametrize("method", [name for name in METHODS if "stream" in name])
async def test_a_stream_is_cumulative_and_has_its_facts_once(llm, method):
    responses = await call(llm, method)
    assert len(responses) > 3
    assert "".join(response.delta for response in responses) == ANSWER
    for before, after in pairwise(responses):
        assert text_of(after) == text_of(before) + after.delta
    with_facts = [place for place, response in enumerate(responses) if "aigw" in response.additional_kwargs]
    assert with_facts == [place for place, response in enumerate(responses) if "aigw" in response.raw]
    assert with_facts == [len(responses) - 1]


async def test_streams_are_real_generators(llm):
    streams = [llm.stream_chat(MESSAGES), llm.stream_complete("Hi")]
    astreams = [await llm.astream_chat(MESSAGES), await llm.astream_complete("Hi")]
    assert all(isinstance(stream, Generator) for stream in streams)
    assert all(isinstance(stream, AsyncGenerator) for stream in astreams)
    for stream in streams:
        stream.close()
    for stream in astreams:
        await anext(stream)
        await stream.aclose()


@pytest.mark.parametrize("method", METHODS)
async def test_each_call_tells_of_itself_once(llm, method, events):
    await call(llm, method)
    kind = "LLMCompletion" if "complete" in method else "LLMChat"
    names = [event.class_name() for event in events if event.class_name().startswith("LLM")]
    assert [name for name in names if "InProgress" not in name] == [f"{kind}StartEvent", f"{kind}EndEvent"]
    assert ("InProgress" in "".join(names)) is ("stream" in method)
    ends = [event for event in events if event.class_name() == f"{kind}EndEvent"]
    assert ends[0].response.additional_kwargs["aigw"]["log_id"]
    assert len({event.span_id for event in events if event.class_name().startswith("LLM")}) == 1


@pytest.mark.parametrize("method", [name for name in METHODS if "stream" in name])
async def test_a_stream_that_says_nothing_gives_one_empty_response(scripted, kit, method):
    llm, _ = scripted(kit.streamed())
    responses = await call(llm, method)
    assert [text_of(response) for response in responses] == [""]
    assert responses[0].additional_kwargs["aigw"]["log_id"]


@pytest.mark.parametrize("method", METHODS)
async def test_token_counts_are_the_servers(scripted, kit, method):
    stream = kit.streamed(kit.chunk({"content": "Hello Ada"}), kit.chunk({}, "stop"), kit.chunk(usage=kit.usage))
    counter = TokenCountingHandler(tokenizer=str.split)
    llm, _ = scripted(
        stream if "stream" in method else kit.answered({"content": "Hello Ada"}),
        callback_manager=CallbackManager([counter]),
    )
    await call(llm, method)
    assert [(event.prompt_token_count, event.completion_token_count) for event in counter.llm_token_counts] == [(7, 5)]


@pytest.mark.parametrize("method", ["stream_chat", "astream_chat"])
async def test_reasoning_is_told_apart(scripted, kit, method):
    llm, _ = scripted(
        kit.streamed(kit.chunk({"reasoning_content": "Hm."}), kit.chunk({"content": "Yes."}), kit.chunk({}, "stop"))
    )
    first, *_, last = await call(llm, method)
    assert (first.delta, first.additional_kwargs) == ("", {"thinking_delta": "Hm."})
    assert last.message.blocks[0] == ThinkingBlock(content="Hm.")
    assert last.message.content == "Yes."


async def test_nothing_that_is_published_holds_a_credential(new_llm, aigw_local, events):
    llm = new_llm(aigw_local, model="openai/gpt-4.1-mini", api_token="secret-token", provider_key="secret-key")
    for method in METHODS:
        await call(llm, method, gateway_options={"metadata": {"a": 1}})
    assert len(events) > 16
    assert "secret" not in "".join(event.model_dump_json() + repr(event) for event in events)


async def test_a_stream_left_early_is_told_as_an_exception(llm, events):
    stream = llm.stream_chat(MESSAGES)
    next(stream)
    stream.close()
    names = [event.class_name() for event in events]
    assert (names[0], names[-1]) == ("LLMChatStartEvent", "ExceptionEvent")


def test_it_is_one_of_llamaindexs_llms(llm):
    assert BaseLLM.__name__ in [base.__name__ for base in type(llm).__mro__]
    assert llm.class_name() == "CloudflareAIGateway"


def test_any_model_id_has_metadata(new_llm, aigw_local):
    metadata = new_llm(aigw_local, model="dynamic/route", context_window=4096, max_tokens=10).metadata
    assert metadata.model_dump(include={"model_name", "context_window", "num_output", "is_chat_model"}) == {
        "model_name": "dynamic/route",
        "context_window": 4096,
        "num_output": 10,
        "is_chat_model": True,
    }
    assert metadata.is_function_calling_model
