"""Rate limits, spend limits, Unified Billing's limit, and what calls cost."""

import pytest

from aigw.local import LocalGateway, ScriptUpstream
from aigw.local._routing._model_names import ModelName
from aigw.local._spending._prices import price
from aigw.local._spending._usage import Usage, custom_cost, read_usage
from aigw.local._spending._windows import Windows

PATH = "/v1/acct/gw/openai/chat/completions"
PRICED = {"cf-aig-custom-cost": '{"total_cost":0.6}'}


class Clock:
    def __init__(self, now=1_000_020.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gateway(open_client, kit, clock):
    def gateway(upstream=None, **more):
        upstream = upstream or kit.Scripted(kit.completion("hi", usage=(10, 4)))
        return open_client(LocalGateway(upstream=upstream, clock=clock, **more))

    return gateway


def limited(limit=2, technique="fixed", **more):
    return {"rate_limiting_limit": limit, "rate_limiting_interval": 60, "rate_limiting_technique": technique, **more}


def spend(**rule):
    rule = {"id": "r1", "limitType": "cost", "limit": 1, "window": 60} | rule
    return {"spend_limits": {"enabled": True, "rules": [rule]}}


def ask(client, kit, times=1, model="m", path=PATH, **headers):
    return [client.post(path, json=kit.chat(model=model), headers=headers) for _ in range(times)]


def statuses(replies):
    return [reply.status_code for reply in replies]


def test_a_fixed_window_lets_so_many_calls_through(gateway, kit, clock):
    client = gateway(settings=limited())
    replies = ask(client, kit, 3)
    assert statuses(replies) == [200, 200, 429]
    assert (replies[2].json()["internalCode"], replies[2].json()["message"]) == (2003, "Rate limited")
    assert "retry-after" not in replies[2].headers
    clock.now = 1_000_080.0
    assert statuses(ask(client, kit)) == [200]


def test_a_refused_call_is_logged_with_its_ids(gateway, kit):
    client = gateway(settings=limited(limit=1))
    refused = ask(client, kit, 2)[1]
    assert {"cf-aig-log-id", "cf-aig-request-id", "cf-aig-event-id", "cf-aig-step"} <= set(refused.headers)
    log = kit.log(client, refused.headers["cf-aig-log-id"], "gw")
    assert (log["status_code"], log["success"], log["model"]) == (429, False, "openai/m")


def test_a_sliding_window_weighs_the_one_before(gateway, kit, clock):
    client = gateway(settings=limited(limit=4, technique="sliding"))
    assert statuses(ask(client, kit, 5)) == [200, 200, 200, 200, 429]
    clock.now = 1_000_080.0 + 30
    assert statuses(ask(client, kit, 3)) == [200, 200, 429]


def test_gateways_and_accounts_are_limited_apart(gateway, kit):
    client = gateway(settings=limited(limit=1))
    paths = [PATH, PATH.replace("gw", "other"), PATH.replace("acct", "other")]
    assert [statuses(ask(client, kit, 2, path=path)) for path in paths] == [[200, 429]] * 3


def test_the_rest_host_is_limited_in_its_own_envelope(gateway, kit):
    client = gateway(settings=limited(limit=1))
    replies = [client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token) for _ in range(2)]
    assert replies[1].json()["errors"] == [{"code": 2003, "message": "Rate limited"}]


def test_a_body_that_cannot_be_read_is_not_counted(gateway, kit):
    client = gateway(settings=limited(limit=1))
    client.post(PATH, content=b"{")
    assert statuses(ask(client, kit)) == [200]


def test_a_limit_without_an_interval_is_no_limit(gateway, kit):
    assert statuses(ask(gateway(settings={"rate_limiting_limit": 1}), kit, 3)) == [200] * 3


def test_unified_billings_own_limit_is_a_switch(gateway, kit):
    client = gateway(switches={"unified_billing_limit": 1})
    replies = ask(client, kit, 2)
    assert replies[1].json()["internalCode"] == 2018
    assert statuses(ask(client, kit, 2, authorization="Bearer own-key")) == [200, 200]


def test_the_call_that_oversteps_a_spend_limit_is_still_answered(gateway, kit, clock):
    client = gateway(settings=spend())
    replies = ask(client, kit, 3, **PRICED)
    assert statuses(replies) == [200, 200, 429]
    assert replies[2].json()["internalCode"] == 2041
    assert replies[2].json()["message"] == "Spend limit exceeded: rule 'r1' (cost limit 1 per 60s, fixed) for openai m"
    clock.now += 60
    assert statuses(ask(client, kit)) == [200]


def test_the_code_of_a_spend_limit_is_a_switch(gateway, kit):
    client = gateway(settings=spend(limit=0), switches={"spend_limit_code": 2045})
    assert ask(client, kit)[0].json()["internalCode"] == 2045


def test_a_cached_answer_is_given_over_a_spend_limit_and_costs_nothing(gateway, kit):
    client = gateway(settings=spend(limit=0.5) | {"cache_ttl": 600})
    replies = ask(client, kit, 3, **PRICED)
    assert [reply.headers["cf-aig-cache-status"] for reply in replies] == ["MISS", "HIT", "HIT"]


def test_spend_is_counted_for_streams_and_for_calls_that_are_not_logged(gateway, kit):
    client = gateway(upstream=ScriptUpstream([{"text": "a b", "times": "forever"}]), settings=spend(limit=1))
    body = kit.chat(model="m", stream=True)
    headers = {"cf-aig-collect-log": "false", "cf-aig-custom-cost": '{"per_token_out":1}'}
    assert client.post(PATH, json=body, headers=headers).status_code == 200
    assert client.post(PATH, json=body, headers=headers).status_code == 429


@pytest.mark.parametrize(
    ("rule", "second", "status"),
    [
        ({"metadata": {"user": {"mode": "partition"}}}, {"cf-aig-metadata": '{"user":"b"}'}, 200),
        ({"metadata": {"user": {"mode": "partition"}}}, {"cf-aig-metadata": '{"user":"a"}'}, 429),
        ({"metadata": {"user": {"mode": "filter", "values": ["b"]}}}, {"cf-aig-metadata": '{"user":"b"}'}, 200),
        ({"metadata": {"user": {"mode": "match", "value": "a"}}}, {"cf-aig-metadata": '{"user":"a"}'}, 429),
        ({"model": {"mode": "filter", "values": ["openai/m"]}}, {}, 429),
        ({"model": {"mode": "filter", "values": ["m"]}}, {}, 429),
        ({"model": {"match": "openai/other"}}, {}, 200),
        ({"provider": "partition"}, {}, 429),
        ({"provider": {"mode": "filter", "values": ["anthropic"]}}, {}, 200),
        ({"enabled": False}, {}, 200),
    ],
)
def test_a_rule_is_about_some_calls_only(gateway, kit, rule, second, status):
    client = gateway(settings=spend(limit=0.5, **rule))
    first = PRICED | {"cf-aig-metadata": '{"user":"a"}'}
    assert statuses(ask(client, kit, **first)) == [200]
    assert statuses(ask(client, kit, **second)) == [status]


def test_spend_limits_that_are_off_limit_nothing(gateway, kit):
    settings = {"spend_limits": {"enabled": False, "rules": [{"limit": 0, "window": 60}]}}
    assert statuses(ask(gateway(settings=settings), kit)) == [200]


@pytest.mark.parametrize(
    ("provider", "switches", "model", "cost"),
    [
        ("openai", {}, "gpt-4o-mini", 10 * 1.5e-07 + 4 * 6e-07),
        ("openai", {}, "gpt-4o-mini-2024-07-18", 10 * 1.5e-07 + 4 * 6e-07),
        ("openai", {}, "gpt-nobody-knows", None),
        ("ollama", {}, "gpt-4o-mini", None),
        ("ollama", {"costs": "as-asked"}, "gpt-4o-mini", 10 * 1.5e-07 + 4 * 6e-07),
    ],
)
def test_the_price_list_counts_where_the_provider_itself_answers(gateway, kit, provider, switches, model, cost):
    upstream = ScriptUpstream([{"text": "hi", "usage": [10, 4]}], provider=provider)
    client = gateway(upstream=upstream, switches=switches)
    log = kit.log(client, ask(client, kit, model=model)[0].headers["cf-aig-log-id"], "gw")
    assert log.get("cost") == (None if cost is None else pytest.approx(cost))


def test_a_custom_cost_comes_before_the_price_list(gateway, kit):
    client = gateway(upstream=ScriptUpstream(["hi"], provider="openai"))
    log_id = ask(client, kit, model="gpt-4o-mini", **PRICED)[0].headers["cf-aig-log-id"]
    assert (kit.log(client, log_id, "gw")["cost"], kit.log(client, log_id, "gw")["custom_cost"]) == (0.6, True)


def test_the_offline_model_is_free_unless_priced_as_asked(open_client, kit):
    client = open_client(LocalGateway(switches={"costs": "as-asked"}))
    log_id = ask(client, kit, model="gpt-4o-mini")[0].headers["cf-aig-log-id"]
    assert kit.log(client, log_id, "gw")["cost"] > 0


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ModelName("anthropic/claude-haiku-4.5", "anthropic", "anthropic/claude-haiku-4.5"), 1e-06),
        (ModelName("claude-haiku-4-5-20251001", "anthropic", "anthropic/claude-haiku-4-5-20251001"), 1e-06),
        (ModelName("google/gemini-2.5-flash", "google-ai-studio", "google/gemini-2.5-flash"), 3e-07),
        (
            ModelName("@cf/meta/llama-3.2-3b-instruct", "workers-ai", "@cf/meta/llama-3.2-3b-instruct"),
            5.09e-08,
        ),
    ],
)
def test_a_model_has_one_price_whichever_way_it_is_written(model, expected):
    assert price(model, Usage(1, 0)) == pytest.approx(expected)


def test_tokens_of_the_providers_cache_have_their_own_rates():
    usage = read_usage(
        {"usage": {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}}}
    )
    assert usage == Usage(10, 1, cache_read=6)
    assert custom_cost({"per_token_in": 1.0, "per_token_out": 10.0}, usage) == 20.0
    assert custom_cost({"per_token_in": 1.0, "per_cache_read_token": 0.5}, usage) == 7.0
    assert custom_cost({"per_token_in": 2.0, "per_cache_write_token": 5.0}, Usage(10, 0, 3, 4)) == 32.0


def test_windows_forget_what_begins_so(clock):
    windows = Windows(clock)
    windows.add(("rate", "a", "g"), 1, 60)
    windows.add(("rate", "a", "h"), 1, 60)
    windows.forget("rate", "a", "g")
    assert (windows.used(("rate", "a", "g"), 60, "fixed"), windows.used(("rate", "a", "h"), 60, "fixed")) == (0, 1)


@pytest.mark.parametrize("switches", [{"credit": 1.0}, {"workersAiCache": True}])
def test_an_unknown_switch_is_refused(switches):
    with pytest.raises(ValueError, match="unknown switch"):
        LocalGateway(switches=switches)


def test_the_quirk_of_workers_ai_caching_is_a_switch(open_client, kit):
    body = kit.chat(model="@cf/meta/llama-3.1-8b-instruct")
    path = "/v1/acct/gw/workers-ai/v1/chat/completions"
    client = open_client(LocalGateway(switches={"workers_ai_cache": True}))
    zero = {"cf-aig-cache-ttl": "0"}
    seen = [client.post(path, json=body, headers=zero).headers.get("cf-aig-cache-status") for _ in range(2)]
    assert seen == ["MISS", "HIT"]
    assert "cf-aig-cache-status" not in ask(client, kit)[0].headers
