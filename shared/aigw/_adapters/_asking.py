"""Calls of which one listener hears beside the captures around them: how an adapter's models ask.

Apart from the clients' own methods, whose users have `capture_logs()` for that. What is to be sent is encoded before
these return, so that a body need not be kept while its answer is awaited.
"""
# ruff: noqa: SLF001 -- one way more into the drivers

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from aigw._calls import _model_calls

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from aigw._async_client import AsyncAIGateway
    from aigw._capture import Listener
    from aigw._client import AIGateway
    from aigw._endpoints import Surface
    from aigw._models import EmbeddingResult, RunResult, StreamEvent
    from aigw._options import GatewayOptions
    from aigw._stream_readers import AsyncStream, Stream

    Body = Mapping[str, Any]
    Options = GatewayOptions | None
    Where = Surface | None


@overload
def ask_completions(
    client: AIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> RunResult: ...
@overload
def ask_completions(
    client: AsyncAIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> Coroutine[Any, Any, RunResult]: ...
def ask_completions(client: Any, listener: Listener, body: Body, gateway: Options = None, surface: Where = None) -> Any:
    """As `completions` of the client; an async one gives what is to be awaited.

    Args:
        client: An `AIGateway` or an `AsyncAIGateway`.
        listener: Is told of each attempt.
        body: The request in OpenAI's shape.
        gateway: The call's own gateway options.
        surface: Where it is sent, if the caller decided.

    Raises:
        ConfigurationError: The input or the combination cannot work; nothing was sent.
        AIGatewayError: As `completions` raises it.
    """
    call = _model_calls.raw(client._account, client._merge(gateway), "chat", body, surface)
    call.listener = listener
    return client._perform(call)


@overload
def ask_stream(
    client: AIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> Stream[StreamEvent]: ...
@overload
def ask_stream(
    client: AsyncAIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> AsyncStream[StreamEvent]: ...
def ask_stream(client: Any, listener: Listener, body: Body, gateway: Options = None, surface: Where = None) -> Any:
    """As `stream_completions` of the client; the arguments are those of `ask_completions`."""
    call = _model_calls.stream_raw(client._account, client._merge(gateway), "chat", body, surface)
    call.listener = listener
    return client._perform_stream(call)


@overload
def ask_embeddings(
    client: AIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> EmbeddingResult: ...
@overload
def ask_embeddings(
    client: AsyncAIGateway, listener: Listener, body: Body, gateway: Options = None, surface: Where = None
) -> Coroutine[Any, Any, EmbeddingResult]: ...
def ask_embeddings(client: Any, listener: Listener, body: Body, gateway: Options = None, surface: Where = None) -> Any:
    """As `embed` of the client; arguments and what an async one gives are those of `ask_completions`."""
    call = _model_calls.embed(client._account, client._merge(gateway), body, surface)
    call.listener = listener
    return client._perform(call)
