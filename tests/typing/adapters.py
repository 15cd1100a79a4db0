"""The adapters' public API as a type checker sees it: checked by `mypy --strict`, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from langchain_core.messages import AIMessage
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

import langchain_aigw
import llamaindex_aigw
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings
from llamaindex_aigw import AIGatewayEventHandler, CloudflareAIGateway, CloudflareAIGatewayEmbedding

if TYPE_CHECKING:
    from uuid import UUID

    from aigw import GatewayOptions

OPTIONS: GatewayOptions = {"cache_ttl": 60, "metadata": {"team": "red"}, "retries": {"max_attempts": 3}}


class Place(BaseModel):
    """Where something is."""

    city: str


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return city


def use_langchain(run_id: UUID) -> None:
    model = ChatCloudflareAIGateway(
        model="openai/gpt-5-mini", gateway_options=OPTIONS, temperature=0.1, stop=["x"], metadata_keys=("user_id",)
    )
    message = model.invoke("hi", gateway_options=OPTIONS)
    assert_type(message, AIMessage)
    assert_type(model.bind_tools([weather], tool_choice="any").invoke("hi"), AIMessage)
    model.with_structured_output(Place, method="json_mode", include_raw=True).invoke("hi")
    handler = AIGatewayCallbackHandler(automatic=True, judge=lambda message, call: len(message.text) / len(call.model))
    assert_type(handler.log_ids(run_id), list[str])
    assert_type(handler.feedback(message, 1, score=90, metadata={"a": 1}, which="all"), list[str])
    with langchain_aigw.capture_logs() as logs, handler.attached():
        assert_type(logs.log_ids, list[str])
        assert_type(logs.calls[0].log_id, str | None)
    with langchain_aigw.get_cost_callback(by="model") as callback:
        assert_type(callback.total_cost, float)
    embeddings = CloudflareAIGatewayEmbeddings(model="@cf/baai/bge-m3", gateway_options=OPTIONS)
    assert_type(embeddings.embed_query("hi"), list[float])


async def use_llamaindex() -> None:
    llm = CloudflareAIGateway(model="openai/gpt-5-mini", gateway_options=OPTIONS, api_token="any", timeout=5.0)
    assert_type((await llm.acomplete("hi", gateway_options=OPTIONS)).text, str)
    assert_type(llm.structured_predict(Place, PromptTemplate("hi")), Place)
    handler = AIGatewayEventHandler(max_calls=5, automatic={"tool": -1}).attach()
    assert_type(handler.log_ids(), list[str])
    with llamaindex_aigw.capture_logs({"user_id": "u"}) as logs:
        assert_type(logs.calls[0].span_id, str | None)
        assert_type(await logs.afeedback(1, score=90), list[str])
    embedding = CloudflareAIGatewayEmbedding(model="@cf/baai/bge-m3", gateway_options=OPTIONS)
    assert_type(embedding.get_text_embedding("hi"), list[float])
