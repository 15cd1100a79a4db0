"""What `run` makes of an answer: envelopes taken off, failures raised, bytes kept as bytes."""

import json

import pytest

from aigw import (
    APIStatusError,
    ConfigurationError,
    GuardrailBlockedError,
    ModelNotFoundError,
    PaymentRequiredError,
    ResponseInfo,
)
from aigw._account import Account
from aigw._calls import _model_calls
from aigw._http import Headers, Response

ACCOUNT = Account("acct", "cf-token", "gw")
INFO = ResponseInfo(log_id="01LOG", status_code=200)
PNG = b"\x89PNG\r\n\x1a\n\x00"


def read(body, content_type="application/json", status=200):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = Headers([("content-type", content_type)] if content_type else [])
    return _model_calls.run(ACCOUNT, {}, "@cf/a/b", {"prompt": "Hi"}).read(Response(status, headers, content), INFO)


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({"result": {"response": "Hi"}, "success": True, "errors": [], "messages": []}, {"response": "Hi"}),
        ({"result": "text", "success": True, "errors": []}, "text"),
        ({"result": None, "success": True}, None),
        ({"result": {"choices": []}, "success": True}, {"choices": []}),
        ({"state": "Completed", "result": {"image": "x"}, "gatewayMetadata": {"keySource": "Unified"}}, {"image": "x"}),
        ({"choices": [{"message": {"content": "Hi"}}]}, {"choices": [{"message": {"content": "Hi"}}]}),
        ({"response": "Hi"}, {"response": "Hi"}),
        ({"result": "bare field of a model"}, {"result": "bare field of a model"}),
        ({"shape": [1, 2], "data": [[0.1, 0.2]]}, {"shape": [1, 2], "data": [[0.1, 0.2]]}),
        ([1, 2], [1, 2]),
        ("text", "text"),
        (None, None),
    ],
)
def test_an_envelope_is_taken_off_and_a_bare_answer_left_alone(body, output):
    result = read(body)

    assert (result.output, result.info, result.content_type) == (output, INFO, "application/json")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/problem+json", "Application/JSON", None]
)
def test_json_is_known_by_any_of_its_content_types(content_type):
    assert read({"response": "Hi"}, content_type).output == {"response": "Hi"}


@pytest.mark.parametrize("content_type", ["image/png", "audio/mpeg", "application/octet-stream", "text/plain"])
def test_a_binary_answer_is_bytes_with_its_content_type(content_type):
    result = read(PNG, content_type)

    assert (result.output, result.content_type) == (PNG, content_type)


def test_bytes_without_a_content_type_are_bytes():
    assert read(PNG, None).output == PNG
    assert read(PNG, None).content_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("body", "error_class", "words"),
    [
        ({"success": False, "errors": [{"code": 5007, "message": "No such"}]}, ModelNotFoundError, "No such"),
        ({"success": False, "error": [{"code": 2021, "message": "No credits"}]}, PaymentRequiredError, "No credits"),
        ({"state": "Failed", "error": {"code": "provider_unavailable", "message": "Down"}}, APIStatusError, "Down"),
        ({"success": False, "internalCode": 2016, "message": "Blocked"}, GuardrailBlockedError, "Blocked"),
        ({"state": "Failed"}, APIStatusError, "not what was asked for"),
        (b"{broken", APIStatusError, r"not what was asked for \(HTTP 200, application/json, 7 bytes\)"),
        (b"", APIStatusError, "not what was asked for"),
    ],
)  # fmt: skip
def test_a_failure_with_status_200_is_raised_with_its_log(body, error_class, words):
    with pytest.raises(error_class, match=words) as failed:
        read(body)
    assert failed.value.log_id == "01LOG"


def test_a_run_sends_model_and_input():
    request = _model_calls.run(ACCOUNT, {"id": "other", "skip_cache": True}, "@cf/a/b", {"prompt": "Köln"}).request

    assert request.content == '{"model":"@cf/a/b","input":{"prompt":"Köln"}}'.encode()
    assert request.headers == (
        ("authorization", "Bearer cf-token"),
        ("cf-aig-gateway-id", "other"),
        ("content-type", "application/json"),
        ("cf-aig-skip-cache", "true"),
    )


def test_a_streamed_run_asks_among_the_inputs_and_leaves_the_callers_alone():
    inputs = {"prompt": "Hi"}
    request = _model_calls.stream_run(ACCOUNT, {}, "@cf/a/b", inputs).request

    assert json.loads(request.content) == {"model": "@cf/a/b", "input": {"prompt": "Hi", "stream": True}}
    assert inputs == {"prompt": "Hi"}


def read_chat(body):
    response = Response(200, Headers([("content-type", "application/json")]), json.dumps(body).encode())
    return _model_calls.chat(ACCOUNT, {}, {"model": "openai/m", "messages": []}).read(response, INFO)


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"success": True, "errors": [], "result": body}])
def test_a_chat_is_read_bare_and_in_an_envelope(wrap):
    assert read_chat(wrap({"choices": [{"message": {"content": "Hi"}}]})).text == "Hi"


@pytest.mark.parametrize("body", [{}, [], {"choices": None}, {"choices": "x"}, {"result": {}, "success": True}, "Hi"])
def test_an_answer_that_is_no_completion_is_an_error_with_its_log(body):
    with pytest.raises(APIStatusError, match="not what was asked for") as failed:
        read_chat(body)
    assert failed.value.log_id == "01LOG"


def test_a_chat_refuses_what_is_not_json():
    with pytest.raises(ConfigurationError, match=r"the request is not JSON: .*object"):
        _model_calls.chat(ACCOUNT, {}, {"model": "openai/m", "messages": [object()]})


def test_the_same_body_gives_the_same_bytes():
    body = {"model": "openai/m", "messages": [{"role": "user", "content": "Hi"}], "n": 1}

    assert _model_calls.chat(ACCOUNT, {}, body).request == _model_calls.chat(ACCOUNT, {}, dict(body)).request


def test_embeddings_keep_usage_and_model():
    body = {"data": [{"index": 0, "embedding": [0.5]}], "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    response = Response(200, Headers([("content-type", "application/json")]), json.dumps(body).encode())
    result = _model_calls.embed(ACCOUNT, {}, {"model": "openai/m", "input": "Hi"}).read(response, INFO)

    assert (result.vectors, result.model, result.usage.prompt_tokens, result.info) == ([[0.5]], "m", 2, INFO)
