"""From LlamaIndex's chat messages to OpenAI's wire.

Pure but for one thing: an image, a sound or a document given as a local path is read. Nothing is fetched over the
network here, and no message that was given is changed.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from aigw.integration import tell_again

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from llama_index.core.base.llms.types import BaseContentBlock

_ROLES: Final = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "developer",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "function",
}
_CARRIED: Final = {
    "assistant": ("name", "refusal", "function_call"),
    "tool": ("tool_call_id", "name"),
}
"""What of a message's `additional_kwargs` is the wire's, by role; the rest is LlamaIndex's, or ours."""


def encode_messages(messages: Iterable[ChatMessage], again: Collection[str] = ()) -> list[dict[str, Any]]:
    """Encode a conversation.

    Args:
        messages: The messages.
        again: What else the model must be sent of its own answers, as `aigw.integration.told_again` names it.

    Raises:
        ValueError: A message holds a block that the wire cannot carry; the text says which and what to do.
    """
    return [encode_message(message, again) for message in messages]


def encode_message(message: ChatMessage, again: Collection[str] = ()) -> dict[str, Any]:
    """Encode one message: `role`, `content`, and what its role has besides; `again` as in `encode_messages`.

    Raises:
        ValueError: It holds a block that the wire cannot carry.
    """
    role, blocks = _ROLES[message.role], message.blocks
    if not message.additional_kwargs and len(blocks) == 1 and type(blocks[0]) is TextBlock:
        return {"role": role, "content": blocks[0].text}
    encoded: dict[str, Any] = {"role": role, "content": _encode_content(role, blocks)}
    for name in _CARRIED.get(role, ("name",)):
        if message.additional_kwargs.get(name) is not None:
            encoded[name] = message.additional_kwargs[name]
    if role == "assistant":
        if calls := _encode_tool_calls(message):
            encoded["tool_calls"] = calls
            encoded["content"] = encoded["content"] or None
        if again:
            _tell_again(encoded, message, again)
    return encoded


def _tell_again(encoded: dict[str, Any], message: ChatMessage, again: Collection[str]) -> None:
    """Add what an answer said beside words and calls."""
    more = message.additional_kwargs
    thoughts = "".join(block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock))
    told = (call for call in more.get("tool_calls") or () if isinstance(call, dict))
    call_extras = {call.get("id"): call.get("extra_content") for call in told}
    tell_again(encoded, again, thoughts=thoughts, extra=more.get("extra_content"), call_extras=call_extras)


def _encode_content(role: str, blocks: Sequence[BaseContentBlock]) -> str | list[dict[str, Any]]:
    """Give text as one string; a list of parts where a block is more than text, or a cache is to end behind one."""
    spoken = [part for block in blocks for part in _spoken(block)]
    if all(isinstance(block, TextBlock) for block in spoken):
        return "\n".join(block.text for block in spoken if isinstance(block, TextBlock))
    if role != "user":
        _refuse_all_but_text(role, spoken)
    parts: list[dict[str, Any]] = []
    for block in spoken:
        if isinstance(block, CachePoint):
            _mark_cache(parts, block)
        else:
            parts.append(_encode_part(block))
    return parts


def _spoken(block: BaseContentBlock) -> list[BaseContentBlock]:
    """Give what a block says: nothing of thoughts and calls, and of a source its name and its content."""
    if isinstance(block, ThinkingBlock | ToolCallBlock):
        return []
    if isinstance(block, CitableBlock | CitationBlock):
        inner = block.content if isinstance(block, CitableBlock) else [block.cited_content]
        return [TextBlock(text=f"{block.title} ({block.source}):"), *inner]
    return [block]


def _refuse_all_but_text(role: str, blocks: Sequence[BaseContentBlock]) -> None:
    """Refuse what only a user's message may hold."""
    kind = next((type(block).__name__ for block in blocks if not isinstance(block, TextBlock | CachePoint)), None)
    if kind:
        raise ValueError(f"a {role} message cannot carry a {kind}: its content is text; put it in a user message")


def _mark_cache(parts: list[dict[str, Any]], point: CachePoint) -> None:
    """Say of the last part that the provider's cache may end behind it."""
    if not parts:
        raise ValueError("a CachePoint ends what is cached: put it after a block of its message")
    parts[-1]["cache_control"] = {"type": point.cache_control.type, "ttl": point.cache_control.ttl}


def _encode_part(block: BaseContentBlock) -> dict[str, Any]:
    encode = _PARTS.get(type(block))
    if encode is None:
        raise ValueError(
            f"a chat completion request cannot carry a {type(block).__name__}: it takes text, images, sound and "
            "documents"
        )
    return encode(block)


def _encode_text(block: TextBlock) -> dict[str, Any]:
    return {"type": "text", "text": block.text}


def _encode_image(block: ImageBlock) -> dict[str, Any]:
    image = {"url": str(block.url) if block.url else _image_data_url(block)}
    if block.detail:
        image["detail"] = block.detail
    return {"type": "image_url", "image_url": image}


def _image_data_url(block: ImageBlock) -> str:
    content = block.resolve_image().read()
    media_type = block.image_mimetype or ImageBlock(image=content).image_mimetype
    if not media_type:
        raise ValueError("an ImageBlock's kind of image cannot be told from its bytes: give it an image_mimetype")
    return _data_url(media_type, content)


def _encode_audio(block: AudioBlock) -> dict[str, Any]:
    _check_local(block, "AudioBlock", "audio")
    content = block.resolve_audio().read()
    kind = block.format or AudioBlock(audio=content).format
    if not kind:
        raise ValueError("an AudioBlock's format cannot be told from its bytes: give it a format, such as 'wav'")
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(content).decode(), "format": kind}}


def _encode_document(block: DocumentBlock) -> dict[str, Any]:
    _check_local(block, "DocumentBlock", "data")
    content = block.resolve_document().read()
    media_type = block.document_mimetype or DocumentBlock(data=content).document_mimetype
    if not media_type:
        raise ValueError(
            "a DocumentBlock's kind of document cannot be told from its bytes: give it a document_mimetype, such as "
            "'application/pdf'"
        )
    name = block.title or "input_document"
    return {"type": "file", "file": {"filename": name, "file_data": _data_url(media_type, content)}}


_PARTS: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
    TextBlock: _encode_text,
    ImageBlock: _encode_image,
    AudioBlock: _encode_audio,
    DocumentBlock: _encode_document,
}


def _check_local(block: AudioBlock | DocumentBlock, kind: str, field: str) -> None:
    """Refuse a web address, which the wire takes for images only."""
    if block.url and not str(block.url).startswith("data:"):
        raise ValueError(f"a chat completion request cannot carry a {kind} by its url: load it and give its {field}")


def _data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _encode_tool_calls(message: ChatMessage) -> list[dict[str, Any]]:
    """Encode an assistant's tool calls; blocks win over `additional_kwargs`, which older messages have alone."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks:
        return [_without_extra(_plain(call)) for call in message.additional_kwargs.get("tool_calls") or []]
    return [encode_tool_call(block, place) for place, block in enumerate(blocks)]


def encode_tool_call(block: ToolCallBlock, place: int) -> dict[str, Any]:
    """Encode one tool call; one that came without an id is named by its place."""
    arguments = block.tool_kwargs
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": block.tool_call_id or f"call_{place}",
        "type": "function",
        "function": {"name": block.tool_name, "arguments": arguments},
    }


def _without_extra(call: Any) -> Any:
    """Give a tool call without what only the model that made it may be sent."""
    if not isinstance(call, dict) or "extra_content" not in call:
        return call
    return {name: value for name, value in call.items() if name != "extra_content"}


def _plain(call: Any) -> Any:
    """Give a tool call of another integration, often a pydantic model, as a dict."""
    return call.model_dump(exclude_none=True) if hasattr(call, "model_dump") else call
