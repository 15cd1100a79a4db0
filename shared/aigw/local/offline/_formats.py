"""Strings and numbers made to obey a JSON schema's limits: format, pattern, length, range."""

import math
import re
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aigw.local.offline._rules import CLOCK, EMAIL, ISO_DATE, URL

_FORMATS: Final = {
    "date": (ISO_DATE, "1970-01-01"),
    "date-time": (rf"{ISO_DATE}T{CLOCK}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "1970-01-01T00:00:00Z"),
    "time": (r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-]\d\d:\d\d)?", "00:00:00Z"),
    "duration": (r"P(?=\w)(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?", "PT0S"),
    "email": (EMAIL, "nobody@example.invalid"),
    "uri": (URL, "https://example.invalid/"),
    "uuid": (r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "00000000-0000-0000-0000-000000000000"),
    "ipv4": (r"(?:\d{1,3}\.){3}\d{1,3}", "192.0.2.1"),
    "ipv6": (r"(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}", "2001:db8:0:0:0:0:0:1"),
    "hostname": (r"(?:[a-z0-9-]+\.)+[a-z]{2,}", "example.invalid"),
    "binary": (r"[A-Za-z0-9+/]+={0,2}", ""),
}
"""Format to the pattern of its values and one value that says nothing."""

_ALIASES: Final = {"url": "uri", "uri-reference": "uri", "idn-email": "email", "byte": "binary"}
_LONG_DATES: Final = ("%B %d %Y", "%d %B %Y", "%b %d %Y", "%d %b %Y")
_SAMPLES: Final = (
    "a", "A", "0", "00", "000", "0000", "00000", "000000",
    "aa", "AA", "aaa", "AAA", "AAAA", "a0", "A0", "A1", "AB1", "ABC-123", "AB-1234",
    "AAA000", "A-1", "abc-123", "abc_123", "1970-01-01", "00:00", "1.0", "1.0.0", "v1.0.0", "+10000000000", "000-0000",
    "000-000-0000", "(000) 000-0000", "nobody@example.invalid", "https://example.invalid/",
    "#000000", "example.invalid",
    "00000-0000", "0" * 10, "0" * 16, "a" * 8, "a" * 16, "a" * 32, "Aa0!Aa0!",
)  # fmt: skip
_LONGEST_SEARCHED: Final = 4000
_LONGEST_RISKY: Final = 20
_RISKY: Final = re.compile(r"\)[+*{]")


def find_formatted(text: str, schema: Mapping[str, Any]) -> str | None:
    """Find the first value in `text` that has the schema's format or pattern; None without either."""
    name = _format(schema)
    if name and (found := _in_format(text, name)):
        return found
    if pattern := _pattern(schema):
        return _in_pattern(text[:_LONGEST_SEARCHED], pattern, schema)
    return None


def is_formatted(schema: Mapping[str, Any]) -> bool:
    """Whether a string schema allows only values of some form."""
    return bool(_format(schema) or _pattern(schema))


def obeys(value: str, schema: Mapping[str, Any]) -> bool:
    """Whether a string is of the schema's format, pattern and length."""
    name, pattern = _format(schema), _pattern(schema)
    longest = schema.get("maxLength")
    return (
        (not name or re.fullmatch(_FORMATS[name][0], value) is not None)
        and (not pattern or _searched(pattern, value))
        and len(value) >= schema.get("minLength", 0)
        and (longest is None or len(value) <= longest)
    )


def sample(schema: Mapping[str, Any]) -> str:
    """Give a string that obeys the schema and says nothing."""
    name = _format(schema)
    candidates = ((_FORMATS[name][1],) if name else ()) + _SAMPLES
    fitted = (fit_length(candidate, schema) for candidate in candidates)
    return next((candidate for candidate in fitted if obeys(candidate, schema)), "a")


def fit_length(value: str, schema: Mapping[str, Any]) -> str:
    """Cut or fill a string to the schema's length, in characters."""
    shortest: int = schema.get("minLength", 0)
    longest: int | None = schema.get("maxLength")
    if longest is not None and len(value) > longest:
        cut = value[:longest].rstrip()
        value = cut if len(cut) >= shortest else value[:longest]
    if value and len(value) < shortest:
        return (value * (shortest // len(value) + 1))[:shortest]
    return value or "a" * shortest


def in_range(value: float, schema: Mapping[str, Any]) -> bool:
    """Whether a number is within the schema's limits."""
    step = schema.get("multipleOf")
    return (
        value >= schema.get("minimum", -math.inf)
        and value <= schema.get("maximum", math.inf)
        and value > _exclusive(schema, "exclusiveMinimum", -math.inf)
        and value < _exclusive(schema, "exclusiveMaximum", math.inf)
        and (not step or math.isclose(value / step, round(value / step), abs_tol=1e-9))
    )


def number_in_range(schema: Mapping[str, Any], *, whole: bool) -> float:
    """Give a number within the schema's limits: 0 if it may be, else one next to a limit."""
    step = schema.get("multipleOf") or (1 if whole else 0.5)
    limits = (schema.get(name) for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"))
    known = [limit for limit in limits if isinstance(limit, int | float) and not isinstance(limit, bool)]
    near = [math.ceil(limit / step) * step + shift * step for limit in known for shift in (0, 1, -1)]
    between = [sum(known[:1] + known[-1:]) / 2] if known and not whole else []
    candidates = [0.0, 1.0, *near, *between]
    return next((value for value in candidates if in_range(value, schema)), candidates[0])


def _exclusive(schema: Mapping[str, Any], name: str, default: float) -> float:
    """Read an exclusive limit; in older drafts it is a flag beside the inclusive one."""
    value = schema.get(name, default)
    if isinstance(value, bool):
        limit: float = schema.get(name.removeprefix("exclusive").lower(), default) if value else default
        return limit
    return float(value)


def _format(schema: Mapping[str, Any]) -> str | None:
    name = str(schema.get("format", ""))
    name = _ALIASES.get(name, name)
    return name if name in _FORMATS else None


def _pattern(schema: Mapping[str, Any]) -> re.Pattern[str] | None:
    if "pattern" not in schema:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # a caller's pattern may be odd
            return re.compile(str(schema["pattern"]))
    except (re.error, RecursionError, OverflowError):
        return None


def _in_format(text: str, name: str) -> str | None:
    if match := re.search(rf"(?<!\w){_FORMATS[name][0]}(?!\w)", text):
        return match[0]
    return _long_date(text) if name == "date" else None


def _in_pattern(text: str, pattern: re.Pattern[str], schema: Mapping[str, Any]) -> str | None:
    candidates = (word for raw in text.split() for word in (raw, raw.strip(".,;:!?\"'()`")))
    return next((word for word in candidates if word and _searched(pattern, word) and obeys(word, schema)), None)


def _searched(pattern: re.Pattern[str], value: str) -> bool:
    """Search a text, unless that might take for ever: a repeated group, and more than a few characters."""
    if len(value) > _LONGEST_RISKY and _RISKY.search(pattern.pattern):
        return False
    return pattern.search(value) is not None


def _long_date(text: str) -> str | None:
    """Read a date with the month in words as an ISO date."""
    for match in re.finditer(
        r"[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{1,2}(?:st|nd|rd|th)? (?:of )?[A-Z][a-z]{2,8},? \d{4}", text
    ):
        plain = re.sub(r"(?<=\d)(?:st|nd|rd|th)|,| of(?= )", "", match[0])
        for layout in _LONG_DATES:
            try:
                return datetime.strptime(plain, layout).date().isoformat()  # noqa: DTZ007 - a date has no time zone
            except ValueError:
                continue
    return None
