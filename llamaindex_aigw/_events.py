"""LlamaIndex's events of a call through the gateway, and of an answer that is not what was asked for.

LlamaIndex's own events tell nothing of the gateway where a call failed, a stream was closed early, or vectors were
asked for. This one is dispatched as soon as the gateway has answered, also with an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.instrumentation.events import BaseEvent
from pydantic import PrivateAttr

if TYPE_CHECKING:
    from llamaindex_aigw._recorded import CallReport, RecordedCall


class AIGatewayParseErrorEvent(BaseEvent):
    """An answer of a model of this package is no object of the class that was asked for.

    Attributes:
        output_cls: The name of the class.
        error: What is wrong, by the name of the error's class.
        aigw: The gateway's facts of the answer (`aigw.ResponseInfo`), without empty fields.
    """

    output_cls: str
    error: str
    aigw: dict[str, Any]

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex knows the class by."""
        return "AIGatewayParseErrorEvent"


class AIGatewayCallEvent(BaseEvent):
    """A model of this package asked the gateway.

    Attributes:
        kind: `chat` or `embedding`.
        model: The model that was asked.
        aigw: The gateway's facts of each attempt (`aigw.ResponseInfo`), without empty fields.
    """

    kind: str
    model: str
    aigw: list[dict[str, Any]]

    _report: CallReport = PrivateAttr()

    def __init__(self, report: CallReport) -> None:
        facts = [call.info.to_dict() for call in report.calls()]
        super().__init__(kind=report.caller.kind, model=report.caller.model, aigw=facts)
        self._report = report

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex knows the class by."""
        return "AIGatewayCallEvent"

    @property
    def report(self) -> CallReport:
        """What is known of the call, and grows while its stream is read."""
        return self._report

    @property
    def calls(self) -> list[RecordedCall]:
        """The attempts, oldest first, as they are known now."""
        return self._report.calls()
