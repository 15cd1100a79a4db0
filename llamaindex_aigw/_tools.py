"""Tools, there and back: LlamaIndex's tools to the wire, a model's calls to LlamaIndex's selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json

from aigw.integration import shown
from llamaindex_aigw._decode import INVALID_CALLS
from llamaindex_aigw._schemas import close_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llama_index.core.base.llms.types import ChatResponse
    from llama_index.core.tools.types import BaseTool, ToolMetadata

_MODES: Final = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


def encode_tools(tools: Sequence[BaseTool], *, strict: bool = False) -> list[dict[str, Any]]:
    """Encode tools as functions.

    Args:
        tools: The tools.
        strict: Have the model keep to the schemas, which strict mode wants closed: every property is required and no
            other is allowed.
    """
    return [encode_function(tool.metadata, strict=strict) for tool in tools]


def encode_function(metadata: ToolMetadata, *, strict: bool = False) -> dict[str, Any]:
    """Encode what LlamaIndex says of one tool; `strict` as in `encode_tools`."""
    tool = metadata.to_openai_tool(skip_length_check=True)
    if not strict:
        return tool
    function = tool["function"]
    return {**tool, "function": {**function, "parameters": close_schema(function["parameters"]), "strict": True}}


def encode_tool_choice(
    choice: str | dict[str, Any] | None, tools: Iterable[Mapping[str, Any]], *, is_required: bool = False
) -> str | dict[str, Any] | None:
    """Encode which tool is to be called; `None` when nothing was said, which leaves it to the model.

    Args:
        choice: A tool's name, `auto`, `none`, `required` (or `any`), or the wire's own object.
        tools: The encoded tools to choose from.
        is_required: Whether some tool must be called, where `choice` does not say.

    Raises:
        ValueError: It names none of the tools.
    """
    if choice is None:
        return "required" if is_required else None
    if isinstance(choice, dict):
        return choice
    names = [tool["function"]["name"] for tool in tools]
    if choice in names:
        return {"type": "function", "function": {"name": choice}}
    if not isinstance(choice, str) or choice not in _MODES:
        raise ValueError(f"tool_choice {shown(choice)} names no tool; given are {', '.join(names) or 'none'}")
    return _MODES[choice]


def decode_tool_calls(message: ChatMessage) -> list[ToolSelection]:
    """Give the tools a message calls.

    Arguments still on their way are completed as far as they go. Those of a finished message are not: a call that was
    cut off has none, lest a tool be called with half a number.
    """
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    invalid = message.additional_kwargs.get(INVALID_CALLS) or ()
    return [
        ToolSelection(
            tool_id=block.tool_call_id or f"call_{place}",
            tool_name=block.tool_name,
            tool_kwargs={} if block.tool_call_id in invalid else _arguments(block.tool_kwargs),
        )
        for place, block in enumerate(blocks)
    ]


def keep_first_call(response: ChatResponse) -> ChatResponse:
    """Give a response without the tool calls after its first."""
    message = response.message
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if len(calls) <= 1:
        return response
    more = message.additional_kwargs
    kept = ChatMessage(
        role=message.role,
        blocks=[block for block in message.blocks if not isinstance(block, ToolCallBlock) or block is calls[0]],
        additional_kwargs={**more, "tool_calls": more.get("tool_calls", [])[:1]},
    )
    return response.model_copy(update={"message": kept})


def _arguments(arguments: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(arguments, dict):
        return arguments
    try:
        parsed: Any = parse_partial_json(arguments)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
