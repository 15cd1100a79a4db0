"""From what a model was made with and what a call adds to the request that is sent.

The later wins: the model's fields, its `additional_kwargs`, the call's keywords. A keyword that is `None` leaves its
parameter out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw.integration import ChatRequest, merge_parameters, refuse_connection_keywords, told_again
from llamaindex_aigw._messages import encode_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llama_index.core.base.llms.types import ChatMessage


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
        ConfigurationError: A keyword is none of a call's.
        ValueError: A message holds a block that the wire cannot carry.
    """
    refuse_connection_keywords(call, "CloudflareAIGateway")
    usage = {"stream_options": {"include_usage": True}} if is_stream else {}
    params = merge_parameters({**usage, **defaults}, call)
    options, surface = params.pop("gateway_options", None), params.pop("surface", None)
    model = params.pop("model", None)
    body = {"model": model, "messages": encode_messages(messages, told_again(model)), **params}
    return ChatRequest(body, options, surface)
