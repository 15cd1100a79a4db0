"""The Auto Router: `cloudflare/auto` becomes a model, and the answer says which and why."""

import pytest

from aigw.local import LocalGateway

PATH = "/v1/acct/gw/compat/chat/completions"
CHEAPEST, OTHER = "openai/gpt-5-mini", "anthropic/claude-haiku-4-5"


@pytest.fixture
def ask(open_client, kit):
    client = open_client(LocalGateway())

    def ask(status=200, path=PATH, **options):
        headers = {f"cf-aig-{name.replace('_', '-')}": value for name, value in options.items()}
        reply = client.post(path, json=kit.chat(model="cloudflare/auto"), headers=kit.token | headers)
        assert reply.status_code == status, reply.text
        return reply.headers.get("cf-aig-routed-model"), reply.headers.get("cf-aig-routing-reason"), reply

    return ask


def test_the_cheapest_model_of_the_pool_answers(ask):
    model, reason, reply = ask()
    assert (model, reason) == (CHEAPEST, "cost_optimal_within_pool")
    assert reply.headers["cf-aig-routing-decision-id"]


def test_the_log_names_the_model_that_was_chosen(open_client, kit):
    client = open_client(LocalGateway())
    reply = client.post(PATH, json=kit.chat(model="cloudflare/auto"))
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["model"] == CHEAPEST


@pytest.mark.parametrize(
    ("options", "model"),
    [
        ({"allowed_models": OTHER}, OTHER),
        ({"allowed_models": "anthropic/claude-haiku-*"}, OTHER),
        ({"allowed_models": "anthropic/*, openai/gpt-5-nano"}, "openai/gpt-5-nano"),
        ({"allowed_providers": "anthropic"}, OTHER),
        ({"allowed_models": "openai/*,anthropic/claude-haiku-*", "allowed_providers": "anthropic"}, OTHER),
    ],
)
def test_a_call_says_which_models_are_allowed(ask, options, model):
    assert ask(**options)[0] == model


def test_a_pool_of_one_is_a_reason_of_its_own(ask):
    assert ask(allowed_models=OTHER)[1] == "forced_by_candidate_pool"


@pytest.mark.parametrize(
    "options",
    [
        {"allowed_models": "openai/nobody"},
        {"allowed_models": f"{OTHER},o*"},
        {"allowed_providers": "nobody"},
        {"allowed_models": OTHER, "allowed_providers": "openai"},
    ],
)
def test_an_allowed_entry_that_matches_nothing_is_refused(ask, options):
    assert ask(400, **options)[0] is None


def test_a_turn_keeps_its_model(ask):
    assert ask(allowed_models=OTHER, turn_id="t")[0] == OTHER
    assert ask(turn_id="t")[:2] == (OTHER, "pinned_by_turn")
    assert ask(turn_id="u")[0] == CHEAPEST


def test_a_session_keeps_its_model_unless_the_call_says_otherwise(ask):
    ask(allowed_models=OTHER, session_id="s")
    assert ask(session_id="s", no_session_affinity="true")[0] == CHEAPEST
    assert ask(session_id="s")[0] == OTHER
    assert ask(session_id="x")[0] == CHEAPEST


def test_a_kept_model_that_is_not_allowed_any_more_falls_back(ask):
    ask(turn_id="t")
    assert ask(turn_id="t", allowed_models=OTHER)[:2] == (OTHER, "fallback_key_not_in_candidates")


def test_the_rest_host_has_it_too(ask):
    assert ask(path="/client/v4/accounts/acct/ai/v1/chat/completions")[0] == CHEAPEST


def test_the_pool_is_a_switch(open_client, kit):
    client = open_client(LocalGateway(switches={"auto_pool": ["groq/some-model"]}))
    reply = client.post(PATH, json=kit.chat(model="cloudflare/auto"))
    assert reply.headers["cf-aig-routed-model"] == "groq/some-model"


@pytest.mark.parametrize(("is_on", "model"), [(True, CHEAPEST), (False, CHEAPEST), (True, "@cf/meta/llama")])
def test_run_ids_are_a_switch_for_streams_of_other_providers(open_client, kit, is_on, model):
    client = open_client(LocalGateway(switches={"run_ids": is_on}))
    body = {"model": model, "input": {"messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 5}}
    reply = client.post(f"{kit.rest}/run", json=body, headers=kit.token)
    assert ("cf-aig-run-id" in reply.headers) == (is_on and model == CHEAPEST)
