"""The writer of logs: many in one transaction, none lost by another's fault, by leaving, or by a thread."""

import asyncio
import logging
from threading import Thread

import pytest

from aigw.local._logs._record import LogRecord
from aigw.local._logs._store import LogStore
from aigw.local._logs._writer import LogWriter


@pytest.fixture
def writer():
    store = LogStore()
    yield LogWriter(store)
    store.close()


def record(log_id):
    return LogRecord(account="acct", gateway="gw", id=log_id, created_at=1, provider="openai", model="m", path="p")


def ids(writer):
    return [log["id"] for log in writer.store.newest(1000)]


async def test_logs_that_end_in_the_same_turn_are_one_transaction(writer):
    before = writer.store.changes
    await asyncio.gather(*(writer.write_together(record(str(number))) for number in range(20)))
    assert len(ids(writer)) == 20
    assert writer.store.changes - before == 1


async def test_a_log_is_there_when_its_writing_returns(writer):
    async def write(log_id):
        await writer.write_together(record(log_id))
        assert log_id in ids(writer)

    await asyncio.gather(*(write(str(number)) for number in range(5)))


@pytest.mark.parametrize("bad", ["a", "\ud800"], ids=["an id twice", "half of a character"])
async def test_a_log_that_cannot_be_written_takes_no_other_with_it(writer, caplog, bad):
    writer.write(record("a"))
    with caplog.at_level(logging.ERROR, "aigw.local"):
        await asyncio.gather(*(writer.write_together(record(log_id)) for log_id in ("b", bad, "c")))
    assert ids(writer) == ["a", "b", "c"]
    assert [entry.message for entry in caplog.records] == [f"log {bad!r} could not be written"]


async def test_the_log_of_a_call_that_is_cancelled_meanwhile_is_written(writer):
    task = asyncio.create_task(writer.write_together(record("left")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ids(writer) == ["left"]


def test_event_loops_in_many_threads_share_one_writer(writer):
    async def write_some(name):
        for number in range(50):
            await writer.write_together(record(f"{name}/{number}"))
            assert f"{name}/{number}" in ids(writer)

    threads = [Thread(target=asyncio.run, args=(write_some(name),)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(writer)) == 200
