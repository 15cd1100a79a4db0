"""The bodies Cloudflare wraps results and errors in, to the letter of its two envelopes."""

from __future__ import annotations

from typing import Any

from aigw.local._reply import Reply, json_reply


def gateway_error(status: int, code: int, message: str, *, description: str | None = None) -> Reply:
    """The envelope of the gateway host: `error` (singular) holds the list, and the code stands twice."""
    body = {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "httpCode": status,
        "internalCode": code,
        "message": message,
        "description": description or message,
    }
    return json_reply(status, body)


def rest_error(status: int, code: int, message: str) -> Reply:
    """The envelope of the REST and management APIs: `errors` (plural)."""
    return json_reply(
        status, {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    )


def rest_result(result: Any, **more: Any) -> Reply:
    """The envelope of a REST success; `more` stands beside the result (`result_info`)."""
    return json_reply(200, {**enveloped(result), **more})


def enveloped(result: Any) -> dict[str, Any]:
    """A result in the envelope of a REST success, not yet encoded."""
    return {"result": result, "success": True, "errors": [], "messages": []}
