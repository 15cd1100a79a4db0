"""From the body of a good answer to the result of its call; a `ValueError` or its like means that it holds none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw._error_bodies import says_error
from aigw._json import parse_json
from aigw._models import ChatCompletion, EmbeddingResult, RunResult

if TYPE_CHECKING:
    from aigw._facts import ResponseInfo
    from aigw._http import Response


def parse_json_result(response: Response, info: ResponseInfo) -> RunResult:
    """Make a result of an answer as it is: JSON decoded, anything else as bytes."""
    media_type = response.headers.media_type
    if media_type == "text/html":
        raise ValueError(media_type)
    output = parse_json(response.content) if _is_json(response) else response.content
    return RunResult(output=output, info=info, content_type=media_type or "application/octet-stream")


def parse_run(response: Response, info: ResponseInfo) -> RunResult:
    """Read what `env.AI.run` gave, out of Cloudflare's envelope if it is in one."""
    result = parse_json_result(response, info)
    output = result.output
    if not isinstance(output, dict):
        return result
    if output.get("success") is False or output.get("state") == "Failed":
        raise ValueError
    if "result" in output and ("success" in output or "state" in output):
        output = output["result"]
    return RunResult(output=output, info=info, content_type=result.content_type)


def parse_raw(response: Response, info: ResponseInfo) -> RunResult:
    """Read an object as it is."""
    return RunResult(output=_json_object(response), info=info)


def parse_raw_chat(response: Response, info: ResponseInfo) -> RunResult:
    """Read a completion without the model classes; its readers may rely on choices that are objects with messages."""
    body = _json_object(response)
    for choice in body.get("choices") or ():
        if not isinstance(choice.get("message") or {}, dict):
            raise TypeError
    return RunResult(output=body, info=info)


def parse_chat(response: Response, info: ResponseInfo) -> ChatCompletion:
    """Read a completion."""
    body = _json_object(response)
    if body.get("choices") is None:
        raise ValueError
    return ChatCompletion.from_raw(body, info)


def parse_embeddings(response: Response, info: ResponseInfo) -> EmbeddingResult:
    """Read vectors."""
    body = _json_object(response)
    if body.get("data") is None:
        raise ValueError
    return EmbeddingResult.model_validate({**body, "info": info})


def _json_object(response: Response) -> dict[str, Any]:
    """Read a bare object, or one in Cloudflare's envelope."""
    body = parse_json(response.content)
    if isinstance(body, dict) and "success" in body and isinstance(body.get("result"), dict):
        body = body["result"]
    if isinstance(body, dict) and not says_error(body):
        return body
    raise ValueError


def _is_json(response: Response) -> bool:
    media_type = response.headers.media_type
    return media_type.endswith("json") or (not media_type and response.content[:1] in b"{[")
