"""One call of a model, with what LangChain knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aigw import AIGatewayError, integration
from langchain_aigw._errors import translate_error

if TYPE_CHECKING:
    from types import TracebackType
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Caller(integration.Caller):
    """Who makes a call.

    Attributes:
        run_id: The run of the model, where LangChain has one.
        parent_run_id: The run around it.
        node: The node of a graph it is asked in.
        root_run_id: The outermost run around it, as far as it is known.
    """

    run_id: UUID | None = None
    parent_run_id: UUID | None = None
    node: str | None = None
    root_run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall(integration.RecordedCall):
    """One request that a model made to the gateway, and what became of it.

    Attributes:
        info: What the gateway said of it.
        caller: The model, its run and its clients.
        input_tokens: Tokens of the prompt, once they are known.
        output_tokens: Tokens of the answer, once they are known.
        cost: US dollars, once `reconcile()` has read the log.
        error: What went wrong, as `Class: message`.
        is_partial: Whether the answer was left before its end.
        is_replayed: Whether LangChain's own cache gave the answer: the log is that of an earlier call.
        log: The log, once `reconcile()` has read it.
    """

    caller: Caller = field(repr=False)

    @property
    def run_id(self) -> UUID | None:
        """The run of the model; embeddings have none."""
        return self.caller.run_id

    @property
    def parent_run_id(self) -> UUID | None:
        """The run around the model's."""
        return self.caller.parent_run_id

    @property
    def root_id(self) -> str | None:
        """The outermost run around the call, as far as it is known."""
        run_id = self.caller.root_run_id or self.caller.parent_run_id or self.caller.run_id
        return super(RecordedCall, self).root_id if run_id is None else str(run_id)

    @property
    def node(self) -> str | None:
        """The node of the LangGraph graph the call was made in."""
        return self.caller.node


class CallReport(integration.CallReport[Caller, RecordedCall]):
    """What a model tells of one of its calls; a `with` block around the call tells how it ended."""

    __slots__ = ()

    call_type = RecordedCall

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note how the call ended, and raise the core's errors as LangChain's too."""
        super().__exit__(kind, error, trace)
        if isinstance(error, AIGatewayError):
            translated = translate_error(error)
            if translated is not error:
                raise translated from error.__cause__
