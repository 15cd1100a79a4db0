"""From the core's streams to the generators LlamaIndex wants: twins of a few lines over `ChunkDecoder`.

LlamaIndex tells streams from answers by `isinstance(..., Generator)`, so these are real ones. Each is advanced once
before it is handed out: only a generator that has begun runs its `finally`, and so the connection is freed also when
nobody ever iterates.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from llamaindex_aigw._messages import ChunkDecoder, to_completion

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import (
        ChatResponseAsyncGen,
        ChatResponseGen,
        CompletionResponseAsyncGen,
        CompletionResponseGen,
    )

    from aigw import AsyncStream, ResponseInfo, Stream, StreamEvent
    from llamaindex_aigw._recorded import CallReport


def read_chat(stream: Stream[StreamEvent], report: CallReport) -> ChatResponseGen:
    """Give the responses of a stream; closing the generator closes the connection."""
    responses = _read_chat(stream, report)
    next(responses)
    return responses


async def aread_chat(stream: AsyncStream[StreamEvent], report: CallReport) -> ChatResponseAsyncGen:
    """Send the request, and give the responses of the stream; closing the generator closes the connection."""
    responses = _aread_chat(stream, report)
    await anext(responses)
    return responses


def read_completion(responses: ChatResponseGen) -> CompletionResponseGen:
    """Give chat responses as completions; closing the generator closes the chat's."""
    with closing(responses):
        for response in responses:
            yield to_completion(response)


async def aread_completion(responses: ChatResponseAsyncGen) -> CompletionResponseAsyncGen:
    """Give chat responses as completions; closing the generator closes the chat's."""
    async with aclosing(responses):
        async for response in responses:
            yield to_completion(response)


def _read_chat(stream: Stream[StreamEvent], report: CallReport) -> ChatResponseGen:
    with report, stream:
        yield _BEGUN
        decoder = ChunkDecoder(stream.info)
        for chunk in stream:
            response = decoder.feed(chunk)
            if response is not None:
                yield response
        yield report.heard(decoder.close())


async def _aread_chat(stream: AsyncStream[StreamEvent], report: CallReport) -> ChatResponseAsyncGen:
    with report:
        async with stream:
            yield _BEGUN
            decoder = ChunkDecoder(_known(stream.info))
            async for chunk in stream:
                response = decoder.feed(chunk)
                if response is not None:
                    yield response
            yield report.heard(decoder.close())


_BEGUN = ChatResponse(message=ChatMessage())
"""What the first step yields; nobody sees it."""


def _known(info: ResponseInfo | None) -> ResponseInfo:
    """Give the facts of a stream that was entered, which has them."""
    if info is None:
        raise RuntimeError("the stream has not begun")
    return info
