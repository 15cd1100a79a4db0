"""Feedback to the logs of several calls: which are rated, in which order, and what is done while a log is late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aigw import UNSET, AIGateway, AsyncAIGateway, ConfigurationError, LogNotFoundError, ResponseInfo
from aigw.integration import LoggedCall, arate_logs, rate_logs

FOUND = {"success": True, "result": [{"id": "L-old"}, {"id": "L-new"}], "result_info": {"count": 2}}
DONE = {"success": True, "result": {}}


@pytest.fixture(params=["sync", "async"])
def rate(request):
    """Rate in both ways, by the same words."""

    async def rate(calls, *args, **kwargs):
        if request.param == "sync":
            return rate_logs(calls, *args, **kwargs)
        return await arate_logs(calls, *args, **kwargs)

    return rate


@pytest.fixture
async def made(server):
    """Make calls whose clients lead to the recording server."""
    sync = AIGateway("acct", "test-token", base_url=server.url)
    asynchronous = AsyncAIGateway("acct", "test-token", base_url=server.url)
    yield lambda **facts: LoggedCall(ResponseInfo(gateway_id="g", **facts), lambda: sync, lambda: asynchronous)
    sync.close()
    await asynchronous.aclose()


async def test_the_last_call_with_a_log_is_rated_by_default(rate, made, server, wire):
    server.will(wire.json(DONE))

    rated = await rate([made(log_id="L1"), made(log_id="L2"), made(status_code=503)], score=80)

    assert rated == ["L2"]
    assert [(each.method, each.path.rpartition("/")[2], each.json) for each in server.requests] == [
        ("PATCH", "L2", {"feedback": 1, "score": 80})
    ]


async def test_all_calls_are_rated_in_their_order(rate, made, server, wire):
    server.will(wire.json(DONE))

    rated = await rate([made(log_id="L1"), made(log_id="L2")], -1, which="all", metadata={"by": "me"})

    assert rated == ["L1", "L2"]
    assert [each.json for each in server.requests] == [{"feedback": -1, "metadata": {"by": "me"}}] * 2


async def test_none_clears_and_unset_leaves_alone(rate, made, server, wire):
    server.will(wire.json(DONE))

    await rate([made(log_id="L1")], None)
    await rate([made(log_id="L1")], UNSET, score=None)

    assert [each.json for each in server.requests] == [{"feedback": None}, {"score": None}]


async def test_a_call_without_a_log_id_is_found_by_its_event_id(rate, made, server, wire):
    server.will(wire.json(FOUND), wire.json(DONE))

    rated = await rate([made(event_id="run-1")])

    assert rated == ["L-new"]
    assert [each.method for each in server.requests] == ["GET", "PATCH"]


async def test_a_log_that_is_late_is_waited_for(rate, made, server, wire):
    server.will(wire.failure(404, 7002, "Log not found"), wire.failure(404, 7002, "Log not found"), wire.json(DONE))

    assert await rate([made(log_id="L1")], wait=5) == ["L1"]
    assert len(server.requests) == 3


async def test_a_log_that_never_comes_is_an_error_once_time_is_up(rate, made, server, wire):
    server.will(wire.failure(404, 7002, "Log not found"))

    with pytest.raises(LogNotFoundError):
        await rate([made(log_id="L1")], wait=0.2)

    assert 2 <= len(server.requests) <= 4


async def test_without_waiting_a_missing_log_is_an_error_at_once(rate, made, server, wire):
    server.will(wire.failure(404, 7002, "Log not found"))

    with pytest.raises(LogNotFoundError):
        await rate([made(log_id="L1")], wait=0)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((2,), {}, "feedback cannot be 2"),
        ((1,), {"score": float("nan")}, "score cannot be nan"),
        ((1,), {"metadata": {"a": {}}}, "metadata"),
        ((1,), {"which": "first"}, "which cannot be 'first'"),
        ((1,), {"wait": -1}, "wait cannot be -1"),
        ((UNSET,), {}, "changes nothing"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_any_request(rate, made, server, args, kwargs, said):
    with pytest.raises(ConfigurationError, match=said):
        await rate([made(log_id="L1")], *args, **kwargs)

    assert server.requests == []


async def test_calls_without_any_handle_are_refused(rate, made):
    with pytest.raises(ConfigurationError, match="no call with a log id or an event id"):
        await rate([made(status_code=None)])


async def test_the_last_is_the_last_chat_if_there_are_any(rate, made, server, wire):
    server.will(wire.json(DONE))
    chat, vectors = made(log_id="L1"), replace(made(log_id="L2"), kind="embedding")

    assert await rate([chat, vectors]) == ["L1"]
    assert await rate([vectors]) == ["L2"]
    assert await rate([chat, vectors], which="all") == ["L1", "L2"]


async def test_what_a_cache_replayed_is_no_call_and_never_the_last(rate, made, server, wire):
    server.will(wire.json(DONE))
    replay = replace(made(log_id="L1"), is_replayed=True)

    assert await rate([made(log_id="L2"), replay], which="all") == ["L2"]
    with pytest.raises(ConfigurationError, match="came from LangChain's cache; its log L1"):
        await rate([made(log_id="L2"), replay])


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([(None, "E1"), ("L1", "E1")], ["L1"]),
        ([("L1", "E1"), (None, "E1"), ("L2", "E1")], ["L1", "L2"]),
        ([(None, "E1"), ("L1", "E2"), (None, "E1")], ["L1", "found"]),
        ([("L1", "E1"), ("L1", "E1")], ["L1"]),
    ],
)
async def test_attempts_that_would_find_the_same_log_are_one(rate, made, server, wire, attempts, expected):
    found = {"success": True, "result": [{"id": "found"}], "result_info": {"count": 1}}
    server.will(lambda request: wire.json(found if request.method == "GET" else DONE))

    rated = await rate([made(log_id=log_id, event_id=event_id) for log_id, event_id in attempts], which="all")

    assert rated == expected
    assert [each.method for each in server.requests].count("PATCH") == len(expected)
