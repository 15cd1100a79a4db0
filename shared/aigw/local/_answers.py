"""Whole answers: from the upstream's OpenAI JSON to what the caller is given, and the tokens it says it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json, parse_json
from aigw.local._envelopes import enveloped
from aigw.local._reply import JSON, Reply
from aigw.local._spending._usage import Usage, read_answering_model, read_usage
from aigw.local._upstreams._upstream import UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aigw.local._model_call import ModelCall

_NEVER_JSON: Final = ("audio/", "image/", "video/")


async def read_body(body: bytes | AsyncIterator[bytes]) -> bytes:
    """Give a body whole."""
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


def translate_answer(call: ModelCall, reply: Reply, content: bytes) -> tuple[Reply, Usage | None]:
    """Give an upstream's whole answer in the caller's dialect, and its usage.

    Args:
        call: What was asked.
        reply: The answer, for its status and fields.
        content: The answer's body.

    Raises:
        UpstreamUnreachableError: A good answer is not the JSON it should be.
    """
    answer = _parse(Reply(reply.status, reply.headers, content))
    usage = read_usage(answer) if answer else None
    if call.is_verbatim:
        return Reply(reply.status, reply.headers, content), usage
    fields = tuple(field for field in reply.headers if field[0] != "content-type")
    if reply.status >= 400:
        body = dump_json(call.dialect.error(reply.status, _message(answer, content)))
    elif answer is None:
        raise UpstreamUnreachableError("the upstream's answer is not a JSON object")
    else:
        body = _translated(call, answer)
    return Reply(reply.status, (*fields, ("content-type", JSON)), body), usage


def answering_model(call: ModelCall, reply: Reply) -> str:
    """Give the model that a whole answer names, where the call named none; else nothing."""
    if call.model.asked or not isinstance(reply.body, bytes):
        return ""
    return read_answering_model(_parse(reply) or {})


def _translated(call: ModelCall, answer: dict[str, Any]) -> bytes:
    try:
        result = call.dialect.answer(answer, model=call.model.asked)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UpstreamUnreachableError("the upstream's answer is not of OpenAI's shape") from error
    return dump_json(enveloped(result) if call.wraps else result)


def _parse(reply: Reply) -> dict[str, Any] | None:
    is_json = not reply.media_type.startswith(_NEVER_JSON)
    try:
        value = parse_json(reply.body) if is_json and isinstance(reply.body, bytes) else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _message(answer: dict[str, Any] | None, content: bytes) -> str:
    error = (answer or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else error
    return str(message) if message else content[:500].decode("utf-8", "replace")
