"""Automatic feedback: what goes wrong after an answer reaches the log of the call that gave it, and no other."""

from typing import Annotated
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import InjectedToolCallId, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import BaseModel

import aigw
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue
from aigw.local import LocalGateway
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway, capture_logs

GUARDED = {"settings": {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}}
BAD = "this is UNSAFE-S1"


class Joke(BaseModel):
    setup: str


class Strict(BaseOutputParser[str]):
    def parse(self, text):
        raise OutputParserException(text)


@tool
def divide(a: int, b: int) -> float:
    """Divide."""
    return a / b


@tool
def refuse(a: int) -> float:
    """Refuse."""
    raise ToolException(f"no {a}")


refuse.handle_tool_error = True


@pytest.fixture
def make_handler():
    handlers = []

    def make(**settings):
        handlers.append(AIGatewayCallbackHandler(**{"automatic": True, **settings}))
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close(5)


@pytest.fixture
def handler(make_handler):
    return make_handler()


@pytest.fixture
def rated(stage):
    """Read what was rated: log id, feedback and source, of every log."""

    def read(handler):
        assert handler.flush(5)
        with aigw.AIGateway("acct", "test-token", base_url=stage.gateway.base_url) as client:
            logs = [log for log in client.gateway().iter_logs() if log.feedback is not None]
        return sorted((log.id, log.feedback, (log.metadata or {}).get("source")) for log in logs)

    return read


def calling(name, args, id_="call_1"):
    """A message's tool calls."""
    return [{"id": id_, "type": "function", "function": {"name": name, "arguments": args}}]


@pytest.mark.parametrize(
    ("parser", "how"),
    [
        (JsonOutputParser(), "invoke"),
        (PydanticOutputParser(pydantic_object=Joke), "invoke"),
        (Strict(), "stream"),
    ],
)
def test_an_answer_that_cannot_be_parsed_is_rated_once(stage, wire, handler, rated, parser, how):
    stage.play(wire.answer("no JSON") if how == "invoke" else [wire.delta(content="no JSON"), wire.end()])
    chain = ChatPromptTemplate.from_messages([("user", "{it}")]) | stage.chat() | parser
    with pytest.raises(OutputParserException):
        list(chain.stream({"it": "hi"}, {"callbacks": [handler]})) if how == "stream" else chain.invoke(
            {"it": "hi"}, {"callbacks": [handler]}
        )
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


async def test_it_is_the_same_in_async_code(stage, wire, handler, rated):
    stage.play(wire.answer("no JSON"))
    with pytest.raises(OutputParserException):
        await (stage.chat() | JsonOutputParser()).ainvoke("hi", {"callbacks": [handler]})
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("include_raw", [False, True])
def test_structured_output_that_is_none_is_rated_also_when_its_error_is_a_result(
    stage, wire, handler, rated, method, include_raw
):
    wrong = wire.answer(None, tool_calls=calling("Joke", "{}")) if method == "function_calling" else wire.answer("{}")
    stage.play(wrong)
    model = stage.chat().with_structured_output(Joke, method=method, include_raw=include_raw)
    try:
        answered = model.invoke("hi", {"callbacks": [handler]})
    except ValueError:
        assert not include_raw
    else:
        assert answered["parsing_error"] is not None
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


def test_the_answer_that_was_parsed_is_rated_and_not_a_later_one(stage, wire, handler, rated):
    stage.play(wire.answer("no JSON"), wire.answer("{}"))
    first, second = stage.chat(), stage.chat()

    def both(_):
        answer = first.invoke("hi")
        second.invoke("hi")
        return JsonOutputParser().invoke(answer)

    with pytest.raises(OutputParserException):
        RunnableLambda(both).invoke("hi", {"callbacks": [handler]})
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


def test_of_parallel_chains_the_one_that_fails_is_rated(stage, wire, handler, rated):
    stage.play(wire.answer("{}"))
    good = stage.chat() | JsonOutputParser()
    bad = stage.chat(model="openai/bad") | RunnableLambda(lambda _: "no JSON") | JsonOutputParser()
    with pytest.raises(OutputParserException):
        RunnableParallel(bad=bad, good=good, other=good).invoke("hi", {"callbacks": [handler]})
    (blamed,) = [call.log_id for call in handler.calls() if call.model == "openai/bad"]
    assert rated(handler) == [(blamed, -1, "output_parser")]


def test_a_parser_in_a_function_blames_the_last_call_in_it(stage, wire, handler, rated):
    stage.play(wire.answer("no JSON"))
    model = stage.chat()
    chain = RunnableLambda(lambda text: JsonOutputParser().parse(model.invoke(text).content))
    with pytest.raises(OutputParserException):
        chain.invoke("hi", {"callbacks": [handler]})
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


def test_each_try_of_a_retried_chain_is_rated(stage, wire, handler, rated):
    stage.play(wire.answer("no JSON"), wire.answer("nor this"), wire.answer("{}"))
    chain = (stage.chat() | JsonOutputParser()).with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
    assert chain.invoke("hi", {"callbacks": [handler]}) == {}
    assert rated(handler) == sorted((log_id, -1, "output_parser") for log_id in handler.log_ids()[:2])


def test_a_parser_that_hears_of_the_models_own_error_blames_nobody(stage, wire, handler, rated):
    stage.play([wire.delta(content="{"), {"error": {"message": "upstream broke"}}])
    with pytest.raises(aigw.AIGatewayError):
        list((stage.chat() | JsonOutputParser()).stream("hi", {"callbacks": [handler]}))
    assert rated(handler) == []


@pytest.mark.parametrize(
    ("tools", "asked"),
    [
        ([refuse], calling("refuse", '{"a": 1}')),
        ([divide], calling("divide", '{"a": "x", "b": 1}')),
        ([divide], calling("multiply", '{"a": 1, "b": 1}')),
    ],
    ids=["it says no", "wrong arguments", "no such tool"],
)
async def test_an_agents_call_is_rated_when_its_tool_fails(stage, wire, handler, rated, tools, asked):
    stage.play(wire.answer(None, tool_calls=asked), wire.answer("Sorry."))
    agent = create_agent(stage.chat(), tools)
    await agent.ainvoke({"messages": [HumanMessage("hi")]}, {"callbacks": [handler]})
    first, _ = handler.log_ids()
    assert rated(handler) == [(first, -1, "tool")]


def test_a_tool_that_raises_rates_the_call_that_asked_for_it(stage, wire, handler, rated):
    stage.play(wire.answer(None, tool_calls=calling("divide", '{"a": 1, "b": 0}')))
    agent = create_agent(stage.chat(), [divide])
    with pytest.raises(ZeroDivisionError):
        agent.invoke({"messages": [HumanMessage("hi")]}, {"callbacks": [handler]})
    assert rated(handler) == [(handler.log_ids()[0], -1, "tool")]


def test_a_tool_in_a_chain_rates_the_call_before_it(stage, wire, handler, rated):
    stage.play(wire.answer(None, tool_calls=calling("divide", '{"a": 1, "b": 0}')))
    chain = stage.chat() | RunnableLambda(lambda message: divide.invoke(message.tool_calls[0]["args"]))
    with pytest.raises(ZeroDivisionError):
        chain.invoke("hi", {"callbacks": [handler]})
    assert rated(handler) == [(handler.log_ids()[0], -1, "tool")]


def test_concurrent_agents_whose_tool_calls_have_the_same_id_are_kept_apart(stage, wire, handler, rated):
    stage.play(
        wire.answer(None, tool_calls=calling("refuse", '{"a": 1}')),
        wire.answer(None, tool_calls=calling("divide", '{"a": 1, "b": 1}')),
        wire.answer("Done."),
    )
    runs = [uuid4(), uuid4()]
    agents = [create_agent(stage.chat(), [refuse, divide], checkpointer=InMemorySaver()) for _ in runs]
    for agent, run_id, node in zip(agents, runs, ("model", "model"), strict=True):
        config = {"callbacks": [handler], "run_id": run_id, "configurable": {"thread_id": str(run_id)}}
        agent.invoke({"messages": [HumanMessage("hi")]}, config, interrupt_after=[node])
    for agent, run_id in zip(agents, runs, strict=True):
        agent.invoke(None, {"callbacks": [handler], "configurable": {"thread_id": str(run_id)}})
    assert rated(handler) == [(handler.log_ids(runs[0])[0], -1, "tool")]


def test_a_tool_that_asks_a_person_has_not_failed(stage, wire, handler, rated):
    @tool
    def ask(call_id: Annotated[str, InjectedToolCallId]) -> str:
        """Ask."""
        return str(interrupt("may I?")) + call_id

    stage.play(wire.answer(None, tool_calls=calling("ask", "{}")), wire.answer("Done."))
    agent = create_agent(stage.chat(), [ask], checkpointer=InMemorySaver())
    config = {"callbacks": [handler], "configurable": {"thread_id": "t"}}
    agent.invoke({"messages": [HumanMessage("hi")]}, config)
    agent.invoke(Command(resume="yes"), config)
    assert rated(handler) == []


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_call_that_a_guardrail_blocks_is_rated(make_handler, how):
    handler = make_handler()
    with LocalGateway(**GUARDED) as gateway:
        model = ChatCloudflareAIGateway(
            model="openai/gpt-5-mini", account_id="acct", api_token="test-token", base_url=gateway.base_url
        )
        with pytest.raises(aigw.GuardrailBlockedError) as caught:
            list(model.stream(BAD, {"callbacks": [handler]})) if how == "stream" else model.invoke(
                BAD, {"callbacks": [handler]}
            )
        assert handler.flush(5)
        with aigw.AIGateway("acct", "test-token", base_url=gateway.base_url) as client:
            (log,) = client.gateway().iter_logs()
    assert caught.value.info.log_id in (None, log.id)
    assert (log.feedback, log.metadata) == (-1, {"source": "guardrail"})


def test_nothing_is_rated_that_is_not_named(stage, wire, make_handler, rated):
    handler = make_handler(automatic={"tool": {"feedback": 0, "score": 10}})
    stage.play(wire.answer("no JSON"))
    with pytest.raises(OutputParserException):
        (stage.chat() | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
    assert rated(handler) == []


def test_nothing_is_automatic_by_itself(stage, wire, rated):
    handler = AIGatewayCallbackHandler()
    stage.play(wire.answer("no JSON"))
    with pytest.raises(OutputParserException):
        (stage.chat() | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
    assert (rated(handler), handler.automatic_counts) == ([], aigw.RaterCounts())


def test_an_answer_of_a_cache_is_not_blamed(stage, wire, handler, rated):
    stage.play(wire.answer("no JSON"))
    model = stage.chat(cache=InMemoryCache())
    model.invoke("hi")
    with pytest.raises(OutputParserException):
        (model | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
    assert rated(handler) == []


def test_calls_outside_the_sample_are_counted_and_not_rated(stage, wire, make_handler, rated):
    handler = make_handler(sample=0)
    stage.play(wire.answer("no JSON"))
    with pytest.raises(OutputParserException):
        (stage.chat() | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
    assert (rated(handler), handler.automatic_counts.unsampled) == ([], 1)


def test_what_the_gateway_refuses_is_counted_and_logged(stage, wire, make_handler, caplog):
    client = aigw.AIGateway("acct", "wrong", base_url="http://127.0.0.1:9", max_retries=0)
    handler = make_handler(client=client)
    stage.play(wire.answer("no JSON"))
    with pytest.raises(OutputParserException):
        (stage.chat() | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
    assert handler.flush(5)
    assert (handler.automatic_counts.failed, handler.automatic_counts.rated) == (1, 0)
    assert "an answer could not be rated" in caplog.text


@pytest.mark.parametrize("bad", [{"automatic": {"parser": 1}}, {"sample": 2}, {"queue": "queue"}])
def test_a_setting_that_cannot_be_is_refused(bad):
    with pytest.raises(aigw.ConfigurationError):
        AIGatewayCallbackHandler(**bad)


@pytest.fixture
def client(stage):
    with aigw.AIGateway("acct", "test-token", base_url=stage.gateway.base_url) as client:
        yield client


def test_feedback_goes_through_the_queue_and_returns_at_once(stage, client, rated):
    with FeedbackQueue(client) as queue:
        handler = AIGatewayCallbackHandler(queue=queue)
        run_id = uuid4()
        message = stage.chat().invoke("hi", {"callbacks": [handler], "run_id": run_id})
        (log_id,) = handler.log_ids()
        assert handler.feedback(run_id, 1) == [log_id]
        assert handler.feedback(message, score=5) == [log_id]
        assert queue.flush(5)
        assert queue.counts.delivered == 2
    assert rated(handler) == [(log_id, 1, None)]


def test_what_is_not_known_here_is_left_to_the_queue(stage, client, rated):
    with FeedbackQueue(client) as queue:
        known = AIGatewayCallbackHandler()
        run_id = uuid4()
        stage.chat().invoke("hi", {"callbacks": [known], "run_id": run_id})
        assert AIGatewayCallbackHandler(queue=queue).feedback(run_id, -1) == []
        assert queue.flush(5)
    assert rated(known) == [(known.log_ids()[0], -1, None)]


async def test_async_feedback_goes_through_a_queue_that_is_awaited(stage, rated):
    async with AsyncFeedbackQueue(aigw.AsyncAIGateway("acct", "test-token", base_url=stage.gateway.base_url)) as queue:
        handler = AIGatewayCallbackHandler(queue=queue)
        await stage.chat().ainvoke("hi", {"callbacks": [handler]})
        assert await handler.afeedback(None, 1) == handler.log_ids()
        with pytest.raises(aigw.ConfigurationError, match="is awaited"):
            handler.feedback(None, 1)
        assert await queue.flush(5)
    assert rated(handler) == [(handler.log_ids()[0], 1, None)]


async def test_what_is_automatic_cannot_await_a_queue(stage):
    async with AsyncFeedbackQueue(aigw.AsyncAIGateway("acct", "test-token", base_url=stage.gateway.base_url)) as queue:
        with pytest.raises(aigw.ConfigurationError, match="cannot await"):
            AIGatewayCallbackHandler(queue=queue, automatic=True)


def test_automatic_feedback_goes_through_the_queue(stage, client, wire, make_handler, rated):
    with FeedbackQueue(client) as queue:
        handler = make_handler(queue=queue)
        stage.play(wire.answer("no JSON"))
        with pytest.raises(OutputParserException):
            (stage.chat() | JsonOutputParser()).invoke("hi", {"callbacks": [handler]})
        assert handler.flush(5)
        assert queue.flush(5)
        assert queue.counts.delivered == 1
    assert rated(handler) == [(handler.log_ids()[0], -1, "output_parser")]


def test_a_captures_feedback_goes_through_its_queue(stage, client, rated, handler):
    with FeedbackQueue(client) as queue:
        with capture_logs(queue=queue) as logs:
            stage.chat().invoke("hi")
        assert logs.feedback(1) == logs.log_ids
        assert queue.flush(5)
    assert rated(handler) == [(logs.log_ids[0], 1, None)]


def test_what_is_kept_of_open_runs_goes_with_them(stage, wire, handler):
    stage.play(wire.answer("{}"))
    chain = RunnableLambda(lambda text: [AIMessage(text)]) | stage.chat() | JsonOutputParser()
    chain.batch(["hi"] * 5, {"callbacks": [handler]})
    kept = handler._occasions
    assert [len(each) for each in (kept._answers, kept._parsers, kept._passing)] == [0, 0, 0]
