"""From an error answer to the error: status and body in; class, code, retryable and message out."""

import json

import pytest

from aigw import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    DLPBlockedError,
    GatewayNotFoundError,
    GuardrailBlockedError,
    InternalServerError,
    LogNotFoundError,
    ModelNotFoundError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ResponseInfo,
    SpendLimitError,
)
from aigw._account import Account
from aigw._calls import _model_calls
from aigw._error_bodies import error_from_response, retry_after
from aigw._http import Headers, Response

INFO = ResponseInfo(log_id="01LOG", status_code=400)


def gateway(code, message):
    """The gateway's envelope: `error` is a list."""
    return {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "internalCode": code,
        "message": message,
        "description": message,
    }


def rest(code, message):
    """The REST envelope: `errors` is a list."""
    return {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}


def policy(message):
    """A policy's body: `error` is an object without a code."""
    return {"success": False, "error": {"message": message}}


def openai(message, kind, code=None):
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(message, kind):
    return {"type": "error", "error": {"type": kind, "message": message}}


OLD = {"success": False, "result": [], "messages": [], "error": [{"code": 2005, "message": "Failed to get response"}]}
FAILED = {"state": "Failed", "error": {"code": "provider_unavailable", "message": "No provider"}, "model": "m"}
HTML = "<html><head><title>502 Bad\nGateway</title></head><body><h1>x</h1></body></html>"

TABLE = [
    # status, body, class, code, retryable, message
    (400, gateway(2001, "Configure it"), GatewayNotFoundError, 2001, False, "it (HTTP 400, code 2001): create"),
    (429, gateway(2003, "Rate limited"), RateLimitError, 2003, True, "Rate limited (HTTP 429, code 2003)"),
    (400, OLD, BadRequestError, 2005, True, "(HTTP 400, code 2005): the gateway reached no provider"),
    (400, gateway(2008, "Invalid provider"), BadRequestError, 2008, False, "name the provider by its slug"),
    (401, gateway(2009, "Unauthorized"), AuthenticationError, 2009, False, "check the token"),
    (424, gateway(2016, "Prompt blocked"), GuardrailBlockedError, 2016, False, "Prompt blocked (HTTP 424, code 2016)"),
    (424, gateway(2017, "Response blocked"), GuardrailBlockedError, 2017, False, "Response blocked"),
    (422, gateway(2017, "Blocked"), GuardrailBlockedError, 2017, False, "HTTP 422, code 2017"),
    (429, gateway(2018, "Wholesale Rate limited"), RateLimitError, 2018, True, "Wholesale Rate limited"),
    (400, gateway(2019, "Chat completion bad format"), BadRequestError, 2019, False, "put the provider's slug"),
    (402, gateway(2021, "Insufficient balance"), PaymentRequiredError, 2021, False, "add credits"),
    (400, gateway(2029, "Request content blocked"), DLPBlockedError, 2029, False, "Request content blocked"),
    (403, gateway(2030, "Response content blocked"), DLPBlockedError, 2030, False, "Response content blocked"),
    (403, gateway(2036, "This feature"), PermissionDeniedError, 2036, False, "This feature (HTTP 403, code 2036)"),
    (400, gateway(2040, "Provider 'x' has no BYOK credential"), BadRequestError, 2040, False, "check byok_alias"),
    (429, gateway(2041, "Over: rule 'r'"), SpendLimitError, 2041, False, "rule 'r' (HTTP 429, code 2041)"),
    (429, gateway(2045, "Spend limit exceeded"), SpendLimitError, 2045, False, "Spend limit exceeded"),
    (400, gateway(2044, "Customer-provided credentials"), BadRequestError, 2044, False, "give provider_key"),
    (404, gateway(7003, "Model not found: x/y"), ModelNotFoundError, 7003, False, "Model not found: x/y"),
    (400, gateway(7003, "Model execution failed"), BadRequestError, 7003, False, "Model execution failed"),
    (503, gateway(7013, "Guardrails unavailable"), InternalServerError, 7013, True, "HTTP 503, code 7013"),
    (401, rest(10000, "Authentication error"), AuthenticationError, 10000, False, "check the token and"),
    (400, rest(9106, "Missing X-Auth-Key"), AuthenticationError, 9106, False, "give a Cloudflare API token"),
    (404, rest(7002, "Log not found"), NotFoundError, 7002, False, "Log not found (HTTP 404, code 7002)"),
    (500, rest(7000, "Internal"), InternalServerError, 7000, True, "HTTP 500, code 7000"),
    (400, rest(5007, "No such model"), ModelNotFoundError, 5007, False, "No such model"),
    (408, rest(3007, "Timeout"), BadRequestError, 3007, True, "HTTP 408, code 3007"),
    (429, rest(3036, "Daily allocation used"), RateLimitError, 3036, False, "Daily allocation used"),
    (429, rest(3040, "Capacity exceeded"), RateLimitError, 3040, True, "Capacity exceeded"),
    (403, policy("Access denied by policy"), PermissionDeniedError, None, False, "Access denied by policy (HTTP 403)"),
    (429, policy("Spending limit exceeded"), SpendLimitError, None, False, "Spending limit exceeded (HTTP 429)"),
    (401, openai("Bad key", "invalid_request", "bad_key"), AuthenticationError, "bad_key", False, "Bad key (HTTP 401"),
    (400, openai("Too hot", "invalid_request"), BadRequestError, "invalid_request", False, "code invalid_request)"),
    (429, openai("Slow down", "requests", "rate_limit"), RateLimitError, "rate_limit", True, "Slow down"),
    (500, openai("The server had an error", "server_error"), InternalServerError, "server_error", True, "HTTP 500"),
    (529, anthropic("Overloaded", "overloaded"), InternalServerError, "overloaded", True, "Overloaded (HTTP 529"),
    (400, anthropic("max_tokens: required", "invalid"), BadRequestError, "invalid", False, "max_tokens: required"),
    (404, anthropic("model: x", "not_found_error"), NotFoundError, "not_found_error", False, "model: x"),
    (400, {"error": {"code": 400, "message": "No key", "status": "INVALID"}}, BadRequestError, 400, False, "No key"),
    (404, {"error": "Request not found"}, NotFoundError, None, False, "Request not found (HTTP 404)"),
    (502, FAILED, InternalServerError, "provider_unavailable", True, "No provider"),
    (502, HTML, InternalServerError, None, True, "502 Bad Gateway (HTTP 502)"),
    (503, "upstream connect error\n", InternalServerError, None, True, "upstream connect error (HTTP 503)"),
    (500, "", InternalServerError, None, True, "The answer has no body (HTTP 500)"),
    (418, "{}", BadRequestError, None, False, "The answer has no error message (HTTP 418)"),
    (409, "{}", BadRequestError, None, True, "HTTP 409"),
    (302, "", APIStatusError, None, False, "redirects are not followed"),
    (400, "[1]", BadRequestError, None, False, "HTTP 400"),
    (400, {"errors": [None, "plain"]}, BadRequestError, None, False, "plain (HTTP 400)"),
    (400, {"error": [], "message": "only here"}, BadRequestError, None, False, "only here (HTTP 400)"),
]  # fmt: skip


def answer(status, body, *headers):
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Response(status, Headers(headers), content)


@pytest.mark.parametrize(("status", "body", "error_class", "code", "retryable", "message"), TABLE)
def test_an_error_answer_becomes_its_error(status, body, error_class, code, retryable, message):
    error = error_from_response(answer(status, body), INFO)

    assert type(error) is error_class
    assert (error.code, error.status_code, error.is_retryable) == (code, status, retryable)
    assert message in error.message
    assert (error.info, error.log_id) == (INFO, "01LOG")


@pytest.mark.parametrize("operation", ["chat", "responses", "messages"])
@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": "died", "type": "Internal", "code": 502},
        {"type": "error", "message": "died", "code": 502},
        {"success": False, "errors": [], "messages": [{"code": 502, "message": "died"}]},
        {"choices": [], "error": {"message": "died", "code": 502}},
    ],
)
def test_an_error_that_comes_with_a_good_status_is_one_all_the_same(operation, body):
    call = _model_calls.raw(Account("acct", "token"), {}, operation, {"model": "anthropic/m"})

    with pytest.raises(APIStatusError, match=r"died \(HTTP 200, code 502\)") as failed:
        call.read(answer(200, body), INFO)
    assert (failed.value.code, failed.value.log_id) == (502, "01LOG")


def test_the_body_is_kept_decoded():
    assert error_from_response(answer(429, gateway(2003, "x")), INFO).body == gateway(2003, "x")
    assert error_from_response(answer(502, HTML), INFO).body == HTML


def test_a_404_means_what_its_request_asked_for():
    error = error_from_response(answer(404, rest(7002, "Log not found")), INFO, not_found=LogNotFoundError)

    assert type(error) is LogNotFoundError


def test_a_long_text_is_cut_in_the_message_and_whole_in_the_body():
    error = error_from_response(answer(500, "x" * 5000), INFO)

    assert len(error.message) < 600
    assert error.body == "x" * 5000


@pytest.mark.parametrize("depth", [100, 300, 900, 1000, 100_000])
def test_a_body_nested_too_deep_to_read_is_still_its_error(depth):
    body = "[" * depth + '"sk/secret-token"' + "]" * depth
    error = error_from_response(answer(400, f'{{"error": {body}}}'), INFO, secrets=["sk/secret-token"])

    assert type(error) is BadRequestError
    assert "secret-token" not in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "7")], 7.0),
        ([("Retry-After", "0")], 0.0),
        ([("Retry-After", "1.5")], 1.5),
        ([("retry-after-ms", "250")], 0.25),
        ([("retry-after-ms", "250"), ("retry-after", "9")], 0.25),
        ([("retry-after-ms", "soon"), ("retry-after", "9")], 9.0),
        ([("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"), ("date", "Wed, 21 Oct 2026 07:28:00 GMT")], 30.0),
        ([("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), ("date", "Wed, 21 Oct 2026 07:28:30 GMT")], 0.0),
        ([("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], 0.0),
        ([("retry-after", "-5")], None),
        ([("retry-after", "nan")], None),
        ([("retry-after", "inf")], None),
        ([("retry-after", "tomorrow")], None),
        ([], None),
    ],
)
def test_retry_after_is_read_as_seconds(headers, seconds):
    assert retry_after(Headers(headers)) == seconds
    assert error_from_response(answer(429, "{}", *headers), INFO).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        rest(10000, "the token sk/secret-token is bad"),
        openai("Incorrect API key provided: sk/secret-token", "sk/secret-token", "sk/secret-token"),
        "<title>sk/secret-token</title>",
        "sk/secret-token",
        '{"error": {"message": "bad key sk\\/secret-token", "keys": ["sk\\u002fsecret-token"]}}',
        {"error": {"sk/secret-token": "is no field", "message": "x"}},
    ],
)
def test_a_secret_that_the_server_echoes_is_taken_out(body):
    error = error_from_response(answer(401, body), INFO, secrets=["sk/secret-token"])

    assert "secret-token" not in f"{error} {error!r} {error.message} {error.body} {error.code} {error.__dict__}"
