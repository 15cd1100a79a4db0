"""Paths to targets: which URL asks for what, as one table for the two hosts whose paths the local gateway serves.

`/client/v4/...` is `api.cloudflare.com`, `/v1/...` is `gateway.ai.cloudflare.com`. What is below a provider's slug is
looked up apart, by `native_surface`, because a step of the universal endpoint names it without a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from aigw._providers import PROVIDERS
from aigw.local._refusal import Host, RefusalError

Kind = Literal["model", "universal", "logs", "url", "gateways", "provider_configs", "planned", "index", "nothing"]
"""What a path asks for; `planned` is a part of Cloudflare's API that the local gateway does not have yet."""

Dialect = Literal["chat", "embeddings", "responses", "messages", "workers-ai", "run"]
"""The shape of a body; `run` is the REST body `{model, input}`, whose input has a shape that follows from the model."""

Grammar = Literal["rest", "compat", "native"]
"""How the model is written: `author/model`, `provider/model`, or as the provider writes it."""


@dataclass(frozen=True, slots=True)
class Surface:
    """One way to ask a model.

    Attributes:
        dialect: The shape of the bodies.
        grammar: How the model is written.
        provider: The provider's slug when the path names it.
        endpoint: The path below the provider, or below `ai/` on the REST host.
        model: The model when the path names it.
    """

    dialect: Dialect
    grammar: Grammar
    provider: str = ""
    endpoint: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for.

    Attributes:
        kind: What is asked for.
        host: Whose rules and envelopes hold.
        account_id: The account; empty where the path has none.
        gateway_id: The gateway; empty on the REST host, where a header names it.
        rest: What follows the matched path: the tail of a logs path, the provider of `url/{provider}`, the id of a
            provider config, or `provider/path` of a call on the gateway host.
        surface: How the model is asked, when the path says it and not `rest`.
    """

    kind: Kind
    host: Host
    account_id: str = ""
    gateway_id: str = ""
    rest: str = ""
    surface: Surface | None = None


_REST: Final = "/client/v4/accounts/(?P<account>[^/]+)"
_MANAGEMENT: Final = f"{_REST}/ai-gateway"
_GATEWAY: Final = "/v1/(?P<account>[^/]+)/(?P<gateway>[^/]+)"
_REST_SURFACES: Final[tuple[tuple[str, Surface], ...]] = (
    ("run", Surface("run", "rest", endpoint="run")),
    ("v1/chat/completions", Surface("chat", "rest", endpoint="v1/chat/completions")),
    ("v1/responses", Surface("responses", "rest", endpoint="v1/responses")),
    ("v1/messages", Surface("messages", "rest", endpoint="v1/messages")),
    ("v1/embeddings", Surface("embeddings", "rest", endpoint="v1/embeddings")),
)
_ROUTES: Final[tuple[tuple[str, str, Kind, Host, Surface | None], ...]] = (
    ("GET", "/", "index", "rest", None),
    *(("POST", f"{_REST}/ai/{path}", "model", "rest", surface) for path, surface in _REST_SURFACES),
    ("POST", f"{_REST}/ai/run/(?P<model>.+)", "model", "rest", Surface("workers-ai", "rest", endpoint="run")),
    ("[A-Z]+", f"{_MANAGEMENT}/gateways/(?P<gateway>[^/]+)/logs(?P<rest>(?:/.*)?)", "logs", "rest", None),
    ("GET", f"{_MANAGEMENT}/gateways/(?P<gateway>[^/]+)/url(?:/(?P<rest>[^/]*))?", "url", "rest", None),
    ("[A-Z]+", f"{_MANAGEMENT}/gateways(?:/(?P<gateway>[^/]+))?", "gateways", "rest", None),
    (
        "[A-Z]+",
        f"{_MANAGEMENT}/gateways/(?P<gateway>[^/]+)/provider_configs(?:/(?P<rest>[^/]+))?",
        "provider_configs",
        "rest",
        None,
    ),
    ("[A-Z]+", f"{_MANAGEMENT}(?:/.*)?", "planned", "rest", None),
    ("POST", f"{_GATEWAY}/?", "universal", "gateway", None),
    ("POST", f"{_GATEWAY}/(?P<rest>[^/]+/.+)", "model", "gateway", None),
    ("[A-Z]+", "/v1(?:/.*)?", "nothing", "gateway", None),
    ("[A-Z]+", ".*", "nothing", "rest", None),
)
_COMPILED: Final = tuple(
    (re.compile(method), re.compile(path), kind, host, surface) for method, path, kind, host, surface in _ROUTES
)

_NATIVE: Final[tuple[tuple[str, str, Dialect, Grammar], ...]] = (
    (r"compat", r"chat/completions", "chat", "compat"),
    (r"compat", r"embeddings", "embeddings", "compat"),
    (r"workers-ai", r"v1/chat/completions", "chat", "native"),
    (r"workers-ai", r"v1/embeddings", "embeddings", "native"),
    (r"workers-ai", r"(?:run/)?(?P<model>@.+)", "workers-ai", "native"),
    (r"azure-openai", r"[^/]+/(?P<model>[^/]+)/chat/completions", "chat", "native"),
    (r"azure-openai", r"[^/]+/(?P<model>[^/]+)/embeddings", "embeddings", "native"),
    (r".+", r"(?:.+/)?chat/completions", "chat", "native"),
    (r".+", r"(?:.+/)?embeddings", "embeddings", "native"),
    (r".+", r"(?:.+/)?responses", "responses", "native"),
    (r".+", r"(?:.+/)?messages", "messages", "native"),
)
_COMPAT_ENDPOINTS: Final = frozenset({"chat/completions", "embeddings"})


def find_target(method: str, url: str) -> Target:
    """Tell what a request is for.

    Args:
        method: The method in upper case.
        url: The URL, absolute or from its path on; host and query do not matter.
    """
    path = unquote(urlsplit(url).path)
    for methods, pattern, kind, host, surface in _COMPILED:
        match = pattern.fullmatch(path)
        if match and methods.fullmatch(method):
            return _target(kind, host, surface, match.groupdict(default=""))
    return Target("nothing", "rest")


def is_provider(slug: str) -> bool:
    """Tell whether a slug may stand in a gateway path or before a compat model."""
    return slug in PROVIDERS or slug.startswith("custom-")


def native_surface(provider: str, endpoint: str) -> Surface:
    """Tell how a model is asked below `/v1/{account}/{gateway}/`.

    Args:
        provider: The provider's slug, or `compat`.
        endpoint: The path below it, without query and outer slashes.

    Raises:
        RefusalError: 400/2008 for an unknown provider or compat path, 404/7002 for a path the provider lacks here.
    """
    compat = provider == "compat"
    if (compat and endpoint not in _COMPAT_ENDPOINTS) or not (compat or is_provider(provider)):
        raise RefusalError(400, 2008, "Invalid provider")
    for slug, path, dialect, grammar in _NATIVE:
        match = re.fullmatch(path, endpoint) if re.fullmatch(slug, provider) else None
        if match:
            model = match.groupdict().get("model", "")
            return Surface(dialect, grammar, "" if compat else provider, endpoint, model)
    raise RefusalError(404, 7002, f"the local gateway has no {provider}/{endpoint}")


def _target(kind: Kind, host: Host, surface: Surface | None, found: dict[str, str]) -> Target:
    if surface and "model" in found:
        surface = replace(surface, provider="workers-ai", model=found["model"])
    return Target(kind, host, found.get("account", ""), found.get("gateway", ""), found.get("rest", ""), surface)


def gateway_url(origin: str, account_id: str, gateway_id: str, provider: str) -> str:
    """Give the address of a gateway, or of a provider behind it.

    Without a provider, or with `universal`, the address ends in a slash; with one it does not. Source: Workers AI
    docs, binding methods, `getUrl`.
    """
    base = f"{origin}/v1/{account_id}/{gateway_id}/"
    return base if provider in {"", "universal"} else base + provider
