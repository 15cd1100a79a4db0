"""Feedback from a process that never made the call: by the gateway alone, and by a store that processes share."""

import json
import logging
import subprocess
import sys
import time
from uuid import UUID, uuid4

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.stores import BaseStore, InMemoryByteStore, InMemoryStore
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore as GraphStore
from redis import Redis

import aigw
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

ELSEWHERE = """
import json, sys
from uuid import uuid4
from langgraph.graph import END, START, MessagesState, StateGraph
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

model = ChatCloudflareAIGateway(
    model="openai/gpt-5-mini", account_id="acct", api_token="test-token", base_url=sys.argv[1],
    metadata_keys=("root_run_id", "thread_id"),
)
ask = lambda state: {"messages": [model.invoke("hi")]}
graph = StateGraph(MessagesState).add_node("plan", ask).add_node("write", ask)
graph = graph.add_edge(START, "plan").add_edge("plan", "write").add_edge("write", END).compile()
handler, root = AIGatewayCallbackHandler(), uuid4()
config = {"callbacks": [handler], "run_id": root, "configurable": {"thread_id": "thread-7"}}
answer = graph.invoke({"messages": []}, config)["messages"][-1]
calls = handler.calls(root)
print(json.dumps({
    "root": str(root), "runs": [str(call.run_id) for call in calls], "logs": [call.log_id for call in calls],
    "answer": answer.model_dump_json(),
}))
"""


@pytest.fixture
def client(local_fields):
    with aigw.AIGateway(**local_fields) as client:
        yield client


@pytest.fixture
def model(local_fields):
    return ChatCloudflareAIGateway(
        model="openai/gpt-5-mini", metadata_keys=("root_run_id", "thread_id"), **local_fields
    )


def run_elsewhere(url):
    """Have a graph run in a process of its own; give what it knows."""
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, url], capture_output=True, text=True, check=True)  # noqa: S603  our own script
    return json.loads(done.stdout)


def test_whatever_is_held_of_a_run_in_another_process_finds_its_logs(local_fields, client):
    told = run_elsewhere(local_fields["base_url"])
    answer = json.loads(told["answer"])
    resolver = aigw.LogResolver(client)

    def found(target):
        return [(log.log_id, log.source) for log in resolver.resolve(target, which="all")]

    both = [(log_id, "gateway") for log_id in told["logs"]]
    assert found(told["root"]) == found(UUID(told["root"])) == found("thread-7") == both
    assert [found(run) for run in told["runs"]] == [[log] for log in both]
    assert found(told["logs"][0]) == [both[0]]
    assert found(answer["response_metadata"]) == [(told["logs"][1], "target")]

    handler = AIGatewayCallbackHandler(client=client)
    assert handler.feedback(told["root"], -1, score=10) == told["logs"][1:]
    assert [client.gateway().get_log(log_id).feedback for log_id in told["logs"]] == [None, -1]


def test_the_root_run_is_sent_only_if_it_is_asked_for_and_known(model, client, local_fields):
    chain = ChatPromptTemplate.from_template("{text}") | model
    handler, run_id = AIGatewayCallbackHandler(), uuid4()
    known = chain.invoke({"text": "hi"}, {"callbacks": [handler], "run_id": run_id})
    alone = model.invoke("hi", {"run_id": run_id})
    unknown = chain.invoke({"text": "hi"})
    silent = ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields).invoke("hi")

    def labels(answer):
        return client.gateway().get_log(answer.response_metadata["aigw"]["log_id"]).metadata

    assert labels(known) == labels(alone) == {"root_run_id": str(run_id)}
    assert labels(unknown) is None
    assert labels(silent) is None


def test_a_thread_is_known_in_memory_too(model):
    handler = AIGatewayCallbackHandler()
    ask = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph = ask.add_edge(START, "ask").add_edge("ask", END).compile()
    for thread in ("a", "b", "a"):
        config = {"callbacks": [handler], "configurable": {"thread_id": thread}}
        graph.invoke({"messages": [("user", "hi")]}, config)

    assert handler.log_ids("a") == [handler.log_ids()[0], handler.log_ids()[2]]
    assert handler.feedback("a", which="all") == handler.log_ids("a")
    assert handler.feedback("b") == handler.log_ids("b")


def test_a_log_id_and_an_event_id_of_ones_own_are_known_in_memory(model):
    handler = AIGatewayCallbackHandler()
    model.invoke("hi", {"callbacks": [handler]}, gateway_options={"event_id": "ticket-7"})
    (log_id,) = handler.log_ids()
    refused = aigw.AIGateway("acct", "test-token", base_url="http://127.0.0.1:9", max_retries=0)
    resolver = aigw.LogResolver(refused, memory=handler._memory)

    assert [resolver.resolve(target)[0].log_id for target in (log_id, "ticket-7")] == [log_id] * 2


class Unreachable:
    """A client that is never to be asked."""

    def gateway(self, _):
        pytest.fail("the gateway was asked")


@pytest.mark.parametrize("store", [InMemoryStore, InMemoryByteStore])
async def test_what_one_handler_recorded_another_finds_in_the_shared_store(model, store):
    store, root = store(), uuid4()
    handler = AIGatewayCallbackHandler(store=store)
    chain = ChatPromptTemplate.from_template("{text}") | model | (lambda answer: model.invoke(answer.content))
    chain.invoke(
        {"text": "hi"}, {"callbacks": [handler], "run_id": root, "metadata": {"thread_id": "t", "name": "Ann"}}
    )
    assert handler.flush(10)
    other = aigw.LogResolver(Unreachable(), Unreachable(), store=store)

    for target in (root, str(root), "t"):
        assert [log.log_id for log in other.resolve(target, which="all")] == handler.log_ids(root)
        assert [log.source for log in await other.aresolve(target, which="all")] == ["store", "store"]
    for call in handler.calls(root):
        assert [log.log_id for log in other.resolve(call.run_id)] == [call.log_id]


def test_nothing_but_ids_is_written(model):
    store = InMemoryByteStore()
    handler = AIGatewayCallbackHandler(store=store)
    model.invoke("my secret words", {"callbacks": [handler], "tags": ["hush"], "metadata": {"name": "Ann"}})
    assert handler.flush(10)
    (call,) = handler.calls()

    assert list(store.yield_keys()) == [f"aigw-logs-{call.run_id}"]
    (value,) = store.mget([f"aigw-logs-{call.run_id}"])
    assert json.loads(value) == {"v": 1, "logs": [{"l": call.log_id, "e": call.event_id, "g": "default"}]}


def test_a_call_without_headers_is_shared_by_its_event_id(stage, wire, client):
    del client
    stage.play(wire.answer("Hello."))
    store, root = InMemoryByteStore(), uuid4()
    handler = AIGatewayCallbackHandler(store=store)
    chain = ChatPromptTemplate.from_template("{text}") | stage.chat()
    chain.invoke({"text": "hi"}, {"callbacks": [handler], "run_id": root})
    (call,) = handler.calls(root)
    for report in handler._reports(root):
        report._infos = [info.model_copy(update={"log_id": None}) for info in report._infos]
    handler._end_model(call.run_id)
    assert handler.flush(10)

    with aigw.AIGateway("acct", "test-token", base_url=stage.gateway.base_url) as elsewhere:
        (log,) = aigw.LogResolver(elsewhere, store=store).resolve(root)
    assert (log.log_id, log.event_id) == (call.log_id, call.event_id)


def test_a_store_that_fails_costs_no_call_and_is_told_once(model, caplog):
    class Broken(InMemoryByteStore):
        def mset(self, key_value_pairs):
            raise ConnectionError(f"redis://:hunter2@host lost {len(key_value_pairs)}")

    shared = aigw.SharedLogs(Broken())
    handler = AIGatewayCallbackHandler(store=shared)
    with caplog.at_level(logging.WARNING, logger="aigw"):
        for _ in range(3):
            assert model.invoke("hi", {"callbacks": [handler]}).content
            assert handler.flush(10)

    assert shared.failures == 3
    assert caplog.messages == ["the shared store Broken failed (ConnectionError); calls go on"]
    assert handler.feedback() == handler.log_ids()[-1:]


def test_a_slow_store_does_not_hold_a_call_up(model):
    class Slow(InMemoryByteStore):
        def mset(self, key_value_pairs):
            time.sleep(0.5)
            super().mset(key_value_pairs)

    handler = AIGatewayCallbackHandler(store=Slow())
    model.invoke("hi")
    begun = time.monotonic()
    model.invoke("hi", {"callbacks": [handler]})

    assert time.monotonic() - begun < 0.4
    assert handler.flush(10)


def test_a_store_of_langgraph_is_another_thing_and_refused():
    with pytest.raises(aigw.ConfigurationError, match="it is LangChain's BaseStore or LlamaIndex's BaseKVStore"):
        AIGatewayCallbackHandler(store=GraphStore())


class RedisStore(BaseStore[str, bytes]):
    """LangChain's interface over a real Redis, as its own integration has it."""

    def __init__(self, redis):
        self.redis = redis

    def mget(self, keys):
        return self.redis.mget(keys)

    def mset(self, key_value_pairs, *, ttl=None):
        with self.redis.pipeline() as pipeline:
            for key, value in key_value_pairs:
                pipeline.set(key, value, ex=ttl)
            pipeline.execute()

    def mdelete(self, keys):
        self.redis.delete(*keys)

    def yield_keys(self, *, prefix=None):
        yield from self.redis.scan_iter(match=f"{prefix or ''}*")


async def test_processes_share_what_they_know_in_a_real_redis(model, redis_url, client):
    with Redis.from_url(redis_url) as writing, Redis.from_url(redis_url) as reading:
        handler, root = AIGatewayCallbackHandler(store=aigw.SharedLogs(RedisStore(writing), ttl=3600)), uuid4()
        chain = ChatPromptTemplate.from_template("{text}") | model
        for _ in range(3):
            await chain.ainvoke({"text": "hi"}, {"callbacks": [handler], "metadata": {"thread_id": "t-1"}})
        await chain.ainvoke({"text": "hi"}, {"callbacks": [handler], "run_id": root})
        assert handler.flush(10)

        other = AIGatewayCallbackHandler(client=client, store=RedisStore(reading))
        assert other.feedback(root, 1) == handler.log_ids(root)
        assert other.feedback("t-1", -1, which="all") == handler.log_ids("t-1")
        assert [log.source for log in await aigw.LogResolver(store=RedisStore(reading)).aresolve(root)] == ["store"]
        assert 0 < reading.ttl(f"aigw-logs-{root}") <= 3600


def test_a_redis_that_goes_away_costs_no_call(model, redis_url):
    with Redis.from_url(redis_url) as connection:
        shared = aigw.SharedLogs(RedisStore(connection))
        handler = AIGatewayCallbackHandler(store=shared)
        model.invoke("hi", {"callbacks": [handler]})
        assert handler.flush(10)
        assert shared.failures == 0
        connection.shutdown(nosave=True)
        model.invoke("hi", {"callbacks": [handler]})
        assert handler.flush(10)

    assert shared.failures == 1
    assert handler.feedback() == handler.log_ids()[-1:]
