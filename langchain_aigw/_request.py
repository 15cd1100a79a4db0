"""From what a model was made with and what a call adds to the request that is sent.

The later wins: the model's fields, its `model_kwargs`, the call's keywords. A keyword that is `None` leaves its
parameter out. What only LangChain understands stays here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langchain_aigw._encode import encode_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langchain_core.messages import BaseMessage

    from aigw import GatewayOptions, Surface

_NOT_SENT: Final = (
    "extra_body",
    "gateway_options",
    "ls_structured_output_format",
    "stream",
    "stream_options",
    "stream_usage",
    "surface",
)
_ONLY_WITH_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")
MAX_TOKENS_NAMES: Final = frozenset({"max_tokens", "max_completion_tokens"})


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


def build_request(
    messages: Iterable[BaseMessage],
    defaults: Mapping[str, Any],
    call: Mapping[str, Any],
    *,
    stop: list[str] | str | None = None,
    is_stream: bool = False,
) -> ChatRequest:
    """Build the request of one call.

    Args:
        messages: What LangChain passes in.
        defaults: The model's parameters by their names on the wire, and its own `surface` and `stream_usage`.
        call: The call's keywords.
        stop: The call's stop sequences; an empty list leaves them out.
        is_stream: Whether the answer will be streamed.

    Raises:
        TypeError: A message is of a kind the wire has no role for.
        ValueError: A block holds data that no part can carry.
    """
    params = _merge(defaults, call)
    if stop is not None:
        params["stop"] = stop
    if not params.get("stop"):
        params.pop("stop", None)
    if not params.get("tools"):
        for name in _ONLY_WITH_TOOLS:
            params.pop(name, None)
    stream_options = _stream_options(params, defaults, call) if is_stream else {}
    surface = params.get("surface")
    for name in _NOT_SENT:
        params.pop(name, None)
    body = {"model": params.pop("model"), "messages": encode_messages(messages), **params}
    if stream_options:
        body["stream_options"] = stream_options
    for more in (defaults.get("extra_body"), call.get("extra_body")):
        if more:
            body |= more
    return ChatRequest(body, call.get("gateway_options"), surface)


def _merge(defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the call over the defaults; its limit of tokens replaces the default's under either name."""
    if not MAX_TOKENS_NAMES.isdisjoint(call):
        defaults = {name: value for name, value in defaults.items() if name not in MAX_TOKENS_NAMES}
    return {name: value for name, value in {**defaults, **call}.items() if value is not None}


def _stream_options(params: Mapping[str, Any], defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the usage, which upstreams leave out of streams: unless the call says no, or says its own."""
    options = dict(params.get("stream_options") or {})
    wanted = call.get("stream_usage")
    if wanted is None:
        return options or ({"include_usage": True} if defaults.get("stream_usage") else {})
    options.pop("include_usage", None)
    return {**options, "include_usage": True} if wanted else options
