"""Modes that differ for an adapter, through both of them and all their ways to ask."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.llms import ChatMessage

from langchain_aigw import ChatCloudflareAIGateway
from llamaindex_aigw import CloudflareAIGateway

from .driving import USER_CLIENTS, judge, outcome_of_call, outcome_of_stream
from .modes.all_modes import MODES
from .modes.mode import LOG_ID, WHOLE, whole

NAMES = [
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
]
PICKED = {mode.name: mode for mode in MODES if mode.name in NAMES}
WAYS = {
    "langchain": (ChatCloudflareAIGateway, "Hi", ("invoke", "ainvoke"), ("stream", "astream")),
    "llamaindex": (CloudflareAIGateway, [ChatMessage("Hi")], ("chat", "achat"), ("stream_chat", "astream_chat")),
}


def text_of(adapter):
    return (lambda answer: answer.text) if adapter == "langchain" else (lambda answer: answer.message.content or "")


def delta_of(adapter):
    return (lambda chunk: chunk.text) if adapter == "langchain" else (lambda chunk: chunk.delta or "")


# whether it is asked with await, and over which async client of the user's
SYNC_AND_ASYNC = pytest.mark.parametrize(
    ("way", "driver"),
    [(0, "httpx"), *((1, client) for client in USER_CLIENTS)],
    indirect=["driver"],
    ids=["sync", *USER_CLIENTS],
)


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
        settings = driver.settings(server.url, mode.read_timeout)
        model = WAYS[adapter][0](model="openai/gpt-5-mini", http_async_client=driver.http_client(), **settings)
        return model, adapter

    return ask


async def check_afterwards(server, elsewhere, mode):
    assert (len(server.requests), elsewhere.connections) == (mode.requests, 0)
    assert await asyncio.to_thread(server.let_go)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("mode", [pytest.param(mode, id=name) for name, mode in PICKED.items() if mode.whole])
@SYNC_AND_ASYNC
async def test_a_whole_answer_is_right_or_a_typed_error(asked, server, elsewhere, mode, way):
    model, adapter = asked(mode)
    _, prompt, methods, _ = WAYS[adapter]

    judge(await outcome_of_call(lambda: getattr(model, methods[way])(prompt), text_of(adapter)), mode.whole, LOG_ID)
    await check_afterwards(server, elsewhere, mode)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("mode", [pytest.param(mode, id=name) for name, mode in PICKED.items() if mode.stream])
@SYNC_AND_ASYNC
async def test_a_stream_is_right_or_a_typed_error(asked, server, elsewhere, mode, way):
    model, adapter = asked(mode)
    _, prompt, _, methods = WAYS[adapter]

    judge(await outcome_of_stream(lambda: getattr(model, methods[way])(prompt), delta_of(adapter)), mode.stream, LOG_ID)
    await check_afterwards(server, elsewhere, mode)
