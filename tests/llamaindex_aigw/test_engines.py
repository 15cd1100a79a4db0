"""Engines, agents and pipelines on our models: each runs, and each gives the log ids of its calls."""

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.tools import FunctionTool, QueryEngineTool

import aigw

# LlamaIndex's workflows look at every attribute of an agent, which is a pydantic model, and so at deprecated ones.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning"),
]

DOCUMENTS = [
    Document(text="The lighthouse of Vela was built in 1874 by Ines Marlow."),
    Document(text="Copper melts at 1085 degrees Celsius."),
    Document(text="The river Tamsin flows through four provinces to the sea."),
]
QUESTION = "Who built the lighthouse of Vela?"


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


TOOL = FunctionTool.from_defaults(weather)
ASKED = "What is the weather in Lisbon?"


@pytest.fixture
def index(embedding):
    return VectorStoreIndex.from_documents(DOCUMENTS, embed_model=embedding)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "simple_summarize"])
async def test_a_query_engine_gives_the_logs_of_its_query_and_its_answer(index, llm, mode, streaming):
    engine = index.as_query_engine(llm=llm, response_mode=mode, streaming=streaming, similarity_top_k=1)
    with aigw.capture_logs() as logs:
        response = engine.query(QUESTION)
        text = "".join(response.response_gen) if streaming else str(response)
    assert "Ines Marlow" in text
    assert len(set(logs.log_ids)) == 2


@pytest.mark.parametrize("mode", ["compact", "tree_summarize"])
async def test_an_async_query_gives_its_logs(index, llm, mode):
    engine = index.as_query_engine(llm=llm, response_mode=mode, similarity_top_k=1)
    with aigw.capture_logs() as logs:
        assert "Ines Marlow" in str(await engine.aquery(QUESTION))
    assert len(set(logs.log_ids)) == 2


async def test_a_chat_engine_condenses_the_question_and_gives_all_logs(index, llm):
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    engine = index.as_chat_engine(llm=llm, chat_mode="condense_plus_context", similarity_top_k=1, memory=memory)
    with aigw.capture_logs() as first:
        assert "Ines Marlow" in str(await engine.achat(QUESTION))
    with aigw.capture_logs() as second:
        stream = await engine.astream_chat("When was the lighthouse of Vela built?")
        text = "".join([piece async for piece in stream.async_response_gen()])
    assert text
    assert (len(first.log_ids), len(second.log_ids)) == (2, 3)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_gives_the_log_of_each_step(llm, streaming):
    agent = FunctionAgent(tools=[TOOL], llm=llm, streaming=streaming)
    with aigw.capture_logs() as logs:
        output = await agent.run(ASKED)
    assert "21 degrees in Lisbon" in str(output)
    assert len(set(logs.log_ids)) == 2
    assert output.raw["aigw"]["log_id"] == logs.log_ids[-1]


async def test_an_agent_workflow_gives_the_log_of_each_step(llm):
    workflow = AgentWorkflow.from_tools_or_functions([TOOL], llm=llm)
    with aigw.capture_logs() as logs:
        output = await workflow.run(ASKED)
    assert "21 degrees in Lisbon" in str(output)
    assert len(set(logs.log_ids)) == 2


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_react_agent_gives_the_log_of_each_step(scripted, kit, streaming):
    texts = (
        'Thought: I need a tool.\nAction: weather\nAction Input: {"city": "Lisbon"}',
        "Thought: I can answer.\nAnswer: It is 21 degrees.",
    )
    if streaming:
        turns = [kit.streamed(kit.chunk({"content": text}), kit.chunk({}, "stop")) for text in texts]
    else:
        turns = [kit.answered({"content": text}) for text in texts]
    llm, upstream = scripted(*turns)
    with aigw.capture_logs() as logs:
        output = await ReActAgent(tools=[TOOL], llm=llm, streaming=streaming).run(ASKED)
    assert str(output) == "It is 21 degrees."
    assert "It is 21 degrees in Lisbon." in upstream.bodies[1]["messages"][-1]["content"]
    assert len(set(logs.log_ids)) == 2


async def test_a_sub_question_engine_gives_the_logs_of_all_its_questions(index, llm, scripted, kit):
    questions = (
        '```json\n{"items": [{"sub_question": "Who built the lighthouse of Vela?", "tool_name": "facts"},'
        ' {"sub_question": "When does copper melt?", "tool_name": "facts"}]}\n```'
    )
    planner, upstream = scripted(
        kit.answered({"content": questions}), kit.answered({"content": "Ines Marlow; at 1085 degrees."})
    )
    engine = SubQuestionQueryEngine.from_defaults(
        [QueryEngineTool.from_defaults(index.as_query_engine(llm=llm, similarity_top_k=1), name="facts")],
        llm=planner,
        question_gen=LLMQuestionGenerator.from_defaults(llm=planner),
        verbose=False,
    )
    with aigw.capture_logs() as logs:
        response = await engine.aquery("Tell of Vela and copper.")
    assert str(response) == "Ines Marlow; at 1085 degrees."
    assert len(upstream.bodies) == 2
    assert len(set(logs.log_ids)) == 6


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_ingestion_pipeline_gives_the_logs_of_its_embeddings(embedding, is_async):
    model = embedding.model_copy(update={"embed_batch_size": 2})
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(chunk_size=64, chunk_overlap=0), model])
    with aigw.capture_logs() as logs:
        nodes = await pipeline.arun(documents=DOCUMENTS) if is_async else pipeline.run(documents=DOCUMENTS)
    assert [len(node.embedding) > 0 for node in nodes] == [True] * 3
    assert len(set(logs.log_ids)) == 2
