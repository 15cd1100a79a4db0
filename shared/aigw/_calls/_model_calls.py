"""Every operation on a model, described: the request to send, and how to read the answer.

A function here takes an `Account`, the merged options and the input, checks them, and returns a `Call` or a
`StreamCall`; nothing is sent. The drivers in `_client` perform it, sync or async. Calls on logs are in `_log_calls`,
the universal endpoint in `_universal`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aigw._calls._described import Call, StreamCall
from aigw._calls._request_heads import make_head, remember_head
from aigw._calls._result_bodies import parse_chat, parse_embeddings, parse_raw, parse_raw_chat, parse_run
from aigw._endpoints import Endpoint, Surface, check_model, choose_endpoint
from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._streams import CHAT_EVENTS, CHAT_STREAM, EVENT_STREAM, RUN_STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._account import Account
    from aigw._http import Request
    from aigw._models import ChatCompletion, ChatCompletionChunk, EmbeddingResult, RunResult, StreamEvent
    from aigw._options import GatewayOptions
    from aigw._providers import Operation
    from aigw._streams import StreamShape

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,64}")

_RAW_SHAPES: dict[Operation, StreamShape[StreamEvent]] = {
    "chat": CHAT_EVENTS,
    "responses": EVENT_STREAM,
    "messages": EVENT_STREAM,
}


def run(account: Account, options: GatewayOptions, model: str, inputs: Mapping[str, Any]) -> Call[RunResult]:
    """Describe `env.AI.run`: any model, its own inputs, on the REST API.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    if _check_inputs(inputs).get("stream"):
        raise ConfigurationError("run reads one whole answer: leave 'stream' out, or use stream_run")
    request, gateway_id = _run_request(account, options, model, dict(inputs))
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=parse_run)


def stream_run(account: Account, options: GatewayOptions, model: str, inputs: Mapping[str, Any]) -> StreamCall[Any]:
    """Describe `run`, streamed: `stream` goes among the inputs.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _run_request(account, options, model, {**_check_inputs(inputs), "stream": True})
    return StreamCall(request=request, gateway_id=gateway_id, secrets=account.secrets, shape=RUN_STREAM)


def chat(
    account: Account, options: GatewayOptions, body: Mapping[str, Any], surface: Surface | None = None
) -> Call[ChatCompletion]:
    """Describe a chat completion.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _operation_request(account, options, "chat", _without_stream(body), surface)
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=parse_chat)


def stream_chat(
    account: Account, options: GatewayOptions, body: Mapping[str, Any], surface: Surface | None = None
) -> StreamCall[ChatCompletionChunk]:
    """Describe a streamed chat completion.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _operation_request(account, options, "chat", {**_check_body(body), "stream": True}, surface)
    return StreamCall(request=request, gateway_id=gateway_id, secrets=account.secrets, shape=CHAT_STREAM)


def embed(
    account: Account, options: GatewayOptions, body: Mapping[str, Any], surface: Surface | None = None
) -> Call[EmbeddingResult]:
    """Describe an embedding of one or more texts.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _operation_request(account, options, "embeddings", _without_stream(body), surface)
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=parse_embeddings)


def raw(
    account: Account,
    options: GatewayOptions,
    operation: Operation,
    body: Mapping[str, Any],
    surface: Surface | None = None,
) -> Call[RunResult]:
    """Describe an operation with raw JSON in and out: a chat completion, a response, a message.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _operation_request(account, options, operation, _without_stream(body), surface)
    parse = parse_raw_chat if operation == "chat" else parse_raw
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=parse)


def stream_raw(
    account: Account,
    options: GatewayOptions,
    operation: Operation,
    body: Mapping[str, Any],
    surface: Surface | None = None,
) -> StreamCall[StreamEvent]:
    """Describe the same, streamed.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _operation_request(
        account, options, operation, {**_check_body(body), "stream": True}, surface
    )
    return StreamCall(request=request, gateway_id=gateway_id, secrets=account.secrets, shape=_RAW_SHAPES[operation])


def url(account: Account, gateway_id: str, provider: str | None = None) -> str:
    """Give the URL of a gateway, with a trailing slash, or of a provider behind it, without.

    Raises:
        ConfigurationError: There is no account id, or `provider` is no slug.
    """
    if provider is not None and not (isinstance(provider, str) and _SLUG.fullmatch(provider)):
        raise ConfigurationError(
            f"provider cannot be {shown(provider)}: it is a slug such as 'openai' or 'custom-mine'"
        )
    return account.gateway_url(gateway_id, f"/{provider or ''}")


def _check_inputs(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if not hasattr(inputs, "keys"):
        raise ConfigurationError(f"inputs are a dict such as {{'prompt': '...'}}, not {type(inputs).__name__}")
    return inputs


def _check_body(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if not hasattr(body, "keys") or "model" not in body:
        raise ConfigurationError("the body is a dict with 'model' and the model's input, and has no 'model'")
    return body


def _without_stream(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if _check_body(body).get("stream"):
        raise ConfigurationError("this call reads one whole answer: leave 'stream' out, or use the stream_... method")
    return body


def _run_request(
    account: Account, options: GatewayOptions, model: str, inputs: dict[str, Any]
) -> tuple[Request, str | None]:
    check_model(model)
    if "/" not in model:
        raise ConfigurationError(f"model {shown(model)} has no author: run names models 'author/model' or '@cf/...'")
    if account.provider_key and not model.startswith("@cf/"):
        raise ConfigurationError(
            "run cannot use provider_key: it pays by stored keys or Unified Billing: use chat, or a client without one"
        )
    gateway_id = options.get("id", account.gateway_id)
    head = make_head(account, Endpoint("rest", "ai/run", model), gateway_id)
    return head.request(options, {"model": model, "input": inputs}), gateway_id


def _operation_request(
    account: Account,
    options: GatewayOptions,
    operation: Operation,
    body: Mapping[str, Any],
    surface: Surface | None,
) -> tuple[Request, str | None]:
    model, alias, gateway_id = body["model"], options.get("byok_alias"), options.get("id", account.gateway_id)
    if not (isinstance(model, str) and (surface is None or isinstance(surface, str))):
        choose_endpoint(operation, model, surface=surface)  # refuses them
    asked = (operation, model, alias, surface, gateway_id)
    head = account.heads.get(asked) or remember_head(account, asked)
    if head.model != model:
        body = {**body, "model": head.model}
    return head.request(options, body), gateway_id
