"""Which URL a call goes to, and how it names the model there: the one place that decides.

Three surfaces: `rest` (api.cloudflare.com, keys stored at the gateway or Unified Billing), `compat` (the gateway host's
OpenAI-shaped endpoint, which names models `slug/model`), and `native` (the gateway host's path of one provider, which
names models as the provider does). A combination that cannot work is refused here, with what to change. Source: AI
Gateway docs, REST API, Unified API, Providers, Bring your own keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._providers import PROVIDERS, REST_ONLY_AUTHORS, SLUG_OF_AUTHOR, Operation, Provider

if TYPE_CHECKING:
    from collections.abc import Callable

Surface = Literal["rest", "compat", "native"]
"""Where a call is sent."""

_SURFACES: Final = (None, *get_args(Surface))
_REST_PATHS: Final[dict[Operation, str]] = {
    "chat": "ai/v1/chat/completions",
    "embeddings": "ai/v1/embeddings",
    "responses": "ai/v1/responses",
    "messages": "ai/v1/messages",
}
_COMPAT_PATHS: Final[dict[Operation, str]] = {
    "chat": "compat/chat/completions",
    "embeddings": "compat/embeddings",
}
_MODEL: Final = re.compile(r"[^\s\\?#%\x00-\x1f\x7f/]+(?:/[^\s\\?#%\x00-\x1f\x7f/]+)*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one call goes.

    Attributes:
        surface: The surface.
        path: The path below the account (`rest`) or below the gateway (`compat`, `native`).
        model: The model's name there.
        provider: The provider whose path and credential header it is; `None` on the other surfaces, where the
        caller's own key goes into `Authorization` whatever the provider.
    """

    surface: Surface
    path: str
    model: str
    provider: Provider | None = None


def choose_endpoint(
    operation: Operation,
    model: str,
    *,
    has_provider_key: bool = False,
    byok_alias: str | None = None,
    surface: Surface | None = None,
) -> Endpoint:
    """Decide where a call goes.

    Args:
        operation: What is asked of the model.
        model: The model id in any of the gateway's grammars.
        has_provider_key: Whether the caller sends a provider key of their own.
        byok_alias: The stored key the caller names, if they name one.
        surface: The caller's own choice, which is obeyed or refused, never replaced.

    Raises:
        ConfigurationError: The combination cannot work; the text says what to change.
    """
    check_model(model)
    if surface not in _SURFACES:
        raise ConfigurationError(f"surface cannot be {shown(surface)}: it is 'rest', 'compat' or 'native'")
    if model.startswith("@cf/") and has_provider_key:
        raise ConfigurationError(
            f"model {shown(model)} runs on Workers AI, which takes no provider key: use a client without provider_key, "
            f"or {shown(f'workers-ai/{model}')} with a Cloudflare token as provider_key"
        )
    chosen = surface or _default_surface(operation, model, has_provider_key=has_provider_key, byok_alias=byok_alias)
    endpoint = _BUILDERS[chosen](operation, model)
    if chosen == "rest" and has_provider_key:
        raise ConfigurationError(
            "provider_key cannot be used on the REST API, which pays by stored keys or Unified Billing: drop "
            "surface='rest', or the provider_key"
        )
    if chosen == "rest" and byok_alias not in (None, "default"):
        raise ConfigurationError(
            f"byok_alias {shown(byok_alias)} has no effect on the REST API, which knows only the alias 'default': use "
            "surface='native'"
        )
    return endpoint


def check_model(model: str) -> None:
    """Refuse what is no model id: empty, not text, with spaces, or with characters that would change a URL.

    Raises:
        ConfigurationError: `model` is no model id.
    """
    if not isinstance(model, str) or not _MODEL.fullmatch(model) or ".." in model.split("/") or "://" in model:
        raise ConfigurationError(
            f"model cannot be {shown(model)}: it is an id such as 'openai/gpt-4.1-mini', "
            "'@cf/meta/llama-3.1-8b-instruct' or 'dynamic/my-route'"
        )


def _default_surface(operation: Operation, model: str, *, has_provider_key: bool, byok_alias: str | None) -> Surface:
    prefix = model.partition("/")[0]
    provider = PROVIDERS.get(prefix)
    if byok_alias not in (None, "default"):
        return "native"
    on_host = has_provider_key or is_route(model) or (provider is not None and not provider.is_author)
    if not on_host:
        return "rest"
    return "compat" if operation == "chat" else "native"


def is_route(model: str) -> bool:
    """Tell whether only the gateway host resolves the id: a route, the Auto Router, a custom provider."""
    return model == "cloudflare/auto" or model.startswith(("dynamic/", "custom-"))


def _rest(operation: Operation, model: str) -> Endpoint:
    if "/" not in model:
        raise ConfigurationError(f"model {shown(model)} has no author: REST names models 'author/model' or '@cf/...'")
    if operation == "messages" and model.startswith("@cf/"):
        raise ConfigurationError(f"the Messages API does not take Workers AI models such as {shown(model)}: use chat")
    return Endpoint("rest", _REST_PATHS[operation], model)


def _compat(operation: Operation, model: str) -> Endpoint:
    if operation not in _COMPAT_PATHS:
        raise ConfigurationError(f"surface='compat' has no {operation} endpoint: use surface='rest' or 'native'")
    prefix = model.partition("/")[0]
    if model.startswith("@cf/"):
        raise ConfigurationError(f"surface='compat' names Workers AI models with their provider: 'workers-ai/{model}'")
    if prefix in SLUG_OF_AUTHOR:
        raise ConfigurationError(
            f"model {shown(model)} names an author, and the gateway host knows providers: write "
            f"'{SLUG_OF_AUTHOR[prefix]}/{model.partition('/')[2]}'"
        )
    if prefix in REST_ONLY_AUTHORS or "/" not in model:
        raise ConfigurationError(
            f"model {shown(model)} names no provider of the gateway host: write 'provider/model', or drop surface and "
            "provider_key to use the REST API"
        )
    return Endpoint("compat", _COMPAT_PATHS[operation], model)


def _native(operation: Operation, model: str) -> Endpoint:
    slug, _, name = ("workers-ai", "", model) if model.startswith("@cf/") else model.partition("/")
    provider = PROVIDERS.get(SLUG_OF_AUTHOR.get(slug, slug))
    path = provider.paths.get(operation) if provider else None
    if provider is None or path is None or not name:
        known = ", ".join(sorted(row.slug for row in PROVIDERS.values() if operation in row.paths))
        raise ConfigurationError(
            f"{operation} of model {shown(model)} has no provider-native endpoint known here (known are {known}): use "
            "another surface, or name provider and endpoint in gateway(...).run([...])"
        )
    return Endpoint("native", f"{provider.slug}/{path}", name, provider)


_BUILDERS: Final[dict[Surface, Callable[[Operation, str], Endpoint]]] = {
    "rest": _rest,
    "compat": _compat,
    "native": _native,
}
