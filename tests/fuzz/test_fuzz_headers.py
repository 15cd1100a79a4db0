"""No header field breaks the gateway: every option with every kind of value, doubled fields, and any text at all."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

REQUESTS = json.loads(Path(__file__).with_name("requests.json").read_text())
ASKED = ("REST chat", "compat", "universal", "Anthropic's messages", "run")
OPTIONS = (
    *("cf-aig-cache-ttl", "cf-aig-skip-cache", "cf-aig-cache-key", "cf-cache-ttl", "cf-skip-cache"),
    *("cf-aig-collect-log", "cf-aig-collect-log-payload", "cf-aig-metadata", "cf-aig-custom-cost", "cf-aig-event-id"),
    *("cf-aig-request-timeout", "cf-aig-max-attempts", "cf-aig-retry-delay", "cf-aig-backoff", "cf-aig-gateway-id"),
    *("cf-aig-byok-alias", "cf-aig-no-wholesale", "cf-aig-zdr", "cf-aig-authorization", "cf-aig-otel-trace-id"),
    *("cf-aig-session-id", "cf-aig-turn-id", "cf-aig-no-session-affinity"),
    *("cf-aig-allowed-models", "cf-aig-allowed-providers", "payment-method", "payment-signature"),
    *("authorization", "x-api-key", "content-type", "user-agent", "cookie", "host", "aigw-local-fail"),
)
VALUES = (
    *("", " ", "x", "-1", "0", "59", "1.5", "1e9", "abc", "9" * 20, "9" * 5000, "\u00b2", "null", "true", "FALSE"),
    *("{}", "[]", "{", '{"a":null}', '{"a":{"b":1}}', '{"a":1e400}', '{"a":"\\ud800"}', '{"a":"é"}', '{"é":true}'),
    *('{"a":99999999999999999999999}', '{"cf.x":1,"a":1,"b":2,"c":3,"d":4,"e":5}', '{"per_token_in":"x"}'),
    *('{"per_token_in":1e308,"per_token_out":1e308}', '{"total_cost":-1}', '{"total_cost":1e308}'),
    *("é" * 10, "\xff\x01", "a" * 20_000, "Bearer", "Bearer  ", "bearer x", "openai/*,anthropic/*", "400x2,drop"),
)
latin_1 = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)


def ask(world, name, *fields):
    request = REQUESTS[name]
    given = (("authorization", "Bearer t"), ("cf-aig-gateway-id", "gw"), ("content-type", "application/json"), *fields)
    return world.ask(request["method"], request["path"], json.dumps(request["body"]).encode(), given)


@pytest.mark.parametrize("option", OPTIONS)
def test_any_value_of_an_option_is_answered(world, option):
    for index, value in enumerate(VALUES):
        ask(world, ASKED[index % len(ASKED)], (option, value))
        ask(world, ASKED[(index + 1) % len(ASKED)], (option, value), (option.title(), value))


def test_any_fields_are_answered(world, profile):
    @profile
    @given(st.sampled_from(ASKED), st.lists(st.tuples(st.sampled_from(OPTIONS[:-1]), latin_1), max_size=8))
    def examples(name, fields):
        ask(world, name, *fields)

    examples()


def test_a_thousand_fields_are_answered(world):
    ask(world, "REST chat", *((f"x-field-{number}", "é") for number in range(1000)))
    ask(world, "REST chat", *(("cf-aig-metadata", '{"a":1}') for _ in range(1000)))


def test_whatever_the_caller_calls_an_event_comes_back_as_a_header_can_carry_it(world, profile):
    @profile
    @given(latin_1)
    def examples(event_id):
        told = ask(world, "REST chat", ("cf-aig-event-id", event_id)).headers["cf-aig-event-id"]
        assert told.isascii()
        assert told.isprintable()

    examples()
