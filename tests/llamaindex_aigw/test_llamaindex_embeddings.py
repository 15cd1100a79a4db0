"""The embedding model over a real socket: requests, order, instructions, events."""

import math

import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

import aigw
from llamaindex_aigw import CloudflareAIGatewayEmbedding

TEXTS = [
    f"text number {number} about {word}" for number, word in enumerate(("cats", "dogs", "rain", "iron", "tea") * 5)
]


def sent(client):
    """What reached the gateway, oldest first."""
    gateway = client.gateway()
    return [gateway.log_request(log.id) for log in gateway.iter_logs(direction="asc")]


@pytest.mark.parametrize(("batch", "requests"), [(10, 3), (25, 1), (1, 25), (24, 2)])
async def test_texts_go_in_batches_and_keep_their_order(embedding, client, batch, requests):
    embedding = embedding.model_copy(update={"embed_batch_size": batch})
    vectors = embedding.get_text_embedding_batch(TEXTS)
    assert client.gateway().list_logs().total_count == requests == math.ceil(len(TEXTS) / batch)
    assert await embedding.aget_text_embedding_batch(TEXTS) == vectors
    assert client.gateway().list_logs().total_count == 2 * requests
    assert [embedding.get_text_embedding(text) for text in TEXTS[:3]] == vectors[:3]


async def test_no_texts_are_no_request(embedding, client):
    assert embedding.get_text_embedding_batch([]) == []
    assert await embedding.aget_text_embedding_batch([]) == []
    assert embedding._get_text_embeddings([]) == []
    assert await embedding._aget_text_embeddings([]) == []
    assert client.gateway().list_logs().total_count == 0


async def test_a_vector_is_floats_whichever_way_it_is_asked_for(embedding):
    vectors = [
        embedding.get_query_embedding("cats"),
        await embedding.aget_query_embedding("cats"),
        embedding.get_text_embedding("cats"),
        await embedding.aget_text_embedding("cats"),
    ]
    assert all(vector == vectors[0] for vector in vectors)
    assert {type(number) for number in vectors[0]} == {float}


def test_a_bare_model_sends_model_and_input(embedding, client):
    embedding.get_text_embedding("cats")
    assert sent(client) == [{"model": "@cf/baai/bge-m3", "input": ["cats"]}]


async def test_instructions_dimensions_and_more_are_sent(embedding, client):
    embedding = embedding.model_copy(
        update={
            "dimensions": 8,
            "query_instruction": "Find: ",
            "text_instruction": "Keep:",
            "additional_kwargs": {"user": "u"},
        }
    )
    assert len(embedding.get_query_embedding("cats")) == 8
    await embedding.aget_text_embedding("dogs")
    more = {"dimensions": 8, "user": "u", "model": "@cf/baai/bge-m3"}
    assert sent(client) == [{"input": ["Find: cats"], **more}, {"input": ["Keep: dogs"], **more}]


def test_gateway_options_and_log_ids_come_by_context(embedding, client):
    with aigw.capture_logs() as logs, aigw.gateway_options({"metadata": {"job": "index"}}):
        embedding.get_text_embedding("cats")
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"job": "index"}


def test_a_token_counter_hears_of_embeddings(embedding):
    counter = TokenCountingHandler(tokenizer=str.split)
    embedding = embedding.model_copy(update={"callback_manager": CallbackManager([counter])})
    embedding.get_text_embedding_batch(["one two", "three"])
    assert counter.total_embedding_token_count == 3


@pytest.mark.parametrize("name", ["model", "model_name"])
def test_llamaindexs_name_for_the_model_is_the_same(name):
    model = CloudflareAIGatewayEmbedding(**{name: "@cf/baai/bge-m3"})
    assert (model.model, model.model_name) == ("@cf/baai/bge-m3", "@cf/baai/bge-m3")
    assert model.class_name() == "CloudflareAIGatewayEmbedding"


@pytest.mark.parametrize("instruction", [None, "Find:"])
async def test_what_is_no_text_is_refused_before_any_request(embedding, client, instruction):
    embedding = embedding.model_copy(update={"query_instruction": instruction, "text_instruction": instruction})
    for ask in (embedding.get_query_embedding, embedding.get_text_embedding):
        with pytest.raises(aigw.ConfigurationError, match="text number 1 cannot be None"):
            ask(None)
    with pytest.raises(aigw.ConfigurationError, match="text number 2 cannot be None"):
        embedding.get_text_embedding_batch(["a", None])
    with pytest.raises(aigw.ConfigurationError, match="text number 2 cannot be None"):
        await embedding.aget_text_embedding_batch(["a", None])
    with pytest.raises(aigw.ConfigurationError, match="texts cannot be None"):
        await embedding.aget_text_embedding_batch(None)
    assert client.gateway().list_logs().total_count == 0
