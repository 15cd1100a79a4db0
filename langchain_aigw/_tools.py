"""Tools and the choice of one, in the forms LangChain allows, on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from aigw.integration import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ToolChoice = str | bool | dict[str, Any] | None

_MODES: Final = {"any": "required", "required": "required", "auto": "auto", "none": "none"}


def encode_tool(
    tool: dict[str, Any] | type | Callable[..., Any] | BaseTool, *, strict: bool | None = None
) -> dict[str, Any]:
    """Encode a tool; the `extras` of a LangChain tool, such as `cache_control`, are entries beside its function.

    Raises:
        ValueError: The tool cannot be described.
    """
    encoded = convert_to_openai_tool(tool, strict=strict)
    extras = tool.extras if isinstance(tool, BaseTool) else None
    return {**encoded, **{name: value for name, value in (extras or {}).items() if name not in encoded}}


def encode_tool_choice(choice: ToolChoice, tools: Iterable[Mapping[str, Any]]) -> str | dict[str, Any] | None:
    """Encode a choice: a tool's name, `auto`, `none`, `any` (also `required`, `True`), or the wire's own dict.

    Args:
        choice: What LangChain was given; `None` and `False` leave the choice out.
        tools: The encoded tools to choose from.

    Raises:
        ValueError: It names none of the tools.
    """
    if choice is None or choice is False:
        return None
    if choice is True:
        return "required"
    if isinstance(choice, dict):
        return choice
    names = tool_names(tools)
    if choice in names:
        return {"type": "function", "function": {"name": choice}}
    if not isinstance(choice, str) or choice not in _MODES:
        raise ValueError(f"tool_choice {shown(choice)} names no tool; bound are {', '.join(names) or 'none'}")
    return _MODES[choice]


def tool_names(tools: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    """Give the names of encoded function tools."""
    return [tool["function"]["name"] for tool in tools if "function" in tool]
