"""LangChain messages to the messages of OpenAI's chat completions.

Equal messages give equal dicts with keys in the same order, so that the gateway's cache and recorded tests know them
again. The messages given are never changed.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from aigw.integration import tell_again
from langchain_aigw._blocks import encode_content
from langchain_aigw._tool_calls import CALL_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from langchain_core.messages import InvalidToolCall, ToolCall

WireMessage = dict[str, Any]


def encode_messages(messages: Iterable[BaseMessage], again: Collection[str] = ()) -> list[WireMessage]:
    """Encode messages in their order.

    Args:
        messages: The messages.
        again: What else the model must be sent of its own answers, as `aigw.integration.told_again` names it.

    Raises:
        TypeError: A message is of a kind the wire has no role for.
        ValueError: A block holds data that no part can carry.
    """
    if not again:
        return [_encoder_of(type(message))(message) for message in messages]
    return [_tell_again(_encoder_of(type(message))(message), message, again) for message in messages]


@cache
def _encoder_of(kind: type[BaseMessage]) -> Callable[[Any], WireMessage]:
    for known, encode in _ENCODERS:
        if issubclass(kind, known):
            return encode
    raise TypeError(f"a {kind.__name__} cannot be sent: the wire has no role for it")


def _encode_plain(role: str, message: BaseMessage) -> WireMessage:
    content, more = message.content, message.additional_kwargs
    wire: WireMessage = {"role": role, "content": content if isinstance(content, str) else encode_content(content)}
    name = message.name or (more and more.get("name"))
    if name:
        wire["name"] = name
    return wire


def _encode_system(message: BaseMessage) -> WireMessage:
    return _encode_plain(message.additional_kwargs.get("__openai_role__", "system"), message)


def _encode_chat(message: ChatMessage) -> WireMessage:
    return _encode_plain(message.role, message)


def _encode_tool(message: ToolMessage) -> WireMessage:
    return {"role": "tool", "content": encode_content(message.content), "tool_call_id": message.tool_call_id}


def _encode_assistant(message: AIMessage) -> WireMessage:
    wire = _encode_plain("assistant", message)
    more = message.additional_kwargs
    if not (more or message.tool_calls or message.invalid_tool_calls) and isinstance(message.content, str):
        return wire
    calls = encode_tool_calls(message.tool_calls, message.invalid_tool_calls) or more.get("tool_calls")
    if calls:
        wire["tool_calls"] = calls
    said = {"function_call": more.get("function_call"), "refusal": more.get("refusal") or _refusal(message.content)}
    wire |= {key: value for key, value in said.items() if value}
    audio = more.get("audio")
    if isinstance(audio, dict) and audio.get("id"):
        wire["audio"] = {"id": audio["id"]}
    if not wire["content"]:
        wire["content"] = None if _SAYS_IT_ELSEWHERE & wire.keys() else ""
    return wire


def _tell_again(wire: WireMessage, message: BaseMessage, again: Collection[str]) -> WireMessage:
    """Add what an answer said beside words and calls."""
    if not isinstance(message, AIMessage):
        return wire
    more = message.additional_kwargs
    extra, call_extras = more.get("extra_content"), more.get(CALL_EXTRAS) or {}
    tell_again(wire, again, thoughts=_thoughts(message), extra=extra, call_extras=call_extras)
    return wire


def _thoughts(message: AIMessage) -> str:
    """Give what a model thought, as LangChain keeps it of old or in a block of its own."""
    thoughts = message.additional_kwargs.get("reasoning_content")
    if isinstance(thoughts, str) and thoughts:
        return thoughts
    blocks = message.content if isinstance(message.content, list) else []
    told = (block.get("reasoning") for block in blocks if isinstance(block, dict) and block.get("type") == "reasoning")
    return "".join(thought for thought in told if isinstance(thought, str))


def _refusal(content: str | list[str | dict[str, Any]]) -> str:
    blocks = content if isinstance(content, list) else []
    return "".join(block.get("refusal", "") for block in blocks if isinstance(block, dict) and _is_refusal(block))


def _is_refusal(block: dict[str, Any]) -> bool:
    return block.get("type") == "refusal" and isinstance(block.get("refusal"), str)


def encode_tool_calls(calls: Iterable[ToolCall], invalid: Iterable[InvalidToolCall] = ()) -> list[dict[str, Any]]:
    """Encode an answer's tool calls; those that were no JSON go back as the model wrote them."""
    return [
        *(_encode_call(call["id"], call["name"], json.dumps(call["args"], ensure_ascii=False)) for call in calls),
        *(_encode_call(call["id"], call["name"] or "", call["args"] or "") for call in invalid),
    ]


def _encode_call(call_id: str | None, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


_SAYS_IT_ELSEWHERE: Final = {"tool_calls", "function_call", "refusal", "audio"}

_ENCODERS: Final[tuple[tuple[type[BaseMessage], Callable[[Any], WireMessage]], ...]] = (
    (HumanMessage, partial(_encode_plain, "user")),
    (AIMessage, _encode_assistant),
    (ToolMessage, _encode_tool),
    (SystemMessage, _encode_system),
    (FunctionMessage, partial(_encode_plain, "function")),
    (ChatMessage, _encode_chat),
)
