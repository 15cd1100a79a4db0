"""Every operation of the local gateway: its path, what it takes, and what it gives.

Provider-native paths stand for their shapes: every provider's slug may take the place of the one that is shown, and
whatever is below a slug reaches who answers for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aigw.local._openapi._fields import DELETE_QUERY, LIST_QUERY, OLD_LIST_QUERY, PAGE_QUERY
from aigw.local._openapi._schemas import STRING, listed, ref, rest_result
from aigw.local._routes import OPENAPI_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw.local._openapi._schemas import Schema
    from aigw.local._routes import Kind

_ACCOUNT: Final = "/client/v4/accounts/{account_id}"
_AI: Final = f"{_ACCOUNT}/ai"
_GATEWAYS: Final = f"{_ACCOUNT}/ai-gateway/gateways"
_GATEWAY: Final = f"{_GATEWAYS}/{{gateway_id}}"
_HOST: Final = "/v1/{account_id}/{gateway_id}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table.

    Attributes:
        method: The method, in lower case.
        path: The path with its parameters in braces.
        kind: What the path asks for.
        summary: What it does.
        takes: The schema of the body; `None` for no body.
        gives: The schema of a success; `None` for bytes of any type.
        query: The parameters of the query.
        old_query: The deprecated ones.
        errors: The names of the schemas of an error, beside the envelope of the host.
        streams: Whether a success may be a stream of events.
    """

    method: str
    path: str
    kind: Kind
    summary: str
    takes: Schema | None = None
    gives: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    old_query: Mapping[str, Schema] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    streams: bool = False

    @property
    def is_call(self) -> bool:
        """Whether a model is asked."""
        return self.kind in {"model", "universal"}

    @property
    def is_rest(self) -> bool:
        """Whether the path is of the REST host."""
        return self.path.startswith(_ACCOUNT)


def _calls() -> Iterator[Operation]:
    shapes = {
        "chat/completions": ("ChatRequest", "ChatCompletion", "OpenAIError", "openai"),
        "responses": ("ResponsesRequest", "ResponsesAnswer", "OpenAIError", "openai"),
        "messages": ("MessagesRequest", "MessagesAnswer", "AnthropicError", "anthropic/v1"),
        "embeddings": ("EmbeddingsRequest", "EmbeddingsAnswer", "OpenAIError", "openai"),
    }
    for endpoint, (takes, gives, error, slug) in shapes.items():
        streams = endpoint != "embeddings"
        for path in (f"{_AI}/v1/{endpoint}", f"{_HOST}/{slug}/{endpoint}"):
            summary = f"Ask a model on {path.rpartition('}/')[2]}"
            yield Operation(
                "post", path, "model", summary, ref(takes), ref(gives), errors=(error, "PolicyError"), streams=streams
            )
    for endpoint in ("chat/completions", "embeddings"):
        takes, gives, error, _ = shapes[endpoint]
        path, summary = f"{_HOST}/compat/{endpoint}", f"Ask any provider's model in OpenAI's shape: {endpoint}"
        yield Operation(
            "post",
            path,
            "model",
            summary,
            ref(takes),
            ref(gives),
            errors=(error, "PolicyError"),
            streams=endpoint != "embeddings",
        )


_ANY_ERROR: Final = ("OpenAIError", "AnthropicError", "PolicyError")
_ANY: Final = ref("AnyAnswer")
OPERATIONS: Final = (
    Operation("get", "/", "index", "Say what this is", gives=_ANY),
    Operation("get", OPENAPI_PATH, "openapi", "Give this description", gives=_ANY),
    *_calls(),
    Operation("post", f"{_AI}/run", "model", "Run a model", ref("RunRequest"), _ANY, errors=_ANY_ERROR, streams=True),
    Operation(
        *("post", f"{_AI}/run/{{model}}", "model", "Run a Workers AI model"),
        takes=ref("WorkersAIRequest"),
        gives=rest_result({}),
        errors=_ANY_ERROR,
        streams=True,
    ),
    Operation(
        *("post", f"{_HOST}/workers-ai/{{model}}", "model", "Run a Workers AI model"),
        takes=ref("WorkersAIRequest"),
        gives=rest_result({}),
        errors=("RestError", "PolicyError"),
        streams=True,
    ),
    Operation(
        *("post", _HOST, "universal", "Try steps until one succeeds"),
        takes=ref("UniversalRequest"),
        gives={},
        errors=("RestError", *_ANY_ERROR),
        streams=True,
    ),
    Operation(
        *("get", _GATEWAYS, "gateways", "List the gateways"),
        gives=rest_result(listed(ref("Gateway")), result_info=ref("PageInfo")),
        query={**PAGE_QUERY, "search": STRING},
    ),
    Operation(
        "post", _GATEWAYS, "gateways", "Make a gateway", ref("GatewayRequest"), gives=rest_result(ref("Gateway"))
    ),
    Operation("get", _GATEWAY, "gateways", "Read a gateway", gives=rest_result(ref("Gateway"))),
    Operation("put", _GATEWAY, "gateways", "Change a gateway", ref("GatewayChange"), gives=rest_result(ref("Gateway"))),
    Operation("delete", _GATEWAY, "gateways", "Delete a gateway", gives=rest_result(ref("Gateway"))),
    Operation(
        *("get", f"{_GATEWAY}/provider_configs", "provider_configs", "List the stored keys"),
        gives=rest_result(listed(ref("ProviderConfig")), result_info=ref("PageInfo")),
        query=PAGE_QUERY,
    ),
    Operation(
        *("post", f"{_GATEWAY}/provider_configs", "provider_configs", "Store a provider's key"),
        takes=ref("ProviderConfigRequest"),
        gives=rest_result(ref("ProviderConfig")),
    ),
    Operation(
        *("delete", f"{_GATEWAY}/provider_configs/{{config_id}}", "provider_configs", "Forget a provider's key"),
        gives=rest_result(ref("ProviderConfig")),
    ),
    Operation(
        *("get", f"{_GATEWAY}/logs", "logs", "List the logs"),
        gives=rest_result(listed(ref("Log")), result_info=ref("LogPageInfo")),
        query=LIST_QUERY,
        old_query=OLD_LIST_QUERY,
    ),
    Operation(
        *("delete", f"{_GATEWAY}/logs", "logs", "Delete logs"),
        gives={"type": "object", "properties": {"success": {"const": True}}, "required": ["success"]},
        query=DELETE_QUERY,
    ),
    Operation("get", f"{_GATEWAY}/logs/{{log_id}}", "logs", "Read a log", gives=rest_result(ref("LogDetail"))),
    Operation(
        *("patch", f"{_GATEWAY}/logs/{{log_id}}", "logs", "Change feedback, score and metadata"),
        takes=ref("LogPatch"),
        gives=rest_result({"type": "object", "maxProperties": 0}),
    ),
    Operation("get", f"{_GATEWAY}/logs/{{log_id}}/request", "logs", "Read the logged request body"),
    Operation("get", f"{_GATEWAY}/logs/{{log_id}}/response", "logs", "Read the logged answer body"),
    Operation("get", f"{_GATEWAY}/url", "url", "Give the gateway's address", gives=rest_result(STRING)),
    Operation("get", f"{_GATEWAY}/url/{{provider}}", "url", "Give a provider's address", gives=rest_result(STRING)),
)
"""The table."""
