"""Bedrock's Converse request as an OpenAI chat completion's.

Source: Amazon Bedrock API reference, Converse. What OpenAI has no word for is left out (cache points, reasoning, fields
for one model alone); documents and videos would change the answer, and are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._json import dump_json
from aigw.local._dialects._dialect import Body, InvalidBody, entries, entry, function_tool, one_of, pick, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SAMPLING: Final = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "stopSequences": "stop"}
_CHOICES: Final = {"auto": "auto", "any": "required", "tool": "tool"}
_DROPPED: Final = frozenset({"cachePoint", "reasoningContent"})


def ask(body: Body) -> Body:
    """Translate a request for a whole answer.

    Raises:
        InvalidBody: A field is missing, of the wrong type, or of a kind that OpenAI's API cannot say.
    """
    messages = [message for where, item in entries(body.get("messages"), "messages") for message in _turn(item, where)]
    if not messages:
        raise InvalidBody("messages: at least one message is required")
    return {
        "model": text(body.get("model"), "model"),
        "messages": [*_system(body.get("system")), *messages],
        **pick(entry(body.get("inferenceConfig") or {}, "inferenceConfig"), _SAMPLING),
        **_tools(entry(body.get("toolConfig") or {}, "toolConfig")),
    }


def ask_stream(body: Body) -> Body:
    """Translate a request for a streamed answer.

    Raises:
        InvalidBody: As for `ask`.
    """
    return {**ask(body), "stream": True, "stream_options": {"include_usage": True}}


def _system(value: object) -> list[Body]:
    words = [text(block.get("text"), f"{where}.text") for where, block in _blocks(value or [], "system")]
    return [{"role": "system", "content": "\n\n".join(words)}] if words else []


def _blocks(value: object, where: str) -> list[tuple[str, Body]]:
    return [(place, block) for place, block in entries(value, where) if not _DROPPED & block.keys()]


def _turn(message: Body, where: str) -> list[Body]:
    write: Callable[[list[tuple[str, Body]]], list[Body]] = one_of(message.get("role"), _ROLES, f"{where}.role")
    return write(_blocks(message.get("content"), f"{where}.content"))


def _assistant(blocks: list[tuple[str, Body]]) -> list[Body]:
    words = [text(block.get("text"), f"{where}.text") for where, block in blocks if "toolUse" not in block]
    calls = [
        _tool_use(entry(block["toolUse"], f"{where}.toolUse"), where) for where, block in blocks if "toolUse" in block
    ]
    message: Body = {"role": "assistant", "content": "".join(words) if words or not calls else None}
    return [{**message, "tool_calls": calls} if calls else message]


def _user(blocks: list[tuple[str, Body]]) -> list[Body]:
    results = [
        _tool_result(entry(block["toolResult"], f"{where}.toolResult"), f"{where}.toolResult")
        for where, block in blocks
        if "toolResult" in block
    ]
    parts = [_part(block, where) for where, block in blocks if "toolResult" not in block]
    content = parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts
    return [*results, {"role": "user", "content": content}] if parts or not results else results


_ROLES: Final[Mapping[str, Callable[[list[tuple[str, Body]]], list[Body]]]] = {"user": _user, "assistant": _assistant}


def _tool_use(call: Body, where: str) -> Body:
    name = text(call.get("name"), f"{where}.toolUse.name")
    arguments = dump_json(entry(call.get("input") or {}, f"{where}.toolUse.input")).decode()
    key = text(call.get("toolUseId"), f"{where}.toolUse.toolUseId")
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def _tool_result(result: Body, where: str) -> Body:
    words = [
        dump_json(block["json"]).decode() if "json" in block else text(block.get("text"), f"{place}.text")
        for place, block in entries(result.get("content") or [], f"{where}.content")
    ]
    said = "\n".join(words)
    content = f"Error: {said}" if result.get("status") == "error" else said
    return {"role": "tool", "tool_call_id": text(result.get("toolUseId"), f"{where}.toolUseId"), "content": content}


def _part(block: Body, where: str) -> Body:
    if "text" in block:
        return {"type": "text", "text": text(block["text"], f"{where}.text")}
    if "image" not in block:
        raise InvalidBody(f"{where}: expected text, image or toolResult; got {', '.join(block)}")
    image = entry(block["image"], f"{where}.image")
    kind = text(image.get("format"), f"{where}.image.format")
    data = text(entry(image.get("source"), f"{where}.image.source").get("bytes"), f"{where}.image.source.bytes")
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


def _tools(config: Body) -> Body:
    found: Body = {}
    tools = [
        _tool(entry(tool.get("toolSpec"), f"{where}.toolSpec"), where)
        for where, tool in _blocks(config.get("tools") or [], "toolConfig.tools")
    ]
    if tools:
        found["tools"] = tools
    choice = entry(config.get("toolChoice") or {}, "toolConfig.toolChoice")
    if choice:
        word: str = one_of(next(iter(choice)), _CHOICES, "toolConfig.toolChoice")
        found["tool_choice"] = _named(entry(choice["tool"], "toolConfig.toolChoice.tool")) if word == "tool" else word
    return found


def _tool(spec: Body, where: str) -> Body:
    schema = entry(spec.get("inputSchema") or {}, f"{where}.toolSpec.inputSchema").get("json")
    return function_tool(spec, schema, f"{where}.toolSpec")


def _named(choice: Body) -> Body:
    return {"type": "function", "function": {"name": text(choice.get("name"), "toolConfig.toolChoice.tool.name")}}
