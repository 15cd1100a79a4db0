"""What the offline model answers on providers' own paths beside what dialects say: lists of models, counts of tokens.

Source: OpenAI API reference, List models; Anthropic API reference, Count tokens; Gemini API reference, Counting tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw._providers import PROVIDERS
from aigw.local import offline
from aigw.local._dialects import DIALECTS, InvalidBody
from aigw.local._reply import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.local._upstreams._upstream import NativeRequest

_MODEL: Final = {"id": "local", "object": "model", "created": 0, "owned_by": "aigw"}


def answer_native(request: NativeRequest) -> Reply | None:
    """Answer a call in the provider's shape; `None` where nothing is known of its path."""
    path = request.path.partition("?")[0]
    for method, provider, pattern, answer in _ANSWERS:
        if method == request.method and re.fullmatch(provider, request.provider) and re.fullmatch(pattern, path):
            return answer(request)
    return None


def _list_models(request: NativeRequest) -> Reply | None:
    row = PROVIDERS.get(request.provider)
    return json_reply(200, {"object": "list", "data": [_MODEL]}) if row and row.paths.get("chat") else None


def _count_messages(request: NativeRequest) -> Reply:
    return _counted("messages", {"model": "", "max_tokens": 1, **request.body}, "input_tokens")


def _count_contents(request: NativeRequest) -> Reply:
    asked = request.body.get("generateContentRequest")
    return _counted("google", {**(asked if isinstance(asked, dict) else request.body), "model": ""}, "totalTokens")


def _counted(dialect: str, body: dict[str, Any], name: str) -> Reply:
    try:
        return json_reply(200, {name: offline.count_prompt(DIALECTS[dialect].ask(body))})
    except (InvalidBody, offline.InvalidRequest) as error:
        return json_reply(400, DIALECTS[dialect].error(400, str(error)))


_ANSWERS: Final[tuple[tuple[str, str, str, Callable[[NativeRequest], Reply | None]], ...]] = (
    ("GET", r".+", r"(?:v1/)?models", _list_models),
    ("POST", r"anthropic", r"v1/messages/count_tokens", _count_messages),
    ("POST", r"google-ai-studio|google-vertex-ai", r".+:countTokens", _count_contents),
)
