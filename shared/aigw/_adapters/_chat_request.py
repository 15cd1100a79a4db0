"""A chat completion as an adapter asks for it: what is sent, from which parameters it is made, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw._errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._endpoints import Surface
    from aigw._options import GatewayOptions

_MAX_TOKENS_NAMES: Final = frozenset({"max_tokens", "max_completion_tokens"})
_OF_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")
_OF_A_MODEL: Final = frozenset(
    {
        "account_id",
        "api_key",
        "api_token",
        "base_url",
        "extra_headers",
        "gateway_id",
        "http_async_client",
        "http_client",
        "logs_token",
        "max_retries",
        "provider_key",
        "request_timeout",
        "timeout",
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

    @property
    def model(self) -> str:
        """The model that is asked."""
        return str(self.body["model"])


def refuse_connection_keywords(call: Mapping[str, Any], kind: str) -> None:
    """Refuse with a call what only a model takes: it would go to the provider, and frameworks publish it.

    A provider's own parameter of such a name can still be sent, where an adapter takes more of the body.

    Args:
        call: The call's keywords, or those bound for later calls.
        kind: The class that takes these.

    Raises:
        ConfigurationError: One is none of a call's; its value is not shown, since it may be a secret.
    """
    if "gateway" in call:
        raise ConfigurationError("gateway cannot be given with a call: did you mean gateway_options?")
    if not _OF_A_MODEL.isdisjoint(call):
        names = ", ".join(name for name in call if name in _OF_A_MODEL)
        raise ConfigurationError(f"{names} cannot be given with a call: make another {kind} with it")


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
