"""`litellm`: OpenAI's and Anthropic's routes with the gateway's address, and its own route to Cloudflare.

It wants `openai<3`. It leaves clients open and warns of its own models' fields, which pytest is not to mind here.
"""

import asyncio
import json
import os
from inspect import iscoroutinefunction

import pytest
from pydantic import BaseModel

from aigw.local import LocalGateway, ScriptUpstream

from ..needs import require  # noqa: TID252 -- the tests are no package with a name
from .asked import (
    ANSWER,
    CITY,
    COMPAT,
    GATEWAY,
    NATIVE,
    ON_REST,
    PARIS,
    REFUSALS,
    REST,
    TOKEN,
    WEATHER,
    WEATHER_TOOL,
    Address,
)

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network at its first import
litellm = require.module(
    "litellm", how="an environment of its own, for it wants openai<3: pip install . --group conformance"
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
QUESTION = [{"role": "user", "content": PARIS}]
GPT_OSS = "@cf/openai/gpt-oss-20b"  # of a llama it would fetch the tokenizer, from far away
ROUTES = {
    "compat": ("openai/openai/gpt-4.1-mini", COMPAT),
    "native": ("openai/gpt-4.1-mini", NATIVE),
    "rest": ("openai/openai/gpt-4.1-mini", ON_REST),
    "anthropic": ("anthropic/claude-haiku-4-5", Address(f"{GATEWAY}/anthropic", "provider-key", "")),
    "cloudflare": (f"cloudflare/{GPT_OSS}", Address(f"{REST}/v1", TOKEN, "")),
}
CLASSES = {
    401: "AuthenticationError",
    402: "APIError",
    404: "NotFoundError",
    424: "APIError",
    429: "RateLimitError",
}


class City(BaseModel):
    """A city."""

    city: str


@pytest.fixture(autouse=True)
def _closed(monkeypatch):
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)  # its sessions outlive their loops
    yield
    for client in litellm.in_memory_llm_clients_cache.cache_dict.values():
        if callable(close := getattr(client, "close", None)) and not iscoroutinefunction(close):
            close()
    asyncio.run(litellm.close_litellm_async_clients())
    litellm.in_memory_llm_clients_cache.flush_cache()


@pytest.fixture(params=ROUTES)
def route(request):
    return ROUTES[request.param]


def known(gateway, route=ROUTES["compat"], **more):
    model, address = route
    answer = {"model": model, "messages": QUESTION, "api_key": address.key, "max_retries": 0, "timeout": 10}
    return answer | {"api_base": gateway.base_url + address.path} | more


def tooled(**more):
    return {"messages": [{"role": "user", "content": WEATHER}], "tools": [WEATHER_TOOL], **more}


def test_a_completion_is_answered_and_logged(aigw_local, route, logs):
    answer = litellm.completion(**known(aigw_local, route))
    log = logs.get(answer._hidden_params["additional_headers"]["llm_provider-cf-aig-log-id"])
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (ANSWER, "stop")
    assert (log["tokens_in"], log["tokens_out"]) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)


def test_a_stream_adds_up_to_the_whole_answer(aigw_local, route):
    chunks = list(litellm.completion(**known(aigw_local, route, stream=True)))
    whole = litellm.stream_chunk_builder(chunks)
    assert len([chunk for chunk in chunks if chunk.choices[0].delta.content]) > 1
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (ANSWER, "stop")


async def test_the_async_calls_answer_alike(aigw_local, route):
    answer = await litellm.acompletion(**known(aigw_local, route))
    stream = await litellm.acompletion(**known(aigw_local, route, stream=True))
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert answer.choices[0].message.content == "".join(pieces) == ANSWER


def test_a_tool_is_called_and_answered_from(aigw_local, route):
    asked = litellm.completion(**known(aigw_local, route, **tooled())).choices[0]
    call = asked.message.tool_calls[0]
    assert (asked.finish_reason, call.function.name) == ("tool_calls", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}
    messages = [{"role": "user", "content": WEATHER}, asked.message.model_dump(exclude_none=True), result]
    answered = litellm.completion(**known(aigw_local, route, **tooled(messages=messages))).choices[0]
    assert "Sunny." in answered.message.content


def test_a_streamed_tool_call_is_put_together(aigw_local, route):
    chunks = list(litellm.completion(**known(aigw_local, route, **tooled(stream=True))))
    call = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Paris"}


@pytest.mark.parametrize("route", ["compat", "native", "rest"], indirect=True)
def test_a_structured_answer_follows_its_class(aigw_local, route):
    asked = {"messages": [{"role": "user", "content": CITY}], "response_format": City}
    answer = litellm.completion(**known(aigw_local, route, **asked))
    assert "Paris" in City.model_validate_json(answer.choices[0].message.content).city


@pytest.mark.parametrize(
    ("name", "prefix"), [("compat", "openai/openai/"), ("native", "openai/"), ("rest", "openai/openai/")]
)
def test_embeddings_come_in_order(aigw_local, name, prefix):
    _, address = ROUTES[name]
    answer = litellm.embedding(
        model=f"{prefix}text-embedding-3-small",
        input=["one", "two"],
        api_key=address.key,
        api_base=aigw_local.base_url + address.path,
    )
    assert [item["index"] for item in answer.data] == [0, 1]
    assert answer.data[0]["embedding"] != answer.data[1]["embedding"]
    assert answer.usage.prompt_tokens > 0


def test_a_repeated_call_is_a_cache_hit(aigw_local, route):
    fields = {"cf-aig-cache-key": "paris"}
    answers = [litellm.completion(**known(aigw_local, route, extra_headers=fields)) for _ in range(2)]
    seen = [answer._hidden_params["additional_headers"]["llm_provider-cf-aig-cache-status"] for answer in answers]
    assert seen == ["MISS", "HIT"]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_its_class_and_tells_the_gateways_code(refusal):
    route = ROUTES["rest" if refusal.host == "rest" else "native"]
    with LocalGateway(**refusal.gateway) as gateway:
        asked = known(gateway, route, api_key=refusal.call.get("key", route[1].key))
        for _ in range(refusal.calls_before):
            litellm.completion(**asked)
        refused = asked | {"messages": [{"role": "user", "content": refusal.call.get("prompt", PARIS)}]}
        with pytest.raises(getattr(litellm, CLASSES[refusal.status]), match=str(refusal.code)) as caught:
            litellm.completion(**refused)
    assert caught.value.status_code == refusal.status


def test_litellm_tries_again_and_both_tries_are_logged(aigw_local, logs):
    fields = {"aigw-local-fail": "503x1"}
    answer = litellm.completion(**known(aigw_local, extra_headers=fields, max_retries=1))
    assert answer.choices[0].message.content == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200, 503]


def test_a_fallback_model_answers_in_place_of_a_broken_one(aigw_local, logs):
    fields = {"aigw-local-fail": "503"}
    other = known(aigw_local, ROUTES["native"]) | {"extra_headers": {}}
    answer = litellm.completion(**known(aigw_local, extra_headers=fields), fallbacks=[other])
    assert answer.choices[0].message.content == ANSWER
    assert {log["status_code"] for log in logs.newest()} == {200, 503}


def test_a_cut_stream_is_an_error_after_what_came(read_logs):
    pieces = []
    script = ScriptUpstream([{"pieces": ["Paris ", "is ", "the "], "cut": 2}])
    with LocalGateway(upstream=script) as gateway:
        with pytest.raises(litellm.exceptions.MidStreamFallbackError):
            pieces.extend(chunk.choices[0].delta.content for chunk in litellm.completion(**known(gateway, stream=True)))
        log = read_logs(gateway).newest()[0]
    assert "".join(pieces) in {"Paris ", "Paris is "}
    assert log["success"] is False


def test_a_slow_answer_is_a_timeout(aigw_local):
    fields = {"aigw-local-delay": "5000"}
    with pytest.raises(litellm.Timeout):
        litellm.completion(**known(aigw_local, extra_headers=fields, timeout=0.2))
