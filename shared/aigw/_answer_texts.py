"""What an answer says, whichever API's shape it has, whole or in the pieces of a stream.

A log keeps an answer as it was sent. Which part of it is the text, and which the calls of tools, is known here for each
shape; a stream's pieces and a whole answer are read alike.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json
from aigw._sse import EventTooLargeError, SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DONE: Final = b"[DONE]"


def events_of(content: bytes) -> list[bytes]:
    """Give the data of a stream's events; none of one that is too large."""
    decoder = SSEDecoder()
    try:
        found = [*decoder.feed(content), *decoder.close()] if content else []
    except EventTooLargeError:
        found = []
    return [event.data for event in found]


def json_or_none(data: bytes) -> Any:
    """Decode JSON; `None` for anything else, and for the end that a stream announces."""
    try:
        return None if data == _DONE else parse_json(data)
    except ValueError:
        return None


def said(values: Iterable[Any]) -> tuple[str, tuple[str, ...]]:
    """Put together what some JSON values say, in order, and the calls of tools among them, as `name(arguments)`."""
    texts: list[str] = []
    calls: dict[Any, list[str]] = {}
    for value in values:
        for call, text in _pieces(value):
            (texts if call is None else calls.setdefault(call, [])).append(text)
    return "".join(texts), tuple(f"{call[0]}({call[1]})" for call in map(_named, calls.values()))


def _named(pieces: list[str]) -> tuple[str, str]:
    return pieces[0], "".join(pieces[1:])


def _pieces(value: Any) -> Iterator[tuple[Any, str]]:
    """Give the pieces of text in a value, each with the key of its tool call, or `None` for the answer itself.

    A call's first piece is its name.
    """
    if not isinstance(value, dict):
        return
    value = value["result"] if isinstance(value.get("result"), dict) else value
    for choice in _objects(value.get("choices")):
        yield from _openai(choice.get("delta") or choice.get("message"), choice.get("index", 0))
    yield from _messages(value)
    yield from _responses(value)
    for candidate in _objects(value.get("candidates")):
        for part in _objects(_object(candidate.get("content")).get("parts")):
            yield from _text(part.get("text"))
    yield from _text(value.get("response"))


def _openai(message: Any, index: Any) -> Iterator[tuple[Any, str]]:
    message = _object(message)
    yield from _text(message.get("content"))
    for place, call in enumerate(_objects(message.get("tool_calls"))):
        key = (index, call.get("index", place))
        function = _object(call.get("function"))
        yield from _call(key, function.get("name"), function.get("arguments"))


def _messages(value: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Read Anthropic's events and messages."""
    delta, block = _object(value.get("delta")), _object(value.get("content_block"))
    key = ("block", value.get("index"))
    yield from _text(block.get("text"))
    yield from _text(delta.get("text"))
    if block.get("type") == "tool_use":
        yield from _call(key, block.get("name"), None)
    yield from _call(key, None, delta.get("partial_json"))
    for place, part in enumerate(_objects(value.get("content"))):
        yield from _text(part.get("text"))
        if part.get("type") == "tool_use":
            yield from _call(("block", place), part.get("name"), json.dumps(part.get("input"), ensure_ascii=False))


def _responses(value: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Read the events and answers of OpenAI's Responses API."""
    kind, item = value.get("type"), _object(value.get("item"))
    key = ("item", value.get("output_index"))
    if kind == "response.output_text.delta":
        yield from _text(value.get("delta"))
    elif kind == "response.output_item.added" and item.get("type") == "function_call":
        yield from _call(key, item.get("name"), None)
    elif kind == "response.function_call_arguments.delta":
        yield from _call(key, None, value.get("delta"))
    for place, output in enumerate(_objects(value.get("output"))):
        for part in _objects(output.get("content")):
            yield from _text(part.get("text"))
        if output.get("type") == "function_call":
            yield from _call(("item", place), output.get("name"), output.get("arguments"))


def _call(key: Any, name: Any, arguments: Any) -> Iterator[tuple[Any, str]]:
    for text in (name, arguments):
        if isinstance(text, str):
            yield key, text


def _text(value: Any) -> Iterator[tuple[None, str]]:
    if isinstance(value, str):
        yield None, value


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
