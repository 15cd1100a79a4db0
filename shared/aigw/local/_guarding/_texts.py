"""The words of a call, for the checks of guardrails and DLP: what the user says, and what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ASKED: Final = frozenset({"content", "text", "input", "arguments", "image_url", "url"})
_ANSWERED: Final = frozenset(
    {"content", "text", "arguments", "response", "reasoning_content", "refusal", "thinking", "input", "result"}
)
_STRUCTURE: Final = frozenset(
    {"messages", "choices", "message", "tool_calls", "function", "output", "summary", "reasoning", "delta"}
)


def prompt_text(body: Mapping[str, Any]) -> str:
    """Give all that a call in OpenAI's shape says to the model, a line for each piece."""
    return "\n".join(_said(body, _ASKED, inside=False))


def answer_text(content: bytes) -> str:
    """Give all that the model says in a whole answer of any dialect; empty when it is no JSON."""
    try:
        value = parse_json(content)
    except ValueError:
        return ""
    return "\n".join(_said(value, _ANSWERED, inside=False))


def _said(value: Any, names: frozenset[str], *, inside: bool) -> Iterator[str]:
    if isinstance(value, str):
        if inside:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _said(item, names, inside=inside)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in names:
                yield from _said(item, names, inside=True)
            elif name in _STRUCTURE or (inside and not isinstance(item, str)):
                yield from _said(item, names, inside=False)
