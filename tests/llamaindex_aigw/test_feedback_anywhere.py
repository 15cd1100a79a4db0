"""Feedback from a process that never made the call: by the gateway alone, and by a store that processes share."""

import json
import logging
import subprocess
import sys

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.storage.kvstore import SimpleKVStore
from llama_index.core.storage.kvstore.types import BaseKVStore
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span import active_span_id
from redis import Redis

from aigw import AIGateway, LogResolver, SharedLogs
from llamaindex_aigw import AIGatewayEventHandler, capture_logs

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:pydantic.warnings.PydanticDeprecationWarning")
    for message in (
        "The `__fields(_set)?__` attribute is deprecated",
        "Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    )
]

ELSEWHERE = """
import json, sys
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span import active_span_id
from llamaindex_aigw import AIGatewayEventHandler, CloudflareAIGateway

llm = CloudflareAIGateway(
    model="openai/gpt-4.1-mini", account_id="acct", api_token="test-token", base_url=sys.argv[1],
    metadata_keys=("root_span_id",),
)

@get_dispatcher(__name__).span
def answer():
    return active_span_id.get(), llm.complete("One"), llm.complete("Two")

handler = AIGatewayEventHandler().attach()
root, _, last = answer()
print(json.dumps({
    "root": root, "spans": [call.span_id for call in handler.calls()], "logs": handler.log_ids(),
    "facts": last.additional_kwargs["aigw"],
}))
"""

dispatcher = get_dispatcher(__name__)


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


@dispatcher.span
def two_calls(llm):
    llm.complete("One")
    llm.complete("Two")
    return active_span_id.get()


@pytest.fixture
def attach():
    handlers = []

    def attach(**fields):
        handlers.append(AIGatewayEventHandler(**fields).attach())
        return handlers[-1]

    yield attach
    for handler in handlers:
        handler.detach()


def test_whatever_is_held_of_a_span_in_another_process_finds_its_logs(aigw_local, client):
    script = [sys.executable, "-c", ELSEWHERE, aigw_local.base_url]
    done = subprocess.run(script, capture_output=True, text=True, check=True)  # noqa: S603  our own script
    told = json.loads(done.stdout)
    resolver = LogResolver(client)

    def found(target):
        return [(log.log_id, log.source) for log in resolver.resolve(target, which="all")]

    both = [(log_id, "gateway") for log_id in told["logs"]]
    assert found(told["root"]) == both
    assert [found(span) for span in told["spans"]] == [[log] for log in both]
    assert found(told["logs"][0]) == [both[0]]
    assert found(told["facts"]) == [(told["logs"][1], "target")]

    handler = AIGatewayEventHandler(client=client)
    assert handler.feedback(told["root"], -1) == told["logs"][1:]
    assert [client.gateway().get_log(log_id).feedback for log_id in told["logs"]] == [None, -1]


async def test_a_workflow_run_is_sent_and_found_only_if_it_is_asked_for(aigw_local, new_llm, client):
    run = FunctionAgent(tools=[weather], llm=new_llm(aigw_local, metadata_keys=("workflow_run_id",))).run(
        "What is the weather in Lisbon?"
    )
    with capture_logs() as logs:
        new_llm(aigw_local).complete("Hello")
    await run
    found = [log.log_id for log in LogResolver(client).resolve(run.run_id, which="all")]

    assert len(found) == 2
    assert {client.gateway().get_log(log_id).metadata["workflow_run_id"] for log_id in found} == {run.run_id}
    assert client.gateway().get_log(logs.log_ids[0]).metadata is None


def test_a_log_id_and_an_event_id_of_ones_own_are_known_in_memory(attach, llm, client):
    handler = attach()
    llm.complete("One", gateway_options={"event_id": "ticket-7"})
    (log_id,) = handler.log_ids()

    assert handler.feedback(log_id, 1) == handler.feedback("ticket-7", -1) == [log_id]
    assert client.gateway().get_log(log_id).feedback == -1


class Unreachable:
    """A client that is never to be asked."""

    def gateway(self, _):
        pytest.fail("the gateway was asked")


async def test_what_one_handler_recorded_another_finds_in_the_shared_store(attach, llm, embedding):
    store = SimpleKVStore()
    handler = attach(store=store)
    root = two_calls(llm)
    embedding.get_query_embedding("hi")
    assert handler.flush(10)
    other = LogResolver(Unreachable(), Unreachable(), store=store)

    assert [log.log_id for log in other.resolve(root, which="all")] == handler.log_ids(root)
    assert [log.source for log in await other.aresolve(root, which="all")] == ["store", "store"]
    for call in handler.calls():
        assert [log.log_id for log in other.resolve(call.span_id)] == [call.log_id]


def test_nothing_but_ids_is_written(attach, llm):
    store = SimpleKVStore()
    handler = attach(store=store)
    with capture_logs(tags={"user": "Ann"}):
        llm.complete("my secret words")
    assert handler.flush(10)
    call = handler.calls()[0]

    written = store.get_all("aigw_logs")
    expected = {"v": 1, "logs": [{"l": call.log_id, "e": call.event_id, "g": "default"}]}
    assert written == {f"aigw-logs-{span_id}": expected for span_id in call.span_path}


def test_a_store_that_fails_costs_no_call_and_is_told_once(attach, llm, caplog):
    class Broken(SimpleKVStore):
        def put(self, key, val, collection="data"):
            raise ConnectionError(f"redis://:hunter2@host lost {key} {val} {collection}")

    shared = SharedLogs(Broken())
    handler = attach(store=shared)
    with caplog.at_level(logging.WARNING, logger="aigw"):
        for _ in range(3):
            assert llm.complete("hi").text
            assert handler.flush(10)

    assert shared.failures == 3
    assert caplog.messages == ["the shared store Broken failed (ConnectionError); calls go on"]


def test_the_handlers_store_is_not_shown():
    handler = AIGatewayEventHandler(store=SimpleKVStore())

    assert "store" not in repr(handler)
    assert set(handler.model_dump()) == {"max_calls", "max_age"}


class RedisStore(BaseKVStore):
    """LlamaIndex's interface over a real Redis, as its own integration has it."""

    def __init__(self, connection):
        self.connection = connection

    def put(self, key, val, collection="data"):
        self.connection.hset(collection, key, json.dumps(val))

    async def aput(self, key, val, collection="data"):
        self.put(key, val, collection)

    def get(self, key, collection="data"):
        value = self.connection.hget(collection, key)
        return None if value is None else json.loads(value)

    async def aget(self, key, collection="data"):
        return self.get(key, collection)

    def get_all(self, collection="data"):
        return {key.decode(): json.loads(value) for key, value in self.connection.hgetall(collection).items()}

    async def aget_all(self, collection="data"):
        return self.get_all(collection)

    def delete(self, key, collection="data"):
        return bool(self.connection.hdel(collection, key))

    async def adelete(self, key, collection="data"):
        return self.delete(key, collection)


async def test_processes_share_what_they_know_in_a_real_redis(attach, llm, redis_url, aigw_local):
    with Redis.from_url(redis_url) as writing, Redis.from_url(redis_url) as reading:
        handler = attach(store=RedisStore(writing))
        root = two_calls(llm)
        assert handler.flush(10)
        handler.detach()

        with AIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
            other = AIGatewayEventHandler(client=client, store=RedisStore(reading))
            assert other.feedback(root, 1, which="all") == handler.log_ids(root)
        resolved = await LogResolver(store=RedisStore(reading)).aresolve(root)
        assert [(log.log_id, log.source) for log in resolved] == [(handler.log_ids(root)[-1], "store")]
