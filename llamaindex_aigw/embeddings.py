"""`CloudflareAIGatewayEmbedding`: any embedding model behind the gateway, for LlamaIndex."""

from typing import Any, Final

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import ConfigDict, Field, model_validator

from aigw import integration
from llamaindex_aigw._instrumented import Instrumented

_WORKERS: Final = 4
"""LlamaIndex's own word for how many requests run at once; left to itself, its embeddings run all of them."""


class CloudflareAIGatewayEmbedding(Instrumented, BaseEmbedding):
    """An embedding model through Cloudflare AI Gateway.

    No HTTP client is made before the first call. Nothing is sent that was not given here. Options of single calls:
    `with aigw.gateway_options({...}):`; their log ids: `with llamaindex_aigw.capture_logs() as logs:`.

    Args:
        model: The model's id, such as `openai/text-embedding-3-small` or `@cf/baai/bge-m3`.
        dimensions: The length of the vectors, where the model lets it be chosen.
        query_instruction: Put before every query, with a space between.
        text_instruction: Put before every text that is not a query.
        additional_kwargs: Further fields of the request.
        embed_batch_size: Texts per request, 1 to 2048.
        num_workers: Requests of one async call that run at once; `None` for all of them.
        account_id: The Cloudflare account; else `CLOUDFLARE_ACCOUNT_ID`.
        api_token: A Cloudflare API token; else `CLOUDFLARE_API_TOKEN`.
        gateway_id: The gateway; else `CLOUDFLARE_AI_GATEWAY_ID`, else `default`.
        gateway_options: Gateway options of every call (`aigw.GatewayOptions`).
        send_span_id: Whether LlamaIndex's span id is the event id of each call (`cf-aig-event-id`).
        metadata_keys: The `instrument_tags` that are sent as metadata of each call, the most important first.
        base_url: One origin in place of both of Cloudflare's; else `AIGW_BASE_URL`.
        provider_key: Your own key at the provider.
        logs_token: A second token for logs and feedback, where the first may only run models.
        surface: `rest`, `compat` or `native`, in place of what the model and the provider key decide.
        timeout: Seconds, or an `httpx.Timeout`.
        max_retries: How often a call that certainly was not run is tried again.
        http_client: Your own `httpx.Client`; it is never closed here.
        http_async_client: Your own `httpx.AsyncClient`, likewise.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """

    model_config = ConfigDict(defer_build=False)

    model: str
    dimensions: int | None = None
    query_instruction: str | None = None
    text_instruction: str | None = None
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    num_workers: int | None = Field(default=_WORKERS, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _name_model(cls, data: Any) -> Any:
        """Keep LlamaIndex's `model_name` the same as `model`, whichever was given."""
        if not isinstance(data, dict):
            return data
        model = data.get("model") or data.get("model_name")
        return {**data, "model": model, "model_name": model} if model else data

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex's serialization knows the class by."""
        return "CloudflareAIGatewayEmbedding"

    async def aget_text_embedding_batch(
        self,
        texts: list[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002 - the signature is LlamaIndex's
        **kwargs: Any,
    ) -> list[list[float]]:
        """Embed texts, `embed_batch_size` of them a request and `num_workers` requests at once.

        Returns:
            One vector per text, in the order of the texts.
        """
        texts = integration.check_texts(texts)  # all of them before the first request; each batch sees its own
        size = self.embed_batch_size if self.num_workers == 1 else max(1, len(texts))
        vectors: list[list[float]] = []
        for start in range(0, len(texts), size):  # LlamaIndex takes one worker for any number
            vectors += await super().aget_text_embedding_batch(texts[start : start + size], show_progress, **kwargs)
        return vectors

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed(_instructed(self.query_instruction, [query]))[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aembed(_instructed(self.query_instruction, [query])))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(_instructed(self.text_instruction, texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._aembed(_instructed(self.text_instruction, texts))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if not texts:
            return []
        options, client = self._call_options(), self._sync_client()
        with self._calling(self.model, options, "embedding") as report:
            result = integration.ask_embeddings(client, report, self._body(texts), options, self.surface)
            return report.embedded(result).vectors_of(len(texts))

    async def _aembed(self, texts: list[str]) -> list[list[float]]:
        if not texts:
            return []
        options, client = self._call_options(), self._async_client()
        with self._calling(self.model, options, "embedding") as report:
            result = await integration.ask_embeddings(client, report, self._body(texts), options, self.surface)
            return report.embedded(result).vectors_of(len(texts))

    def _body(self, texts: list[str]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "input": texts}
        if self.dimensions is not None:
            body["dimensions"] = self.dimensions
        return {**body, **self.additional_kwargs}


def _instructed(instruction: str | None, texts: list[str]) -> list[str]:
    texts = integration.check_texts(texts)
    return [f"{instruction.strip()} {text}" for text in texts] if instruction else texts
