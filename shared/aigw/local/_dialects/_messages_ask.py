"""Anthropic's Messages request as an OpenAI chat completion's.

Source: Anthropic API reference, Create a Message; OpenAI API reference, Create chat completion. What OpenAI has no word
for is left out (`top_k`, `thinking`, `cache_control`, thinking blocks) when the answer stays one the caller can use;
what would change the answer is refused (documents, tools that Anthropic's servers run). A tool result that is an error
says so in its text, and its images go into the user message behind it, for a tool message holds text only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._given import shown
from aigw._json import dump_json
from aigw.local._dialects._dialect import (
    Body,
    InvalidBody,
    entries,
    entry,
    function_tool,
    one_of,
    pick,
    stream_fields,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SAMPLING: Final = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop_sequences": "stop",
}
_CHOICES: Final = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}
_DROPPED: Final = ("thinking", "redacted_thinking")


def ask(body: Body) -> Body:
    """Translate the request.

    Raises:
        InvalidBody: A field is missing, of the wrong type, or of a kind that OpenAI's API cannot say.
    """
    limit = body.get("max_tokens")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise InvalidBody("max_tokens: required, an integer of at least 1")
    messages = [message for where, item in entries(body.get("messages"), "messages") for message in _turn(item, where)]
    if not messages:
        raise InvalidBody("messages: at least one message is required")
    return {
        "model": text(body.get("model"), "model"),
        "messages": [*_system(body.get("system")), *messages],
        **pick(body, _SAMPLING),
        **_tools(body),
        **_format(body),
        **pick(entry(body.get("metadata") or {}, "metadata"), {"user_id": "user"}),
        **stream_fields(body),
    }


def _system(value: object) -> list[Body]:
    if not value:
        return []
    if not isinstance(value, str):
        value = "\n\n".join(text(block.get("text"), f"{where}.text") for where, block in entries(value, "system"))
    return [{"role": "system", "content": value}]


def _turn(message: Body, where: str) -> list[Body]:
    write = one_of(message.get("role"), _ROLES, f"{where}.role")
    content = message.get("content")
    blocks = [(where, {"type": "text", "text": content})] if isinstance(content, str) else None
    turn: list[Body] = write(blocks or entries(content, f"{where}.content"))
    return turn


def _user(blocks: Iterable[tuple[str, Body]]) -> list[Body]:
    results: list[Body] = []
    parts: list[Body] = []
    for where, block in blocks:
        if block.get("type") == "tool_result":
            result, images = _tool_result(block, where)
            results.append(result)
            parts += images
        else:
            parts.append(_part(block, where))
    return [*results, {"role": "user", "content": _plain(parts)}] if parts or not results else results


def _assistant(blocks: Iterable[tuple[str, Body]]) -> list[Body]:
    words: list[str] = []
    calls: list[Body] = []
    for where, block in blocks:
        kind = block.get("type")
        if kind == "tool_use":
            calls.append(_tool_use(block, where))
        elif kind == "text":
            words.append(text(block.get("text"), f"{where}.text"))
        elif kind not in _DROPPED:
            raise InvalidBody(f"{where}.type: expected text, tool_use or thinking; got {shown(kind)}")
    message: Body = {"role": "assistant", "content": "".join(words) if words or not calls else None}
    return [{**message, "tool_calls": calls} if calls else message]


_ROLES: Final[Mapping[str, Callable[[Iterable[tuple[str, Body]]], list[Body]]]] = {
    "user": _user,
    "assistant": _assistant,
}


def _tool_use(block: Body, where: str) -> Body:
    arguments = dump_json(entry(block.get("input"), f"{where}.input")).decode()
    name = text(block.get("name"), f"{where}.name")
    return {
        "id": text(block.get("id"), f"{where}.id"),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _tool_result(block: Body, where: str) -> tuple[Body, list[Body]]:
    content = block.get("content") or ""
    blocks = [("", {"type": "text", "text": content})] if isinstance(content, str) else None
    parts = [_part(part, place) for place, part in blocks or entries(content, f"{where}.content")]
    words = "\n".join(part["text"] for part in parts if part["type"] == "text")
    if block.get("is_error"):
        words = f"Error: {words}"
    key = text(block.get("tool_use_id"), f"{where}.tool_use_id")
    message = {"role": "tool", "tool_call_id": key, "content": words}
    return message, [part for part in parts if part["type"] != "text"]


def _part(block: Body, where: str) -> Body:
    if block.get("type") == "text":
        return {"type": "text", "text": text(block.get("text"), f"{where}.text")}
    if block.get("type") == "image":
        return {"type": "image_url", "image_url": {"url": _image(entry(block.get("source"), f"{where}.source"), where)}}
    raise InvalidBody(f"{where}.type: expected text, image or tool_result; got {shown(block.get('type'))}")


def _image(source: Body, where: str) -> str:
    if source.get("type") == "url":
        return text(source.get("url"), f"{where}.source.url")
    if source.get("type") == "base64":
        kind = text(source.get("media_type"), f"{where}.source.media_type")
        return f"data:{kind};base64,{text(source.get('data'), f'{where}.source.data')}"
    raise InvalidBody(f"{where}.source.type: expected base64 or url; got {shown(source.get('type'))}")


def _plain(parts: list[Body]) -> str | list[Body]:
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _tools(body: Body) -> Body:
    found: Body = {}
    if body.get("tools"):
        found["tools"] = [_tool(tool, where) for where, tool in entries(body["tools"], "tools")]
    choice = entry(body.get("tool_choice") or {}, "tool_choice")
    if choice:
        word: str = one_of(choice.get("type"), _CHOICES, "tool_choice.type")
        found["tool_choice"] = _named(choice) if word == "tool" else word
    if choice.get("disable_parallel_tool_use"):
        found["parallel_tool_calls"] = False
    return found


def _named(choice: Body) -> Body:
    return {"type": "function", "function": {"name": text(choice.get("name"), "tool_choice.name")}}


def _tool(tool: Body, where: str) -> Body:
    if tool.get("type") not in (None, "custom"):
        raise InvalidBody(f"{where}.type: only tools with an input_schema are supported; got {shown(tool['type'])}")
    return function_tool(tool, entry(tool.get("input_schema"), f"{where}.input_schema"), where)


def _format(body: Body) -> Body:
    form = entry(entry(body.get("output_config") or {}, "output_config").get("format") or {}, "output_config.format")
    if not form:
        return {}
    schema = entry(form.get("schema"), "output_config.format.schema")
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}}
