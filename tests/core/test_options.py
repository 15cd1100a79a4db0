"""Gateway options: every one as a header, every range at its edges, every refusal in words."""

import json
from types import MappingProxyType

import pytest

from aigw import ConfigurationError, gateway_options
from aigw._option_layers import context_options, merge_options
from aigw._options import check_options, encode_options

HEADERS = [
    ({"skip_cache": True}, [("cf-aig-skip-cache", "true")]),
    ({"skip_cache": False}, [("cf-aig-skip-cache", "false")]),
    ({"cache_ttl": 0}, [("cf-aig-cache-ttl", "0")]),
    ({"cache_ttl": 60}, [("cf-aig-cache-ttl", "60")]),
    ({"cache_ttl": 2_592_000}, [("cf-aig-cache-ttl", "2592000")]),
    ({"cache_key": "my key"}, [("cf-aig-cache-key", "my key")]),
    ({"collect_log": False}, [("cf-aig-collect-log", "false")]),
    ({"collect_log_payload": False}, [("cf-aig-collect-log-payload", "false")]),
    ({"metadata": {"user": "ann", "n": 1, "x": 0.5, "ok": True}}, [
        ("cf-aig-metadata", '{"user":"ann","n":1,"x":0.5,"ok":true}')
    ]),
    ({"event_id": "evt-1"}, [("cf-aig-event-id", "evt-1")]),
    ({"request_timeout_ms": 1}, [("cf-aig-request-timeout", "1")]),
    ({"retries": {"max_attempts": 5, "retry_delay_ms": 60_000, "backoff": "linear"}}, [
        ("cf-aig-max-attempts", "5"), ("cf-aig-retry-delay", "60000"), ("cf-aig-backoff", "linear")
    ]),
    ({"retries": {"max_attempts": 1, "retry_delay_ms": 0, "backoff": "constant"}}, [
        ("cf-aig-max-attempts", "1"), ("cf-aig-retry-delay", "0"), ("cf-aig-backoff", "constant")
    ]),
    ({"retries": {"backoff": "exponential"}}, [("cf-aig-backoff", "exponential")]),
    ({"custom_cost": {"per_token_in": 0.25, "per_token_out": 1}}, [
        ("cf-aig-custom-cost", '{"per_token_in":0.25,"per_token_out":1}')
    ]),
    ({"custom_cost": {"per_cache_read_token": 0, "per_cache_write_token": 2.5}}, [
        ("cf-aig-custom-cost", '{"per_cache_read_token":0,"per_cache_write_token":2.5}')
    ]),
    ({"custom_cost": {"total_cost": 3}}, [("cf-aig-custom-cost", '{"total_cost":3}')]),
    ({"byok_alias": "team-a"}, [("cf-aig-byok-alias", "team-a")]),
    ({"no_wholesale": True}, [("cf-aig-no-wholesale", "true")]),
    ({"zdr": True}, [("cf-aig-zdr", "true")]),
    ({"otel_trace_id": "0af7651916cd43dd8448eb211c80319c"}, [
        ("cf-aig-otel-trace-id", "0af7651916cd43dd8448eb211c80319c")
    ]),
    ({"otel_parent_span_id": "b7ad6b7169203331"}, [("cf-aig-otel-parent-span-id", "b7ad6b7169203331")]),
    ({"session_id": "s-1"}, [("cf-aig-session-id", "s-1")]),
    ({"turn_id": "t-1"}, [("cf-aig-turn-id", "t-1")]),
    ({"no_session_affinity": True}, [("cf-aig-no-session-affinity", "true")]),
    ({"allowed_models": ["openai/gpt-*", "xai/grok-3"]}, [("cf-aig-allowed-models", "openai/gpt-*,xai/grok-3")]),
    ({"allowed_providers": ["openai", "anthropic"]}, [("cf-aig-allowed-providers", "openai,anthropic")]),
    ({"id": "my-gateway"}, []),
    ({}, []),
]  # fmt: skip

REFUSED = [
    ({"cache_ttl": 59}, ("cache_ttl", "59", "60 to 2,592,000")),
    ({"cache_ttl": 1}, ("cache_ttl", "1", "60")),
    ({"cache_ttl": -1}, ("cache_ttl", "-1", "0")),
    ({"cache_ttl": 2_592_001}, ("cache_ttl", "2592001", "2,592,000")),
    ({"cache_ttl": 60.5}, ("cache_ttl", "60.5", "whole number")),
    ({"cache_ttl": "60"}, ("cache_ttl", "'60'", "whole number")),
    ({"cache_ttl": True}, ("cache_ttl", "True", "whole number")),
    ({"skip_cache": "yes"}, ("skip_cache", "'yes'", "True or False")),
    ({"skip_cache": 1}, ("skip_cache", "1", "True or False")),
    ({"collect_log": None}, ("collect_log", "None", "True or False")),
    ({"collect_log_payload": 0}, ("collect_log_payload", "0", "True or False")),
    ({"cache_key": ""}, ("cache_key", "''", "not empty")),
    ({"cache_key": "a\r\ncf-aig-zdr: true"}, ("cache_key", "printable ASCII")),
    ({"event_id": "a\nb"}, ("event_id", "printable ASCII")),
    ({"event_id": " a"}, ("event_id", "without space at either end")),
    ({"session_id": "naïve"}, ("session_id", "'naïve'", "ASCII")),
    ({"turn_id": "a\x00"}, ("turn_id", "printable")),
    ({"byok_alias": "a\x7f"}, ("byok_alias", "printable")),
    ({"id": "a/b"}, ("id", "'a/b'", "1 to 64")),
    ({"id": ""}, ("id", "''", "1 to 64")),
    ({"id": "a" * 65}, ("id", "1 to 64")),
    ({"request_timeout_ms": 0}, ("request_timeout_ms", "0", "1 or more")),
    ({"retries": {"max_attempts": 0}}, ("retries.max_attempts", "0", "1 to 5")),
    ({"retries": {"max_attempts": 6}}, ("retries.max_attempts", "6", "1 to 5")),
    ({"retries": {"retry_delay_ms": -1}}, ("retries.retry_delay_ms", "-1", "0 to 60,000")),
    ({"retries": {"retry_delay_ms": 60_001}}, ("retries.retry_delay_ms", "60001", "0 to 60,000")),
    ({"retries": {"backoff": "fast"}}, ("retries.backoff", "'fast'", "constant", "linear", "exponential")),
    ({"retries": 3}, ("retries", "3", "max_attempts")),
    ({"custom_cost": {"per_token_in": -0.1}}, ("custom_cost.per_token_in", "-0.1", "0 or more")),
    ({"custom_cost": {"total_cost": float("nan")}}, ("custom_cost.total_cost", "nan", "0 or more")),
    ({"custom_cost": {"total_cost": "1"}}, ("custom_cost.total_cost", "'1'", "a number")),
    ({"otel_trace_id": "0AF7651916CD43DD8448EB211C80319C"}, ("otel_trace_id", "32 lower-case")),
    ({"otel_trace_id": "0af7651916cd43dd8448eb211c80319c\n"}, ("otel_trace_id", "32 lower-case")),
    ({"otel_parent_span_id": "b7ad"}, ("otel_parent_span_id", "'b7ad'", "16 lower-case")),
    ({"allowed_models": []}, ("allowed_models", "[]", "not empty")),
    ({"allowed_models": ["a,b"]}, ("allowed_models", "none with a comma")),
    ({"allowed_models": "openai/*"}, ("allowed_models", "'openai/*'", "a list")),
    ({"allowed_providers": ["open\nai"]}, ("allowed_providers", "a list")),
    ({"metadata": {"a": None}}, ("metadata", "None", "no None")),
    ({"metadata": {"a": {"b": 1}}}, ("metadata", "no nesting")),
    ({"metadata": {"a": [1]}}, ("metadata", "no nesting")),
    ({"metadata": {"cf.user_id": "1"}}, ("metadata", "cf.user_id", "'cf.'")),
    ({"metadata": {"": "1"}}, ("metadata", "keys not empty")),
    ({"metadata": {1: "1"}}, ("metadata", "1", "keys")),
    ({"metadata": {"a": float("inf")}}, ("metadata", "inf", "finite")),
    ({"metadata": dict.fromkeys("abcdef", 1)}, ("metadata", "at most 5")),
    ({"metadata": "a=b"}, ("metadata", "'a=b'", "a dict")),
]  # fmt: skip

UNKNOWN = [
    ("skipCache", "skip_cache"),
    ("cacheTtl", "cache_ttl"),
    ("cacheTTL", "cache_ttl"),
    ("cacheKey", "cache_key"),
    ("collectLog", "collect_log"),
    ("eventId", "event_id"),
    ("requestTimeoutMs", "request_timeout_ms"),
    ("requestTimeout", "request_timeout_ms"),
    ("maxAttempts", "retries.max_attempts"),
    ("retryDelay", "retries.retry_delay_ms"),
    ("Metadata", "metadata"),
    ("gateway_id", "id"),
    ("cf-aig-skip-cache", "skip_cache"),
    ("skip_cach", "skip_cache"),
]


@pytest.mark.parametrize(("options", "headers"), HEADERS)
def test_an_option_becomes_its_header(options, headers):
    assert encode_options(check_options(options)) == headers


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_a_bad_value_is_refused_naming_the_option_the_value_and_the_range(options, words):
    with pytest.raises(ConfigurationError) as refusal:
        check_options(options)

    assert [word for word in words if word not in str(refusal.value)] == []


@pytest.mark.parametrize(("name", "right"), UNKNOWN)
def test_an_unknown_option_is_refused_with_the_right_name(name, right):
    with pytest.raises(ConfigurationError, match=f"unknown gateway option '{name}': did you mean '{right}'"):
        check_options({name: True})


@pytest.mark.parametrize(("name", "right"), [("maxAttempts", "max_attempts"), ("retryDelayMs", "retry_delay_ms")])
def test_an_unknown_key_of_retries_is_refused_with_the_right_name(name, right):
    with pytest.raises(ConfigurationError, match=f"unknown gateway option 'retries.{name}': did you mean '{right}'"):
        check_options({"retries": {name: 1}})


def test_an_option_in_the_wrong_place_is_named_once():
    with pytest.raises(ConfigurationError, match=r"unknown gateway option 'retries\.cache_ttl':"):
        check_options({"retries": {"cache_ttl": 60}})


def test_an_option_that_resembles_none_is_refused_with_the_list():
    with pytest.raises(ConfigurationError, match=r"unknown gateway option 'zzz': known are id, skip_cache, cache_ttl"):
        check_options({"zzz": 1})


@pytest.mark.parametrize("options", [[], "skip_cache", [("skip_cache", True)], 1])
def test_options_that_are_no_dict_are_refused(options):
    with pytest.raises(ConfigurationError, match="gateway options are a dict"):
        check_options(options)


def test_metadata_beyond_ascii_travels_as_json_escapes():
    ((_, value),) = encode_options(check_options({"metadata": {"Stadt": "Köln \U0001f600\n"}}))

    assert value == '{"Stadt":"K\\u00f6ln \\ud83d\\ude00\\n"}'
    assert json.loads(value) == {"Stadt": "Köln \U0001f600\n"}


def test_metadata_with_control_characters_is_safe_in_a_header():
    text = "".join(map(chr, range(0x20))) + "\x7f\x80\u2028\ud800"
    ((_, value),) = encode_options(check_options({"metadata": {text: text}}))

    assert all(" " <= character <= "~" for character in value)
    assert json.loads(value) == {text: text}


def test_metadata_keeps_the_types_of_its_values():
    checked = check_options({"metadata": {"a": True, "b": 1, "c": 1.0, "d": "1"}})

    assert [type(value) for value in checked["metadata"].values()] == [bool, int, float, str]


def test_later_layers_win_and_metadata_merges_key_by_key():
    client = check_options({"id": "a", "cache_ttl": 60, "metadata": {"team": "x", "user": "client"}})
    context = check_options({"cache_ttl": 120, "metadata": {"user": "context", "job": 1}})
    call = check_options({"skip_cache": True, "metadata": {"job": 2}})

    assert merge_options(client, context, call) == {
        "id": "a",
        "cache_ttl": 120,
        "skip_cache": True,
        "metadata": {"team": "x", "user": "context", "job": 2},
    }


def test_more_than_five_entries_after_merging_are_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"metadata has 6 entries .*\(a, b, c, d, e, f\).*at most 5"):
        merge_options({"metadata": dict.fromkeys("abc", 1)}, {"metadata": dict.fromkeys("def", 1)})


def test_the_callers_dicts_are_never_changed_nor_kept():
    given = {"metadata": {"a": 1}, "retries": {"max_attempts": 2}, "allowed_models": ["openai/*"]}
    checked = check_options(given)
    merge_options(checked, check_options({"metadata": {"b": 2}}))
    given["metadata"]["late"] = 1
    given["allowed_models"].append("late")

    assert checked == {"metadata": {"a": 1}, "retries": {"max_attempts": 2}, "allowed_models": ["openai/*"]}


def test_context_options_nest_and_end_with_their_block():
    with gateway_options({"cache_ttl": 60, "metadata": {"a": 1}}):
        with gateway_options({"metadata": {"b": 2}}):
            assert context_options() == {"cache_ttl": 60, "metadata": {"a": 1, "b": 2}}
        assert context_options() == {"cache_ttl": 60, "metadata": {"a": 1}}
    assert context_options() == {}


def test_bad_context_options_are_refused_where_they_are_given():
    with pytest.raises(ConfigurationError, match="cache_ttl"), gateway_options({"cache_ttl": 5}):
        pytest.fail("the block must not run")


def test_metadata_may_be_any_mapping_and_is_copied():
    given = {"user": "ann"}
    checked = check_options({"metadata": MappingProxyType(given)})
    given["user"] = "bob"

    assert checked == {"metadata": {"user": "ann"}}
    with pytest.raises(ConfigurationError, match="metadata cannot be"):
        check_options({"metadata": MappingProxyType({"a": None})})
