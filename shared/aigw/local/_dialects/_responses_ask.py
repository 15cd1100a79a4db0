"""OpenAI's Responses request as a chat completion's.

Source: OpenAI API reference, Create a model response, Create chat completion. The local gateway keeps no conversation:
what refers to an earlier response, a stored prompt or a file is refused, and so are the tools that OpenAI's servers
run. `store`, `include`, `metadata` and reasoning items are left out. `developer` messages are sent as `system`, which
every OpenAI-compatible upstream knows, and `max_output_tokens` as `max_tokens` for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._given import shown
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
    from collections.abc import Callable, Mapping

_SAMPLING: Final = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "user": "user",
    "service_tier": "service_tier",
}
_REFUSED: Final = ("previous_response_id", "conversation", "prompt", "background")
_ROLES: Final = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_SCHEMA: Final = {"name": "name", "schema": "schema", "strict": "strict", "description": "description"}


def ask(body: Body) -> Body:
    """Translate the request.

    Raises:
        InvalidBody: A field is missing, of the wrong type, or of a kind that chat completions cannot say.
    """
    for name in _REFUSED:
        if body.get(name):
            raise InvalidBody(f"{name}: not supported, for the local gateway keeps no responses")
    instructions = body.get("instructions")
    system = [{"role": "system", "content": text(instructions, "instructions")}] if instructions else []
    return {
        "model": text(body.get("model"), "model"),
        "messages": [*system, *_messages(body.get("input"))],
        **pick(body, _SAMPLING),
        **pick(entry(body.get("reasoning") or {}, "reasoning"), {"effort": "reasoning_effort"}),
        **_tools(body),
        **_format(entry(body.get("text") or {}, "text")),
        **stream_fields(body),
    }


def _messages(value: object) -> list[Body]:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    messages: list[Body] = []
    for where, item in entries(value, "input"):
        write = one_of(item.get("type", "message"), _ITEMS, f"{where}.type")
        for message in write(item, where):
            _append(messages, message)
    if not messages:
        raise InvalidBody("input: at least one message is required")
    return messages


def _append(messages: list[Body], message: Body) -> None:
    """Join tool calls to the assistant's message before them, which is where chat completions want them."""
    last = messages[-1] if messages else {}
    if last.get("role") == message["role"] == "assistant" and "tool_calls" in message:
        last.setdefault("tool_calls", []).extend(message["tool_calls"])
    else:
        messages.append(message)


def _message(item: Body, where: str) -> list[Body]:
    role = one_of(item.get("role"), _ROLES, f"{where}.role")
    content = item.get("content")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    parts = [_part(part, place) for place, part in entries(content, f"{where}.content")]
    if role == "assistant" or (len(parts) == 1 and parts[0]["type"] == "text"):
        return [{"role": role, "content": _joined(parts, where)}]
    return [{"role": role, "content": parts}]


def _call(item: Body, where: str) -> list[Body]:
    function = {name: text(item.get(name), f"{where}.{name}") for name in ("name", "arguments")}
    call = {"id": text(item.get("call_id"), f"{where}.call_id"), "type": "function", "function": function}
    return [{"role": "assistant", "content": None, "tool_calls": [call]}]


def _output(item: Body, where: str) -> list[Body]:
    output = item.get("output")
    if not isinstance(output, str):
        output = _joined([_part(part, place) for place, part in entries(output, f"{where}.output")], f"{where}.output")
    return [{"role": "tool", "tool_call_id": text(item.get("call_id"), f"{where}.call_id"), "content": output}]


def _nothing(item: Body, where: str) -> list[Body]:  # noqa: ARG001 -- one row of the table
    return []


_ITEMS: Final[Mapping[str, Callable[[Body, str], list[Body]]]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _output,
    "reasoning": _nothing,
}


def _joined(parts: list[Body], where: str) -> str:
    if any(part["type"] != "text" for part in parts):
        raise InvalidBody(f"{where}: only text is supported here")
    return "".join(part["text"] for part in parts)


def _part(part: Body, where: str) -> Body:
    read = one_of(part.get("type"), _PARTS, f"{where}.type")
    found: Body = read(part, where)
    return found


def _text_part(part: Body, where: str) -> Body:
    return {"type": "text", "text": text(part.get("text"), f"{where}.text")}


def _refusal_part(part: Body, where: str) -> Body:
    return {"type": "text", "text": text(part.get("refusal"), f"{where}.refusal")}


def _image_part(part: Body, where: str) -> Body:
    url = text(part.get("image_url"), f"{where}.image_url")
    return {"type": "image_url", "image_url": {"url": url, **pick(part, {"detail": "detail"})}}


_PARTS: Final[Mapping[str, Callable[[Body, str], Body]]] = {
    "input_text": _text_part,
    "output_text": _text_part,
    "text": _text_part,
    "refusal": _refusal_part,
    "input_image": _image_part,
}


def _tools(body: Body) -> Body:
    found: Body = {}
    if body.get("tools"):
        found["tools"] = [_tool(tool, where) for where, tool in entries(body["tools"], "tools")]
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        found["tool_choice"] = choice
    elif choice is not None:
        found["tool_choice"] = _named(entry(choice, "tool_choice"))
    return found


def _tool(tool: Body, where: str) -> Body:
    if tool.get("type") != "function":
        raise InvalidBody(f"{where}.type: only function tools are supported; got {shown(tool.get('type'))}")
    return function_tool(tool, tool.get("parameters"), where)


def _named(choice: Body) -> Body:
    if choice.get("type") != "function":
        raise InvalidBody(f"tool_choice.type: only function is supported; got {shown(choice.get('type'))}")
    return {"type": "function", "function": {"name": text(choice.get("name"), "tool_choice.name")}}


def _format(options: Body) -> Body:
    form = entry(options.get("format") or {"type": "text"}, "text.format")
    write: Callable[[Body], Body] = one_of(form.get("type"), _FORMATS, "text.format.type")
    return {**write(form), **pick(options, {"verbosity": "verbosity"})}


_FORMATS: Final[Mapping[str, Callable[[Body], Any]]] = {
    "text": lambda _: {},
    "json_object": lambda _: {"response_format": {"type": "json_object"}},
    "json_schema": lambda form: {"response_format": {"type": "json_schema", "json_schema": pick(form, _SCHEMA)}},
}
