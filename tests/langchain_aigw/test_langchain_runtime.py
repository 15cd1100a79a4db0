"""What LangChain does around a call: rebuilding the model, caching, limiting, tracing; and what then is on the wire."""

import asyncio
import functools
import json
import operator
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import _compat_bridge
from langchain_core.messages import HumanMessage
from langchain_core.outputs import ChatGeneration
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import ConfigurableField
from langchain_core.tracers import BaseTracer

import aigw
from aigw.local import json_reply

TRACER_KEY = getattr(_compat_bridge, "GATEWAY_METADATA_RESPONSE_KEY", None)
needs_tracer_key = pytest.mark.skipif(TRACER_KEY is None, reason="this langchain-core has no gateway metadata")


class Counting:
    """A server that answers every request with one completion, and counts requests and connections."""

    def __init__(self, answer):
        counts = self
        self.requests = self.connections = 0
        body = json.dumps(answer).encode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                counts.connections += 1
                super().setup()

            def do_POST(self):
                counts.requests += 1
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def counting(wire):
    with Counting(wire.answer("Hello.")) as server:
        yield server


def test_twenty_calls_of_a_configured_model_are_one_connection(stage, counting):
    model = stage.chat(base_url=counting.url)
    configurable = model.configurable_fields(model=ConfigurableField(id="model"))
    for place in range(20):
        configurable.with_config(configurable={"model": f"openai/m{place}"}).invoke("hi")
    model.close()
    assert (counting.requests, counting.connections) == (20, 1)


async def test_twenty_async_calls_of_a_configured_model_are_one_connection(stage, counting):
    model = stage.chat(base_url=counting.url)
    configurable = model.configurable_fields(temperature=ConfigurableField(id="temperature"))
    for place in range(20):
        await configurable.ainvoke("hi", config={"configurable": {"temperature": place / 20}})
    await model.aclose()
    assert (counting.requests, counting.connections) == (20, 1)


def test_copies_with_another_model_are_one_connection(stage, counting):
    model = stage.chat(base_url=counting.url)
    for place in range(20):
        model.model_copy(update={"model": f"openai/m{place}"}).invoke("hi")
    model.close()
    assert (counting.requests, counting.connections) == (20, 1)


def test_a_closed_model_opens_again(stage, counting):
    model = stage.chat(base_url=counting.url)
    model.invoke("hi")
    model.close()
    model.invoke("hi")
    model.close()
    assert (counting.requests, counting.connections) == (2, 2)


def test_alternatives_choose_a_model_per_call(stage):
    model = stage.chat().configurable_alternatives(
        ConfigurableField(id="which"), default_key="mini", large=stage.chat(model="openai/gpt-5")
    )
    model.invoke("hi")
    model.with_config(configurable={"which": "large"}).invoke("hi")
    assert [body["model"] for body in stage.bodies] == ["openai/gpt-5-mini", "openai/gpt-5"]


def test_a_replayed_answer_is_marked_and_the_first_one_is_not(stage):
    model = stage.chat(cache=InMemoryCache())
    first, second, third = (model.invoke("hi") for _ in range(3))
    assert len(stage.bodies) == 1
    assert "replayed" not in first.response_metadata["aigw"]
    assert second.response_metadata["aigw"] == {**first.response_metadata["aigw"], "replayed": True}
    assert third.response_metadata["aigw"] == second.response_metadata["aigw"]
    assert second.content == "Hello."


async def test_an_async_replay_is_marked_and_the_caches_own_object_stays_as_it_was(stage):
    cache = InMemoryCache()
    model = stage.chat(cache=cache)
    await model.ainvoke("hi")
    assert (await model.ainvoke("hi")).response_metadata["aigw"]["replayed"] is True
    [[generation]] = cache._cache.values()
    assert "replayed" not in generation.message.response_metadata["aigw"]


def test_what_is_no_chat_message_is_replayed_as_it_is(stage):
    human = ChatGeneration(message=HumanMessage("x"))
    assert stage.chat()._convert_cached_generations([human]) == [human]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "openai/gpt-5"},
        {"gateway_id": "other"},
        {"account_id": "other"},
        {"gateway_options": {"metadata": {"a": 1}}},
        {"temperature": 0.5},
        {"extra_body": {"top_k": 1}},
    ],
)
def test_a_model_that_differs_is_asked_itself(stage, other):
    cache = InMemoryCache()
    stage.chat(cache=cache).invoke("hi")
    stage.chat(cache=cache, **other).invoke("hi")
    assert len(stage.bodies) == 2


def test_a_calls_own_options_are_in_the_key_and_no_secret_is(stage):
    cache = InMemoryCache()
    model = stage.chat(cache=cache, provider_key="test-provider-key", surface="compat")
    model.invoke("hi")
    model.invoke("hi", gateway_options={"skip_cache": True})
    assert len(stage.bodies) == 2
    assert [key for key in map(str, cache._cache) if "test-token" in key or "test-provider-key" in key] == []


def test_streams_are_not_cached(stage, wire):
    stage.play([wire.delta(content="a"), wire.end()])
    model = stage.chat(cache=InMemoryCache())
    for _ in range(2):
        list(model.stream("hi"))
    assert len(stage.bodies) == 2


class Gate(BaseRateLimiter):
    def __init__(self):
        self.passed = 0

    def acquire(self, *, blocking=True):
        self.passed += 1
        return blocking

    async def aacquire(self, *, blocking=True):
        return self.acquire(blocking=blocking)


async def test_the_rate_limiter_is_asked_before_each_call_and_not_for_replays(stage, wire):
    gate = Gate()
    model = stage.chat(rate_limiter=gate, cache=InMemoryCache())
    model.invoke("hi")
    await model.ainvoke("hi")
    assert gate.passed == 1
    stage.play([wire.delta(content="a"), wire.end()])
    list(model.stream("hi"))
    assert gate.passed == 2


@pytest.mark.parametrize(("disabled", "streams"), [(False, True), (True, False), ("tool_calling", False)])
def test_streaming_can_be_disabled(stage, wire, disabled, streams):
    whole, streamed = wire.answer("Hello."), [wire.delta(content="Hello."), wire.end()]
    stage.play(streamed if streams else whole)
    tool = {"name": "f", "description": "", "parameters": {"type": "object", "properties": {}}}
    chunks = list(stage.chat(disable_streaming=disabled).bind_tools([tool]).stream("hi"))
    assert "".join(chunk.content for chunk in chunks) == "Hello."
    assert stage.bodies[0].get("stream", False) is streams


class Runs(BaseTracer):
    def __init__(self):
        super().__init__()
        self.runs = []

    def _persist_run(self, run):
        self.runs.append(run)


@needs_tracer_key
@pytest.mark.filterwarnings("ignore:.*is in beta")
@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "events"])
async def test_tracers_learn_who_really_served_and_the_log(stage, wire, how):
    runs = Runs()
    model = stage.chat(model="dynamic/support", callbacks=[runs])
    if how in {"stream", "events"}:
        stage.play([wire.delta(content="a"), wire.end()])
    if how == "stream":
        answer = functools.reduce(operator.add, model.stream("hi"))
    elif how == "events":
        answer = model.stream_events("hi", version="v3").output
    else:
        answer = model.invoke("hi") if how == "invoke" else await model.ainvoke("hi")
    metadata = runs.runs[0].extra["metadata"]
    facts = answer.response_metadata["aigw"]
    assert TRACER_KEY not in answer.response_metadata
    assert metadata["ls_gateway_info"]["log_id"]
    assert metadata["ls_provider"] == facts["provider"]
    assert metadata["ls_model_name"] == facts["model"]


def test_without_the_private_hook_nothing_is_told_and_nothing_fails(stage, monkeypatch):
    monkeypatch.setattr("langchain_aigw._tracing._KEY", None)
    answer = stage.chat().invoke("hi")
    assert set(answer.response_metadata) == {"id", "model_name", "model_provider", "finish_reason", "aigw"}


def test_an_extra_body_wins_over_everything_and_a_calls_over_the_models(stage):
    model = stage.chat(temperature=0.5, extra_body={"temperature": 1, "top_k": 2, "seed": 3})
    model.invoke("hi", extra_body={"seed": 4})
    body = stage.bodies[0]
    assert (body["temperature"], body["top_k"], body["seed"]) == (1, 2, 4)
    assert "extra_body" not in body


class Ends(BaseCallbackHandler):
    def __init__(self):
        self.results = []

    def on_llm_end(self, response, **more):
        del more
        self.results.append(response)


def test_every_choice_of_several_is_a_generation_and_the_usage_is_told_once(stage, wire):
    whole = wire.answer("a")
    whole["choices"].append({"index": 1, "message": {"role": "assistant", "content": "b"}, "finish_reason": "length"})
    stage.play(whole)
    ends = Ends()
    result = stage.chat(n=2, callbacks=[ends]).generate([[HumanMessage("hi")]])
    [generations] = result.generations
    assert [generation.text for generation in generations] == ["a", "b"]
    assert [generation.message.usage_metadata is None for generation in generations] == [False, True]
    assert [generation.message.response_metadata["finish_reason"] for generation in generations] == ["stop", "length"]
    assert len({generation.message.response_metadata["aigw"]["log_id"] for generation in generations}) == 1
    assert stage.bodies[0]["n"] == 2


def test_logprobs_are_in_the_metadata(stage, wire):
    whole = wire.answer("a")
    whole["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}]}
    stage.play(whole)
    answer = stage.chat(logprobs=True, top_logprobs=2).invoke("hi")
    assert answer.response_metadata["logprobs"]["content"][0]["token"] == "a"
    assert (stage.bodies[0]["logprobs"], stage.bodies[0]["top_logprobs"]) == (True, 2)


async def test_a_batch_runs_as_many_at_a_time_as_it_is_told(stage, wire):
    under_way = []
    most = []

    async def send(*_):
        under_way.append(1)
        most.append(len(under_way))
        await asyncio.sleep(0.01)
        under_way.pop()
        return json_reply(200, wire.answer("ok"))

    stage.upstream.send = send
    answers = await stage.chat().abatch(["hi"] * 6, config={"max_concurrency": 2})
    assert [answer.content for answer in answers] == ["ok"] * 6
    assert max(most) <= 2


async def test_a_cancelled_call_frees_its_connection(stage):
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def hang(*_):
        loop.call_soon_threadsafe(began.set)
        await asyncio.sleep(30)

    send, stage.upstream.send = stage.upstream.send, hang
    model = stage.chat()
    call = asyncio.create_task(model.ainvoke("hi"))
    await asyncio.wait_for(began.wait(), 5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    stage.upstream.send = send
    started = time.monotonic()
    assert (await model.ainvoke("hi")).content == "Hello."
    assert time.monotonic() - started < 5


def test_a_fallback_can_be_for_the_cores_errors(stage):
    down = stage.chat(base_url="http://127.0.0.1:9", max_retries=0)
    answer = down.with_fallbacks([stage.chat()], exceptions_to_handle=(aigw.APIConnectionError,)).invoke("hi")
    assert answer.content == "Hello."
