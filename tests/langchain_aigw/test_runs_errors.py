"""Every kind of failed call: its class here and in LangChain, whether it may be tried again, and its log in the run."""

import json
import time
from uuid import uuid4

import httpx
import pytest
from langchain_core import exceptions

import aigw
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

OK = {
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}


def cloudflare(code, message="no"):
    """Make the REST API's envelope."""
    return {"success": False, "result": None, "errors": [{"code": code, "message": message}], "messages": []}


def gateway(code, message="no"):
    """Make the gateway's own envelope."""
    return {"success": False, "result": [], "messages": [], "error": [{"code": code, "message": message}]}


def openai(code, message="no"):
    """Make OpenAI's envelope."""
    return {"error": {"message": message, "type": "error", "code": code}}


CASES = [
    (400, cloudflare(2001), "GatewayNotFoundError", "ModelInvalidRequestError", False),
    (400, gateway(2001), "GatewayNotFoundError", "ModelInvalidRequestError", False),
    (429, cloudflare(2003), "RateLimitError", "ModelRateLimitError", True),
    (429, gateway(2003), "RateLimitError", "ModelRateLimitError", True),
    (401, cloudflare(2009), "AuthenticationError", "ModelAuthenticationError", False),
    (401, gateway(2009), "AuthenticationError", "ModelAuthenticationError", False),
    (424, gateway(2016), "GuardrailBlockedError", "ModelInvalidRequestError", False),
    (424, cloudflare(2017), "GuardrailBlockedError", "ModelInvalidRequestError", False),
    (429, gateway(2018), "RateLimitError", "ModelRateLimitError", True),
    (402, gateway(2021), "PaymentRequiredError", "ModelError", False),
    (424, gateway(2029), "DLPBlockedError", "ModelInvalidRequestError", False),
    (424, gateway(2030), "DLPBlockedError", "ModelInvalidRequestError", False),
    (429, gateway(2041), "SpendLimitError", "ModelRateLimitError", False),
    (429, cloudflare(2045), "SpendLimitError", "ModelRateLimitError", False),
    (429, cloudflare(3036), "RateLimitError", "ModelRateLimitError", False),
    (404, cloudflare(5007), "ModelNotFoundError", "ModelNotFoundError", False),
    (401, cloudflare(9106), "AuthenticationError", "ModelAuthenticationError", False),
    (403, cloudflare(10000), "AuthenticationError", "ModelAuthenticationError", False),
    (400, openai("invalid_value"), "BadRequestError", "ModelInvalidRequestError", False),
    (400, openai("context_length_exceeded"), "BadRequestError", "ContextOverflowError", False),
    (401, openai("invalid_api_key"), "AuthenticationError", "ModelAuthenticationError", False),
    (403, openai("region"), "PermissionDeniedError", "ModelPermissionDeniedError", False),
    (404, openai("model_not_found"), "ModelNotFoundError", "ModelNotFoundError", False),
    (429, openai("rate_limit_exceeded"), "RateLimitError", "ModelRateLimitError", True),
    (500, openai("server_error"), "InternalServerError", "ModelAPIError", True),
    (502, {}, "InternalServerError", "ModelAPIError", True),
]


class Answers:
    """Gives the answers written down, one after the other, each with a log id of its own; notes when it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.times = []

    def __call__(self, request):
        self.times.append(time.monotonic())
        status, body, more = self.answers[len(self.times) - 1]
        headers = {"cf-aig-log-id": f"log-{len(self.times)}", "content-type": "application/json", **more}
        return httpx.Response(status, headers=headers, content=json.dumps(body), request=request)


@pytest.fixture
def ask():
    """Make a model that gets these answers, and call it; give the error, the recorded calls and the answers."""

    def ask(*answers, **fields):
        served, handler, run_id = Answers(*answers), AIGatewayCallbackHandler(), uuid4()
        with httpx.Client(transport=httpx.MockTransport(served)) as http_client:
            model = ChatCloudflareAIGateway(
                model="openai/gpt-5-mini", account_id="a", api_token="test-token", http_client=http_client, **fields
            )
            error = None
            try:
                model.invoke("hi", {"callbacks": [handler], "run_id": run_id})
            except aigw.AIGatewayError as raised:
                error = raised
        return error, handler.calls(run_id), served

    return ask


@pytest.mark.parametrize(("status", "body", "ours", "theirs", "is_retryable"), CASES)
def test_a_failed_call_has_its_class_and_its_log(ask, status, body, ours, theirs, is_retryable):
    error, (call,), _ = ask((status, body, {}), max_retries=0)
    assert isinstance(error, getattr(aigw, ours))
    assert isinstance(error, getattr(exceptions, theirs))
    assert (type(error).__name__, error.is_retryable, error.log_id) == (ours, is_retryable, "log-1")
    assert (call.log_id, call.info.status_code) == ("log-1", status)
    assert call.error.startswith(f"{ours}: ")


def test_a_rate_limit_is_tried_again_after_the_time_it_asks_for(ask):
    error, calls, served = ask((429, gateway(2003), {"retry-after-ms": "700"}), (200, OK, {}))
    assert error is None
    assert [call.log_id for call in calls] == ["log-1", "log-2"]
    waited = served.times[1] - served.times[0]
    assert 0.63 <= waited <= 1.5  # by itself it would wait half a second at most


def test_a_spend_limit_is_not_tried_again(ask):
    error, calls, served = ask((429, gateway(2041), {"retry-after": "0"}), (200, OK, {}))
    assert isinstance(error, aigw.SpendLimitError)
    assert [call.log_id for call in calls] == ["log-1"]
    assert len(served.times) == 1
