"""Answers of LangChain's own cache: marked, since they are no new call and their log is that of the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage

from langchain_aigw._decode import GATEWAY_KEY

if TYPE_CHECKING:
    from langchain_core.outputs import ChatGeneration


def mark_replayed(generation: ChatGeneration) -> ChatGeneration:
    """Give the generation with `replayed` among the gateway's facts; the cache's own object stays as it is."""
    message = generation.message
    if not isinstance(message, AIMessage):
        return generation
    facts = {**message.response_metadata.get(GATEWAY_KEY, {}), "replayed": True}
    marked = message.model_copy(update={"response_metadata": {**message.response_metadata, GATEWAY_KEY: facts}})
    return generation.model_copy(update={"message": marked})
