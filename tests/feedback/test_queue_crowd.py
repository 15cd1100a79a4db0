"""A crowd gives feedback while models stream through the gateway: all of it arrives, each on its own log."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aigw import AIGateway, AsyncAIGateway
from aigw.feedback import AsyncFeedbackQueue, FeedbackQueue

from .faulty import ACCOUNT, eventually

CHAT = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}


def scores(gateway):
    return {log.id: log.score for log in gateway.iter_logs() if log.score is not None}


def test_thirty_two_threads_give_feedback_while_models_stream(aigw_local, tmp_path):
    with (
        AIGateway(ACCOUNT, "token", "gw", base_url=aigw_local.base_url) as client,
        FeedbackQueue(client, spool=tmp_path / "spool") as queue,
    ):

        def talk(number):
            given = {}
            for turn in range(4):
                with client.stream_chat(CHAT) as stream:
                    list(stream)
                    queue.feedback(stream.info, 1, score=-1)
                    queue.feedback(stream.info, score=number * 100 + turn)
                    given[stream.info.log_id] = number * 100 + turn
            return given

        with ThreadPoolExecutor(32) as pool:
            given = {log: score for part in pool.map(talk, range(32)) for log, score in part.items()}
        assert queue.flush(30)
        assert len(given) == 128
        assert scores(client.gateway()) == given
        assert (queue.counts.accepted, queue.counts.delivered, queue.counts.failed) == (256, 256, 0)


async def test_a_thousand_tasks_give_feedback_while_models_stream(aigw_local):
    client = AsyncAIGateway(ACCOUNT, "token", "gw", base_url=aigw_local.base_url)
    gate = asyncio.Semaphore(50)
    async with AsyncFeedbackQueue(client) as queue:
        given = {}

        async def talk(number):
            if number % 10 == 0:
                async with gate, client.stream_chat(CHAT) as stream:
                    [chunk async for chunk in stream]
                    await queue.feedback(stream.info, score=number)
                    given[stream.info.log_id] = number
            else:
                await asyncio.sleep(0)
                await queue.feedback(f"absent-{number % 7}", score=number)

        await asyncio.gather(*(talk(number) for number in range(1000)))
        for _ in eventually(lambda: queue.counts.delivered == 100, 30):
            await asyncio.sleep(0.02)
        with AIGateway(ACCOUNT, "token", "gw", base_url=aigw_local.base_url) as reader:
            assert scores(reader.gateway()) == given
        assert (len(given), queue.counts.accepted) == (100, 1000)
        await queue.aclose(0)
    await client.aclose()
