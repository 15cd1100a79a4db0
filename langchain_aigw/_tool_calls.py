"""Tool calls of the wire: whole ones, and the deltas they are streamed in.

LangChain joins deltas by an integer index and concatenates every repeated string. Upstreams leave the index out, repeat
names and ids, or use one index for several calls. `ToolCallDeltas` gives every call one index of its own, and its name
and id once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.utils.json import parse_partial_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langchain_core.messages import InvalidToolCall, ToolCall, ToolCallChunk

WireCall = dict[str, Any]

CALL_EXTRAS: Final = "tool_call_extra_content"
"""Where `additional_kwargs` has the `extra_content` of tool calls by their ids: the signatures of Gemini's thoughts."""


def decode_tool_calls(calls: Any, completion_id: str | None = None) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Decode whole tool calls into those whose arguments are a JSON object, and the others.

    Args:
        calls: The message's `tool_calls`, or `None`.
        completion_id: The answer's id, from which a call without an id gets one.
    """
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for index, call in enumerate(_objects(calls)):
        name, text = _function(call)
        call_id = _id_of(call) or make_call_id(completion_id, index)
        try:
            valid.append(tool_call(name=name or "", args=_parse_arguments(text), id=call_id))
        except ValueError as error:
            invalid.append(invalid_tool_call(name=name, args=text, id=call_id, error=str(error)))
    return valid, invalid


def decode_call_extras(calls: Any, completion_id: str | None = None) -> dict[str, Any]:
    """Give what whole tool calls say besides, by their ids, as the model must be told it again; see `CALL_EXTRAS`."""
    said = [(index, call) for index, call in enumerate(_objects(calls)) if call.get("extra_content")]
    return {_id_of(call) or make_call_id(completion_id, index): call["extra_content"] for index, call in said}


def make_call_id(completion_id: str | None, index: int) -> str:
    """Make the id of a call that came without one, which its result must name; the same answer gives the same id."""
    tail = "".join(char for char in completion_id or "" if char.isalnum())[-24:]
    return f"call_{tail}_{index}" if tail else f"call_{index}"


@dataclass(slots=True)
class _Call:
    """What is known so far of one streamed call."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: Any = None

    def is_over(self, call_id: str | None, name: str | None, *, has_place: bool) -> bool:
        """Tell whether a delta with this new id and name begins another call, rather than going on with this one."""
        renamed = name is not None and self.name is not None and name != self.name
        if call_id:
            return renamed or self.id is not None
        return renamed or (name is not None and not has_place and self._is_whole())

    def _is_whole(self) -> bool:
        try:
            return bool(self.arguments) and isinstance(json.loads(self.arguments), dict)
        except ValueError:
            return False

    def spoiling(self) -> str:
        """Give the text that keeps broken arguments from being taken for whole ones; empty if there is no need.

        LangChain completes streamed arguments that lack their end, and would have a tool called with half of them.
        """
        if not self.arguments or not isinstance(_complete(self.arguments), dict):
            return ""
        try:
            _parse_arguments(self.arguments)
        except ValueError:
            broken = (ending for ending in _MISMATCHES if _complete(self.arguments + ending) is None)
            return next(broken, "")
        return ""


class ToolCallDeltas:
    """Joins the deltas of one answer's tool calls to LangChain's chunks."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_place: dict[int, _Call] = {}

    def feed(self, deltas: Any) -> list[ToolCallChunk]:
        """Take a delta's `tool_calls`, or `None`; give the chunks they stand for."""
        return [self._feed(delta) for delta in _objects(deltas)]

    def close(self, completion_id: str | None = None) -> list[ToolCallChunk]:
        """Say that no more come; give ids to the calls that have none, and keep broken ones from being called."""
        last = (
            tool_call_chunk(
                name=None,
                args=call.spoiling(),
                id=None if call.id else make_call_id(completion_id, call.index),
                index=call.index,
            )
            for call in self._calls
        )
        return [chunk for chunk in last if chunk["id"] or chunk["args"]]

    def extras(self, completion_id: str | None = None) -> dict[str, Any]:
        """Give what the calls said besides, by their ids, as `decode_call_extras` does."""
        said = [call for call in self._calls if call.extra]
        return {call.id or make_call_id(completion_id, call.index): call.extra for call in said}

    def _feed(self, delta: WireCall) -> ToolCallChunk:
        name, arguments = _function(delta)
        call_id = _id_of(delta)
        call = self._find(delta.get("index"), call_id, name)
        chunk = tool_call_chunk(
            name=name if call.name is None else None,
            args=arguments,
            id=call_id if call.id is None else None,
            index=call.index,
        )
        call.id = call.id or call_id
        call.name = call.name or name
        call.arguments += arguments
        call.extra = call.extra or delta.get("extra_content")
        return chunk

    def _find(self, place: Any, call_id: str | None, name: str | None) -> _Call:
        known = next((call for call in self._calls if call_id and call.id == call_id), None)
        if known is None:
            last = self._calls[-1] if self._calls else None
            current = self._by_place.get(place) if isinstance(place, int) else last
            begins = current is None or current.is_over(call_id, name, has_place=isinstance(place, int))
            known = self._begin() if current is None or begins else current
        if isinstance(place, int):
            self._by_place[place] = known
        return known

    def _begin(self) -> _Call:
        call = _Call(index=len(self._calls))
        self._calls.append(call)
        return call


_MISMATCHES: Final = ("]", "}", '"]', '"}', '""]', '""}')
"""Ends that close what was never opened: after a value, inside a text, inside a text after a backslash."""


def _complete(text: str) -> Any:
    try:
        return parse_partial_json(text)
    except ValueError:
        return None


def _objects(values: Any) -> Iterable[WireCall]:
    return [value for value in values or () if isinstance(value, dict)]


def _id_of(call: Mapping[str, Any]) -> str | None:
    """Give the id, which some upstreams send as a number."""
    call_id = call.get("id")
    return None if call_id is None or call_id == "" else str(call_id)


def _function(call: Mapping[str, Any]) -> tuple[str | None, str]:
    """Give the name, and the arguments as text: some upstreams send them decoded."""
    function = call.get("function")
    if not isinstance(function, dict):
        return None, ""
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    name = function.get("name")
    return str(name) if name else None, arguments or ""


def _parse_arguments(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        arguments = json.loads(text, strict=False)
    except ValueError as error:
        raise ValueError(f"the arguments are no JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ValueError(f"the arguments are no JSON object: {text[:80]}")  # noqa: TRY004  the caller tells both by one
    return arguments
