"""Embedding many texts: how they are cut, what runs at a time, how vectors are read."""

import asyncio
import base64
import struct

import pytest

import aigw
from aigw.local import Reply, json_reply
from langchain_aigw import CloudflareAIGatewayEmbeddings
from langchain_aigw._batches import cut_batches
from langchain_aigw._gather import gather_limited


def entry(index, embedding):
    return {"object": "embedding", "index": index, "embedding": embedding}


def answer(*entries):
    return {"object": "list", "model": "m", "data": [*entries], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@pytest.mark.parametrize(
    ("texts", "items", "size", "expected"),
    [
        ([], 2, 10, []),
        (["a", "b", "c"], 2, 10, [["a", "b"], ["c"]]),
        (["aaa", "bbb", "c"], 9, 6, [["aaa", "bbb"], ["c"]]),
        (["a", "too large", "b"], 9, 4, [["a"], ["too large"], ["b"]]),
        (["ää", "b"], 9, 4, [["ää"], ["b"]]),
        (["", ""], 9, 1, [["", ""]]),
        (["\ud800"], 9, 1, [["\ud800"]]),
    ],
)
def test_texts_are_cut_by_their_number_and_by_their_bytes(texts, items, size, expected):
    assert list(cut_batches(texts, max_items=items, max_bytes=size)) == expected


def test_a_request_is_never_larger_than_the_model_says(stage):
    stage.play(answer(entry(0, [1.0]), entry(1, [2.0])), answer(entry(0, [3.0])))
    assert stage.embeddings(batch_bytes=4).embed_documents(["aa", "bb", "cc"]) == [[1.0], [2.0], [3.0]]
    assert [body["input"] for body in stage.bodies] == [["aa", "bb"], ["cc"]]


@pytest.mark.parametrize("field", ["batch_size", "batch_bytes", "max_concurrency", "dimensions"])
def test_a_limit_below_one_is_refused(stage, field):
    with pytest.raises(ValueError, match=field):
        stage.embeddings(**{field: 0})


class Slow:
    """Answers each text by its length, the later requests first; knows how many were under way at once."""

    provider = "slow"

    def __init__(self):
        self.now = self.most = 0

    async def send(self, endpoint, body, headers):
        del endpoint, headers
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.05 / len(body["input"][0]))
        self.now -= 1
        return json_reply(200, answer(*(entry(place, [len(text)]) for place, text in enumerate(body["input"]))))


@pytest.mark.parametrize("limit", [1, 3])
async def test_async_batches_run_at_once_up_to_the_limit_and_keep_their_order(stage, limit):
    slow = Slow()
    stage.upstream.send = slow.send
    texts = ["a" * length for length in range(1, 8)]
    vectors = await stage.embeddings(batch_size=1, max_concurrency=limit).aembed_documents(texts)
    assert vectors == [[float(length)] for length in range(1, 8)]
    assert slow.most == limit


async def test_the_first_error_ends_the_other_requests(stage):
    sent = []

    async def send(endpoint, body, headers):
        del endpoint, headers
        sent.append(body["input"])
        return Reply(400, (("content-type", "application/json"),), b'{"error": {"message": "no"}}')

    stage.upstream.send = send
    with pytest.raises(aigw.BadRequestError):
        await stage.embeddings(batch_size=1, max_concurrency=1).aembed_documents(["a", "b", "c"])
    assert sent == [["a"]]


async def test_results_come_in_the_order_of_the_calls():
    async def later(value, seconds):
        await asyncio.sleep(seconds)
        return value

    calls = [lambda: later("a", 0.02), lambda: later("b", 0)]
    assert await gather_limited(calls, 2) == ["a", "b"]
    assert await gather_limited([], 2) == []


async def test_base64_vectors_are_asked_for_and_read(stage):
    packed = base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
    stage.play(answer(entry(1, packed), entry(0, [1.0, 2.0])))
    embeddings = stage.embeddings(encoding_format="base64")
    expected = [[1.0, 2.0], [0.5, -1.0]]
    assert embeddings.embed_documents(["a", "b"]) == expected
    assert await embeddings.aembed_documents(["a", "b"]) == expected
    assert stage.bodies[0]["encoding_format"] == "base64"


@pytest.mark.parametrize("vector", ["not base64!", "AAAAAAA=", None, ["x"]])
def test_a_vector_that_cannot_be_read_is_an_error_with_its_log(stage, vector):
    stage.play(answer(entry(0, vector)))
    with pytest.raises(aigw.APIStatusError, match="cannot be read") as caught:
        stage.embeddings().embed_query("a")
    assert caught.value.log_id


def test_whole_numbers_come_out_as_floats(stage):
    stage.play(answer(entry(0, [1, 2])))
    assert [type(number) for number in stage.embeddings().embed_query("a")] == [float, float]


def test_entries_without_an_index_keep_their_order(stage):
    stage.play(answer({"embedding": [1.0]}, {"embedding": [2.0]}))
    assert stage.embeddings().embed_documents(["a", "b"]) == [[1.0], [2.0]]


@pytest.mark.parametrize("model", ["@cf/baai/bge-m3", "openai/text-embedding-3-small", "mistral/mistral-embed"])
async def test_workers_ai_and_third_party_models_embed(local_fields, model):
    embeddings = CloudflareAIGatewayEmbeddings(model=model, **local_fields)
    one, two = embeddings.embed_documents(["one", "two"])
    assert len(one) == len(two) > 1
    assert await embeddings.aembed_query("one") == one


async def test_every_batch_has_a_log_that_is_captured_sync_and_async(local_fields):
    embeddings = CloudflareAIGatewayEmbeddings(model="@cf/baai/bge-m3", batch_size=1, **local_fields)
    with aigw.capture_logs() as captured:
        embeddings.embed_documents(["a", "b"])
        await embeddings.aembed_documents(["a", "b", "c"])
    assert len({*captured.log_ids}) == 5
