"""Messages of this provider as LangChain's standard content blocks, and the translators' registration.

LangChain's generic translation keeps text and a tool call of one stream under one index and so merges them, and its
OpenAI one drops reasoning. The blocks here carry indices of their own: strings, which LangChain merges by when they
begin with `lc_`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import KNOWN_BLOCK_TYPES

from langchain_aigw._decode import PROVIDER

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.messages.content import ContentBlock

Block = dict[str, Any]

_KNOWS_REFUSALS: Final = "refusal" in KNOWN_BLOCK_TYPES
_INDICES: Final = {"reasoning": "lc_rsn_0", "text": "lc_txt_0", "refusal": "lc_rfs_0"}
_CALL_TYPES: Final = frozenset({"tool_call", "tool_call_chunk", "tool_use", "function_call"})


def translate(message: AIMessage) -> list[ContentBlock]:
    """Give the blocks of a whole message: reasoning, content, refusal, tool calls, in this order."""
    return _blocks([*_said(message), *_calls(message)])


def translate_chunk(chunk: AIMessageChunk) -> list[ContentBlock]:
    """Give the blocks of one chunk, or of chunks added up; those of one kind, or of one tool call, have one index."""
    said = [
        {**block, "index": _INDICES.get(block["type"], f"lc_blk_{place}")} for place, block in enumerate(_said(chunk))
    ]
    if chunk.chunk_position == "last" and all(call.get("name") for call in chunk.tool_call_chunks):
        return _blocks([*said, *_calls(chunk)])
    return _blocks([*said, *_call_chunks(chunk)])


def _said(message: AIMessage) -> list[Block]:
    content = [message.content] if isinstance(message.content, str) else message.content
    blocks = [block for part in content if (block := _content_block(part))]
    more = message.additional_kwargs
    reasoning = more.get("reasoning_content")
    if isinstance(reasoning, str) and reasoning and not any(block["type"] == "reasoning" for block in blocks):
        blocks.insert(0, {"type": "reasoning", "reasoning": reasoning})
    refusal = more.get("refusal")
    if _KNOWS_REFUSALS and refusal and not any(block["type"] == "refusal" for block in blocks):
        blocks.append({"type": "refusal", "refusal": str(refusal)})
    return blocks


def _content_block(part: str | Block) -> Block | None:
    """Give the block of one part of the content; `None` if it is empty, or a tool call, told elsewhere."""
    if isinstance(part, str):
        return {"type": "text", "text": part} if part else None
    kind = part.get("type")
    if kind in _CALL_TYPES:
        return None
    if kind == "refusal" and not _KNOWS_REFUSALS:
        return {"type": "non_standard", "value": part}
    return dict(part) if kind in KNOWN_BLOCK_TYPES else {"type": "non_standard", "value": part}


def _calls(message: AIMessage) -> list[Block]:
    return [
        {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
        for call in message.tool_calls
    ]


def _call_chunks(chunk: AIMessageChunk) -> list[Block]:
    return [
        {
            "type": "tool_call_chunk",
            "id": call["id"],
            "name": call["name"],
            "args": call["args"],
            "index": f"lc_tc_{place if call['index'] is None else call['index']}",
        }
        for place, call in enumerate(chunk.tool_call_chunks)
    ]


def _blocks(blocks: list[Block]) -> list[ContentBlock]:
    return cast("list[ContentBlock]", blocks)


register_translator(PROVIDER, translate, translate_chunk)
