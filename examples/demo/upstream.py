"""The server that `UPSTREAM` names: what it offers, and how the local gateway asks it.

A server that has no embeddings still answers: the local gateway's offline embeddings stand in for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from aigw.local import ForwardUpstream, OfflineUpstream
from examples.demo.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local import Reply, Upstream
    from examples.demo.settings import Settings

NAME: Final = "upstream"
"""What the gateway calls the server: the author of its models, the provider in its logs."""

_SECONDS: Final = 20
_EMBEDDING_NAMES: Final = re.compile(r"embed|bge|minilm|e5-|gte-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server is asked for.

    Attributes:
        model: The chat model, as the server names it.
        embed_model: The embedding model; empty when the server has none.
    """

    model: str
    embed_model: str


class SplitUpstream:
    """An upstream whose chat and embeddings come from two places; it knows the models by the places' own names.

    Attributes:
        provider: What the gateway's logs call it.
    """

    provider = NAME

    def __init__(self, places: Mapping[str, tuple[Upstream, str]]) -> None:
        self._places = places

    async def send(self, endpoint: Any, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Reply:
        """Answer one call; see `aigw.local.Upstream`."""
        place, model = self._places[endpoint]
        return await place.send(endpoint, {**body, "model": model}, headers)


def find_offer(settings: Settings) -> Offer:
    """Ask the server what it has, and choose.

    Raises:
        DemoError: Nothing answers, no chat model is known, or the embedding model that was asked for does not work.
    """
    with httpx.Client(timeout=_SECONDS, trust_env=False, headers=_credentials(settings)) as client:
        listed = _list_models(client, settings.upstream)
        model = settings.model or next((name for name in listed if not _EMBEDDING_NAMES.search(name)), "")
        if not model:
            raise DemoError(f"the upstream {settings.upstream} lists no chat model: set MODEL to one it has")
        embed_model = settings.embed_model or next(filter(_EMBEDDING_NAMES.search, listed), "")
        refusal = _try_embedding(client, settings.upstream, embed_model) if embed_model else ""
    if refusal and settings.embed_model:
        raise DemoError(f"the upstream cannot embed with {embed_model}: {refusal}")
    return Offer(model, "" if refusal else embed_model)


def build_upstream(settings: Settings, offer: Offer) -> SplitUpstream:
    """Build what stands behind the local gateway."""
    server = ForwardUpstream(NAME, settings.upstream, settings.upstream_key or None)
    embeddings: tuple[Upstream, str] = (server, offer.embed_model) if offer.embed_model else (OfflineUpstream(), "")
    return SplitUpstream({"chat/completions": (server, offer.model), "embeddings": embeddings})


def gateway_name(model: str) -> str:
    """Give a model the name it has at the gateway: `upstream/name`; a file's path comes down to the file."""
    name = re.sub(r"[^\w.:@+-]+", "-", model.rstrip("/").rpartition("/")[2])
    return f"{NAME}/{name}"


def _credentials(settings: Settings) -> dict[str, str]:
    return {"authorization": f"Bearer {settings.upstream_key}"} if settings.upstream_key else {}


def _list_models(client: httpx.Client, url: str) -> list[str]:
    """Not every server lists its models; one that does not answer at all is dead."""
    try:
        answer = client.get(f"{url}/models")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DemoError(f"nothing answers at the upstream {url}: {error}") from error
    try:
        return [str(row["id"]) for row in answer.json()["data"]] if answer.is_success else []
    except (ValueError, KeyError, TypeError):
        return []


def _try_embedding(client: httpx.Client, url: str, model: str) -> str:
    """Embed one word; give what was wrong, or nothing."""
    try:
        answer = client.post(f"{url}/embeddings", json={"model": model, "input": ["word"]}, timeout=120)
        answer.raise_for_status()
        return "" if answer.json()["data"][0]["embedding"] else "the vector is empty"
    except httpx.HTTPStatusError as error:
        return f"status {error.response.status_code}"
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        return f"{type(error).__name__} {error}"
