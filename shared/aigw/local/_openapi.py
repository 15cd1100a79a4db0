"""The local gateway described in OpenAPI 3.1: every path, what it takes, and every status it answers with.

A table of operations over the schemas of `_openapi_schemas`. Provider-native paths stand for their shapes: every
provider's slug may take the place of the one that is shown, and whatever is below a slug reaches who answers for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aigw._version import __version__
from aigw.local._openapi_schemas import (
    ANSWER_HEADERS,
    CALL_HEADERS,
    DELETE_QUERY,
    GATEWAY_HEADER,
    ID_HEADERS,
    LIST_QUERY,
    OLD_LIST_QUERY,
    PAGE_QUERY,
    SCHEMAS,
    STRING,
    listed,
    ref,
    rest_result,
)
from aigw.local._routes import OPENAPI_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.local._openapi_schemas import Schema
    from aigw.local._routes import Kind

_JSON: Final = "application/json"
_ACCOUNT: Final = "/client/v4/accounts/{account_id}"
_AI: Final = f"{_ACCOUNT}/ai"
_GATEWAYS: Final = f"{_ACCOUNT}/ai-gateway/gateways"
_GATEWAY: Final = f"{_GATEWAYS}/{{gateway_id}}"
_HOST: Final = "/v1/{account_id}/{gateway_id}"
_WORKERS_AI_MODEL: Final = "^@(cf|hf)/[a-z0-9-]+/[a-z0-9.-]+$"

_REFUSED: Final = {
    400: "The gateway does not exist (2001), the credential is missing (9106 on the REST host) or of no use (2040, "
    "2044), the body or model is wrong (2019, 2008, 7003, 5007, or as the provider words it), or the provider cannot "
    "be reached (2005)",
    401: "The token is wrong or missing (2009, on the REST host 10000), or a stored key is wrong, on a run (2009)",
    402: "No credits (2021)",
    403: "No policy allows it, or it comes from another site's web page",
    404: "There is no such model (7003) or path (7002)",
    413: "The body is larger than the server takes",
    422: "Blocked by guardrails, on a run (2017)",
    424: "Blocked by guardrails (2016, 2017)",
    429: "A limit is reached: rate (2003), Unified Billing (2018), spend (2041)",
    500: "A bug of the local gateway",
    501: "Nothing here speaks that path: it needs an upstream, or is not built (7000)",
    503: "The guardrails service is out (7013), or managed credentials are wrong, on a run",
}
_MANAGED: Final = {
    400: "A value is not taken (7001), or the credential is missing (9106)",
    401: "The token is wrong (10000)",
    403: "It comes from another site's web page",
    404: "It is not there (7002)",
    413: _REFUSED[413],
    500: _REFUSED[500],
}


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
_OPERATIONS: Final = (
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


def describe(server: str = "/") -> dict[str, Any]:
    """Give the OpenAPI 3.1 description of the local gateway.

    Args:
        server: The address it is served at.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in _OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aigw local gateway",
            "version": __version__,
            "description": "Cloudflare AI Gateway's HTTP contract, answered on your own machine.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "parameters": {
                name: {"name": name, "in": "header", "schema": schema} for name, schema in CALL_HEADERS.items()
            },
            "headers": {name: {"schema": schema} for name, schema in ANSWER_HEADERS.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "gateway": {"type": "apiKey", "in": "header", "name": "cf-aig-authorization"},
            },
        },
    }


def operations() -> tuple[Operation, ...]:
    """Give the table."""
    return _OPERATIONS


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": dict(_responses(operation)),
    }
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": operation.takes}}}
    if operation.is_rest:
        described["security"] = [{"token": []}]
    elif operation.is_call:
        described["security"] = [{}, {"gateway": []}]
    return described


def _name(operation: Operation) -> str:
    words = "".join(char if char.isalnum() else " " for char in operation.path).split()
    return "_".join((operation.method, *words))


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            schema = {"type": "string", "minLength": 1} | ({"pattern": _WORKERS_AI_MODEL} if name == "model" else {})
            yield {"name": name, "in": "path", "required": True, "schema": schema}
    for deprecated, query in ((False, operation.query), (True, operation.old_query)):
        for name, schema in query.items():
            yield {"name": name, "in": "query", "schema": schema, **({"deprecated": True} if deprecated else {})}
    if operation.is_call:
        yield from ({"$ref": f"#/components/parameters/{name}"} for name in _call_headers(operation))


def _call_headers(operation: Operation) -> Iterator[str]:
    yield from (name for name in CALL_HEADERS if operation.is_rest or name != GATEWAY_HEADER)


def _responses(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "200", {"description": "It is done", **_headers(operation, ANSWER_HEADERS), "content": _success(operation)}
    if operation.kind in {"index", "openapi"}:
        return
    host = "RestError" if operation.is_rest else "GatewayError"
    schemas = [ref(name) for name in dict.fromkeys((host, "RestError", *operation.errors))]
    error = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    for status, about in (_REFUSED if operation.is_call else _MANAGED).items():
        yield str(status), {"description": about, **_headers(operation, ID_HEADERS), "content": {_JSON: error}}
    if operation.is_call:
        yield "default", {"description": "What a provider behind the gateway answered, as it came"}


def _headers(operation: Operation, names: Iterable[str]) -> dict[str, Any]:
    if not operation.is_call:
        return {}
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _success(operation: Operation) -> dict[str, Any]:
    if operation.gives is None:
        return {"*/*": {}}
    events: Schema = {"text/event-stream": {}} if operation.streams else {}
    return {_JSON: {"schema": operation.gives}, **events}
