"""The universal endpoint: several steps, tried in order until one answers.

Source: AI Gateway docs, Universal endpoint and Fallbacks. Deprecated there, and still the one way to say a fallback
chain in a single request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NotRequired

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from aigw._calls._described import Call, StreamCall
from aigw._calls._request_heads import encode_body
from aigw._calls._result_bodies import parse_json_result
from aigw._errors import ConfigurationError
from aigw._http import Request
from aigw._json import dump_ascii
from aigw._options import Backoff, GatewayOptions, check_options, encode_options
from aigw._secret_forms import secrets_in_header, secrets_in_query
from aigw._streams import RUN_STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw._account import Account
    from aigw._models import RunResult


class StepConfig(TypedDict, total=False):
    """How the gateway tries one step, before it goes on to the next.

    Keys:
        request_timeout_ms: Milliseconds until the first part of the answer, at least 1.
        max_attempts: Attempts in all, 1 to 5.
        retry_delay_ms: Base delay between them, 0 to 60,000 milliseconds.
        backoff: `constant`, `linear` or `exponential`.
    """

    request_timeout_ms: int
    max_attempts: int
    retry_delay_ms: int
    backoff: Backoff


@with_config(ConfigDict(extra="forbid"))
class Step(TypedDict):
    """One step of a universal request.

    Keys:
        provider: The provider's slug.
        endpoint: The path below the provider, with its query.
        query: The body the provider gets.
        headers: The provider's headers, its key among them; none where the key is stored at the gateway. Values that
            are no text are written as the Workers runtime writes them: `true`, `3`, an object as JSON.
        config: How the gateway tries this step.
        options: Gateway options of this step alone, in place of the request's.
    """

    provider: str
    endpoint: str
    query: Any
    headers: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, Any]]
    options: NotRequired[dict[str, Any]]


_WIRE_NAMES: Final = {
    "request_timeout_ms": "requestTimeout",
    "max_attempts": "maxAttempts",
    "retry_delay_ms": "retryDelay",
    "backoff": "backoff",
}
_OWN_NAMES: Final = {wire: own for own, wire in _WIRE_NAMES.items()}
_STEPS: Final = TypeAdapter(list[Step])


def run_steps(account: Account, options: GatewayOptions, steps: Sequence[Step] | Step) -> Call[RunResult]:
    """Describe a universal request; the result is the winning provider's own answer, `info.step` says whose.

    Raises:
        ConfigurationError: A step cannot work.
    """
    checked = _check(steps)
    if any(isinstance(step["query"], dict) and step["query"].get("stream") for step in checked):
        raise ConfigurationError("run reads one whole answer: leave 'stream' out of the queries, or use stream_run")
    request, gateway_id = _request(account, options, checked)
    return Call(request=request, gateway_id=gateway_id, secrets=_secrets(account, checked), parse=parse_json_result)


def stream_steps(account: Account, options: GatewayOptions, steps: Sequence[Step] | Step) -> StreamCall[Any]:
    """Describe a universal request whose steps stream; `stream` is set in the query of each.

    Raises:
        ConfigurationError: A step cannot work.
    """
    checked = [_streamed(step) for step in _check(steps)]
    request, gateway_id = _request(account, options, checked)
    return StreamCall(request=request, gateway_id=gateway_id, secrets=_secrets(account, checked), shape=RUN_STREAM)


def _streamed(step: Step) -> Step:
    if not isinstance(step["query"], dict):
        raise ConfigurationError(f"a step that streams has a dict as query, not {type(step['query']).__name__}")
    return {**step, "query": {**step["query"], "stream": True}}


def _request(account: Account, options: GatewayOptions, steps: list[Step]) -> tuple[Request, str]:
    gateway_id = options.get("id", account.gateway_id)
    headers = account.gateway_credentials(with_key=False)
    headers += [("content-type", "application/json"), *encode_options(options)]
    body = encode_body([_encode(step) for step in steps])
    return Request("POST", account.gateway_url(gateway_id, ""), tuple(headers), body), gateway_id


def _check(steps: Sequence[Step] | Step) -> list[Step]:
    try:
        checked = _STEPS.validate_python([steps] if isinstance(steps, dict) else list(steps))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"][1:]))
        raise ConfigurationError(f"step {first['loc'][0]}: {where}: {first['msg'].lower()}") from None
    except TypeError:
        raise ConfigurationError(f"steps are a list of dicts, not {type(steps).__name__}") from None
    if not checked:
        raise ConfigurationError("a universal request has at least one step")
    return checked


def _encode(step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {"provider": step["provider"], "endpoint": step["endpoint"]}
    headers = {name: _header_text(value) for name, value in step.get("headers", {}).items()}
    headers |= dict(encode_options(check_options(step.get("options"))))
    entry["headers"] = headers
    entry["query"] = step["query"]
    if step.get("config"):
        entry["config"] = _encode_config(step["config"])
    return entry


def _header_text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else dump_ascii(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"a header of a step is neither text nor JSON: {error}") from None


def _encode_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check a step's config under the names and ranges of the options; the wire's own names are understood too."""
    own = {_OWN_NAMES.get(name, name): value for name, value in config.items()}
    options: dict[str, Any] = {name: own.pop(name) for name in ("request_timeout_ms",) if name in own}
    if own:
        options["retries"] = own
    checked = check_options(options)
    flat: dict[str, Any] = {**checked, **checked.get("retries", {})}
    return {_WIRE_NAMES[name]: value for name, value in flat.items() if name in _WIRE_NAMES}


def _secrets(account: Account, steps: list[Step]) -> tuple[str, ...]:
    """Collect the credentials of the steps too, so that none is ever repeated by an error."""
    found = list(account.secrets)
    for step in steps:
        found += secrets_in_query(step["endpoint"])
        for name, value in step.get("headers", {}).items():
            found += secrets_in_header(name, _header_text(value))
    return tuple(dict.fromkeys(filter(None, found)))
