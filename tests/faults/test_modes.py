"""Every mode, through every engine of the core: what comes out, how often it was asked, and that nothing is kept.

Each ends with one more call on the same client, which has room for one connection.
"""

from __future__ import annotations

import asyncio

import pytest

from aigw import APITimeoutError

from .driving import CHAT, ENGINES, ON_AIOHTTP, TOKEN, judge, outcome_of_call, outcome_of_stream
from .modes.all_modes import MODES, SECTIONS
from .modes.mode import ELSEWHERE, LOG_ID, WHOLE, whole

AT_THE_WIRE = [*SECTIONS["Connections"].MODES, *SECTIONS["HTTP"].MODES]


def engines_of(mode):
    """Those that can differ: above the wire all async ones are read alike, and both of httpx wait alike."""
    return ENGINES if mode in AT_THE_WIRE and mode.read_timeout > 1 else ("sync", "aiohttp")


def cases(kind):
    return [
        pytest.param(
            engine, mode, (engine in ON_AIOHTTP and mode.on_aiohttp) or getattr(mode, kind), id=f"{mode.name}-{engine}"
        )
        for mode in MODES
        if getattr(mode, kind) is not None
        for engine in engines_of(mode)
    ]


def prepare(server, elsewhere, mode):
    place = elsewhere.url.removeprefix("http://").encode()
    replies = [
        tuple(act.replace(ELSEWHERE, place) if isinstance(act, bytes) else act for act in reply)
        for reply in mode.replies
    ]
    last = replies[-1]
    server.replies = [*replies, *([last] * (mode.requests - len(replies))), whole(WHOLE)]
    server.is_early = mode.is_early


async def check_afterwards(server, elsewhere, client, mode):
    """Nothing was asked twice, nor told to anyone else; and the connection is free for the next call."""
    assert len(server.requests) == mode.requests
    assert await asyncio.to_thread(server.let_go)
    server.is_early = False
    again = await outcome_of_call(lambda: client.chat(CHAT), lambda answer: answer.text)
    while mode.read_timeout < 1 and isinstance(again[1], APITimeoutError):  # of this slow machine, not of the server
        again = await outcome_of_call(lambda: client.chat(CHAT), lambda answer: answer.text)
    assert again == ("Hello", None)
    assert {request.header("authorization") for request in server.requests} == {f"Bearer {TOKEN}"}
    assert (elsewhere.connections, [r for r in server.requests if TOKEN in r.line or TOKEN.encode() in r.body]) == (
        0,
        [],
    )


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(("driver", "mode", "expected"), cases("whole"), indirect=["driver"])
async def test_a_whole_answer_is_right_or_a_typed_error(driver, server, elsewhere, mode, expected):
    prepare(server, elsewhere, mode)
    client = driver.client(server.url, mode.read_timeout)

    outcome = await outcome_of_call(lambda: client.chat(CHAT), lambda answer: answer.text)
    judge(outcome, expected, LOG_ID)
    await check_afterwards(server, elsewhere, client, mode)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(("driver", "mode", "expected"), cases("stream"), indirect=["driver"])
async def test_a_stream_is_right_or_a_typed_error(driver, server, elsewhere, mode, expected, monkeypatch):
    if mode.is_heavy:
        monkeypatch.undo()
    prepare(server, elsewhere, mode)
    client = driver.client(server.url, mode.read_timeout)

    outcome = await outcome_of_stream(lambda: client.stream_chat(CHAT), lambda chunk: chunk.text)
    judge(outcome, expected, LOG_ID)
    await check_afterwards(server, elsewhere, client, mode)
