"""The model in `create_agent`: profiles, ways to structure the answer, shipped middlewares, stream modes."""

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    SummarizationMiddleware,
    ToolCallLimitMiddleware,
    wrap_model_call,
)
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from pydantic import BaseModel

import aigw
from langchain_aigw import ChatCloudflareAIGateway

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta", "ignore:.*is experimental")

QUESTION = {"messages": [HumanMessage("What is the weather in Paris?")]}


class Place(BaseModel):
    """Where something is."""

    city: str


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}."


@pytest.fixture
def model(local_fields):
    return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields)


def calling(wire, name="Place", call_id="call_1", arguments='{"city": "Paris"}'):
    call = {"index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return wire.answer(None, tool_calls=[call])


@pytest.mark.parametrize("name", ["openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"])
def test_a_model_of_the_catalogue_has_a_profile(name):
    profile = ChatCloudflareAIGateway(model=name).profile
    assert profile["max_input_tokens"] > 100_000
    assert profile["tool_calling"] is True


@pytest.mark.parametrize("name", ["dynamic/support", "nobody/knows-this"])
def test_a_model_nobody_knows_has_none(name):
    assert ChatCloudflareAIGateway(model=name).profile is None


def test_the_users_profile_wins():
    profile = {"max_input_tokens": 10}
    assert ChatCloudflareAIGateway(model="openai/gpt-5-mini", profile=profile).profile == profile


def test_each_model_has_a_profile_of_its_own():
    ChatCloudflareAIGateway(model="openai/gpt-5-mini").profile["tool_calling"] = False
    assert ChatCloudflareAIGateway(model="openai/gpt-5-mini").profile["tool_calling"] is True


def test_the_profile_follows_a_configured_model_unless_the_user_gave_it():
    def configured(model):
        rebuilt = {name: value for name, value in vars(model).items() if name in type(model).model_fields}
        return ChatCloudflareAIGateway(**{**rebuilt, "model": "dynamic/support"}).profile

    assert configured(ChatCloudflareAIGateway(model="openai/gpt-5-mini")) is None
    given = {"max_input_tokens": 10}
    assert configured(ChatCloudflareAIGateway(model="openai/gpt-5-mini", profile=given)) == given


def structured_with(stage, strategy, **fields):
    agent = create_agent(stage.chat(**fields), tools=[], response_format=strategy)
    result = agent.invoke({"messages": [("user", "Where is the Eiffel Tower?")]})
    assert result["structured_response"] == Place(city="Paris")
    return stage.bodies[0]


@pytest.mark.parametrize("strategy", [ProviderStrategy(Place), AutoStrategy(Place), Place])
def test_a_model_that_knows_schemas_is_given_one(stage, wire, strategy):
    stage.play(wire.answer('{"city": "Paris"}'))
    body = structured_with(stage, strategy)
    assert body["response_format"]["json_schema"]["name"] == "Place"
    assert {"tools", "tool_choice", "parallel_tool_calls"} & {*body} == set()


@pytest.mark.parametrize(
    ("strategy", "fields"),
    [
        (ToolStrategy(Place), {}),
        (AutoStrategy(Place), {"model": "dynamic/support"}),
        (AutoStrategy(Place), {"model": "nobody/m", "profile": {"structured_output": False}}),
    ],
)
def test_a_model_that_may_not_is_given_a_tool(stage, wire, strategy, fields):
    stage.play(calling(wire))
    body = structured_with(stage, strategy, **fields)
    assert body["tool_choice"] == "required"
    assert "response_format" not in body


def test_the_fallback_middleware_asks_the_next_model(stage, wire):
    down = stage.chat(base_url="http://127.0.0.1:9", max_retries=0)
    stage.play(wire.answer("I am here."))
    agent = create_agent(down, middleware=[ModelFallbackMiddleware(stage.chat(model="openai/gpt-5"))])
    assert agent.invoke(QUESTION)["messages"][-1].content == "I am here."
    assert stage.bodies[0]["model"] == "openai/gpt-5"


def test_summarization_begins_at_a_fraction_of_the_models_window(stage, wire):
    profile = {"max_input_tokens": 100}
    stage.play(wire.answer("They talked."), wire.answer("Sunny."))
    model = stage.chat(profile=profile)
    agent = create_agent(
        model, middleware=[SummarizationMiddleware(model, trigger=("fraction", 0.5), keep=("messages", 1))]
    )
    long = [HumanMessage("word " * 60), AIMessage("word " * 60), HumanMessage("And now?")]
    result = agent.invoke({"messages": long})
    assert len(stage.bodies) == 2
    assert "They talked." in result["messages"][0].content
    assert result["messages"][-1].content == "Sunny."


def test_summarization_hears_of_the_tokens_the_provider_counted(stage, wire):
    """It trusts an answer's usage only if its `model_provider` is the model's `ls_provider`."""
    counted = wire.answer("Sunny.") | {"usage": {"prompt_tokens": 900, "completion_tokens": 9, "total_tokens": 909}}
    stage.play(counted, wire.answer("They talked."), wire.answer("Still sunny."))
    model = stage.chat()
    first = model.invoke("How is it?")
    agent = create_agent(
        model, middleware=[SummarizationMiddleware(model, trigger=("tokens", 800), keep=("messages", 1))]
    )
    result = agent.invoke({"messages": [HumanMessage("How is it?"), first, HumanMessage("And now?")]})
    assert "They talked." in result["messages"][0].content


def test_the_limit_of_model_calls_ends_the_loop(stage, wire):
    stage.play(calling(wire, "get_weather"))
    limit = ModelCallLimitMiddleware(run_limit=2, exit_behavior="end")
    result = create_agent(stage.chat(), tools=[get_weather], middleware=[limit]).invoke(QUESTION)
    assert len(stage.bodies) == 2
    assert "limit" in result["messages"][-1].content.lower()


def test_the_limit_of_tool_calls_ends_the_loop(stage, wire):
    stage.play(calling(wire, "get_weather"))
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior="end")
    create_agent(stage.chat(), tools=[get_weather], middleware=[limit]).invoke(QUESTION)
    assert len(stage.bodies) == 2


def test_stream_mode_updates_gives_each_step(model):
    steps = list(create_agent(model, tools=[get_weather]).stream(QUESTION, stream_mode="updates"))
    assert [next(iter(step)) for step in steps] == ["model", "tools", "model"]


async def test_stream_mode_messages_gives_tokens_sync_and_async(model):
    agent = create_agent(model, tools=[get_weather])
    sync = [chunk for chunk, _ in agent.stream(QUESTION, stream_mode="messages")]
    asynchronous = [chunk async for chunk, _ in agent.astream(QUESTION, stream_mode="messages")]
    for chunks in (sync, asynchronous):
        answers = [chunk for chunk in chunks if isinstance(chunk, AIMessageChunk)]
        assert len({chunk.id for chunk in answers}) == 2
        assert sum("aigw" in chunk.response_metadata for chunk in answers) == 2
        assert "sunny" in "".join(str(chunk.content) for chunk in answers)


async def test_events_of_a_run_tell_each_token_of_the_model(model):
    agent = create_agent(model, tools=[get_weather])
    events = [event async for event in agent.astream_events(QUESTION, version="v2")]
    kinds = [event["event"] for event in events]
    assert kinds.count("on_chat_model_start") == kinds.count("on_chat_model_end") == 2
    assert kinds.count("on_chat_model_stream") > 2


def test_a_configured_model_streams_in_an_agent_too(stage, wire):
    stage.play([wire.delta(content="Sun"), wire.delta(content="ny."), wire.end()])
    rebuilt = {
        name: value for name, value in vars(stage.chat()).items() if name in ChatCloudflareAIGateway.model_fields
    }
    agent = create_agent(ChatCloudflareAIGateway(**rebuilt))
    chunks = [chunk.content for chunk, _ in agent.stream(QUESTION, stream_mode="messages")]
    assert chunks[:2] == ["Sun", "ny."]


@wrap_model_call
def label(request, ask):
    return ask(request.override(model_settings={"gateway_options": {"metadata": {"agent": "weather"}}}))


def test_the_settings_of_a_middleware_are_keywords_of_the_call(model, local_fields):
    answer = create_agent(model, middleware=[label]).invoke(QUESTION)["messages"][-1]
    with aigw.AIGateway(**local_fields) as client:
        assert client.gateway().get_log(answer.response_metadata["aigw"]["log_id"]).metadata == {"agent": "weather"}


def test_events_of_version_3_of_a_graph_give_the_answers(model):
    stream = create_agent(model, tools=[get_weather]).stream_events(QUESTION, version="v3")
    answers = [message.output for message in stream.messages]
    assert [bool(answer.tool_calls) for answer in answers] == [True, False]
    assert "sunny" in answers[1].text
    assert all(answer.response_metadata["aigw"]["log_id"] for answer in answers)
