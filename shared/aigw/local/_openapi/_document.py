"""The local gateway described in OpenAPI 3.1: every path, what it takes, and every status it answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._version import __version__
from aigw.local._openapi._fields import ANSWER_HEADERS, CALL_HEADERS, GATEWAY_HEADER, ID_HEADERS
from aigw.local._openapi._operations import OPERATIONS
from aigw.local._openapi._schemas import SCHEMAS, ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aigw.local._openapi._operations import Operation
    from aigw.local._openapi._schemas import Schema

_JSON: Final = "application/json"
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


def describe(server: str = "/") -> dict[str, Any]:
    """Give the OpenAPI 3.1 description of the local gateway.

    Args:
        server: The address it is served at.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
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
