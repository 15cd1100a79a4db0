"""The adapter's main flow, replayed from cassettes under Cloudflare's own host names."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from aigw import AIGateway
from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings

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


def test_a_tool_call_and_its_result(recorded: dict[str, Any]):
    def weather(city: str) -> str:
        """Tell the weather in a city."""
        return f"It is 21 degrees in {city}."

    model = ChatCloudflareAIGateway(model=MODEL, **recorded).bind_tools([weather], tool_choice="any")
    message = model.invoke("What is the weather in Paris?")

    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("weather", {"city": "Paris"})]


def test_structured_output(recorded: dict[str, Any]):
    class Order(BaseModel):
        """An order."""

        item: str
        count: int

    model = ChatCloudflareAIGateway(model=MODEL, **recorded).with_structured_output(Order)

    assert model.invoke("The order: item is 'teapot', count is 3.").count == 3


def test_feedback_by_run(recorded: dict[str, Any]):
    handler, run_id = AIGatewayCallbackHandler(), uuid4()
    model = ChatCloudflareAIGateway(model=MODEL, **recorded)
    message = model.invoke("Say hello.", config={"callbacks": [handler], "run_id": run_id})

    assert handler.log_ids(run_id) == [message.response_metadata["aigw"]["log_id"]]
    assert handler.feedback(run_id, 1, score=90) == handler.log_ids(run_id)
