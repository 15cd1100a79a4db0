"""Whether a caller's JSON schema is one that can be filled: every word of the type it should have, and no bomb.

Apart from the filling, which then needs no second look at anything. A provider refuses such a schema as well; the
limits of size are ours, for an answer is made here by filling it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any, Final

from aigw.local.offline._errors import InvalidRequest

MAX_NODES: Final = 5000
"""The most schemas within a schema."""

MAX_LENGTH: Final = 10_000
"""The longest text, and the most entries, that a schema may demand."""

MAX_STEPS: Final = 5000
"""The most values that one filling makes."""

_MAX_NESTING: Final = 64
_MAX_LIMIT: Final = 1e15
_MIN_STEP: Final = 1e-9

Check = Callable[[Any], bool]


class Work:
    """What one filling has done; a schema that refers to itself ends here and not in a full stack.

    Attributes:
        checked: The references that lead to a good schema.
    """

    def __init__(self) -> None:
        self.checked: set[str] = set()
        self._left = MAX_STEPS
        self._nesting = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Make one value.

        Raises:
            InvalidRequest: They are too many, or too deep within each other.
        """
        self._left -= 1
        self._nesting += 1
        if self._left < 0 or self._nesting > _MAX_NESTING:
            raise InvalidRequest("the JSON schema is too large, or refers to itself without an end", "schema")
        try:
            yield
        finally:
            self._nesting -= 1


def check_schema(schema: Any, param: str) -> None:
    """Check a schema and all schemas in it.

    Args:
        schema: The schema; true and false are schemas too.
        param: The body's field it stands in.

    Raises:
        InvalidRequest: A word has a value of the wrong type or size, or there are too many schemas.
    """
    waiting = [(schema, param)]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node, where = waiting.pop()
        if isinstance(node, bool):
            continue
        if not isinstance(node, Mapping):
            raise InvalidRequest(f"{where} must be a JSON schema", where)
        _check_words(node, where)
        waiting += _within(node, where)
    raise InvalidRequest(f"{param} holds more than {MAX_NODES} schemas", param)


def _check_words(schema: Mapping[str, Any], where: str) -> None:
    for word, (is_good, expected) in _WORDS.items():
        if word in schema and not is_good(schema[word]):
            raise InvalidRequest(f"{where}.{word} must be {expected}", f"{where}.{word}")


def _within(schema: Mapping[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    for word in ("items", "additionalProperties"):
        if word in schema and not isinstance(schema[word], list):  # a list of items is an older draft's
            yield schema[word], f"{where}.{word}"
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from ((part, f"{where}.{word}[{at}]") for at, part in enumerate(schema.get(word, ())))
    for word in ("properties", "$defs", "definitions"):
        yield from ((part, f"{where}.{word}.{name}") for name, part in (schema.get(word) or {}).items())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_type(value: Any) -> bool:
    return isinstance(value, str) or _is_names(value)


def _is_filled(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_LENGTH


def _is_largest(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_limit(value: Any) -> bool:
    return _is_number(value) and abs(value) <= _MAX_LIMIT


def _is_exclusive(value: Any) -> bool:
    return isinstance(value, bool) or _is_limit(value)


def _is_step(value: Any) -> bool:
    return _is_number(value) and _MIN_STEP <= value <= _MAX_LIMIT


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_COUNT: Final = (_is_count, f"a whole number from 0 to {MAX_LENGTH}")
_LARGEST: Final = (_is_largest, "a whole number of 0 or more")
_LIMIT: Final = (_is_limit, "a number from -1e15 to 1e15")
_EXCLUSIVE: Final = (_is_exclusive, "a number from -1e15 to 1e15")
_SCHEMAS: Final = (_is_filled, "a list of at least one schema")
_PROPERTIES: Final = (lambda value: value is None or _is_object(value), "an object of schemas by name")
_WORDS: Final[Mapping[str, tuple[Check, str]]] = {
    "type": (lambda value: value is None or _is_type(value), "a type's name, or a list of them"),
    "properties": _PROPERTIES,
    "$defs": _PROPERTIES,
    "definitions": _PROPERTIES,
    "required": (lambda value: value is None or _is_names(value), "a list of property names"),
    "enum": (_is_filled, "a list of at least one value"),
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "allOf": _SCHEMAS,
    "prefixItems": _SCHEMAS,
    "$ref": (_is_text, "a string"),
    "pattern": (_is_text, "a string"),
    "format": (_is_text, "a string"),
    "minLength": _COUNT,
    "minItems": _COUNT,
    "minProperties": _COUNT,
    "maxLength": _LARGEST,
    "maxItems": _LARGEST,
    "minimum": _LIMIT,
    "maximum": _LIMIT,
    "exclusiveMinimum": _EXCLUSIVE,
    "exclusiveMaximum": _EXCLUSIVE,
    "multipleOf": (_is_step, "a number from 1e-9 to 1e15"),
}
