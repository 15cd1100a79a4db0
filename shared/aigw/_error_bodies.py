"""From an error answer to the error: every body the gateway, Cloudflare and the providers send.

Two tables decide the class, the code's first, then the status's. Sources: AI Gateway docs, Troubleshooting, Guardrails,
DLP, Policies; Workers AI docs, Errors; and bodies seen in public reports.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from aigw import _errors as e
from aigw._http import HIDDEN, Headers
from aigw._json import dump_json, parse_json
from aigw._secret_forms import every_form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw._facts import ResponseInfo
    from aigw._http import Response

_BY_CODE: Final[dict[int, type[e.APIStatusError]]] = {
    2001: e.GatewayNotFoundError,
    2003: e.RateLimitError,
    2009: e.AuthenticationError,
    2016: e.GuardrailBlockedError,
    2017: e.GuardrailBlockedError,
    2018: e.RateLimitError,
    2021: e.PaymentRequiredError,
    2029: e.DLPBlockedError,
    2030: e.DLPBlockedError,
    2041: e.SpendLimitError,
    2045: e.SpendLimitError,
    3036: e.RateLimitError,
    3040: e.RateLimitError,
    5007: e.ModelNotFoundError,
    9106: e.AuthenticationError,
    10000: e.AuthenticationError,
}

_BY_STATUS: Final[dict[int, type[e.APIStatusError]]] = {
    401: e.AuthenticationError,
    402: e.PaymentRequiredError,
    403: e.PermissionDeniedError,
    404: e.NotFoundError,
    429: e.RateLimitError,
}

_MODEL_CODES: Final = frozenset({7003, "model_not_found"})
_RETRYABLE_CODES: Final = frozenset({2005, 3007, 3008})
_RETRYABLE_STATUSES: Final = frozenset({408, 409, 425})
_NOT_RETRYABLE_CODES: Final = frozenset({3036})

_HINTS: Final[dict[int, str]] = {
    2001: "create the gateway in the Cloudflare dashboard, or check gateway_id",
    2005: "the gateway reached no provider; the provider's own answer is in the log",
    2008: "name the provider by its slug, as in 'google-ai-studio/gemini-2.5-flash'",
    2009: "check the token and that it has the permission AI Gateway Run",
    2019: "put the provider's slug before the model, as in 'openai/gpt-5-mini'",
    2021: "add credits to the account, or store a provider key at the gateway",
    2040: "check byok_alias against the aliases stored at the gateway",
    2044: "give provider_key, store one at the gateway, or drop no_wholesale",
    9106: "give a Cloudflare API token",
    10000: "check the token and its permissions (Workers AI Read for models, AI Gateway Read or Edit for logs)",
}

_MAX_TEXT: Final = 500
_MIN_SECRET: Final = 6
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def error_from_response(
    response: Response,
    info: ResponseInfo,
    *,
    secrets: Iterable[str] = (),
    not_found: type[e.NotFoundError] = e.NotFoundError,
    hint_not_found: str = "",
) -> e.APIStatusError:
    """Make the error an answer stands for.

    Args:
        response: The answer, its body read.
        info: What its gateway headers said.
        secrets: Credentials that are taken out of every text of the error, should the server have echoed one.
        not_found: What a 404 means for this request.
        hint_not_found: What more the text of a `not_found` says.
    """
    secrets = list(secrets)
    body = _decode(response, secrets)
    code, text = find_code_and_message(body)
    status = response.status
    error_class = _class_of(status, code, text, not_found)
    return error_class(
        _sentence(status, code, text or _fallback_text(response), hint_not_found if error_class is not_found else ""),
        status_code=status,
        code=code,
        info=info,
        retry_after=retry_after(response.headers),
        is_retryable=_is_retryable(error_class, status, code),
        body=body,
    )


def find_code_and_message(body: Any) -> tuple[int | str | None, str]:
    """Find the code and the message in a decoded error body of any known shape.

    Known are the gateway's envelope (`error` is a list), Cloudflare's REST envelope (`errors` is a list), a policy's
    (`error` is an object in an envelope), OpenAI's and Anthropic's (`error` is an object), `{"error": "text"}`, a run's
    `{"state": "Failed", "error": {...}}`, vLLM's (`object` is `error`), a choice that failed, and plain text.
    """
    if not isinstance(body, dict):
        return None, _shorten(body) if isinstance(body, str) else ""
    error = body.get("errors") or body.get("error") or _error_of_choice(body) or body.get("messages") or {}
    if isinstance(error, list):
        error = next((item for item in error if item), {})
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        error = {}
    code = _first(body.get("internalCode"), error.get("code"), error.get("type"), body.get("code"))
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    message = _first(error.get("message"), body.get("message"), body.get("description"), body.get("detail"))
    return (code if isinstance(code, int | str) else None), _shorten(message) if isinstance(message, str) else ""


def says_error(body: dict[str, Any]) -> bool:
    """Tell whether a decoded object says that something failed, whatever the status of the answer it came in."""
    get = body.get
    if get("error") or get("errors"):
        return True
    kind = get("object")
    return kind != "chat.completion.chunk" and (kind == "error" or get("type") == "error" or get("success") is False)


def retry_after(headers: Headers) -> float | None:
    """Read `retry-after-ms` or `Retry-After` (seconds or a date) as seconds from now; `None` when there is none."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    moment = _date(value)
    now = _date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def hide(text: str, secrets: Iterable[str]) -> str:
    """Take every secret out of a text, in whatever form it is there; what is shorter than six characters is none."""
    for secret in sorted({each for each in secrets if len(each) >= _MIN_SECRET}, key=len, reverse=True):
        form = every_form(secret)
        text = form.sub(HIDDEN, text) if form else text.replace(secret, HIDDEN)
    return text


def hide_in_json(value: Any, secrets: Iterable[str]) -> Any:
    """Take every secret out of decoded JSON, however the server had escaped it."""
    try:
        return parse_json(hide(dump_json(value).decode(), secrets).encode())
    except (ValueError, RecursionError):  # a secret of digits stood there as a number, or too deep to look into
        return HIDDEN


def _decode(response: Response, secrets: list[str]) -> Any:
    text = response.content.decode("utf-8", "replace")
    try:
        value = parse_json(text.encode())
    except ValueError:
        return hide(text, secrets)
    return hide_in_json(value, secrets)


def _error_of_choice(body: dict[str, Any]) -> Any:
    choices = body.get("choices")
    choices = choices if isinstance(choices, list) else []
    return next((choice["error"] for choice in choices if isinstance(choice, dict) and choice.get("error")), None)


def _class_of(
    status: int, code: int | str | None, text: str, not_found: type[e.NotFoundError]
) -> type[e.APIStatusError]:
    if isinstance(code, int) and code in _BY_CODE:
        return _BY_CODE[code]
    if status == 404:
        names_model = not_found is e.NotFoundError and (code in _MODEL_CODES or text.startswith("Model not found"))
        return e.ModelNotFoundError if names_model else not_found
    if status == 429 and "spend" in text.lower():
        return e.SpendLimitError
    if status >= 500:
        return e.InternalServerError
    return _BY_STATUS.get(status, e.BadRequestError if 400 <= status < 500 else e.APIStatusError)


def _is_retryable(error_class: type[e.APIStatusError], status: int, code: int | str | None) -> bool:
    if code in _NOT_RETRYABLE_CODES:
        return False
    return error_class.is_retryable or code in _RETRYABLE_CODES or status in _RETRYABLE_STATUSES


def _sentence(status: int, code: int | str | None, text: str, more: str) -> str:
    where = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    hint = more or (_HINTS.get(code) if isinstance(code, int) else None)
    return f"{text} ({where})" + (f": {hint}" if hint else "")


def _fallback_text(response: Response) -> str:
    if 300 <= response.status < 400:
        return "The server redirects, and redirects are not followed so that no credential travels; check base_url"
    return "The answer has no error message" if response.content else "The answer has no body"


def _shorten(text: str) -> str:
    title = _TITLE.search(text) if "<" in text else None
    text = " ".join((title.group(1) if title else text).split())
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "..."


def _first(*values: Any) -> Any:
    return next((value for value in values if value not in (None, "")), None)


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None
