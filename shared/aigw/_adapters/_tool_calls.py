"""Tool calls as models answer them, whole or in the parts they are streamed in. Pure; adapters make their own of them.

Upstreams leave the index out, repeat names and ids or tell ids late, use one index for several calls, and send ids as
numbers and arguments decoded. Which part belongs to which call is decided here, so that both adapters decide alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(slots=True)
class WireToolCall:
    """One tool call, as far as it is known.

    Attributes:
        place: Its place among the calls of its answer, from 0.
        id: As the upstream named it; `None` if it did not, or not yet.
        name: The tool's.
        arguments: JSON text, perhaps not whole.
        extra: Its `extra_content`: what else the model must be told of it.
    """

    place: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: Any = None

    def id_in(self, completion_id: Any) -> str:
        """Give the id, which the tool's result must name; a call without one gets the same in the same answer."""
        if self.id:
            return self.id
        tail = "".join(char for char in str(completion_id or "") if char.isalnum())[-24:]
        return f"call_{tail}_{self.place}" if tail else f"call_{self.place}"

    def goes_on(self, told: Told) -> bool:
        """Tell whether a part that names no known id belongs to this call, and does not begin another."""
        if told.name and self.name and told.name != self.name:
            return False
        if told.id:
            return self.id is None
        return not told.name or told.position is not None or not self._is_whole()

    def _is_whole(self) -> bool:
        try:
            return bool(self.arguments) and isinstance(json.loads(self.arguments), dict)
        except ValueError:
            return False


class Told(NamedTuple):
    """What one part says, or one whole call."""

    position: int | None
    id: str | None
    name: str | None
    arguments: str
    extra: Any


class News(NamedTuple):
    """What one part added to its call.

    Attributes:
        call: The call, with the part.
        id: Its id, if it was not known before.
        name: Its name, if it was not known before.
        arguments: The text that was added.
    """

    call: WireToolCall
    id: str | None
    name: str | None
    arguments: str


class ToolCalls:
    """The tool calls of one answer.

    Attributes:
        calls: Those that have begun, in their order.
    """

    def __init__(self) -> None:
        self.calls: list[WireToolCall] = []
        self._by_index: dict[int, WireToolCall] = {}

    def add_whole(self, calls: Any) -> None:
        """Take the `tool_calls` of a whole answer, or what stands there: each is a call, whatever others are called."""
        for told in _read_all(calls):
            self.calls.append(WireToolCall(len(self.calls), told.id, told.name, told.arguments, told.extra))

    def add_parts(self, parts: Any) -> list[News]:
        """Take the `tool_calls` of a delta, or what stands there; tell what each part added."""
        return [self._add(told) for told in _read_all(parts)]

    def extras(self, completion_id: Any) -> dict[str, Any]:
        """Give what calls said besides, by their ids."""
        return {call.id_in(completion_id): call.extra for call in self.calls if call.extra}

    def _add(self, told: Told) -> News:
        call = self._call_of(told)
        news = News(call, None if call.id else told.id, None if call.name else told.name, told.arguments)
        call.id, call.name = call.id or told.id, call.name or told.name
        call.arguments += told.arguments
        call.extra = call.extra or told.extra
        return news

    def _call_of(self, told: Told) -> WireToolCall:
        """Find the call a part belongs to: by its id, else by its index, else the last one; or begin one."""
        found = next((call for call in self.calls if told.id and call.id == told.id), None)
        if found is None:
            last = self.calls[-1] if self.calls else None
            current = last if told.position is None else self._by_index.get(told.position)
            found = current if current is not None and current.goes_on(told) else self._begin()
        if told.position is not None:
            self._by_index[told.position] = found
        return found

    def _begin(self) -> WireToolCall:
        self.calls.append(WireToolCall(len(self.calls)))
        return self.calls[-1]


def parse_arguments(text: str) -> dict[str, Any]:
    """Read a whole call's arguments; nothing at all stands for none.

    Raises:
        ValueError: They are no JSON object; it says why.
    """
    if not text.strip():
        return {}
    try:
        arguments = json.loads(text, strict=False)
    except ValueError as error:
        raise ValueError(f"the arguments are no JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ValueError(f"the arguments are no JSON object: {text[:80]}")  # noqa: TRY004  the caller tells both by one
    return arguments


def _read_all(calls: Any) -> list[Told]:
    return [_read(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _read(call: dict[str, Any]) -> Told:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    index, call_id, name, arguments = call.get("index"), call.get("id"), function.get("name"), function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return Told(
        index if isinstance(index, int) else None,
        None if call_id is None or call_id == "" else str(call_id),
        str(name) if name else None,
        arguments or "",
        call.get("extra_content"),
    )
