"""Blocks that are left in another context than they were entered in, as those of a generator that a web server reads.

Starlette, and so FastAPI, runs each step of a synchronous generator in a copy of the request's context.
"""

import asyncio
from contextvars import copy_context

import pytest
from starlette.responses import StreamingResponse

import aigw
from langchain_aigw import AIGatewayCallbackHandler
from langchain_aigw import capture_logs as langchain_capture
from llamaindex_aigw import capture_logs as llamaindex_capture

BLOCKS = {
    "aigw.capture_logs": aigw.capture_logs,
    "aigw.gateway_options": lambda: aigw.gateway_options({"skip_cache": True}),
    "langchain_aigw.capture_logs": langchain_capture,
    "langchain_aigw.attached": lambda: AIGatewayCallbackHandler().attached(),
    "llamaindex_aigw.capture_logs": lambda: llamaindex_capture({"user": "u"}),
}


def step_elsewhere(generator):
    """Give what a generator does, each step run in a context of its own."""
    end = object()
    while (item := copy_context().run(next, generator, end)) is not end:
        yield item


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_may_end_in_another_context(block):
    def generator():
        with block():
            yield "inside"
        yield "after"

    assert list(step_elsewhere(generator())) == ["inside", "after"]


def test_a_judge_may_end_in_another_context():
    def generator():
        with llamaindex_capture() as logs, logs.judging():
            yield "inside"

    assert list(step_elsewhere(generator())) == ["inside"]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_an_error_in_such_a_block_is_the_one_that_is_raised(block):
    def generator():
        with block():
            yield "inside"
            raise LookupError("of the caller")

    with pytest.raises(LookupError, match="of the caller"):
        list(step_elsewhere(generator()))


def test_a_stream_that_a_web_server_reads_has_its_log(adapter, gateway):
    model = adapter.make(
        model="openai/gpt-5-mini", account_id="acct", api_token="test-token", base_url=gateway.base_url
    )
    heard, sent = [], []

    def chunks():
        with adapter.package.capture_logs() as logs:
            for chunk in adapter.stream(model):
                yield str(chunk)
        heard.extend(logs.log_ids)

    async def serve():
        async def send(message):
            sent.append(message)

        async def receive():
            await asyncio.Event().wait()

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.4"}}
        await StreamingResponse(chunks())(scope, receive, send)

    asyncio.run(serve())
    assert heard == gateway.logs.log_ids
    assert sent[-1]["more_body"] is False
