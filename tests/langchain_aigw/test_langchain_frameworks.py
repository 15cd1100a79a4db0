"""The models inside LangChain's own machinery: agents, chains, retrieval, structured output, fallbacks."""

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel

from langchain_aigw import ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings

FACTS = ["The Eiffel Tower stands in Paris.", "The Colosseum stands in Rome.", "Bees make honey."]


@pytest.fixture
def model(local_fields):
    return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields)


def get_weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: The city.
    """
    return f"It is sunny in {city}."


def kinds(result):
    return [type(message) for message in result["messages"]]


async def test_an_agent_calls_its_tool_and_answers(model):
    agent = create_agent(model, tools=[get_weather])
    question = {"messages": [HumanMessage("What is the weather in Paris?")]}
    for result in (agent.invoke(question), await agent.ainvoke(question)):
        assert kinds(result) == [HumanMessage, AIMessage, ToolMessage, AIMessage]
        assert result["messages"][1].tool_calls[0]["args"] == {"city": "Paris"}
        assert result["messages"][2].content == "It is sunny in Paris."
        assert "sunny" in result["messages"][3].content


def test_every_answer_of_an_agent_has_its_own_log_id(model):
    result = create_agent(model, tools=[get_weather]).invoke({"messages": [("user", "What is the weather in Paris?")]})
    answers = [message for message in result["messages"] if isinstance(message, AIMessage)]
    assert len({answer.response_metadata["aigw"]["log_id"] for answer in answers}) == 2


def test_an_agents_tokens_stream_with_one_id_for_each_answer(model):
    agent = create_agent(model, tools=[get_weather])
    question = {"messages": [HumanMessage("What is the weather in Paris?")]}
    chunks = [chunk for chunk, _ in agent.stream(question, stream_mode="messages") if isinstance(chunk, AIMessage)]
    assert len({chunk.id for chunk in chunks}) == 2
    assert sum("aigw" in chunk.response_metadata for chunk in chunks) == 2


class Place(BaseModel):
    """Where something is."""

    city: str


def test_an_agent_without_tools_answers_in_a_schema(stage, wire):
    stage.play(wire.answer('{"city": "Paris"}'))
    agent = create_agent(stage.chat(), tools=[], response_format=ProviderStrategy(Place))
    result = agent.invoke({"messages": [("user", "Where is the Eiffel Tower?")]})
    assert result["structured_response"] == Place(city="Paris")
    assert "tools" not in stage.bodies[0]


def test_a_retrieval_chain_answers_from_the_document_it_found(model, local_fields):
    embeddings = CloudflareAIGatewayEmbeddings(model="openai/text-embedding-3-small", **local_fields)
    store = InMemoryVectorStore.from_documents([Document(fact) for fact in FACTS], embeddings)
    retriever = store.as_retriever(search_kwargs={"k": 1})
    prompt = ChatPromptTemplate.from_template("Answer from the context.\n\nContext: {context}\n\nQuestion: {question}")
    context = retriever | (lambda documents: documents[0].page_content)
    chain = {"context": context, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
    assert "Paris" in chain.invoke("Where does the Eiffel Tower stand?")


def test_a_fallback_takes_over(model):
    unreachable = ChatCloudflareAIGateway(
        model="openai/gpt-5-mini",
        account_id="acct",
        api_token="test-token",
        base_url="http://127.0.0.1:9",
        max_retries=0,
    )
    assert unreachable.with_fallbacks([model]).invoke("hi").response_metadata["aigw"]["status_code"] == 200


def test_tools_can_be_bound_behind_a_fallback(model):
    bound = model.with_fallbacks([model]).bind_tools([get_weather])
    assert bound.invoke("What is the weather in Paris?").tool_calls[0]["name"] == "get_weather"


def test_structured_output_streams_a_dict_as_it_grows(stage, wire):
    stage.play([wire.delta(content='{"city": "Par'), wire.delta(content='is"}'), wire.end()])
    schema = {"title": "Place", "type": "object", "properties": {"city": {"type": "string"}}}
    assert list(stage.chat().with_structured_output(schema).stream("hi")) == [{"city": "Par"}, {"city": "Paris"}]
