"""LlamaIndex's own machinery on the two models: indexes, agents, structured output, settings."""

import pytest
from llama_index.core import Document, PromptTemplate, Settings, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

import aigw

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:pydantic.warnings.PydanticDeprecationWarning")
    for message in (
        "The `__fields(_set)?__` attribute is deprecated",
        "Accessing the 'model_(computed_)?fields' attribute on the instance is deprecated",
    )
]

DOCUMENTS = [
    Document(text="The lighthouse of Vela was built in 1874 by Ines Marlow."),
    Document(text="Copper melts at 1085 degrees Celsius."),
    Document(text="The river Tamsin flows through four provinces to the sea."),
]
QUESTION = "Who built the lighthouse of Vela?"


class Person(BaseModel):
    """A person."""

    name: str


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


TOOL = FunctionTool.from_defaults(weather)


@pytest.fixture
def index(embedding):
    return VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding)


async def test_a_query_engine_answers_from_the_documents(index, llm):
    engine = index.as_query_engine(llm=llm, similarity_top_k=1, response_mode="compact")
    assert "Ines Marlow" in str(engine.query(QUESTION))
    assert "Ines Marlow" in str(await engine.aquery(QUESTION))


async def test_a_streaming_query_engine_answers_from_the_documents(index, llm):
    engine = index.as_query_engine(llm=llm, similarity_top_k=1, response_mode="compact", streaming=True)
    assert "Ines Marlow" in "".join(engine.query(QUESTION).response_gen)
    response = await engine.aquery(QUESTION)
    assert "Ines Marlow" in "".join([text async for text in response.response_gen])


def test_the_calls_of_a_query_are_captured(index, llm):
    with aigw.capture_logs() as logs:
        index.as_query_engine(llm=llm).query(QUESTION)
    assert len(logs.log_ids) == 2


def test_settings_take_both_models(embedding, llm, monkeypatch):
    monkeypatch.setattr(Settings, "_llm", None)
    monkeypatch.setattr(Settings, "_embed_model", None)
    Settings.llm = llm
    Settings.embed_model = embedding
    assert "1085" in str(VectorStoreIndex.from_documents(DOCUMENTS).as_query_engine().query("When does copper melt?"))


async def test_a_chat_engine_remembers_and_streams(index, llm):
    engine = index.as_chat_engine(
        llm=llm, chat_mode="context", similarity_top_k=1, memory=ChatMemoryBuffer.from_defaults(llm=llm)
    )
    assert "Ines Marlow" in str(engine.chat(QUESTION))
    assert "Ines Marlow" in "".join(engine.stream_chat(QUESTION).response_gen)
    assert "Ines Marlow" in str(await engine.achat(QUESTION))
    stream = await engine.astream_chat(QUESTION)
    assert "Ines Marlow" in "".join([text async for text in stream.async_response_gen()])
    assert [message.role.value for message in engine.chat_history] == ["user", "assistant"] * 4


def test_an_agent_workflow_knows_that_the_model_calls_tools(llm):
    workflow = AgentWorkflow.from_tools_or_functions([TOOL], llm=llm)
    assert [type(agent) for agent in workflow.agents.values()] == [FunctionAgent]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_calls_the_tool_and_answers(llm, streaming):
    agent = FunctionAgent(tools=[TOOL], llm=llm, streaming=streaming)
    run = agent.run("What is the weather in Lisbon?")
    results = [event async for event in run.stream_events() if isinstance(event, ToolCallResult)]
    output = await run
    assert [(result.tool_name, result.tool_kwargs) for result in results] == [("weather", {"city": "Lisbon"})]
    assert "21 degrees in Lisbon" in output.response.content
    assert output.raw["aigw"]["log_id"]


async def test_chats_with_tools_call_them(llm):
    chat = [
        llm.chat_with_tools([TOOL], "What is the weather in Lisbon?"),
        await llm.achat_with_tools([TOOL], "What is the weather in Lisbon?"),
        list(llm.stream_chat_with_tools([TOOL], "What is the weather in Lisbon?"))[-1],
        [r async for r in await llm.astream_chat_with_tools([TOOL], "What is the weather in Lisbon?")][-1],
    ]
    for response in chat:
        selection = llm.get_tool_calls_from_response(response)[0]
        assert (selection.tool_name, selection.tool_kwargs) == ("weather", {"city": "Lisbon"})
        assert response.message.additional_kwargs["tool_calls"][0]["function"]["name"] == "weather"


async def test_predict_and_call_runs_the_tool(llm):
    question = "What is the weather in Lisbon?"
    assert str(llm.predict_and_call([TOOL], question)) == "It is 21 degrees in Lisbon."
    assert str(await llm.apredict_and_call([TOOL], question)) == "It is 21 degrees in Lisbon."


async def test_structured_output_is_of_the_class_asked_for(llm):
    prompt = PromptTemplate("The customer is called {name}. Who is it?")
    assert llm.structured_predict(Person, prompt, name="Ada Lovelace") == Person(name="Ada Lovelace")
    assert await llm.astructured_predict(Person, prompt, name="Ada Lovelace") == Person(name="Ada Lovelace")


def test_a_structured_llm_answers_in_the_class(llm):
    response = llm.as_structured_llm(Person).chat([ChatMessage(role="user", content="He is called Alan Turing.")])
    assert response.raw == Person(name="Alan Turing")


def test_a_structured_stream_ends_in_the_class(scripted, kit):
    call = {"index": 0, "id": "c1", "function": {"name": "Person", "arguments": '{"name": "Ad'}}
    rest = {"index": 0, "function": {"arguments": 'a"}'}}
    llm, _ = scripted(
        kit.streamed(kit.chunk({"tool_calls": [call]}), kit.chunk({"tool_calls": [rest]}), kit.chunk({}, "tool_calls"))
    )
    objects = list(llm.stream_structured_predict(Person, PromptTemplate("Who?")))
    assert [item.name for item in objects] == ["Ad", "Ada"]
    assert objects[-1] == Person(name="Ada")
