"""Cloudflare AI Gateway for Python: what `env.AI` is to a Worker.

    from aigw import AIGateway

    client = AIGateway()  # CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN
    result = client.run("@cf/meta/llama-3.1-8b-instruct", {"prompt": "Tell me a joke"})
    client.gateway().patch_log(result.info.log_id, feedback=1)

Everything a user needs is a name of this module; the modules behind it may move. A name is imported when it is first
used: pytest imports this package in every run for the fixture's sake, and httpx and pydantic take their time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw._version import __version__

if TYPE_CHECKING:
    from aigw._async_client import AsyncAIGateway, AsyncGateway
    from aigw._capture import CapturedLogs, capture_logs
    from aigw._client import AIGateway, Gateway
    from aigw._clients import Clients
    from aigw._endpoints import Surface
    from aigw._errors import (
        AIGatewayError,
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
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
        SpendLimitError,
        StreamError,
        StreamTruncatedError,
    )
    from aigw._feedback import LoggedCall, Which, arate_logs, rate_logs
    from aigw._forwarding import forward_metadata, metadata_of
    from aigw._log_calls import UNSET, Feedback, LogFilter, Unset
    from aigw._log_reading import aread_logs, read_logs
    from aigw._models import (
        ChatCompletion,
        ChatCompletionChunk,
        EmbeddingResult,
        GatewayLog,
        LogPage,
        ResponseInfo,
        RunResult,
        StreamEvent,
    )
    from aigw._options import CustomCost, GatewayOptions, MetadataValue, Retries, context_options, gateway_options
    from aigw._profiles import model_profile
    from aigw._stream_readers import AsyncStream, Stream
    from aigw._universal import Step, StepConfig

__all__ = [
    "UNSET",
    "AIGateway",
    "AIGatewayError",
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAIGateway",
    "AsyncGateway",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "CapturedLogs",
    "ChatCompletion",
    "ChatCompletionChunk",
    "Clients",
    "ConfigurationError",
    "CustomCost",
    "DLPBlockedError",
    "EmbeddingResult",
    "Feedback",
    "Gateway",
    "GatewayLog",
    "GatewayNotFoundError",
    "GatewayOptions",
    "GuardrailBlockedError",
    "InternalServerError",
    "LogFilter",
    "LogNotFoundError",
    "LogPage",
    "LoggedCall",
    "MetadataValue",
    "ModelNotFoundError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseInfo",
    "Retries",
    "RunResult",
    "SpendLimitError",
    "Step",
    "StepConfig",
    "Stream",
    "StreamError",
    "StreamEvent",
    "StreamTruncatedError",
    "Surface",
    "Unset",
    "Which",
    "__version__",
    "arate_logs",
    "aread_logs",
    "capture_logs",
    "context_options",
    "forward_metadata",
    "gateway_options",
    "metadata_of",
    "model_profile",
    "rate_logs",
    "read_logs",
]

_MODULES: Final = {
    "AIGateway": "_client",
    "AIGatewayError": "_errors",
    "APIConnectionError": "_errors",
    "APIStatusError": "_errors",
    "APITimeoutError": "_errors",
    "AsyncAIGateway": "_async_client",
    "AsyncGateway": "_async_client",
    "AsyncStream": "_stream_readers",
    "AuthenticationError": "_errors",
    "BadRequestError": "_errors",
    "CapturedLogs": "_capture",
    "ChatCompletion": "_models",
    "ChatCompletionChunk": "_models",
    "Clients": "_clients",
    "ConfigurationError": "_errors",
    "CustomCost": "_options",
    "DLPBlockedError": "_errors",
    "EmbeddingResult": "_models",
    "Feedback": "_log_calls",
    "Gateway": "_client",
    "GatewayLog": "_models",
    "GatewayNotFoundError": "_errors",
    "GatewayOptions": "_options",
    "GuardrailBlockedError": "_errors",
    "InternalServerError": "_errors",
    "LogFilter": "_log_calls",
    "LogNotFoundError": "_errors",
    "LogPage": "_models",
    "LoggedCall": "_feedback",
    "MetadataValue": "_options",
    "ModelNotFoundError": "_errors",
    "NotFoundError": "_errors",
    "PaymentRequiredError": "_errors",
    "PermissionDeniedError": "_errors",
    "RateLimitError": "_errors",
    "ResponseInfo": "_models",
    "Retries": "_options",
    "RunResult": "_models",
    "SpendLimitError": "_errors",
    "Step": "_universal",
    "StepConfig": "_universal",
    "Stream": "_stream_readers",
    "StreamError": "_errors",
    "StreamEvent": "_models",
    "StreamTruncatedError": "_errors",
    "Surface": "_endpoints",
    "UNSET": "_log_calls",
    "Unset": "_log_calls",
    "Which": "_feedback",
    "arate_logs": "_feedback",
    "aread_logs": "_log_reading",
    "capture_logs": "_capture",
    "context_options": "_options",
    "forward_metadata": "_forwarding",
    "gateway_options": "_options",
    "metadata_of": "_forwarding",
    "model_profile": "_profiles",
    "rate_logs": "_feedback",
    "read_logs": "_log_reading",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
