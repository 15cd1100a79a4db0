"""`capture_logs()` around LangChain's code: the core's capture, and what LangChain knows of each call."""

import asyncio
import threading
from uuid import uuid4

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph

import aigw
from langchain_aigw import ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings, capture_logs


@pytest.fixture
def make(local_fields):
    def make(**fields):
        return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields, **fields)

    return make


@pytest.fixture
def embeddings(local_fields):
    return CloudflareAIGatewayEmbeddings(model="openai/text-embedding-3-small", batch_size=2, **local_fields)


@pytest.fixture
def log(local_fields):
    """Read one log."""

    def read(log_id):
        with aigw.AIGateway(**local_fields) as client:
            return client.gateway().get_log(log_id)

    return read


def test_a_capture_is_a_sequence_of_what_the_gateway_said(make):
    with capture_logs() as logs:
        answers = make().batch(["hi"] * 3)
    told = [answer.response_metadata["aigw"] for answer in answers]
    assert sorted(info.log_id for info in logs) == sorted(info["log_id"] for info in told)
    assert (len(logs), logs[0].log_id, [info.log_id for info in logs[1:]]) == (3, logs.log_ids[0], logs.log_ids[1:])


def test_a_capture_tells_run_node_and_tokens_of_each_call(make):
    def ask(state):
        return {"messages": [make().invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").add_edge("ask", END).compile()
    with capture_logs() as logs:
        result = graph.invoke({"messages": [("user", "hi")]})
    answer = result["messages"][-1]
    (call,) = logs.calls
    assert call.log_id == answer.response_metadata["aigw"]["log_id"]
    assert (call.kind, call.model, call.node) == ("chat", "openai/gpt-5-mini", "ask")
    assert str(call.run_id) == call.event_id
    assert call.output_tokens == answer.usage_metadata["output_tokens"]


async def test_embeddings_are_captured_batch_by_batch_with_their_usage(embeddings):
    texts = ["a", "b", "c", "d", "e"]
    for embed in (
        lambda: asyncio.to_thread(embeddings.embed_documents, texts),
        lambda: embeddings.aembed_documents(texts),
    ):
        with capture_logs() as logs:
            await embed()
        assert len(logs.log_ids) == 3
        assert sorted(call.log_id for call in logs.calls) == sorted(logs.log_ids)
        assert {call.kind for call in logs.calls} == {"embedding"}
        assert all(call.input_tokens > 0 for call in logs.calls)


def test_an_embedding_knows_the_node_it_was_made_in(embeddings):
    def embed(_):
        embeddings.embed_query("hi")
        return {"messages": []}

    graph = StateGraph(MessagesState).add_node("embed", embed).add_edge(START, "embed").add_edge("embed", END).compile()
    with capture_logs() as logs:
        graph.invoke({"messages": []})
    assert [(call.kind, call.node) for call in logs.calls] == [("embedding", "embed")]


def test_an_outer_capture_hears_of_the_inner_ones_calls(make):
    with capture_logs() as outer:
        make().invoke("hi")
        with capture_logs() as inner:
            list(make().stream("hi"))
    assert outer.log_ids[1:] == inner.log_ids
    assert outer.calls[1:] == inner.calls
    assert (len(outer.calls), len(inner.calls)) == (2, 1)


async def test_concurrent_captures_do_not_mix(make):
    chain = ChatPromptTemplate.from_template("{text}") | make()

    async def ask(count):
        with capture_logs() as logs:
            answers = [await chain.ainvoke({"text": "hi"}) for _ in range(count)]
        told = [answer.response_metadata["aigw"]["log_id"] for answer in answers]
        return told == logs.log_ids == [call.log_id for call in logs.calls]

    assert await asyncio.gather(*map(ask, [1, 2, 3, 4, 5] * 3)) == [True] * 15


def test_captures_in_threads_do_not_mix(make):
    model, results = make(), []

    def ask():
        with capture_logs() as logs:
            told = [model.invoke("hi").response_metadata["aigw"]["log_id"] for _ in range(3)]
        results.append(told == logs.log_ids)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


def test_a_failed_call_is_captured_with_its_error(stage):
    stage.play({"choices": []})
    with capture_logs() as logs, pytest.raises(aigw.APIStatusError):
        stage.chat().invoke("hi")
    (call,) = logs.calls
    assert call.log_id == logs.log_ids[0]
    assert "no choices" in call.error


def test_the_cores_own_calls_are_in_the_sequence_alone(make, local_fields):
    with aigw.AIGateway(**local_fields) as client, capture_logs() as logs:
        client.run("@cf/meta/llama-3.1-8b-instruct", {"prompt": "hi"})
        make().invoke("hi")
    assert len(logs) == 2
    assert [call.log_id for call in logs.calls] == logs.log_ids[1:]


def test_the_last_chat_call_of_a_capture_is_rated(make, embeddings, log):
    with capture_logs() as logs:
        make().invoke("hi")
        make().invoke("hi again")
        embeddings.embed_query("remember")
    assert logs.feedback(-1, score=10, metadata={"source": "ui"}) == [logs.log_ids[1]]
    rated = log(logs.log_ids[1])
    assert (rated.feedback, rated.score, rated.metadata) == (-1, 10, {"source": "ui"})
    assert log(logs.log_ids[0]).feedback is None


async def test_all_calls_of_a_capture_are_rated_asynchronously(make, embeddings, log):
    with capture_logs() as logs:
        await make().ainvoke("hi")
        await embeddings.aembed_query("remember")
    assert await logs.afeedback(1, which="all") == logs.log_ids
    assert [(await asyncio.to_thread(log, log_id)).feedback for log_id in logs.log_ids] == [1, 1]


def test_an_empty_capture_cannot_be_rated():
    with capture_logs() as logs:
        RunnableLambda(str).invoke(1)
    with pytest.raises(aigw.ConfigurationError, match="no call"):
        logs.feedback(1)


def test_a_capture_can_be_rated_before_its_block_ends(make, log):
    with capture_logs() as logs:
        make().invoke("hi", {"run_id": uuid4()})
        assert logs.feedback() == logs.log_ids
    assert log(logs.log_ids[0]).feedback == 1
