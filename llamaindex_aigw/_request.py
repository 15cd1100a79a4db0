"""From what a model was made with and what a call adds to the request that is sent.

The later wins: the model's fields, its `additional_kwargs`, the call's keywords. A keyword that is `None` leaves its
parameter out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from llamaindex_aigw._messages import encode_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llama_index.core.base.llms.types import ChatMessage

    from aigw import GatewayOptions, Surface

_ONLY_WITH_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")
_MAX_TOKENS_NAMES: Final = frozenset({"max_tokens", "max_completion_tokens"})
_NOT_OF_A_CALL: Final = frozenset(
    {
        "account_id",
        "api_token",
        "gateway_id",
        "base_url",
        "provider_key",
        "timeout",
        "max_retries",
        "http_client",
        "http_async_client",
        "extra_headers",
    }
)


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


def build_request(
    messages: Iterable[ChatMessage], defaults: Mapping[str, Any], call: Mapping[str, Any], *, is_stream: bool = False
) -> ChatRequest:
    """Build the request of one call.

    Args:
        messages: The conversation.
        defaults: The model's parameters by their names on the wire, and its own `surface`.
        call: The call's keywords.
        is_stream: Whether the answer will be streamed; then usage is asked for, unless something else is said.

    Raises:
        ValueError: A message holds a block that the wire cannot carry, or a keyword is none of a call's.
    """
    _refuse_connection_keywords(call)
    usage = {"stream_options": {"include_usage": True}} if is_stream else {}
    params = _merge({**usage, **defaults}, call)
    if not params.get("tools"):
        for name in _ONLY_WITH_TOOLS:
            params.pop(name, None)
    options, surface = params.pop("gateway_options", None), params.pop("surface", None)
    body = {"model": params.pop("model"), "messages": encode_messages(messages), **params}
    return ChatRequest(body, options, surface)


def _merge(defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the call over the defaults; its limit of tokens replaces the default's under either name."""
    if not _MAX_TOKENS_NAMES.isdisjoint(call):
        defaults = {name: value for name, value in defaults.items() if name not in _MAX_TOKENS_NAMES}
    return {name: value for name, value in {**defaults, **call}.items() if value is not None}


def _refuse_connection_keywords(call: Mapping[str, Any]) -> None:
    """Refuse with a call what only a model takes: it would go to the provider, and LlamaIndex publishes it."""
    if not _NOT_OF_A_CALL.isdisjoint(call):
        names = ", ".join(name for name in call if name in _NOT_OF_A_CALL)
        raise ValueError(f"{names} cannot be given with a call: make another CloudflareAIGateway with it")
