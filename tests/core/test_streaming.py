"""Streams over a real socket: as they come, cut, left early, and what comes in their place."""

import asyncio
import gc

import pytest

from aigw import AIGateway, AsyncAIGateway, GuardrailBlockedError, StreamError, StreamTruncatedError


async def stream(driver, server, wire):
    return await driver.done(driver.client(server).stream_chat(wire.chat))


async def test_a_stream_cut_into_bytes_gives_the_same_chunks(driver, server, wire):
    document = wire.chunk("Köln \u2028 😀") + wire.chunk("!", "stop") + wire.done
    server.will(wire.sse(*(document[place : place + 1] for place in range(len(document)))))

    chunks = await driver.items(await stream(driver, server, wire))
    assert [chunk.text for chunk in chunks] == ["Köln \u2028 😀", "!"]


async def test_a_chunk_arrives_while_the_stream_still_runs(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    opened = await stream(driver, server, wire)

    assert (await driver.first(opened)).text == "a"
    await driver.close(opened)


async def test_a_stream_left_early_frees_its_connection(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    opened = await stream(driver, server, wire)
    await driver.first(opened)
    await driver.close(opened)

    assert await asyncio.to_thread(server.gone.wait, 5)
    assert await driver.items(opened) == []


async def test_a_stream_closed_before_its_first_chunk_frees_its_connection(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    await driver.close(await stream(driver, server, wire))

    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_a_with_block_closes_the_stream(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    client = driver.client(server)
    if driver.is_async:
        async with client.stream_chat(wire.chat) as opened:
            await anext(opened)
    else:
        with client.stream_chat(wire.chat) as opened:
            next(opened)

    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_a_loop_that_is_broken_out_of_frees_its_connection(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    opened = await stream(driver, server, wire)
    await driver.first(opened)
    del opened
    gc.collect()
    await asyncio.sleep(0)

    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_a_finished_stream_leaves_its_connection_for_the_next_call(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done))
    client = driver.client(server)
    for _ in range(3):
        await driver.items(await driver.done(client.stream_chat(wire.chat)))

    assert (len(server.requests), server.connections) == (3, 1)


async def test_a_cut_stream_gives_what_came_and_then_the_error_with_the_log(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), wire.chunk("b"), headers=wire.ids, cut="after"))
    opened = await stream(driver, server, wire)

    assert [(await driver.first(opened)).text, (await driver.first(opened)).text] == ["a", "b"]
    with pytest.raises(StreamTruncatedError, match="log 01LOG") as cut:
        await driver.first(opened)
    assert (cut.value.info.log_id, cut.value.is_retryable) == ("01LOG", True)


async def test_a_stream_that_stops_in_good_order_without_its_end_is_truncated(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), headers=wire.ids))

    with pytest.raises(StreamTruncatedError):
        await driver.items(await stream(driver, server, wire))


async def test_a_connection_cut_after_done_is_no_error(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, cut="after"))

    assert [chunk.text for chunk in await driver.items(await stream(driver, server, wire))] == ["a"]


async def test_an_error_in_a_stream_has_the_log(driver, server, wire):
    server.will(wire.sse(wire.chunk("a"), b'data: {"error": {"message": "Overloaded"}}\n\n', headers=wire.ids))
    opened = await stream(driver, server, wire)
    await driver.first(opened)

    with pytest.raises(StreamError, match="Overloaded") as reported:
        await driver.first(opened)
    assert reported.value.log_id == "01LOG"


async def test_an_error_in_a_stream_frees_its_connection(driver, server, wire):
    server.will(wire.sse(b'data: {"error": {"message": "Overloaded"}}\n\n', wire.chunk("a"), endless=True))
    opened = await stream(driver, server, wire)

    with pytest.raises(StreamError) as reported:
        await driver.items(opened)
    assert await asyncio.to_thread(server.gone.wait, 5)
    assert reported.traceback


async def test_json_in_place_of_a_stream_is_one_chunk(driver, server, wire):
    server.will(wire.json(wire.completion("Held back"), 200, *wire.ids))

    (only,) = await driver.items(await stream(driver, server, wire))
    assert (only.text, only.info.log_id) == ("Held back", "01LOG")


async def test_a_blocked_answer_with_status_200_is_its_error(driver, server, wire):
    server.will(wire.failure(200, 2017, "Response blocked", *wire.ids))

    with pytest.raises(GuardrailBlockedError) as blocked:
        await driver.items(await stream(driver, server, wire))
    assert blocked.value.log_id == "01LOG"


async def test_a_streamed_run_of_an_image_gives_its_bytes(driver, server, wire):
    server.will(wire.Reply(200, (("content-type", "image/png"),), (b"\x89PNG", b"\x00")))
    opened = await driver.done(driver.client(server).stream_run("@cf/a/b", {"prompt": "a cat"}))

    assert b"".join(await driver.items(opened)) == b"\x89PNG\x00"


async def test_a_stream_is_read_once(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done))
    opened = await stream(driver, server, wire)

    assert len(await driver.items(opened)) == 1
    assert await driver.items(opened) == []
    assert len(server.requests) == 1


async def test_an_async_stream_is_sent_when_it_is_awaited_and_only_then(server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, headers=wire.ids))
    async with AsyncAIGateway("acct", wire.token, base_url=server.url) as client:
        made = client.stream_chat(wire.chat)
        assert (made.info, server.requests) == (None, [])
        assert (await made) is made
        assert made.info.log_id == "01LOG"
        assert [chunk.text async for chunk in made] == ["a"]


async def test_a_cancelled_reader_frees_its_connection(server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    async with AsyncAIGateway("acct", wire.token, base_url=server.url) as client:
        started = asyncio.Event()

        async def read():
            async for _ in client.stream_chat(wire.chat):
                started.set()

        reader = asyncio.create_task(read())
        await started.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert await asyncio.to_thread(server.gone.wait, 5)


def test_a_stream_outlives_a_client_that_nobody_holds(server, wire):
    server.will(wire.sse(*(wire.chunk("a") for _ in range(2000)), wire.done))

    opened = AIGateway("acct", "token", base_url=server.url).stream_chat(wire.chat)
    gc.collect()

    assert len(list(opened)) == 2000


async def test_an_async_stream_outlives_a_client_that_nobody_holds(server, wire):
    server.will(wire.sse(*(wire.chunk("a") for _ in range(2000)), wire.done))

    opened = await AsyncAIGateway("acct", "token", base_url=server.url).stream_chat(wire.chat)
    gc.collect()

    assert len([chunk async for chunk in opened]) == 2000
    await opened.aclose()
