"""The async driver: `_client`'s twin, method for method, with `await`.

What a method takes, gives and raises is said there. A streaming method returns at once; the request is sent when its
stream is awaited, entered or iterated.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aigw._account import check_gateway_id
from aigw._async_gateway import AsyncGateway
from aigw._calls import _model_calls
from aigw._capture import current_captures
from aigw._driver import Driver
from aigw._engines._async_engine import AsyncEngine
from aigw._engines._library import check_timeout
from aigw._errors import AIGatewayError
from aigw._http import Response
from aigw._stream_readers import MAX_ANSWER_BYTES, MAX_ERROR_BYTES, AsyncStream, Body, OpenStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from types import TracebackType

    from aigw._calls._described import Call, Described, StreamCall
    from aigw._driver import Captures
    from aigw._endpoints import Surface
    from aigw._engines._answer import Answer
    from aigw._errors import APIConnectionError
    from aigw._facts import ResponseInfo
    from aigw._models import ChatCompletion, ChatCompletionChunk, EmbeddingResult, RunResult, StreamEvent
    from aigw._options import GatewayOptions

C = TypeVar("C", bound="Described")
T = TypeVar("T")


class AsyncAIGateway(Driver):
    """The AI binding, async; takes what `AIGateway` takes, with an `httpx.AsyncClient` as `http_client`.

    One instance may be used by many tasks at once, and from several event loops: each loop has its own connections,
    closed when the loop shuts down.
    """

    _engine: AsyncEngine

    def _start(self, http_client: Any, timeout: Any) -> None:
        self._engine = AsyncEngine(http_client, check_timeout(timeout))

    async def run(self, model: str, inputs: Mapping[str, Any], *, gateway: GatewayOptions | None = None) -> RunResult:
        """As `AIGateway.run`."""
        return await self._perform(_model_calls.run(self._account, self._merge(gateway), model, inputs))

    def stream_run(
        self, model: str, inputs: Mapping[str, Any], *, gateway: GatewayOptions | None = None
    ) -> AsyncStream[StreamEvent]:
        """As `AIGateway.stream_run`."""
        return self._perform_stream(_model_calls.stream_run(self._account, self._merge(gateway), model, inputs))

    async def chat(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> ChatCompletion:
        """As `AIGateway.chat`."""
        return await self._perform(_model_calls.chat(self._account, self._merge(gateway), body, surface))

    def stream_chat(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> AsyncStream[ChatCompletionChunk]:
        """As `AIGateway.stream_chat`."""
        return self._perform_stream(_model_calls.stream_chat(self._account, self._merge(gateway), body, surface))

    async def embed(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> EmbeddingResult:
        """As `AIGateway.embed`."""
        return await self._perform(_model_calls.embed(self._account, self._merge(gateway), body, surface))

    async def completions(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """As `AIGateway.completions`."""
        return await self._perform(_model_calls.raw(self._account, self._merge(gateway), "chat", body, surface))

    def stream_completions(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> AsyncStream[StreamEvent]:
        """As `AIGateway.stream_completions`."""
        return self._perform_stream(_model_calls.stream_raw(self._account, self._merge(gateway), "chat", body, surface))

    async def responses(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """As `AIGateway.responses`."""
        return await self._perform(_model_calls.raw(self._account, self._merge(gateway), "responses", body, surface))

    def stream_responses(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> AsyncStream[StreamEvent]:
        """As `AIGateway.stream_responses`."""
        return self._perform_stream(
            _model_calls.stream_raw(self._account, self._merge(gateway), "responses", body, surface)
        )

    async def messages(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """As `AIGateway.messages`."""
        return await self._perform(_model_calls.raw(self._account, self._merge(gateway), "messages", body, surface))

    def stream_messages(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> AsyncStream[StreamEvent]:
        """As `AIGateway.stream_messages`."""
        return self._perform_stream(
            _model_calls.stream_raw(self._account, self._merge(gateway), "messages", body, surface)
        )

    def gateway(self, gateway_id: str | None = None) -> AsyncGateway:
        """As `AIGateway.gateway`."""
        return AsyncGateway(self, check_gateway_id(gateway_id or self.gateway_id))

    async def aclose(self) -> None:
        """Close this event loop's connections; a client that was given is left alone."""
        await self._engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _perform(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        return self._attempt(call, _read, current_captures())

    def _perform_stream(self, call: StreamCall[T]) -> AsyncStream[T]:
        captures = current_captures()
        return AsyncStream(lambda: self._attempt(call, self._opened, captures))

    async def _opened(self, answer: Answer, call: StreamCall[T], info: ResponseInfo) -> OpenStream[T]:
        return OpenStream(answer, call.request, call.decoder(answer.headers, info), info, self._engine)

    async def _attempt(
        self, call: C, finish: Callable[[Answer, C, ResponseInfo], Awaitable[T]], captures: Captures
    ) -> T:
        retries_done = 0
        while True:
            try:
                answer = await self._engine.open(call.request)
                info = call.info(answer.status, answer.headers)
                if not answer.is_success:
                    raise call.error(await _drain(answer), info)
                result = await finish(answer, call, info)
            except AIGatewayError as error:
                delay = self._retry_delay(call, error, retries_done, captures)
            else:
                self._tell(call, info, captures)
                return result
            await asyncio.sleep(delay)
            retries_done += 1


async def _read(answer: Answer, call: Call[T], info: ResponseInfo) -> T:
    """Read a whole answer."""
    body = Body(answer, MAX_ANSWER_BYTES)
    failed: list[APIConnectionError] = []
    try:
        async for data in answer.body:
            if not body.add(data):
                break
    except answer.library.errors as error:
        failed.append(answer.library.error(error, call.request, info))
    finally:
        await answer.close()
    if failed:
        raise failed.pop()
    body.check(info)
    return call.read(Response(answer.status, answer.headers, body.content), info)


async def _drain(answer: Answer) -> Response:
    """Read a refusal, as much of its body as comes."""
    body = Body(answer, MAX_ERROR_BYTES)
    with suppress(*answer.library.errors):
        try:
            async for data in answer.body:
                if not body.add(data):
                    break
        finally:
            await answer.close()
    return Response(answer.status, answer.headers, body.content)
