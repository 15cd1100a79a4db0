"""LangChain: a vector store, and a chain of retriever, prompt and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from examples.demo.answering import PASSAGES, Piece, labels
from examples.demo.passages import split_passages
from langchain_aigw import ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.messages import BaseMessage

    from aigw import GatewayOptions
    from examples.demo.connection import Connection
    from examples.demo.documents import SourceText

_PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer the question in a few sentences, from the context alone. If it is not there, say so."),
        ("human", "Context:\n{context}\n\nQuestion: {question}\nAnswer:"),
    ]
)


class LangChainSide:
    """A retrieval chain; see `Side`."""

    framework = "LangChain"

    def __init__(self, connection: Connection, options: GatewayOptions) -> None:
        model = ChatCloudflareAIGateway(model=connection.model, gateway_options=options, **connection.account)
        embeddings = CloudflareAIGatewayEmbeddings(
            model=connection.embed_model, gateway_options=labels(self.framework), **connection.account
        )
        self._store = InMemoryVectorStore(embeddings)
        context = self._store.as_retriever(search_kwargs={"k": PASSAGES}) | RunnableLambda(_join)
        self._chain = {"context": context, "question": RunnablePassthrough()} | _PROMPT | model

    def index(self, documents: Sequence[SourceText]) -> None:
        """Embed the documents' passages and keep them."""
        self._store.add_documents(
            [
                Document(passage, metadata={"source": document.name})
                for document in documents
                for passage in split_passages(document.text)
            ]
        )

    def answer(self, question: str, *, stream: bool) -> Iterator[Piece]:
        """Run the chain; a message carries the gateway's facts in its `response_metadata`."""
        messages = self._chain.stream(question) if stream else [self._chain.invoke(question)]
        for message in messages:
            yield _piece(message)


def _piece(message: BaseMessage) -> Piece:
    return Piece(str(message.text), message.response_metadata.get("aigw", {}))


def _join(documents: Sequence[Document]) -> str:
    return "\n\n".join(document.page_content for document in documents)
