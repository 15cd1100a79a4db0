"""A model that no client could be made for: refused where it is made, in one wording, and no client is made."""

import asyncio

import httpx
import pytest

import aigw

WRONG = [
    ("timeout", "x", "timeout cannot be 'x': it is seconds above 0"),
    ("timeout", -1, "timeout cannot be -1"),
    ("gateway_id", "a b", "gateway_id cannot be 'a b'"),
    ("account_id", "../x", "account_id cannot be these 4 characters"),
    ("api_token", "with space", "api_token has a space"),
    ("provider_key", "with space", "provider_key has a space"),
    ("gateway_options", {"skipCache": True}, "did you mean 'skip_cache'"),
    ("gateway_options", {"cache_ttl": 1}, "cache_ttl"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_what_cannot_be_is_refused_when_the_model_is_made(make, name, value, message):
    with pytest.raises(aigw.ConfigurationError, match=message) as caught:
        make(**{name: value})
    assert "with space" not in str(caught.value)


def test_a_client_of_the_other_kind_is_refused_when_the_model_is_made(make, http_client):
    with pytest.raises(aigw.ConfigurationError, match="Client"):
        make(http_async_client=http_client)
    client = httpx.AsyncClient()
    with pytest.raises(aigw.ConfigurationError, match="Client"):
        make(http_client=client)
    asyncio.run(client.aclose())


def test_embeddings_are_refused_alike(adapter):
    with pytest.raises(aigw.ConfigurationError, match="timeout cannot be 'x'"):
        adapter.make_embeddings(model="openai/text-embedding-3-small", timeout="x")


def test_credentials_may_come_after_the_model_is_made(adapter, gateway, monkeypatch):
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    model = adapter.make(model="openai/gpt-5-mini", base_url=gateway.base_url)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acct")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "test-token")
    adapter.ask(model)
    model.close()
    assert len(gateway.requests) == 1
