"""What a dialect is, and the small readers that all of them ask a caller's body with.

The readers turn a wrong shape into one clear sentence, so that no translator meets a value it does not expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import pydantic_core

from aigw._given import shown
from aigw._json import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Body = dict[str, Any]
"""A JSON object."""

_ABSENT: Final = object()


class InvalidBody(ValueError):  # noqa: N818 -- the gateway's word for it; callers turn it into their own error body
    """The caller's body is not one of this dialect; the text is one sentence for the caller."""


class StreamTranslator(Protocol):
    """An incremental translation of one stream of chat completion chunks into another dialect's events."""

    def feed(self, chunk: Body) -> bytes:
        """Take the next chunk; give the server-sent events it stands for, empty when for none."""
        ...

    def close(self) -> bytes:
        """Say that the upstream ended its stream; give the events that end this one.

        Not to be called when the upstream's stream broke off: its reader must see that it broke off.
        """
        ...


class Answer(Protocol):
    """The translation of one whole OpenAI answer."""

    def __call__(self, openai_json: Body, *, model: str) -> Any:
        """Give the answer in the dialect, naming `model` as the one that answered."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API as functions to and from OpenAI's.

    Attributes:
        name: The dialect's name.
        endpoint: OpenAI's endpoint below it: `chat/completions` or `embeddings`.
        ask: The caller's body to OpenAI's; raises `InvalidBody`.
        answer: OpenAI's whole answer to the dialect's.
        stream: A translator of a streamed answer, for the model of that name.
        error: The dialect's own error body, from an HTTP status and a message.
        stream_type: The media type of a streamed answer.
    """

    name: str
    endpoint: str
    ask: Callable[[Body], Body]
    answer: Answer
    stream: Callable[[str], StreamTranslator]
    error: Callable[[int, str], Any]
    stream_type: str = "text/event-stream"


def event_bytes(data: Any, event: str | None = None) -> bytes:
    """Write one server-sent event whose data is JSON."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + dump_json(data) + b"\n\n"


def pick(body: Mapping[str, Any], names: Mapping[str, str]) -> Body:
    """Take the fields of `names` that are there and not null, under their new names."""
    return {new: body[old] for old, new in names.items() if body.get(old) is not None}


def text(value: object, where: str) -> str:
    """Read a string.

    Raises:
        InvalidBody: It is none.
    """
    if isinstance(value, str):
        return value
    raise InvalidBody(f"{where}: expected a string")


def entry(value: object, where: str) -> Body:
    """Read an object.

    Raises:
        InvalidBody: It is none.
    """
    if isinstance(value, dict):
        return value
    raise InvalidBody(f"{where}: expected an object")


def entries(value: object, where: str) -> Iterable[tuple[str, Body]]:
    """Read an array of objects; each comes with its own place (`messages.0`).

    Raises:
        InvalidBody: It is no array, or one of its items no object.
    """
    if not isinstance(value, list):
        raise InvalidBody(f"{where}: expected an array")
    return [(f"{where}.{index}", entry(item, f"{where}.{index}")) for index, item in enumerate(value)]


def stream_fields(body: Mapping[str, Any]) -> Body:
    """Ask for a stream with usage when the caller wants a stream.

    Raises:
        InvalidBody: `stream` is no boolean.
    """
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise InvalidBody("stream: expected true or false")
    return {"stream": True, "stream_options": {"include_usage": True}} if stream else {}


def function_tool(tool: Mapping[str, Any], parameters: object, where: str) -> Body:
    """Write a tool in OpenAI's nested form; `strict` and `description` come along.

    Raises:
        InvalidBody: It has no name.
    """
    function = {"name": text(tool.get("name"), f"{where}.name"), **pick(tool, {"description": "description"})}
    if parameters is not None:
        function["parameters"] = entry(parameters, f"{where}.parameters")
    return {"type": "function", "function": {**function, **pick(tool, {"strict": "strict"})}}


def parse_arguments(arguments: str) -> Body:
    """Read a tool call's arguments; of JSON that was cut short, what can be read; empty when nothing can."""
    try:
        value = pydantic_core.from_json(arguments, allow_partial="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def one_of(value: object, allowed: Mapping[str, Any], where: str) -> Any:
    """Look a word up in a table.

    Raises:
        InvalidBody: The table does not have it; the text says which words it has.
    """
    found = allowed.get(value, _ABSENT) if isinstance(value, str) else _ABSENT
    if found is _ABSENT:
        raise InvalidBody(f"{where}: expected one of {', '.join(allowed)}; got {shown(value)}")
    return found
