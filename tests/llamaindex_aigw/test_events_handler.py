"""`AIGatewayEventHandler`: which calls it finds by which id, for how long, and what it does when it fails."""

import asyncio
import copy
import itertools
import logging
import pickle

import httpx
import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span import active_span_id

from aigw import AIGateway, ConfigurationError, InternalServerError, gateway_options
from aigw.integration import LoggedCall
from aigw.local import json_reply
from llamaindex_aigw import AIGatewayEventHandler, CloudflareAIGateway
from llamaindex_aigw._events import AIGatewayCallEvent
from llamaindex_aigw._spans import SpanWatcher

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:pydantic.warnings.PydanticDeprecationWarning")
    for message in (
        "The `__fields(_set)?__` attribute is deprecated",
        "Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    )
]

HELLO = [ChatMessage(role="user", content="Hello")]
DOCUMENTS = [Document(text="Copper melts at 1085 degrees Celsius."), Document(text="Tin melts at 232 degrees.")]
dispatcher = get_dispatcher(__name__)


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


@pytest.fixture
def handler():
    handler = AIGatewayEventHandler().attach()
    yield handler
    handler.detach()


@dispatcher.span
def five_calls(llm):
    for number in range(5):
        llm.complete(f"Say {number}")
    return active_span_id.get()


@dispatcher.span
async def pair_of_calls(llm, number):
    first = await llm.achat([ChatMessage(role="user", content=f"first {number}")])
    second = await llm.achat([ChatMessage(role="user", content=f"second {number}")])
    return active_span_id.get(), [first.raw["aigw"]["log_id"], second.raw["aigw"]["log_id"]]


def test_an_outer_span_gives_all_calls_beneath_it_in_order(handler, llm, client):
    llm.complete("Before")
    span_id = five_calls(llm)
    assert len(handler.log_ids(span_id)) == 5
    assert handler.log_ids(span_id) == [log.id for log in client.gateway().iter_logs(direction="asc")][1:]
    assert {call.span_path[0] for call in handler.calls(span_id)} == {span_id}


def test_a_calls_own_span_gives_that_call(handler, llm):
    five_calls(llm)
    for call in handler.calls():
        assert handler.log_ids(call.span_id) == [call.log_id]


def test_an_unknown_span_has_no_calls(handler, llm):
    five_calls(llm)
    assert handler.calls("RetrieverQueryEngine.query-unknown") == []


async def test_a_workflow_run_gives_its_calls(handler, llm):
    agent = FunctionAgent(tools=[weather], llm=llm)
    runs = [agent.run("What is the weather in Lisbon?"), agent.run("What is the weather in Oslo?")]
    for run in runs:
        await run
    found = [handler.log_ids(run.run_id) for run in runs]
    assert [len(log_ids) for log_ids in found] == [2, 2]
    assert not set(found[0]) & set(found[1])


async def test_an_agent_workflow_gives_its_calls(handler, llm):
    run = AgentWorkflow.from_tools_or_functions([weather], llm=llm).run("What is the weather in Lisbon?")
    output = await run
    assert handler.log_ids(run.run_id)[-1] == output.raw["aigw"]["log_id"]


async def test_a_query_engine_and_a_chat_engine_give_their_calls(handler, llm):
    index = SummaryIndex.from_documents(DOCUMENTS)
    index.as_query_engine(llm=llm, response_mode="tree_summarize").query("When does tin melt?")
    outer = handler.calls()[-1].span_path[0]
    assert outer.startswith("RetrieverQueryEngine.query-")
    assert handler.log_ids(outer) == handler.log_ids()
    engine = index.as_chat_engine(llm=llm, chat_mode="context", memory=ChatMemoryBuffer.from_defaults(llm=llm))
    before = len(handler.calls())
    await engine.achat("When does tin melt?")
    assert handler.calls()[before:][0].span_path[0].startswith("ContextChatEngine.achat-")


async def test_concurrent_spans_do_not_mix(handler, llm):
    for span_id, log_ids in await asyncio.gather(*(pair_of_calls(llm, number) for number in range(100))):
        assert handler.log_ids(span_id) == log_ids


async def test_a_thousand_concurrent_calls_are_all_found_by_their_span(handler):
    numbers = itertools.count()

    async def answer(_):
        log_id = f"log-{next(numbers)}"
        await asyncio.sleep(0)
        body = {"choices": [{"message": {"content": "Hi"}}]}
        return httpx.Response(200, json=body, headers={"cf-aig-log-id": log_id})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http_client:
        llm = CloudflareAIGateway(
            model="openai/gpt-4.1-mini", account_id="acct", api_token="test-token", http_async_client=http_client
        )
        pairs = await asyncio.gather(*(pair_of_calls(llm, number) for number in range(500)))
    assert sum(handler.log_ids(span_id) != log_ids for span_id, log_ids in pairs) == 0
    assert len(set(handler.log_ids())) == 1000


async def test_streams_are_recorded_when_they_open_and_counted_when_they_end(handler, llm):
    stream = await llm.astream_chat(HELLO)
    assert [call.output_tokens for call in handler.calls()] == [None]
    last = [item async for item in stream][-1]
    assert [call.output_tokens for call in handler.calls()] == [last.raw["usage"]["completion_tokens"]]


def test_embeddings_are_recorded_per_request(handler, embedding):
    embedding.embed_batch_size = 2
    embedding.get_text_embedding_batch(["a", "b", "c", "d", "e"])
    assert [call.kind for call in handler.calls()] == ["embedding"] * 3
    assert len(set(handler.log_ids())) == 3
    assert all(call.input_tokens for call in handler.calls())
    outer = handler.calls()[0].span_path[0]
    assert handler.log_ids(outer) == handler.log_ids()


def test_failures_are_recorded(handler, scripted):
    llm, _ = scripted(lambda: json_reply(503, {"error": {"message": "down"}}), max_retries=0)
    with pytest.raises(InternalServerError) as raised:
        llm.chat(HELLO)
    (call,) = handler.calls()
    assert call.error == "InternalServerError: down (HTTP 503)"
    assert handler.log_ids(call.span_id) == [raised.value.log_id]


def test_a_detached_handler_hears_nothing_more_and_keeps_what_it_has(llm):
    handler = AIGatewayEventHandler().attach()
    llm.chat(HELLO)
    handler.detach()
    llm.chat(HELLO)
    assert len(handler.calls()) == 1
    assert handler not in get_dispatcher().event_handlers
    assert not any(isinstance(watcher, SpanWatcher) for watcher in get_dispatcher().span_handlers)


def test_attaching_and_detaching_twice_is_once(llm):
    before = len(get_dispatcher().event_handlers)
    handler = AIGatewayEventHandler().attach().attach()
    llm.chat(HELLO)
    assert len(handler.calls()) == 1
    handler.detach()
    handler.detach()
    assert len(get_dispatcher().event_handlers) == before


def test_two_handlers_both_hear(handler, llm):
    other = AIGatewayEventHandler().attach()
    llm.chat(HELLO)
    other.detach()
    assert handler.log_ids() == other.log_ids()
    assert handler.calls()[0].span_path


def test_added_the_way_of_llamaindex_it_finds_calls_by_their_own_span(llm, monkeypatch):
    handler = AIGatewayEventHandler()
    monkeypatch.setattr(get_dispatcher(), "event_handlers", [*get_dispatcher().event_handlers])
    get_dispatcher().add_event_handler(handler)
    llm.chat(HELLO)
    (call,) = handler.calls()
    assert handler.log_ids(call.span_id) == [call.log_id]
    assert call.event_id == call.span_id


def test_an_error_inside_the_handler_is_logged_and_the_call_goes_on(handler, llm, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("the ledger is full")

    monkeypatch.setattr(handler._ledger, "add", fail)
    with caplog.at_level(logging.ERROR, logger="llamaindex_aigw"):
        assert llm.chat(HELLO).message.content
    assert "could not be recorded" in caplog.text
    assert "the ledger is full" in caplog.text


def test_the_event_says_what_the_gateway_said_to_any_handler(llm, monkeypatch):
    heard = []

    class Mine(BaseEventHandler):
        def handle(self, event, **_):
            heard.append(event)

    monkeypatch.setattr(get_dispatcher(), "event_handlers", [Mine()])
    response = llm.chat(HELLO)
    (event,) = [event for event in heard if isinstance(event, AIGatewayCallEvent)]
    assert (event.kind, event.model, event.class_name()) == ("chat", "openai/gpt-4.1-mini", "AIGatewayCallEvent")
    assert event.aigw == [response.raw["aigw"]]
    assert event.model_dump()["aigw"] == [response.raw["aigw"]]
    assert event.span_id == event.calls[0].span_id
    assert "test-token" not in repr(event)


def test_the_watcher_forgets_old_spans_but_not_the_outer_ones_in_use(monkeypatch):
    monkeypatch.setattr("llamaindex_aigw._spans._MAX_SPANS", 3)
    watcher = SpanWatcher()
    watcher.new_span("outer", None)
    for number in range(10):
        watcher.new_span(f"inner-{number}", None, parent_span_id="outer")
    assert watcher.place("inner-9").spans == ("outer", "inner-9")
    assert watcher.place("inner-0").spans == ("inner-0",)


@pytest.mark.parametrize(
    ("fields", "options", "expected"),
    [
        ({}, {}, "span"),
        ({"send_span_id": False}, {}, None),
        ({}, {"event_id": "mine"}, "mine"),
        ({"gateway_options": {"event_id": "models"}}, {}, "models"),
        ({"gateway_options": {"event_id": "models"}}, {"event_id": "mine"}, "mine"),
    ],
)
def test_the_callers_own_event_id_wins(handler, aigw_local, new_llm, fields, options, expected):
    llm = new_llm(aigw_local, **fields)
    llm.chat(HELLO, gateway_options=options)
    (call,) = handler.calls()
    own = {"span": call.span_id, None: call.event_id}.get(expected, expected)
    assert call.event_id == own
    assert (call.event_id == call.span_id) == (expected == "span")


def test_a_span_that_a_header_cannot_carry_is_sent_in_ascii(handler, aigw_local):
    class Größe(CloudflareAIGateway):  # noqa: PLC2401 that it is not ASCII is the point
        pass

    llm = Größe(model="openai/x", account_id="acct", api_token="test-token", base_url=aigw_local.base_url)
    llm.chat(HELLO)
    llm.close()
    (call,) = handler.calls()
    assert call.span_id.startswith("Größe.chat-")
    assert call.event_id == call.span_id.replace("ö", "_").replace("ß", "_")


def test_options_of_the_context_are_kept_beside_the_span_id(handler, llm, client):
    with gateway_options({"metadata": {"team": "search"}}):
        llm.chat(HELLO)
    (call,) = handler.calls()
    assert client.gateway().get_log(call.log_id).metadata == {"team": "search"}
    assert call.event_id == call.span_id


def test_a_logged_call_has_the_models_own_clients(handler, llm):
    llm.chat(HELLO)
    logged = handler.calls()[0].logged
    assert isinstance(logged, LoggedCall)
    assert logged.sync_client() is llm._sync_client()
    assert logged.async_client() is llm._async_client()


@pytest.mark.parametrize("span_id", [5, [], {}, b"span"])
def test_what_is_no_span_s_id_is_refused(handler, span_id):
    for ask in (handler.log_ids, handler.calls, handler.costs):
        with pytest.raises(ConfigurationError, match="span_id cannot be"):
            ask(span_id)


def test_a_copied_handler_is_the_same_and_a_pickled_one_an_empty_one_like_it(handler, llm):
    llm.chat(HELLO)
    assert copy.deepcopy(handler) is handler
    assert copy.deepcopy({"handlers": [handler]})["handlers"] == [handler]
    pickled = pickle.loads(pickle.dumps(AIGatewayEventHandler(max_calls=3, client=AIGateway("a", "secret-token"))))  # noqa: S301 our own pickle
    assert (pickled.max_calls, pickled.client, pickled.log_ids()) == (3, None, [])
    assert len(handler.log_ids()) == 1
