"""Gateways made, changed and deleted through the API, and what that does to the next call."""

from concurrent.futures import ThreadPoolExecutor

import cloudflare
import pytest

from aigw.local import LocalGateway

GATEWAYS = "/client/v4/accounts/acct/ai-gateway/gateways"
NEW = {
    "id": "my-gw",
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
PATH = "/v1/acct/my-gw/openai/chat/completions"


@pytest.fixture
def client(open_client, kit):
    client = open_client(LocalGateway(gateways={}))
    client.headers.update(kit.token)
    return client


@pytest.fixture
def sdk(aigw_local):
    with cloudflare.Cloudflare(
        api_token="test-token", base_url=f"{aigw_local.base_url}/client/v4", max_retries=0
    ) as client:
        yield client.ai_gateway


def test_a_gateway_exists_once_it_is_made(client, kit):
    assert client.post(PATH, json=kit.chat(model="m")).json()["internalCode"] == 2001
    made = client.post(GATEWAYS, json=NEW)
    assert made.status_code == 200
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200
    assert client.get(f"{GATEWAYS}/my-gw").json()["result"] == made.json()["result"]


def test_a_gateway_has_every_field_of_the_api(client):
    result = client.post(GATEWAYS, json=NEW | {"zdr": True, "store_id": "s"}).json()["result"]
    assert {name: result[name] for name in NEW} == NEW | {"rate_limiting_limit": 0}
    assert (result["is_default"], result["zdr"], result["store_id"], result["authentication"]) == (
        False,
        True,
        "s",
        False,
    )
    assert result["created_at"] == result["modified_at"]
    assert result["created_at"].endswith("Z")


def test_an_account_sees_its_own_gateways(client):
    client.post(GATEWAYS, json=NEW)
    assert [one["id"] for one in client.get(GATEWAYS).json()["result"]] == ["default", "my-gw"]
    assert client.get(GATEWAYS).json()["result"][0]["is_default"] is True
    assert [one["id"] for one in client.get(GATEWAYS.replace("acct", "other")).json()["result"]] == ["default"]


def test_a_list_is_cut_into_pages_and_searched(client):
    for name in ("a", "ab", "b"):
        client.post(GATEWAYS, json=NEW | {"id": name})
    reply = client.get(GATEWAYS, params={"page": 2, "per_page": 3}).json()
    assert [one["id"] for one in reply["result"]] == ["default"]
    assert reply["result_info"] == {"count": 1, "page": 2, "per_page": 3, "total_count": 4}
    assert [one["id"] for one in client.get(GATEWAYS, params={"search": "b"}).json()["result"]] == ["ab", "b"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "Has Capitals"}, "id"),
        ({"id": "a--b"}, "id"),
        ({"id": "a" * 65}, "id"),
        ({"id": None}, "id"),
        ({"cache_ttl": -1}, "cache_ttl"),
        ({"cache_ttl": "60"}, "cache_ttl"),
        ({"collect_logs": None}, "collect_logs"),
        ({"rate_limiting_technique": "leaky"}, "rate_limiting_technique"),
        ({"retry_max_attempts": 6}, "retry_max_attempts"),
        ({"retry_delay": 60_001}, "retry_delay"),
        ({"guardrails": {"prompt": {"S14": "BLOCK"}}}, "guardrails.prompt.S14"),
        ({"guardrails": {"prompt": {"S1": "WARN"}}}, "guardrails.prompt.S1"),
        ({"dlp": {"enabled": True, "policies": [{"id": "p"}]}}, "dlp.policies.0.action"),
        ({"spend_limits": {"rules": [{"limit": 1}]}}, "spend_limits.rules.0.window"),
        ({"spend_limits": {"rules": [{"limit": None, "window": 60}]}}, "spend_limits.rules.0.limit"),
        ({"spend_limits": {"rules": [{"limit": 1, "window": 60}] * 21}}, "spend_limits.rules"),
    ],
)
def test_a_wrong_value_is_refused_by_name(client, change, named):
    reply = client.post(GATEWAYS, json=NEW | change)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 7001)
    assert reply.json()["errors"][0]["message"].startswith(f"{named}:")


@pytest.mark.parametrize("field", [name for name in NEW if name != "id"])
def test_a_required_field_left_out_is_refused(client, field):
    body = {name: value for name, value in NEW.items() if name != field}
    reply = client.post(GATEWAYS, json=body)
    assert reply.json()["errors"][0]["message"] == f"{field}: is required"


def test_a_body_that_is_no_object_is_refused(client):
    assert client.post(GATEWAYS, content=b"[").json()["errors"][0]["code"] == 7001


def test_an_id_is_taken_once(client):
    client.post(GATEWAYS, json=NEW)
    assert "exists already" in client.post(GATEWAYS, json=NEW).json()["errors"][0]["message"]


def test_of_many_threads_that_make_one_gateway_one_succeeds(client):
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: client.post(GATEWAYS, json=NEW).status_code, range(16)))
    assert sorted(statuses) == [200] + [400] * 15


def test_a_change_keeps_what_it_leaves_out(client):
    client.post(GATEWAYS, json=NEW | {"retry_max_attempts": 3})
    changed = client.put(f"{GATEWAYS}/my-gw", json=NEW | {"cache_ttl": 60}).json()["result"]
    assert (changed["cache_ttl"], changed["retry_max_attempts"]) == (60, 3)


def test_a_cache_ttl_set_by_the_api_holds_for_the_next_call(client, kit):
    client.post(GATEWAYS, json=NEW | {"cache_ttl": 60})
    statuses = [client.post(PATH, json=kit.chat(model="m")).headers["cf-aig-cache-status"] for _ in range(2)]
    assert statuses == ["MISS", "HIT"]


@pytest.mark.parametrize(("invalidates", "status"), [(True, "MISS"), (False, "HIT")])
def test_a_change_empties_the_cache_if_the_gateway_is_set_so(client, kit, invalidates, status):
    fields = NEW | {"cache_ttl": 60, "cache_invalidate_on_update": invalidates}
    client.post(GATEWAYS, json=fields)
    client.post(PATH, json=kit.chat(model="m"))
    client.put(f"{GATEWAYS}/my-gw", json=fields)
    assert client.post(PATH, json=kit.chat(model="m")).headers["cf-aig-cache-status"] == status


def test_authentication_set_by_the_api_holds_for_the_next_call(client, kit):
    client.post(GATEWAYS, json=NEW | {"authentication": True})
    bare = {"authorization": ""}
    assert client.post(PATH, json=kit.chat(model="m"), headers=bare).json()["internalCode"] == 2009
    shown = bare | {"cf-aig-authorization": "Bearer test-token"}
    assert client.post(PATH, json=kit.chat(model="m"), headers=shown).status_code == 200


def test_logs_are_collected_as_the_gateway_says(client, kit):
    client.post(GATEWAYS, json=NEW | {"collect_logs": False})
    assert "cf-aig-log-id" not in client.post(PATH, json=kit.chat(model="m")).headers


def test_a_deleted_gateway_is_gone(client, kit):
    client.post(GATEWAYS, json=NEW)
    assert client.delete(f"{GATEWAYS}/my-gw").json()["result"]["id"] == "my-gw"
    assert client.get(f"{GATEWAYS}/my-gw").json()["errors"][0]["code"] == 7002
    assert client.delete(f"{GATEWAYS}/my-gw").status_code == 404
    assert client.put(f"{GATEWAYS}/my-gw", json=NEW).status_code == 404
    assert client.post(PATH, json=kit.chat(model="m")).json()["internalCode"] == 2001


def test_the_default_gateway_comes_back_as_new(client):
    client.put(f"{GATEWAYS}/default", json=NEW | {"cache_ttl": 60})
    client.delete(f"{GATEWAYS}/default")
    assert client.get(f"{GATEWAYS}/default").json()["result"]["cache_ttl"] is None


def test_where_every_gateway_exists_a_deleted_one_does_not(open_client, kit):
    client = open_client(LocalGateway())
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200
    client.delete(f"{GATEWAYS}/my-gw", headers=kit.token)
    assert client.post(PATH, json=kit.chat(model="m")).json()["internalCode"] == 2001
    assert client.post(GATEWAYS, json=NEW, headers=kit.token).status_code == 200
    assert client.post(PATH, json=kit.chat(model="m")).status_code == 200


def test_management_asks_for_a_token(open_client):
    client = open_client(LocalGateway(tokens=["test-token"]))
    assert client.get(GATEWAYS).json()["errors"][0]["code"] == 9106
    assert client.get(GATEWAYS, headers={"authorization": "Bearer other"}).json()["errors"][0]["code"] == 10000


def test_another_method_is_told_which_there_are(client):
    reply = client.patch(f"{GATEWAYS}/my-gw", json={})
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, PUT, DELETE")


def test_the_official_sdk_makes_reads_changes_lists_and_deletes_a_gateway(sdk):
    fields = {name: value for name, value in NEW.items() if name != "id"} | {"account_id": "acct"}
    rules = [{"limit": 1.5, "limit_type": "cost", "window": 60, "metadata": {"user": {"mode": "partition"}}}]
    made = sdk.create(id="sdk-gw", **fields, spend_limits={"enabled": True, "rules": rules})
    assert (made.id, made.is_default) == ("sdk-gw", False)
    assert made.spend_limits.rules[0].limit_type == "cost"
    guardrails = {"prompt": {"s1": "BLOCK"}, "response": {"p1": "FLAG"}}
    changed = sdk.update("sdk-gw", **(fields | {"cache_ttl": 300}), guardrails=guardrails)
    assert (changed.cache_ttl, changed.guardrails.prompt.s1) == (300, "BLOCK")
    assert sdk.get("sdk-gw", account_id="acct").cache_ttl == 300
    assert [one.id for one in sdk.list(account_id="acct", search="sdk")] == ["sdk-gw"]
    assert sdk.delete("sdk-gw", account_id="acct").id == "sdk-gw"
    with pytest.raises(cloudflare.NotFoundError):
        sdk.get("sdk-gw", account_id="acct")


def test_the_official_sdk_reads_a_validation_error(sdk):
    with pytest.raises(cloudflare.BadRequestError, match="cache_ttl"):
        sdk.create(id="x", account_id="acct", **{name: NEW[name] for name in NEW if name != "id"} | {"cache_ttl": -1})


@pytest.mark.parametrize("settings", [{"cache_ttl": -5}, {"retry_backoff": "never"}, {"guardrails": []}])
def test_the_constructor_checks_the_same(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        LocalGateway(settings=settings)
