"""Automatic feedback: what goes wrong after an answer reaches the log of the call that gave it, and no other."""

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.evaluation import EvaluationResult, FaithfulnessEvaluator
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

import aigw
from aigw.feedback import FeedbackQueue
from aigw.local import LocalGateway
from llamaindex_aigw import AIGatewayEventHandler, capture_logs

HELLO = [ChatMessage(content="hi")]
GUARDED = {"settings": {"guardrails": {"prompt": {"S1": "BLOCK"}, "response": {}}}}
NOTHING = (None, None, None)


class Joke(BaseModel):
    """A joke."""

    setup: str


def divide(a: int, b: int) -> float:
    """Divide."""
    return a / b


@pytest.fixture
def make_handler():
    handlers = []

    def make(**settings):
        handlers.append(AIGatewayEventHandler(**{"automatic": True, **settings}).attach())
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close(5)
        handler.detach()


@pytest.fixture
def handler(make_handler):
    return make_handler()


@pytest.fixture
def play(scripted):
    """Make an LLM whose gateway answers with these turns."""
    return lambda *turns: scripted(*turns)[0]


def rated(handler, llm):
    """Read what was rated: feedback, score and source, of each call of a handler, oldest first."""
    assert handler.flush(5)
    with aigw.AIGateway("acct", "test-token", base_url=llm.base_url) as client:
        logs = [client.gateway().get_log(call.log_id) for call in handler.calls()]
    return [(log.feedback, log.score, (log.metadata or {}).get("source")) for log in logs]


def calling(name, args):
    return {"content": None, "tool_calls": [_call(name, args)]}


def _call(name, args):
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": args}}


async def predict(llm, how):
    prompt = PromptTemplate("Tell a joke")
    if how == "sync":
        llm.structured_predict(Joke, prompt)
    elif how == "async":
        await llm.astructured_predict(Joke, prompt)
    elif how == "stream":
        list(llm.stream_structured_predict(Joke, prompt))
    else:
        [each async for each in await llm.astream_structured_predict(Joke, prompt)]


@pytest.mark.parametrize("how", ["sync", "async", "stream", "astream"])
async def test_an_answer_that_is_no_object_is_rated(play, kit, handler, how):
    turn = kit.streamed(kit.chunk({"content": "{}"}), kit.chunk({}, "stop")) if "stream" in how else None
    llm = play(kit.answered({"content": "well"}), turn or kit.answered({"content": "{}"}))
    llm.chat(HELLO)
    with pytest.raises(ValueError, match="setup"):
        await predict(llm, how)
    assert rated(handler, llm) == [NOTHING, (-1, None, "output_parser")]


@pytest.mark.parametrize(
    ("name", "args"), [("divide", '{"a": 1, "b": 0}'), ("multiply", "{}"), ("divide", '{"c": 1}')], ids=str
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_an_agents_call_is_rated_when_its_tool_fails(play, kit, handler, name, args, streaming):
    if streaming:
        asked = kit.streamed(
            kit.chunk({"tool_calls": [{"index": 0, **_call(name, args)}]}), kit.chunk({}, "tool_calls")
        )
        said = kit.streamed(kit.chunk({"content": "Sorry."}), kit.chunk({}, "stop"))
    else:
        asked, said = kit.answered(calling(name, args)), kit.answered({"content": "Sorry."})
    llm = play(asked, said)
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(divide)], llm=llm, streaming=streaming)
    await agent.run("hi")
    assert rated(handler, llm) == [(-1, None, "tool"), NOTHING]


async def test_an_agents_tool_that_works_rates_nothing(play, kit, handler):
    llm = play(kit.answered(calling("divide", '{"a": 1, "b": 2}')), kit.answered({"content": "A half."}))
    await FunctionAgent(tools=[FunctionTool.from_defaults(divide)], llm=llm, streaming=False).run("hi")
    assert rated(handler, llm) == [NOTHING, NOTHING]


def test_a_tool_that_is_called_once_rates_the_call_that_asked_for_it(play, kit, handler):
    llm = play(kit.answered(calling("divide", '{"a": 1, "b": 0}')))
    llm.predict_and_call([FunctionTool.from_defaults(divide)], "hi")
    assert rated(handler, llm) == [(-1, None, "tool")]


@pytest.mark.parametrize("how", ["chat", "achat", "stream_chat"])
async def test_a_call_that_a_guardrail_blocks_is_rated(new_llm, handler, how):
    bad = [ChatMessage(content="this is UNSAFE-S1")]
    with LocalGateway(**GUARDED) as gateway:
        llm = new_llm(gateway)
        with pytest.raises(aigw.GuardrailBlockedError):
            await llm.achat(bad) if how == "achat" else list(getattr(llm, how)(bad))
        assert rated(handler, llm) == [(-1, None, "guardrail")]


def test_nothing_is_automatic_by_itself(play, kit, make_handler):
    handler = make_handler(automatic=None)
    llm = play(kit.answered({"content": "{}"}))
    with pytest.raises(ValueError, match="setup"):
        llm.structured_predict(Joke, PromptTemplate("Tell a joke"))
    assert (rated(handler, llm), handler.automatic_counts) == ([NOTHING], aigw.RaterCounts())


@pytest.mark.parametrize("how", ["chat", "complete", "stream_chat", "achat"])
async def test_a_judge_gets_each_answer_and_its_call(play, kit, make_handler, how):
    seen = []

    async def is_short(message, call):
        seen.append((message.content, call.log_id))
        return len(message.content) < 20

    handler = make_handler(automatic=None, judge=is_short)
    said = kit.streamed(kit.chunk({"content": "Hello."}), kit.chunk({}, "stop"))
    llm = play(said if how == "stream_chat" else kit.answered({"content": "Hello."}))
    if how == "achat":
        await llm.achat(HELLO)
    else:
        list(getattr(llm, how)("hi" if how == "complete" else HELLO))
    assert rated(handler, llm) == [(None, 1, "judge:is_short")]
    assert seen == [("Hello.", handler.log_ids()[0])]


def test_a_judges_own_calls_are_neither_recorded_nor_judged(play, kit, make_handler):
    llm = play(kit.answered({"content": "Hello."}))

    def ask(_message, _call):
        return {"feedback": 1, "metadata": {"said": llm.complete("is it good?").text}}

    handler = make_handler(automatic=None, judge=ask)
    llm.chat(HELLO)
    assert rated(handler, llm) == [(1, None, "judge:ask")]
    assert len(handler.calls()) == 1


def test_calls_outside_the_sample_are_neither_judged_nor_rated(play, kit, make_handler):
    handler = make_handler(judge=lambda _message, _call: 1, sample=0)
    llm = play(kit.answered({"content": "Hello."}))
    llm.chat(HELLO)
    assert (rated(handler, llm), handler.automatic_counts.unsampled) == ([NOTHING], 1)


@pytest.mark.parametrize("bad", [{"automatic": {"parser": 1}}, {"sample": 2}, {"queue": "queue"}])
def test_a_setting_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match=r"cannot (be|have)"):
        AIGatewayEventHandler(**bad)


@pytest.mark.parametrize("evaluator", [FaithfulnessEvaluator, "FaithfulnessEvaluator"])
def test_an_evaluation_rates_the_answer_it_is_of_in_the_background(play, kit, handler, evaluator):
    llm = play(kit.answered({"content": "Berlin."}), kit.answered({"content": "Paris."}))
    llm.chat(HELLO)
    llm.chat(HELLO)
    evaluation = EvaluationResult(response="Berlin.", passing=False, score=0.25, feedback="Not in the text.")
    assert handler.feedback_from(evaluation, evaluator)
    assert rated(handler, llm) == [(-1, 25, "evaluator:FaithfulnessEvaluator"), NOTHING]


@pytest.mark.parametrize("evaluation", [{"response": "Oslo.", "passing": True}, {"response": "Berlin."}], ids=str)
def test_an_evaluation_of_another_text_or_of_nothing_rates_nothing(play, kit, handler, evaluation):
    llm = play(kit.answered({"content": "Berlin."}))
    llm.chat(HELLO)
    assert not handler.feedback_from(EvaluationResult(**evaluation), "mine")
    assert rated(handler, llm) == [NOTHING]


def test_feedback_goes_through_the_queue(play, kit, make_handler):
    llm = play(kit.answered({"content": "{}"}))
    with (
        aigw.AIGateway("acct", "test-token", base_url=llm.base_url) as client,
        FeedbackQueue(client) as queue,
        capture_logs(queue=queue) as logs,
    ):
        handler = make_handler(queue=queue)
        with pytest.raises(ValueError, match="setup"):
            llm.structured_predict(Joke, PromptTemplate("Tell a joke"))
        assert handler.feedback(None, aigw.UNSET, score=3) == handler.log_ids()
        assert logs.feedback(aigw.UNSET, metadata={"team": "a"}) == handler.log_ids()
        assert handler.flush(5)
        assert queue.flush(5)
        assert queue.counts.delivered == 3
    assert rated(handler, llm) == [(-1, 3, "output_parser")]


def test_a_handler_that_is_detached_hears_no_spans(play, kit, handler):
    llm = play(kit.answered(calling("divide", '{"a": 1, "b": 0}')))
    handler.detach()
    llm.predict_and_call([FunctionTool.from_defaults(divide)], "hi")
    assert handler.flush(5)
    assert handler.automatic_counts == aigw.RaterCounts()
