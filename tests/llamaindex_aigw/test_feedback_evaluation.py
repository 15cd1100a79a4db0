"""LlamaIndex's evaluations as feedback: what is sent of them, to which log, and what is not."""

import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.evaluation import (
    CorrectnessEvaluator,
    EvaluationResult,
    FaithfulnessEvaluator,
    RelevancyEvaluator,
)

from aigw import ConfigurationError
from llamaindex_aigw import capture_logs
from llamaindex_aigw._evaluation import encode_evaluation

QUESTION = "When does tin melt?"


@pytest.mark.parametrize(
    ("evaluation", "sent"),
    [
        ({"passing": True, "score": 1.0}, {"feedback": 1, "score": 100}),
        ({"passing": False, "score": 0.0}, {"feedback": -1, "score": 0}),
        ({"passing": True, "score": 0.57}, {"feedback": 1, "score": 57}),
        ({"passing": True}, {"feedback": 1}),
        ({"score": 0.25}, {"score": 25}),
        ({"feedback": "Yes."}, {"metadata": {"comment": "Yes."}}),
        (
            {"passing": False, "feedback": " No,\n\tit is not.  "},
            {"feedback": -1, "metadata": {"comment": "No, it is not."}},
        ),
        ({"feedback": "  "}, {}),
        ({}, {}),
        ({"passing": True, "score": 1.0, "invalid_result": True, "invalid_reason": "no JSON"}, {}),
    ],
)
def test_what_an_evaluation_comes_to(evaluation, sent):
    assert encode_evaluation(EvaluationResult(**evaluation)) == sent


def test_a_long_comment_is_cut_to_two_hundred_characters():
    comment = encode_evaluation(EvaluationResult(feedback="word " * 100))["metadata"]["comment"]
    assert len(comment) == 200
    assert comment.endswith("wo...")


def test_what_cannot_be_printed_is_replaced_in_a_comment():
    assert encode_evaluation(EvaluationResult(feedback="Ja, größer\x00"))["metadata"] == {"comment": "Ja, größer?"}


def test_another_scale_is_said_by_its_best_score():
    assert encode_evaluation(EvaluationResult(score=4.0), max_score=5)["score"] == 80


@pytest.mark.parametrize("score", [4.0, -0.1, float("nan")])
def test_a_score_off_the_scale_is_refused(score):
    with pytest.raises(ConfigurationError, match="say the evaluator's best score with max_score="):
        encode_evaluation(EvaluationResult(score=score))


def test_metadata_of_ones_own_goes_with_it():
    evaluation = EvaluationResult(passing=True, feedback="YES")
    assert encode_evaluation(evaluation, metadata={"judge": "j"})["metadata"] == {"comment": "YES", "judge": "j"}


@pytest.fixture
def judge(scripted, kit):
    def judge(verdict):
        return scripted(kit.answered({"content": verdict}))[0]

    return judge


@pytest.fixture
def engine(llm):
    return SummaryIndex.from_documents([Document(text="Tin melts at 232 degrees.")]).as_query_engine(llm=llm)


@pytest.mark.parametrize("evaluator", [FaithfulnessEvaluator, RelevancyEvaluator])
@pytest.mark.parametrize(("verdict", "feedback", "score"), [("YES", 1, 100), ("NO", -1, 0)])
async def test_a_judged_answer_is_rated_as_it_was_judged(engine, judge, client, evaluator, verdict, feedback, score):
    with capture_logs() as logs:
        response = engine.query(QUESTION)
    evaluation = await evaluator(llm=judge(verdict)).aevaluate_response(query=QUESTION, response=response)
    assert await logs.afeedback_from(evaluation) == logs.log_ids
    log = client.gateway().get_log(logs.log_ids[0])
    assert (log.feedback, log.score, log.metadata) == (feedback, score, {"comment": verdict})


def test_the_judges_calls_in_the_same_block_are_not_rated(engine, llm, client):
    with capture_logs() as logs:
        response = engine.query(QUESTION)
        evaluation = FaithfulnessEvaluator(llm=llm).evaluate_response(response=response)
        rated = logs.feedback_from(evaluation, which="all")
    assert len(logs.calls) > 1
    assert rated == logs.log_ids[:1]
    assert [client.gateway().get_log(log_id).feedback for log_id in logs.log_ids[1:]] == [None] * (len(logs) - 1)


async def test_an_answer_that_was_streamed_is_known_again(llm):
    streaming = SummaryIndex.from_documents([Document(text="Tin melts at 232 degrees.")]).as_query_engine(
        llm=llm, streaming=True
    )
    with capture_logs() as logs:
        response = streaming.query(QUESTION).get_response()
        evaluation = await RelevancyEvaluator(llm=llm).aevaluate_response(query=QUESTION, response=response)
    assert await logs.afeedback_from(evaluation) == logs.log_ids[:1]


def test_an_answer_that_was_changed_is_rated_where_the_judge_is_kept_out(engine, llm):
    with capture_logs() as logs:
        response = engine.query(QUESTION)
        response.response = f"In short: {response.response}"
        with logs.judging():
            evaluation = FaithfulnessEvaluator(llm=llm).evaluate_response(response=response)
        assert len(logs.log_ids) > len(logs.calls) == 1
        assert logs.feedback_from(evaluation) == logs.log_ids[:1]


def test_an_invalid_evaluation_sends_nothing(engine, client):
    with capture_logs() as logs:
        response = engine.query(QUESTION)
    invalid = EvaluationResult(response=str(response), passing=True, score=1.0, invalid_result=True)
    assert logs.feedback_from(invalid) == []
    assert client.gateway().get_log(logs.log_ids[0]).feedback is None


def test_an_evaluator_with_a_scale_of_five_is_rated_with_it(engine, judge):
    with capture_logs() as logs:
        response = engine.query(QUESTION)
    evaluation = CorrectnessEvaluator(llm=judge("4.0\nRight, but short.")).evaluate(
        query=QUESTION, response=str(response), reference="At 232 degrees."
    )
    with pytest.raises(ConfigurationError, match="max_score="):
        logs.feedback_from(evaluation)
    assert logs.feedback_from(evaluation, max_score=5) == logs.log_ids
