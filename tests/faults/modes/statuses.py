"""Refusals: what is tried again, after how long, and where nothing may go."""

from __future__ import annotations

from typing import Final

from aigw import APIStatusError, InternalServerError, RateLimitError, SpendLimitError

from .mode import STREAM, WHOLE, Mode, Right, Wrong, as_json, events, whole

_BUSY: Final = as_json({"error": {"message": "busy"}})
_SPENT: Final = as_json({"success": False, "error": [{"code": 2041, "message": "spend limit"}]})
_PAST: Final = "Wed, 21 Oct 2015 07:28:00 GMT"


def _later(name: str, does: str, status: int, *fields: str, times: int = 1) -> Mode:
    """Refusals, and then an answer; streams get the same answer as one document."""
    replies = (*(whole(_BUSY, status, *fields) for _ in range(times)), whole(WHOLE))
    return Mode(name, does, replies, Right(), Right(), requests=times + 1)


def _final(
    name: str, does: str, error: type[APIStatusError], *replies: bytes | tuple[bytes, ...], requests: int = 1
) -> Mode:
    return Mode(name, does, replies, Wrong(error), Wrong(error), requests=requests)  # type: ignore[arg-type]


def _redirect(name: str, does: str, status: int, location: str) -> Mode:
    out = Wrong(APIStatusError, words="redirect")
    return Mode(name, does, (whole(b"", status, f"location: {location}"),), out, out)


MODES: Final = [
    _later("429-once", "answers 429 once", 429),
    _later("429-twice", "answers 429 twice", 429, times=2),
    _later("503-once", "answers 503 once", 503),
    _later("502-twice", "answers 502 twice", 502, times=2),
    _later("408-once", "answers 408 once", 408),
    _final("429-always", "answers 429, always", RateLimitError, whole(_BUSY, 429), requests=3),
    _final("529-always", "answers 529, always", InternalServerError, whole(_BUSY, 529), requests=3),
    _final("spend-limit", "answers 429 for a spend limit", SpendLimitError, whole(_SPENT, 429)),
    _later("retry-after-seconds", "answers 429 with `Retry-After: 0.01`", 429, "retry-after: 0.01"),
    _later("retry-after-zero", "answers 429 with `Retry-After: 0`", 429, "retry-after: 0"),
    _later("retry-after-ms", "answers 429 with `Retry-After-Ms: 5`", 429, "retry-after-ms: 5"),
    _later("retry-after-past", "answers 429 with a date that is past", 429, f"retry-after: {_PAST}"),
    _later(
        "retry-after-date",
        "answers 429 with a date that is now by its own clock",
        429,
        f"retry-after: {_PAST}",
        f"date: {_PAST}",
    ),
    _later("retry-after-nonsense", "answers 429 with `Retry-After: soon`: the usual wait", 429, "retry-after: soon"),
    _later("retry-after-negative", "answers 429 with `Retry-After: -5`: the usual wait", 429, "retry-after: -5"),
    _later("retry-after-nan", "answers 429 with `Retry-After: nan`: the usual wait", 429, "retry-after: nan"),
    _final(
        "retry-after-huge",
        "answers 429 with `Retry-After: 86400`",
        RateLimitError,
        whole(_BUSY, 429, "retry-after: 86400"),
    ),
    _final(
        "retry-after-endless",
        "answers 429 with a `Retry-After` of 400 digits",
        RateLimitError,
        whole(_BUSY, 429, "retry-after: " + "9" * 300),
    ),
    Mode(
        "429-then-stream",
        "answers 429 once, then streams",
        (whole(_BUSY, 429), events(STREAM)),
        None,
        Right(),
        requests=2,
    ),
    _redirect("redirect-host", "redirects to another host", 307, "http://{elsewhere}/v1"),
    _redirect("redirect-permanent", "redirects to another host for good", 308, "http://{elsewhere}/v1"),
    _redirect("redirect-scheme", "redirects to another scheme", 302, "ftp://{elsewhere}/v1"),
    _redirect("redirect-file", "redirects to a file", 301, "file:///etc/passwd"),
    _redirect("redirect-loop", "redirects to itself", 307, "/"),
    _redirect("redirect-nowhere", "redirects to nonsense", 303, "http://[::/%00"),
    _final("status-300", "answers 300 without a place", APIStatusError, whole(b"", 300)),
    _final("status-999", "answers 999", InternalServerError, whole(b"", 999), requests=3),
]
