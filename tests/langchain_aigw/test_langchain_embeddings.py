"""The embeddings: batches, order, what is sent, copies and secrets."""

import asyncio
import copy
import pickle

import pytest
from langchain_core.vectorstores import InMemoryVectorStore

import aigw
from langchain_aigw import CloudflareAIGatewayEmbeddings


def vectors(*numbers, start=0):
    data = [
        {"object": "embedding", "index": place, "embedding": [number]} for place, number in enumerate(numbers, start)
    ]
    return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def test_texts_are_sent_in_batches_and_come_back_in_order(stage):
    stage.play(vectors(1.0, 2.0), vectors(3.0))
    assert stage.embeddings(batch_size=2).embed_documents(["a", "b", "c"]) == [[1.0], [2.0], [3.0]]
    model = "openai/text-embedding-3-small"
    assert stage.bodies == [{"model": model, "input": ["a", "b"]}, {"model": model, "input": ["c"]}]


async def test_async_batches_are_the_same(stage):
    stage.play(vectors(1.0, 2.0), vectors(3.0))
    assert await stage.embeddings(batch_size=2).aembed_documents(["a", "b", "c"]) == [[1.0], [2.0], [3.0]]
    assert [body["input"] for body in stage.bodies] == [["a", "b"], ["c"]]


def test_vectors_are_ordered_by_their_index(stage):
    answer = vectors(1.0, 2.0)
    answer["data"].reverse()
    stage.play(answer)
    assert stage.embeddings().embed_documents(["a", "b"]) == [[1.0], [2.0]]


async def test_no_texts_send_no_request(stage):
    assert stage.embeddings().embed_documents([]) == []
    assert await stage.embeddings().aembed_documents([]) == []
    assert stage.bodies == []


async def test_a_query_is_one_text(stage):
    stage.play(vectors(1.0))
    assert stage.embeddings().embed_query("a") == [1.0]
    assert await stage.embeddings().aembed_query("a") == [1.0]


def test_dimensions_and_model_kwargs_are_sent_when_given(stage):
    stage.play(vectors(1.0))
    stage.embeddings(dimensions=8, model_kwargs={"user": "u"}).embed_query("a")
    body = {"model": "openai/text-embedding-3-small", "input": ["a"], "dimensions": 8, "user": "u"}
    assert stage.bodies == [body]


def test_unknown_keywords_go_to_model_kwargs_with_a_warning(stage):
    with pytest.warns(UserWarning, match="user was transferred to model_kwargs"):
        assert stage.embeddings(user="u").model_kwargs == {"user": "u"}


def test_a_missing_vector_is_an_error(stage):
    stage.play(vectors(1.0))
    with pytest.raises(aigw.APIStatusError, match="1 vectors for 2 texts"):
        stage.embeddings().embed_documents(["a", "b"])


def test_the_log_ids_are_captured_and_the_options_reach_the_gateway(local_fields):
    embeddings = CloudflareAIGatewayEmbeddings(model="openai/text-embedding-3-small", batch_size=1, **local_fields)
    with aigw.capture_logs() as captured:
        embeddings.embed_documents(["a", "b"], gateway_options={"metadata": {"run": "r1"}})
    with aigw.AIGateway(**local_fields) as client:
        metadata = [client.gateway().get_log(log_id).metadata for log_id in captured.log_ids]
    assert metadata == [{"run": "r1"}, {"run": "r1"}]


def test_two_event_loops_on_one_model_send_each_call_once(stage):
    stage.play(vectors(1.0))
    embeddings = stage.embeddings()
    assert [asyncio.run(embeddings.aembed_query("a")) for _ in range(2)] == [[1.0], [1.0]]
    assert len(stage.bodies) == 2


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_a_copy_answers(stage, again):
    stage.play(vectors(1.0))
    embeddings = stage.embeddings()
    embeddings.embed_query("a")
    assert again(embeddings).embed_query("a") == [1.0]


def test_no_secret_shows(stage):
    embeddings = stage.embeddings(provider_key="test-provider-key")
    shown = [repr(embeddings), str(embeddings.model_dump()), embeddings.model_dump_json()]
    assert [text for text in shown if "test-token" in text or "test-provider-key" in text] == []


def test_a_vector_store_finds_the_nearest_text(local_fields):
    embeddings = CloudflareAIGatewayEmbeddings(model="openai/text-embedding-3-small", **local_fields)
    store = InMemoryVectorStore.from_texts(["Bees make honey.", "The Colosseum stands in Rome."], embeddings)
    assert store.similarity_search("Who makes honey?", k=1)[0].page_content == "Bees make honey."


@pytest.mark.parametrize("texts", [None, 5, "one text", ["a"] * 200 + [None]])
async def test_what_is_no_list_of_texts_is_refused_before_any_request(stage, texts):
    with pytest.raises(aigw.ConfigurationError, match="cannot be"):
        stage.embeddings().embed_documents(texts)
    with pytest.raises(aigw.ConfigurationError, match="cannot be"):
        await stage.embeddings().aembed_documents(texts)
    assert stage.bodies == []


async def test_a_query_that_is_no_text_is_refused_before_any_request(stage):
    with pytest.raises(aigw.ConfigurationError, match="text number 1 cannot be None"):
        stage.embeddings().embed_query(None)
    with pytest.raises(aigw.ConfigurationError, match="text number 1 cannot be None"):
        await stage.embeddings().aembed_query(None)
    assert stage.bodies == []
