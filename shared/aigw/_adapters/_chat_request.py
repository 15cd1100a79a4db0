"""A chat completion as an adapter asks for it: what is sent, and from which parameters it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._endpoints import Surface
    from aigw._options import GatewayOptions

_MAX_TOKENS_NAMES: Final = frozenset({"max_tokens", "max_completion_tokens"})
_OF_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")


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
