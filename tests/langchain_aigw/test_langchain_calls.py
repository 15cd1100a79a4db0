"""Calls over a real socket: every way to call, what the answers tell, what the gateway was told."""

import asyncio
import copy
import functools
import json
import operator
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage

import aigw
from aigw.local import LocalGateway, Reply
from langchain_aigw import ChatCloudflareAIGateway

EVENT_STREAM = (("content-type", "text/event-stream"),)


def told(message):
    """Give what an answer says, without what differs from call to call."""
    metadata = {key: value for key, value in message.response_metadata.items() if key != "aigw"}
    return message.content, message.tool_calls, message.usage_metadata, message.additional_kwargs, metadata


@pytest.fixture
def model(local_fields):
    return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields)


@pytest.fixture
def client(local_fields):
    with aigw.AIGateway(**local_fields) as client:
        yield client


async def test_all_ways_to_call_give_the_same_answer(model):
    chunks = list(model.stream("Tell me a joke"))
    async_chunks = [chunk async for chunk in model.astream("Tell me a joke")]
    answers = [
        model.invoke("Tell me a joke"),
        await model.ainvoke("Tell me a joke"),
        functools.reduce(operator.add, chunks),
        functools.reduce(operator.add, async_chunks),
        *model.batch(["Tell me a joke"] * 2),
        *await model.abatch(["Tell me a joke"] * 2),
        model.invoke("Tell me a joke", stream=True),
    ]
    assert [told(answer) for answer in answers] == [told(answers[0])] * 9
    assert len({answer.response_metadata["aigw"]["log_id"] for answer in answers}) == 9


async def test_the_gateways_facts_are_on_one_chunk(model):
    chunks = [chunk async for chunk in model.astream("Tell me a joke")]
    assert ["aigw" in chunk.response_metadata for chunk in chunks] == [True, *[False] * (len(chunks) - 1)]
    assert chunks[0].response_metadata["aigw"]["status_code"] == 200


def test_the_id_of_a_chunk_is_that_of_its_run(model):
    assert len({chunk.id for chunk in model.stream("Tell me a joke")}) == 1


def test_an_answer_from_the_gateways_cache_says_so(model):
    options = {"cache_key": "joke"}
    answers = [model.invoke("Tell me a joke", gateway_options=options) for _ in range(2)]
    assert [answer.response_metadata["aigw"]["cache_status"] for answer in answers] == ["MISS", "HIT"]


def test_the_log_of_an_answer_can_be_read_and_rated(model, client):
    log_id = model.invoke("Tell me a joke").response_metadata["aigw"]["log_id"]
    client.gateway().patch_log(log_id, feedback=1, score=90)
    log = client.gateway().get_log(log_id)
    assert (log.success, log.feedback, log.score) == (True, 1, 90)


def test_a_calls_options_lie_over_the_models_metadata_key_by_key(local_fields, client):
    options = {"id": "first", "metadata": {"team": "search", "user": "ann"}}
    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", gateway_options=options, **local_fields)
    call = {"id": "second", "metadata": {"user": "bob"}}
    info = model.invoke("hi", gateway_options=call).response_metadata["aigw"]
    assert info["gateway_id"] == "second"
    assert client.gateway("second").get_log(info["log_id"]).metadata == {"team": "search", "user": "bob"}
    assert call == {"id": "second", "metadata": {"user": "bob"}}


def test_a_wrong_option_is_refused_before_anything_is_sent(stage):
    with pytest.raises(aigw.ConfigurationError, match="did you mean 'skip_cache'"):
        stage.chat().invoke("hi", gateway_options={"skipCache": True})
    assert stage.bodies == []


def test_the_contexts_options_reach_the_gateway(model, client):
    with aigw.gateway_options({"metadata": {"run": "r1"}}):
        log_id = model.invoke("hi").response_metadata["aigw"]["log_id"]
    assert client.gateway().get_log(log_id).metadata == {"run": "r1"}


def test_bound_options_reach_the_gateway(model, client):
    bound = model.bind(gateway_options={"metadata": {"run": "r2"}})
    log_id = bound.invoke("hi").response_metadata["aigw"]["log_id"]
    assert client.gateway().get_log(log_id).metadata == {"run": "r2"}


def test_two_event_loops_on_one_model_send_each_call_once(stage):
    model = stage.chat()
    texts = [asyncio.run(model.ainvoke("hi")).content for _ in range(2)]
    assert texts == ["Hello.", "Hello."]
    assert len(stage.bodies) == 2


def test_threads_with_event_loops_of_their_own_send_each_call_once(stage):
    model = stage.chat()
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: asyncio.run(model.ainvoke("hi")).content, range(8)))
    assert texts == ["Hello."] * 8
    assert len(stage.bodies) == 8


def test_a_pickled_and_a_copied_model_answer(model):
    model.invoke("hi")
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):  # noqa: S301  pickled here
        assert again.invoke("hi").content


def test_the_callers_own_client_is_used_and_left_open(stage):
    with httpx.Client(headers={"x-mine": "1"}) as client:
        assert stage.chat(http_client=client).invoke("hi").content == "Hello."
        assert not client.is_closed


async def test_the_callers_own_async_client_is_used_and_left_open(stage):
    async with httpx.AsyncClient() as client:
        assert (await stage.chat(http_async_client=client).ainvoke("hi")).content == "Hello."
        assert not client.is_closed


class Endless:
    """An upstream that streams until nobody reads any more."""

    provider = "endless"

    def __init__(self, chunk):
        self.frame = b"data: " + json.dumps(chunk).encode() + b"\n\n"
        self.closed = threading.Event()

    async def send(self, endpoint, body, headers):
        del endpoint, body, headers
        return Reply(200, EVENT_STREAM, self.frames())

    async def frames(self):
        try:
            while True:
                yield self.frame
                await asyncio.sleep(0.01)
        finally:
            self.closed.set()


def test_a_sync_stream_that_is_left_early_closes_its_connection(local_fields, wire):
    upstream = Endless(wire.delta(content="a"))
    with LocalGateway(upstream=upstream) as gateway:
        model = ChatCloudflareAIGateway(**{**local_fields, "base_url": gateway.base_url}, model="openai/gpt-5-mini")
        stream = model.stream("hi")
        assert next(stream).content == "a"
        stream.close()
        assert upstream.closed.wait(5)


async def test_an_async_stream_that_is_left_early_closes_its_connection(local_fields, wire):
    upstream = Endless(wire.delta(content="a"))
    with LocalGateway(upstream=upstream) as gateway:
        model = ChatCloudflareAIGateway(**{**local_fields, "base_url": gateway.base_url}, model="openai/gpt-5-mini")
        stream = model.astream("hi")
        assert (await anext(stream)).content == "a"
        await stream.aclose()
        assert await asyncio.to_thread(upstream.closed.wait, 5)


class Tokens(BaseCallbackHandler):
    def __init__(self):
        self.tokens = []

    def on_llm_new_token(self, token, **more):
        del more
        self.tokens.append(token)


def test_a_handler_hears_each_token_of_a_stream_once(stage, wire):
    stage.play([wire.delta(content="a"), wire.delta(content="b"), wire.end()])
    tokens = Tokens()
    list(stage.chat().stream("hi", config={"callbacks": [tokens]}))
    assert tokens.tokens == ["a", "b", ""]


def test_invoke_streams_when_the_model_is_set_to(stage, wire):
    stage.play([wire.delta(content="a"), wire.delta(content="b"), wire.end()])
    answer = stage.chat(streaming=True).invoke("hi")
    assert isinstance(answer, AIMessage)
    assert answer.content == "ab"


def test_generate_gives_every_choice(local_fields):
    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", n=2, **local_fields)
    result = model.generate([[HumanMessage("hi")]])
    assert len(result.generations[0]) == 2


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_the_cores_errors_come_through(local_fields, how):
    with LocalGateway(tokens=["good-token"]) as gateway:
        model = ChatCloudflareAIGateway(**{**local_fields, "base_url": gateway.base_url}, model="openai/gpt-5-mini")
        with pytest.raises(aigw.AuthenticationError):
            list(model.stream("hi")) if how == "stream" else model.invoke("hi")


def test_an_answer_without_choices_is_an_error_with_its_log_id(stage, wire):
    stage.play({**wire.answer("x"), "choices": []})
    with pytest.raises(aigw.APIStatusError, match="no choices") as caught:
        stage.chat().invoke("hi")
    assert caught.value.log_id


def test_a_stream_that_is_cut_is_an_error_and_never_a_short_answer(stage, wire):
    frame = b"data: " + json.dumps(wire.delta(content="a")).encode() + b"\n\n"

    async def cut(*_):
        return Reply(200, EVENT_STREAM, frame)

    stage.upstream.send = cut
    with pytest.raises(aigw.StreamTruncatedError):
        list(stage.chat().stream("hi"))
