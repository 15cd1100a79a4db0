"""`log_id`: the last call of this task or thread, and never another's."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw import AIGateway, AIGatewayError, AsyncAIGateway


def echo(wire):
    """Answer each call with a log id made of its event id."""
    return lambda request: wire.json(
        wire.completion(), 200, ("cf-aig-log-id", f"log-{request.header('cf-aig-event-id')}")
    )


async def test_it_is_none_before_the_first_call(driver, server):
    assert driver.client(server).log_id is None


async def test_it_is_the_last_calls(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    for number in ("1", "2"):
        await driver.done(client.chat(wire.chat, gateway={"event_id": number}))
        assert client.log_id == f"log-{number}"


async def test_it_is_none_when_the_last_call_had_none(driver, server, wire):
    server.will(wire.json(wire.completion(), 200, *wire.ids), wire.json(wire.completion()))
    client = driver.client(server)
    await driver.done(client.chat(wire.chat))
    await driver.done(client.chat(wire.chat))

    assert client.log_id is None


@pytest.mark.parametrize("broken", ["refused", "no-answer", "error"])
async def test_after_a_failure_it_is_the_failed_calls(driver, server, wire, broken):
    reply = wire.failure(400, 2008, "Invalid provider") if broken == "error" else wire.Reply(cut="before")
    server.will(wire.json(wire.completion(), 200, *wire.ids), reply)
    client = driver.client(server, max_retries=0)
    await driver.done(client.chat(wire.chat))
    if broken == "refused":
        object.__setattr__(client._account, "base_url", "http://127.0.0.1:9")

    with pytest.raises(AIGatewayError):
        await driver.done(client.chat(wire.chat))
    assert client.log_id is None


async def test_calls_on_logs_leave_it_alone(driver, server, wire):
    server.will(wire.json(wire.completion(), 200, *wire.ids), wire.json({"result": {"id": "1"}}))
    client = driver.client(server)
    await driver.done(client.chat(wire.chat))
    await driver.done(client.gateway().get_log("1"))

    assert client.log_id == "01LOG"


async def test_each_client_has_its_own(driver, server, wire):
    server.will(echo(wire))
    one, two = driver.client(server), driver.client(server)
    await driver.done(one.chat(wire.chat, gateway={"event_id": "1"}))
    await driver.done(two.chat(wire.chat, gateway={"event_id": "2"}))

    assert (one.log_id, two.log_id) == ("log-1", "log-2")


async def test_a_stream_sets_it_when_its_head_arrives(driver, server, wire):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done, headers=wire.ids))
    client = driver.client(server)
    stream = await driver.done(client.stream_chat(wire.chat))

    assert client.log_id == "01LOG"
    await driver.items(stream)


async def test_a_child_task_does_not_inherit_it_nor_change_it(driver, server, wire):
    server.will(echo(wire))
    client = driver.client(server)
    await driver.done(client.chat(wire.chat, gateway={"event_id": "parent"}))

    async def child():
        before = client.log_id
        await driver.done(client.chat(wire.chat, gateway={"event_id": "child"}))
        return before, client.log_id

    assert await asyncio.create_task(child()) == (None, "log-child")
    assert client.log_id == "log-parent"


async def test_a_thousand_tasks_each_see_their_own(server, wire):
    server.will(echo(wire))
    async with AsyncAIGateway("acct", wire.token, base_url=server.url) as client:

        async def one(number):
            result = await client.chat(wire.chat, gateway={"event_id": str(number)})
            await asyncio.sleep(0)
            return client.log_id == result.info.log_id == f"log-{number}"

        assert all(await asyncio.gather(*(one(number) for number in range(1000))))
    assert len(server.requests) == 1000


def test_sixteen_threads_each_see_their_own(server, wire):
    server.will(echo(wire))
    barrier = threading.Barrier(16)
    with AIGateway("acct", wire.token, base_url=server.url) as client:

        def one(number):
            seen = []
            for turn in range(5):
                barrier.wait(10)
                client.chat(wire.chat, gateway={"event_id": f"{number}-{turn}"})
                barrier.wait(10)
                seen.append(client.log_id == f"log-{number}-{turn}")
            return all(seen)

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(one, range(16)))
        assert client.log_id is None
