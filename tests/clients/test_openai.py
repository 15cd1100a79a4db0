"""The official `openai` SDK, at every base URL it can be given."""

import asyncio
import json

import openai
import pytest
from pydantic import BaseModel

from aigw.local import LocalGateway, ScriptUpstream

from .asked import (
    ANSWER,
    BAD_FORMAT,
    CITY,
    COMPAT,
    NATIVE,
    ON_REST,
    OPENAI_ADDRESSES,
    PARIS,
    REFUSALS,
    WEATHER,
    WEATHER_FUNCTION,
    WEATHER_TOOL,
)

MODEL = "gpt-5-mini"
QUESTION = [{"role": "user", "content": PARIS}]
RESPONSES_TOOL = {"type": "function", "strict": True, **WEATHER_FUNCTION}
CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    402: openai.APIStatusError,
    404: openai.NotFoundError,
    424: openai.APIStatusError,
    429: openai.RateLimitError,
}


class City(BaseModel):
    city: str


@pytest.fixture(params=OPENAI_ADDRESSES)
def address(request):
    return OPENAI_ADDRESSES[request.param]


@pytest.fixture
def model(address):
    return f"{address.prefix}{MODEL}"


@pytest.fixture
def open_client():
    clients = []

    def open_client(gateway, address=COMPAT, **more):
        known = {"api_key": address.key, "base_url": gateway.base_url + address.path, "max_retries": 0}
        clients.append(openai.OpenAI(**known | more))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(aigw_local, address, open_client):
    return open_client(aigw_local, address)


@pytest.fixture
def compat(aigw_local, open_client):
    return open_client(aigw_local)


def ask(client, model="openai/gpt-5-mini", messages=QUESTION, **more):
    return client.chat.completions.create(model=model, messages=messages, **more)


def test_a_chat_is_answered_and_logged(client, model, logs):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION)
    completion = raw.parse()
    log = logs.get(raw.headers["cf-aig-log-id"])
    assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == (ANSWER, "stop")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 2
    assert (log["tokens_in"], log["tokens_out"]) == (completion.usage.prompt_tokens, completion.usage.completion_tokens)
    assert (log["model"], log["status_code"], log["success"]) == ("openai/gpt-5-mini", 200, True)


def test_a_streamed_chat_has_a_role_pieces_a_finish_and_usage(client, model, logs):
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = raw.parse()
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert deltas[0].role == "assistant"
    assert sum(bool(delta.content) for delta in deltas) > 1
    assert "".join(delta.content or "" for delta in deltas) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks].count("stop") == 1
    assert (last.choices, last.usage.completion_tokens) == ([], logs.get(raw.headers["cf-aig-log-id"])["tokens_out"])


def test_the_stream_helper_accumulates_a_completion(client, model):
    with client.chat.completions.stream(model=model, messages=QUESTION) as stream:
        kinds = {event.type for event in stream}
        completion = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert completion.choices[0].message.content == ANSWER


def test_a_tool_is_called_with_arguments_of_its_schema(client, model):
    choice = ask(client, model, [{"role": "user", "content": WEATHER}], tools=[WEATHER_TOOL], tool_choice="required")
    call = choice.choices[0].message.tool_calls[0]
    assert choice.choices[0].finish_reason == "tool_calls"
    assert (call.type, call.function.name, json.loads(call.function.arguments)) == (
        "function",
        "get_weather",
        {"city": "Paris"},
    )


def test_a_streamed_tool_call_arrives_in_fragments(client, model):
    messages = [{"role": "user", "content": WEATHER}]
    chunks = list(ask(client, model, messages, tools=[WEATHER_TOOL], tool_choice="required", stream=True))
    fragments = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [call.function.name for call in fragments if call.id] == ["get_weather"]
    assert json.loads("".join(call.function.arguments or "" for call in fragments)) == {"city": "Paris"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_what_a_tool_returned_is_answered_from(client, model):
    messages = [{"role": "user", "content": WEATHER}]
    asked = ask(client, model, messages, tools=[WEATHER_TOOL]).choices[0].message
    messages += [
        asked.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "Sunny."},
    ]
    answered = ask(client, model, messages, tools=[WEATHER_TOOL]).choices[0]
    assert answered.finish_reason == "stop"
    assert "Sunny." in answered.message.content


def test_a_structured_answer_is_parsed_into_its_class(client, model):
    completion = client.chat.completions.parse(
        model=model, messages=[{"role": "user", "content": CITY}], response_format=City
    )
    assert isinstance(completion.choices[0].message.parsed, City)
    assert "Paris" in completion.choices[0].message.parsed.city


@pytest.mark.parametrize("address", ["native", "rest"], indirect=True)
def test_responses_are_answered_and_logged(client, model, logs):
    raw = client.responses.with_raw_response.create(model=model, input=PARIS)
    response = raw.parse()
    assert (response.output_text, response.status) == (ANSWER, "completed")
    assert response.usage.output_tokens == logs.get(raw.headers["cf-aig-log-id"])["tokens_out"] > 0


@pytest.mark.parametrize("address", ["native", "rest"], indirect=True)
def test_responses_are_streamed_event_by_event(client, model):
    with client.responses.stream(model=model, input=PARIS) as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert kinds.count("response.output_text.delta") > 1
    assert (response.output_text, response.usage.output_tokens > 0) == (ANSWER, True)


@pytest.mark.parametrize("address", ["native", "rest"], indirect=True)
def test_responses_call_tools(client, model):
    response = client.responses.create(model=model, input=WEATHER, tools=[RESPONSES_TOOL], tool_choice="required")
    call = response.output[0]
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"city": "Paris"})


@pytest.mark.parametrize("address", ["native", "rest"], indirect=True)
def test_responses_are_parsed_into_a_class(client, model):
    assert "Paris" in client.responses.parse(model=model, input=CITY, text_format=City).output_parsed.city


def test_embeddings_come_in_the_order_of_their_texts(client, address):
    def embed(texts, **more):
        answer = client.embeddings.create(model=f"{address.prefix}text-embedding-3-small", input=texts, **more)
        assert answer.usage.prompt_tokens > 0
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    one, two = embed(["one", "two"])
    assert one != two
    assert embed("two", encoding_format="float")[0] == pytest.approx(two, abs=1e-6)


def test_embeddings_take_tokens_which_langchain_sends_by_default(client, address):
    answer = client.embeddings.create(model=f"{address.prefix}text-embedding-3-small", input=[[9906, 1917], [0]])
    assert ([item.index for item in answer.data], answer.usage.prompt_tokens) == ([0, 1], 3)


@pytest.mark.parametrize(
    ("asked", "reason", "content"),
    [
        ({"max_completion_tokens": 2}, "length", "Paris is"),
        ({"stop": ["capital"]}, "stop", "Paris is the "),
        ({"response_format": {"type": "json_object"}}, "stop", f'{{"answer": "{ANSWER}"}}'),
        ({"tools": [WEATHER_TOOL], "tool_choice": "none"}, "stop", ANSWER),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_a_call_asks_for_shows_in_its_finish(client, model, asked, reason, content):
    choice = ask(client, model, **asked).choices[0]
    assert (choice.finish_reason, choice.message.content) == (reason, content)


def test_several_choices_are_numbered(client, model):
    assert [choice.index for choice in ask(client, model, n=3).choices] == [0, 1, 2]


def test_a_repeated_call_is_a_cache_hit_without_cost(client, model, logs):
    def ask_raw():
        fields = {"cf-aig-cache-key": "paris"}
        return client.chat.completions.with_raw_response.create(model=model, messages=QUESTION, extra_headers=fields)

    first, second = ask_raw(), ask_raw()
    assert [raw.headers["cf-aig-cache-status"] for raw in (first, second)] == ["MISS", "HIT"]
    assert second.parse() == first.parse()
    log = logs.get(second.headers["cf-aig-log-id"])
    assert (log["cached"], log["cost"], log["tokens_in"]) == (True, 0, 0)


def test_the_gateways_own_fields_are_read_as_options(aigw_local, address, model, open_client, logs):
    fields = {"cf-aig-metadata": '{"plan":"gold"}', "cf-aig-event-id": "event-1"}
    client = open_client(aigw_local, address, default_headers=fields)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION)
    assert raw.headers["cf-aig-event-id"] == "event-1"
    assert logs.get(raw.headers["cf-aig-log-id"])["metadata"] == {"plan": "gold"}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_its_class_and_its_body(refusal, open_client):
    address = ON_REST if refusal.host == "rest" else NATIVE
    model = f"{address.prefix}{MODEL}"
    with LocalGateway(**refusal.gateway) as gateway:
        client = open_client(gateway, address, api_key=refusal.call.get("key", address.key))
        for _ in range(refusal.calls_before):
            ask(client, model)
        with pytest.raises(CLASSES[refusal.status]) as caught:
            ask(client, model, [{"role": "user", "content": refusal.call.get("prompt", PARIS)}])
    assert (type(caught.value), caught.value.status_code) == (CLASSES[refusal.status], refusal.status)
    body = refusal.body(model)
    assert caught.value.response.json() == body
    assert caught.value.body == body.get("error", body)


def test_compat_refuses_a_model_without_its_provider(compat):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(compat, BAD_FORMAT.call["model"])
    assert caught.value.response.json() == BAD_FORMAT.body()


def test_the_providers_own_error_passes_through(compat):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(compat, extra_headers={"aigw-local-fail": "503"})
    assert (caught.value.status_code, caught.value.type) == (503, "server_error")


def test_the_sdk_tries_again_and_both_tries_are_logged(aigw_local, open_client, logs):
    answer = ask(open_client(aigw_local, max_retries=1), extra_headers={"aigw-local-fail": "503x1"})
    assert answer.choices[0].message.content == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200, 503]


def test_the_gateway_tries_again_and_the_sdk_never_knows(compat, logs):
    fields = {"aigw-local-fail": "503x2", "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1"}
    assert ask(compat, extra_headers=fields).choices[0].message.content == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200]


def test_a_cut_stream_is_an_error_after_what_came(open_client, read_logs):
    script = ScriptUpstream([{"pieces": ["Paris ", "is ", "the "], "cut": 2}])
    with LocalGateway(upstream=script) as gateway:
        pieces = []
        with pytest.raises(openai.APIConnectionError):
            pieces.extend(chunk.choices[0].delta.content for chunk in ask(open_client(gateway), stream=True))
        log = read_logs(gateway).newest()[0]
    assert "".join(pieces) in {"Paris ", "Paris is "}
    assert log["success"] is False


def test_a_slow_answer_is_a_timeout(aigw_local, open_client):
    with pytest.raises(openai.APITimeoutError):
        ask(open_client(aigw_local, timeout=0.2), extra_headers={"aigw-local-delay": "5000"})


def test_a_stream_left_early_is_logged_as_far_as_it_was_read(compat, logs):
    with ask(compat, stream=True) as stream:
        next(iter(stream))
    assert logs.soon()["success"] is True


async def test_calls_at_the_same_time_keep_their_log_ids_apart(aigw_local, logs):
    base_url = aigw_local.base_url + COMPAT.path
    async with openai.AsyncOpenAI(api_key=COMPAT.key, base_url=base_url, max_retries=0) as client:

        async def ask_as(event_id):
            raw = await client.chat.completions.with_raw_response.create(
                model="openai/gpt-5-mini",
                messages=[{"role": "user", "content": f"Its name is {event_id}. What is its name?"}],
                extra_headers={"cf-aig-event-id": event_id},
            )
            return raw.headers["cf-aig-log-id"], raw.headers["cf-aig-event-id"], raw.parse().choices[0].message.content

        asked = [f"event{number:02}" for number in range(20)]
        answers = await asyncio.gather(*map(ask_as, asked))
    assert [event_id for _, event_id, _ in answers] == asked
    assert all(event_id in content for _, event_id, content in answers)
    assert len({log_id for log_id, _, _ in answers}) == len(logs.newest(per_page="50")) == 20


async def test_the_async_client_streams_and_answers_alike(aigw_local, logs):
    async with openai.AsyncOpenAI(
        api_key=COMPAT.key, base_url=aigw_local.base_url + COMPAT.path, max_retries=0
    ) as client:
        answer = await client.chat.completions.create(model="openai/gpt-5-mini", messages=QUESTION)
        stream = await client.chat.completions.create(model="openai/gpt-5-mini", messages=QUESTION, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert answer.choices[0].message.content == "".join(pieces) == ANSWER
    assert len(logs.newest()) == 2
