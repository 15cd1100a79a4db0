"""The error tree, and what every error can do."""

import copy
import pickle

import pytest

import aigw
from aigw import ResponseInfo

TREE = {
    "ConfigurationError": "AIGatewayError",
    "UnknownTargetError": "ConfigurationError",
    "APIConnectionError": "AIGatewayError",
    "APITimeoutError": "APIConnectionError",
    "APIStatusError": "AIGatewayError",
    "BadRequestError": "APIStatusError",
    "AuthenticationError": "APIStatusError",
    "PaymentRequiredError": "APIStatusError",
    "PermissionDeniedError": "APIStatusError",
    "NotFoundError": "APIStatusError",
    "GatewayNotFoundError": "NotFoundError",
    "LogNotFoundError": "NotFoundError",
    "ModelNotFoundError": "NotFoundError",
    "RateLimitError": "APIStatusError",
    "SpendLimitError": "RateLimitError",
    "GuardrailBlockedError": "APIStatusError",
    "DLPBlockedError": "APIStatusError",
    "InternalServerError": "APIStatusError",
    "StreamError": "AIGatewayError",
    "StreamTruncatedError": "StreamError",
}


@pytest.mark.parametrize(("name", "parent"), TREE.items())
def test_an_error_has_its_place_in_the_tree(name, parent):
    assert getattr(aigw, name).__bases__[0] is getattr(aigw, parent)


def test_the_tree_holds_every_exported_error():
    exported = {name for name in aigw.__all__ if name.endswith("Error")}

    assert exported == {*TREE, "AIGatewayError"}


@pytest.mark.parametrize("name", sorted([*TREE, "AIGatewayError"]))
@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])  # noqa: S301 -- its own bytes
def test_an_error_survives_pickling_and_copying(name, again):
    info = ResponseInfo(log_id="01LOG", step=1, status_code=429)
    error = getattr(aigw, name)(
        "Wait.", status_code=429, code=2003, info=info, retry_after=1.5, is_retryable=True, body={"error": [1]}
    )
    twin = again(error)

    assert type(twin) is type(error)
    assert (str(twin), twin.args, twin.__dict__) == ("Wait.", ("Wait.",), error.__dict__)
    assert (twin.log_id, twin.info.step) == ("01LOG", 1)


def test_whether_a_request_was_sent_survives_pickling():
    error = aigw.APIConnectionError("No answer")
    error.request_sent = False

    assert pickle.loads(pickle.dumps(error)).request_sent is False  # noqa: S301 -- its own bytes


def test_a_refusal_is_also_a_value_error():
    assert issubclass(aigw.ConfigurationError, ValueError)


def test_an_unknown_target_is_also_a_key_error_and_says_its_sentence_plainly():
    error = aigw.UnknownTargetError("run-1 is not known")
    assert isinstance(error, KeyError)
    assert str(error) == "run-1 is not known"


def test_an_error_without_an_answer_has_no_facts():
    error = aigw.AIGatewayError("Broken.")

    assert (error.status_code, error.code, error.info, error.log_id, error.retry_after, error.body) == (None,) * 6
    assert error.is_retryable is False
