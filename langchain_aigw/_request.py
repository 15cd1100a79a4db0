"""From what a model was made with and what a call adds to the request that is sent.

The later wins: the model's fields, its `model_kwargs`, the call's keywords. A keyword that is `None` leaves its
parameter out. What only LangChain understands stays here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.integration import ChatRequest, merge_parameters, told_again
from langchain_aigw._encode import encode_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langchain_core.messages import BaseMessage

_NOT_SENT: Final = (
    "extra_body",
    "gateway_options",
    "ls_structured_output_format",
    "stream",
    "stream_options",
    "stream_usage",
    "surface",
)


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
    params = merge_parameters(defaults, call)
    if stop is not None:
        params["stop"] = stop
    if not params.get("stop"):
        params.pop("stop", None)
    stream_options = _stream_options(params, defaults, call) if is_stream else {}
    surface = params.get("surface")
    for name in _NOT_SENT:
        params.pop(name, None)
    model = params.pop("model", None)
    body = {"model": model, "messages": encode_messages(messages, told_again(model)), **params}
    if stream_options:
        body["stream_options"] = stream_options
    for more in (defaults.get("extra_body"), call.get("extra_body")):
        if more:
            body |= more
    return ChatRequest(body, call.get("gateway_options"), surface)


def _stream_options(params: Mapping[str, Any], defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the usage, which upstreams leave out of streams: unless the call says no, or says its own."""
    options = dict(params.get("stream_options") or {})
    wanted = call.get("stream_usage")
    if wanted is None:
        return options or ({"include_usage": True} if defaults.get("stream_usage") else {})
    options.pop("include_usage", None)
    return {**options, "include_usage": True} if wanted else options
