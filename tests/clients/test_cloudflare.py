"""The official `cloudflare` SDK: logs, gateways and stored keys, managed as on a real account."""

from datetime import datetime

import cloudflare
import httpx
import pytest

from aigw.local import LocalGateway, ScriptUpstream

from .asked import ANSWER, PARIS, TOKEN

KNOWN = {"account_id": "acct", "gateway_id": "default"}
SETTINGS = {
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}


@pytest.fixture
def open_api():
    clients = []

    def open_api(gateway, **more):
        known = {"api_token": TOKEN, "base_url": f"{gateway.base_url}/client/v4", "max_retries": 0}
        clients.append(cloudflare.Cloudflare(**known | more))
        return clients[-1].ai_gateway

    yield open_api
    for client in clients:
        client.close()


@pytest.fixture
def api(aigw_local, open_api):
    return open_api(aigw_local)


@pytest.fixture
def ask(aigw_local):
    with httpx.Client(base_url=aigw_local.base_url, headers={"authorization": f"Bearer {TOKEN}"}) as client:

        def ask(model="openai/gpt-5-mini", gateway="default", *, metadata="{}", **more):
            body = {"model": model, "messages": [{"role": "user", "content": PARIS}], **more}
            fields = {"cf-aig-metadata": metadata}
            reply = client.post(f"/v1/acct/{gateway}/compat/chat/completions", json=body, headers=fields)
            return reply.status_code, reply.headers.get("cf-aig-log-id")

        yield ask


def test_a_log_has_the_types_the_sdk_promises(api, ask):
    _, log_id = ask()
    log = api.logs.get(log_id, **KNOWN)
    assert (log.id, log.provider, log.model, log.status_code) == (log_id, "local", "openai/gpt-5-mini", 200)
    assert isinstance(log.created_at, datetime)
    assert (log.success, log.cached, log.request_content_type) == (True, False, "application/json")
    assert isinstance(log.duration, int)
    assert log.tokens_in > 0 < log.tokens_out
    assert PARIS in log.request_head
    assert ANSWER in log.response_head


def test_logs_are_listed_page_after_page(api, ask):
    asked = [ask()[1] for _ in range(5)]
    page = api.logs.list("default", account_id="acct", per_page=2)
    assert [log.id for log in page.result] == asked[:2:-1]
    assert page.result_info.total_count == 5
    assert [log.id for log in page] == asked[::-1]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({"filters": [{"key": "model", "operator": "eq", "value": ["openai/gpt-5-nano"]}]}, 1),
        ({"filters": [{"key": "metadata.value", "operator": "contains", "value": ["gol"]}]}, 1),
        ({"model": "openai/gpt-5-mini"}, 1),
        ({"search": "gold"}, 1),
        ({"success": True, "cached": False}, 2),
        ({"feedback": 1}, 0),
        ({"min_tokens_out": 100000}, 0),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_logs_are_filtered(api, ask, wish, found):
    ask(metadata='{"plan":"gold"}')
    ask("openai/gpt-5-nano")
    assert len(list(api.logs.list("default", account_id="acct", **wish))) == found


def test_logs_are_ordered(api, ask):
    for model in ("openai/b", "openai/c", "openai/a"):
        ask(model)
    logs = api.logs.list("default", account_id="acct", order_by="model", order_by_direction="asc")
    assert [log.model for log in logs] == ["openai/a", "openai/b", "openai/c"]


def test_a_log_gives_its_request_and_its_response(api, ask):
    _, log_id = ask()
    request, response = api.logs.request(log_id, **KNOWN), api.logs.response(log_id, **KNOWN)
    assert request["messages"][0]["content"] == PARIS
    assert response["choices"][0]["message"]["content"] == ANSWER


def test_feedback_is_patched_and_read_back(api, ask):
    _, log_id = ask(metadata='{"plan":"gold"}')
    api.logs.edit(log_id, **KNOWN, feedback=-1, score=25, metadata={"reviewer": "ada"})
    read, listed = api.logs.get(log_id, **KNOWN), next(iter(api.logs.list("default", account_id="acct")))
    for log in (read, listed):
        assert (log.feedback, log.score) == (-1, 25)
        assert log.metadata == {"plan": "gold", "reviewer": "ada"}


def test_logs_are_deleted_by_a_filter(api, ask):
    kept = ask("openai/kept")[1]
    ask("openai/gone")
    assert api.logs.delete(
        "default", account_id="acct", filters=[{"key": "model", "operator": "eq", "value": ["openai/gone"]}]
    ).success
    assert [log.id for log in api.logs.list("default", account_id="acct")] == [kept]


def test_a_gateway_is_made_changed_listed_and_deleted(api):
    made = api.create(account_id="acct", id="mine", **SETTINGS | {"cache_ttl": 300})
    assert (made.id, made.cache_ttl, made.collect_logs) == ("mine", 300, True)
    changed = api.update("mine", account_id="acct", **SETTINGS | {"cache_ttl": 60})
    assert changed.cache_ttl == api.get("mine", account_id="acct").cache_ttl == 60
    assert isinstance(changed.modified_at, datetime)
    assert "mine" in [gateway.id for gateway in api.list(account_id="acct")]
    api.delete("mine", account_id="acct")
    assert "mine" not in [gateway.id for gateway in api.list(account_id="acct")]


def test_what_is_set_through_the_sdk_holds_for_the_next_call(api, ask):
    limits = {"rate_limiting_limit": 1, "rate_limiting_interval": 3600, "rate_limiting_technique": "fixed"}
    api.create(account_id="acct", id="strict", **SETTINGS | limits)
    assert [ask(gateway="strict")[0] for _ in range(2)] == [200, 429]


def test_guardrails_set_through_the_sdk_block(api, ask):
    guardrails = {"prompt": {"s1": "BLOCK"}, "response": {}}
    api.create(account_id="acct", id="guarded", guardrails=guardrails, **SETTINGS)
    assert ask(gateway="guarded", messages=[{"role": "user", "content": "unsafe-s1"}])[0] == 424


def test_a_stored_key_goes_to_its_provider_and_comes_back_hidden(open_api):
    script = ScriptUpstream(["Hello."])
    with LocalGateway(upstream=script) as gateway:
        api = open_api(gateway)
        key = {"alias": "default", "default_config": True, "provider_slug": "openai", "secret": "sk-stored"}
        made = api.provider_configs.create("default", account_id="acct", **key)
        listed = list(api.provider_configs.list("default", account_id="acct"))
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello."}]}
        httpx.post(f"{gateway.base_url}/v1/acct/default/openai/chat/completions", json=body)
    assert ([config.id for config in listed], listed[0].alias) == ([made.id], "default")
    assert script.requests[0].headers["authorization"] == "Bearer sk-stored"
    assert "sk-stored" not in made.to_json() + listed[0].to_json()


def test_a_gateways_address_is_given(aigw_local, api):
    address = api.urls.get("openai", **KNOWN)
    assert address == f"{aigw_local.base_url}/v1/acct/default/openai"


@pytest.mark.parametrize(
    ("act", "error", "code"),
    [
        (lambda api: api.logs.get("nowhere", **KNOWN), cloudflare.NotFoundError, 7002),
        (lambda api: api.get("nowhere", account_id="acct"), cloudflare.NotFoundError, 7002),
        (lambda api: api.logs.edit("nowhere", **KNOWN, score=1), cloudflare.NotFoundError, 7002),
        (
            lambda api: api.logs.list("default", account_id="acct", per_page=51),
            cloudflare.BadRequestError,
            7001,
        ),
        (lambda api: api.create(account_id="acct", id="Not Good", **SETTINGS), cloudflare.BadRequestError, 7001),
        (lambda api: api.datasets.list("default", account_id="acct"), cloudflare.InternalServerError, None),
    ],
    ids=["log", "gateway", "edit", "page", "name", "planned"],
)
def test_a_refusal_has_its_class_and_its_code(open_api, act, error, code):
    with LocalGateway(gateways={"default": {}}) as gateway, pytest.raises(error) as caught:
        act(open_api(gateway))
    assert code is None or [item.code for item in caught.value.errors] == [code]


def test_a_wrong_token_is_an_authentication_error(open_api):
    with LocalGateway(tokens=[TOKEN]) as gateway, pytest.raises(cloudflare.AuthenticationError) as caught:
        open_api(gateway, api_token="wrong").logs.list("default", account_id="acct")
    assert [item.code for item in caught.value.errors] == [10000]


async def test_the_async_client_reads_what_the_other_wrote(aigw_local, api, ask):
    _, log_id = ask()
    api.logs.edit(log_id, **KNOWN, score=50)
    async with cloudflare.AsyncCloudflare(api_token=TOKEN, base_url=f"{aigw_local.base_url}/client/v4") as client:
        log = await client.ai_gateway.logs.get(log_id, **KNOWN)
        listed = [log.id async for log in client.ai_gateway.logs.list("default", account_id="acct")]
    assert (log.score, listed) == (50, [log_id])
