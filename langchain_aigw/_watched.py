"""What stands between a model and the parser of its structured output: answers that hold no output are errors.

LangChain's parsers complete JSON that lacks its end. Of an answer that was cut off they would make an object, with half
a number or half a list in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableGenerator

from langchain_aigw._refusals import check_refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable

_CUT_OFF: Final = {
    "length": "at its limit of tokens (see max_tokens)",
    "content_filter": "by the provider's content filter",
}
"""What ends an answer before the model does, by `finish_reason`."""


def watch(parser: Runnable[AIMessage, Any]) -> Runnable[AIMessage, Any]:
    """Put a watcher before a parser; answers pass it as they stream.

    What follows raises `OutputParserException` for an answer that was cut off before its JSON was whole, in a stream
    with its last chunk, and `ModelRefusalError` for a refusal.
    """
    return RunnableGenerator(_watch, _awatch) | parser


def _watch(messages: Iterator[AIMessage]) -> Iterator[AIMessage]:
    said = ""
    for message in messages:
        said += _check(message, said)
        yield message


async def _awatch(messages: AsyncIterator[AIMessage]) -> AsyncIterator[AIMessage]:
    said = ""
    async for message in messages:
        said += _check(message, said)
        yield message


def _check(message: AIMessage, said: str) -> str:
    """Give what a message adds to the JSON that was said so far, if it may be parsed."""
    check_refusal(message)
    more = _json_of(message)
    how = _CUT_OFF.get(str(message.response_metadata.get("finish_reason")))
    if how and not _is_whole(said + more):
        raise OutputParserException(f"the answer was cut off {how} before its JSON was whole", llm_output=said + more)
    return more


def _json_of(message: AIMessage) -> str:
    if isinstance(message, AIMessageChunk):
        return message.text + "".join(call["args"] or "" for call in message.tool_call_chunks)
    return message.text + "".join(json.dumps(call["args"]) for call in message.tool_calls)


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
