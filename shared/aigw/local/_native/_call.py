"""A call that its provider gets as it came: read as far as the gateway's checks and the log need it, and no further.

Its body may be anything, and it may name no model. Where it can be said in OpenAI's shape too, guardrails, DLP and the
log read it there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json
from aigw._providers import PROVIDERS
from aigw.local._bodies import read_json
from aigw.local._dialects import DIALECTS, InvalidBody
from aigw.local._model_call import ModelCall
from aigw.local._routing._model_names import guess_model, read_native_model
from aigw.local._upstreams._native_path import named_model, whole_content, whole_path
from aigw.local._upstreams._upstream import NativeRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw._providers import Operation
    from aigw.local._arrival import Arrival
    from aigw.local._routing._model_names import ModelName

_OPERATIONS: Final[Mapping[str, Operation]] = {"messages": "messages", "responses": "responses"}


def read_any_content(arrival: Arrival) -> dict[str, Any]:
    """Read the body as a JSON object; give an empty one for anything else."""
    try:
        content = read_json(arrival.content) if arrival.content else None
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def read_any_model(arrival: Arrival, content: Mapping[str, Any]) -> ModelName:
    """Read which model a call names, if it names one."""
    return read_native_model(arrival.surface.provider, named_model(arrival, content))


def guess_refused_model(arrival: Arrival) -> ModelName | None:
    """Name the provider and model of a call that is refused before they were read; `None` when it names neither."""
    asked, provider = named_model(arrival, read_any_content(arrival)), arrival.surface.provider
    return guess_model(provider, asked) if provider or asked else None


def read_native_call(arrival: Arrival, model: ModelName, content: dict[str, Any]) -> ModelCall:
    """Read a call on a provider's own path.

    Args:
        arrival: The call as it came.
        model: The model, which may have no name.
        content: The body as a JSON object; empty for anything else.
    """
    surface = arrival.surface
    dialect = DIALECTS[surface.dialect]
    try:
        body = dialect.ask({**content, "model": model.asked})
    except InvalidBody:
        body = content
    is_stream = body.get("stream") is True
    native = NativeRequest(
        surface.provider, surface.method, surface.raw, (), arrival.content, content, is_stream=is_stream
    )
    return ModelCall(model, dialect, wraps=False, body=body, native=native)


def as_native(call: ModelCall, content: Mapping[str, Any]) -> ModelCall:
    """Give a call of another surface in the shape it came in to a provider that speaks it: Messages and Responses.

    Args:
        call: The call.
        content: Its body as it came, or the `{model, input}` around it.
    """
    row = PROVIDERS.get(call.model.provider)
    operation = _OPERATIONS.get(call.dialect.name)
    path = row.paths.get(operation) if row and operation else None
    if path is None:
        return call
    inner = content.get("input")
    fields = inner if isinstance(inner, dict) else content
    body = {**fields, "model": call.model.for_upstream(call.model.provider)}
    native = NativeRequest(call.model.provider, "POST", path, (), dump_json(body), body, is_stream=call.is_stream)
    return replace(call, native=native)


def native_request(call: ModelCall, native: NativeRequest, headers: tuple[tuple[str, str], ...]) -> NativeRequest:
    """Give the request a provider is to get, with these header fields, and whole if a stream is not wanted any more."""
    if not native.is_stream or call.is_stream:
        return replace(native, headers=headers)
    content = whole_content(native.body) if native.body.get("stream") else native.content
    return replace(native, headers=headers, path=whole_path(native.path), content=content, is_stream=False)
