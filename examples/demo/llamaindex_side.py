"""LlamaIndex: a vector index, and a query engine over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llama_index.core import VectorStoreIndex
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.schema import TextNode

from examples.demo.answering import PASSAGES, Piece, labels
from examples.demo.passages import split_passages
from llamaindex_aigw import CloudflareAIGateway, CloudflareAIGatewayEmbedding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llama_index.core.base.base_query_engine import BaseQueryEngine

    from aigw import GatewayOptions
    from examples.demo.connection import Connection
    from examples.demo.documents import SourceText

_BATCH = 100
"""Texts in one embeddings request at most, as in the LangChain half."""


class LlamaIndexSide:
    """A query engine; see `Side`."""

    framework = "LlamaIndex"

    def __init__(self, connection: Connection, options: GatewayOptions) -> None:
        self._model = CloudflareAIGateway(model=connection.model, gateway_options=options, **connection.account)
        self._embeddings = CloudflareAIGatewayEmbedding(
            model=connection.embed_model,
            gateway_options=labels(self.framework),
            embed_batch_size=_BATCH,
            **connection.account,
        )
        self._index: VectorStoreIndex | None = None

    def index(self, documents: Sequence[SourceText]) -> None:
        """Embed the documents' passages and keep them."""
        nodes = [_node(document.name, text) for document in documents for text in split_passages(document.text)]
        self._index = VectorStoreIndex(nodes, embed_model=self._embeddings)

    def answer(self, question: str, *, stream: bool) -> Iterator[Piece]:
        """Ask the query engine. It gives text alone: its last call, the model's, tells the facts to `capture_logs`."""
        response = self._engine(stream=stream).query(question)
        pieces = response.response_gen if isinstance(response, StreamingResponse) else [str(response)]
        yield from map(Piece, pieces)

    def _engine(self, *, stream: bool) -> BaseQueryEngine:
        if self._index is None:
            raise RuntimeError("index() comes before answer()")
        return self._index.as_query_engine(llm=self._model, streaming=stream, similarity_top_k=PASSAGES)


def _node(name: str, text: str) -> TextNode:
    """The file's name helps to find a passage; the model is given the text alone."""
    return TextNode(text=text, metadata={"file_name": name}, excluded_llm_metadata_keys=["file_name"])
