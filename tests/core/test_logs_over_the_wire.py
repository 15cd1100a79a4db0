"""Logs over a real socket: waiting for one, paging through many, and what the API refuses."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from aigw import AuthenticationError, ConfigurationError, LogNotFoundError

DONE = {"success": True, "result": {"id": "1", "cost": 0.5, "request_head": "{}", "response_head": "{}"}}
EARLY = {"success": True, "result": {"id": "1", "cost": None}}


@pytest.fixture
def missing(wire):
    return wire.json({"success": False, "errors": [{"code": 7002, "message": "Log not found"}]}, 404)


async def test_waiting_goes_on_until_the_log_is_there_and_complete(driver, server, wire, missing):
    server.will(missing, wire.json(EARLY), wire.json(DONE))

    log = await driver.done(driver.client(server).gateway().get_log("1", wait=5))
    assert (log.cost, log.is_complete, len(server.requests)) == (0.5, True, 3)


async def test_without_waiting_there_is_one_question(driver, server, wire, missing):
    server.will(missing, wire.json(EARLY))
    gateway = driver.client(server).gateway()

    with pytest.raises(LogNotFoundError, match="Log not found"):
        await driver.done(gateway.get_log("1"))
    assert (await driver.done(gateway.get_log("1"))).is_complete is False
    assert len(server.requests) == 2


async def test_when_time_is_up_an_incomplete_log_is_given_as_it_is(driver, server, wire):
    server.will(wire.json(EARLY))
    began = time.monotonic()
    log = await driver.done(driver.client(server).gateway().get_log("1", wait=0.3))

    assert log.is_complete is False
    assert 0.3 <= time.monotonic() - began < 1
    assert 3 <= len(server.requests) <= 5


async def test_when_time_is_up_a_missing_log_is_an_error(driver, server, missing):
    server.will(missing)

    with pytest.raises(LogNotFoundError):
        await driver.done(driver.client(server).gateway().get_log("1", wait=0.2))
    assert len(server.requests) >= 2


async def test_waiting_does_not_hide_another_error(driver, server, wire):
    server.will(wire.json({"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, 401))

    with pytest.raises(AuthenticationError, match="AI Gateway Read"):
        await driver.done(driver.client(server).gateway().get_log("1", wait=5))
    assert len(server.requests) == 1


@pytest.mark.parametrize("wait", [-1, float("inf"), float("nan"), "5", None, True])
async def test_a_wait_that_is_no_time_is_refused(driver, server, wait):
    with pytest.raises(ConfigurationError, match="wait cannot be"):
        await driver.done(driver.client(server).gateway().get_log("1", wait=wait))
    assert server.requests == []


def pages(wire, total):
    """Serve `total` logs, page by page."""

    def answer(request):
        query = parse_qs(urlsplit(request.path).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        numbers = range((page - 1) * size, min(page * size, total))
        return wire.json({"success": True, "result": [{"id": str(number)} for number in numbers]})

    return answer


@pytest.mark.parametrize(("total", "requests"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
async def test_all_logs_come_page_after_page(driver, server, wire, total, requests):
    server.will(pages(wire, total))

    logs = await driver.items(driver.client(server).gateway().iter_logs(per_page=2))
    assert [log.id for log in logs] == [str(number) for number in range(total)]
    assert len(server.requests) == requests


async def test_pages_are_read_only_as_far_as_asked(driver, server, wire):
    server.will(pages(wire, 100))
    logs = driver.client(server).gateway().iter_logs(per_page=2)
    await driver.first(logs)

    assert len(server.requests) == 1
    await driver.done(logs.aclose() if driver.is_async else logs.close())


async def test_every_page_is_asked_for_alike(driver, server, wire):
    server.will(pages(wire, 3))
    filters = [{"key": "success", "operator": "eq", "value": True}]
    logs = (
        driver.client(server)
        .gateway("g")
        .iter_logs(filters=filters, order_by="model", direction="asc", search="x", per_page=2)
    )
    await driver.items(logs)

    first, second = (parse_qs(urlsplit(request.path).query) for request in server.requests)
    assert (first.pop("page"), second.pop("page")) == (["1"], ["2"])
    assert first == second
    assert (first["order_by"], first["order_by_direction"], first["search"]) == (["model"], ["asc"], ["x"])


async def test_feedback_on_a_missing_log_is_an_error(driver, server, missing):
    server.will(missing)

    with pytest.raises(LogNotFoundError):
        await driver.done(driver.client(server).gateway().patch_log("1", feedback=1))


async def test_reading_logs_is_tried_again(driver, server, wire):
    server.will(wire.json({"success": False}, 500, ("retry-after", "0")), wire.json(DONE))

    assert (await driver.done(driver.client(server).gateway().get_log("1"))).id == "1"


async def test_a_server_that_repeats_a_page_is_asked_no_further(driver, server, wire):
    page = {"success": True, "result": [{"id": "1"}, {"id": "2"}], "result_info": {"count": 2}}
    server.will(wire.json(page))
    gateway = driver.client(server).gateway()

    found = await driver.items(gateway.iter_logs(per_page=2))

    assert [log.id for log in found] == ["1", "2"]
    assert len(server.requests) == 2
