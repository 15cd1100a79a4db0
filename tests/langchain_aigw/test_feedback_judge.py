"""The judge: answers are rated away from the run, and what goes wrong harms nobody."""

import threading
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache

import aigw
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway


@pytest.fixture
def make(local_fields):
    def make(**fields):
        return ChatCloudflareAIGateway(model="openai/gpt-5-mini", **local_fields, **fields)

    return make


@pytest.fixture
def judged_by():
    handlers = []

    def make(judge):
        handlers.append(AIGatewayCallbackHandler(judge=judge))
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close(5)


@pytest.fixture
def log(local_fields):
    def read(log_id):
        with aigw.AIGateway(**local_fields) as client:
            return client.gateway().get_log(log_id)

    return read


@pytest.mark.parametrize(
    ("verdict", "rated"),
    [
        (0.5, (None, 0.5, {"source": "judge:lambda"})),
        (True, (None, 1, {"source": "judge:lambda"})),
        ({"feedback": -1}, (-1, None, {"source": "judge:lambda"})),
        ({"feedback": -1, "score": 0.5, "metadata": {"by": "me"}}, (-1, 0.5, {"by": "me", "source": "judge:lambda"})),
        (None, (None, None, {})),
    ],
)
def test_an_answer_is_patched_with_the_verdict(make, judged_by, log, verdict, rated):
    handler = judged_by(lambda _message, _run: verdict)
    make().invoke("hi", {"callbacks": [handler]})
    assert handler.flush(5)
    found = log(handler.log_ids()[0])
    assert (found.feedback, found.score, found.metadata or {}) == rated


async def test_a_judge_may_be_async(make, judged_by, log):
    async def judge(message, _run):
        return 1 if message.content else -1

    handler = judged_by(judge)
    await make().ainvoke("hi", {"callbacks": [handler]})
    assert handler.flush(5)
    assert log(handler.log_ids()[0]).score == 1


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_the_judge_gets_the_whole_answer_and_its_call(make, judged_by, how):
    seen = []
    handler = judged_by(lambda message, run: seen.append((message.content, run.run_id, run.log_id)))
    config = {"callbacks": [handler], "run_id": uuid4()}
    if how == "stream":
        text = "".join(chunk.content for chunk in make().stream("hi", config))
    else:
        text = make().invoke("hi", config).content
    assert handler.flush(5)
    assert seen == [(text, config["run_id"], handler.log_ids()[0])]


def test_the_run_does_not_wait_for_the_judge(make, judged_by):
    asked, allowed = threading.Event(), threading.Event()

    def judge(_message, _run):
        asked.set()
        allowed.wait(5)
        return 1

    handler = judged_by(judge)
    make().invoke("hi", {"callbacks": [handler]})
    assert asked.wait(5)
    assert not handler.flush(0)
    allowed.set()
    assert handler.flush(5)


@pytest.mark.parametrize("verdict", ["good", {"stars": 5}, {"score": float("nan")}])
def test_what_goes_wrong_is_logged_and_the_next_answer_judged(make, judged_by, log, caplog, verdict):
    verdicts = [verdict, 1]
    handler = judged_by(lambda _message, _run: verdicts.pop(0))
    make().batch(["hi", "hi"], {"callbacks": [handler], "max_concurrency": 1})
    assert handler.flush(5)
    assert [log(log_id).score for log_id in handler.log_ids()] == [None, 1]
    assert [record.message for record in caplog.records if record.name == "aigw"] == ["an answer could not be rated"]
    assert (handler.automatic_counts.failed, handler.automatic_counts.rated) == (1, 1)


def test_an_error_of_the_judge_is_logged_and_never_raised(make, judged_by, caplog):
    def judge(_message, _run):
        raise RuntimeError("no opinion")

    handler = judged_by(judge)
    assert make().invoke("hi", {"callbacks": [handler]}).content
    assert handler.flush(5)
    assert "no opinion" in caplog.text


def test_the_judges_own_calls_are_neither_recorded_nor_judged(make, judged_by):
    judges = make()

    def judge(_message, _run):
        judges.invoke("is it good?")
        return 1

    handler = judged_by(judge)
    with handler.attached():
        make().invoke("hi")
    assert handler.flush(5)
    assert len(handler.calls()) == 1


def test_failed_calls_and_replayed_answers_are_not_judged(make, judged_by, stage):
    seen = []
    handler = judged_by(lambda message, _run: seen.append(message.content))
    model = make(cache=InMemoryCache())
    first = model.invoke("hi", {"callbacks": [handler]})
    model.invoke("hi", {"callbacks": [handler]})
    stage.play({"choices": []})
    with pytest.raises(aigw.APIStatusError):
        stage.chat().invoke("hi", {"callbacks": [handler]})
    assert handler.flush(5)
    assert seen == [first.content]
