"""A model as an object: its secrets, its copies, its connections, and the package's names."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys

import httpx
import pytest
from llama_index.core.llms import ChatMessage
from pydantic import ValidationError

import aigw
import llamaindex_aigw
from llamaindex_aigw import CloudflareAIGateway, CloudflareAIGatewayEmbedding

MESSAGES = [ChatMessage(role="user", content="Hi")]
SECRETS = {"api_token": "secret-token", "provider_key": "secret-key"}


@pytest.fixture(params=[CloudflareAIGateway, CloudflareAIGatewayEmbedding])
def model(request):
    return request.param(
        model="openai/some-model", account_id="acct", gateway_options={"metadata": {"a": 1}}, timeout=9.5, **SECRETS
    )


@pytest.mark.parametrize(
    "show", [repr, str, lambda model: model.to_json(), lambda model: repr(model.to_dict()), lambda model: model.json()]
)
def test_no_secret_is_shown(model, show):
    assert "secret" not in show(model)


def test_no_secret_is_in_what_llamaindex_publishes(model):
    publish = getattr(model, "to_payload", model.to_dict)  # younger than the oldest LlamaIndex allowed
    assert "secret" not in repr(publish())


def test_a_model_can_be_written_down_and_read_back(model):
    again = type(model).from_json(model.to_json(), **SECRETS)
    assert again.to_dict() == model.to_dict()
    assert json.loads(model.to_json())["timeout"] == 9.5


def test_an_httpx_timeout_can_be_written_down_too():
    assert json.loads(CloudflareAIGateway(model="a/b", timeout=httpx.Timeout(5)).to_json())["timeout"] is None


@pytest.mark.parametrize("make", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy, copy.copy])  # noqa: S301 our own pickle
def test_a_copy_has_all_that_was_given(model, make):
    again = make(model)
    assert again.to_dict() == model.to_dict()
    assert again.api_token.get_secret_value() == "secret-token"
    assert again.provider_key.get_secret_value() == "secret-key"


@pytest.mark.parametrize("make", [lambda llm: pickle.loads(pickle.dumps(llm)), copy.deepcopy, copy.copy])  # noqa: S301 our own pickle
async def test_a_copy_of_a_used_llm_works(llm, make):
    llm.chat(MESSAGES)
    await llm.achat(MESSAGES)
    again = make(llm)
    assert again.chat(MESSAGES).raw["aigw"]["log_id"]
    assert (await again.achat(MESSAGES)).raw["aigw"]["log_id"]
    again.close()


def test_a_deep_copy_shares_the_client_it_was_given():
    with httpx.Client() as http_client:
        llm = CloudflareAIGateway(model="a/b", http_client=http_client)
        assert copy.deepcopy(llm).http_client is http_client


def test_a_changed_copy_connects_as_it_says(llm):
    llm.chat(MESSAGES)
    elsewhere = llm.model_copy(update={"gateway_id": "other"})
    assert elsewhere.chat(MESSAGES).raw["aigw"]["gateway_id"] == "other"
    assert llm.chat(MESSAGES).raw["aigw"]["gateway_id"] == "default"


def test_a_copy_with_another_model_keeps_the_connection(llm):
    other = llm.model_copy(update={"model": "openai/gpt-5-mini"})
    assert other._sync_client() is llm._sync_client()


def test_two_event_loops_make_two_calls(scripted, kit):
    llm, upstream = scripted(kit.answered({"content": "ok"}))
    for _ in range(2):
        assert asyncio.run(llm.achat(MESSAGES)).message.content == "ok"
    assert len(upstream.bodies) == 2


def test_no_client_is_made_by_the_constructor(model):
    assert (model._clients._sync, model._clients._async) == ({}, {})


async def test_a_closed_llm_can_be_used_again(llm):
    for _ in range(2):
        llm.chat(MESSAGES)
        await llm.achat(MESSAGES)
        llm.close()
        await llm.aclose()


def test_a_given_client_is_used_and_left_open(llm, aigw_local):
    with httpx.Client(headers={"x-mine": "1"}) as http_client:
        mine = CloudflareAIGateway(
            model=llm.model,
            account_id="acct",
            api_token="test-token",
            base_url=aigw_local.base_url,
            http_client=http_client,
        )
        mine.chat(MESSAGES)
        mine.close()
        assert not http_client.is_closed


@pytest.mark.parametrize("wrong", [{"gateway_id": "no such id"}, {"gateway_options": {"skipCache": True}}])
@pytest.mark.parametrize("kind", [CloudflareAIGateway, CloudflareAIGatewayEmbedding])
def test_a_wrong_argument_is_told_at_once(kind, wrong):
    with pytest.raises(aigw.ConfigurationError):
        kind(model="a/b", **wrong)


@pytest.mark.parametrize("kind", [CloudflareAIGateway, CloudflareAIGatewayEmbedding])
def test_an_unknown_argument_is_told_at_once(kind):
    with pytest.raises(ValidationError, match="temprature"):
        kind(model="a/b", temprature=0)


def test_the_packages_names():
    assert llamaindex_aigw.__all__ == [
        "AIGatewayEventHandler",
        "CloudflareAIGateway",
        "CloudflareAIGatewayEmbedding",
        "__version__",
        "capture_logs",
        "get_cost_callback",
    ]
    assert set(llamaindex_aigw.__all__) <= set(dir(llamaindex_aigw))
    assert llamaindex_aigw.__version__ == aigw.__version__
    assert not hasattr(llamaindex_aigw, "ChatGateway")


def test_importing_the_package_imports_no_framework():
    code = (
        "import sys, llamaindex_aigw\n"
        "print([name for name in ('llama_index', 'langchain_core', 'openai') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 our own words
    assert run.stdout.strip() == "[]"
