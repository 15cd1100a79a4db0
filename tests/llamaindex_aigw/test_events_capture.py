"""`capture_logs()` around LlamaIndex: which calls it hears of, what it knows of them, and who else hears."""

import asyncio
import gc
import threading
import time
from collections import Counter

import httpx
import pytest
from llama_index.core import Document, PromptTemplate, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import SentenceSplitter
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import active_instrument_tags
from pydantic import BaseModel

import aigw
from aigw import InternalServerError, RateLimitError
from aigw.local import json_reply
from llamaindex_aigw import CloudflareAIGateway, capture_logs
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
DOCUMENTS = [
    Document(text="The lighthouse of Vela was built in 1874 by Ines Marlow."),
    Document(text="Copper melts at 1085 degrees Celsius."),
    Document(text="The river Tamsin flows through four provinces to the sea."),
]
QUESTION = "Who built the lighthouse of Vela?"


class Person(BaseModel):
    """A person."""

    name: str


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


def watchers():
    return [handler for handler in get_dispatcher().span_handlers if isinstance(handler, SpanWatcher)]


def methods(call):
    """Give the spans of a call without their numbers."""
    return [span_id.rsplit("-", 5)[0] for span_id in call.span_path]


def ids_at_the_gateway(client):
    return sorted(log.id for log in client.gateway().iter_logs())


@pytest.fixture
def no_backoff(monkeypatch):
    monkeypatch.setattr("aigw._retries._FIRST_DELAY", 0.0)


async def drain(stream):
    return [item async for item in await stream]


async def embed_three_batches(_, embedding):
    embedding.embed_batch_size = 2
    await embedding.aget_text_embedding_batch(["a", "b", "c", "d", "e"])


async def run_agent(llm, _):
    await FunctionAgent(tools=[weather], llm=llm).run("What is the weather in Lisbon?")


async def stream_structured(llm, _):
    list(llm.stream_structured_predict(Person, PromptTemplate("He is called Alan Turing.")))


async def query(llm, embedding):
    await VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding).as_query_engine(llm=llm).aquery(QUESTION)


async def query_streaming(llm, embedding):
    engine = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding).as_query_engine(llm=llm, streaming=True)
    list(engine.query(QUESTION).response_gen)


def chat_engine(llm, embedding):
    index = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    return index.as_chat_engine(llm=llm, chat_mode="condense_plus_context", memory=memory)


async def chat_streaming(llm, embedding):
    list(chat_engine(llm, embedding).stream_chat(QUESTION).response_gen)


async def chat_streaming_async(llm, embedding):
    stream = await chat_engine(llm, embedding).astream_chat(QUESTION)
    _ = [piece async for piece in stream.async_response_gen()]


async def ingest(_, embedding):
    embedding.embed_batch_size = 2
    await IngestionPipeline(transformations=[SentenceSplitter(), embedding]).arun(documents=DOCUMENTS)


PATHS = {
    "chat": (1, lambda llm, _: asyncio.to_thread(llm.chat, HELLO)),
    "achat": (1, lambda llm, _: llm.achat(HELLO)),
    "stream_chat": (1, lambda llm, _: asyncio.to_thread(lambda: list(llm.stream_chat(HELLO)))),
    "astream_chat": (1, lambda llm, _: drain(llm.astream_chat(HELLO))),
    "complete": (1, lambda llm, _: asyncio.to_thread(llm.complete, "Hello")),
    "acomplete": (1, lambda llm, _: llm.acomplete("Hello")),
    "stream_complete": (1, lambda llm, _: asyncio.to_thread(lambda: list(llm.stream_complete("Hello")))),
    "astream_complete": (1, lambda llm, _: drain(llm.astream_complete("Hello"))),
    "structured stream": (1, stream_structured),
    "agent with a tool": (2, run_agent),
    "three batches of embeddings": (3, embed_three_batches),
    "query engine": (3, query),
    "streaming query engine": (3, query_streaming),
    "streaming chat engine": (3, chat_streaming),
    "streaming chat engine with await": (3, chat_streaming_async),
    "ingestion of embeddings": (2, ingest),
}


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_gives_exactly_the_ids_the_gateway_issued(path, llm, embedding, client):
    count, run = PATHS[path]
    with capture_logs() as logs:
        await run(llm, embedding)
    assert len(logs.log_ids) == count
    assert sorted(logs.log_ids) == ids_at_the_gateway(client)
    assert [call.log_id for call in logs.calls] == logs.log_ids
    assert [call.error for call in logs.calls] == [None] * count


@pytest.mark.parametrize("path", [path for path in PATHS if "embed" not in path])
async def test_the_event_id_of_each_call_is_its_span(path, llm, embedding, client):
    with capture_logs() as logs:
        await PATHS[path][1](llm, embedding)
    found = [[log.id for log in client.gateway().find_logs(event_id=call.span_id)] for call in logs.calls]
    assert found == [[call.log_id] for call in logs.calls]


def test_a_call_knows_its_model_tokens_and_answer(llm):
    with capture_logs() as logs:
        response = llm.chat(HELLO)
    (call,) = logs.calls
    usage = response.raw["usage"]
    assert (call.kind, call.model, call.error) == ("chat", "openai/gpt-4.1-mini", None)
    assert (call.input_tokens, call.output_tokens) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert (call.log_id, call.step, call.cache_status) == (response.raw["aigw"]["log_id"], call.info.step, None)


def test_a_call_knows_what_the_cache_said(llm):
    with capture_logs() as logs:
        for _ in range(2):
            llm.chat(HELLO, gateway_options={"cache_key": "greeting", "cache_ttl": 60})
    assert [call.cache_status for call in logs.calls] == ["MISS", "HIT"]


async def test_the_span_path_leads_from_the_query_to_the_call(llm, embedding):
    with capture_logs() as logs:
        engine = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding).as_query_engine(llm=llm)
        await engine.aquery(QUESTION)
    path = methods(logs.calls[-1])
    assert path[0] == "RetrieverQueryEngine.aquery"
    assert path[-1] == "CloudflareAIGateway.achat"
    assert len(path) > 4


async def test_calls_of_a_workflow_know_its_run_and_their_order(llm):
    agent = FunctionAgent(tools=[weather], llm=llm)
    with capture_logs(tags={"user": "u1"}) as logs:
        handler = agent.run("What is the weather in Lisbon?")
        await handler
    assert [call.run_id for call in logs.calls] == [handler.run_id] * 2
    assert [call.tags for call in logs.calls] == [{"user": "u1"}] * 2
    assert [methods(call)[-1] for call in logs.calls] == ["CloudflareAIGateway.astream_chat"] * 2


def test_tags_are_instrument_tags_in_the_block_over_those_around_it(llm):
    with capture_logs(tags={"user": "u1", "team": "a"}), capture_logs(tags={"team": "b"}) as logs:
        llm.chat(HELLO)
    assert logs.calls[0].tags == {"user": "u1", "team": "b"}
    assert active_instrument_tags.get() == {}


def test_the_outer_capture_hears_of_the_inner_ones_calls(llm):
    with capture_logs() as outer:
        llm.chat(HELLO)
        with capture_logs() as inner:
            llm.chat(HELLO)
    assert outer.log_ids[1:] == inner.log_ids
    assert len(outer.calls) == 2
    assert len(inner.calls) == 1


async def test_concurrent_captures_do_not_mix(llm):
    async def one(number):
        with capture_logs(tags={"number": number}) as logs:
            first = await llm.achat(HELLO)
            second = await llm.achat(HELLO)
        return logs, [first.raw["aigw"]["log_id"], second.raw["aigw"]["log_id"]], number

    for logs, ids, number in await asyncio.gather(*map(one, range(50))):
        assert logs.log_ids == ids
        assert [call.log_id for call in logs.calls] == ids
        assert {call.tags["number"] for call in logs.calls} == {number}


def test_captures_in_threads_do_not_mix(llm):
    found = {}

    def one(number):
        with capture_logs() as logs:
            found[number] = (logs, llm.chat(HELLO).raw["aigw"]["log_id"])

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [logs.log_ids for logs, _ in found.values()] == [[log_id] for _, log_id in found.values()]


def test_the_span_watcher_comes_with_the_first_block_and_goes_with_the_last(llm):
    assert watchers() == []
    with capture_logs():
        with capture_logs():
            assert len(watchers()) == 1
        assert len(watchers()) == 1
        llm.chat(HELLO)
    assert watchers() == []


def test_the_span_watcher_goes_when_the_block_raises():
    with pytest.raises(ZeroDivisionError), capture_logs():
        _ = 1 / 0
    assert watchers() == []


def test_a_thousand_captures_leave_no_handler_behind():
    before = len(get_dispatcher().span_handlers), len(get_dispatcher().event_handlers)
    for _ in range(1000):
        with capture_logs():
            pass
    assert (len(get_dispatcher().span_handlers), len(get_dispatcher().event_handlers)) == before


def test_handlers_of_others_that_come_meanwhile_stay():
    class Mine(SpanWatcher):
        pass

    root = get_dispatcher()
    before = root.span_handlers
    mine = Mine()
    try:
        with capture_logs():
            root.span_handlers = [*root.span_handlers, mine]
        assert mine in root.span_handlers
    finally:
        root.span_handlers = before


def test_a_stream_begun_inside_is_read_after_the_block(llm):
    with capture_logs() as logs:
        stream = llm.stream_chat(HELLO)
    assert [(call.output_tokens, call.is_partial) for call in logs.calls] == [(None, False)]
    last = list(stream)[-1]
    (call,) = logs.calls
    assert (call.log_id, call.output_tokens) == (last.raw["aigw"]["log_id"], last.raw["usage"]["completion_tokens"])


async def test_an_async_stream_begun_inside_is_read_after_the_block(llm):
    with capture_logs() as logs:
        stream = await llm.astream_complete("Hello")
    last = [item async for item in stream][-1]
    assert logs.calls[0].output_tokens == last.raw["usage"]["completion_tokens"]


def test_a_stream_that_is_left_early_keeps_its_id(llm, client):
    with capture_logs() as logs:
        stream = llm.stream_chat(HELLO)
        next(stream)
        stream.close()
    gc.collect()
    assert [call.is_partial for call in logs.calls] == [True]
    assert [call.error for call in logs.calls] == [None]
    client.gateway().get_log(logs.log_ids[0], wait=5)  # the gateway learns a little later that nobody listens
    assert logs.log_ids == ids_at_the_gateway(client)


async def test_an_async_stream_that_is_left_early_keeps_its_id(llm):
    with capture_logs() as logs:
        stream = await llm.astream_chat(HELLO)
        await anext(stream)
        await stream.aclose()
    assert [call.is_partial for call in logs.calls] == [True]
    assert len(logs.log_ids) == 1


@pytest.mark.parametrize(("status", "error"), [(429, RateLimitError), (500, InternalServerError)])
@pytest.mark.parametrize("method", ["chat", "stream_chat"])
def test_a_failed_call_is_captured_with_its_error(scripted, status, error, method):
    llm, _ = scripted(lambda: json_reply(status, {"error": {"message": "no"}}), max_retries=0)
    with capture_logs() as logs, pytest.raises(error) as raised:
        list(getattr(llm, method)(HELLO))
    (call,) = logs.calls
    assert call.error.startswith(f"{error.__name__}: ")
    assert (call.log_id, call.info.status_code) == (raised.value.log_id, status)
    assert call.log_id


@pytest.mark.usefixtures("no_backoff")
def test_two_retries_are_calls_of_their_own(scripted, kit):
    down = lambda: json_reply(500, {"error": {"message": "down"}})  # noqa: E731 a turn
    llm, _ = scripted(down, down, kit.answered({"content": "Hi"}))
    with capture_logs() as logs:
        response = llm.chat(HELLO)
    assert [call.error for call in logs.calls] == ["HTTP 500", "HTTP 500", None]
    assert [call.output_tokens for call in logs.calls] == [None, None, 5]
    assert len(set(logs.log_ids)) == 3
    assert logs.log_ids[-1] == response.raw["aigw"]["log_id"]


def test_a_stream_that_breaks_tells_why(scripted, kit):
    llm, _ = scripted(kit.streamed(kit.chunk({"content": "Hi"}), {"error": {"message": "overloaded", "code": 500}}))
    with capture_logs() as logs, pytest.raises(aigw.StreamError):
        list(llm.stream_chat(HELLO))
    assert logs.calls[0].error.startswith("StreamError: ")
    assert logs.calls[0].log_id


def test_a_call_that_is_refused_before_it_is_sent_is_no_call(llm):
    with capture_logs() as logs, pytest.raises(aigw.ConfigurationError):
        llm.chat(HELLO, gateway_options={"cache_ttl": 1})
    assert (logs.calls, len(logs)) == ([], 0)


def test_calls_of_the_cores_own_clients_are_in_the_sequence_alone(llm, client):
    with capture_logs() as logs:
        llm.chat(HELLO)
        client.chat({"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}]})
    assert (len(logs), len(logs.log_ids), len(logs.calls)) == (2, 2, 1)
    assert logs[0].log_id == logs.calls[0].log_id


def test_embeddings_give_id_and_tokens_per_request(embedding, client):
    embedding.embed_batch_size = 2
    with capture_logs() as logs:
        embedding.get_text_embedding_batch(["a", "b", "c", "d", "e"])
    assert [call.kind for call in logs.calls] == ["embedding"] * 3
    assert sorted(call.log_id for call in logs.calls) == ids_at_the_gateway(client)
    assert all(call.input_tokens > 0 for call in logs.calls)


async def test_reconciling_reads_the_costs_of_a_hundred_calls(llm):
    with capture_logs() as logs:
        await asyncio.gather(*(llm.achat(HELLO) for _ in range(100)))
    calls = await logs.areconcile(wait=5)
    assert len(calls) == 100
    assert all(call.cost is not None and call.cost >= 0 for call in calls)


@pytest.mark.parametrize("is_async", [False, True])
async def test_reconciling_reads_at_most_eight_logs_at_once_and_again_what_has_no_cost_yet(is_async):
    lock, now, most, asked = threading.Lock(), [0], [0], Counter()

    def begin():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])

    def end(request):
        with lock:
            now[0] -= 1
            asked[request.url.path] += 1
            cost = None if asked[request.url.path] == 1 else 0.5
        if request.method == "POST":
            body = {"choices": [{"message": {"content": "Hi"}}]}
            return httpx.Response(200, json=body, headers={"cf-aig-log-id": f"log-{asked[request.url.path]}"})
        log = {"id": request.url.path.rpartition("/")[2], "cost": cost, "success": True}
        return httpx.Response(200, json={"success": True, "result": log})

    def answer(request):
        begin()
        time.sleep(0.001)
        return end(request)

    async def aanswer(request):
        begin()
        await asyncio.sleep(0.001)
        return end(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(aanswer)) as http_async_client:
        llm = CloudflareAIGateway(
            model="openai/x",
            account_id="acct",
            api_token="test-token",
            http_client=httpx.Client(transport=httpx.MockTransport(answer)),
            http_async_client=http_async_client,
        )
        with capture_logs() as logs:
            for _ in range(100):
                llm.chat(HELLO)
        asked.clear()
        calls = await logs.areconcile(wait=5) if is_async else await asyncio.to_thread(logs.reconcile, wait=5)
    assert most[0] <= 8
    assert set(asked.values()) == {2}
    assert len(asked) == 100
    assert {call.log_id for call in calls} == {f"log-{number}" for number in range(1, 101)}


def test_reconciling_without_await_does_the_same(llm):
    with capture_logs() as logs:
        llm.chat(HELLO)
    assert [call.cost for call in logs.calls] == [None]
    assert logs.reconcile(wait=5)[0].cost is not None
    assert logs.calls[0].cost is not None
