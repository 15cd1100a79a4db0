"""One call of a model, with what LlamaIndex knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aigw import integration
from llamaindex_aigw._spans import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llama_index.core.base.llms.types import ChatResponse

    from aigw import EmbeddingResult


@dataclass(frozen=True, slots=True)
class Caller(integration.Caller):
    """Who makes a call, and where.

    Attributes:
        spans: Ids of LlamaIndex's spans around the call, the outermost first.
        runs: Ids of the workflow runs around it, the outermost first.
        tags: LlamaIndex's `instrument_tags`, but for those its workflows add.
    """

    spans: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where the call stands."""
        return Place(self.spans, self.runs)


@dataclass(frozen=True, slots=True)
class RecordedCall(integration.RecordedCall):
    """One request that a model made to the gateway, and what became of it.

    Attributes:
        info: What the gateway said of it.
        caller: The model, its clients, and where it was called.
        input_tokens: Tokens of the prompt, once they are known.
        output_tokens: Tokens of the answer, once they are known.
        cost: US dollars, once `reconcile()` has read the log.
        error: What went wrong, as `Class: message`.
        is_partial: Whether the answer was left before its end.
        log: The log, once `reconcile()` has read it.
    """

    caller: Caller = field(repr=False)

    @property
    def span_path(self) -> tuple[str, ...]:
        """Ids of LlamaIndex's spans around the call, the outermost first, the call's own last.

        Spans that began before anybody listened are missing.
        """
        return self.caller.spans

    @property
    def span_id(self) -> str | None:
        """The id of the call's own span."""
        return self.span_path[-1] if self.span_path else None

    @property
    def run_id(self) -> str | None:
        """The id of the innermost LlamaIndex workflow run the call was made in."""
        return self.caller.runs[-1] if self.caller.runs else None

    @property
    def root_id(self) -> str | None:
        """The id of the outermost workflow run around the call, else of the outermost span."""
        return next(iter((*self.caller.runs[:1], *self.caller.spans[:1])), super(RecordedCall, self).root_id)

    @property
    def tags(self) -> Mapping[str, Any]:
        """LlamaIndex's `instrument_tags` at the call, but for those its workflows add."""
        return dict(self.caller.tags)


class CallReport(integration.CallReport[Caller, RecordedCall]):
    """What a model tells of one of its calls; a `with` block around the call tells how it ended."""

    __slots__ = ()

    call_type = RecordedCall

    def heard(self, response: ChatResponse) -> ChatResponse:
        """Note the whole answer, or the end of a stream; give it back."""
        self.answered(response.additional_kwargs, response.message.content)
        return response

    def embedded(self, result: EmbeddingResult) -> EmbeddingResult:
        """Note the tokens of an embedding; give it back."""
        self.answered(result.usage.model_dump() if result.usage else None)
        return result
