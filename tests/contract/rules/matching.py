"""Where an answer is not what it should be: a pure comparison with a pattern, which may leave things open.

A pattern is a literal; a dict whose keys must be there, others may; a list, item by item; a type; a regular expression
that must fit the whole text; a function that says whether it is content; or `ABSENT`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, Final

ABSENT: Final = object()
"""The key must not be there."""


def differences(pattern: Any, actual: Any, where: str = "") -> list[str]:
    """Tell each place where `actual` does not fit, with what was expected."""
    if isinstance(pattern, Mapping):
        return _dict_differences(pattern, actual, where)
    if isinstance(pattern, list):
        return _list_differences(pattern, actual, where)
    return [] if _fits(pattern, actual) else [f"{where or 'value'}: expected {_told(pattern)}; got {actual!r}"]


def _dict_differences(pattern: Mapping[str, Any], actual: Any, where: str) -> list[str]:
    if not isinstance(actual, Mapping):
        return [f"{where or 'value'}: expected an object; got {actual!r}"]
    found = []
    for key, expected in pattern.items():
        place = f"{where}.{key}".lstrip(".")
        if expected is ABSENT:
            found += [f"{place}: expected nothing; got {actual[key]!r}"] if key in actual else []
        elif key not in actual:
            found.append(f"{place}: expected {_told(expected)}; there is only {', '.join(actual) or 'nothing'}")
        else:
            found += differences(expected, actual[key], place)
    return found


def _list_differences(pattern: list[Any], actual: Any, where: str) -> list[str]:
    if not isinstance(actual, list) or len(actual) != len(pattern):
        return [f"{where or 'value'}: expected an array of {len(pattern)}; got {actual!r}"]
    pairs = zip(pattern, actual, strict=True)
    return [text for at, (one, other) in enumerate(pairs) for text in differences(one, other, f"{where}[{at}]")]


def _fits(pattern: Any, actual: Any) -> bool:
    if isinstance(pattern, type | UnionType):
        return isinstance(actual, pattern) and (pattern is bool or not isinstance(actual, bool))
    if isinstance(pattern, re.Pattern):
        return isinstance(actual, str) and pattern.fullmatch(actual) is not None
    if isinstance(pattern, Callable):  # type: ignore[arg-type]
        return bool(pattern(actual))
    return bool(actual == pattern and isinstance(actual, bool) == isinstance(pattern, bool))


def _told(pattern: Any) -> str:
    return f"/{pattern.pattern}/" if isinstance(pattern, re.Pattern) else getattr(pattern, "__name__", repr(pattern))
