"""What the run a call belongs to adds to it: the event id, the options and the metadata of its config."""

import asyncio
import copy
import pickle
import warnings
from collections import Counter
from uuid import uuid4

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

import aigw
from aigw.local import LocalGateway
from langchain_aigw import ChatCloudflareAIGateway


class Heard(BaseCallbackHandler):
    """The ids of the models' runs, as LangChain tells them."""

    run_inline = True

    def __init__(self):
        self.run_ids = []

    def on_chat_model_start(self, serialized, messages, *, run_id, **more):
        del serialized, messages, more
        self.run_ids.append(str(run_id))


class Place(BaseModel):
    """Where something is."""

    city: str = ""


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def make(local_fields):
    def make(**fields):
        return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields, **fields)

    return make


@pytest.fixture
def logs(local_fields):
    """Read the gateway's logs, oldest first."""

    def read():
        with aigw.AIGateway(**local_fields) as client:
            return list(client.gateway().iter_logs(direction="asc"))

    return read


@pytest.fixture
def sent(logs):
    """Read the event ids the gateway was sent."""

    def read():
        return [log.event_id for log in logs()]

    return read


async def drain(stream):
    return [item async for item in stream]


WAYS = {
    "invoke": lambda model, config: model.invoke("hi", config),
    "streaming_invoke": lambda model, config: model.invoke("hi", config, stream=True),
    "stream": lambda model, config: list(model.stream("hi", config)),
    "batch": lambda model, config: model.batch(["hi"] * 3, config),
    "structured": lambda model, config: model.with_structured_output(Place, include_raw=True).invoke("hi", config),
    "generate": lambda model, config: model.generate([[HumanMessage("a")], [HumanMessage("b")]], **config),
    "streaming_generate": lambda model, config: model.generate(
        [[HumanMessage("a")], [HumanMessage("b")]], stream=True, **config
    ),
}
ASYNC_WAYS = {
    "ainvoke": lambda model, config: model.ainvoke("hi", config),
    "streaming_ainvoke": lambda model, config: model.ainvoke("hi", config, stream=True),
    "astream": lambda model, config: drain(model.astream("hi", config)),
    "abatch": lambda model, config: model.abatch(["hi"] * 3, config),
    "events": lambda model, config: drain(model.astream_events("hi", config)),
    "agenerate": lambda model, config: model.agenerate([[HumanMessage("a")], [HumanMessage("b")]], **config),
    "streaming_agenerate": lambda model, config: model.agenerate(
        [[HumanMessage("a")], [HumanMessage("b")]], stream=True, **config
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_run_id_is_the_event_id(make, heard, sent, way):
    WAYS[way](make(), {"callbacks": [heard]})
    assert heard.run_ids
    assert sorted(sent()) == sorted(heard.run_ids)


@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_the_run_id_is_the_event_id_in_async_calls(make, heard, sent, way):
    await ASYNC_WAYS[way](make(), {"callbacks": [heard]})
    assert heard.run_ids
    assert sorted(sent()) == sorted(heard.run_ids)


@pytest.mark.filterwarnings("ignore:.*in beta")
def test_the_run_id_is_the_event_id_in_events_of_version_3(make, heard, sent):
    list(make().stream_events("hi", {"callbacks": [heard]}, version="v3"))
    assert sent() == heard.run_ids
    assert len(heard.run_ids) == 1


def test_a_run_id_given_in_the_config_is_the_event_id(make, sent):
    run_id = uuid4()
    make().invoke("hi", {"run_id": run_id})
    assert sent() == [str(run_id)]


def test_the_run_id_stays_here_when_it_is_switched_off(make, heard, sent):
    make(send_run_id=False).invoke("hi", {"callbacks": [heard]})
    assert sent() != heard.run_ids


@pytest.mark.parametrize("where", ["field", "context", "config", "bound", "call"])
def test_an_event_id_of_the_callers_own_wins(make, sent, where):
    own = {"event_id": "mine"}
    if where == "field":
        make(gateway_options=own).invoke("hi")
    elif where == "context":
        with aigw.gateway_options(own):
            make().invoke("hi")
    elif where == "config":
        make().invoke("hi", {"metadata": {"aigw": own}})
    elif where == "bound":
        make().bind(gateway_options=own).invoke("hi")
    else:
        make().invoke("hi", gateway_options=own)
    assert sent() == ["mine"]


def test_the_model_called_past_langchain_has_no_run(make, sent):
    make().invoke("hi", {"run_id": (run_id := uuid4())})
    list(make()._stream([HumanMessage("hi")]))
    assert sent()[0] == str(run_id)
    assert sent()[1] != str(run_id)


def test_a_models_callbacks_are_kept_and_those_given_stay_as_they_were(make, heard, sent):
    given = [heard]
    make(callbacks=given).invoke("hi")
    assert given == [heard]
    assert sent() == heard.run_ids


def test_a_callback_manager_is_kept(make, heard, sent):
    manager = CallbackManager([heard])
    make(callbacks=manager).invoke("hi")
    assert manager.handlers == [heard]
    assert sent() == heard.run_ids


def test_copies_send_their_run_id_too(make, heard, sent):
    model = make()
    for again in (copy.deepcopy(model), model.model_copy(), pickle.loads(pickle.dumps(model))):  # noqa: S301  pickled here
        again.invoke("hi", {"callbacks": [heard]})
    assert sent() == heard.run_ids


def test_options_of_the_runs_config_lie_between_the_models_and_the_calls(make, logs):
    model = make(gateway_options={"metadata": {"a": 1, "b": 1, "c": 1}})
    configured = model.with_config(metadata={"aigw": {"metadata": {"b": 2, "c": 2}, "id": "run"}})
    info = configured.invoke("hi", gateway_options={"metadata": {"c": 3}, "id": "call"}).response_metadata["aigw"]
    assert info["gateway_id"] == "call"
    assert configured.invoke("hi").response_metadata["aigw"]["gateway_id"] == "run"
    assert logs() == []


def test_metadata_merges_key_by_key(make, logs):
    model = make(gateway_options={"metadata": {"a": 1, "b": 1, "c": 1}})
    config = {"metadata": {"aigw": {"metadata": {"b": 2, "c": 2}}}}
    model.invoke("hi", config, gateway_options={"metadata": {"c": 3}})
    assert logs()[0].metadata == {"a": 1, "b": 2, "c": 3}
    assert config == {"metadata": {"aigw": {"metadata": {"b": 2, "c": 2}}}}


def test_streams_obey_the_options_of_their_run(make, logs):
    list(make().stream("hi", {"metadata": {"aigw": {"metadata": {"who": "ann"}}}}))
    assert logs()[0].metadata == {"who": "ann"}


@pytest.mark.parametrize(
    ("options", "error"),
    [({"skipCache": True}, "did you mean 'skip_cache'"), ("fast", "a dict of gateway options, not 'fast'")],
)
def test_wrong_options_of_a_run_are_refused_before_anything_is_sent(stage, options, error):
    with pytest.raises(aigw.ConfigurationError, match=error):
        stage.chat().invoke("hi", {"metadata": {"aigw": options}})
    assert stage.bodies == []


def test_nothing_of_a_runs_metadata_is_sent_that_is_not_named(make, logs):
    make(metadata={"team": "search"}).invoke("hi", {"metadata": {"user": "ann"}, "tags": ["t"]})
    assert logs()[0].metadata in (None, {})


def test_named_keys_of_metadata_and_configurable_are_sent(make, logs):
    config = {"metadata": {"user_id": "u1", "secret": "x"}, "configurable": {"thread_id": "t1"}, "tags": ["t"]}
    model = make(metadata_keys=["user_id", "thread_id", "tenant"])
    (ChatPromptTemplate.from_template("{text}") | model).invoke({"text": "hi"}, config)
    assert logs()[0].metadata == {"user_id": "u1", "thread_id": "t1"}


def test_five_entries_are_sent_by_priority_and_the_others_named_in_one_warning(make, logs):
    keys = ["f", "e", "d", "c", "b", "a", "z"]
    model = make(metadata_keys=keys, gateway_options={"metadata": {"team": "search"}})
    with pytest.warns(UserWarning, match="not sent as gateway metadata: b, a, z;") as warned:
        model.invoke("hi", {"metadata": dict.fromkeys("abcdefz", 1)})
    assert len(warned) == 1
    assert logs()[0].metadata == {"team": "search", "f": 1, "e": 1, "d": 1, "c": 1}


def test_entries_of_the_context_take_up_room_too(make, logs):
    context = dict.fromkeys("vwxyz", 1)
    with aigw.gateway_options({"metadata": context}), pytest.warns(UserWarning, match="gateway metadata: user;"):
        make(metadata_keys=["user"]).invoke("hi", {"metadata": {"user": "ann"}})
    assert logs()[0].metadata == context


def test_a_named_key_replaces_the_models_entry_and_yields_to_the_calls(make, logs):
    own = {"a": "model", "b": "model", "c": "model", "d": "model", "e": "model"}
    model = make(metadata_keys=["a", "b"], gateway_options={"metadata": own})
    with warnings.catch_warnings(record=True) as warned:
        model.invoke("hi", {"metadata": {"a": "run", "b": "run"}}, gateway_options={"metadata": {"b": "call"}})
    assert warned == []
    assert logs()[0].metadata == {**own, "a": "run", "b": "call"}


def test_what_is_no_scalar_is_named_and_not_sent(make, logs):
    with pytest.warns(UserWarning, match="not sent as gateway metadata: who, rate;"):
        make(metadata_keys=["who", "rate", "none", "flag"]).invoke(
            "hi", {"metadata": {"who": {"id": 1}, "rate": float("inf"), "none": None, "flag": True}}
        )
    assert logs()[0].metadata == {"flag": True}


def test_a_key_of_the_gateways_own_is_refused(stage):
    with pytest.raises(aigw.ConfigurationError, match="cf"):
        stage.chat(metadata_keys=["cf.user"]).invoke("hi", {"metadata": {"cf.user": "x"}})
    assert stage.bodies == []


async def test_concurrent_users_never_swap():
    gateway = LocalGateway()
    transport = gateway.transport()
    async with httpx.AsyncClient(transport=transport) as http_async_client:
        with httpx.Client(transport=transport) as http_client:
            model = ChatCloudflareAIGateway(
                model="openai/gpt-5-mini",
                account_id="acct",
                api_token="test-token",
                metadata_keys=["user"],
                http_client=http_client,
                http_async_client=http_async_client,
            )

            async def ask(number):
                config = {"metadata": {"user": f"u{number}"}, "run_id": uuid4()}
                if number % 10 == 0:
                    await asyncio.to_thread(model.invoke, "hi", config, stream=True)
                elif number % 2:
                    await model.ainvoke("hi", config)
                else:
                    await drain(model.astream("hi", config))
                return str(config["run_id"]), f"u{number}"

            asked = await asyncio.gather(*map(ask, range(500)))
            client = aigw.AIGateway("acct", "test-token", http_client=http_client)
            logs = await asyncio.to_thread(lambda: list(client.gateway().iter_logs()))
    assert Counter((log.event_id, log.metadata["user"]) for log in logs) == Counter(asked)
