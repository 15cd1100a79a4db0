"""Whose key a provider sees: the request's, a stored one, or nobody's."""

import cloudflare
import pytest

from aigw.local import LocalGateway
from aigw.local._spending._masking import Mask

CONFIGS = "/client/v4/accounts/acct/ai-gateway/gateways/gw/provider_configs"
OPENAI = "/v1/acct/gw/openai/chat/completions"
MESSAGES = {"model": "claude-haiku-4-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def upstream(kit):
    return kit.Scripted(kit.completion("hi"))


@pytest.fixture
def client(open_client, upstream):
    return open_client(LocalGateway(upstream=upstream))


@pytest.fixture
def store(client, kit):
    def store(provider="openai", alias="default", **more):
        body = {"provider_slug": provider, "alias": alias, "default_config": alias == "default", "secret": "stored-key"}
        reply = client.post(CONFIGS, json=body | more, headers=kit.token)
        assert reply.status_code == 200, reply.text
        return reply

    return store


def test_the_requests_own_key_goes_first(client, kit, upstream, store):
    store()
    client.post(OPENAI, json=kit.chat(model="m"), headers={"authorization": "Bearer own-key"})
    assert upstream.asked[0][2]["authorization"] == "Bearer own-key"


def test_a_stored_key_goes_where_the_request_has_none(client, kit, upstream, store):
    store()
    client.post(OPENAI, json=kit.chat(model="m"))
    assert upstream.asked[0][2]["authorization"] == "Bearer stored-key"


def test_a_stored_key_stands_in_the_providers_own_header(client, upstream, store):
    store("anthropic")
    client.post("/v1/acct/gw/anthropic/v1/messages", json=MESSAGES)
    assert upstream.asked[0][2]["x-api-key"] == "stored-key"
    assert "authorization" not in upstream.asked[0][2]


def test_an_alias_chooses_among_stored_keys(client, kit, upstream, store):
    store()
    store(alias="team-b", secret="b-key")
    client.post(OPENAI, json=kit.chat(model="m"), headers={"cf-aig-byok-alias": "team-b"})
    assert upstream.asked[0][2]["authorization"] == "Bearer b-key"


def test_an_unknown_alias_names_those_there_are(client, kit, store):
    store()
    store(alias="team-b")
    reply = client.post(OPENAI, json=kit.chat(model="m"), headers={"cf-aig-byok-alias": "nope"})
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2040)
    assert reply.json()["message"] == (
        "Provider 'openai' has no BYOK credential named 'nope'. Configured aliases: default, team-b"
    )


def test_an_alias_of_a_provider_without_keys_falls_to_unified_billing(client, kit, upstream):
    reply = client.post(OPENAI, json=kit.chat(model="m"), headers={"cf-aig-byok-alias": "nope"})
    assert reply.status_code == 200
    assert "authorization" not in upstream.asked[0][2]
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["wholesale"] is True


def test_on_the_rest_host_only_the_default_key_counts(client, kit, upstream, store):
    store(alias="team-b", secret="b-key")
    headers = {**kit.token, "cf-aig-gateway-id": "gw", "cf-aig-byok-alias": "team-b"}
    client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=headers)
    assert "authorization" not in upstream.asked[0][2]
    store()
    client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=headers)
    assert upstream.asked[1][2]["authorization"] == "Bearer stored-key"


def test_a_key_whose_secret_is_not_there_is_refused_without_falling_through(client, kit, upstream, store):
    store(secret=None, secret_id="gw_openai_default")
    reply = client.post(OPENAI, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["message"]) == (400, "Configured BYOK credentials are unavailable")
    assert upstream.asked == []


@pytest.mark.parametrize(
    ("settings", "header", "status"),
    [
        ({}, "true", 400),
        ({}, "false", 200),
        ({"byok_only": True}, "", 400),
        ({"byok_only": True}, "false", 400),
    ],
)
def test_unified_billing_can_be_forbidden(open_client, kit, upstream, settings, header, status):
    client = open_client(LocalGateway(upstream=upstream, settings=settings))
    reply = client.post(OPENAI, json=kit.chat(model="m"), headers={"cf-aig-no-wholesale": header})
    assert reply.status_code == status
    if status == 400:
        assert reply.json()["internalCode"] == 2044
        assert reply.json()["message"] == "Customer-provided provider credentials are required for this request"


def test_forbidding_unified_billing_leaves_workers_ai_and_own_keys_alone(open_client, kit, upstream):
    client = open_client(LocalGateway(upstream=upstream, settings={"byok_only": True}))
    body = kit.chat(model="@cf/meta/llama-3.1-8b-instruct")
    assert client.post("/v1/acct/gw/workers-ai/v1/chat/completions", json=body).status_code == 200
    own = {"authorization": "Bearer own-key"}
    assert client.post(OPENAI, json=kit.chat(model="m"), headers=own).status_code == 200


def test_without_credits_unified_billing_answers_402(open_client, kit, upstream):
    client = open_client(LocalGateway(upstream=upstream, switches={"credits": 0.0}))
    reply = client.post(OPENAI, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (402, 2021)
    assert reply.json()["message"].startswith("Insufficient wholesale credits.")
    assert "cf-aig-log-id" in reply.headers
    rest = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token)
    assert rest.json()["errors"][0]["message"] == "Insufficient balance; add money to your gateway or use BYOK"
    assert "cf-aig-log-id" not in rest.headers
    assert [log["status_code"] for log in kit.logs(client)] == [402]


def test_credits_are_used_up_by_what_calls_cost(open_client, kit, upstream):
    client = open_client(LocalGateway(upstream=upstream, switches={"credits": 1.0}))
    cost = {"cf-aig-custom-cost": '{"total_cost":0.6}'}
    statuses = [client.post(OPENAI, json=kit.chat(model="m"), headers=cost).status_code for _ in range(3)]
    assert statuses == [200, 200, 402]


@pytest.mark.parametrize(("mode", "status"), [("postpaid", 200), ("unified", 402)])
def test_workers_ai_draws_credits_in_unified_mode_only(open_client, kit, upstream, mode, status):
    settings = {"workers_ai_billing_mode": mode}
    client = open_client(LocalGateway(upstream=upstream, settings=settings, switches={"credits": 0.0}))
    body = kit.chat(model="@cf/meta/llama-3.1-8b-instruct")
    assert client.post("/v1/acct/gw/workers-ai/v1/chat/completions", json=body).status_code == status


def test_a_provider_that_unified_billing_does_not_have_is_refused(open_client, kit, upstream):
    client = open_client(LocalGateway(upstream=upstream, switches={"credits": 5.0}))
    reply = client.post("/v1/acct/gw/deepseek/chat/completions", json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (402, 2021)


def test_no_reply_and_no_log_has_anything_of_a_key(client, kit, store, caplog):
    shown = store(secret="very-private-key").text + client.get(CONFIGS, headers=kit.token).text
    reply = client.post(OPENAI, json=kit.chat(model="m"))
    log = client.get(
        f"{CONFIGS.removesuffix('provider_configs')}logs/{reply.headers['cf-aig-log-id']}", headers=kit.token
    )
    everything = shown + reply.text + str(reply.headers) + log.text + caplog.text
    assert "private" not in everything
    assert '"secret_preview":"***"' in shown


def test_a_stored_key_that_the_provider_echoes_does_not_reach_the_caller(open_client, kit):
    upstream = kit.Scripted(kit.failure(401, "Incorrect API key: very-private-key"))
    client = open_client(LocalGateway(upstream=upstream))
    body = {"provider_slug": "openai", "alias": "default", "secret": "very-private-key"}
    client.post(CONFIGS, json=body, headers=kit.token)
    reply = client.post(OPENAI, json=kit.chat(model="m"))
    assert reply.json()["error"]["message"] == "Incorrect API key: ***"
    assert "private" not in str(kit.log(client, reply.headers["cf-aig-log-id"], "gw"))


def test_a_stored_keys_repr_hides_it():
    from aigw.local._spending._key_ring import StoredKey  # noqa: PLC0415 -- the one test that looks inside

    key = StoredKey(
        "1", "a", "g", "openai", "default", default_config=True, secret_id="s", modified_ms=0, secret="very-private-key"
    )
    assert "private" not in repr(key)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"provider_slug": "nobody"}, "provider_slug"),
        ({"alias": "has blanks"}, "alias"),
        ({"secret": None}, "secret"),
        ({"secret": "a\nb"}, "secret"),
        ({"rate_limit": -1}, "rate_limit"),
    ],
)
def test_a_wrong_config_is_refused_by_name(client, kit, change, named):
    body = {"provider_slug": "openai", "alias": "default", "default_config": True, "secret": "k"} | change
    reply = client.post(CONFIGS, json=body, headers=kit.token)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 7001)
    assert reply.json()["errors"][0]["message"].startswith(named)


def test_an_alias_is_taken_once_per_provider(client, kit, store):
    store()
    store("anthropic")
    body = {"provider_slug": "openai", "alias": "default", "secret": "k"}
    assert client.post(CONFIGS, json=body, headers=kit.token).status_code == 400


def test_a_deleted_key_is_gone(client, kit, upstream, store):
    key_id = store().json()["result"]["id"]
    assert client.delete(f"{CONFIGS}/{key_id}", headers=kit.token).status_code == 200
    assert client.delete(f"{CONFIGS}/{key_id}", headers=kit.token).status_code == 404
    client.post(OPENAI, json=kit.chat(model="m"))
    assert "authorization" not in upstream.asked[0][2]


def test_a_deleted_gateway_takes_its_keys_along(client, kit, store):
    store()
    client.delete("/client/v4/accounts/acct/ai-gateway/gateways/gw", headers=kit.token)
    fields = {"cache_invalidate_on_update": False, "collect_logs": True, "cache_ttl": None}
    limits = {"rate_limiting_interval": None, "rate_limiting_limit": None}
    client.post(CONFIGS.removesuffix("/gw/provider_configs"), json={"id": "gw", **fields, **limits}, headers=kit.token)
    assert client.get(CONFIGS, headers=kit.token).json()["result"] == []


def test_the_official_sdk_stores_and_lists_keys(aigw_local):
    url = f"{aigw_local.base_url}/client/v4"
    with cloudflare.Cloudflare(api_token="test-token", base_url=url, max_retries=0) as client:
        configs = client.ai_gateway.provider_configs
        made = configs.create(
            "gw", account_id="acct", alias="default", default_config=True, provider_slug="openai", secret="k"
        )
        assert (made.secret_preview, made.secret_id) == ("***", "gw_openai_default")
        assert [one.id for one in configs.list("gw", account_id="acct")] == [made.id]


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_stored_key_in_a_stream_is_hidden_wherever_the_stream_is_cut(open_client, kit, cut):
    said = b'data: {"choices":[{"index":0,"delta":{"content":"very very-private-key"}}]}\n\n'
    at = said.index(b"very-private") + cut
    upstream = kit.Scripted(kit.streamed(said[:at], said[at:], b"data: [DONE]\n\n"))
    client = open_client(LocalGateway(upstream=upstream))
    body = {"provider_slug": "openai", "alias": "default", "secret": "very-private-key"}
    client.post(CONFIGS, json=body, headers=kit.token)
    reply = client.post(OPENAI, json=kit.chat(model="m", stream=True))
    assert reply.content == said.replace(b"very-private-key", b"***") + b"data: [DONE]\n\n"


def test_what_may_be_the_beginning_of_a_key_is_not_lost_at_the_end_of_a_stream():
    mask = Mask(b"abcabd")
    assert b"".join([*map(mask.feed, [b"abc", b"abca", b"bdx", b"abca"]), mask.close()]) == b"abc***xabca"


@pytest.mark.parametrize("stores", [True, False])
def test_credentials_that_a_provider_rejects_are_not_tried_again_on_run(open_client, kit, stores):
    upstream = kit.Scripted(kit.failure(401, "Incorrect API key"))
    client = open_client(LocalGateway(upstream=upstream))
    if stores:
        client.post(
            CONFIGS.replace("/gw/", "/default/"),
            json={"provider_slug": "openai", "alias": "default", "secret": "stored-key"},
            headers=kit.token,
        )
    body = {"model": "openai/gpt-5-mini", "input": {"messages": [{"role": "user", "content": "hi"}]}}
    reply = client.post(f"{kit.rest}/run", json=body, headers={**kit.token, "cf-aig-max-attempts": "3"})
    assert (reply.status_code, len(upstream.asked)) == (401 if stores else 503, 1)
    log = kit.log(client, reply.headers["cf-aig-log-id"], "default")
    assert (log["status_code"], log["provider"]) == (reply.status_code, "openai")
