"""What is typed after an option, read into values: filters, `key=value` pairs, JSON, numbers that may be `none`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw._calls._log_calls import LogFilter

_BOOLEANS: Final = {"true": True, "false": False}


def parse_filters(texts: Sequence[str], event_id: str | None = None) -> list[LogFilter]:
    """Read `key:operator:value` conditions.

    Args:
        texts: The conditions as typed; the value may hold colons.
        event_id: One more condition.

    Raises:
        ConfigurationError: A text has not three parts, or its value does not fit the key.
    """
    filters = [_parse_filter(text) for text in texts]
    if event_id is not None:
        filters.append({"key": "event_id", "operator": "eq", "value": event_id})
    return filters


def parse_pairs(texts: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` pairs; `true`, `false` and numbers are what they look like, `"1"` in quotes is text.

    Raises:
        ConfigurationError: A text has no `=` or no key.
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ConfigurationError(f"--metadata: expected KEY=VALUE, got {shown(text)}")
        pairs[key] = _scalar(value)
    return pairs


def parse_score(text: str) -> float | None:
    """Read a number, or `none`.

    Raises:
        ConfigurationError: It is neither.
    """
    return None if text.lower() == "none" else _number("--score", text)


def read_json(text: str) -> dict[str, Any]:
    """Read a JSON object that was typed, stands in a file (`@file`) or comes from stdin (`-`).

    Raises:
        ConfigurationError: It is no JSON object, or there is no such file.
    """
    content = _read(text)
    try:
        value = parse_json(content)
    except ValueError as error:
        raise ConfigurationError(f"--input: this is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigurationError('--input: expected a JSON object, such as \'{"prompt": "Hello"}\'')
    return value


def _read(text: str) -> bytes:
    if not text.startswith("@"):
        return (sys.stdin.read() if text == "-" else text).encode(errors="surrogateescape")
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--input: cannot read {text[1:]}: {error.strerror}") from error


def _parse_filter(text: str) -> LogFilter:
    key, _, rest = text.partition(":")
    operator, colon, value = rest.partition(":")
    if not (key and operator and colon):
        raise ConfigurationError(
            f"--filter: expected KEY:OPERATOR:VALUE, such as model:contains:gpt; got {shown(text)}"
        )
    read = _READERS.get(key, _text)
    return cast("LogFilter", {"key": key, "operator": operator, "value": read(f"--filter {key}", value)})


def _text(_name: str, value: str) -> str:
    return value


def _number(name: str, value: str) -> float:
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError as error:
        raise ConfigurationError(f"{name}: expected a number, got {shown(value)}") from error


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise ConfigurationError(f"{name}: expected true or false, got {shown(value)}")
    return _BOOLEANS[value.lower()]


def _scalar(text: str) -> Any:
    try:
        value = parse_json(text.encode())
    except ValueError:
        return text
    return value if isinstance(value, str | int | float) else text


_READERS: Final[dict[str, Callable[[str, str], Any]]] = {
    **dict.fromkeys(("success", "cached", "authentication", "wholesale", "compatibilityMode"), _boolean),
    **dict.fromkeys(("cost", "duration", "feedback", "tokens", "tokens_in", "tokens_out"), _number),
}
