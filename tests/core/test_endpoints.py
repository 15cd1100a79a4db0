"""Where each call goes, how the model is named there, and which credentials travel: one golden table."""

from urllib.parse import urlsplit

import pytest

from aigw import ConfigurationError
from aigw._account import Account
from aigw._calls import _model_calls
from aigw._http import SECRET_HEADERS
from aigw._json import parse_json
from aigw._providers import PROVIDERS

REST = "/client/v4/accounts/acct/ai/"
HOST = "/v1/acct/gw/"
REST_CHAT = REST + "v1/chat/completions"
COMPAT = HOST + "compat/chat/completions"
OWN = "own-key"
SAME = None
REST_TOKEN = {"authorization": "Bearer cf-token"}
TOKEN = {"cf-aig-authorization": "Bearer cf-token"}
KEY = {**TOKEN, "authorization": "Bearer own-key"}
X_KEY = {**TOKEN, "x-api-key": "own-key"}
LLAMA = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"

GOES = [
    # operation, model, own key, alias, surface -> path, the model's name there, credentials
    ("run", "openai/gpt-4.1", None, None, None, REST + "run", SAME, REST_TOKEN),
    ("run", LLAMA, None, None, None, REST + "run", SAME, REST_TOKEN),
    ("run", "google/nano-banana", None, None, None, REST + "run", SAME, REST_TOKEN),
    ("chat", "openai/gpt-4.1", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "anthropic/claude-4.5", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "google/gemini-3-flash", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "xai/grok-3", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "alibaba/qwen3-max", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "deepseek/deepseek-chat", None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", LLAMA, None, None, None, REST_CHAT, SAME, REST_TOKEN),
    ("chat", "openai/gpt-4.1", None, "default", None, REST_CHAT, SAME, REST_TOKEN),
    ("responses", "openai/gpt-4.1", None, None, None, REST + "v1/responses", SAME, REST_TOKEN),
    ("responses", LLAMA, None, None, None, REST + "v1/responses", SAME, REST_TOKEN),
    ("messages", "anthropic/claude-4.5", None, None, None, REST + "v1/messages", SAME, REST_TOKEN),
    ("embeddings", "@cf/b/bge", None, None, None, REST + "v1/embeddings", SAME, REST_TOKEN),
    ("embeddings", "openai/text-embed-3", None, None, None, REST + "v1/embeddings", SAME, REST_TOKEN),
    ("chat", "dynamic/support", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "cloudflare/auto", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "custom-mine/m1", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "google-ai-studio/gemini-2.5-flash", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "google-vertex-ai/google/gemini-2.5-pro", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "workers-ai/" + LLAMA, None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "aws-bedrock/us.anthropic.claude-3", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "grok/grok-3", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "groq/llama-3.3-70b", None, None, None, COMPAT, SAME, TOKEN),
    ("chat", "openai/gpt-5-mini", OWN, None, None, COMPAT, SAME, KEY),
    ("chat", "anthropic/claude-sonnet-4-5", OWN, None, None, COMPAT, SAME, KEY),
    ("chat", "google-ai-studio/gemini-2.5-flash", OWN, None, None, COMPAT, SAME, KEY),
    ("chat", "custom-mine/m1", OWN, None, None, COMPAT, SAME, KEY),
    ("chat", "openai/gpt-5-mini", None, None, "compat", COMPAT, SAME, TOKEN),
    ("chat", "openai/gpt-5-mini", None, None, "native", HOST + "openai/chat/completions", "gpt-5-mini", TOKEN),
    ("chat", "openai/gpt-5-mini", None, "team", None, HOST + "openai/chat/completions", "gpt-5-mini", TOKEN),
    ("chat", "grok/grok-3", None, "team", None, HOST + "grok/v1/chat/completions", "grok-3", TOKEN),
    ("chat", "xai/grok-3", None, None, "native", HOST + "grok/v1/chat/completions", "grok-3", TOKEN),
    ("chat", "groq/llama-3.3-70b", None, None, "native", HOST + "groq/chat/completions", "llama-3.3-70b", TOKEN),
    ("chat", "perplexity-ai/sonar", OWN, None, "native", HOST + "perplexity-ai/chat/completions", "sonar", KEY),
    ("chat", LLAMA, None, None, "native", HOST + "workers-ai/v1/chat/completions", SAME, TOKEN),
    ("chat", "workers-ai/" + LLAMA, None, None, "native", HOST + "workers-ai/v1/chat/completions", LLAMA, TOKEN),
    ("responses", "openai/gpt-5-mini", OWN, None, None, HOST + "openai/responses", "gpt-5-mini", KEY),
    ("responses", "grok/grok-3", None, None, None, HOST + "grok/v1/responses", "grok-3", TOKEN),
    ("messages", "anthropic/claude-4", OWN, None, None, HOST + "anthropic/v1/messages", "claude-4", X_KEY),
    ("messages", "anthropic/claude-4", None, "team", None, HOST + "anthropic/v1/messages", "claude-4", TOKEN),
    ("embeddings", "openai/text-embed-3", OWN, None, None, HOST + "openai/embeddings", "text-embed-3", KEY),
    ("embeddings", "workers-ai/@cf/b/bge", None, None, None, HOST + "workers-ai/v1/embeddings", "@cf/b/bge", TOKEN),
    ("embeddings", "openai/text-embed-3", None, "team", None, HOST + "openai/embeddings", "text-embed-3", TOKEN),
    ("embeddings", "custom-mine/e1", None, None, "compat", HOST + "compat/embeddings", SAME, TOKEN),
]  # fmt: skip


REFUSED = [
    ("run", "gpt-4.1", None, None, None, "'gpt-4.1' has no author"),
    ("run", "openai/gpt-4.1", OWN, None, None, "run cannot use provider_key"),
    ("chat", "gpt-4.1", None, None, None, "'gpt-4.1' has no author"),
    ("chat", "gpt-4.1", OWN, None, None, "names no provider"),
    ("chat", "", None, None, None, "model cannot be ''"),
    ("chat", "openai/", None, None, None, "model cannot be 'openai/'"),
    ("chat", "openai/gpt 4", None, None, None, "model cannot be"),
    ("chat", "openai/../x", None, None, "native", "model cannot be"),
    ("chat", "https://evil.example/x", None, None, None, "model cannot be"),
    ("chat", 5, None, None, None, "model cannot be 5"),
    ("chat", "openai/gpt-4.1", OWN, None, "rest", "drop surface='rest', or the provider_key"),
    ("chat", "openai/gpt-4.1", None, "team", "rest", "use surface='native'"),
    ("chat", LLAMA, OWN, None, None, "use a client without provider_key"),
    ("chat", LLAMA, None, None, "compat", "'workers-ai/@cf/meta"),
    ("chat", "google/gemini-3-flash", None, None, "compat", "write 'google-ai-studio/gemini-3-flash'"),
    ("chat", "xai/grok-3", OWN, None, None, "write 'grok/grok-3'"),
    ("chat", "alibaba/qwen3-max", OWN, None, None, "names no provider of the gateway host"),
    ("chat", "openai/gpt-4.1", None, None, "direct", "surface cannot be 'direct'"),
    ("chat", "dynamic/support", None, "team", None, "no provider-native endpoint"),
    ("messages", LLAMA, None, None, None, "does not take Workers AI models"),
    ("messages", "openai/gpt-4.1", OWN, None, None, "known are anthropic"),
    ("responses", "openai/gpt-4.1", None, None, "compat", "has no responses endpoint"),
    ("responses", "dynamic/support", None, None, None, "no provider-native endpoint"),
]  # fmt: skip


def account(provider_key=None):
    return Account("acct", "cf-token", "gw", provider_key=provider_key or "")


def describe(operation, model, provider_key, alias, surface):
    options = {"byok_alias": alias} if alias else {}
    if operation == "run":
        return _model_calls.run(account(provider_key), options, model, {"prompt": "Hi"}).request
    if operation == "embeddings":
        return _model_calls.embed(account(provider_key), options, {"model": model, "input": "Hi"}, surface).request
    return _model_calls.raw(account(provider_key), options, operation, {"model": model}, surface).request


@pytest.mark.parametrize(("operation", "model", "key", "alias", "surface", "path", "wire_model", "credentials"), GOES)
def test_a_call_goes_to_its_endpoint_with_its_credentials(
    operation, model, key, alias, surface, path, wire_model, credentials
):
    request = describe(operation, model, key, alias, surface)
    headers = dict(request.headers)

    assert urlsplit(request.url).path == path
    assert parse_json(request.content)["model"] == (wire_model or model)
    assert {name: value for name, value in headers.items() if name in SECRET_HEADERS} == credentials
    assert headers.get("cf-aig-gateway-id") == ("gw" if path.startswith(REST) else None)
    assert urlsplit(request.url).netloc == (
        "api.cloudflare.com" if path.startswith(REST) else "gateway.ai.cloudflare.com"
    )


@pytest.mark.parametrize(("operation", "model", "key", "alias", "surface", "words"), REFUSED)
def test_a_combination_that_cannot_work_is_refused_with_what_to_change(operation, model, key, alias, surface, words):
    with pytest.raises(ConfigurationError) as refusal:
        describe(operation, model, key, alias, surface)

    assert words in str(refusal.value)


@pytest.mark.parametrize("slug", sorted(PROVIDERS))
def test_without_a_provider_key_no_provider_header_is_sent_in_any_spelling(slug):
    sent = {name.lower() for name, _ in describe("chat", f"{slug}/m", None, None, "compat").headers}

    assert sent & SECRET_HEADERS == {"cf-aig-authorization"}
    assert not [name for name in sent if "key" in name]


def test_native_anthropic_carries_the_version_it_demands():
    headers = dict(describe("messages", "anthropic/claude-4", OWN, None, None).headers)

    assert headers["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize(
    ("slug", "header", "value"),
    [
        ("openai", "authorization", "Bearer k"),
        ("anthropic", "x-api-key", "k"),
        ("azure-openai", "api-key", "k"),
        ("google-ai-studio", "x-goog-api-key", "k"),
        ("elevenlabs", "xi-api-key", "k"),
    ],
)
def test_each_provider_takes_the_users_key_in_its_own_header(slug, header, value):
    assert dict(account("k").gateway_credentials(PROVIDERS[slug]))[header] == value


def test_logs_use_the_second_token_and_models_the_first():
    both = Account("acct", "cf-token", logs_token="logs-token")

    assert both.logs_credentials() == [("authorization", "Bearer logs-token")]
    assert both.rest_credentials() == [("authorization", "Bearer cf-token")]


def test_one_base_url_stands_in_for_both_hosts_with_unchanged_paths():
    local = Account("acct", "t", "gw", base_url="http://127.0.0.1:8787")

    assert local.rest_url("ai/run") == "http://127.0.0.1:8787/client/v4/accounts/acct/ai/run"
    assert local.gateway_url("gw", "/openai") == "http://127.0.0.1:8787/v1/acct/gw/openai"


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        (None, "https://gateway.ai.cloudflare.com/v1/acct/gw/"),
        ("openai", "https://gateway.ai.cloudflare.com/v1/acct/gw/openai"),
        ("custom-mine", "https://gateway.ai.cloudflare.com/v1/acct/gw/custom-mine"),
        ("compat", "https://gateway.ai.cloudflare.com/v1/acct/gw/compat"),
    ],
)
def test_a_gateways_url_ends_in_a_slash_and_a_providers_does_not(provider, url):
    assert _model_calls.url(account(), "gw", provider) == url


@pytest.mark.parametrize("provider", ["", "open/ai", "../x", "a b", 3])
def test_what_is_no_slug_has_no_url(provider):
    with pytest.raises(ConfigurationError, match="provider cannot be"):
        _model_calls.url(account(), "gw", provider)
