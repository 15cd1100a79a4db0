"""A chat completion as an adapter asks for it: what is sent, from which parameters, and what of earlier answers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._endpoints import Surface
    from aigw._options import GatewayOptions

_MAX_TOKENS_NAMES: Final = frozenset({"max_tokens", "max_completion_tokens"})
_OF_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")
_TOLD_AGAIN: Final = (
    ("extra_content", re.compile(r"gemini|^dynamic/|^cloudflare/auto$")),
    ("reasoning_content", re.compile(r"^(?!groq/|cerebras/).*(?:deepseek-(?!ai/|r1)|kimi-k|mimo-)")),
)
"""What else of an answer must be sent with it, and to which models: the signatures of Gemini's thoughts, which stand in
its tool calls, also where a route may lead to it; the thoughts of those that go on thinking after a tool's answer, but
at providers that call them otherwise. Without these the models refuse the conversation, and others refuse it because of
them. Sources: the providers' documentation ("Thought signatures", "Thinking Mode")."""


class ChatRequest(NamedTuple):
    """One chat completion as the core's client takes it.

    Attributes:
        body: The request in OpenAI's shape.
        gateway: The call's own gateway options.
        surface: Where it is sent, if the caller decided.
    """

    body: dict[str, Any]
    gateway: GatewayOptions | None = None
    surface: Surface | None = None

    @property
    def model(self) -> str:
        """The model that is asked."""
        return str(self.body["model"])


def merge_parameters(defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a call's parameters over a model's; the later wins.

    A `None` leaves its parameter out; the call's limit of tokens replaces the model's under either name; what goes with
    tools is left out where there are none.
    """
    if not _MAX_TOKENS_NAMES.isdisjoint(call):
        defaults = {name: value for name, value in defaults.items() if name not in _MAX_TOKENS_NAMES}
    merged = {name: value for name, value in {**defaults, **call}.items() if value is not None}
    if not merged.get("tools"):
        for name in _OF_TOOLS:
            merged.pop(name, None)
    return merged


def told_again(model: Any) -> frozenset[str]:
    """Name the fields, beside words and calls, that a model must be sent of its own earlier answers.

    Args:
        model: The model that is asked, unchecked.

    Returns:
        Of `extra_content` (of an answer and of its tool calls) and `reasoning_content`; none for most models.
    """
    return _told_again(model) if isinstance(model, str) else frozenset()


@lru_cache(maxsize=256)
def _told_again(model: str) -> frozenset[str]:
    return frozenset(field for field, models in _TOLD_AGAIN if models.search(model.lower()))
