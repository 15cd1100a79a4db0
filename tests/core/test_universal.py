"""The universal endpoint: steps as they go over the wire, and steps that are refused."""

import json

import pytest

from aigw import ConfigurationError
from aigw._account import Account
from aigw._calls import _universal

ACCOUNT = Account("acct", "cf-token", "gw", provider_key="own-key")
STEP = {"provider": "openai", "endpoint": "chat/completions", "query": {"model": "gpt-5-mini", "messages": []}}
WIRE = {**STEP, "headers": {}}


def sent(*steps, options=None):
    request = _universal.run_steps(ACCOUNT, options or {}, list(steps)).request
    return request, json.loads(request.content)


def test_the_request_goes_to_the_gateway_itself_with_the_gateways_token_alone():
    request, body = sent(STEP, options={"id": "other", "event_id": "evt"})

    assert (request.method, request.url) == ("POST", "https://gateway.ai.cloudflare.com/v1/acct/other")
    assert request.headers == (
        ("cf-aig-authorization", "Bearer cf-token"),
        ("content-type", "application/json"),
        ("cf-aig-event-id", "evt"),
    )
    assert body == [WIRE]


def test_steps_keep_their_order():
    second = {"provider": "workers-ai", "endpoint": "@cf/a/b", "query": {"prompt": "Hi"}}

    assert [entry["provider"] for entry in sent(STEP, second)[1]] == ["openai", "workers-ai"]


@pytest.mark.parametrize(
    "config",
    [
        {"request_timeout_ms": 1000, "max_attempts": 2, "retry_delay_ms": 500, "backoff": "linear"},
        {"requestTimeout": 1000, "maxAttempts": 2, "retryDelay": 500, "backoff": "linear"},
    ],
)
def test_a_steps_config_is_understood_in_both_spellings(config):
    assert sent({**STEP, "config": config})[1][0]["config"] == {
        "requestTimeout": 1000,
        "maxAttempts": 2,
        "retryDelay": 500,
        "backoff": "linear",
    }


def test_header_values_become_text():
    headers = {"Authorization": "Bearer own", "x-count": 3, "x-flag": True, "x-part": 0.5, "x-map": {"ö": 1}}

    assert sent({**STEP, "headers": headers})[1][0]["headers"] == {
        "Authorization": "Bearer own",
        "x-count": "3",
        "x-flag": "true",
        "x-part": "0.5",
        "x-map": '{"\\u00f6":1}',
    }


def test_a_content_type_of_the_steps_own_stays():
    headers = {"content-type": "text/plain"}

    assert sent({**STEP, "headers": headers})[1][0]["headers"] == headers


def test_a_steps_own_gateway_options_travel_as_its_headers():
    entry = sent({**STEP, "options": {"cache_ttl": 0, "metadata": {"a": 1}}})[1][0]

    assert entry["headers"]["cf-aig-cache-ttl"] == "0"
    assert entry["headers"]["cf-aig-metadata"] == '{"a":1}'
    assert "options" not in entry


def test_one_step_may_stand_alone():
    request = _universal.run_steps(ACCOUNT, {}, STEP).request

    assert json.loads(request.content) == [WIRE]


def test_a_streamed_request_asks_in_every_query_and_leaves_the_callers_alone():
    steps = [STEP, {**STEP, "provider": "groq"}]
    request = _universal.stream_steps(ACCOUNT, {}, steps).request

    assert [entry["query"]["stream"] for entry in json.loads(request.content)] == [True, True]
    assert "stream" not in STEP["query"]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "at least one step"),
        ([{**STEP, "query": {"stream": True}}], "leave 'stream' out of the queries, or use stream_run"),
        (None, "steps are a list of dicts, not NoneType"),
        ("openai", "step 0"),
        ([{"provider": "openai", "query": {}}], "step 0: endpoint: field required"),
        ([STEP, {"endpoint": "x", "query": {}}], "step 1: provider: field required"),
        ([{**STEP, "provider": 5}], "step 0: provider"),
        ([{**STEP, "authorization": "Bearer x"}], "step 0: authorization"),
        ([{**STEP, "headers": "a: b"}], "step 0: headers"),
        ([{**STEP, "headers": {"a": object()}}], "a header of a step is neither text nor JSON"),
        ([{**STEP, "config": {"max_attempts": 6}}], "max_attempts cannot be 6"),
        ([{**STEP, "config": {"maxAttempts": 0}}], "max_attempts cannot be 0"),
        ([{**STEP, "config": {"requestTimeout": 0}}], "request_timeout_ms cannot be 0"),
        ([{**STEP, "config": {"retryDelayMs": 1}}], "did you mean 'retry_delay_ms'"),
        ([{**STEP, "options": {"cacheTtl": 60}}], "did you mean 'cache_ttl'"),
        ([{**STEP, "query": {"x": object()}}], "the request is not JSON"),
    ],
)
def test_a_step_that_cannot_work_is_refused(steps, words):
    with pytest.raises(ConfigurationError) as refusal:
        _universal.run_steps(ACCOUNT, {}, steps)

    assert words in str(refusal.value)


def test_a_query_that_is_no_object_cannot_stream():
    with pytest.raises(ConfigurationError, match="has a dict as query, not str"):
        _universal.stream_steps(ACCOUNT, {}, [{**STEP, "query": "Hi"}])


def test_a_refusal_repeats_no_key_of_a_step():
    with pytest.raises(ConfigurationError) as refusal:
        sent({**STEP, "headers": {"Authorization": "Bearer own-secret"}, "endpoint": 5})

    assert "own-secret" not in str(refusal.value)


def test_the_keys_of_the_steps_are_among_the_secrets():
    step = {**STEP, "headers": {"Authorization": "Bearer step-key", "x-api-key": "other-key", "x-plain": "seen"}}

    assert set(_universal.run_steps(ACCOUNT, {}, [step]).secrets) == {"cf-token", "own-key", "step-key", "other-key"}
