"""Cloudflare AI Gateway for Python: what `env.AI` is to a Worker.

    from aigw import AIGateway

    client = AIGateway()  # CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN
    result = client.run("@cf/meta/llama-3.1-8b-instruct", {"prompt": "Tell me a joke"})
    client.gateway().patch_log(result.info.log_id, feedback=1)

Everything a user needs is a name of this module; the modules behind it may move. A name is imported when it is first
used: pytest imports this package in every run for the fixture's sake, and httpx and pydantic take their time.
"""

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy
from aigw._version import __version__

if TYPE_CHECKING:
    from aigw._async_client import AsyncAIGateway
    from aigw._async_gateway import AsyncGateway
    from aigw._calls._log_calls import UNSET, Feedback, LogFilter, Unset
    from aigw._calls._universal import Step, StepConfig
    from aigw._capture import CapturedLogs, capture_logs
    from aigw._client import AIGateway
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
        UnknownTargetError,
    )
    from aigw._facts import GatewayLog, LogPage, ResponseInfo
    from aigw._finding._resolver import LogResolver
    from aigw._finding._shared_logs import SharedLogs
    from aigw._finding._targets import ResolvedLog
    from aigw._gateway import Gateway
    from aigw._handlers._rater import RaterCounts
    from aigw._models import ChatCompletion, ChatCompletionChunk, EmbeddingResult, RunResult, StreamEvent
    from aigw._noted._costs import CostRow, Costs
    from aigw._option_layers import gateway_options
    from aigw._options import CustomCost, GatewayOptions, MetadataValue, Retries
    from aigw._profiles import model_profile
    from aigw._rating._feedback import Which
    from aigw._rating._verdicts import AutomaticFeedback, Rating
    from aigw._stream_readers import AsyncStream, Stream
    from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue

__all__ = [
    "UNSET",
    "AIGateway",
    "AIGatewayError",
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAIGateway",
    "AsyncFeedbackQueue",
    "AsyncGateway",
    "AsyncStream",
    "AuthenticationError",
    "AutomaticFeedback",
    "BadRequestError",
    "CapturedLogs",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ConfigurationError",
    "CostRow",
    "Costs",
    "CustomCost",
    "DLPBlockedError",
    "EmbeddingResult",
    "Feedback",
    "FeedbackQueue",
    "Gateway",
    "GatewayLog",
    "GatewayNotFoundError",
    "GatewayOptions",
    "GuardrailBlockedError",
    "InternalServerError",
    "LogFilter",
    "LogNotFoundError",
    "LogPage",
    "LogResolver",
    "MetadataValue",
    "ModelNotFoundError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RaterCounts",
    "Rating",
    "ResolvedLog",
    "ResponseInfo",
    "Retries",
    "RunResult",
    "SharedLogs",
    "SpendLimitError",
    "Step",
    "StepConfig",
    "Stream",
    "StreamError",
    "StreamEvent",
    "StreamTruncatedError",
    "Surface",
    "UnknownTargetError",
    "Unset",
    "Which",
    "__version__",
    "capture_logs",
    "gateway_options",
    "model_profile",
]

_MODULES: Final = {
    "AIGateway": "_client",
    "AIGatewayError": "_errors",
    "APIConnectionError": "_errors",
    "APIStatusError": "_errors",
    "APITimeoutError": "_errors",
    "AsyncAIGateway": "_async_client",
    "AsyncFeedbackQueue": "feedback",
    "AsyncGateway": "_async_gateway",
    "AsyncStream": "_stream_readers",
    "AuthenticationError": "_errors",
    "AutomaticFeedback": "_rating._verdicts",
    "BadRequestError": "_errors",
    "CapturedLogs": "_capture",
    "ChatCompletion": "_models",
    "ChatCompletionChunk": "_models",
    "ConfigurationError": "_errors",
    "CostRow": "_noted._costs",
    "Costs": "_noted._costs",
    "CustomCost": "_options",
    "DLPBlockedError": "_errors",
    "EmbeddingResult": "_models",
    "Feedback": "_calls._log_calls",
    "FeedbackQueue": "feedback",
    "Gateway": "_gateway",
    "GatewayLog": "_facts",
    "GatewayNotFoundError": "_errors",
    "GatewayOptions": "_options",
    "GuardrailBlockedError": "_errors",
    "InternalServerError": "_errors",
    "LogFilter": "_calls._log_calls",
    "LogNotFoundError": "_errors",
    "LogPage": "_facts",
    "LogResolver": "_finding._resolver",
    "MetadataValue": "_options",
    "ModelNotFoundError": "_errors",
    "NotFoundError": "_errors",
    "PaymentRequiredError": "_errors",
    "PermissionDeniedError": "_errors",
    "RateLimitError": "_errors",
    "RaterCounts": "_handlers._rater",
    "Rating": "_rating._verdicts",
    "ResolvedLog": "_finding._targets",
    "ResponseInfo": "_facts",
    "Retries": "_options",
    "RunResult": "_models",
    "SharedLogs": "_finding._shared_logs",
    "SpendLimitError": "_errors",
    "Step": "_calls._universal",
    "StepConfig": "_calls._universal",
    "Stream": "_stream_readers",
    "StreamError": "_errors",
    "StreamEvent": "_models",
    "StreamTruncatedError": "_errors",
    "Surface": "_endpoints",
    "UNSET": "_calls._log_calls",
    "UnknownTargetError": "_errors",
    "Unset": "_calls._log_calls",
    "Which": "_rating._feedback",
    "capture_logs": "_capture",
    "gateway_options": "_option_layers",
    "model_profile": "_profiles",
}

__getattr__, __dir__ = lazy(__name__, _MODULES)
