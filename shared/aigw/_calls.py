"""Every operation on a model, described: the request to send, and how to read the answer.

A function here takes an `Account`, the merged options and the input, checks them, and returns a `Call` or a
`StreamCall`; nothing is sent. The drivers in `_client` perform it, sync or async. Calls on logs are in `_log_calls`,
the universal endpoint in `_universal`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from aigw._account import quote_segment
from aigw._endpoints import Endpoint, Surface, check_model, choose_endpoint
from aigw._error_bodies import error_from_response
from aigw._errors import APIStatusError, ConfigurationError, NotFoundError
from aigw._facts import ResponseInfo, parse_info
from aigw._given import shown
from aigw._http import Request
from aigw._json import dump_json, parse_json
from aigw._models import ChatCompletion, EmbeddingResult, RunResult
from aigw._options import encode_options
from aigw._streams import CHAT_EVENTS, CHAT_STREAM, EVENT_STREAM, RUN_STREAM, StreamDecoder, StreamShape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw._account import Account, HeaderList
    from aigw._http import Headers, Response
    from aigw._models import ChatCompletionChunk, StreamEvent
    from aigw._options import GatewayOptions
    from aigw._providers import Operation

T = TypeVar("T")

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_HEADS: Final = 256

_JSON_BODY: HeaderList = [("content-type", "application/json")]
_RAW_SHAPES: dict[Operation, StreamShape[StreamEvent]] = {
    "chat": CHAT_EVENTS,
    "responses": EVENT_STREAM,
    "messages": EVENT_STREAM,
}


@dataclass(slots=True, kw_only=True, eq=False)
class Described:
    """What a call and a streaming call have in common.

    Attributes:
        request: What is sent.
        gateway_id: The gateway it is sent to; `None` where the account's default one answers.
        is_model_call: Whether the call makes a log, so that captures and `log_id` hear of it.
        not_found: What a 404 means.
        secrets: Credentials, taken out of every error.
    """

    request: Request
    gateway_id: str | None = None
    is_model_call: bool = True
    not_found: type[NotFoundError] = NotFoundError
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def info(self, status: int, headers: Headers) -> ResponseInfo:
        """Read the gateway's facts from the head of an answer."""
        return parse_info(headers, status=status, gateway_id=self.gateway_id)

    def unanswered_info(self) -> ResponseInfo:
        """Give what is known of a call that got no answer: where it went, and the event id it can be found by."""
        event_id = next((value for name, value in self.request.headers if name == "cf-aig-event-id"), None)
        return ResponseInfo(gateway_id=self.gateway_id, event_id=event_id)

    def error(self, response: Response, info: ResponseInfo) -> APIStatusError:
        """Make the error an answer stands for."""
        return error_from_response(response, info, secrets=self.secrets, not_found=self.not_found)


@dataclass(slots=True, kw_only=True, eq=False)
class Call(Described, Generic[T]):
    """One request with one answer.

    Attributes:
        parse: Makes the result of a good answer. A `ValueError` from it means that the answer is none.
    """

    parse: Callable[[Response, ResponseInfo], T]

    def read(self, response: Response, info: ResponseInfo) -> T:
        """Make the result, or raise what the answer stands for.

        Raises:
            APIStatusError: The answer says no, or cannot be read.
        """
        if not 200 <= response.status < 300:
            raise self.error(response, info)
        try:
            return self.parse(response, info)
        except (ValueError, TypeError, KeyError, AttributeError):
            if _says_failed(response):
                raise self.error(response, info) from None
            raise _unreadable(response, info) from None


@dataclass(slots=True, kw_only=True, eq=False)
class StreamCall(Described, Generic[T]):
    """One request whose answer comes in pieces.

    Attributes:
        shape: What the pieces mean.
    """

    shape: StreamShape[T]

    def decoder(self, headers: Headers, info: ResponseInfo) -> StreamDecoder[T]:
        """Make the decoder of one good answer."""
        return StreamDecoder(self.shape, headers, info, self.secrets)


def run(account: Account, options: GatewayOptions, model: str, inputs: Mapping[str, Any]) -> Call[RunResult]:
    """Describe `env.AI.run`: any model, its own inputs, on the REST API.

    Raises:
        ConfigurationError: The input or the combination cannot work.
    """
    request, gateway_id = _run_request(account, options, model, dict(_check_inputs(inputs)))
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=_parse_run)


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
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=_parse_chat)


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
    return Call(request=request, gateway_id=gateway_id, secrets=account.secrets, parse=_parse_embeddings)


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
    parse = _parse_raw_chat if operation == "chat" else _parse_raw
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


def parse_json_result(response: Response, info: ResponseInfo) -> RunResult:
    """Make a result of an answer as it is: JSON decoded, anything else as bytes."""
    media_type = response.headers.media_type
    if media_type == "text/html":
        raise ValueError(media_type)
    output = parse_json(response.content) if _is_json(response) else response.content
    return RunResult(output=output, info=info, content_type=media_type or "application/octet-stream")


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
    head = _head(account, Endpoint("rest", "ai/run", model), gateway_id)
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
    head = account.heads.get(asked)
    if head is None:
        has_key = bool(account.provider_key)
        endpoint = choose_endpoint(operation, model, has_provider_key=has_key, byok_alias=alias, surface=surface)
        if len(account.heads) >= _MAX_HEADS:
            account.heads.clear()
        head = account.heads[asked] = _head(account, endpoint, gateway_id)
    if head.model != model:
        body = {**body, "model": head.model}
    return head.request(options, body), gateway_id


class _Head(NamedTuple):
    """What the requests to one endpoint of one gateway have in common."""

    url: str
    headers: tuple[tuple[str, str], ...]
    model: str

    def request(self, options: GatewayOptions, body: Mapping[str, Any]) -> Request:
        return Request("POST", self.url, (*self.headers, *encode_options(options)), encode_body(body))


def _head(account: Account, endpoint: Endpoint, gateway_id: str) -> _Head:
    if endpoint.surface == "rest":
        url = account.rest_url(endpoint.path)
        headers = [*account.rest_credentials(), ("cf-aig-gateway-id", gateway_id)]
    else:
        url = account.gateway_url(gateway_id, "/" + "/".join(map(quote_segment, endpoint.path.split("/"))))
        headers = account.gateway_credentials(endpoint.provider)
    if endpoint.surface == "native" and endpoint.provider:
        headers += endpoint.provider.headers
    return _Head(url, (*headers, *_JSON_BODY), endpoint.model)


def encode_body(body: Any) -> bytes:
    """Encode a request body.

    Raises:
        ConfigurationError: It holds something JSON has no word for.
    """
    try:
        return dump_json(body)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the request is not JSON: {error}") from None


def _parse_run(response: Response, info: ResponseInfo) -> RunResult:
    result = parse_json_result(response, info)
    output = result.output
    if not isinstance(output, dict):
        return result
    if output.get("success") is False or output.get("state") == "Failed":
        raise ValueError
    if "result" in output and ("success" in output or "state" in output):
        output = output["result"]
    return RunResult(output=output, info=info, content_type=result.content_type)


def _parse_raw(response: Response, info: ResponseInfo) -> RunResult:
    return RunResult(output=_json_object(response), info=info)


def _parse_raw_chat(response: Response, info: ResponseInfo) -> RunResult:
    """Read a completion without the model classes; its readers may rely on choices that are objects with messages."""
    body = _json_object(response)
    for choice in body.get("choices") or ():
        if not isinstance(choice.get("message") or {}, dict):
            raise TypeError
    return RunResult(output=body, info=info)


def _parse_chat(response: Response, info: ResponseInfo) -> ChatCompletion:
    body = _json_object(response)
    if body.get("choices") is None:
        raise ValueError
    return ChatCompletion.from_raw(body, info)


def _parse_embeddings(response: Response, info: ResponseInfo) -> EmbeddingResult:
    body = _json_object(response)
    if body.get("data") is None:
        raise ValueError
    return EmbeddingResult.model_validate({**body, "info": info})


def _json_object(response: Response) -> dict[str, Any]:
    """Read a bare object, or one in Cloudflare's envelope."""
    body = parse_json(response.content)
    if isinstance(body, dict) and "success" in body and isinstance(body.get("result"), dict):
        body = body["result"]
    if isinstance(body, dict) and body.get("success") is not False and not body.get("error"):
        return body
    raise ValueError


def _is_json(response: Response) -> bool:
    media_type = response.headers.media_type
    return media_type.endswith("json") or (not media_type and response.content[:1] in b"{[")


def _unreadable(response: Response, info: ResponseInfo) -> APIStatusError:
    kind = response.headers.media_type or "no content type"
    size = len(response.content)
    return APIStatusError(
        f"The answer is not what was asked for (HTTP {response.status}, {kind}, {size} bytes)",
        status_code=response.status,
        info=info,
    )


def _says_failed(response: Response) -> bool:
    try:
        body = parse_json(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and bool(body.get("error") or body.get("errors") or body.get("success") is False)
