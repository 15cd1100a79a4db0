"""The official `anthropic` SDK, on the gateway host with a provider's key and on the REST host with a token."""

import anthropic
import pytest
from pydantic import BaseModel

from aigw.local import LocalGateway, ScriptUpstream

from .asked import ANSWER, CITY, CITY_SCHEMA, GATEWAY, PARIS, REFUSALS, REST, TOKEN, WEATHER

QUESTION = [{"role": "user", "content": PARIS}]
TOOL = {"name": "get_weather", "description": "Weather of a city", "input_schema": CITY_SCHEMA}
HOSTS = {"gateway": (f"{GATEWAY}/anthropic", "api_key", ""), "rest": (REST, "auth_token", "anthropic/")}
CLASSES = {
    401: anthropic.AuthenticationError,
    402: anthropic.PaymentRequiredError,
    404: anthropic.NotFoundError,
    424: anthropic.APIStatusError,
    429: anthropic.RateLimitError,
}


class City(BaseModel):
    city: str


@pytest.fixture
def open_client():
    clients = []

    def open_client(gateway, host="gateway", key=TOKEN, **more):
        path, credential, _ = HOSTS[host]
        known = {credential: key, "base_url": gateway.base_url + path, "max_retries": 0}
        clients.append(anthropic.Anthropic(**known | more))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture(params=HOSTS)
def host(request):
    return request.param


@pytest.fixture
def client(aigw_local, host, open_client):
    return open_client(aigw_local, host)


@pytest.fixture
def known(host):
    return {"model": f"{HOSTS[host][2]}claude-haiku-4-5", "max_tokens": 50, "messages": QUESTION}


def test_a_message_is_answered_and_logged(client, known, logs):
    raw = client.messages.with_raw_response.create(**known)
    message = raw.parse()
    log = logs.get(raw.headers["cf-aig-log-id"])
    assert (message.content[0].text, message.stop_reason, message.role) == (ANSWER, "end_turn", "assistant")
    assert (log["tokens_in"], log["tokens_out"]) == (message.usage.input_tokens, message.usage.output_tokens)
    assert (log["model"], log["status_code"]) == ("anthropic/claude-haiku-4-5", 200)


def test_a_system_prompt_and_earlier_turns_are_read(client, known):
    turns = [{"role": "assistant", "content": "The code is 7391."}, {"role": "user", "content": "What is the code?"}]
    message = client.messages.create(**known | {"system": "Answer briefly.", "messages": [*QUESTION, *turns]})
    assert "7391" in message.content[0].text


def test_a_message_that_is_cut_short_says_why(client, known):
    message = client.messages.create(**known | {"max_tokens": 2})
    assert (message.stop_reason, message.content[0].text, message.usage.output_tokens) == ("max_tokens", "Paris is", 2)


def test_a_streamed_message_comes_event_by_event(client, known, logs):
    with client.messages.stream(**known) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()
        log_id = stream.response.headers["cf-aig-log-id"]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert kinds.count("text") > 1
    assert (message.content[0].text, message.stop_reason) == (ANSWER, "end_turn")
    assert logs.get(log_id)["tokens_out"] == message.usage.output_tokens > 0


def test_a_tool_is_called_with_input_of_its_schema(client, known):
    tools = {"tools": [TOOL], "tool_choice": {"type": "any"}, "messages": [{"role": "user", "content": WEATHER}]}
    message = client.messages.create(**known | tools)
    block = message.content[-1]
    assert (message.stop_reason, block.type, block.name, block.input) == (
        "tool_use",
        "tool_use",
        "get_weather",
        {"city": "Paris"},
    )


def test_a_streamed_tool_call_accumulates_its_input(client, known):
    tools = {"tools": [TOOL], "tool_choice": {"type": "any"}, "messages": [{"role": "user", "content": WEATHER}]}
    with client.messages.stream(**known | tools) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "input_json"]
        block = stream.get_final_message().content[-1]
    assert snapshots[-1] == block.input == {"city": "Paris"}


def test_what_a_tool_returned_is_answered_from(client, known):
    messages = [{"role": "user", "content": WEATHER}]
    asked = client.messages.create(**known | {"messages": messages, "tools": [TOOL]})
    result = {"type": "tool_result", "tool_use_id": asked.content[-1].id, "content": "Sunny."}
    messages += [{"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
    answered = client.messages.create(**known | {"messages": messages, "tools": [TOOL]})
    assert answered.stop_reason == "end_turn"
    assert "Sunny." in answered.content[0].text


def test_a_structured_answer_is_parsed_into_its_class(client, known):
    message = client.messages.parse(**known | {"messages": [{"role": "user", "content": CITY}]}, output_format=City)
    assert "Paris" in message.parsed_output.city


def test_a_repeated_call_is_a_cache_hit(client, known, logs):
    fields = {"cf-aig-cache-key": "paris"}
    first, second = (client.messages.with_raw_response.create(**known, extra_headers=fields) for _ in range(2))
    assert [raw.headers["cf-aig-cache-status"] for raw in (first, second)] == ["MISS", "HIT"]
    assert second.parse() == first.parse()
    assert logs.get(second.headers["cf-aig-log-id"])["cached"] is True


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_its_class_and_its_body(refusal, open_client):
    model = f"{HOSTS[refusal.host][2]}claude-haiku-4-5"
    question = {"model": model, "max_tokens": 50, "messages": QUESTION}
    refused = question | {"messages": [{"role": "user", "content": refusal.call.get("prompt", PARIS)}]}
    with LocalGateway(**refusal.gateway) as gateway:
        client = open_client(
            gateway, refusal.host, key=refusal.call.get("key", TOKEN if refusal.host == "rest" else "k")
        )
        for _ in range(refusal.calls_before):
            client.messages.create(**question)
        with pytest.raises(CLASSES[refusal.status]) as caught:
            client.messages.create(**refused)
    assert (type(caught.value), caught.value.status_code) == (CLASSES[refusal.status], refusal.status)
    assert caught.value.body == refusal.body(model)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"extra_headers": {"aigw-local-fail": "529"}}, "overloaded_error"),
        ({"extra_headers": {"aigw-local-fail": "429"}}, "rate_limit_error"),
        ({"messages": []}, "invalid_request_error"),
    ],
    ids=["overloaded", "limited", "empty"],
)
def test_the_providers_own_error_has_its_type(client, known, call, error):
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**known | call)
    assert (caught.value.body["type"], caught.value.type) == ("error", error)


def test_the_sdk_tries_again_and_both_tries_are_logged(aigw_local, open_client, known, host, logs):
    client = open_client(aigw_local, host, max_retries=1)
    answer = client.messages.create(**known, extra_headers={"aigw-local-fail": "529x1"})
    assert answer.content[0].text == ANSWER
    assert [log["status_code"] for log in logs.newest()] == [200, 529]


@pytest.mark.parametrize("host", ["gateway"], indirect=True)
def test_a_cut_stream_is_an_error_after_what_came(open_client, known, read_logs):
    script = ScriptUpstream([{"pieces": ["Paris ", "is ", "the "], "cut": 2}])
    events = []
    with LocalGateway(upstream=script) as gateway, open_client(gateway).messages.stream(**known) as stream:
        with pytest.raises(Exception, match="closed connection"):
            events.extend(stream)
        log = read_logs(gateway).newest()[0]
    assert events[0].type == "message_start"
    assert log["success"] is False


def test_a_slow_answer_is_a_timeout(aigw_local, open_client, known, host):
    with pytest.raises(anthropic.APITimeoutError):
        open_client(aigw_local, host, timeout=0.2).messages.create(**known, extra_headers={"aigw-local-delay": "5000"})


async def test_the_async_client_streams_and_answers_alike(aigw_local, known, host):
    path, credential, _ = HOSTS[host]
    async with anthropic.AsyncAnthropic(
        **{credential: TOKEN}, base_url=aigw_local.base_url + path, max_retries=0
    ) as client:
        message = await client.messages.create(**known)
        async with client.messages.stream(**known) as stream:
            text = "".join([piece async for piece in stream.text_stream])
    assert message.content[0].text == text == ANSWER
