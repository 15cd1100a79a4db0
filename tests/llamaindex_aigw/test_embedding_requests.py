"""How the embedding model asks: how many requests at once, in which form vectors come, what LlamaIndex is told."""

import asyncio

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler

import aigw
from aigw.local import LocalGateway, json_reply
from llamaindex_aigw import CloudflareAIGatewayEmbedding

TEXTS = [f"text {number}" for number in range(12)]


class Counting:
    """An upstream that knows how many requests it had at once; a text's vector is its number."""

    provider = "counting"

    def __init__(self):
        self.at_once = 0
        self.most = 0
        self.bodies = []

    async def send(self, endpoint, body, headers):  # noqa: ARG002 the protocol's
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.bodies.append(body)
        await asyncio.sleep(0.03)
        self.at_once -= 1
        data = [{"index": place, "embedding": [float(text.split()[1])]} for place, text in enumerate(body["input"])]
        return json_reply(200, {"object": "list", "data": data[::-1], "model": "m"})


@pytest.fixture
def counting():
    upstream = Counting()
    with LocalGateway(upstream=upstream) as gateway:
        model = CloudflareAIGatewayEmbedding(
            model="@cf/baai/bge-m3",
            account_id="acct",
            api_token="test-token",
            base_url=gateway.base_url,
            embed_batch_size=1,
        )
        yield model, upstream
        model.close()


class Events(BaseEventHandler):
    seen: list = []  # noqa: RUF012 a pydantic field

    @classmethod
    def class_name(cls):
        return "Events"

    def handle(self, event, **kwargs):  # noqa: ARG002 LlamaIndex's signature
        self.seen.append(event)


@pytest.fixture
def events():
    handler, root = Events(seen=[]), get_dispatcher()
    root.add_event_handler(handler)
    yield handler.seen
    root.event_handlers.remove(handler)


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 2), (4, 4)])
async def test_requests_of_one_call_run_at_once_up_to_a_limit(counting, workers, most):
    model, upstream = counting
    model = model.model_copy(update={"num_workers": workers})
    vectors = await model.aget_text_embedding_batch(TEXTS)
    await model.aclose()
    assert vectors == [[float(number)] for number in range(12)]
    assert (upstream.most, len(upstream.bodies)) == (most, 12)


async def test_four_requests_run_at_once_unless_said_otherwise(counting):
    model, upstream = counting
    await model.aget_text_embedding_batch(TEXTS)
    await model.aclose()
    assert upstream.most == 4


def test_no_workers_cannot_be():
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        CloudflareAIGatewayEmbedding(model="a/b", num_workers=0)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("workers", [1, 4])
async def test_each_request_is_told_once(counting, events, is_async, workers):
    model, _ = counting
    debug = LlamaDebugHandler(print_trace_on_end=False)
    model = model.model_copy(update={"num_workers": workers, "callback_manager": CallbackManager([debug])})
    texts = TEXTS[:3]
    vectors = await model.aget_text_embedding_batch(texts) if is_async else model.get_text_embedding_batch(texts)
    await model.aclose()
    names = [event.class_name() for event in events if event.class_name().startswith("Embedding")]
    assert sorted(names) == ["EmbeddingEndEvent"] * 3 + ["EmbeddingStartEvent"] * 3
    ends = [event for event in events if event.class_name() == "EmbeddingEndEvent"]
    assert [(end.chunks, end.embeddings) for end in ends] == [
        ([text], [vector]) for text, vector in zip(texts, vectors, strict=True)
    ]
    assert [len(pair) for pair in debug.get_event_pairs(CBEventType.EMBEDDING)] == [2, 2, 2]


async def test_the_log_ids_of_requests_at_once_are_captured(counting):
    model, _ = counting
    with aigw.capture_logs() as logs:
        await model.aget_text_embedding_batch(TEXTS)
    await model.aclose()
    assert len(set(logs.log_ids)) == 12


async def test_vectors_may_come_in_base64(embedding):
    in_numbers = embedding.get_text_embedding("cats")
    packed = embedding.model_copy(update={"additional_kwargs": {"encoding_format": "base64"}})
    assert packed.get_text_embedding("cats") == pytest.approx(in_numbers, abs=1e-6)
    assert await packed.aget_text_embedding("cats") == pytest.approx(in_numbers, abs=1e-6)


def test_a_refused_request_is_the_cores_error(embedding):
    with pytest.raises(aigw.BadRequestError):
        embedding.model_copy(update={"dimensions": -1}).get_text_embedding("cats")
