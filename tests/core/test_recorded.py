"""The main flow of the binding, replayed from cassettes under Cloudflare's own host names."""

from __future__ import annotations

from typing import Any

import pytest

from aigw import AIGateway, AsyncAIGateway, LogNotFoundError, ModelNotFoundError

pytestmark = pytest.mark.vcr

MODEL = "openai/gpt-4.1-mini"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 40}


def test_run_unwraps_the_answer_of_a_workers_ai_model(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client:
        result = client.run("@cf/meta/llama-3.1-8b-instruct", {"prompt": "Say hello."})

    assert isinstance(result["response"], str)
    assert result.info.log_id


def test_chat_then_feedback_then_the_log_shows_it(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client:
        answer = client.chat(BODY)
        assert answer.info.log_id == client.log_id
        gateway = client.gateway()
        gateway.patch_log(answer.info.log_id, feedback=1, score=80, metadata={"source": "tests"})
        log = gateway.get_log(answer.info.log_id)

    assert (log.id, log.feedback, log.score) == (answer.info.log_id, 1, 80)
    assert log.tokens_out == answer.usage.completion_tokens


def test_a_streamed_chat_gives_its_facts_on_the_first_chunk(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client:
        chunks = list(client.stream_chat({**BODY, "stream_options": {"include_usage": True}}))

    assert [chunk.info is not None for chunk in chunks] == [True] + [False] * (len(chunks) - 1)
    assert "".join(chunk.text for chunk in chunks)
    assert chunks[-1].usage.total_tokens > 0


async def test_an_async_chat_is_found_again_by_its_event_id(recorded: dict[str, Any]):
    async with AsyncAIGateway(**recorded) as client:
        answer = await client.chat(BODY, gateway={"event_id": "aigw-recorded-1", "skip_cache": True})
        found = await client.gateway().find_logs(event_id="aigw-recorded-1")

    assert answer.info.event_id == "aigw-recorded-1"
    assert answer.info.log_id in [log.id for log in found]


def test_embeddings_come_in_the_order_of_the_texts(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client:
        both = client.embed({"model": "@cf/baai/bge-m3", "input": ["gateway", "feedback"]}).vectors

    assert len(both) == 2
    assert both[0] != both[1]


def test_the_universal_endpoint_says_which_step_answered(recorded: dict[str, Any]):
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "query": {"model": "no-messages"}},
        {"provider": "workers-ai", "endpoint": "@cf/meta/llama-3.1-8b-instruct", "query": {"prompt": "Say hello."}},
    ]
    with AIGateway(**recorded) as client:
        result = client.gateway().run(steps)

    assert result.info.step == 1


def test_a_model_that_does_not_exist_is_named_as_such(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client, pytest.raises(ModelNotFoundError):
        client.run("@cf/nobody/nothing", {"prompt": "Say hello."})


def test_a_log_that_does_not_exist_is_named_as_such(recorded: dict[str, Any]):
    with AIGateway(**recorded) as client, pytest.raises(LogNotFoundError):
        client.gateway().get_log("019a0000-0000-7000-8000-000000000000")
