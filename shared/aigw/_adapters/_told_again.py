"""What of its own earlier answers a model must be sent beside words and calls, or refuse the conversation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TOLD_AGAIN: Final = (
    ("extra_content", re.compile(r"gemini|^dynamic/|^cloudflare/auto$")),
    ("reasoning_content", re.compile(r"^(?!groq/|cerebras/).*(?:deepseek-(?!ai/|r1)|kimi-k|mimo-)")),
)
"""What else of an answer must be sent with it, and to which models: the signatures of Gemini's thoughts, which stand in
its tool calls, also where a route may lead to it; the thoughts of those that go on thinking after a tool's answer, but
at providers that call them otherwise. Without these the models refuse the conversation, and others refuse it because of
them. Source: public reports of these refusals; not tried at a live provider."""


def told_again(model: Any) -> frozenset[str]:
    """Name the fields, beside words and calls, that a model must be sent of its own earlier answers.

    Args:
        model: The model that is asked, unchecked.

    Returns:
        Of `extra_content` (of an answer and of its tool calls) and `reasoning_content`; none for most models.
    """
    return _told_again(model) if isinstance(model, str) else frozenset()


def tell_again(
    message: dict[str, Any], again: Collection[str], *, thoughts: str, extra: Any, call_extras: Mapping[Any, Any]
) -> None:
    """Add to an answer, as it is sent again, what its model must be told of it.

    Args:
        message: The answer on the wire, with its `tool_calls`.
        again: As `told_again` names it.
        thoughts: What the model thought.
        extra: The `extra_content` of the answer.
        call_extras: That of its tool calls, by their ids.
    """
    said = {"reasoning_content": thoughts, "extra_content": extra}
    message |= {name: value for name, value in said.items() if value and name in again}
    if call_extras and "extra_content" in again and message.get("tool_calls"):
        message["tool_calls"] = [_with_extra(call, call_extras.get(call.get("id"))) for call in message["tool_calls"]]


def _with_extra(call: dict[str, Any], extra: Any) -> dict[str, Any]:
    return {**call, "extra_content": extra} if extra else call


@lru_cache(maxsize=256)
def _told_again(model: str) -> frozenset[str]:
    return frozenset(field for field, models in _TOLD_AGAIN if models.search(model.lower()))
