"""What the two frameworks' halves have in common, so that one story can be told of both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw import GatewayOptions
    from examples.demo.connection import Connection
    from examples.demo.documents import SourceText

PASSAGES = 4
"""How many passages a question is answered from."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer as it comes.

    Attributes:
        text: What it adds.
        facts: What the gateway said of the answer, on one piece of it: `log_id`, `cache_status` and others.
    """

    text: str
    facts: dict[str, Any] = field(default_factory=dict)


class Side(Protocol):
    """One framework, ready to answer from the documents.

    Attributes:
        framework: Its name.
    """

    framework: str

    def index(self, documents: Sequence[SourceText]) -> None:
        """Embed the documents' passages and keep them."""

    def answer(self, question: str, *, stream: bool) -> Iterator[Piece]:
        """Find the passages that fit the question and let the model answer from them."""


def labels(framework: str) -> GatewayOptions:
    """Give the gateway options of every call of one framework: labels that its logs can be found by."""
    return {"metadata": {"example": "aigw-demo", "framework": framework}}


def caching(framework: str, connection: Connection, question: str, documents: Sequence[SourceText]) -> GatewayOptions:
    """Give the gateway options that let a whole answer be cached, under a key made of all it depends on."""
    parts = (framework, connection.model, connection.embed_model, question, *(document.text for document in documents))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return {**labels(framework), "cache_key": f"aigw-demo-{digest[:32]}", "cache_ttl": 300}
