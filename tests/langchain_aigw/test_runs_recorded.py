"""What the handler records: every call under its run and all runs above it, whichever way the model was called."""

import asyncio
import json
import operator
from collections import Counter
from typing import Annotated, TypedDict
from uuid import uuid4

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

import aigw
from aigw.local import LocalGateway, Reply, json_reply
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

AT_ONCE = (("content-type", "application/json"), ("retry-after", "0"))


@pytest.fixture
def handler():
    return AIGatewayCallbackHandler()


@pytest.fixture
def make(local_fields):
    def make(**fields):
        return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields, **fields)

    return make


@pytest.fixture
def issued(local_fields):
    """Read the ids of the logs the gateway wrote, oldest first; of a stream that was left it learns a little later."""

    def read(*, after=None):
        with aigw.AIGateway(**local_fields) as client:
            if after is not None:
                client.gateway().get_log(after, wait=5)
            return [log.id for log in client.gateway().iter_logs(direction="asc")]

    return read


@pytest.fixture
def config(handler):
    return {"callbacks": [handler], "run_id": uuid4()}


async def drain(stream):
    return [item async for item in stream]


class Place(BaseModel):
    """Where something is."""

    city: str = ""


def get_weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: The city.
    """
    return f"It is sunny in {city}."


def chain(model):
    return ChatPromptTemplate.from_template("{text}") | model | StrOutputParser()


QUESTION = {"messages": [HumanMessage("What is the weather in Paris?")]}

PATHS = {
    "invoke": (1, lambda model, config: model.invoke("hi", config)),
    "streaming_invoke": (1, lambda model, config: model.invoke("hi", config, stream=True)),
    "stream": (1, lambda model, config: list(model.stream("hi", config))),
    "structured": (1, lambda model, config: model.with_structured_output(Place, include_raw=True).invoke("hi", config)),
    "chain": (1, lambda model, config: chain(model).invoke({"text": "hi"}, config)),
    "chain_stream": (1, lambda model, config: list(chain(model).stream({"text": "hi"}, config))),
    "parallel": (2, lambda model, config: RunnableParallel(a=model, b=model).invoke("hi", config)),
    "agent": (2, lambda model, config: create_agent(model, [get_weather]).invoke(QUESTION, config)),
    "agent_messages": (
        2,
        lambda model, config: list(create_agent(model, [get_weather]).stream(QUESTION, config, stream_mode="messages")),
    ),
}
ASYNC_PATHS = {
    "ainvoke": (1, lambda model, config: model.ainvoke("hi", config)),
    "astream": (1, lambda model, config: drain(model.astream("hi", config))),
    "events": (1, lambda model, config: drain(model.astream_events("hi", config))),
    "chain": (1, lambda model, config: chain(model).ainvoke({"text": "hi"}, config)),
    "chain_stream": (1, lambda model, config: drain(chain(model).astream({"text": "hi"}, config))),
    "structured_stream": (
        1,
        lambda model, config: drain(model.with_structured_output(Place, include_raw=True).astream("hi", config)),
    ),
    "agent": (2, lambda model, config: create_agent(model, [get_weather]).ainvoke(QUESTION, config)),
    "agent_messages": (
        2,
        lambda model, config: drain(
            create_agent(model, [get_weather]).astream(QUESTION, config, stream_mode="messages")
        ),
    ),
}


@pytest.mark.parametrize("path", PATHS)
def test_the_root_run_has_the_logs_the_gateway_wrote(make, handler, config, issued, path):
    count, call = PATHS[path]
    call(make(), config)
    assert sorted(handler.log_ids(config["run_id"])) == sorted(issued())
    assert len(issued()) == count


@pytest.mark.parametrize("path", ASYNC_PATHS)
async def test_the_root_run_has_the_logs_the_gateway_wrote_in_async_calls(make, handler, config, issued, path):
    count, call = ASYNC_PATHS[path]
    await call(make(), config)
    assert sorted(handler.log_ids(config["run_id"])) == sorted(issued())
    assert len(issued()) == count


async def test_each_of_a_batch_has_its_own_run(make, handler, issued):
    answers = make().batch(["hi"] * 32, {"callbacks": [handler]})
    answers += await make().abatch(["hi"] * 32, {"callbacks": [handler]})
    for answer in answers:
        run_id = answer.id.removeprefix("lc_run--")[:36]
        assert handler.log_ids(run_id) == [answer.response_metadata["aigw"]["log_id"]]
    assert sorted(handler.log_ids()) == sorted(issued())


def test_a_call_tells_what_is_known_of_it(make, handler, config):
    answer = make().invoke("hi", config, gateway_options={"cache_key": "k"})
    (call,) = handler.calls(config["run_id"])
    assert call.log_id == answer.response_metadata["aigw"]["log_id"]
    assert (call.kind, call.model, call.run_id) == ("chat", "openai/gpt-5-mini", config["run_id"])
    assert (call.parent_run_id, call.node, call.cache_status) == (None, None, "MISS")
    assert call.event_id == str(config["run_id"])
    assert (call.input_tokens, call.output_tokens) == (
        answer.usage_metadata["input_tokens"],
        answer.usage_metadata["output_tokens"],
    )
    assert (call.error, call.is_partial, call.is_replayed, call.cost) == (None, False, False, None)


def test_a_stream_tells_its_tokens(make, handler, config):
    list(make().stream("hi", config))
    (call,) = handler.calls(config["run_id"])
    assert call.input_tokens > 0
    assert call.output_tokens > 0


class State(TypedDict):
    texts: Annotated[list[str], operator.add]


def graph_of(model, *, is_async=False):
    """Make a graph that calls the model five times in three nodes: once, three times, once."""

    def node(count):
        def run(_):
            return {"texts": [model.invoke("hi").content for _ in range(count)]}

        async def arun(_):
            return {"texts": [(await model.ainvoke("hi")).content for _ in range(count)]}

        return arun if is_async else run

    graph = StateGraph(State)
    for name, count in (("plan", 1), ("research", 3), ("write", 1)):
        graph.add_node(name, node(count))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "research")
    graph.add_edge("research", "write")
    graph.add_edge("write", END)
    return graph.compile()


NODES = ["plan", "research", "research", "research", "write"]


def test_a_graph_gives_all_its_calls_in_order_with_their_nodes(make, handler, config, issued):
    graph_of(make()).invoke({"texts": []}, config)
    assert [call.node for call in handler.calls(config["run_id"])] == NODES
    assert handler.log_ids(config["run_id"]) == issued()


@pytest.mark.parametrize("mode", ["messages", "updates", "values"])
async def test_a_streamed_graph_gives_all_its_calls_in_order_with_their_nodes(make, handler, config, issued, mode):
    await drain(graph_of(make(), is_async=True).astream({"texts": []}, config, stream_mode=mode))
    assert [call.node for call in handler.calls(config["run_id"])] == NODES
    assert handler.log_ids(config["run_id"]) == issued()


def test_a_run_in_between_has_the_calls_beneath_it(make, handler, config):
    inner = chain(make()).with_config(run_name="inner")
    seen = []
    outer = RunnableLambda(lambda text, config: seen.append(inner.invoke({"text": text}, config))) | RunnableLambda(
        lambda _: make().invoke("again").content
    )
    outer.invoke("hi", config)
    first, second = handler.calls(config["run_id"])
    assert handler.log_ids(first.parent_run_id) == [first.log_id]
    assert handler.log_ids(second.parent_run_id) == [second.log_id]


async def test_a_thousand_concurrent_calls_are_not_mixed_up():
    class Echo:
        provider = "echo"

        async def send(self, endpoint, body, headers):
            del endpoint, headers
            message = {"role": "assistant", "content": body["messages"][0]["content"]}
            answer = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            return json_reply(200, answer)

    handler = AIGatewayCallbackHandler()
    async with httpx.AsyncClient(transport=LocalGateway(upstream=Echo()).transport()) as http_async_client:
        model = ChatCloudflareAIGateway(
            model="openai/gpt-5-mini", account_id="a", api_token="test-token", http_async_client=http_async_client
        )

        async def ask(number):
            run_id = uuid4()
            answer = await model.ainvoke(str(number), {"callbacks": [handler], "run_id": run_id})
            return run_id, number, answer

        answers = await asyncio.gather(*map(ask, range(1000)))
    mixed_up = [
        number
        for run_id, number, answer in answers
        if answer.content != str(number)
        or handler.log_ids(run_id) != [answer.response_metadata["aigw"]["log_id"]]
        or answer.response_metadata["aigw"]["event_id"] != str(run_id)
    ]
    assert mixed_up == []
    assert len(set(handler.log_ids())) == 1000


def failing(times, status):
    """Make an upstream's `send` that fails at first and answers then."""
    failed = []

    def wrap(send):
        async def replaced(endpoint, body, headers):
            if len(failed) < times:
                failed.append(status)
                return Reply(status, AT_ONCE, json.dumps({"error": {"message": "down"}}).encode())
            return await send(endpoint, body, headers)

        return replaced

    return wrap


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_each_attempt_of_a_retried_call_has_its_log(stage, wire, handler, config, how):
    stage.play([wire.delta(content="a"), wire.end()] if how == "stream" else wire.answer("a"))
    stage.upstream.send = failing(2, 500)(stage.upstream.send)
    model = stage.chat()
    list(model.stream("hi", config)) if how == "stream" else model.invoke("hi", config)
    calls = handler.calls(config["run_id"])
    assert [call.info.status_code for call in calls] == [500, 500, 200]
    assert [call.error for call in calls] == ["HTTP 500", "HTTP 500", None]
    assert len({call.log_id for call in calls}) == 3


async def test_each_attempt_of_a_retried_async_call_has_its_log(stage, handler, config):
    stage.upstream.send = failing(2, 500)(stage.upstream.send)
    await stage.chat().ainvoke("hi", config)
    assert [call.info.status_code for call in handler.calls(config["run_id"])] == [500, 500, 200]


@pytest.mark.parametrize(("status", "name"), [(400, "BadRequestError"), (500, "InternalServerError")])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_failed_call_is_recorded_with_the_errors_log(stage, handler, config, how, status, name):
    stage.upstream.send = failing(9, status)(stage.upstream.send)
    model = stage.chat(max_retries=0)
    with pytest.raises(aigw.APIStatusError) as caught:
        list(model.stream("hi", config)) if how == "stream" else model.invoke("hi", config)
    (call,) = handler.calls(config["run_id"])
    assert call.log_id == caught.value.log_id
    assert call.error.startswith(f"{name}: ")


def test_a_call_without_an_answer_is_recorded_by_its_event_id(handler, config, local_fields):
    nowhere = {**local_fields, "base_url": "http://127.0.0.1:9"}
    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", max_retries=0, **nowhere)
    with pytest.raises(aigw.APIConnectionError):
        model.invoke("hi", config)
    (call,) = handler.calls(config["run_id"])
    assert (call.log_id, call.event_id) == (None, str(config["run_id"]))
    assert call.error.startswith("APIConnectionError: ")


def test_a_call_that_was_refused_here_is_no_call(make, handler, config):
    with pytest.raises(aigw.ConfigurationError):
        make().invoke("hi", config, gateway_options={"skipCache": True})
    assert handler.calls(config["run_id"]) == []


@pytest.mark.parametrize("again", ["fallback", "retry"])
def test_fallbacks_and_retries_of_langchain_give_both_calls(stage, handler, config, again):
    stage.upstream.send = failing(1, 400)(stage.upstream.send)
    model = stage.chat()
    runnable = (
        model.with_fallbacks([stage.chat(model="openai/gpt-5")])
        if again == "fallback"
        else model.with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
    )
    answer = runnable.invoke("hi", config)
    calls = handler.calls(config["run_id"])
    assert [call.info.status_code for call in calls] == [400, 200]
    assert calls[1].log_id == answer.response_metadata["aigw"]["log_id"]
    assert len({call.run_id for call in calls}) == 2


def test_a_stream_that_is_left_early_keeps_its_log_and_is_no_failure(make, handler, config, issued):
    stream = make().stream("hi", config)
    next(stream)
    stream.close()
    (call,) = handler.calls(config["run_id"])
    assert [call.log_id] == issued(after=call.log_id)
    assert (call.is_partial, call.error) == (True, None)


async def test_an_async_stream_that_is_left_early_keeps_its_log_and_is_no_failure(make, handler, config, issued):
    stream = make().astream("hi", config)
    await anext(stream)
    await stream.aclose()
    (call,) = handler.calls(config["run_id"])
    assert [call.log_id] == issued(after=call.log_id)
    assert (call.is_partial, call.error) == (True, None)


def test_a_stream_that_nobody_reads_on_has_its_log_at_once(make, handler, config):
    stream = make().stream("hi", config)
    first = next(stream)
    assert handler.log_ids(config["run_id"]) == [first.response_metadata["aigw"]["log_id"]]


def test_a_replayed_answer_is_marked_and_is_no_new_call(make, handler, issued):
    model = make(cache=InMemoryCache())
    first, second = uuid4(), uuid4()
    for run_id in (first, second):
        answer = model.invoke("hi", {"callbacks": [handler], "run_id": run_id})
    assert answer.response_metadata["aigw"]["replayed"] is True
    assert len(issued()) == 1
    assert len(handler.calls()) == 1
    assert handler.calls(second) == []
    (replay,) = handler.replays(second)
    assert (replay.is_replayed, replay.run_id, replay.log_id) == (True, second, handler.log_ids(first)[0])


def test_a_replayed_answer_tells_its_node_and_the_outermost_run(make, handler, config):
    graph = graph_of(make(cache=InMemoryCache()))
    graph.invoke({"texts": []}, config)
    replays = handler.replays(config["run_id"])
    assert [replay.node for replay in replays] == NODES[1:]
    assert {replay.root_id for replay in replays} == {str(config["run_id"])}
    assert all(replay.parent_run_id for replay in replays)


def test_a_handler_of_the_model_itself_hears_of_its_calls(make, handler, issued):
    answer = make(callbacks=[handler]).invoke("hi")
    assert handler.log_ids() == issued() == [answer.response_metadata["aigw"]["log_id"]]


def test_a_handler_hears_of_a_block_once_however_often_it_is_attached(make, handler):
    with handler.attached():
        chain(make(callbacks=[handler])).invoke({"text": "hi"}, {"callbacks": [handler]})
    make().invoke("hi")
    assert len(handler.calls()) == 1


def test_nothing_but_models_of_this_package_is_recorded(handler, config):
    class Silent(ChatCloudflareAIGateway):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            del messages, stop, run_manager, kwargs
            raise NotImplementedError

    with pytest.raises(NotImplementedError):
        Silent(model="m").invoke("hi", config)
    assert handler.calls() == []
    assert len(handler._runs) == 0


async def test_concurrent_graphs_do_not_mix(make, handler):
    graph = graph_of(make(), is_async=True)
    run_ids = [uuid4() for _ in range(10)]
    await asyncio.gather(
        *(graph.ainvoke({"texts": []}, {"callbacks": [handler], "run_id": run_id}) for run_id in run_ids)
    )
    found = Counter(log_id for run_id in run_ids for log_id in handler.log_ids(run_id))
    assert [len(handler.log_ids(run_id)) for run_id in run_ids] == [5] * 10
    assert set(found.values()) == {1}


def test_an_answer_of_an_agent_is_the_last_call_of_its_run(make, handler, config):
    result = create_agent(make(), [get_weather]).invoke(QUESTION, config)
    answers = [message for message in result["messages"] if isinstance(message, AIMessage)]
    told = [answer.response_metadata["aigw"]["log_id"] for answer in answers]
    assert handler.log_ids(config["run_id"]) == told


def test_calls_of_two_event_loops_on_one_model_are_recorded(make, handler, issued):
    model = make()
    answers = [asyncio.run(model.ainvoke("hi", {"callbacks": [handler]})) for _ in range(2)]
    assert handler.log_ids() == [answer.response_metadata["aigw"]["log_id"] for answer in answers] == issued()
