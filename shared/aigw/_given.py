"""What callers give, refused where it cannot be: how errors show any value, and the checks of texts and of numbers."""

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


def check_text_or_none(**given: Any) -> None:
    """Refuse what is neither text nor left out, by its argument's name; it may be a secret, and is not shown.

    Raises:
        ConfigurationError: One is neither.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{name} cannot be a {type(value).__name__}: it is text")


def check_whole(name: str, value: Any, least: int = 1, most: int | None = None) -> None:
    """Refuse what is no whole number of a range.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        upper = "or more" if most is None else f"to {most}"
        raise ConfigurationError(f"{name} cannot be {shown(value)}: it is a whole number, {least} {upper}")
