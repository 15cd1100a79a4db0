"""The embeddings: LangChain's interface joined to the core's clients."""

from collections.abc import Iterator
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import Field

from aigw import APIStatusError, EmbeddingResult, GatewayOptions
from langchain_aigw._connection import Connection


class CloudflareAIGatewayEmbeddings(Connection, Embeddings):
    """Any embedding model behind Cloudflare AI Gateway.

    Setup:
        `pip install 'aigw[langchain]'`, and set `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_API_TOKEN`.

    Instantiate:
        ```python
        from langchain_aigw import CloudflareAIGatewayEmbeddings

        embeddings = CloudflareAIGatewayEmbeddings(model="openai/text-embedding-3-small")
        vectors = embeddings.embed_documents(["one text", "another"])
        ```

    Vectors come in the order of the texts. The log ids of the calls are told by `aigw.capture_logs()`. Errors are those
    of `aigw`.

    Attributes:
        dimensions: Numbers in a vector, where the model allows a choice.
        batch_size: Texts sent in one request at most, 1 or more.
    """

    dimensions: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=100, ge=1)

    def embed_documents(self, texts: list[str], *, gateway_options: GatewayOptions | None = None) -> list[list[float]]:
        """Turn texts into vectors, one for each; no texts send no request."""
        client = self._sync_client()
        vectors: list[list[float]] = []
        for body in self._bodies(texts):
            vectors += _decode(client.embed(body, gateway=gateway_options, surface=self.surface), body)
        return vectors

    def embed_query(self, text: str, *, gateway_options: GatewayOptions | None = None) -> list[float]:
        """Turn one text into a vector."""
        return self.embed_documents([text], gateway_options=gateway_options)[0]

    async def aembed_documents(
        self, texts: list[str], *, gateway_options: GatewayOptions | None = None
    ) -> list[list[float]]:
        """Turn texts into vectors, one for each; no texts send no request."""
        client = self._async_client()
        vectors: list[list[float]] = []
        for body in self._bodies(texts):
            vectors += _decode(await client.embed(body, gateway=gateway_options, surface=self.surface), body)
        return vectors

    async def aembed_query(self, text: str, *, gateway_options: GatewayOptions | None = None) -> list[float]:
        """Turn one text into a vector."""
        return (await self.aembed_documents([text], gateway_options=gateway_options))[0]

    def _bodies(self, texts: list[str]) -> Iterator[dict[str, Any]]:
        params = {} if self.dimensions is None else {"dimensions": self.dimensions}
        for start in range(0, len(texts), self.batch_size):
            batch = texts[start : start + self.batch_size]
            yield {"model": self.model, "input": batch, **params, **self.model_kwargs}


def _decode(result: EmbeddingResult, body: dict[str, Any]) -> list[list[float]]:
    vectors = result.vectors
    asked = len(body["input"])
    if len(vectors) != asked:
        message = f"the answer has {len(vectors)} vectors for {asked} texts"
        raise APIStatusError(message, status_code=result.info.status_code, info=result.info)
    return vectors
