"""The embeddings: LangChain's interface joined to the core's clients."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from langchain_core.embeddings import Embeddings
from pydantic import Field

from aigw import GatewayOptions
from aigw.integration import ask_embeddings, check_texts, chosen_event_id
from langchain_aigw._batches import cut_batches
from langchain_aigw._connection import Connection
from langchain_aigw._gather import gather_limited
from langchain_aigw._recorded import Caller, CallReport
from langchain_aigw._runs import facts_of, report_call


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

    Vectors come in the order of the texts. Texts are sent in batches, cut by their number and by their size; async
    calls send several batches at a time. The log ids of the calls are told by `langchain_aigw.capture_logs()`. Errors
    are those of `aigw`, and at once LangChain's.

    Attributes:
        dimensions: Numbers in a vector, where the model allows a choice.
        encoding_format: `base64` is shorter on the way, where the model knows it; the vectors are the same.
        batch_size: Texts sent in one request at most, 1 or more. Workers AI takes 100, OpenAI 2048.
        batch_bytes: Bytes of text in one request at most, 1 or more; a larger text is sent alone. OpenAI takes 300,000
            tokens in one request, and a token is a byte or more.
        max_concurrency: Requests that one async call has under way at most, 1 or more.
    """

    dimensions: int | None = Field(default=None, ge=1)
    encoding_format: Literal["float", "base64"] | None = None
    batch_size: int = Field(default=100, ge=1)
    batch_bytes: int = Field(default=300_000, ge=1)
    max_concurrency: int = Field(default=8, ge=1)

    def embed_documents(self, texts: list[str], *, gateway_options: GatewayOptions | None = None) -> list[list[float]]:
        """Turn texts into vectors, one for each; no texts send no request."""
        batches = [self._embed(body, gateway_options) for body in self._bodies(texts)]
        return [vector for batch in batches for vector in batch]

    def embed_query(self, text: str, *, gateway_options: GatewayOptions | None = None) -> list[float]:
        """Turn one text into a vector."""
        return self.embed_documents([text], gateway_options=gateway_options)[0]

    async def aembed_documents(
        self, texts: list[str], *, gateway_options: GatewayOptions | None = None
    ) -> list[list[float]]:
        """Turn texts into vectors, one for each; no texts send no request."""
        calls = [partial(self._aembed, body, gateway_options) for body in self._bodies(texts)]
        batches = await gather_limited(calls, self.max_concurrency)
        return [vector for batch in batches for vector in batch]

    async def aembed_query(self, text: str, *, gateway_options: GatewayOptions | None = None) -> list[float]:
        """Turn one text into a vector."""
        return (await self.aembed_documents([text], gateway_options=gateway_options))[0]

    def _embed(self, body: dict[str, Any], options: GatewayOptions | None) -> list[list[float]]:
        with self._report(options) as report:
            result = ask_embeddings(self._sync_client(), report, body, options, self.surface)
            report.answered(result.usage.model_dump() if result.usage else None)
            return result.vectors_of(len(body["input"]))

    async def _aembed(self, body: dict[str, Any], options: GatewayOptions | None) -> list[list[float]]:
        with self._report(options) as report:
            result = await ask_embeddings(self._async_client(), report, body, options, self.surface)
            report.answered(result.usage.model_dump() if result.usage else None)
            return result.vectors_of(len(body["input"]))

    def _report(self, options: GatewayOptions | None) -> CallReport:
        event_id = chosen_event_id(self.gateway_options, options)
        return report_call(None, Caller("embedding", self.model, self, event_id, **facts_of(None)))

    def _bodies(self, texts: list[str]) -> Iterator[dict[str, Any]]:
        given = {"dimensions": self.dimensions, "encoding_format": self.encoding_format}
        params = {name: value for name, value in given.items() if value is not None}
        for batch in cut_batches(check_texts(texts), max_items=self.batch_size, max_bytes=self.batch_bytes):
            yield {"model": self.model, "input": batch, **params, **self.model_kwargs}
