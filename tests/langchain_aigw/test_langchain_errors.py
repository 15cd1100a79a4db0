"""Errors of calls: the core's and LangChain's at once, with an answer that shows no secret, over a real socket."""

import json
import pickle

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core import exceptions
from langchain_core.callbacks import BaseCallbackHandler

import aigw
from aigw.local import Reply, json_reply
from langchain_aigw._errors import translate_error
from langchain_aigw._recorded import Caller, CallReport

HEADERS = (("content-type", "application/json"), ("set-cookie", "session=secret"), ("x-request-id", "r1"))


class Refusing:
    """Answers every call with one error; counts them."""

    provider = "refusing"

    def __init__(self, status, error):
        self.status = status
        self.body = json.dumps({"error": error}).encode()
        self.count = 0

    async def send(self, *_):
        self.count += 1
        return Reply(self.status, HEADERS, self.body)


@pytest.fixture
def refuse(stage):
    def start(status, error):
        upstream = Refusing(status, error)
        stage.upstream.send = upstream.send
        return upstream

    return start


CASES = [
    (400, {"message": "bad"}, aigw.BadRequestError, "ModelInvalidRequestError", False),
    (401, {"message": "who?"}, aigw.AuthenticationError, "ModelAuthenticationError", False),
    (403, {"message": "no"}, aigw.PermissionDeniedError, "ModelPermissionDeniedError", False),
    (404, {"message": "gone"}, aigw.NotFoundError, "ModelNotFoundError", False),
    (429, {"message": "slow"}, aigw.RateLimitError, "ModelRateLimitError", True),
    (500, {"message": "oops"}, aigw.InternalServerError, "ModelAPIError", True),
    (400, {"message": "x", "code": "context_length_exceeded"}, aigw.BadRequestError, "ContextOverflowError", False),
    (400, {"message": "prompt is too long: 9 > 8"}, aigw.BadRequestError, "ContextOverflowError", False),
]


@pytest.mark.parametrize(("status", "error", "ours", "theirs", "is_retryable"), CASES)
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_an_error_is_both_ours_and_langchains(stage, refuse, how, status, error, ours, theirs, is_retryable):
    refuse(status, error)
    with pytest.raises(ours) as caught:
        await ask(stage.chat(max_retries=0), how)
    raised = caught.value
    assert isinstance(raised, getattr(exceptions, theirs))
    assert raised.is_retryable is is_retryable
    assert (raised.status_code, raised.response.status_code, raised.response.json()) == (status, status, raised.body)
    assert raised.log_id
    assert raised.response.headers["cf-aig-log-id"] == raised.log_id
    assert raised.request_id


async def ask(model, how):
    if how == "invoke":
        return model.invoke("hi")
    if how == "ainvoke":
        return await model.ainvoke("hi")
    if how == "stream":
        return list(model.stream("hi"))
    return [chunk async for chunk in model.astream("hi")]


async def test_embeddings_raise_the_same_errors(stage, refuse):
    refuse(429, {"message": "slow"})
    embeddings = stage.embeddings(max_retries=0)
    with pytest.raises(exceptions.ModelRateLimitError):
        embeddings.embed_query("a")
    with pytest.raises(aigw.RateLimitError):
        await embeddings.aembed_query("a")


def test_nobody_is_reached_is_a_connection_error_without_an_answer(stage):
    with pytest.raises(exceptions.ModelConnectionError) as caught:
        stage.chat(base_url="http://127.0.0.1:9", max_retries=0).invoke("hi")
    assert isinstance(caught.value, aigw.APIConnectionError)
    assert not hasattr(caught.value, "response")


@pytest.mark.parametrize(
    ("error", "theirs"),
    [
        (aigw.APITimeoutError("t"), exceptions.ModelTimeoutError),
        (aigw.StreamTruncatedError("t"), exceptions.ModelAPIError),
        (aigw.SpendLimitError("t"), exceptions.ModelRateLimitError),
        (aigw.GuardrailBlockedError("t"), exceptions.ModelInvalidRequestError),
        (aigw.GatewayNotFoundError("t"), exceptions.ModelInvalidRequestError),
        (aigw.PaymentRequiredError("t"), exceptions.ModelError),
        (aigw.APIStatusError("t"), exceptions.ModelError),
    ],
)
def test_what_lies_outside_the_statuses_has_its_kind_too(error, theirs):
    translated = translate_error(error)
    assert isinstance(translated, theirs)
    assert isinstance(translated, type(error))
    assert translated.is_retryable is error.is_retryable


def test_what_the_caller_did_wrong_is_no_error_of_a_model():
    error = aigw.ConfigurationError("no account")
    assert translate_error(error) is error
    with pytest.raises(aigw.ConfigurationError) as caught, CallReport(Caller("chat", "m")):
        raise error
    assert caught.value is error


def test_a_translated_error_pickles_with_all_it_says():
    info = aigw.ResponseInfo(log_id="L1", request_id="R1", status_code=429)
    error = translate_error(aigw.RateLimitError("slow", status_code=429, code=2003, info=info, retry_after=3, body="b"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  pickled here
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert again.response.headers == {"cf-aig-log-id": "L1", "cf-aig-request-id": "R1", "retry-after": "3"}
    assert (again.response.text, again.request_id) == ("b", "R1")
    assert translate_error(again) is again


def test_an_answer_that_is_no_json_says_so_as_httpx_does():
    response = translate_error(aigw.InternalServerError("x", status_code=502, body="<html>")).response
    assert response.text == "<html>"
    with pytest.raises(ValueError, match="no JSON"):
        response.json()
    assert translate_error(aigw.InternalServerError("x", status_code=502, body={"a": 1})).response.text == '{"a": 1}'
    assert translate_error(aigw.InternalServerError("x", status_code=502)).response.text == ""


class Errors(BaseCallbackHandler):
    def __init__(self):
        self.heard = []

    def on_llm_error(self, error, *, response=None, **more):
        del more
        self.heard.append((error, response))


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_a_handler_sees_the_log_and_no_cookie_or_credential(stage, refuse, how):
    refuse(400, {"message": "the token test-token is bad"})
    errors = Errors()
    with pytest.raises(aigw.BadRequestError):
        await ask(stage.chat(max_retries=0, callbacks=[errors]), how)
    [(error, response)] = errors.heard
    [generations] = response.generations
    metadata = generations[-1].message.response_metadata
    assert metadata["status_code"] == 400
    assert metadata["headers"]["cf-aig-log-id"] == error.log_id
    assert metadata["request_id"] == error.request_id
    shown = f"{metadata} {error} {vars(error)}"
    assert [secret for secret in ("session=secret", "set-cookie", "test-token") if secret in shown] == []


@pytest.mark.parametrize(("status", "calls"), [(429, 3), (400, 1)])
def test_the_retry_middleware_tries_again_what_may_succeed(stage, refuse, status, calls):
    upstream = refuse(status, {"message": "x"})
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, on_failure="error")
    agent = create_agent(stage.chat(max_retries=0), middleware=[retry])
    with pytest.raises(aigw.APIStatusError):
        agent.invoke({"messages": [("user", "hi")]})
    assert upstream.count == calls


def test_with_retry_knows_langchains_classes(stage, wire):
    tries = []

    async def send(*_):
        tries.append(1)
        slow = json_reply(429, {"error": {"message": "slow"}})
        return json_reply(200, wire.answer("ok")) if len(tries) == 3 else slow

    stage.upstream.send = send
    patient = stage.chat(max_retries=0).with_retry(
        retry_if_exception_type=(exceptions.ModelRateLimitError,), wait_exponential_jitter=False, stop_after_attempt=3
    )
    assert patient.invoke("hi").content == "ok"


def test_a_stream_that_breaks_tells_the_handler_what_came(stage, wire):
    stage.play([wire.delta(content="Hel"), {"error": {"message": "overloaded", "code": 503}}])
    errors = Errors()
    with pytest.raises(aigw.StreamError) as caught:
        list(stage.chat(callbacks=[errors]).stream("hi"))
    assert isinstance(caught.value, exceptions.ModelAPIError)
    assert errors.heard[0][1].generations[0][0].message.content == "Hel"
