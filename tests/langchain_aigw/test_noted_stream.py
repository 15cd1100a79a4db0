"""What `astream` gives is no generator of ours, and must be one to whoever holds it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from langchain_core.language_models import BaseChatModel

from langchain_aigw import ChatCloudflareAIGateway, capture_logs


class Dated(ChatCloudflareAIGateway):
    """A model of somebody who still overrides what LangChain has deprecated."""

    def dict(self, **kwargs):
        return {**super().dict(**kwargs), "dated": True}


@pytest.fixture
def make(local_fields):
    return lambda kind=ChatCloudflareAIGateway, **fields: kind(model="openai/gpt-5-mini", **local_fields, **fields)


async def test_a_stream_is_an_async_generator_to_who_asks(make):
    stream = make().astream("hi")
    assert isinstance(stream, AsyncGenerator)
    assert aiter(stream) is stream
    await stream.aclose()


async def test_a_stream_that_is_closed_before_it_begins_asks_nothing(make):
    with capture_logs() as logs:
        stream = make().astream("hi")
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert len(logs) == 0


async def test_a_stream_can_be_stepped_by_sending_nothing(make):
    stream = make().astream("hi")
    first = await stream.asend(None)
    rest = [chunk async for chunk in stream]
    assert "".join(chunk.text for chunk in [first, *rest])
    with pytest.raises(StopAsyncIteration):
        await stream.asend(None)


@pytest.mark.parametrize("begun", [False, True])
async def test_an_error_thrown_into_a_stream_ends_it(make, begun):
    stream = make().astream("hi")
    if begun:
        await anext(stream)
    with pytest.raises(KeyError):
        await stream.athrow(KeyError("mine"))
    assert [chunk async for chunk in stream] == []


async def test_a_stream_cancelled_at_its_first_chunk_is_over(make):
    stream = make().astream("hi")
    task = asyncio.ensure_future(stream.__anext__())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [chunk async for chunk in stream] == []


@pytest.mark.parametrize("keywords", [{}, {"stop": ["x"]}, {"temperature": 0.5, "tools": []}])
def test_tracers_are_told_the_parameters_that_langchain_would_tell(make, keywords):
    model = make(temperature=0.1)
    assert model._get_invocation_params(**keywords) == BaseChatModel._get_invocation_params(model, **keywords)


def test_tracers_are_told_what_an_overridden_dict_adds(make):
    with pytest.warns(DeprecationWarning, match="asdict"):
        made = make(Dated).dict()
    assert made["dated"] is True
    assert make(Dated)._get_invocation_params()["dated"] is True
