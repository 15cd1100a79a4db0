"""Values that try to be more than values: headers in options, paths in ids and models, tokens in the wrong place."""

from __future__ import annotations

import logging
import pickle
import traceback

import pytest

from aigw import AIGateway, AIGatewayError, AsyncAIGateway, ConfigurationError, gateway_options

SECRETS = ("cf-token-0123456789", "logs-token-0123456789", "own-key-0123456789")
SETTINGS = dict(zip(("api_token", "logs_token", "provider_key"), SECRETS, strict=True))

INJECTIONS = [
    "x\r\nevil: 1",
    "x\nevil: 1",
    "x\revil",
    "x\x00y",
    "x\x7f",
    "\tx",
    " x",
    "x ",
    "",
    "K\xf6ln",
    "\u2028",
    "\ud83d",
]
TEXT_OPTIONS = ["cache_key", "event_id", "byok_alias", "session_id", "turn_id", "otel_trace_id", "id"]
MODELS = [
    "../../evil",
    "openai/../../../../zones",
    "openai/..",
    "..",
    "/etc/passwd",
    "//evil.example/x",
    "https://evil.example/v1",
    "http:evil",
    "openai/%2e%2e/%2e%2e/zones",
    "openai/gpt%2f..%2f",
    "openai/x?account=1",
    "openai/x#y",
    "openai/x\\..\\y",
    "openai/x\r\nhost: evil",
    "openai/x y",
    "openai//x",
    "openai/",
    "",
    None,
    7,
]
IDS = ["../x", "..", "a/b", "%2e%2e", "a?b", "a#b", "https://evil.example", "x\r\ny", "x y", "\u2025", "a" * 65, 7]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("option", TEXT_OPTIONS)
async def test_no_option_can_carry_another_header(driver, server, wire, option, value):
    client = driver.client(server)

    with pytest.raises(ConfigurationError):
        await driver.done(client.chat(wire.chat, gateway={option: value}))
    with pytest.raises(ConfigurationError):
        gateway_options({option: value}).__enter__()
    assert server.requests == []


@pytest.mark.parametrize("value", INJECTIONS)
async def test_metadata_carries_anything_but_another_header(driver, server, wire, value):
    server.will(wire.json(wire.completion()))
    await driver.done(driver.client(server).chat(wire.chat, gateway={"metadata": {"k": value}}))

    assert server.last.names & {"evil"} == set()
    assert server.last.header("cf-aig-metadata").isascii()


@pytest.mark.parametrize("name", [*SETTINGS, "account_id"])
@pytest.mark.parametrize("value", ["x\r\nevil: 1", "x y", "K\xf6ln", "x\x00"])
def test_no_credential_can_carry_another_header_and_none_is_shown(name, value):
    planted = f"{value}-planted-secret"

    with pytest.raises(ConfigurationError) as refused:
        AIGateway(**{"account_id": "acct", **SETTINGS, name: planted})
    assert "planted-secret" not in "".join(traceback.format_exception(refused.value)).replace(__file__, "")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("surface", [None, "rest", "compat", "native"])
async def test_no_model_name_changes_where_a_request_goes(driver, server, model, surface):
    client = driver.client(server)

    for call in (client.chat, client.embed, client.responses, client.messages):
        with pytest.raises(ConfigurationError):
            await driver.done(call({"model": model, "messages": [], "input": "x"}, surface=surface))
    with pytest.raises(ConfigurationError):
        await driver.done(client.run(model, {}))
    assert server.requests == []


@pytest.mark.parametrize("value", IDS)
async def test_no_gateway_id_changes_where_a_request_goes(driver, server, wire, value):
    client = driver.client(server)

    with pytest.raises(ConfigurationError):
        client.gateway(value)
    with pytest.raises(ConfigurationError):
        await driver.done(client.chat(wire.chat, gateway={"id": value}))
    assert server.requests == []


@pytest.mark.parametrize("value", [".", "..", "../../x", "a/b", "%2e%2e", "a?b=c", "a#b", "x\r\nevil: 1", "K\xf6ln"])
async def test_a_log_id_stays_one_segment_of_the_path(driver, server, wire, value):
    server.will(wire.json({"success": True, "result": {"id": "1"}}))
    try:
        await driver.done(driver.client(server).gateway("gw").get_log(value))
    except ConfigurationError:
        assert server.requests == []
    else:
        head, _, last = server.last.path.rpartition("/")
        assert head == "/client/v4/accounts/acct/ai-gateway/gateways/gw/logs"
        assert last not in (".", "..")
        assert not set(last) & set("?#/ \r\n")


@pytest.mark.parametrize("endpoint", ["../x", "https://evil.example/v1", "//evil.example", "x\r\nevil: 1"])
async def test_an_endpoint_of_a_step_is_only_ever_data(driver, server, wire, endpoint):
    server.will(wire.json({}))
    step = {"provider": "openai", "endpoint": endpoint, "query": {}}
    try:
        await driver.done(driver.client(server).gateway("gw").run([step]))
    except ConfigurationError:
        assert server.requests == []
    else:
        assert server.last.path == "/v1/acct/gw"
        assert "evil" not in server.last.names


@pytest.mark.parametrize("provider", ["../x", "https://evil", "a/b", "a\r\nb", "%2e%2e"])
async def test_a_url_is_only_made_for_a_slug(driver, provider):
    gateway = driver.client("http://127.0.0.1:9").gateway()

    with pytest.raises(ConfigurationError):
        await driver.done(gateway.get_url(provider))


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://x", "//x", "http://", "http://u:planted-secret@x", "http://x?y=1", "http://x#y", "x"],
)
def test_a_base_url_is_an_origin_and_a_password_in_it_is_not_repeated(url):
    with pytest.raises(ConfigurationError) as refused:
        AIGateway("acct", "t", base_url=url)
    assert "planted-secret" not in str(refused.value)


@pytest.mark.parametrize("client_class", [AIGateway, AsyncAIGateway])
def test_a_client_does_not_pickle_its_credentials(client_class):
    client = client_class("acct", **SETTINGS)

    try:
        dumped = pickle.dumps(client)
    except (TypeError, AttributeError):
        return
    assert not any(secret.encode() in dumped for secret in SECRETS)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("surface", ["rest", "compat", "native"])
async def test_a_credential_goes_into_its_own_header_and_nowhere_else(driver, server, wire, caplog, surface):
    caplog.set_level(logging.DEBUG)
    server.will(wire.json({"error": SECRETS[0]}, 503))
    settings = {name: value for name, value in SETTINGS.items() if surface != "rest" or name != "provider_key"}
    client = driver.client(server, **settings)
    with pytest.raises(AIGatewayError) as failed:
        await driver.done(client.chat(wire.chat, surface=surface))

    for request in server.requests:
        bearing = {name.lower() for name, value in request.headers if any(secret in value for secret in SECRETS)}
        assert bearing == ({"authorization"} if surface == "rest" else {"cf-aig-authorization", "authorization"})
        assert not any(secret in f"{request.path}{request.body!r}" for secret in SECRETS)
    told = caplog.text + "".join(traceback.format_exception(failed.value)) + repr(failed.value.__dict__)
    assert not any(secret in told for secret in SECRETS)
