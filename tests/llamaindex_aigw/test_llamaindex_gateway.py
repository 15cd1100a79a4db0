"""The gateway seen through an LLM: its cache, its logs, feedback."""

from llama_index.core.llms import ChatMessage

import aigw

MESSAGES = [ChatMessage(role="user", content="What is a gateway?")]


def test_a_cached_answer_says_so(llm):
    options = {"cache_key": "key-1", "cache_ttl": 60}
    first, second = (llm.chat(MESSAGES, gateway_options=options) for _ in range(2))
    assert (first.raw["aigw"]["cache_status"], second.raw["aigw"]["cache_status"]) == ("MISS", "HIT")
    assert second.message == first.message


def test_feedback_finds_the_log_of_an_answer(llm, client):
    log_id = llm.complete("What is a gateway?").additional_kwargs["aigw"]["log_id"]
    gateway = client.gateway()
    gateway.patch_log(log_id, feedback=1, score=80, metadata={"reviewer": "ada"})
    log = gateway.get_log(log_id)
    assert (log.feedback, log.score, log.metadata) == (1, 80, {"reviewer": "ada"})


async def test_feedback_finds_the_log_of_a_stream(llm, client):
    last = [response async for response in await llm.astream_chat(MESSAGES)][-1]
    log_id = last.raw["aigw"]["log_id"]
    client.gateway().patch_log(log_id, feedback=-1)
    assert client.gateway().get_log(log_id).feedback == -1


def test_every_call_is_captured_where_it_was_made(llm):
    with aigw.capture_logs() as logs:
        answer = llm.chat(MESSAGES)
        stream = llm.stream_chat(MESSAGES)
    last = list(stream)[-1]
    assert logs.log_ids == [answer.raw["aigw"]["log_id"], last.raw["aigw"]["log_id"]]
