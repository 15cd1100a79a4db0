"""The sync driver: it performs what is described in `_calls`.

Every public method is one line over a description. `_async_client` is its twin, method for method; a test compares
their signatures. What is one gateway's own is in `_gateway`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aigw._account import check_gateway_id
from aigw._calls import _model_calls
from aigw._capture import current_captures
from aigw._driver import Driver
from aigw._engines._engine import Engine
from aigw._engines._library import check_timeout
from aigw._errors import AIGatewayError
from aigw._gateway import Gateway
from aigw._http import Response
from aigw._stream_readers import MAX_ANSWER_BYTES, MAX_ERROR_BYTES, Body, OpenStream, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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


class AIGateway(Driver):
    """The AI binding: any model through Cloudflare AI Gateway, with its log ids, logs and feedback.

    No HTTP client is made before the first call. One instance may be used from many threads at once, and after a fork.

    Args:
        account_id: The Cloudflare account; else `CLOUDFLARE_ACCOUNT_ID`.
        api_token: A Cloudflare API token; else `CLOUDFLARE_API_TOKEN`.
        gateway_id: The gateway; else `CLOUDFLARE_AI_GATEWAY_ID`, else `default`.
        options: Gateway options of every call; a call's own win.
        base_url: One origin, `scheme://host[:port]`, in place of both of Cloudflare's; else `AIGW_BASE_URL`. The local
            gateway, or what forwards to Cloudflare. One on this machine is asked past the environment's proxies.
        logs_token: A second token for logs and feedback, where the first may only run models.
        provider_key: Your own key at the provider, sent with every call; chat then goes through the gateway host.
        timeout: Seconds, or an `httpx.Timeout`; by default 10 to connect and 300 for each wait after that, or what the
            `http_client` has.
        max_retries: How often a call that certainly was not run is tried again.
        http_client: Your own `httpx.Client` or `httpx2.Client`; it is never closed here.

    Raises:
        ConfigurationError: An argument cannot be what it is. What is missing is told by the first call.
    """

    _engine: Engine

    def _start(self, http_client: Any, timeout: Any) -> None:
        self._engine = Engine(http_client, check_timeout(timeout))

    def run(self, model: str, inputs: Mapping[str, Any], *, gateway: GatewayOptions | None = None) -> RunResult:
        """Run any model on its own inputs, as `env.AI.run`.

        Args:
            model: `author/model` or `@cf/author/model`.
            inputs: What that model takes: `{"prompt": ...}`, `{"messages": [...]}`, `{"text": [...]}`.
            gateway: Gateway options of this call.

        Returns:
            The answer without Cloudflare's envelope: decoded JSON, or bytes with their content type.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The gateway or the provider said no.
            APIConnectionError: No answer arrived.

        Source: AI Gateway docs, Workers bindings and REST API.
        """
        return self._perform(_model_calls.run(self._account, self._merge(gateway), model, inputs))

    def stream_run(
        self, model: str, inputs: Mapping[str, Any], *, gateway: GatewayOptions | None = None
    ) -> Stream[StreamEvent]:
        """Run a model and read its answer as it comes.

        Returns:
            An iterator over the decoded events, plain dicts; over bytes when the answer is neither events nor JSON.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The gateway or the provider said no.
            APIConnectionError: No answer arrived.
            StreamError: While iterating: the stream reported an error, or was cut.
        """
        return self._perform_stream(_model_calls.stream_run(self._account, self._merge(gateway), model, inputs))

    def chat(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> ChatCompletion:
        """Complete a chat.

        Args:
            body: A chat completion request in OpenAI's shape, with `model` and `messages`.
            gateway: Gateway options of this call.
            surface: `rest`, `compat` or `native`, in place of what the model and the provider key decide.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The gateway or the provider said no.
            APIConnectionError: No answer arrived.

        Source: AI Gateway docs, REST API and Unified API.
        """
        return self._perform(_model_calls.chat(self._account, self._merge(gateway), body, surface))

    def stream_chat(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> Stream[ChatCompletionChunk]:
        """Complete a chat and read the answer as it comes; the first chunk has the `info`.

        Takes and raises what `chat` does, and while iterating `StreamError` when the stream reports an error or is cut.
        """
        return self._perform_stream(_model_calls.stream_chat(self._account, self._merge(gateway), body, surface))

    def embed(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> EmbeddingResult:
        """Turn texts into vectors.

        Args:
            body: An embeddings request in OpenAI's shape, with `model` and `input` (one text or a list).
            gateway: Gateway options of this call.
            surface: `rest`, `compat` or `native`, in place of what the model and the provider key decide.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The gateway or the provider said no.
            APIConnectionError: No answer arrived.
        """
        return self._perform(_model_calls.embed(self._account, self._merge(gateway), body, surface))

    def completions(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """Complete a chat with raw JSON in and out; `chat` without the model classes."""
        return self._perform(_model_calls.raw(self._account, self._merge(gateway), "chat", body, surface))

    def stream_completions(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> Stream[StreamEvent]:
        """Complete a chat with raw JSON in and out, streamed."""
        return self._perform_stream(_model_calls.stream_raw(self._account, self._merge(gateway), "chat", body, surface))

    def responses(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """Send a request in the shape of OpenAI's Responses API; raw JSON in and out."""
        return self._perform(_model_calls.raw(self._account, self._merge(gateway), "responses", body, surface))

    def stream_responses(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> Stream[StreamEvent]:
        """Send a Responses request and read its events as they come."""
        return self._perform_stream(
            _model_calls.stream_raw(self._account, self._merge(gateway), "responses", body, surface)
        )

    def messages(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> RunResult:
        """Send a request in the shape of Anthropic's Messages API; raw JSON in and out."""
        return self._perform(_model_calls.raw(self._account, self._merge(gateway), "messages", body, surface))

    def stream_messages(
        self, body: Mapping[str, Any], *, gateway: GatewayOptions | None = None, surface: Surface | None = None
    ) -> Stream[StreamEvent]:
        """Send a Messages request and read its events as they come."""
        return self._perform_stream(
            _model_calls.stream_raw(self._account, self._merge(gateway), "messages", body, surface)
        )

    def gateway(self, gateway_id: str | None = None) -> Gateway:
        """Give one gateway's own methods: logs, feedback, URL, the universal endpoint.

        Args:
            gateway_id: Which; else the client's.

        Raises:
            ConfigurationError: It is no gateway id.
        """
        return Gateway(self, check_gateway_id(gateway_id or self.gateway_id))

    def close(self) -> None:
        """Close the connections made here; a client that was given is left alone."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _perform(self, call: Call[T]) -> T:
        return self._attempt(call, _read, current_captures())

    def _perform_stream(self, call: StreamCall[T]) -> Stream[T]:
        return Stream(self._attempt(call, self._opened, current_captures()))

    def _opened(self, answer: Answer, call: StreamCall[T], info: ResponseInfo) -> OpenStream[T]:
        return OpenStream(answer, call.request, call.decoder(answer.headers, info), info, self._engine)

    def _attempt(self, call: C, finish: Callable[[Answer, C, ResponseInfo], T], captures: Captures) -> T:
        retries_done = 0
        while True:
            try:
                answer = self._engine.open(call.request)
                info = call.info(answer.status, answer.headers)
                if not answer.is_success:
                    raise call.error(_drain(answer), info)
                result = finish(answer, call, info)
            except AIGatewayError as error:
                delay = self._retry_delay(call, error, retries_done, captures)
            else:
                self._tell(call, info, captures)
                return result
            time.sleep(delay)
            retries_done += 1


def _read(answer: Answer, call: Call[T], info: ResponseInfo) -> T:
    """Read a whole answer."""
    body = Body(answer, MAX_ANSWER_BYTES)
    failed: list[APIConnectionError] = []
    try:
        for data in answer.body:
            if not body.add(data):
                break
    except answer.library.errors as error:
        failed.append(answer.library.error(error, call.request, info))
    finally:
        answer.close()
    if failed:
        raise failed.pop()
    body.check(info)
    return call.read(Response(answer.status, answer.headers, body.content), info)


def _drain(answer: Answer) -> Response:
    """Read a refusal, as much of its body as comes."""
    body = Body(answer, MAX_ERROR_BYTES)
    with suppress(*answer.library.errors):
        try:
            for data in answer.body:
                if not body.add(data):
                    break
        finally:
            answer.close()
    return Response(answer.status, answer.headers, body.content)
