"""Messages and generations made like one that was constructed, in a third of the time that constructing takes.

Only what pydantic and LangChain would leave as it is may be set: no tool calls, which LangChain looks through, and no
content that it joins to a text. What is made has every field that this langchain-core knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")

_set: Final = object.__setattr__


class Example(Generic[M]):
    """What others are made like.

    Args:
        constructed: It; the fields that it was given are those that count as given in what is made.
    """

    def __init__(self, constructed: M) -> None:
        self._kind = type(constructed)
        self._values = dict(vars(constructed))
        self._copied = [(name, value.copy) for name, value in self._values.items() if isinstance(value, list | dict)]
        self._given = constructed.model_fields_set.copy
        self._extra = None if constructed.model_extra is None else constructed.model_extra.copy

    def make(self, fields: dict[str, Any]) -> M:
        """Make another with these fields, all of which the example was given; its lists and dicts are its own."""
        values = self._values | fields
        for name, copy in self._copied:
            if name not in fields:
                values[name] = copy()
        made = self._kind.__new__(self._kind)
        _set(made, "__dict__", values)  # these four are a model's state, as pydantic's own `__copy__` sets it
        _set(made, "__pydantic_fields_set__", self._given())
        _set(made, "__pydantic_extra__", self._extra and self._extra())
        _set(made, "__pydantic_private__", None)
        return made
