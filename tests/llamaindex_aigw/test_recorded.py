"""The adapter's main flow, replayed from cassettes under Cloudflare's own host names."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from aigw import AIGateway
from llamaindex_aigw import CloudflareAIGateway, CloudflareAIGatewayEmbedding, capture_logs

pytestmark = pytest.mark.vcr

MODEL = "openai/gpt-4.1-mini"


def test_a_completion_carries_the_log_that_takes_feedback(recorded: dict[str, Any]):
    response = CloudflareAIGateway(model=MODEL, **recorded).complete("Say hello.")
    log_id = response.additional_kwargs["aigw"]["log_id"]
    with AIGateway(**recorded) as client:
        client.gateway().patch_log(log_id, score=0.5)
        log = client.gateway().get_log(log_id)

    assert log.score == 0.5
    assert log.tokens_in == response.raw["usage"]["prompt_tokens"]


def test_a_streamed_completion_ends_with_facts_and_usage(recorded: dict[str, Any]):
    responses = list(CloudflareAIGateway(model=MODEL, **recorded).stream_complete("Say hello."))

    assert responses[-1].text == "".join(response.delta for response in responses)
    assert responses[-1].additional_kwargs["aigw"]["log_id"]
    assert responses[-1].raw["usage"]["total_tokens"] > 0


def test_embeddings_of_texts(recorded: dict[str, Any]):
    model = CloudflareAIGatewayEmbedding(model="@cf/baai/bge-m3", **recorded)

    assert len(model.get_text_embedding_batch(["one", "two"])) == 2


def test_structured_prediction(recorded: dict[str, Any]):
    class Order(BaseModel):
        """An order."""

        item: str
        count: int

    llm = CloudflareAIGateway(model=MODEL, **recorded)

    assert llm.structured_predict(Order, PromptTemplate("The order: item is 'teapot', count is 3.")).count == 3


def test_feedback_by_capture(recorded: dict[str, Any]):
    with capture_logs() as logs:
        CloudflareAIGateway(model=MODEL, **recorded).complete("Say hello.")

    assert len(logs.log_ids) == 1
    assert logs.feedback(1, score=90) == logs.log_ids
