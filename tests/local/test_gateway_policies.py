"""Policies: who may ask which model, and for how much."""

import pytest

from aigw.local import LocalGateway

PATH = "/v1/acct/gw/openai/chat/completions"
PRICED = {"cf-aig-custom-cost": '{"total_cost":0.6}'}
DENIED = {"success": False, "error": {"message": "Access denied by policy"}}


@pytest.fixture
def client(open_client, kit):
    def client(*policies, **more):
        upstream = kit.Scripted(kit.completion("hi", usage=(10, 4)))
        switches = {"policies": list(policies), **more.pop("switches", {})}
        return open_client(LocalGateway(upstream=upstream, switches=switches, **more))

    return client


def ask(client, kit, model="gpt-5-mini", **headers):
    return client.post(PATH, json=kit.chat(model=model), headers=headers)


def test_without_policies_everything_is_allowed(client, kit):
    assert ask(client(), kit).status_code == 200


def test_a_call_that_no_policy_matches_is_denied_and_logged(client, kit):
    gateway = client({"metadata": {"team": "a"}})
    reply = ask(gateway, kit, **{"cf-aig-metadata": '{"team":"b"}'})
    assert (reply.status_code, reply.json()) == (403, DENIED)
    assert kit.log(gateway, reply.headers["cf-aig-log-id"], "gw")["status_code"] == 403


@pytest.mark.parametrize(
    ("policy", "metadata", "status"),
    [
        ({"metadata": {"team": "a"}}, '{"team":"a","more":1}', 200),
        ({"metadata": {"vip": True}}, '{"vip":true}', 200),
        ({"metadata": {"team": "a"}}, '{"team":{"name":"a"}}', 403),
        ({"models": ["openai/gpt-5-*"]}, "{}", 200),
        ({"models": ["openai*"]}, "{}", 403),
        ({"models": ["anthropic/*"]}, "{}", 403),
    ],
)
def test_a_policy_looks_at_labels_and_models(client, kit, policy, metadata, status):
    assert ask(client(policy), kit, **{"cf-aig-metadata": metadata}).status_code == status


def test_a_used_up_policy_names_its_bucket(client, kit):
    gateway = client({"id": "p1", "limit": 1.0})
    replies = [ask(gateway, kit, **PRICED) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    error = {"message": "Spending limit exceeded", "bucket": "p1", "spent": 1.2, "limit": 1.0}
    assert replies[2].json() == {"success": False, "error": error}


def test_a_cached_answer_asks_no_policy(client, kit):
    gateway = client({"limit": 0.5}, settings={"cache_ttl": 60})
    assert [ask(gateway, kit, **PRICED).status_code for _ in range(3)] == [200, 200, 200]


def test_policies_that_are_down_let_calls_through(client, kit):
    assert ask(client({"models": ["none"]}, switches={"policies_down": True}), kit).status_code == 200


@pytest.mark.parametrize(
    "policy", [{"model": "x"}, {"models": "x"}, {"metadata": 1}, {"limit": -1}, {"limit": "1"}, {"window": 0}]
)
def test_a_wrong_policy_is_refused(policy):
    with pytest.raises(ValueError, match=r"policies\.0\."):
        LocalGateway(switches={"policies": [policy]})
