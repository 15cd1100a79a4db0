"""A model call, read from a request: which model, in which dialect, and the OpenAI body it comes down to.

The docs do not say what `/ai/run` takes and gives for a language model of another provider. Here its `input` is a body
of that provider's own API: Anthropic Messages for `anthropic/...`, else OpenAI's, told apart by their fields; the
answer has the same shape, without an envelope. A stream is asked for inside `input`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.local._bodies import read_json
from aigw.local._dialects import DIALECTS, Dialect, InvalidBody, workers_ai_for
from aigw.local._refusal import DialectRefusalError, RefusalError
from aigw.local._routing._model_names import ModelName, model_not_found, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._arrival import Arrival
    from aigw.local._routes import Surface
    from aigw.local._upstreams._upstream import NativeRequest

_VERBATIM: Final = frozenset({"chat", "embeddings"})
_OPTION_NEEDS: Final = {"webhookUrl": "background", "webhookFormat": "webhookUrl"}


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One model call, ready to be asked upstream.

    Attributes:
        model: The model.
        dialect: The shape the caller speaks.
        wraps: Whether a whole answer stands in the REST envelope.
        body: The body in OpenAI's shape; of a native call that cannot be said in it, as it came.
        native: The request as the provider itself is to get it; none when the call is asked in OpenAI's shape.
    """

    model: ModelName
    dialect: Dialect
    wraps: bool
    body: dict[str, Any]
    native: NativeRequest | None = None

    @property
    def is_verbatim(self) -> bool:
        """Whether the caller speaks the upstream's own shape, so that the upstream's bytes pass unchanged."""
        return self.native is not None or self.dialect.name in _VERBATIM

    @property
    def is_stream(self) -> bool:
        """Whether a stream is asked for."""
        return bool(self.body.get("stream"))

    def body_for(self, upstream: str) -> dict[str, Any]:
        """Give the body as an upstream of that name is asked."""
        return {**self.body, "model": self.model.for_upstream(upstream)}


def read_model_name(arrival: Arrival, content: Mapping[str, Any]) -> ModelName:
    """Read which model is asked, from the path or from the body.

    Raises:
        RefusalError: The name is not of this surface's grammar.
    """
    surface = arrival.surface
    model = read_model(surface.grammar, surface.provider, surface.model or content.get("model"))
    if surface.model and surface.grammar == "rest" and not surface.model.startswith("@"):
        raise model_not_found(surface.model)
    if surface.dialect == "messages" and surface.grammar == "rest" and model.asked.startswith("@"):
        raise _user_error(f"{model.asked} cannot be asked on ai/v1/messages")
    return model


def read_content(arrival: Arrival) -> dict[str, Any]:
    """Read the body as a JSON object.

    Raises:
        RefusalError: It is none; worded as the provider would on its own paths.
    """
    try:
        content = read_json(arrival.content)
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    if arrival.surface.grammar == "compat":
        raise RefusalError(400, 2019, "Chat completion bad format")
    if arrival.surface.dialect == "run":
        raise _user_error("the body is not a JSON object")
    error = DIALECTS[arrival.surface.dialect].error
    raise DialectRefusalError(400, error(400, "the body is not a JSON object"))


def read_call(surface: Surface, model: ModelName, content: dict[str, Any]) -> ModelCall:
    """Read the rest of a model call.

    Args:
        surface: How the model is asked.
        model: The model.
        content: The body.

    Raises:
        RefusalError: The body is wrong for the dialect, in the dialect's words.
    """
    inputs = _run_inputs(content) if surface.dialect == "run" else content
    name = surface.dialect if surface.dialect != "run" else _run_dialect(model, inputs)
    try:
        dialect = workers_ai_for(inputs) if name == "workers-ai" else DIALECTS[name]
        body = dialect.ask({**inputs, "model": model.asked})
    except InvalidBody as error:
        raise DialectRefusalError(400, DIALECTS[name].error(400, str(error))) from error
    return ModelCall(model, dialect, name == "workers-ai", body)


def _run_inputs(content: dict[str, Any]) -> dict[str, Any]:
    inputs, options = content.get("input"), content.get("options") or {}
    if not isinstance(inputs, dict) or not isinstance(options, dict):
        raise _user_error("input and options must be objects")
    for name, needed in _OPTION_NEEDS.items():
        if options.get(name) and not options.get(needed):
            raise _user_error(f"options.{name} needs options.{needed}")
    if options.get("background"):
        raise RefusalError(501, 7000, "the local gateway does not run in the background")
    return inputs


def _run_dialect(model: ModelName, inputs: Mapping[str, Any]) -> str:
    if model.provider == "workers-ai":
        return "workers-ai"
    if model.provider == "anthropic":
        return "messages"
    if "messages" in inputs or "input" not in inputs:
        return "chat"
    return "embeddings" if "embed" in model.asked else "responses"


def _user_error(message: str) -> RefusalError:
    return RefusalError(400, 7003, f"Model execution failed (User Input Error): {message}")
