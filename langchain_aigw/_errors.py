"""The core's errors as LangChain's: one object that is both, and that shows tracers a filtered answer.

LangChain keys its errors to conditions (`ModelRateLimitError`, ...), and middleware decides by them what to try again.
It copies the answer that an error holds into traces, headers and all, so the answer shown here holds the gateway's own
headers alone: no cookie and no credential can be among them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from langchain_core import exceptions

import aigw

_KINDS: Final[tuple[tuple[type[aigw.AIGatewayError], str], ...]] = (
    (aigw.AuthenticationError, "ModelAuthenticationError"),
    (aigw.PermissionDeniedError, "ModelPermissionDeniedError"),
    (aigw.GatewayNotFoundError, "ModelInvalidRequestError"),
    (aigw.NotFoundError, "ModelNotFoundError"),
    (aigw.RateLimitError, "ModelRateLimitError"),
    (aigw.GuardrailBlockedError, "ModelInvalidRequestError"),
    (aigw.DLPBlockedError, "ModelInvalidRequestError"),
    (aigw.BadRequestError, "ModelInvalidRequestError"),
    (aigw.InternalServerError, "ModelAPIError"),
    (aigw.StreamError, "ModelAPIError"),
    (aigw.APITimeoutError, "ModelTimeoutError"),
    (aigw.APIConnectionError, "ModelConnectionError"),
    (aigw.AIGatewayError, "ModelError"),
)

_OVERFLOW: Final = "ContextOverflowError"
_OVERFLOW_CODES: Final = frozenset({"context_length_exceeded", "model_context_window_exceeded"})
_OVERFLOW_PHRASES: Final = ("maximum context length", "prompt is too long")


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """What of an error answer may be shown, read as an `httpx.Response` is.

    Attributes:
        status_code: The HTTP status.
        headers: The gateway's own headers.
        body: The decoded body: JSON, or text; every credential is taken out.
    """

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def text(self) -> str:
        """The body as text."""
        if self.body is None or isinstance(self.body, str):
            return self.body or ""
        return json.dumps(self.body, ensure_ascii=False)

    def json(self) -> Any:
        """Give the decoded body.

        Raises:
            ValueError: It is no JSON.
        """
        if self.body is None or isinstance(self.body, str):
            raise ValueError("the body is no JSON")
        return self.body


class Readable(aigw.AIGatewayError):
    """An error of a call, as LangChain's tracers read it."""

    @property
    def response(self) -> ErrorResponse:
        """The answer; an error without one has no such attribute."""
        if self.status_code is None:
            raise AttributeError("no answer arrived")
        return ErrorResponse(self.status_code, _headers(self), self.body)

    @property
    def request_id(self) -> str | None:
        """The id to ask Cloudflare about: the request's, else the log's."""
        return (self.info.request_id or self.info.log_id) if self.info else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the core's class and LangChain's, of which the error's own is made again."""
        core, name = _parts(type(self))
        return _rebuild, (core, name, self.message), self.__dict__.copy()


def translate_error(error: aigw.AIGatewayError) -> aigw.AIGatewayError:
    """Make the error that is LangChain's too, with all that the core's says.

    A `ConfigurationError` stays as it is: nothing was sent, and no model is to blame.
    """
    if isinstance(error, aigw.ConfigurationError | Readable):
        return error
    name = _OVERFLOW if is_overflow(error) else _name_of(type(error))
    translated = _rebuild(type(error), name, error.message)
    translated.__dict__.update(error.__dict__)
    return translated.with_traceback(error.__traceback__)


def is_overflow(error: aigw.AIGatewayError) -> bool:
    """Tell whether the provider says the prompt is too long: by OpenAI's code, or in vLLM's or Anthropic's words."""
    if error.code in _OVERFLOW_CODES:
        return True
    return isinstance(error, aigw.BadRequestError) and any(phrase in error.message for phrase in _OVERFLOW_PHRASES)


def _name_of(core: type[aigw.AIGatewayError]) -> str:
    return next(name for kind, name in _KINDS if issubclass(core, kind))


def _rebuild(core: type, name: str, message: str) -> Readable:
    joined = _joined_class(core, name)
    return joined(message)


@cache
def _joined_class(core: type, name: str) -> type[Readable]:
    """Make the class of an error that is of both kinds; LangChain's is left out where it has none of the name."""
    theirs = getattr(exceptions, name, exceptions.LangChainException)
    members = {"__module__": core.__module__, "__doc__": core.__doc__, "_parts": (core, name)}
    return type(core.__name__, (Readable, core, theirs), members)


def _parts(joined: type) -> tuple[type[aigw.AIGatewayError], str]:
    core, name = joined.__dict__["_parts"]
    return core, name


def _headers(error: aigw.AIGatewayError) -> dict[str, str]:
    facts = error.info.to_dict() if error.info else {}
    facts.pop("status_code", None)
    headers = {
        f"cf-aig-{name.replace('_', '-')}": str(value)
        for name, value in facts.items()
        if isinstance(value, str | int | float)
    }
    return headers if error.retry_after is None else {**headers, "retry-after": f"{error.retry_after:g}"}
