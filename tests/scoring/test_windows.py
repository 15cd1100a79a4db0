"""Logs are read each once, in the order of time, whatever happens to them meanwhile."""

import random
from datetime import timedelta

import pytest

from aigw import AIGatewayError, AsyncAIGateway, GatewayLog, LogPage
from aigw.scoring._windows import Extent, Window, cut, extent_of, read_window


async def read(gateway, filters=(), size=1000):
    extent = await extent_of(gateway, filters)
    return [
        log.id
        async for window in cut(gateway, filters, extent, size)
        async for log in read_window(gateway, filters, window)
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 50, 119, 1000])
async def test_windows_of_any_size_give_every_log_once_and_in_order(filled, size):
    async with filled.client() as client:
        assert await read(client.gateway(), size=size) == [f"log-{n:06d}" for n in range(120)]


async def test_more_logs_of_one_moment_than_a_page_holds_are_all_read(empty):
    empty.add(range(175), created_at=1_790_000_000_000)
    empty.add(range(175, 180), created_at=1_790_000_000_001)
    async with empty.client() as client:
        assert len(set(await read(client.gateway()))) == 180


async def test_logs_that_feedback_takes_out_of_the_filter_shift_nothing(filled):
    filters = [{"key": "feedback", "operator": "neq", "value": 1}]
    seen = []
    async with filled.client() as client:
        gateway = client.gateway()
        extent = await extent_of(gateway, filters)
        async for log in read_window(gateway, filters, extent.window):
            seen.append(log.id)
            filled.store.patch("acme", "default", log.id, {"feedback": 1})
    assert seen == [f"log-{n:06d}" for n in range(120)]


async def test_logs_that_arrive_meanwhile_shift_nothing_and_are_not_read(filled):
    seen, coming = [], iter(range(1000, 2000))
    async with filled.client() as client:
        gateway = client.gateway()
        extent = await extent_of(gateway, ())
        async for log in read_window(gateway, (), extent.window):
            seen.append(log.id)
            filled.add([next(coming)])
    assert seen == [f"log-{n:06d}" for n in range(120)]


async def test_an_empty_gateway_has_no_extent(empty):
    async with empty.client() as client:
        assert await extent_of(client.gateway(), ()) is None


class Listed:
    """A gateway of a list of logs, which compares times as coarsely as it is told."""

    def __init__(self, logs, coarse):
        self.logs, self.coarse, self.asked = logs, coarse, 0

    def moment(self, value):
        moment = value if isinstance(value, GatewayLog) else GatewayLog.model_validate({"id": "", "created_at": value})
        whole = moment.created_at.timestamp()
        return int(whole * 1_000_000) // self.coarse

    async def list_logs(self, *, filters=(), direction="desc", page=1, per_page=20):
        self.asked += 1
        tests = {"gt": int.__gt__, "lt": int.__lt__}
        fits = [
            log
            for log in sorted(self.logs, key=lambda log: (log.created_at, log.id), reverse=direction == "desc")
            if all(tests[one["operator"]](self.moment(log), self.moment(one["value"])) for one in filters)
        ]
        return LogPage(logs=tuple(fits[(page - 1) * per_page : page * per_page]), total_count=len(fits))


@pytest.mark.parametrize("coarse", [1, 1000, 1_000_000], ids=["microseconds", "milliseconds", "seconds"])
async def test_a_gateway_that_compares_times_coarsely_loses_nothing(coarse):
    draw = random.Random(5)  # noqa: S311 -- not for secrets
    began = GatewayLog.model_validate({"id": "", "created_at": "2026-10-08T09:10:11Z"}).created_at
    tick = max(coarse // 1000, 1) if coarse < 1_000_000 else coarse
    moments = [began + timedelta(microseconds=draw.randrange(0, 4_000_000) // tick * tick) for _ in range(330)]
    logs = [GatewayLog(id=f"{n:03}", created_at=moment) for n, moment in enumerate(moments)]
    found = await read(Listed(logs, coarse), size=60)
    assert sorted(found) == [log.id for log in logs]


async def test_a_server_that_only_repeats_itself_comes_to_an_end():
    logs = [GatewayLog.model_validate({"id": str(n), "created_at": "2026-10-08T09:10:11Z"}) for n in range(50)]

    class Repeating(Listed):
        async def list_logs(self, **_):
            self.asked += 1
            return LogPage(logs=tuple(self.logs), total_count=50)

    gateway = Repeating(logs, 1)
    assert len(await read(gateway)) == 50
    assert gateway.asked < 6


async def test_a_log_without_a_time_is_an_error():
    gateway = Listed([], 1)
    gateway.list_logs = lambda **_: _page()
    with pytest.raises(AIGatewayError, match="created_at"):
        await extent_of(gateway, ())


async def _page():
    return LogPage(logs=(GatewayLog(id="a"),))


async def test_the_windows_have_no_gap(filled):
    async with filled.client() as client:
        assert isinstance(client, AsyncAIGateway)
        extent = await extent_of(client.gateway(), ())
        windows = [window async for window in cut(client.gateway(), (), extent, 25)]
    assert isinstance(extent, Extent)
    assert extent.count == 120
    assert windows[0].start is None
    assert windows[-1].end == extent.window.end
    assert [one.end for one in windows[:-1]] == [one.start for one in windows[1:]]
    assert windows[0] == Window(None, windows[1].start)
