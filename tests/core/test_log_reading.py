"""The logs of many calls, read at once: each is told, and one that never comes is passed over."""

from __future__ import annotations

import pytest

from aigw import AIGateway, AsyncAIGateway, InternalServerError, ResponseInfo
from aigw.integration import LoggedCall, aread_logs, read_logs


@pytest.fixture(params=["sync", "async"])
def read(request):
    async def read(readings, **keywords):
        if request.param == "sync":
            return read_logs(readings, **keywords)
        return await aread_logs(readings, **keywords)

    return read


@pytest.fixture
async def made(server):
    sync = AIGateway("acct", "test-token", base_url=server.url, max_retries=0)
    asynchronous = AsyncAIGateway("acct", "test-token", base_url=server.url, max_retries=0)
    yield lambda log_id: LoggedCall(ResponseInfo(gateway_id="g", log_id=log_id), lambda: sync, lambda: asynchronous)
    sync.close()
    await asynchronous.aclose()


async def test_each_call_is_told_its_own_log(read, made, server, wire):
    server.will(lambda request: wire.json({"success": True, "result": {"id": request.path.rpartition("/")[2]}}))
    told: dict[str, str] = {}

    await read([(made(f"L{n}"), lambda log, n=n: told.update({f"L{n}": log.id})) for n in range(20)])

    assert told == {f"L{n}": f"L{n}" for n in range(20)}


async def test_a_call_without_a_log_id_is_not_asked_for(read, made, server, wire):
    server.will(wire.json({}))

    await read([(made(None), pytest.fail)])

    assert server.requests == []


async def test_a_log_that_never_comes_is_passed_over(read, made, server, wire):
    server.will(wire.failure(404, 7002, "Log not found"))

    await read([(made("L1"), pytest.fail)])

    assert len(server.requests) == 1


async def test_a_gateway_that_fails_is_an_error(read, made, server, wire):
    server.will(wire.failure(500, 7000, "Internal"))

    with pytest.raises(InternalServerError):
        await read([(made("L1"), pytest.fail)])
