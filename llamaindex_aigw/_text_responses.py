"""Messages and responses of text alone, which nearly all chunks are: made from one that LlamaIndex's constructor made.

LlamaIndex validates every message as if it came from outside. One whose parts are made here has nothing to be validated
but its text, and takes a third of the time. What a constructor sets, also in a later LlamaIndex, comes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, TextBlock
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=BaseModel)

_SET: Final = object.__setattr__


class Template(Generic[M]):
    """Makes objects as a constructor would.

    Args:
        made: One that the constructor made, of all fields that will be given.
    """

    def __init__(self, made: M) -> None:
        state = made.__getstate__()
        self._kind = type(made)
        self._fields: dict[str, Any] = state["__dict__"]
        self._names: set[str] = state["__pydantic_fields_set__"]
        self._defaults = [
            name
            for name, value in self._fields.items()
            if name not in self._names and isinstance(value, dict | list | set)
        ]

    def make(self, given: Mapping[str, Any]) -> M:
        """Make one of these fields, which must be the template's and right; nothing is shared with another."""
        fields = {**self._fields, **given}
        for name in self._defaults:
            fields[name] = fields[name].copy()
        made = self._kind.__new__(self._kind)
        _SET(made, "__dict__", fields)
        _SET(made, "__pydantic_fields_set__", self._names.copy())
        _SET(made, "__pydantic_extra__", None)
        _SET(made, "__pydantic_private__", None)
        return made


_MESSAGES: Final = Template(
    ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text="")], additional_kwargs={}),
)
_RESPONSES: Final = Template(
    ChatResponse(message=ChatMessage(), delta="", raw={}, additional_kwargs={}),
)


def text_message(text: str) -> ChatMessage:
    """Make the message of a model that says this and nothing else."""
    return _MESSAGES.make({"blocks": [TextBlock(text=text)], "additional_kwargs": {}})


def text_response(text: str, *, delta: str, raw: dict[str, Any]) -> ChatResponse:
    """Make the response of a stream that has said this so far, and nothing else."""
    return _RESPONSES.make({"message": text_message(text), "delta": delta, "raw": raw, "additional_kwargs": {}})
