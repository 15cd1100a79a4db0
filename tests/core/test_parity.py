"""The two drivers cannot drift apart: the same methods with the same parameters, and a fixed list of names."""

import inspect
import pathlib
import subprocess
import sys

import pytest

import aigw
from aigw import AIGateway, AsyncAIGateway, AsyncGateway, Gateway, integration

TWINS = [(AIGateway, AsyncAIGateway), (Gateway, AsyncGateway)]

NAMES = [
    "UNSET", "AIGateway", "AIGatewayError", "APIConnectionError", "APIStatusError", "APITimeoutError",
    "AsyncAIGateway", "AsyncFeedbackQueue", "AsyncGateway", "AsyncStream", "AuthenticationError",
    "AutomaticFeedback",
    "BadRequestError", "CapturedLogs",
    "ChatCompletion", "ChatCompletionChunk", "ConfigurationError", "CostRow", "Costs", "CustomCost",
    "DLPBlockedError",
    "EmbeddingResult", "Feedback", "FeedbackQueue", "Gateway", "GatewayLog", "GatewayNotFoundError", "GatewayOptions",
    "GuardrailBlockedError", "InternalServerError", "LogFilter", "LogNotFoundError", "LogPage", "LogResolver",
    "MetadataValue", "ModelNotFoundError", "NotFoundError", "PaymentRequiredError", "PermissionDeniedError",
    "RateLimitError", "RaterCounts", "Rating", "ResolvedLog", "ResponseInfo", "Retries", "RunResult", "SharedLogs",
    "SpendLimitError",
    "Step", "StepConfig", "Stream", "StreamError", "StreamEvent", "StreamTruncatedError", "Surface",
    "UnknownTargetError", "Unset", "Which", "__version__", "capture_logs", "gateway_options", "model_profile",
]  # fmt: skip

FOR_ADAPTERS = [
    "Bookkeeping", "CallCaptures", "CallKind", "CallMemory", "CallReport", "Caller", "CapturedCalls", "ChatRequest",
    "Clients", "CostCallback", "FeedbackTaker", "ForkSafeLock", "Ledger", "LoggedCall", "Rater", "RecordedCall",
    "SharedWriter", "ToolCalls", "Verdict", "WireToolCall",
    "arate_logs", "aread_logs", "ask_completions", "ask_embeddings", "ask_stream", "calls_of", "check_texts",
    "chosen_event_id", "context_options", "event_id_of", "forward_metadata", "is_rating", "lazy", "leave",
    "merge_parameters", "metadata_of", "parse_arguments", "rate_logs", "read_logs", "readings_of",
    "refuse_connection_keywords", "shown", "sum_costs",
    "tell_again", "told_again", "with_known_signature",
]  # fmt: skip

NOT_IMPORTED = ("langchain_core", "llama_index", "starlette", "uvicorn", "aiohttp", "httpx_aiohttp")

METHODS = {
    AIGateway: "chat close completions embed gateway messages responses run stream_chat stream_completions "
    "stream_messages stream_responses stream_run without_retries",
    Gateway: "find_logs get_log get_url iter_logs list_logs log_request log_response patch_log run stream_run",
}


def public_methods(cls):
    return {name: value for name, value in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")}


def parameters(function):
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default, each.annotation) for each in found]


@pytest.mark.parametrize("cls", METHODS)
def test_the_public_methods_are_these(cls):
    assert sorted(public_methods(cls)) == METHODS[cls].split()


@pytest.mark.parametrize(("sync", "asynchronous"), TWINS)
def test_both_drivers_have_the_same_methods(sync, asynchronous):
    assert set(public_methods(sync)) - {"close"} == set(public_methods(asynchronous)) - {"aclose"}


@pytest.mark.parametrize(
    ("sync", "asynchronous", "name"),
    [(*twins, name) for twins in TWINS for name in [*public_methods(twins[0]), "__init__"] if name != "close"],
)
def test_a_method_takes_the_same_in_both(sync, asynchronous, name):
    ours, theirs = parameters(getattr(sync, name)), parameters(getattr(asynchronous, name))
    if name == "__init__":
        ours, theirs = ([each[:3] for each in found] for found in (ours, theirs))

    assert ours == theirs


def test_streaming_methods_return_at_once_and_the_others_are_awaited():
    awaited = {name for name, method in public_methods(AsyncAIGateway).items() if inspect.iscoroutinefunction(method)}

    assert awaited == {"aclose", "chat", "completions", "embed", "messages", "responses", "run"}


def test_the_exported_names_are_these_each_once():
    assert sorted(aigw.__all__) == sorted(NAMES)
    assert sorted(integration.__all__) == sorted(FOR_ADAPTERS)


@pytest.mark.parametrize(
    ("module", "name"), [*((aigw, name) for name in NAMES), *((integration, name) for name in FOR_ADAPTERS)]
)
def test_an_exported_name_can_be_imported(module, name):
    assert hasattr(module, name)


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isclass(getattr(aigw, name))])
def test_a_public_class_and_its_methods_say_what_they_are(name):
    cls = getattr(aigw, name)
    ours = {each: method for each, method in public_methods(cls).items() if method.__module__.startswith("aigw")}
    silent = [each for each, method in ours.items() if not inspect.getdoc(method)]

    assert cls.__doc__
    assert silent == []


@pytest.mark.parametrize("function", [aigw.capture_logs, aigw.gateway_options])
def test_a_public_function_says_what_it_does(function):
    assert inspect.getdoc(function)


def test_the_package_says_that_it_is_typed():
    assert (pathlib.Path(aigw.__file__).parent / "py.typed").exists()


def test_importing_the_core_imports_no_framework_and_no_server():
    script = f"import sys, aigw; print([name for name in {NOT_IMPORTED} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 -- our own script

    assert done.stdout.strip() == "[]"
