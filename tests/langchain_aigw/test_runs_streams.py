"""The run of a stream: LangChain keeps it to itself, so what the model takes for it must be what LangChain tells."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langsmith import Client, RunTree, tracing_context

from langchain_aigw import ChatCloudflareAIGateway, capture_logs


class Told(BaseCallbackHandler):
    """What LangChain tells of the models' runs."""

    run_inline = True

    def __init__(self):
        self.runs = []

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, metadata=None, **more):
        del serialized, messages, more
        self.runs.append((run_id, parent_run_id, metadata))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def make(local_fields):
    return lambda **fields: ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields, **fields)


async def read(model, config=None, **keywords):
    return [chunk async for chunk in model.astream("hi", config, **keywords)]


def alone(model, config):
    list(model.stream("hi", config))


def alone_async(model, config):
    asyncio.run(read(model, config))


def in_a_chain(model, config):
    RunnableLambda(lambda _: list(model.stream("hi"))).invoke(0, config)


def in_an_async_chain(model, config):
    asyncio.run(RunnableLambda(lambda _: 0, lambda _: read(model)).ainvoke(0, config))


def in_a_sequence(model, config):
    list((RunnableLambda(lambda text: text) | model).stream("hi", config))


def in_a_traced_run(model, config):
    with traced():
        alone(model, config)


def in_a_chain_in_a_traced_run(model, config):
    with traced():
        in_a_chain(model, config)


def in_a_traced_run_in_a_chain(model, config):
    def ask(_):
        with traced():
            list(model.stream("hi"))

    RunnableLambda(ask).invoke(0, config)


def traced():
    """Stand in a run of LangSmith's own, of which nothing is sent."""
    return tracing_context(parent=RunTree(name="traced", client=Client(auto_batch_tracing=False)), enabled=False)


@pytest.mark.parametrize(
    "ask",
    [
        alone,
        alone_async,
        in_a_chain,
        in_an_async_chain,
        in_a_sequence,
        in_a_traced_run,
        in_a_chain_in_a_traced_run,
        in_a_traced_run_in_a_chain,
    ],
)
def test_a_streams_call_is_under_the_run_that_langchain_tells(make, told, ask):
    with capture_logs() as logs:
        ask(make(), {"callbacks": [told], "metadata": {"who": "ann"}})
    assert told.runs
    assert [(call.run_id, call.parent_run_id) for call in logs.calls] == [run[:2] for run in told.runs]


@pytest.mark.parametrize("key", ["who", "ls_provider", "ls_model_name", "ls_integration", "mine"])
@pytest.mark.parametrize("ask", [alone, alone_async, in_a_chain, in_a_sequence])
def test_a_streams_metadata_are_those_that_langchain_tells(make, told, ask, key):
    model = make(metadata={"mine": "yes"}, metadata_keys=(key,))
    with capture_logs() as logs:
        ask(model, {"callbacks": [told], "metadata": {"who": "ann"}})
    log = model._sync_client().gateway().get_log(logs.log_ids[0], wait=5)
    assert log.metadata == {key: told.runs[0][2][key]}


def test_a_model_listens_to_nothing_by_itself(make):
    assert make().callbacks is None


def test_a_run_id_given_to_a_stream_stays(make, told):
    list(make().stream("hi", {"callbacks": [told], "run_id": (run_id := uuid4())}))
    assert [run[0] for run in told.runs] == [run_id]


def test_the_config_of_a_stream_stays_as_it_was(make):
    config = {"metadata": {"who": "ann"}}
    list(make().stream("hi", config))
    assert config == {"metadata": {"who": "ann"}}


def test_streams_that_are_read_in_turns_keep_their_runs(make, told):
    config = {"callbacks": [told]}
    with capture_logs() as logs:
        streams = [make().stream("hi", config) for _ in range(3)]
        for stream in reversed(streams):
            next(stream)
        for stream in streams:
            list(stream)
    assert [call.run_id for call in logs.calls] == [run[0] for run in told.runs]


async def test_streams_that_tasks_read_at_once_keep_their_runs(make, told):
    with capture_logs() as logs:
        await asyncio.gather(*(read(make(), {"callbacks": [told]}) for _ in range(20)))
    assert {call.run_id for call in logs.calls} == {run[0] for run in told.runs}
    assert len(logs.calls) == len({call.run_id for call in logs.calls}) == 20


def test_a_model_that_does_not_stream_has_the_run_of_its_call(make, told):
    with capture_logs() as logs:
        list(make(disable_streaming=True).stream("hi", {"callbacks": [told]}))
    assert [call.run_id for call in logs.calls] == [run[0] for run in told.runs]


def test_a_handler_that_asks_a_model_before_a_stream_begins_takes_nothing_from_it(make, told):
    class Asks(BaseCallbackHandler):
        """Asks another model as soon as one begins, as a guard would."""

        run_inline = True

        def on_chat_model_start(self, *given, **more):
            del given, more
            list(guard.stream("hi", {"callbacks": [told]}))
            guard.invoke("hi", {"callbacks": [told]})

    guard = make()
    with capture_logs() as logs:
        list(make(callbacks=[Asks()]).stream("hi", {"run_id": (run_id := uuid4())}))
    assert [call.run_id for call in logs.calls] == [told.runs[0][0], told.runs[1][0], run_id]


def test_a_stream_that_never_began_leaves_its_run_to_nobody(make):
    class Refuses(BaseCallbackHandler):
        """Ends a run as it begins."""

        raise_error = True

        def on_chat_model_start(self, *given, **more):
            del given, more
            raise RuntimeError("no")

    model = make(callbacks=[Refuses()])
    with capture_logs() as logs:
        for ask in (lambda: list(model.stream("hi")), lambda: model.invoke("hi"), lambda: model.invoke("hi", stream=1)):
            with pytest.raises(RuntimeError):
                ask()
        list(model._stream([HumanMessage("hi")]))
    assert [call.run_id for call in logs.calls] == [None]


async def test_an_async_stream_that_is_left_closes_its_request(make):
    with capture_logs() as logs:
        async with aclosing(make().astream("hi")) as stream:
            await anext(stream)
    assert [call.is_partial for call in logs.calls] == [True]
