"""Which `instrument_tags` become metadata of a call: those an allow-list names, in its order, and no other."""

import asyncio
import json
import re

import httpx
import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage

from aigw import ConfigurationError
from llamaindex_aigw import CloudflareAIGateway, CloudflareAIGatewayEmbedding, capture_logs
from llamaindex_aigw._span_options import span_options

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:pydantic.warnings.PydanticDeprecationWarning")
    for message in (
        "The `__fields(_set)?__` attribute is deprecated",
        "Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    )
]

HELLO = [ChatMessage(role="user", content="Hello")]
SIX = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}


def metadata_of(tags, keys, call=None, **more):
    options = span_options(call, span_id=None, tags=tags, metadata_keys=keys, **more)
    return (options or {}).get("metadata")


def test_without_an_allow_list_no_tag_is_sent():
    assert span_options(None, span_id=None, tags={"user": "u1"}) is None


def test_only_what_the_allow_list_names_is_sent():
    assert metadata_of({"user": "u1", "secret": "x"}, ("user", "absent")) == {"user": "u1"}


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, False, 0])
def test_scalars_are_sent_as_they_are(value):
    assert metadata_of({"k": value}, ("k",)) == {"k": value}


def test_a_sixth_tag_is_dropped_with_one_warning_that_names_it():
    with pytest.warns(UserWarning, match=r"not sent as gateway metadata: f;") as warned:
        assert metadata_of(SIX, tuple("abcdef")) == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    assert len(warned) == 1


def test_the_order_of_the_allow_list_decides_which_five():
    with pytest.warns(UserWarning, match=r"metadata: a;"):
        assert metadata_of(SIX, tuple("fedcba")) == {"f": 6, "e": 5, "d": 4, "c": 3, "b": 2}


@pytest.mark.parametrize("value", [[1], {"a": 1}, float("nan"), float("inf"), object()])
def test_what_is_no_scalar_is_dropped_with_a_warning(value):
    with pytest.warns(UserWarning, match=re.escape("metadata: k;")):
        assert metadata_of({"k": value, "user": "u1"}, ("k", "user")) == {"user": "u1"}


def test_a_tag_that_is_none_is_left_out_without_a_word():
    assert metadata_of({"k": None}, ("k",)) is None


def test_the_calls_own_metadata_wins_and_takes_its_room():
    call = {"metadata": {"user": "mine", "x": 1, "y": 2, "z": 3}}
    with pytest.warns(UserWarning, match="metadata: b;"):
        found = metadata_of({"user": "tag", "a": 1, "b": 2}, ("user", "a", "b"), call)
    assert found == {"a": 1, "user": "mine", "x": 1, "y": 2, "z": 3}


def test_metadata_of_the_model_takes_its_room():
    beneath = ({"metadata": {"m": 1, "n": 2, "o": 3, "p": 4}},)
    with pytest.warns(UserWarning, match="metadata: b;"):
        assert metadata_of({"m": 9, "a": 1, "b": 2}, ("m", "a", "b"), beneath=beneath) == {"m": 9, "a": 1}


def test_options_that_are_no_dict_are_left_for_the_core_to_refuse(llm):
    with pytest.raises(ConfigurationError, match="gateway options are a dict"):
        llm.chat(HELLO, gateway_options="skip_cache")


@pytest.mark.parametrize("key", ["cf.user_id", ""])
def test_keys_that_are_the_gateways_own_are_refused(key):
    with pytest.raises(ConfigurationError, match="metadata_keys cannot hold"):
        CloudflareAIGateway(model="openai/x", metadata_keys=("user", key))


def test_tags_reach_the_log(aigw_local, new_llm, client):
    llm = new_llm(aigw_local, metadata_keys=("user", "thread"), gateway_options={"metadata": {"team": "search"}})
    with capture_logs(tags={"user": "u1", "thread": 7, "note": "private"}) as logs:
        list(llm.stream_chat(HELLO))
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"user": "u1", "thread": 7, "team": "search"}


def test_tags_are_taken_when_the_stream_is_asked_for(aigw_local, new_llm, client):
    llm = new_llm(aigw_local, metadata_keys=("user",))
    with capture_logs(tags={"user": "u1"}) as logs:
        stream = llm.stream_chat(HELLO)
    with capture_logs(tags={"user": "u2"}):
        list(stream)
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"user": "u1"}


def test_embeddings_send_them_too(aigw_local, client):
    embedding = CloudflareAIGatewayEmbedding(
        model="@cf/baai/bge-m3",
        account_id="acct",
        api_token="test-token",
        base_url=aigw_local.base_url,
        metadata_keys=("user",),
    )
    with capture_logs(tags={"user": "u1"}) as logs:
        embedding.get_query_embedding("a")
    embedding.close()
    assert client.gateway().get_log(logs.log_ids[0]).metadata == {"user": "u1"}


async def test_what_workflows_put_into_tags_never_leaves(llm, client):
    with capture_logs(tags={"user": "u1"}) as logs:
        await FunctionAgent(tools=[], llm=llm).run("My password is hunter2")
    assert client.gateway().get_log(logs.log_ids[0]).metadata in (None, {})


async def test_five_hundred_pairs_of_users_never_swap():
    async def answer(request):
        await asyncio.sleep(0)
        return httpx.Response(
            200,
            json={"choices": [{"message": {"content": json.loads(request.content)["messages"][0]["content"]}}]},
            headers={"cf-aig-log-id": request.headers["cf-aig-metadata"]},
        )

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http_client:
        llm = CloudflareAIGateway(
            model="openai/x",
            account_id="acct",
            api_token="test-token",
            http_async_client=http_client,
            metadata_keys=("user",),
        )

        async def ask(user):
            with capture_logs(tags={"user": user}):
                response = await llm.acomplete(user)
            return response.text, json.loads(response.additional_kwargs["aigw"]["log_id"])

        asked = await asyncio.gather(*(ask(f"u{number}") for number in range(1000)))
    assert asked == [(f"u{number}", {"user": f"u{number}"}) for number in range(1000)]
