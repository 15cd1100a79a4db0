"""The providers behind the gateway host: slugs, credential headers and paths, as one table.

Source: AI Gateway docs, Providers and Unified API pages, and Cloudflare's own client libraries for the rows the docs
leave out. A provider that is not here can still be called through the universal endpoint, whose steps name it freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Operation = Literal["chat", "embeddings", "responses", "messages"]
"""What a model is asked to do; the four OpenAI- and Anthropic-shaped operations."""

_OPENAI_PATHS: Final[dict[Operation, str]] = {"chat": "chat/completions", "embeddings": "embeddings"}
_V1_PATHS: Final[dict[Operation, str]] = {"chat": "v1/chat/completions", "embeddings": "v1/embeddings"}


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider slug of the gateway host.

    Attributes:
        slug: The name in the URL path and in front of a compat model id.
        upstream: The URL the gateway puts in place of the slug; empty where it depends on the request.
        key_header: The header that carries the user's own key, in lower case.
        key_prefix: What stands before the key in that header.
        paths: Below the slug, the path of each operation the provider has in OpenAI's or Anthropic's shape.
        headers: Fields the provider demands on every request.
        is_author: Whether the slug is also an author name on the REST API, so that `slug/model` means REST there.
    """

    slug: str
    upstream: str = ""
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    paths: dict[Operation, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    is_author: bool = False


_ROWS: Final = (
    Provider("openai", "https://api.openai.com/v1", paths={**_OPENAI_PATHS, "responses": "responses"}, is_author=True),
    Provider(
        "anthropic",
        "https://api.anthropic.com",
        key_header="x-api-key",
        key_prefix="",
        paths={"messages": "v1/messages"},
        headers=(("anthropic-version", "2023-06-01"),),
        is_author=True,
    ),
    Provider("workers-ai", "https://api.cloudflare.com", paths=_V1_PATHS),
    Provider(
        "google-ai-studio",
        "https://generativelanguage.googleapis.com",
        key_header="x-goog-api-key",
        key_prefix="",
    ),
    Provider("google-vertex-ai"),
    Provider("azure-openai", key_header="api-key", key_prefix=""),
    Provider("aws-bedrock"),
    Provider("grok", "https://api.x.ai", paths={"chat": "v1/chat/completions", "responses": "v1/responses"}),
    Provider("groq", "https://api.groq.com/openai/v1", paths=_OPENAI_PATHS),
    Provider("mistral", "https://api.mistral.ai", paths=_V1_PATHS),
    Provider("deepseek", "https://api.deepseek.com", paths={"chat": "chat/completions"}, is_author=True),
    Provider("cerebras", "https://api.cerebras.ai", paths={"chat": "v1/chat/completions"}),
    Provider("cohere", "https://api.cohere.com"),
    Provider("replicate", "https://api.replicate.com"),
    Provider("cartesia", "https://api.cartesia.ai", key_header="x-api-key", key_prefix=""),
    Provider("ideogram", "https://api.ideogram.ai", key_header="api-key", key_prefix=""),
    Provider("deepgram", "https://api.deepgram.com", key_prefix="Token "),
    Provider("elevenlabs", "https://api.elevenlabs.io", key_header="xi-api-key", key_prefix=""),
    Provider("fal", "https://fal.run", key_prefix="Key "),
    Provider("openrouter", "https://openrouter.ai/api", paths=_V1_PATHS),
    Provider("perplexity-ai", "https://api.perplexity.ai", paths={"chat": "chat/completions"}),
    Provider("parallel", "https://api.parallel.ai", key_header="x-api-key", key_prefix=""),
    Provider("huggingface", "https://api-inference.huggingface.co/models"),
    Provider("fireworks", "https://api.fireworks.ai/inference/v1", paths=_OPENAI_PATHS),
    Provider("baseten"),
    Provider("adobe-firefly"),
)

PROVIDERS: Final = {row.slug: row for row in _ROWS}
"""Every known provider by its slug."""

SLUG_OF_AUTHOR: Final = {"google": "google-ai-studio", "xai": "grok"}
"""Authors of the REST API that the gateway host knows under another name."""

REST_ONLY_AUTHORS: Final = frozenset({"alibaba", "minimax", "moonshotai"})
"""Authors of the REST API that the gateway host has no provider for."""

KEY_HEADERS: Final = frozenset({row.key_header for row in _ROWS})
"""Every header, in lower case, that the gateway would take for a provider key; a placeholder in one bypasses a
stored key."""
