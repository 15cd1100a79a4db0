"""Paths to targets: which URL asks for what, as one table for the two hosts whose paths the local gateway serves.

`/client/v4/...` is `api.cloudflare.com`, `/v1/...` is `gateway.ai.cloudflare.com`. What is below a provider's slug is
looked up apart, by `native_surface`, because a step of the universal endpoint names it without a URL. Paths of a shape
that no dialect has are `raw`: whoever is that provider answers them, and nobody else can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from aigw._providers import PROVIDERS
from aigw.local._refusal import Host, RefusalError

Kind = Literal[
    "model",
    "universal",
    "logs",
    "url",
    "gateways",
    "provider_configs",
    "planned",
    "preview",
    "index",
    "openapi",
    "nothing",
]
"""What a path asks for; `planned` is a part of Cloudflare's API that the local gateway does not have yet, `preview` the
gateway host's own `/run`, which Cloudflare has withdrawn."""

Dialect = Literal[
    "chat",
    "embeddings",
    "responses",
    "messages",
    "workers-ai",
    "run",
    "google",
    "google-array",
    "google-sse",
    "google-embed",
    "google-embed-batch",
    "bedrock-claude",
    "bedrock-claude-stream",
    "converse",
    "converse-stream",
    "cohere",
    "cohere-embed",
    "raw",
]
"""The shape of a body; `run` is the REST body `{model, input}`, whose input has a shape that follows from the model,
and `raw` anything else that a provider takes."""

Grammar = Literal["rest", "compat", "native"]
"""How the model is written: `author/model`, `provider/model`, or as the provider writes it."""


@dataclass(frozen=True, slots=True)
class Surface:
    """One way to ask a model.

    Attributes:
        dialect: The shape of the bodies.
        grammar: How the model is written.
        provider: The provider's slug when the path names it.
        endpoint: The path below the provider, or below `ai/` on the REST host; decoded, without query.
        model: The model when the path names it.
        method: The request's method.
        raw: What stands below the provider, as it came: percent-encoded, and with the query.
    """

    dialect: Dialect
    grammar: Grammar
    provider: str = ""
    endpoint: str = ""
    model: str = ""
    method: str = "POST"
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for.

    Attributes:
        kind: What is asked for.
        host: Whose rules and envelopes hold.
        account_id: The account; empty where the path has none.
        gateway_id: The gateway; empty on the REST host, where a header names it.
        rest: What follows the matched path: the tail of a logs path, the provider of `url/{provider}`, the id of a
            provider config, or `provider/path?query` of a call on the gateway host, as it came.
        surface: How the model is asked, when the path says it and not `rest`.
    """

    kind: Kind
    host: Host
    account_id: str = ""
    gateway_id: str = ""
    rest: str = ""
    surface: Surface | None = None


OPENAPI_PATH: Final = "/-/openapi.json"
"""Where the description of all this is: below no path of Cloudflare's."""

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
    ("GET", re.escape(OPENAPI_PATH), "openapi", "rest", None),
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
    ("POST", f"{_GATEWAY}/run/?", "preview", "gateway", None),
    ("GET|POST|PUT|PATCH|DELETE|HEAD", f"{_GATEWAY}/(?P<rest>[^/]+(?:/.*)?)", "model", "gateway", None),
    ("[A-Z]+", "/v1(?:/.*)?", "nothing", "gateway", None),
    ("[A-Z]+", ".*", "nothing", "rest", None),
)
_COMPILED: Final = tuple(
    (re.compile(method), re.compile(path), kind, host, surface) for method, path, kind, host, surface in _ROUTES
)

_GOOGLE: Final = r"(?:v\d\w*/models/|v\d\w*/projects/[^/]+/locations/[^/]+/publishers/google/models/)(?P<model>[^/:]+):"
_CLAUDE_ON_VERTEX: Final = r"v\d\w*/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/:]+):"
_BEDROCK: Final = r"bedrock-runtime/[^/]+/model/(?P<model>.+)/"
_CLAUDE_ON_BEDROCK: Final = r"bedrock-runtime/[^/]+/model/(?P<model>.*anthropic.*)/"
_NATIVE: Final[tuple[tuple[str, str, Dialect, Grammar], ...]] = (
    (r"compat", r"chat/completions", "chat", "compat"),
    (r"compat", r"embeddings", "embeddings", "compat"),
    (r"workers-ai", r"v1/chat/completions", "chat", "native"),
    (r"workers-ai", r"v1/embeddings", "embeddings", "native"),
    (r"workers-ai", r"(?:run/)?(?P<model>@.+)", "workers-ai", "native"),
    (r"azure-openai", r"[^/]+/(?P<model>[^/]+)/chat/completions", "chat", "native"),
    (r"azure-openai", r"[^/]+/(?P<model>[^/]+)/embeddings", "embeddings", "native"),
    (r"google-ai-studio|google-vertex-ai", rf"{_GOOGLE}generateContent", "google", "native"),
    (r"google-ai-studio|google-vertex-ai", rf"{_GOOGLE}streamGenerateContent", "google-array", "native"),
    (r"google-ai-studio|google-vertex-ai", rf"{_GOOGLE}embedContent", "google-embed", "native"),
    (r"google-ai-studio|google-vertex-ai", rf"{_GOOGLE}batchEmbedContents", "google-embed-batch", "native"),
    (r"google-vertex-ai", rf"{_CLAUDE_ON_VERTEX}(?:rawPredict|streamRawPredict)", "messages", "native"),
    (r"aws-bedrock", rf"{_CLAUDE_ON_BEDROCK}invoke", "bedrock-claude", "native"),
    (r"aws-bedrock", rf"{_CLAUDE_ON_BEDROCK}invoke-with-response-stream", "bedrock-claude-stream", "native"),
    (r"aws-bedrock", rf"{_BEDROCK}converse", "converse", "native"),
    (r"aws-bedrock", rf"{_BEDROCK}converse-stream", "converse-stream", "native"),
    (r"cohere", r"v2/chat", "cohere", "native"),
    (r"cohere", r"v2/embed", "cohere-embed", "native"),
    (r".+", r"(?:.+/)?chat/completions", "chat", "native"),
    (r".+", r"(?:.+/)?embeddings", "embeddings", "native"),
    (r".+", r"(?:.+/)?responses", "responses", "native"),
    (r".+", r"(?!(?:.+/)?threads/)(?:.+/)?messages", "messages", "native"),
)
_AS_EVENTS: Final[dict[Dialect, Dialect]] = {"google-array": "google-sse"}
_CUSTOM: Final = re.compile(r"custom-.+")
_COMPAT_ENDPOINTS: Final = frozenset({"chat/completions", "embeddings"})


def find_target(method: str, url: str) -> Target:
    """Tell what a request is for.

    Args:
        method: The method in upper case.
        url: The URL, absolute or from its path on; host and query do not matter.
    """
    parts = urlsplit(url)
    return _as_it_came(_find(method, unquote(parts.path)), parts.path, parts.query)


@lru_cache(maxsize=1024)
def _find(method: str, path: str) -> Target:
    for methods, pattern, kind, host, surface in _COMPILED:
        match = pattern.fullmatch(path)
        if match and methods.fullmatch(method):
            return _target(kind, host, surface, match.groupdict(default=""))
    return Target("nothing", "rest")


def is_provider(slug: str) -> bool:
    """Tell whether a slug may stand in a gateway path or before a compat model."""
    return slug in PROVIDERS or _CUSTOM.fullmatch(slug) is not None


def split_provider(rest: str) -> tuple[str, str]:
    """Split `provider/path?query` into the provider and what stands below it."""
    path, mark, query = rest.partition("?")
    provider, _, below = path.partition("/")
    return unquote(provider), f"{below}{mark}{query}"


def native_surface(provider: str, path: str, method: str = "POST") -> Surface:
    """Tell how a model is asked below `/v1/{account}/{gateway}/`.

    Args:
        provider: The provider's slug, or `compat`.
        path: What stands below it, query included.
        method: The request's method; what is not a POST has no dialect.

    Raises:
        RefusalError: 400/2008 for an unknown provider or compat path, 404/7002 for no path at all, which only a custom
            provider may have.
    """
    encoded, _, query = path.partition("?")
    endpoint = unquote(encoded).strip("/")
    compat = provider == "compat"
    if (compat and (endpoint not in _COMPAT_ENDPOINTS or method != "POST")) or not (compat or is_provider(provider)):
        raise RefusalError(400, 2008, "Invalid provider")
    if not (endpoint or _CUSTOM.fullmatch(provider)):
        raise RefusalError(404, 7002, f"No path below {provider}: the provider's own path is to follow")
    dialect, grammar, model = _shape(provider, endpoint) if method == "POST" else _NO_SHAPE
    if dialect in _AS_EVENTS and "sse" in parse_qs(query).get("alt", ()):
        dialect = _AS_EVENTS[dialect]
    return Surface(dialect, grammar, "" if compat else provider, endpoint, model, method, path)


_NO_SHAPE: Final[tuple[Dialect, Grammar, str]] = ("raw", "native", "")


@lru_cache(maxsize=1024)
def _shape(provider: str, endpoint: str) -> tuple[Dialect, Grammar, str]:
    for slug, path, dialect, grammar in _NATIVE:
        match = re.fullmatch(path, endpoint) if re.fullmatch(slug, provider) else None
        if match:
            return dialect, grammar, match.groupdict().get("model", "")
    return _NO_SHAPE


def _target(kind: Kind, host: Host, surface: Surface | None, found: dict[str, str]) -> Target:
    if surface and "model" in found:
        surface = replace(surface, provider="workers-ai", model=found["model"])
    return Target(kind, host, found.get("account", ""), found.get("gateway", ""), found.get("rest", ""), surface)


def _as_it_came(target: Target, path: str, query: str) -> Target:
    """Give a call on the gateway host the rest of its path undecoded, for that is what a provider is to get."""
    if target.kind != "model" or target.host != "gateway":
        return target
    segments = path.split("/", 4)
    rest = segments[4] if len(segments) > 4 else target.rest  # where a slash before it is encoded itself
    rest = f"{rest}?{query}" if query else rest
    return target if rest == target.rest else replace(target, rest=rest)


def gateway_url(origin: str, account_id: str, gateway_id: str, provider: str) -> str:
    """Give the address of a gateway, or of a provider behind it.

    Without a provider, or with `universal`, the address ends in a slash; with one it does not. Source: Workers AI
    docs, binding methods, `getUrl`.
    """
    base = f"{origin}/v1/{account_id}/{gateway_id}/"
    return base if provider in {"", "universal"} else base + provider
