"""Gateway options: their names, their ranges, and the headers they become.

They are checked where they are given, so that a bad value raises before any request and names the option, the value and
the range. How the options of a client, a context and a call are merged is in `_option_layers`. Source: AI Gateway docs,
Header glossary, Caching, Request handling, Custom metadata, Custom costs, Bring your own keys, Auto Router,
OpenTelemetry.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._json import dump_ascii

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

MetadataValue = str | int | float | bool
"""What a metadata entry may hold."""

MAX_METADATA: Final = 5
"""Entries of metadata that the gateway keeps per request."""

_STRICT: Final = ConfigDict(strict=True, extra="forbid")
_GATEWAY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER_TEXT: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def _check(test: Callable[[Any], bool]) -> AfterValidator:
    """Make a validator of a test; what is allowed is said by `_ALLOWED`, not here."""

    def validate(value: Any) -> Any:
        if not test(value):
            raise ValueError
        return value

    return AfterValidator(validate)


def _is_gateway_id(value: str) -> bool:
    return _GATEWAY_ID.fullmatch(value) is not None


def _is_header_text(value: str) -> bool:
    return _HEADER_TEXT.fullmatch(value) is not None


def _is_list_of_names(value: Any) -> bool:
    return bool(value) and all(_is_header_text(item) and "," not in item for item in value)


def is_metadata(value: Mapping[str, Any]) -> bool:
    """Tell whether the gateway would keep all of `value`: at most five scalar entries, no key of its own."""
    return len(value) <= MAX_METADATA and all(
        key and not key.startswith("cf.") and _is_scalar(item) for key, item in value.items()
    )


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


HeaderText = Annotated[str, _check(_is_header_text)]
NameList = Annotated[list[str] | tuple[str, ...], _check(_is_list_of_names)]
if TYPE_CHECKING:
    Metadata = Mapping[str, MetadataValue]  # so that a dict[str, str] is one
else:
    Metadata = Annotated[dict[str, MetadataValue], _check(is_metadata)]
Price = Annotated[int | float, _check(lambda value: math.isfinite(value) and value >= 0)]
Backoff = Literal["constant", "linear", "exponential"]


@with_config(_STRICT)
class Retries(TypedDict, total=False):
    """How the gateway retries the provider.

    Keys:
        max_attempts: Attempts in all, 1 to 5.
        retry_delay_ms: Base delay between them, 0 to 60,000 milliseconds.
        backoff: How the delay grows: `constant`, `linear` or `exponential`.

    Source: AI Gateway docs, Request handling.
    """

    max_attempts: Annotated[int, Field(ge=1, le=5)]
    retry_delay_ms: Annotated[int, Field(ge=0, le=60_000)]
    backoff: Backoff


@with_config(_STRICT)
class CustomCost(TypedDict, total=False):
    """What the call costs, in place of the gateway's own price list.

    Keys:
        per_token_in: Per prompt token, in US dollars, not negative.
        per_token_out: Per answer token.
        per_cache_read_token: Per prompt token read from the provider's cache; `per_token_in` when left out.
        per_cache_write_token: Per prompt token written to it; `per_token_in` when left out.
        total_cost: The whole call. Known to the Workers runtime, not to the docs.

    Source: AI Gateway docs, Custom costs.
    """

    per_token_in: Price
    per_token_out: Price
    per_cache_read_token: Price
    per_cache_write_token: Price
    total_cost: Price


@with_config(_STRICT)
class GatewayOptions(TypedDict, total=False):
    """What one call asks of the gateway; a key left out leaves the gateway's own setting.

    Keys:
        id: The gateway, 1 to 64 letters, digits, `_` or `-`.
        skip_cache: Do not read the cache.
        cache_ttl: Seconds a cached answer lives: 0 (do not cache) or 60 to 2,592,000.
        cache_key: The key of the cached answer; turns caching on for this call.
        collect_log: Whether a log is written.
        collect_log_payload: Whether the log keeps the request and response bodies.
        metadata: At most five entries of str, int, float or bool; no key begins with `cf.`.
        event_id: Your own id of the call; the log is found by it.
        request_timeout_ms: Milliseconds until the first part of the answer, at least 1; the last of several attempts
            is waited for.
        retries: How the gateway retries the provider.
        custom_cost: What the call costs.
        byok_alias: Which provider key stored at the gateway is used; on provider-native requests only.
        no_wholesale: Never fall back to Unified Billing.
        zdr: Zero data retention, where Unified Billing offers it.
        otel_trace_id: 32 lower-case hexadecimal digits.
        otel_parent_span_id: 16 lower-case hexadecimal digits.
        session_id: Auto Router: calls of one session prefer one model.
        turn_id: Auto Router: calls of one turn keep one model.
        no_session_affinity: Auto Router: choose anew for this call.
        allowed_models: Auto Router: the models to choose from; `*` does not cross a `/`.
        allowed_providers: Auto Router: the providers to choose from.
    """

    id: Annotated[str, _check(_is_gateway_id)]
    skip_cache: bool
    cache_ttl: Annotated[int, _check(lambda value: value == 0 or 60 <= value <= 2_592_000)]
    cache_key: HeaderText
    collect_log: bool
    collect_log_payload: bool
    metadata: Metadata
    event_id: HeaderText
    request_timeout_ms: Annotated[int, Field(ge=1)]
    retries: Retries
    custom_cost: CustomCost
    byok_alias: HeaderText
    no_wholesale: bool
    zdr: bool
    otel_trace_id: Annotated[str, Field(pattern=r"\A[0-9a-f]{32}\z")]
    otel_parent_span_id: Annotated[str, Field(pattern=r"\A[0-9a-f]{16}\z")]
    session_id: HeaderText
    turn_id: HeaderText
    no_session_affinity: bool
    allowed_models: NameList
    allowed_providers: NameList


_TEXT: Final = "printable ASCII text, not empty, without space at either end"
_BOOL: Final = "True or False"
_PRICE: Final = "a number of US dollars, 0 or more"

_ALLOWED: Final[dict[str, str]] = {
    "id": "1 to 64 letters, digits, '_' or '-'",
    "skip_cache": _BOOL,
    "cache_ttl": "0 (do not cache) or a whole number of seconds from 60 to 2,592,000",
    "cache_key": _TEXT,
    "collect_log": _BOOL,
    "collect_log_payload": _BOOL,
    "metadata": "a dict of at most 5 entries, keys not empty and not beginning with 'cf.', values str, int, finite "
    "float or bool (no None, no nesting)",
    "event_id": _TEXT,
    "request_timeout_ms": "a whole number of milliseconds, 1 or more",
    "retries": "a dict of max_attempts, retry_delay_ms, backoff",
    "max_attempts": "a whole number from 1 to 5",
    "retry_delay_ms": "a whole number of milliseconds from 0 to 60,000",
    "backoff": "'constant', 'linear' or 'exponential'",
    "custom_cost": "a dict of per_token_in, per_token_out, per_cache_read_token, per_cache_write_token, total_cost",
    "per_token_in": _PRICE,
    "per_token_out": _PRICE,
    "per_cache_read_token": _PRICE,
    "per_cache_write_token": _PRICE,
    "total_cost": _PRICE,
    "byok_alias": _TEXT,
    "no_wholesale": _BOOL,
    "zdr": _BOOL,
    "otel_trace_id": "32 lower-case hexadecimal digits",
    "otel_parent_span_id": "16 lower-case hexadecimal digits",
    "session_id": _TEXT,
    "turn_id": _TEXT,
    "no_session_affinity": _BOOL,
    "allowed_models": "a list of model ids or patterns, not empty, none with a comma",
    "allowed_providers": "a list of provider names, not empty, none with a comma",
}

_VALIDATOR: Final = TypeAdapter(GatewayOptions).validator


def check_options(options: Mapping[str, Any] | None, *, called: str = "gateway option ") -> GatewayOptions:
    """Check one layer of options.

    Args:
        options: The layer.
        called: What an error says before an option's name.

    Raises:
        ConfigurationError: An option is unknown, or its value is not allowed.
    """
    if not options:
        if options is None or isinstance(options, dict):
            return {}
        raise ConfigurationError(f"gateway options are a dict, not {shown(options)}")
    try:
        return cast("GatewayOptions", _VALIDATOR.validate_python(options))
    except ValidationError as error:
        if _has_other_mapping(options):
            return check_options({**options, "metadata": dict(options["metadata"])}, called=called)
        raise ConfigurationError(_explain(error.errors(include_url=False)[0], options, called)) from None


def _has_other_mapping(options: Any) -> bool:
    """Tell whether the metadata is a mapping that is no dict, which the validator does not read."""
    metadata = options.get("metadata") if isinstance(options, dict) else None
    return isinstance(metadata, Mapping) and not isinstance(metadata, dict)


def _flag(value: bool) -> str:  # noqa: FBT001  one value in, its header out
    return "true" if value else "false"


_HEADERS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "skip_cache": ("cf-aig-skip-cache", _flag),
    "cache_ttl": ("cf-aig-cache-ttl", str),
    "cache_key": ("cf-aig-cache-key", str),
    "collect_log": ("cf-aig-collect-log", _flag),
    "collect_log_payload": ("cf-aig-collect-log-payload", _flag),
    "metadata": ("cf-aig-metadata", dump_ascii),
    "event_id": ("cf-aig-event-id", str),
    "request_timeout_ms": ("cf-aig-request-timeout", str),
    "max_attempts": ("cf-aig-max-attempts", str),
    "retry_delay_ms": ("cf-aig-retry-delay", str),
    "backoff": ("cf-aig-backoff", str),
    "custom_cost": ("cf-aig-custom-cost", dump_ascii),
    "byok_alias": ("cf-aig-byok-alias", str),
    "no_wholesale": ("cf-aig-no-wholesale", _flag),
    "zdr": ("cf-aig-zdr", _flag),
    "otel_trace_id": ("cf-aig-otel-trace-id", str),
    "otel_parent_span_id": ("cf-aig-otel-parent-span-id", str),
    "session_id": ("cf-aig-session-id", str),
    "turn_id": ("cf-aig-turn-id", str),
    "no_session_affinity": ("cf-aig-no-session-affinity", _flag),
    "allowed_models": ("cf-aig-allowed-models", ",".join),
    "allowed_providers": ("cf-aig-allowed-providers", ",".join),
}


def encode_options(options: GatewayOptions) -> list[tuple[str, str]]:
    """Give checked options as request headers, in the order of the options; `id` is not among them.

    Where the gateway's id goes is a matter of the endpoint: a header on the REST API, a path segment on its own host.
    """
    flat: dict[str, Any] = {**options, **options.get("retries", {})}
    return [(_HEADERS[key][0], _HEADERS[key][1](value)) for key, value in flat.items() if key in _HEADERS]


def _explain(error: ErrorDetails, options: Any, called: str) -> str:
    if error["type"] == "extra_forbidden":
        *path, name = map(str, error["loc"])
        return _explain_unknown(name, path)
    path = [part for part in error["loc"] if isinstance(part, str) and part in _ALLOWED]
    if path[:1] == ["metadata"]:
        path = path[:1]
    if not path:
        return f"gateway options are a dict, not {shown(options)}"
    value = options
    for part in path:
        value = value[part]
    return f"{called}{'.'.join(path)} cannot be {shown(value)}: it is {_ALLOWED[path[-1]]}"


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "": tuple(GatewayOptions.__annotations__),
    "retries": tuple(Retries.__annotations__),
    "custom_cost": tuple(CustomCost.__annotations__),
}


def _explain_unknown(name: str, path: list[str]) -> str:
    choices = _CHOICES["".join(path[:1])]
    near = _nearest(name, choices)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(choices)}"
    return f"unknown gateway option {shown('.'.join([*path, name]))}: {hint}"


def _nearest(name: str, choices: tuple[str, ...]) -> str | None:
    def plain(text: str) -> str:
        return text.lower().removeprefix("cf-aig-").replace("_", "").replace("-", "")

    by_plain = {plain(choice): choice for choice in choices}
    exact = by_plain.get(plain(name)) or _ALIASES.get(plain(name))
    if exact:
        return exact
    close = difflib.get_close_matches(plain(name), by_plain, n=1, cutoff=0.7)
    return by_plain[close[0]] if close else None


_ALIASES: Final[dict[str, str]] = {
    "requesttimeout": "request_timeout_ms",
    "maxattempts": "retries.max_attempts",
    "retrydelay": "retries.retry_delay_ms",
    "backoff": "retries.backoff",
    "gatewayid": "id",
    "gateway": "id",
}
