"""The pure parts: ids, options, settings, routes, model names."""

import uuid

import pytest

from aigw.local._call_options import CallOptions, read_options
from aigw.local._ids import new_id
from aigw.local._native._stream import NativeCodec
from aigw.local._routes import Surface, find_target, gateway_url, native_surface
from aigw.local._routing._model_names import ModelName, read_model
from aigw.local._settings._directory import Directory
from aigw.local._settings._gateway_settings import GatewaySettings
from aigw.local._spending._usage import Usage, custom_cost, read_usage


def test_an_id_holds_the_time_and_is_of_version_7():
    parsed = uuid.UUID(new_id(1_700_000_000_123_000_000))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == 1_700_000_000_123


def test_ids_of_one_millisecond_sort_by_time():
    ids = [new_id(1_700_000_000_123_000_000 + number * 1000) for number in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


def test_no_header_is_no_option():
    assert read_options({}) == CallOptions()


def test_every_option_has_its_header():
    assert read_options(
        {
            "cf-aig-skip-cache": "true",
            "cf-aig-cache-ttl": "120",
            "cf-aig-cache-key": "k",
            "cf-aig-collect-log": "false",
            "cf-aig-collect-log-payload": "false",
            "cf-aig-metadata": '{"a":1}',
            "cf-aig-event-id": "e",
            "cf-aig-custom-cost": '{"per_token_in":0.1,"note":"x"}',
            "cf-aig-request-timeout": "500",
            "cf-aig-max-attempts": "3",
            "cf-aig-retry-delay": "250",
            "cf-aig-backoff": "linear",
        }
    ) == CallOptions(
        skip_cache=True,
        cache_ttl=120,
        cache_key="k",
        collect_log=False,
        collect_log_payload=False,
        metadata={"a": 1},
        event_id="e",
        custom_cost={"per_token_in": 0.1},
        request_timeout=500,
        max_attempts=3,
        retry_delay=250,
        backoff="linear",
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"cf-aig-skip-cache": "yes"},
        {"cf-aig-cache-ttl": "-1"},
        {"cf-aig-cache-ttl": "1e3"},
        {"cf-aig-max-attempts": "٣"},
        {"cf-aig-backoff": "random"},
        {"cf-aig-metadata": "null"},
        {"cf-aig-custom-cost": "7"},
    ],
)
def test_what_cannot_be_read_is_as_good_as_absent_and_warned_of(headers, caplog):
    assert read_options(headers) == CallOptions()
    assert next(iter(headers)) in caplog.text


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cf-aig-max-attempts": "9"}, CallOptions(max_attempts=5)),
        ({"cf-aig-retry-delay": "70000"}, CallOptions(retry_delay=60_000)),
        ({"cf-aig-cache-ttl": "59"}, CallOptions(cache_ttl=60)),
        ({"cf-aig-cache-ttl": "0"}, CallOptions(cache_ttl=0)),
    ],
)
def test_numbers_are_brought_into_range(headers, expected):
    assert read_options(headers) == expected


def test_a_gateways_own_settings_come_before_the_common_ones():
    directory = Directory.read({"cache_ttl": 60, "collect_logs": False}, {"a": {"cache_ttl": 5}, "b": {}})
    common = GatewaySettings(cache_ttl=60, collect_logs=False)
    assert directory.settings("acct", "a") == GatewaySettings(cache_ttl=5, collect_logs=False)
    assert directory.settings("acct", "b") == directory.settings("acct", "default") == common
    assert [directory.find("acct", name, 0) is not None for name in ("a", "default", "c")] == [True, True, False]


@pytest.mark.parametrize(
    ("method", "path", "kind", "host"),
    [
        ("GET", "/", "index", "rest"),
        ("POST", "/v1/a/g", "universal", "gateway"),
        ("POST", "/v1/a/g/", "universal", "gateway"),
        ("POST", "/v1/a/g/openai/chat/completions?x=1", "model", "gateway"),
        ("GET", "/v1/a/g/openai/models", "model", "gateway"),
        ("OPTIONS", "/v1/a/g/openai/models", "nothing", "gateway"),
        ("POST", "/client/v4/accounts/a/ai/run", "model", "rest"),
        ("POST", "/client/v4/accounts/a/ai/run/@cf/a/b", "model", "rest"),
        ("PATCH", "/client/v4/accounts/a/ai-gateway/gateways/g/logs/1", "logs", "rest"),
        ("GET", "/client/v4/accounts/a/ai-gateway/gateways/g/url/openai", "url", "rest"),
        ("POST", "/client/v4/accounts/a/ai-gateway/gateways", "gateways", "rest"),
        ("PUT", "/client/v4/accounts/a/ai-gateway/gateways/g", "gateways", "rest"),
        ("GET", "/client/v4/accounts/a/ai-gateway/gateways/g/provider_configs", "provider_configs", "rest"),
        ("GET", "/client/v4/accounts/a/ai-gateway/gateways/g/datasets", "planned", "rest"),
        ("GET", "/client/v4/accounts/a/ai-gateway/gateways/g/logsmith", "planned", "rest"),
        ("GET", "/v1", "nothing", "gateway"),
        ("GET", "/v10", "nothing", "rest"),
        ("BREW", "/", "nothing", "rest"),
    ],
)
def test_every_path_has_its_target(method, path, kind, host):
    target = find_target(method, f"http://localhost{path}")
    assert (target.kind, target.host) == (kind, host)


def test_a_target_names_account_gateway_and_the_rest():
    target = find_target("GET", "/client/v4/accounts/acct/ai-gateway/gateways/my-gw/logs/log-1/request?x=1")
    assert (target.account_id, target.gateway_id, target.rest) == ("acct", "my-gw", "/log-1/request")


def test_a_path_below_a_provider_is_a_surface():
    assert native_surface("openai", "v1/responses") == Surface(
        "responses", "native", provider="openai", endpoint="v1/responses", raw="v1/responses"
    )
    assert native_surface("workers-ai", "run/@cf/a/b").model == "@cf/a/b"
    assert native_surface("compat", "embeddings").grammar == "compat"


@pytest.mark.parametrize(
    ("provider", "url"),
    [("", "http://x/v1/a/g/"), ("universal", "http://x/v1/a/g/"), ("openai", "http://x/v1/a/g/openai")],
)
def test_the_address_of_a_gateway_ends_in_a_slash_and_a_providers_does_not(provider, url):
    assert gateway_url("http://x", "a", "g", provider) == url


def test_a_model_has_a_provider_and_a_logged_name():
    assert read_model("rest", "", "xai/grok-3") == ModelName("xai/grok-3", "grok", "xai/grok-3")
    assert read_model("compat", "", "workers-ai/@cf/a/m") == ModelName("workers-ai/@cf/a/m", "workers-ai", "@cf/a/m")
    assert read_model("native", "openai", "gpt-5") == ModelName("gpt-5", "openai", "openai/gpt-5")
    assert read_model("compat", "", "workers-ai/@cf/a/m").for_upstream("local") == "@cf/a/m"


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}, Usage(3, 4)),
        ({"usage": {"prompt_tokens": 3, "total_tokens": 3}}, Usage(3, 0)),
        ({"usage": None}, None),
        ({"usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 2}}, Usage(5, 4, 2)),
        (
            {"usage": {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 2}}},
            Usage(3, 4, 2),
        ),
        ({"response": {"usage": {"input_tokens": 3, "output_tokens": 4}}}, Usage(3, 4)),
        ({"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4}}, Usage(3, 4)),
        ({"usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 1}}, Usage(4, 4, 1)),
        ({"usage": {"tokens": {"input_tokens": 3.0, "output_tokens": 4.0}}}, Usage(3, 4)),
        ({"meta": {"billed_units": {"input_tokens": 3}}}, Usage(3, 0)),
        ({"usage": {"characters": 3}, "message": "x"}, None),
        ({}, None),
    ],
)
def test_usage_is_read_from_an_answer(answer, usage):
    assert read_usage(answer) == usage


def test_unreported_tokens_have_no_custom_cost():
    assert custom_cost({"per_token_in": 1.0}, Usage()) is None


def test_a_later_report_of_tokens_completes_an_earlier_one():
    assert Usage(None, 5).over(Usage(10, 1, 3)) == Usage(10, 5, 3)
    assert Usage(1, 2).over(None) == Usage(1, 2)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_native_stream_is_read_wherever_it_is_cut(cut):
    array = b'[{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4},"modelVersion":"g"}]'
    for media_type, data in [("application/json", array), ("text/event-stream", b"data: " + array[1:-1] + b"\n\n")]:
        codec = NativeCodec(media_type)
        assert codec.feed(data[:cut]) + codec.feed(data[cut:]) + codec.close() == data
        assert (codec.usage, codec.model, codec.finished, codec.failed) == (Usage(3, 4), "g", True, False)


@pytest.mark.parametrize(
    ("event", "done", "failed"),
    [
        (b"data: [DONE]\n\n", True, False),
        (b'data: {"type":"message_stop"}\n\n', True, False),
        (b'data: {"type":"response.failed"}\n\n', False, True),
        (b'data: {"error":{"message":"x"}}\n\n', False, True),
        (b"data: no json\n\n", False, False),
    ],
)
def test_a_native_stream_says_when_it_ends_or_fails(event, done, failed):
    codec = NativeCodec("text/event-stream")
    codec.feed(event)
    assert (codec.done, codec.failed) == (done, failed)
