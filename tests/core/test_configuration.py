"""What a client is made of: arguments, environment, what is missing, and what cannot be."""

import math

import httpx
import pytest
from pydantic import SecretStr

from aigw import AIGateway, AsyncAIGateway, ConfigurationError

CHAT = {"model": "openai/gpt-5-mini", "messages": []}


@pytest.fixture(params=[AIGateway, AsyncAIGateway])
def client_class(request):
    return request.param


def test_nothing_is_needed_to_make_a_client(client_class):
    client = client_class()

    assert (client.account_id, client.gateway_id, client.log_id) == ("", "default", None)


def test_the_environment_names_account_gateway_and_base_url(client_class, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "env-account")
    monkeypatch.setenv("CLOUDFLARE_AI_GATEWAY_ID", "env-gateway")
    monkeypatch.setenv("AIGW_BASE_URL", "http://127.0.0.1:1/")

    assert repr(client_class()) == (
        f"{client_class.__name__}('env-account', gateway_id='env-gateway', base_url='http://127.0.0.1:1')"
    )


def test_an_argument_wins_over_the_environment(client_class, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "env-account")
    monkeypatch.setenv("CLOUDFLARE_AI_GATEWAY_ID", "env-gateway")

    assert repr(client_class("mine", gateway_id="gw")) == f"{client_class.__name__}('mine', gateway_id='gw')"


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"api_token": "t"}, "CLOUDFLARE_ACCOUNT_ID"),
        ({"account_id": "a"}, "CLOUDFLARE_API_TOKEN"),
    ],
)
async def test_what_is_missing_is_told_by_the_first_call_naming_the_variable(driver, wire, settings, variable):
    client = driver.client("http://127.0.0.1:1", **{"account_id": None, "api_token": None, **settings})

    for call in (
        lambda: client.chat(wire.chat),
        lambda: client.run("@cf/a/b", {"prompt": "Hi"}),
        lambda: client.gateway().get_log("1"),
        lambda: client.gateway().run([{"provider": "openai", "endpoint": "responses", "query": {}}]),
    ):
        with pytest.raises(ConfigurationError, match=variable):
            await driver.done(call())


async def test_a_url_needs_an_account_and_no_token(driver):
    client = driver.client("http://127.0.0.1:1", api_token=None)

    assert await driver.done(client.gateway("g").get_url("openai")) == "http://127.0.0.1:1/v1/acct/g/openai"


async def test_the_token_of_the_environment_is_used(driver, server, wire, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "env-token")
    server.will(wire.json(wire.completion()))

    await driver.done(driver.client(server, api_token=None).chat(wire.chat))

    assert server.last.header("authorization") == "Bearer env-token"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"account_id": "a/b"}, "account_id cannot be these 3 characters"),
        ({"gateway_id": "a b"}, "gateway_id cannot be 'a b'"),
        ({"gateway_id": "a" * 65}, "1 to 64"),
        ({"api_token": "a b"}, "api_token has a space"),
        ({"api_token": "tök"}, "api_token has a space or a character"),
        ({"logs_token": "a\nb"}, "logs_token has a space"),
        ({"provider_key": "a\r\nx: y"}, "provider_key has a space"),
        ({"base_url": "localhost:8787"}, "base_url cannot be 'localhost:8787'"),
        ({"base_url": "ftp://host"}, "it is an origin"),
        ({"base_url": "http://host?x=1"}, "it is an origin"),
        ({"base_url": "http://host:port"}, "it is an origin"),
        ({"base_url": "http://:8787"}, "it is an origin"),
        (
            {"base_url": "http://user:pass@host"},
            "base_url cannot be 'http://***@host': it is an origin without a password",
        ),
        ({"max_retries": -1}, "max_retries cannot be -1"),
        ({"max_retries": True}, "max_retries cannot be True"),
        ({"max_retries": 1.5}, "max_retries cannot be 1.5"),
        ({"options": {"cacheTtl": 60}}, "did you mean 'cache_ttl'"),
        ({"options": {"cache_ttl": 5}}, "cache_ttl cannot be 5"),
        ({"http_client": object()}, "http_client cannot be a object"),
        ({"http_client": "http://proxy"}, "http_client cannot be a str"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_at_once(client_class, settings, words):
    with pytest.raises(ConfigurationError) as refusal:
        client_class(**settings)

    assert words in str(refusal.value)


@pytest.mark.parametrize("secret", ["api_token", "logs_token", "provider_key"])
def test_a_refused_secret_is_not_repeated(client_class, secret):
    with pytest.raises(ConfigurationError) as refusal:
        client_class(**{secret: "sec ret"})

    assert "sec" not in str(refusal.value).replace("secret", "")


@pytest.mark.parametrize("gateway_id", ["a b", "a/b", "ä", 5])
def test_a_gateway_has_an_id(client_class, gateway_id):
    with pytest.raises(ConfigurationError, match="gateway_id cannot be"):
        client_class().gateway(gateway_id)


def test_a_gateway_without_an_id_is_the_clients(client_class):
    assert client_class(gateway_id="mine").gateway().gateway_id == "mine"
    assert client_class(gateway_id="mine").gateway("other").gateway_id == "other"


async def test_a_run_that_would_stream_is_told_what_streams(driver, server):
    with pytest.raises(ConfigurationError, match="leave 'stream' out, or use stream_run"):
        await driver.done(driver.client(server).run("@cf/a/b", {"prompt": "Hi", "stream": True}))
    await driver.done(driver.client(server).run("@cf/a/b", {"prompt": "Hi", "stream": False}))

    assert server.last.json["input"] == {"prompt": "Hi", "stream": False}


async def test_bad_calls_are_refused_before_any_request(driver, server, wire):
    client = driver.client(server)
    gateway = client.gateway()
    calls = [
        lambda: client.run("@cf/a/b", "a prompt"),
        lambda: client.run("llama", {}),
        lambda: client.run("@cf/a/b", {"prompt": "Hi", "stream": True}),
        lambda: client.chat({"messages": []}),
        lambda: client.chat("Hi"),
        lambda: client.chat({**wire.chat, "stream": True}),
        lambda: client.chat({**wire.chat, "user": object()}),
        lambda: client.chat(wire.chat, gateway={"cache_ttl": 5}),
        lambda: client.chat(wire.chat, gateway={"skipCache": True}),
        lambda: client.chat(wire.chat, surface="direct"),
        lambda: client.stream_chat(wire.chat, gateway={"id": ""}),
        lambda: client.embed({"input": "Hi"}),
        lambda: gateway.run([]),
        lambda: gateway.patch_log("1"),
        lambda: gateway.get_log(""),
        lambda: gateway.get_log("1", wait=-1),
        lambda: gateway.list_logs(per_page=51),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError):
            await driver.done(call())

    assert server.requests == []


@pytest.mark.parametrize("name", ["account_id", "api_token", "gateway_id", "logs_token", "provider_key", "base_url"])
@pytest.mark.parametrize("value", [5, b"text", ["text"], SecretStr("never shown")])
def test_what_is_text_is_refused_as_anything_else_and_not_shown(client_class, name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} cannot be a {type(value).__name__}: it is text$"):
        client_class(**{name: value})


@pytest.mark.parametrize(
    "timeout", [0, -1, True, "5", (), math.nan, math.inf, 10**30, [None], httpx.Timeout(5, connect=0)]
)
def test_a_timeout_that_cannot_be_is_refused_before_any_request(client_class, timeout):
    with pytest.raises(ConfigurationError, match=r"^timeout cannot be .*: it is seconds above 0"):
        client_class(timeout=timeout)


@pytest.mark.parametrize("timeout", [None, 5, 0.5, (1, 2), (1, None, 2, 3), httpx.Timeout(5, read=None)])
def test_a_timeout_is_seconds_none_or_one_of_httpx(client_class, timeout):
    assert client_class(timeout=timeout).account_id == ""
