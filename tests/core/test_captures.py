"""`capture_logs`: who hears of which call."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw import AIGateway, AIGatewayError, APIConnectionError, capture_logs, gateway_options

AGAIN = ("retry-after", "0")


def echo(wire):
    return lambda request: wire.json(wire.completion(), 200, ("cf-aig-log-id", request.header("cf-aig-event-id")))


async def call(driver, client, wire, event_id):
    return await driver.done(client.chat(wire.chat, gateway={"event_id": event_id}))


async def test_a_block_hears_of_its_calls_and_no_others(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    await call(driver, client, wire, "before")
    with capture_logs() as logs:
        result = await call(driver, client, wire, "inside")
    await call(driver, client, wire, "after")

    assert logs.log_ids == ["inside"]
    assert list(logs) == [result.info] == [logs[0]] == logs[:1]


async def test_blocks_nest(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    with capture_logs() as outer:
        await call(driver, client, wire, "1")
        with capture_logs() as inner:
            await call(driver, client, wire, "2")
        await call(driver, client, wire, "3")

    assert (outer.log_ids, inner.log_ids) == (["1", "2", "3"], ["2"])


async def test_a_block_ends_with_an_exception_too(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    with pytest.raises(KeyError), capture_logs() as logs:
        raise KeyError
    await call(driver, client, wire, "after")

    assert len(logs) == 0
    assert repr(logs) == "CapturedLogs(log_ids=[])"


async def test_tasks_started_inside_are_heard_and_those_from_outside_are_not(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    go = asyncio.Event()

    async def later():
        await go.wait()
        await call(driver, client, wire, "outside")

    outside = asyncio.create_task(later())
    with capture_logs() as logs:
        go.set()
        await asyncio.gather(call(driver, client, wire, "a"), call(driver, client, wire, "b"), outside)

    assert sorted(logs.log_ids) == ["a", "b"]


def test_threads_in_a_copy_of_the_context_are_heard_and_bare_ones_are_not(server, wire):
    server.will(echo(wire))
    with AIGateway("acct", wire.token, base_url=server.url) as client, capture_logs() as logs:

        def one(number):
            client.chat(wire.chat, gateway={"event_id": str(number)})

        threads = [threading.Thread(target=contextvars.copy_context().run, args=(one, n)) for n in range(8)]
        threads.append(threading.Thread(target=one, args=("bare",)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(logs.log_ids) == [str(number) for number in range(8)]


async def test_a_stream_counts_once_its_head_is_there(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, headers=wire.ids))
    with capture_logs() as logs:
        stream = await driver.done(driver.client(server).stream_chat(wire.chat))
        assert logs.log_ids == ["01LOG"]
        await driver.items(stream)

    assert len(logs) == 1


async def test_a_stream_made_inside_and_read_outside_is_heard(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, headers=wire.ids))
    with capture_logs() as logs:
        stream = driver.client(server).stream_chat(wire.chat)
    await driver.items(stream)

    assert logs.log_ids == ["01LOG"]


async def test_every_retry_counts(driver, server, wire):
    server.will(
        wire.failure(429, 2003, "Rate limited", AGAIN, ("cf-aig-log-id", "first")),
        wire.failure(500, 7000, "Internal", AGAIN, ("cf-aig-log-id", "second")),
        wire.json(wire.completion(), 200, ("cf-aig-log-id", "third")),
    )
    with capture_logs() as logs:
        await driver.done(driver.client(server).chat(wire.chat))

    assert logs.log_ids == ["first", "second", "third"]
    assert [info.status_code for info in logs] == [429, 500, 200]


async def test_a_failure_counts_with_its_log(driver, server, wire):
    server.will(wire.failure(402, 2021, "No credits", *wire.ids))
    with pytest.raises(AIGatewayError), capture_logs() as logs:
        await driver.done(driver.client(server).chat(wire.chat))

    assert logs.log_ids == ["01LOG"]


async def test_a_200_that_cannot_be_read_counts_with_its_log(driver, server, wire):
    server.will(wire.Reply(200, (("content-type", "text/html"), *wire.ids), (b"<html>",)))
    with pytest.raises(AIGatewayError), capture_logs() as logs:
        await driver.done(driver.client(server).chat(wire.chat))

    assert logs.log_ids == ["01LOG"]


@pytest.mark.usefixtures("no_backoff")
async def test_a_dead_connection_counts_without_a_log_and_keeps_the_event_id(driver, wire):
    client = driver.client("http://127.0.0.1:9", max_retries=1)
    with pytest.raises(APIConnectionError), capture_logs() as logs:
        await driver.done(client.chat(wire.chat, gateway={"event_id": "evt-7"}))

    assert [info.to_dict() for info in logs] == [{"event_id": "evt-7", "gateway_id": "default"}] * 2
    assert logs.log_ids == []


async def test_an_answer_that_breaks_off_counts_with_its_log(driver, server, wire):
    server.will(wire.Reply(200, (("content-type", "application/json"), *wire.ids), (b'{"choi',), cut="after"))
    with pytest.raises(APIConnectionError) as broken, capture_logs() as logs:
        await driver.done(driver.client(server).chat(wire.chat))

    assert logs.log_ids == ["01LOG"]
    assert broken.value.log_id == "01LOG"


async def test_calls_on_logs_are_not_heard(driver, server, wire):
    server.will(wire.json({"result": {"id": "1"}}, 200, *wire.ids))
    with capture_logs() as logs:
        await driver.done(driver.client(server).gateway().get_log("1"))

    assert len(logs) == 0


def test_a_thread_of_a_plain_pool_hears_of_the_context_by_a_copy(server, wire):
    server.will(wire.json(wire.completion()))
    client = AIGateway("acct", wire.token, base_url=server.url)

    with ThreadPoolExecutor() as pool, capture_logs() as logs, gateway_options({"metadata": {"team": "red"}}):
        pool.submit(client.chat, wire.chat).result()
        plain = server.last.header("cf-aig-metadata")
        futures = [pool.submit(contextvars.copy_context().run, client.chat, wire.chat) for _ in range(3)]
        for future in futures:
            future.result()

    assert (plain, server.last.header("cf-aig-metadata"), len(logs)) == (None, '{"team":"red"}', 3)
