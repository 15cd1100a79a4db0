"""What callers give: any value as the error that refuses it shows it, and texts, refused where they are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from aigw._errors import ConfigurationError

_MOST: Final = 200


def shown(value: object, most: int = _MOST) -> str:
    """Write a value as Python would, and of a long one the first `most` characters."""
    text = repr(value[: most + 1] if isinstance(value, str | bytes) else value)
    return text if len(text) <= most + 2 else f"{text[:most]}..."


def check_texts(texts: Any) -> list[str]:
    """Give texts as a list.

    Raises:
        ConfigurationError: They are no list of texts.
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ConfigurationError(f"texts cannot be {shown(texts)}: they are a list of texts")
    given = list(texts)
    for number, text in enumerate(given, 1):
        if not isinstance(text, str):
            raise ConfigurationError(f"text number {number} cannot be {shown(text)}: it is a str")
    return given
