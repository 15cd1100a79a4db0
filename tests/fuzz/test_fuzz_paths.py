"""No path, method or query breaks the gateway, and a log is found by any filter that is allowed."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.local._logs._query import KINDS

MANAGEMENT = "/client/v4/accounts/acct/ai-gateway"
LOGS = f"{MANAGEMENT}/gateways/gw/logs"
BASES = (
    "",
    "/v1",
    "/v1/acct/gw",
    "/client/v4",
    "/client/v4/accounts/acct/ai",
    MANAGEMENT,
    f"{MANAGEMENT}/gateways",
    LOGS,
)
SEGMENTS = (
    *("", ".", "..", "%2e%2e", "%2F", "%00", "%ff", "%", "%zz", "%25", "é", "\\", "?", "#", ";a", "*", "a" * 5000, " "),
    *(
        "compat",
        "chat",
        "completions",
        "openai",
        "logs",
        "gateways",
        "run",
        "@cf",
        "ai",
        "ai-gateway",
        "url",
        "v1",
        "-",
    ),
    *("provider_configs", "datasets", "universal", "custom-", "custom-x", "workers-ai", "embeddings", "openapi.json"),
    *("evaluation-types", "google-ai-studio", "aws-bedrock", "request", "response", "http:", "[::1", "@evil"),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "CONNECT", "get", "")
BODIES = (b"", b"{}", b"[]", b'{"model":"openai/m","messages":[{"role":"user","content":"x"}]}')
VALUES = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, "", "x", "\0", "%", "_", "é", "nan", "inf", "1e400", "\ud800"),
    *("2020-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2020-01-01T00:00:00Z"),
    *([], ["a", 1], [[1]], [None], {}),
)
TEXTS = (
    *("", "0", "-1", "1", "50", "51", "1e3", "9" * 23, "abc", "%00", "%ff", "%ED%A0%80", "true", "asc", "created_at"),
    *("2020-01-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00%2B23:59", "[", "[]", "[1]", "null", "%", "é"),
)
PARAMETERS = (
    *("filters", "page", "per_page", "order_by", "order_by_direction", "direction", "search", "meta_info", "limit"),
    *("cached", "success", "feedback", "start_date", "end_date", "min_cost", "max_cost", "min_tokens_in", "provider"),
    *("filters.key", "filters.operator", "filters.value"),
)


def test_any_path_and_method_is_answered(world, profile):
    @profile
    @given(
        *(st.sampled_from(METHODS), st.sampled_from(BASES), st.sampled_from(BODIES)),
        st.lists(st.sampled_from(SEGMENTS) | texts.map(quote), max_size=5),
    )
    def examples(method, base, body, segments):
        world.ask(method, f"{base}/{'/'.join(segments)}", body)

    examples()


@pytest.mark.parametrize("base", BASES)
def test_any_segment_is_answered(world, base):
    for first in SEGMENTS:
        for method in METHODS[:5]:
            world.ask(method, f"{base}/{first}", BODIES[1])
            world.ask(method, f"{base}/{first}/x", BODIES[3])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("key", sorted(KINDS))
def test_any_filter_is_answered_or_refused(world, method, key):
    for operator in ("eq", "neq", "contains", "lt", "gt", "", None):
        for value in VALUES:
            filters = quote(json.dumps([{"key": key, "operator": operator, "value": value}]))
            status = world.ask(method, f"/client/v4/accounts/none/ai-gateway/gateways/gw/logs?filters={filters}").status
            assert status in (200, 400)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_any_parameter_of_a_list_is_answered_or_refused(world, parameter):
    for text in TEXTS:
        assert world.ask("GET", f"{LOGS}?{parameter}={text}").status in (200, 400)
        assert world.ask("GET", f"{MANAGEMENT}/gateways?{parameter}={text}").status in (200, 400)
        assert world.ask("GET", f"{MANAGEMENT}/gateways/gw/provider_configs?{parameter}={text}").status in (200, 400)


def test_any_query_is_answered_or_refused(world, profile):
    @profile
    @given(st.lists(st.tuples(st.sampled_from(PARAMETERS), texts.map(quote)), max_size=4))
    def examples(pairs):
        query = "&".join(f"{name}={value}" for name, value in pairs)
        assert world.ask("GET", f"{LOGS}?{query}").status in (200, 400)

    examples()
