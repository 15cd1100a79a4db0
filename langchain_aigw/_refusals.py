"""Refusals of structured output under a langchain-core whose parsers do not know them (before 1.7.5).

There a refusal is an answer without JSON or without a call, and a parser of tools gives `None` for it. A newer core
raises its `ModelRefusalError` by itself, from the refusal among the message's content blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from langchain_core import exceptions

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

CORE_KNOWS_REFUSALS: Final = hasattr(exceptions, "ModelRefusalError")


class ModelRefusalError(exceptions.OutputParserException, exceptions.ModelError):
    """The model refused to give the output it was asked for; trying again is unlikely to help.

    Attributes:
        raw_message: The answer, or the part of it that held the refusal.
    """

    def __init__(self, message: str, *, raw_message: AIMessage | None = None) -> None:
        super().__init__(message)
        self.raw_message = raw_message


def check_refusal(message: AIMessage) -> None:
    """Raise for an answer that refuses, if the core's parsers do not.

    Raises:
        ModelRefusalError: It does.
    """
    refusal = None if CORE_KNOWS_REFUSALS else message.additional_kwargs.get("refusal")
    if refusal:
        raise ModelRefusalError(f"the model refused to give the requested output: {refusal}", raw_message=message)
