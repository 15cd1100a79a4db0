"""Objects of a class instead of text: how a model is asked for one, and how its answer becomes one.

Pure: messages in, the keywords of a chat out; responses in, objects out. A model that can be held to a JSON schema is
asked with `response_format` and answers in its text; any other is given one tool to call and answers in its arguments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Generic

from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.program.utils import create_flexible_model
from llama_index.core.tools.types import ToolMetadata
from llama_index.core.types import Model
from pydantic import VERSION, BaseModel, ValidationError
from pydantic_core import from_json

from aigw.integration import shown
from llamaindex_aigw._schemas import can_close, close_schema
from llamaindex_aigw._tools import encode_function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llama_index.core.base.llms.types import ChatMessage, ChatResponse

_NAME_LENGTH: Final = 64
_UNFINISHED: Final[Any] = "trailing-strings" if int(VERSION.split(".")[1]) >= 10 else True
"""How much of an unfinished JSON is read: a text on its way too, where pydantic knows how."""


def ask_with_schema(output_cls: type[BaseModel], messages: Sequence[ChatMessage]) -> dict[str, Any]:
    """Give the keywords of a chat that is answered in the class's JSON; strictly, where its schema can be closed."""
    schema = output_cls.model_json_schema()
    wanted: dict[str, Any] = {"name": _name(output_cls), "schema": schema}
    if can_close(schema):
        wanted |= {"schema": close_schema(schema), "strict": True}
    return {"messages": messages, "response_format": {"type": "json_schema", "json_schema": wanted}}


def ask_with_tool(output_cls: type[BaseModel], messages: Sequence[ChatMessage], *, strict: bool) -> dict[str, Any]:
    """Give the keywords of a chat that is answered by a call of the one tool there is, whose arguments are the class's.

    Args:
        output_cls: The class.
        messages: The conversation.
        strict: Have the model keep to the schema.
    """
    description = output_cls.__doc__ or f"Give a {output_cls.__name__}."
    tool = ToolMetadata(description, name=_name(output_cls), fn_schema=output_cls)
    return {
        "messages": messages,
        "tools": [encode_function(tool, strict=strict)],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


def decode_object(output_cls: type[Model], message: ChatMessage) -> Model:
    """Read the object of a finished answer; nothing is repaired.

    Raises:
        ValueError: The model gave none; the text has what it said instead.
        pydantic.ValidationError: What it gave is none of the class.
    """
    given = _given(message)
    if not given:
        said = message.additional_kwargs.get("refusal") or message.content
        raise ValueError(f"the model gave no {output_cls.__name__}, and said: {shown(said, 2000)}")
    return output_cls.model_validate_json(given) if isinstance(given, str) else output_cls.model_validate(given)


class ObjectDecoder(Generic[Model]):
    """Reads the object of a streamed answer.

    Args:
        output_cls: The class.
    """

    def __init__(self, output_cls: type[Model]) -> None:
        self._output_cls = output_cls
        self._kinds: tuple[type[BaseModel], ...] = (output_cls, create_flexible_model(output_cls))
        self._last: ChatResponse | None = None
        self._found: BaseModel | None = None

    def feed(self, response: ChatResponse) -> BaseModel | None:
        """Take the next response; give the object so far if it is another one than before.

        It is one of the class as soon as it can be; until then one whose fields may be missing.
        """
        self._last = response
        found = self._read(response.message)
        if found is None or found == self._found:
            return None
        self._found = found
        return found

    def close(self) -> Model:
        """Say that no more responses come; give the object.

        Raises:
            ValueError: As `decode_object`.
        """
        if self._last is None:
            raise ValueError(f"the model gave no {self._output_cls.__name__}, and said nothing")
        return decode_object(self._output_cls, self._last.message)

    def _read(self, message: ChatMessage) -> BaseModel | None:
        given = _given(message)
        try:
            value = from_json(given, allow_partial=_UNFINISHED) if isinstance(given, str) else given
        except ValueError:
            return None
        for kind in self._kinds:
            try:
                return kind.model_validate(value)
            except ValidationError:
                continue
        return None


def _given(message: ChatMessage) -> str | dict[str, Any]:
    """Give the JSON of an answer: the arguments of its first tool call, else its text."""
    calls = (block.tool_kwargs for block in message.blocks if isinstance(block, ToolCallBlock))
    return next(calls, None) or message.content or ""


def _name(output_cls: type[BaseModel]) -> str:
    """Name the class as the wire allows: of a generic one, the brackets go."""
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", output_cls.__name__).strip("_")[:_NAME_LENGTH]
