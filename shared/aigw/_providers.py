"""The providers behind the gateway host: slugs, upstream addresses, credential headers and paths, as one table.

Source: AI Gateway docs, Providers and Unified API pages, and Cloudflare's own client libraries for the rows the docs
leave out; where a model stands in a path, the providers' API references. A provider that is not here can still be
called through the universal endpoint, whose steps name it freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Operation = Literal["chat", "embeddings", "responses", "messages"]
"""What a model is asked to do; the four OpenAI- and Anthropic-shaped operations."""

_OPENAI_PATHS: Final[dict[Operation, str]] = {"chat": "chat/completions", "embeddings": "embeddings"}
_V1_PATHS: Final[dict[Operation, str]] = {"chat": "v1/chat/completions", "embeddings": "v1/embeddings"}


@dataclass(frozen=True, slots=True)
class PathRule:
    """How a path below a slug says which of a provider's hosts is meant.

    Attributes:
        pattern: What the path begins with, taken off; its named groups fill the other two.
        upstream: The URL of the host.
        prefix: What the host wants before the rest of the path.
    """

    pattern: str
    upstream: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider slug of the gateway host.

    Attributes:
        slug: The name in the URL path and in front of a compat model id.
        upstream: The URL the gateway puts in place of the slug; empty where it depends on the request.
        key_header: The header that carries the user's own key, in lower case.
        key_prefix: What stands before the key in that header.
        paths: Below the slug, the path of each operation the provider has in OpenAI's or Anthropic's shape.
        openai_paths: The same for OpenAI's shape on hosts that have another of their own, as `upstream` knows them.
        headers: Fields the provider demands on every request.
        rules: Which host a path means, where there are several; the first that fits.
        model_path: Where a model stands in a path, as its group `model`; empty where a body names it.
        is_author: Whether the slug is also an author name on the REST API, so that `slug/model` means REST there.
    """

    slug: str
    upstream: str = ""
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    paths: dict[Operation, str] = field(default_factory=dict)
    openai_paths: dict[Operation, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    rules: tuple[PathRule, ...] = ()
    model_path: str = ""
    is_author: bool = False


_REGION: Final = r"(?P<region>[a-z0-9-]+)"
_VERTEX_PLACE: Final = r"(?=v1(?:beta1)?/projects/[^/]+/locations/{}/)"
_AZURE: Final = r"(?P<resource>[A-Za-z0-9-]+)/(?P<deployment>[^/?]+)/"

_ROWS: Final = (
    Provider("openai", "https://api.openai.com/v1", paths={**_OPENAI_PATHS, "responses": "responses"}, is_author=True),
    Provider(
        "anthropic",
        "https://api.anthropic.com",
        key_header="x-api-key",
        key_prefix="",
        paths={"messages": "v1/messages"},
        openai_paths={"chat": "v1/chat/completions"},
        headers=(("anthropic-version", "2023-06-01"),),
        is_author=True,
    ),
    Provider("workers-ai", "https://api.cloudflare.com", paths=_V1_PATHS, model_path=r"(?:run/)?(?P<model>@.+)"),
    Provider(
        "google-ai-studio",
        "https://generativelanguage.googleapis.com",
        key_header="x-goog-api-key",
        key_prefix="",
        openai_paths={"chat": "v1beta/openai/chat/completions", "embeddings": "v1beta/openai/embeddings"},
        model_path=r"(?:models|tunedModels)/(?P<model>[^/:]+)",
    ),
    Provider(
        "google-vertex-ai",
        rules=(
            PathRule(_VERTEX_PLACE.format("global"), "https://aiplatform.googleapis.com"),
            PathRule(_VERTEX_PLACE.format(_REGION), "https://{region}-aiplatform.googleapis.com"),
        ),
        model_path=r"publishers/[^/]+/models/(?P<model>[^/:]+)",
    ),
    Provider(
        "azure-openai",
        key_header="api-key",
        key_prefix="",
        rules=(PathRule(_AZURE, "https://{resource}.openai.azure.com", "openai/deployments/{deployment}/"),),
        model_path=r"^[^/]+/(?P<model>[^/]+)/",
    ),
    Provider(
        "aws-bedrock",
        rules=(
            PathRule(f"bedrock-runtime/{_REGION}/", "https://bedrock-runtime.{region}.amazonaws.com"),
            PathRule(f"bedrock-mantle/{_REGION}/", "https://bedrock-mantle.{region}.api.aws"),
        ),
        model_path=r"model/(?P<model>.+)/(?:invoke|converse)",
    ),
    Provider("grok", "https://api.x.ai", paths={"chat": "v1/chat/completions", "responses": "v1/responses"}),
    Provider("groq", "https://api.groq.com/openai/v1", paths=_OPENAI_PATHS),
    Provider("mistral", "https://api.mistral.ai", paths=_V1_PATHS),
    Provider("deepseek", "https://api.deepseek.com", paths={"chat": "chat/completions"}, is_author=True),
    Provider("cerebras", "https://api.cerebras.ai", paths={"chat": "v1/chat/completions"}),
    Provider(
        "cohere",
        "https://api.cohere.com",
        openai_paths={"chat": "compatibility/v1/chat/completions", "embeddings": "compatibility/v1/embeddings"},
    ),
    Provider("replicate", "https://api.replicate.com", model_path=r"models/(?P<model>[^/]+/[^/]+)/predictions"),
    Provider("cartesia", "https://api.cartesia.ai", key_header="x-api-key", key_prefix=""),
    Provider("ideogram", "https://api.ideogram.ai", key_header="api-key", key_prefix=""),
    Provider("deepgram", "https://api.deepgram.com", key_prefix="Token "),
    Provider("elevenlabs", "https://api.elevenlabs.io", key_header="xi-api-key", key_prefix=""),
    Provider("fal", "https://fal.run", key_prefix="Key ", model_path=r"^(?P<model>[^/]+/.+)"),
    Provider("openrouter", "https://openrouter.ai/api", paths=_V1_PATHS),
    Provider("perplexity-ai", "https://api.perplexity.ai", paths={"chat": "chat/completions"}),
    Provider("parallel", "https://api.parallel.ai", key_header="x-api-key", key_prefix=""),
    Provider("huggingface", "https://api-inference.huggingface.co/models", model_path=r"^(?P<model>[^/]+(?:/[^/]+)?)"),
    Provider("fireworks", "https://api.fireworks.ai/inference/v1", paths=_OPENAI_PATHS),
    Provider("baseten"),
    Provider("adobe-firefly", "https://firefly-api.adobe.io"),
    Provider("neon"),
    Provider("saladcloud"),
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
