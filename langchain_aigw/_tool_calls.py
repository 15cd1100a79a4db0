"""Tool calls of the wire as LangChain's: whole ones, and the chunks they are streamed in.

LangChain joins chunks by an integer index and concatenates every repeated string; so every call has one index of its
own, and its name and id are told once, as `aigw.integration.ToolCalls` finds them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.utils.json import parse_partial_json

from aigw.integration import parse_arguments

if TYPE_CHECKING:
    from langchain_core.messages import InvalidToolCall, ToolCall, ToolCallChunk

    from aigw.integration import ToolCalls

CALL_EXTRAS: Final = "tool_call_extra_content"
"""Where `additional_kwargs` has the `extra_content` of tool calls by their ids: the signatures of Gemini's thoughts."""


def decode_tool_calls(said: ToolCalls, completion_id: str | None) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Decode whole tool calls into those whose arguments are a JSON object, and the others.

    Args:
        said: The answer's.
        completion_id: The answer's id, from which a call without an id gets one.
    """
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in said.calls:
        call_id = call.id_in(completion_id)
        try:
            valid.append(tool_call(name=call.name or "", args=parse_arguments(call.arguments), id=call_id))
        except ValueError as error:
            invalid.append(invalid_tool_call(name=call.name, args=call.arguments, id=call_id, error=str(error)))
    return valid, invalid


def decode_parts(said: ToolCalls, parts: Any) -> list[ToolCallChunk]:
    """Decode a delta's `tool_calls`, or `None`.

    Args:
        said: The calls so far; the parts are added.
        parts: What the delta says.
    """
    return [
        tool_call_chunk(name=news.name, args=news.arguments, id=news.id, index=news.call.place)
        for news in said.add_parts(parts)
    ]


def decode_ends(said: ToolCalls, completion_id: str | None) -> list[ToolCallChunk]:
    """Give the last chunks: ids of the calls that have none, and what keeps broken ones from being called."""
    last = (
        tool_call_chunk(
            name=None,
            args=_spoiling(call.arguments),
            id=None if call.id else call.id_in(completion_id),
            index=call.place,
        )
        for call in said.calls
    )
    return [chunk for chunk in last if chunk["id"] or chunk["args"]]


def _spoiling(arguments: str) -> str:
    """Give the text that keeps broken arguments from being taken for whole ones; empty if there is no need.

    LangChain completes streamed arguments that lack their end, and would have a tool called with half of them.
    """
    if not arguments or not isinstance(_complete(arguments), dict):
        return ""
    try:
        parse_arguments(arguments)
    except ValueError:
        broken = (ending for ending in _MISMATCHES if _complete(arguments + ending) is None)
        return next(broken, "")
    return ""


_MISMATCHES: Final = ("]", "}", '"]', '"}', '""]', '""}')
"""Ends that close what was never opened: after a value, inside a text, inside a text after a backslash."""


def _complete(text: str) -> Any:
    try:
        return parse_partial_json(text)
    except ValueError:
        return None
