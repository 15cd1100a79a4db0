"""Content blocks to the wire: LangChain's v0 and v1 blocks, OpenAI's parts, and Anthropic's images.

Blocks are met in messages of every origin, since a history may have been written by another model. What the wire has no
word for because it says it elsewhere (tool calls) or not at all (reasoning, tools that ran elsewhere) is left out; what
is unknown is passed on.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import convert_to_openai_data_block, is_data_content_block

from aigw.integration import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Block = dict[str, Any]

_TOOLS_ELSEWHERE: Final = frozenset(
    {
        "apply_patch_call",
        "code_execution_result",
        "code_interpreter_call",
        "computer_call",
        "custom_tool_call",
        "executable_code",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "mcp_tool_use",
        "server_tool_call",
        "server_tool_call_chunk",
        "server_tool_result",
        "server_tool_use",
        "shell_call",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
"""Tools that ran at the provider: as LangChain, OpenAI's responses, Anthropic and Google call them."""

_RESULT_ELSEWHERE: Final = "_tool_result"
"""How Anthropic's results of such tools end: `web_search_tool_result`. A `tool_result` is of a tool that ran here."""

_LEFT_OUT: Final = _TOOLS_ELSEWHERE | frozenset(
    {
        "function_call",
        "invalid_tool_call",
        "reasoning",
        "reasoning_content",
        "redacted_thinking",
        "refusal",
        "thinking",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)


def encode_content(content: str | Iterable[str | Block]) -> str | list[Block]:
    """Encode the content of a message: text stays text, blocks become the parts of OpenAI's chat completions.

    Raises:
        ValueError: A block holds data that no part can carry, such as a file by URL.
    """
    if isinstance(content, str):
        return content
    parts = (encode_block(block) for block in content)
    return [part for part in parts if part is not None]


def encode_block(block: str | Block) -> Block | None:
    """Encode one block; `None` if it is none of the content's.

    Raises:
        ValueError: It holds data that no part can carry.
    """
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = str(block.get("type"))
    if kind in _LEFT_OUT or kind.endswith(_RESULT_ELSEWHERE):
        return None
    encode = _ENCODERS.get(kind)
    if encode:
        return _with_cache_control(encode(block), block)
    return _with_cache_control(convert_to_openai_data_block(block), block) if is_data_content_block(block) else block


def _with_cache_control(part: Block | None, block: Block) -> Block | None:
    """Keep where the provider shall end what it caches; the v1 blocks keep it in their extras."""
    point = block.get("cache_control") or (block.get("extras") or {}).get("cache_control")
    return {**part, "cache_control": point} if point and part else part


def _encode_text(block: Block) -> Block:
    return {"type": "text", "text": block.get("text", "")}


def _encode_document(block: Block) -> Block:
    """Encode a document of plain text, given as text or as its bytes."""
    if "text" in block:
        return _encode_text(block)
    if "base64" in block:
        return {"type": "text", "text": _text_of(block["base64"])}
    raise ValueError("a text-plain block by URL or file id has no part in a chat completion: give its text or base64")


def _text_of(encoded: str) -> str:
    try:
        return b64decode("".join(encoded.split()), validate=True).decode()
    except ValueError:
        raise ValueError("the base64 of a text-plain block is not that of text in UTF-8") from None


def _encode_image(block: Block) -> Block:
    source = block.get("source")
    if isinstance(source, dict):
        return _image_part(_source_url(source))
    detail = block.get("detail") or (block.get("extras") or {}).get("detail")
    part = convert_to_openai_data_block(block)
    return {**part, "image_url": {**part["image_url"], "detail": detail}} if detail else part


def _source_url(source: Block) -> str:
    """Give the URL of Anthropic's image source."""
    if source.get("type") == "base64":
        return f"data:{source['media_type']};base64,{source['data']}"
    if source.get("url"):
        return str(source["url"])
    raise ValueError(f"an image source of type {shown(source.get('type'))} has no part in a chat completion")


def _image_part(url: str) -> Block:
    return {"type": "image_url", "image_url": {"url": url}}


def _encode_image_url(block: Block) -> Block:
    image = block.get("image_url")
    return _image_part(image) if isinstance(image, str) else {"type": "image_url", "image_url": image}


def _encode_file(block: Block) -> Block:
    return block if isinstance(block.get("file"), dict) else convert_to_openai_data_block(block)


def _encode_non_standard(block: Block) -> Block | None:
    value = block.get("value")
    return encode_block(value) if isinstance(value, dict) else None


_ENCODERS: Final[dict[str, Callable[[Block], Block | None]]] = {
    "file": _encode_file,
    "image": _encode_image,
    "image_url": _encode_image_url,
    "non_standard": _encode_non_standard,
    "text": _encode_text,
    "text-plain": _encode_document,
}
