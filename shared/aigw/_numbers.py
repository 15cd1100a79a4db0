"""Numbers that callers give, refused before anything starts where they cannot be."""

from __future__ import annotations

from typing import Any

from aigw._errors import ConfigurationError
from aigw._given import shown


def check_whole(name: str, value: Any, least: int = 1, most: int | None = None) -> None:
    """Refuse what is no whole number of a range.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        upper = "or more" if most is None else f"to {most}"
        raise ConfigurationError(f"{name} cannot be {shown(value)}: it is a whole number, {least} {upper}")
