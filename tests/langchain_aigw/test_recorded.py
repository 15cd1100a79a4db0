"""The adapter's main flow, replayed from cassettes under Cloudflare's own host names."""

from __future__ import annotations

from typing import Any

import pytest

from aigw import AIGateway
from langchain_aigw import ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings

pytestmark = pytest.mark.vcr

MODEL = "openai/gpt-4.1-mini"


def test_an_invoked_message_carries_the_log_that_takes_feedback(recorded: dict[str, Any]):
    message = ChatCloudflareAIGateway(model=MODEL, **recorded).invoke("Say hello.")
    log_id = message.response_metadata["aigw"]["log_id"]
    with AIGateway(**recorded) as client:
        client.gateway().patch_log(log_id, feedback=-1)
        log = client.gateway().get_log(log_id)

    assert log.feedback == -1
    assert log.tokens_in == message.usage_metadata["input_tokens"]


def test_streamed_chunks_add_up_to_a_message_with_facts_and_usage(recorded: dict[str, Any]):
    chunks = list(ChatCloudflareAIGateway(model=MODEL, **recorded).stream("Say hello."))
    message = sum(chunks[1:], start=chunks[0])

    assert message.text
    assert message.response_metadata["aigw"]["log_id"]
    assert message.usage_metadata["total_tokens"] > 0


def test_embeddings_of_documents(recorded: dict[str, Any]):
    vectors = CloudflareAIGatewayEmbeddings(model="@cf/baai/bge-m3", **recorded).embed_documents(["one", "two"])

    assert [len(vector) for vector in vectors] == [len(vectors[0])] * 2
