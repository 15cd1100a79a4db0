"""LangChain's own cache never gives the answer of one set of gateway options for another, wherever they stand."""

from __future__ import annotations

import pytest
from langchain_core.caches import InMemoryCache

from aigw import AIGateway, gateway_options
from langchain_aigw import ChatCloudflareAIGateway

OTHER = {"id": "another-gateway"}


@pytest.fixture
def ask(aigw_local):
    """Ask the same with options given in some way; tell how many calls reached either gateway."""
    fields = {"account_id": "acct", "api_token": "test-token", "gateway_id": "g", "base_url": aigw_local.base_url}
    model = ChatCloudflareAIGateway(model="openai/gpt-5-mini", cache=InMemoryCache(), **fields)

    def ask(**keywords):
        model.invoke("Say hello.", **keywords)
        with AIGateway(**fields) as client:
            return sum(client.gateway(name).list_logs().total_count for name in ("g", "another-gateway"))

    return ask


def test_the_same_call_is_answered_once(ask):
    assert [ask(), ask()] == [1, 1]


def test_options_of_the_call_are_in_the_key(ask):
    assert [ask(), ask(gateway_options=OTHER), ask(gateway_options=OTHER)] == [1, 2, 2]


def test_options_of_the_context_are_in_the_key(ask):
    first = ask()
    with gateway_options(OTHER):
        assert [first, ask(), ask()] == [1, 2, 2]


def test_options_of_the_runs_config_are_in_the_key(ask):
    config = {"metadata": {"aigw": OTHER}}

    assert [ask(), ask(config=config), ask(config=config)] == [1, 2, 2]


def test_what_else_a_run_is_labelled_with_is_not(ask):
    assert [ask(), ask(config={"metadata": {"user_id": "u-1"}})] == [1, 1]
