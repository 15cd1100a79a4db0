"""Every mode through both adapters, sync and async, over what they take by themselves; over clients of users, some."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.llms import ChatMessage

from langchain_aigw import ChatCloudflareAIGateway
from llamaindex_aigw import CloudflareAIGateway

from .driving import ON_AIOHTTP, USER_CLIENTS, judge, outcome_of_call, outcome_of_stream
from .modes.all_modes import MODES
from .modes.mode import LOG_ID, WHOLE, whole

OVER_CLIENTS = {
    "closed-before-the-status",
    "reset-in-the-body",
    "closed-in-an-event",
    "stalled-in-an-event",
    "gzip-lie",
    "endless-line",
    "html-200",
    "html-502",
    "json-object",
    "json-null",
    "json-surrogate",
    "blocked-200",
    "sse-cr",
    "sse-comments",
    "sse-error-anthropic",
    "sse-odd-delta",
    "sse-no-end",
    "429-twice",
    "retry-after-huge",
    "redirect-host",
}
"""Modes that a user's own async client meets too."""

WAYS = {
    "langchain": (ChatCloudflareAIGateway, "Hi", ("invoke", "ainvoke"), ("stream", "astream")),
    "llamaindex": (CloudflareAIGateway, [ChatMessage("Hi")], ("chat", "achat"), ("stream_chat", "astream_chat")),
}


def text_of(adapter):
    return (lambda answer: answer.text) if adapter == "langchain" else (lambda answer: answer.message.content or "")


def delta_of(adapter):
    return (lambda chunk: chunk.text) if adapter == "langchain" else (lambda chunk: chunk.delta or "")


def cases(kind):
    """Each mode with each engine that it is met over."""
    return [
        pytest.param(
            engine, mode, (engine in ON_AIOHTTP and mode.on_aiohttp) or getattr(mode, kind), id=f"{mode.name}-{engine}"
        )
        for mode in MODES
        if getattr(mode, kind) is not None
        for engine in ("sync", "aiohttp", *(USER_CLIENTS if mode.name in OVER_CLIENTS else ()))
    ]


@pytest.fixture(params=WAYS)
def asked(request, driver, server, elsewhere):
    """Prepare a mode and give the model that is to meet it."""
    adapter = request.param

    def ask(mode):
        place = elsewhere.url.removeprefix("http://").encode()
        server.replies = [
            *(
                tuple(act.replace(b"{elsewhere}", place) if isinstance(act, bytes) else act for act in reply)
                for reply in mode.replies
            ),
            *([mode.replies[-1]] * (mode.requests - len(mode.replies))),
            whole(WHOLE),
        ]
        server.is_early = mode.is_early
        settings = driver.settings(server.url, mode.read_timeout)
        if driver.engine in USER_CLIENTS:
            settings["http_async_client"] = driver.http_client()
        model = WAYS[adapter][0](model="openai/gpt-5-mini", **settings)
        return model, adapter

    return ask


async def check_afterwards(server, elsewhere, model, mode):
    assert (len(server.requests), elsewhere.connections) == (mode.requests, 0)
    assert await asyncio.to_thread(server.let_go)
    model.close()
    await model.aclose()


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(("driver", "mode", "expected"), cases("whole"), indirect=["driver"])
async def test_a_whole_answer_is_right_or_a_typed_error(asked, driver, server, elsewhere, mode, expected):
    model, adapter = asked(mode)
    _, prompt, methods, _ = WAYS[adapter]
    method = getattr(model, methods[not driver.is_sync])

    judge(await outcome_of_call(lambda: method(prompt), text_of(adapter)), expected, LOG_ID)
    await check_afterwards(server, elsewhere, model, mode)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(("driver", "mode", "expected"), cases("stream"), indirect=["driver"])
async def test_a_stream_is_right_or_a_typed_error(asked, driver, server, elsewhere, mode, expected, monkeypatch):
    if mode.is_heavy:
        monkeypatch.undo()
    model, adapter = asked(mode)
    _, prompt, _, methods = WAYS[adapter]
    method = getattr(model, methods[not driver.is_sync])

    judge(await outcome_of_stream(lambda: method(prompt), delta_of(adapter)), expected, LOG_ID)
    await check_afterwards(server, elsewhere, model, mode)
