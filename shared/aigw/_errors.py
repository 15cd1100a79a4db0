"""Everything that can go wrong, as one tree.

    AIGatewayError
    ├── ConfigurationError            refused here, before any request (also a ValueError)
    │   └── UnknownTargetError        nobody knows the log of what was to be rated (also a KeyError)
    ├── APIConnectionError            no answer arrived
    │   └── APITimeoutError           none arrived in time
    ├── APIStatusError                an answer arrived, and it says no
    │   ├── BadRequestError           400, and 4xx without a class of its own
    │   ├── AuthenticationError       401
    │   ├── PaymentRequiredError      402
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   │   ├── GatewayNotFoundError
    │   │   ├── LogNotFoundError
    │   │   └── ModelNotFoundError
    │   ├── RateLimitError            429
    │   │   └── SpendLimitError
    │   ├── GuardrailBlockedError
    │   ├── DLPBlockedError
    │   └── InternalServerError       5xx
    └── StreamError                   a stream reported an error, or cannot be read
        └── StreamTruncatedError      a stream stopped before its end

Names follow the field (openai-python, httpx). Every error pickles, and none holds a credential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigw._facts import ResponseInfo


class AIGatewayError(Exception):
    """Base of every error of this package.

    Attributes:
        message: One sentence: what was wrong, and what to do where that is known.
        status_code: The HTTP status, if there was an answer.
        code: Cloudflare's or the provider's own code (2003, `invalid_api_key`), if one was sent.
        info: What the gateway's response headers said (log id, step, ...), if there was an answer.
        retry_after: Seconds to wait as the answer asked for, if it did.
        is_retryable: Whether the same request may succeed later.
        body: The decoded error body (JSON or text), if there was one.
    """

    is_retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: int | str | None = None,
        info: ResponseInfo | None = None,
        retry_after: float | None = None,
        is_retryable: bool | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.info = info
        self.retry_after = retry_after
        self.body = body
        if is_retryable is not None:
            self.is_retryable = is_retryable

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by message and attributes, since the constructor takes keywords."""
        return type(self), (self.message,), self.__dict__.copy()

    @property
    def log_id(self) -> str | None:
        """The id of the log of the failed call, if the gateway sent one."""
        return self.info.log_id if self.info else None


class ConfigurationError(AIGatewayError, ValueError):
    """Something given to this package cannot work; nothing was sent."""


class UnknownTargetError(ConfigurationError, KeyError):
    """No log is known of what was to be rated; the text says where it was looked for."""

    def __str__(self) -> str:
        """Give the sentence; a `KeyError` would quote it."""
        return self.message


class APIConnectionError(AIGatewayError):
    """No answer arrived: the connection failed or broke.

    Attributes:
        request_sent: Whether the request may have reached the server. Such a request is never sent again by itself.
    """

    is_retryable = True
    request_sent: bool = True


class APITimeoutError(APIConnectionError):
    """No answer arrived within the client's timeout."""


class APIStatusError(AIGatewayError):
    """The server answered with an error status, or with something that is no answer."""


class BadRequestError(APIStatusError):
    """The request was refused as malformed (400 and its like)."""


class AuthenticationError(APIStatusError):
    """The token is missing, wrong, or lacks a permission (401)."""


class PaymentRequiredError(APIStatusError):
    """The account has no credits for the model (402)."""


class PermissionDeniedError(APIStatusError):
    """The request is not allowed: a policy, or an agreement not yet accepted (403)."""


class NotFoundError(APIStatusError):
    """What the request names does not exist (404)."""


class GatewayNotFoundError(NotFoundError):
    """No gateway of that id exists in the account (code 2001)."""


class LogNotFoundError(NotFoundError):
    """No log of that id exists in the gateway, or not yet."""


class ModelNotFoundError(NotFoundError):
    """No model of that id exists (codes 7003, 5007)."""


class RateLimitError(APIStatusError):
    """Too many requests: of the gateway, the account or the provider (429)."""

    is_retryable = True


class SpendLimitError(RateLimitError):
    """A spend limit of the gateway is used up (429, codes 2041, 2045); retrying at once cannot help."""

    is_retryable = False


class GuardrailBlockedError(APIStatusError):
    """A guardrail blocked the prompt (2016) or the answer (2017)."""


class DLPBlockedError(APIStatusError):
    """Data loss prevention blocked the request (2029) or the answer (2030)."""


class InternalServerError(APIStatusError):
    """The gateway or the provider failed (5xx)."""

    is_retryable = True


class StreamError(AIGatewayError):
    """A stream reported an error, or sent what cannot be read, after it had begun."""


class StreamTruncatedError(StreamError):
    """A stream stopped before its end; what came so far is not the whole answer."""

    is_retryable = True
