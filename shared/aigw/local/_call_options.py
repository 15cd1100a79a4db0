"""What one call asks of the gateway, read from its `cf-aig-*` headers.

Cloudflare does not say what a value out of range or out of shape does. Here numbers are brought into their range and a
value that cannot be read is as good as absent, with a warning in this module's `logging` logger: a call that Cloudflare
may answer is not refused on a developer's machine. Two choices with the same aim: `max-attempts` counts the first
attempt, and a further attempt waits 100 ms unless told otherwise.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from aigw.local._bodies import read_json
from aigw.local._logs._record import MAX_METADATA, Scalar
from aigw.local._settings._gateway_settings import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping

_log: Final = logging.getLogger("aigw.local")

CACHE_TTL_RANGE: Final = (60, 30 * 24 * 3600)
"""Seconds; Source: AI Gateway docs, Caching."""

_MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The gateway options of one call; `None` leaves the choice to the gateway's settings.

    Attributes:
        skip_cache: Whether the cache is passed by.
        cache_ttl: Seconds, 60 to 2592000; 0 turns caching off for this call.
        cache_key: What replaces the computed key.
        collect_log: Whether the call is logged.
        collect_log_payload: Whether the bodies are kept with the log.
        metadata: The caller's labels, at most five.
        event_id: The caller's own id of the call.
        custom_cost: Rates by name (`per_token_in`, `per_token_out`, `total_cost`), in dollars.
        request_timeout: Milliseconds to the first part of an answer.
        max_attempts: Attempts in all, 1 to 5.
        retry_delay: Milliseconds, 0 to 60000.
        backoff: How the delay grows.
    """

    skip_cache: bool = False
    cache_ttl: int | None = None
    cache_key: str | None = None
    collect_log: bool | None = None
    collect_log_payload: bool = True
    metadata: dict[str, Scalar] | None = None
    event_id: str | None = None
    custom_cost: dict[str, float] | None = None
    request_timeout: int | None = None
    max_attempts: int | None = None
    retry_delay: int | None = None
    backoff: Backoff | None = None


_NO_OPTIONS: Final = CallOptions()


def read_options(headers: Mapping[str, str]) -> CallOptions:
    """Read the options of one call.

    Args:
        headers: The request's fields, looked up in any case.

    Source: AI Gateway docs, Header glossary, with the deprecated `cf-skip-cache` and `cf-cache-ttl`.
    """
    if not any(name.startswith("cf-") for name in headers):
        return _NO_OPTIONS
    ttl = _number(headers, "cf-aig-cache-ttl", "cf-cache-ttl")
    return CallOptions(
        skip_cache=_flag(headers, "cf-aig-skip-cache", "cf-skip-cache") or False,
        cache_ttl=_within(ttl, *CACHE_TTL_RANGE) if ttl else ttl,
        cache_key=headers.get("cf-aig-cache-key") or None,
        collect_log=_flag(headers, "cf-aig-collect-log"),
        collect_log_payload=_flag(headers, "cf-aig-collect-log-payload") is not False,
        metadata=read_metadata(headers.get("cf-aig-metadata")),
        event_id=headers.get("cf-aig-event-id") or None,
        custom_cost=_custom_cost(headers.get("cf-aig-custom-cost")),
        request_timeout=_number(headers, "cf-aig-request-timeout") or None,
        max_attempts=_within(_number(headers, "cf-aig-max-attempts"), 1, 5),
        retry_delay=_within(_number(headers, "cf-aig-retry-delay"), 0, 60_000),
        backoff=_backoff(headers.get("cf-aig-backoff")),
    )


def read_metadata(text: str | None) -> dict[str, Scalar] | None:
    """Read the metadata as the gateway keeps it: five entries, no key of Cloudflare's own (`cf.`).

    One value that is null or nested loses the whole metadata, silently, as was seen of the real gateway; the warning
    in the log is ours.
    """
    value = _json_object(text, "cf-aig-metadata")
    if value is None:
        return None
    if not all(isinstance(entry, Scalar) for entry in value.values()):
        _log.warning("cf-aig-metadata: a value is null or nested, so the whole metadata is dropped")
        return None
    own = [(key, entry) for key, entry in value.items() if not key.startswith("cf.")]
    return dict(own[:MAX_METADATA])


def _custom_cost(text: str | None) -> dict[str, float] | None:
    value = _json_object(text, "cf-aig-custom-cost")
    if value is None:
        return None
    rates = {key: rate for key, rate in value.items() if isinstance(rate, int | float) and not isinstance(rate, bool)}
    return rates or None


def _json_object(text: str | None, name: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        value = read_json(text.encode())
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    _log.warning("%s is not a JSON object and is ignored", name)
    return None


def _flag(headers: Mapping[str, str], *names: str) -> bool | None:
    for name in names:
        text = headers.get(name, "").strip().lower()
        if text in {"true", "false"}:
            return text == "true"
        if text:
            _log.warning("%s is neither true nor false and is ignored", name)
    return None


def _number(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        text = headers.get(name, "").strip()
        if text.isascii() and text.isdigit():
            return int(text) if len(text) <= _MAX_DIGITS else 10**_MAX_DIGITS
        if text:
            _log.warning("%s is not a whole number and is ignored", name)
    return None


def _within(number: int | None, low: int, high: int) -> int | None:
    return None if number is None else max(low, min(number, high))


def _backoff(text: str | None) -> Backoff | None:
    if text in get_args(Backoff):
        return cast("Backoff", text)
    if text:
        _log.warning("cf-aig-backoff is none of %s and is ignored", ", ".join(get_args(Backoff)))
    return None
