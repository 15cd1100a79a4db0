"""Who may ask: the two hosts' rules, over both carriers."""

import pytest

from aigw.local import LocalGateway

COMPAT = "/v1/acct/gw/compat/chat/completions"


def test_the_rest_host_asks_for_a_token_even_when_none_is_configured(open_client, kit):
    client = open_client(LocalGateway())
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat())
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["code"] == 9106
    assert reply.json()["success"] is False


@pytest.mark.parametrize("value", ["Basic eDp5", "Bearer", "test-token", ""])
def test_the_rest_host_calls_a_malformed_authorization_absent(open_client, kit, value):
    client = open_client(LocalGateway(tokens=["test-token"]))
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers={"authorization": value})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 9106)


def test_the_rest_host_takes_any_token_when_none_is_configured(open_client, kit):
    client = open_client(LocalGateway())
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers={"authorization": "Bearer x"})
    assert reply.status_code == 200


def test_the_rest_host_refuses_an_unknown_token(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"]))
    reply = client.post(f"{kit.rest}/run", json={}, headers={"authorization": "Bearer other"})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (401, 10000)


def test_the_logs_api_refuses_an_unknown_token(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"]))
    path = "/client/v4/accounts/acct/ai-gateway/gateways/gw/logs"
    assert client.get(path).json()["errors"][0]["code"] == 9106
    assert client.get(path, headers={"authorization": "Bearer other"}).json()["errors"][0]["code"] == 10000
    assert client.get(path, headers=kit.token).status_code == 200


def test_the_gateway_host_is_open_when_nothing_is_configured(open_client, kit):
    client = open_client(LocalGateway())
    assert client.post(COMPAT, json=kit.chat()).status_code == 200


def test_the_gateway_host_ignores_a_wrong_token_when_authentication_is_off(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"], settings={"authentication": False}))
    headers = {"cf-aig-authorization": "Bearer wrong"}
    assert client.post(COMPAT, json=kit.chat(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cf-aig-authorization": "Bearer other"},
        {"cf-aig-authorization": "test-token"},
        {"authorization": "Bearer provider-key"},
        {"cf-aig-authorization": "Bearer other", "authorization": "Bearer test-token"},
    ],
)
def test_the_gateway_host_refuses_without_a_known_token(open_client, kit, headers):
    client = open_client(LocalGateway(tokens=["test-token"]))
    reply = client.post(COMPAT, json=kit.chat(), headers=headers)
    assert reply.status_code == 401
    assert reply.json() == {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": 2009, "message": "Unauthorized"}],
        "name": "AiGatewayError",
        "httpCode": 401,
        "internalCode": 2009,
        "message": "Unauthorized",
        "description": "Unauthorized",
    }


@pytest.mark.parametrize("name", ["cf-aig-authorization", "authorization"])
def test_the_gateway_host_takes_a_known_token_in_either_header(open_client, kit, name):
    client = open_client(LocalGateway(tokens=["test-token"]))
    assert client.post(COMPAT, json=kit.chat(), headers={name: "Bearer test-token"}).status_code == 200


def test_a_gateway_that_asks_for_a_token_takes_any_when_none_is_configured(open_client, kit):
    client = open_client(LocalGateway(settings={"authentication": True}))
    assert client.post(COMPAT, json=kit.chat()).status_code == 401
    assert client.post(COMPAT, json=kit.chat(), headers={"cf-aig-authorization": "Bearer x"}).status_code == 200


def test_gateways_differ_in_whether_they_ask_for_a_token(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"], gateways={"gw": {"authentication": False}, "shut": {}}))
    assert client.post(COMPAT, json=kit.chat()).status_code == 200
    assert client.post("/v1/acct/shut/compat/chat/completions", json=kit.chat()).status_code == 401


def test_the_gateways_tokens_never_reach_the_upstream(open_client, kit):
    upstream = kit.Scripted(kit.completion("hi"))
    client = open_client(LocalGateway(tokens=["test-token"], upstream=upstream))
    headers = {"cf-aig-authorization": "Bearer test-token", "authorization": "Bearer test-token"}
    client.post(COMPAT, json=kit.chat(), headers=headers)
    client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token)
    assert len(upstream.asked) == 2
    assert all("test-token" not in str(headers) for _, _, headers in upstream.asked)


def test_a_provider_key_reaches_the_upstream(open_client, kit):
    upstream = kit.Scripted(kit.completion("hi"))
    client = open_client(LocalGateway(tokens=["test-token"], upstream=upstream))
    headers = {"cf-aig-authorization": "Bearer test-token", "Authorization": "Bearer provider-key"}
    client.post(COMPAT, json=kit.chat(), headers=headers)
    assert upstream.asked[0][2]["authorization"] == "Bearer provider-key"


def test_a_stranger_does_not_learn_which_providers_or_gateways_exist(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"], gateways={"known": {}}))
    for path in (
        "/v1/acct/known/nobody/chat/completions",
        "/v1/acct/unknown/openai/chat/completions",
        "/v1/acct/known",
    ):
        assert client.post(path, json=kit.chat()).status_code == 401


def test_a_stranger_does_not_write_into_the_log(open_client, kit):
    client = open_client(LocalGateway(tokens=["test-token"]))
    reply = client.post(COMPAT, json=kit.chat())
    assert "cf-aig-log-id" not in reply.headers
    assert kit.logs(client, "gw") == []


def test_an_unknown_gateway_is_refused_in_the_envelope_of_each_host(open_client, kit):
    client = open_client(LocalGateway(gateways={"known": {}}))
    reply = client.post("/v1/acct/other/compat/chat/completions", json=kit.chat())
    assert (reply.status_code, reply.json()["error"][0]["code"]) == (400, 2001)
    headers = {**kit.token, "cf-aig-gateway-id": "other"}
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=headers)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 2001)
    reply = client.get("/client/v4/accounts/acct/ai-gateway/gateways/other/logs", headers=kit.token)
    assert reply.status_code == 404


@pytest.mark.parametrize("gateway", ["known", "default"])
def test_a_named_gateway_and_default_exist(open_client, kit, gateway):
    client = open_client(LocalGateway(gateways={"known": {}}))
    assert client.post(f"/v1/acct/{gateway}/compat/chat/completions", json=kit.chat()).status_code == 200


def test_an_unknown_setting_is_refused_with_the_names_that_exist():
    with pytest.raises(ValueError, match=r"unknown gateway setting 'cacheTtl'.*cache_ttl"):
        LocalGateway(settings={"cacheTtl": 60})


@pytest.mark.parametrize("tokens", ["", [""], ["good", ""], "two words", ["ü"], [None]])
def test_a_token_that_is_none_is_refused_and_opens_nothing(tokens):
    with pytest.raises(ValueError, match=r"^tokens: number \d is empty, or has a space"):
        LocalGateway(tokens=tokens, host="0.0.0.0")


@pytest.mark.parametrize("name", ["tokens", "models"])
@pytest.mark.parametrize("given", [None, 5, b"secret"])
def test_what_is_no_list_of_texts_is_refused_and_not_shown(name, given):
    with pytest.raises(ValueError, match=f"{name}: expected a list of texts; got a ") as caught:
        LocalGateway(**{name: given})
    assert "secret" not in str(caught.value)
