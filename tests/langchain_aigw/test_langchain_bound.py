"""Gateway options bound to a model: laid over each other and under a call's, and never in place of one another."""

import copy
import pickle

import pytest
from langchain.agents import create_agent
from langchain_core.load import dumps
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField, RunnableBinding
from pydantic import BaseModel

import aigw
from langchain_aigw import AIGatewayCallbackHandler

BOUND = {"collect_log_payload": False, "metadata": {"team": "search", "who": "bound"}}
CALL = {"cache_ttl": 60, "metadata": {"who": "call"}}


class Place(BaseModel):
    """Where something is."""

    city: str = ""


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}."


@pytest.fixture
def logs(stage):
    """Read what the logs say, oldest first: their metadata, and whether they kept what was asked."""
    client = aigw.AIGateway("acct", "test-token", base_url=stage.gateway.base_url)

    def has_kept(log_id):
        try:
            return bool(client.gateway().log_request(log_id))
        except aigw.LogNotFoundError:
            return False

    with client:
        yield lambda: [(log.metadata, has_kept(log.id)) for log in client.gateway().iter_logs(direction="asc")]


WAYS = {
    "bind": lambda model: model.bind(gateway_options=BOUND),
    "bind_tools": lambda model: model.bind_tools([weather], gateway_options=BOUND),
    "bind_later": lambda model: model.bind(stop=["x"]).bind(gateway_options=BOUND),
    "bind_before": lambda model: model.bind(gateway_options=BOUND).bind(stop=["x"]),
    "bind_twice": lambda model: model.bind(gateway_options={"metadata": {"team": "search", "who": "first"}}).bind(
        gateway_options={"collect_log_payload": False, "metadata": {"who": "bound"}}
    ),
    "with_config": lambda model: model.with_config(tags=["t"]).bind(gateway_options=BOUND),
    "with_config_later": lambda model: model.bind(gateway_options=BOUND).with_config(tags=["t"]),
    "with_types": lambda model: model.with_types(input_type=str).bind(gateway_options=BOUND),
    "with_listeners": lambda model: model.with_listeners(on_end=print).bind(gateway_options=BOUND),
    "with_retry": lambda model: model.with_retry().bind(gateway_options=BOUND),
    "with_retry_later": lambda model: model.bind(gateway_options=BOUND).with_retry(),
    "with_fallbacks": lambda model: model.bind(gateway_options=BOUND).with_fallbacks([model]),
    "tools_of_fallbacks": lambda model: model.with_fallbacks([model]).bind_tools([weather], gateway_options=BOUND),
    "tools_of_a_binding": lambda model: model.bind(gateway_options=BOUND).bind_tools([weather]),
    "tools_of_configurable": lambda model: model.configurable_fields(
        temperature=ConfigurableField("temperature")
    ).bind_tools([weather], gateway_options=BOUND),
    "copied": lambda model: copy.deepcopy(model.bind(gateway_options=BOUND)),
    "pickled": lambda model: pickle.loads(pickle.dumps(model.bind(gateway_options=BOUND))),  # noqa: S301  pickled here
}


@pytest.mark.parametrize("way", WAYS)
def test_bound_options_stay_when_a_call_brings_its_own(stage, logs, way):
    WAYS[way](stage.chat()).invoke("hi", gateway_options=CALL)
    assert logs() == [({"team": "search", "who": "call"}, False)]


def test_structured_output_keeps_bound_options(stage, wire, logs):
    stage.play(wire.answer('{"city": "Bern"}'))
    asked = stage.chat().with_structured_output(Place, gateway_options=BOUND)
    assert asked.invoke("hi", gateway_options=CALL) == Place(city="Bern")
    assert logs() == [({"team": "search", "who": "call"}, False)]


async def test_async_calls_streams_and_batches_keep_them(stage, logs):
    bound = stage.chat().bind(gateway_options=BOUND)
    await bound.ainvoke("hi", gateway_options=CALL)
    await bound.abatch(["hi"], gateway_options=CALL)
    bound.batch(["hi"], gateway_options=CALL)
    assert logs() == [({"team": "search", "who": "call"}, False)] * 3


def test_streams_keep_them(stage, wire, logs):
    stage.play([wire.delta(content="a"), wire.end()])
    list(stage.chat().bind(gateway_options=BOUND).stream("hi", gateway_options=CALL))
    assert logs() == [({"team": "search", "who": "call"}, False)]


def test_agents_keep_them(stage, logs):
    agent = create_agent(stage.chat().bind(gateway_options=BOUND), [weather])
    agent.invoke({"messages": [HumanMessage("hi")]})
    assert logs() == [({"team": "search", "who": "bound"}, False)]


def test_the_models_own_options_lie_beneath_those_bound(stage, logs):
    model = stage.chat(gateway_options={"metadata": {"own": 1, "who": "field"}})
    model.bind(gateway_options=BOUND).invoke("hi")
    model.invoke("hi")
    assert logs() == [({"own": 1, "team": "search", "who": "bound"}, False), ({"own": 1, "who": "field"}, True)]


def test_options_of_the_context_and_of_a_run_lie_over_those_bound(stage, logs):
    bound = stage.chat().bind(gateway_options=BOUND)
    with aigw.gateway_options({"metadata": {"who": "context"}}):
        bound.invoke("hi")
        bound.invoke("hi", {"metadata": {"aigw": {"metadata": {"who": "run"}}}})
    assert [metadata["who"] for metadata, _ in logs()] == ["context", "run"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"skipCache": True}, "did you mean 'skip_cache'"),
        ("fast", "gateway options are a dict, not 'fast'"),
        ({"metadata": dict.fromkeys("abcdef", 1)}, "at most 5 entries"),
    ],
)
def test_wrong_options_are_refused_where_they_are_bound(stage, options, message):
    for model in (stage.chat(), stage.chat().bind(stop=["x"])):
        with pytest.raises(aigw.ConfigurationError, match=message):
            model.bind(gateway_options=options)


def test_what_is_bound_to_shares_the_connections_and_leaves_the_model_alone(stage):
    model = stage.chat()
    bound = model.bind(gateway_options=BOUND)
    assert bound.bound.clients is model.clients
    assert model.gateway_options == {}
    assert model.bind(stop=["x"]).bound is model


def test_a_binding_is_langchains_own_to_all_others(stage):
    model = stage.chat()
    bound = model.bind(gateway_options=BOUND, stop=["x"])
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs == {"stop": ["x"]}
    assert bound.get_name() == model.get_name()
    assert dumps(model.bind(stop=["x"])) == dumps(RunnableBinding(bound=model, kwargs={"stop": ["x"]}))


def test_a_bound_models_calls_are_found_by_their_run(stage):
    handler = AIGatewayCallbackHandler()
    message = stage.chat().bind(gateway_options=BOUND).invoke("hi", {"callbacks": [handler]}, gateway_options=CALL)
    assert handler.log_ids() == [message.response_metadata["aigw"]["log_id"]]
