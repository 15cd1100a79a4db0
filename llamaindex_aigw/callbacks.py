"""`AIGatewayEventHandler` for a whole process, beside `capture_logs()` for one block: which calls a span led to."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from llama_index.core.instrumentation.events import BaseEvent
from pydantic import Field, PrivateAttr
from typing_extensions import override

from aigw import (
    UNSET,
    AIGateway,
    AsyncAIGateway,
    ConfigurationError,
    Costs,
    Feedback,
    LogResolver,
    MetadataValue,
    SharedLogs,
    Unset,
    Which,
)
from aigw.integration import Bookkeeping, Ledger, Rater, SharedWriter, calls_of, shown
from llamaindex_aigw._captured import CapturedSpans, capture_logs, get_cost_callback
from llamaindex_aigw._evaluation import answering_reports, encode_evaluation
from llamaindex_aigw._events import AIGatewayCallEvent, AIGatewayParseErrorEvent
from llamaindex_aigw._hearing import CallHandler
from llamaindex_aigw._memory import SpanMemory
from llamaindex_aigw._occasions import Occasions
from llamaindex_aigw._recorded import CallReport, RecordedCall
from llamaindex_aigw._spans import Place

if TYPE_CHECKING:
    from llama_index.core.evaluation import EvaluationResult

__all__ = [
    "AIGatewayCallEvent",
    "AIGatewayEventHandler",
    "AIGatewayParseErrorEvent",
    "CapturedSpans",
    "RecordedCall",
    "capture_logs",
    "get_cost_callback",
]

_OF_THE_PROCESS: Final = frozenset(("client", "async_client", "store", "queue"))


class AIGatewayEventHandler(CallHandler, Bookkeeping[str, RecordedCall]):
    """Records which calls through the gateway stand beneath each span and workflow run, and sends feedback to them.

        handler = AIGatewayEventHandler().attach()
        response = query_engine.query("...")
        handler.feedback(None, 1)

    It hears of calls in every thread and task of the process, of the models of this package. `attach` also has spans
    watched, so that every outer span finds its calls; with LlamaIndex's `add_event_handler` alone, a call is found by
    its own span and its workflow run.

    Args:
        max_calls: Calls that are kept; the least recently used is forgotten first.
        max_age: Seconds a call is kept after it was last used.
        client: Your own `AIGateway` for feedback, in place of the models'.
        async_client: Your own `AsyncAIGateway`, likewise.
        store: A store that processes share, LlamaIndex's own `BaseKVStore` (or an `aigw.SharedLogs` around one): the
            log ids beneath every span and workflow run are written to it, in a thread of the handler's own, and what is
            not known here is looked up in it.
        queue: An `aigw.feedback.FeedbackQueue` that all feedback goes through: `feedback` then returns at once. An
            `AsyncFeedbackQueue` serves `afeedback`.
        automatic: What is rated without anybody asking, off when left out: `{"output_parser": -1, "tool": -1}`, or
            `True` for everything; see `aigw.AutomaticFeedback`. Tools need `attach`.
        judge: Rates each answer: gets the `ChatMessage` and its `RecordedCall`, gives `None`, a score (a number or a
            bool), or a dict of `feedback`, `score`, `metadata`; sync or async. Its feedback has the source
            `judge:<its name>`, and its own calls are neither recorded nor judged.
        sample: The share of the calls that `automatic` and `judge` rate, decided by the event id of the call, so that
            all processes agree.

    What is rated automatically is sent by a thread of the handler's own, or by the queue; a call never waits for it,
    and what goes wrong there is counted in `automatic_counts` and logged.
    """

    max_calls: int = Field(default=10_000, ge=1)
    max_age: float = Field(default=86_400.0, gt=0)
    client: AIGateway | None = Field(default=None, exclude=True, repr=False)
    async_client: AsyncAIGateway | None = Field(default=None, exclude=True, repr=False)

    store: Any = Field(default=None, exclude=True, repr=False)
    queue: Any = Field(default=None, exclude=True, repr=False)
    automatic: Any = Field(default=None, exclude=True, repr=False)
    judge: Any = Field(default=None, exclude=True, repr=False)
    sample: Any = Field(default=1.0, exclude=True, repr=False)

    _ledger: Ledger[CallReport] = PrivateAttr()
    _memory: SpanMemory = PrivateAttr()
    _resolver: LogResolver = PrivateAttr()
    _rater: Rater = PrivateAttr()
    _occasions: Occasions | None = PrivateAttr(default=None)
    _writer: SharedWriter | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Begin with no calls."""
        super().model_post_init(context)
        self._ledger = Ledger(self.max_calls, self.max_age)
        shared = self.store if self.store is None or isinstance(self.store, SharedLogs) else SharedLogs(self.store)
        self._writer = None if shared is None else SharedWriter(shared)
        self._memory = SpanMemory(self._ledger, self._writer)
        self._resolver = LogResolver(
            self.client, self.async_client, store=shared, memory=self._memory, queue=self.queue
        )
        self._rater = Rater(
            self._resolver, automatic=self.automatic, judge=self.judge, sample=self.sample, queue=self.queue
        )
        if self._rater.is_needed:
            self._occasions = Occasions(self._ledger, self._rater)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Stay one: what LlamaIndex tells, it tells the same handler."""
        return self

    def __reduce__(self) -> tuple[Callable[[], "AIGatewayEventHandler"], tuple[()]]:
        """Pickle to a handler of the same settings that knows no calls and has neither client, store nor queue."""
        kept = {name: getattr(self, name) for name in type(self).model_fields if name not in _OF_THE_PROCESS}
        return partial(type(self), **kept), ()

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex knows the class by."""
        return "AIGatewayEventHandler"

    def wants_answers(self) -> bool:
        """Tell whether more than calls is wanted of LlamaIndex, which makes nothing that nobody wants."""
        return self._occasions is not None or type(self).handle is not AIGatewayEventHandler.handle

    def _called(self, report: CallReport) -> None:
        self._memory.add(report)
        if self._occasions is not None:
            self._occasions.called(report)

    def _answered(self, event: BaseEvent) -> None:
        if self._occasions is not None:
            self._occasions.hear(event)

    def _ended(self, place: Place, result: Any) -> None:
        if self._occasions is not None:
            self._occasions.span_ended(place, result)

    def calls(self, span_id: str | None = None) -> list[RecordedCall]:
        """Give the calls beneath a span or a workflow run, oldest first.

        Args:
            span_id: The id of any span around the calls, their own one, or a workflow's run; all calls when left out.
        """
        return calls_of(self._reports(span_id))

    def log_ids(self, span_id: str | None = None) -> list[str]:
        """Give the log ids of the calls beneath a span or a workflow run, oldest first; of all when left out."""
        return [call.log_id for call in self.calls(span_id) if call.log_id]

    def feedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = 5.0,
    ) -> list[str]:
        """Rate calls, one request per log; with a queue, at once and in the background.

        Args:
            target: What is rated. The id of a span or a workflow run: the calls beneath it; one that is not known here
                is looked up in the shared store and at the gateway, as `aigw.LogResolver` says. A response of an LLM
                or an agent, its `aigw` dict, a `RecordedCall`, or anything else that `LogResolver` takes: that call.
                `None`: what ran last, from its outermost span on.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `aigw.UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last chat call, `all` every call, embeddings too.
            wait: Seconds a log that is not there yet is waited for.

        Returns:
            The ids of the rated logs; with a queue, those that are known by now.

        Raises:
            UnknownTargetError: The span is not known here, nor in the store, nor at the gateway.
            ConfigurationError: A value is not allowed, the target has no call, or no client is known; nothing was sent.
            LogNotFoundError: A log is not there, also not after `wait`.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        return self._resolver.feedback(target, feedback, score=score, metadata=metadata, which=which, wait=wait)

    async def afeedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = 5.0,
    ) -> list[str]:
        """As `feedback`, with `await`."""
        return await self._resolver.afeedback(target, feedback, score=score, metadata=metadata, which=which, wait=wait)

    @override
    def reconcile(self, span_id: str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        return super().reconcile(span_id, wait=wait)

    @override
    async def areconcile(self, span_id: str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        return await super().areconcile(span_id, wait=wait)

    @override
    def costs(self, span_id: str | None = None, *, by: str = "model", wait: float = 0) -> Costs:
        return super().costs(span_id, by=by, wait=wait)

    @override
    async def acosts(self, span_id: str | None = None, *, by: str = "model", wait: float = 0) -> Costs:
        return await super().acosts(span_id, by=by, wait=wait)

    def feedback_from(
        self,
        evaluation: "EvaluationResult",
        evaluator: object,
        *,
        max_score: float = 1.0,
        metadata: Mapping[str, MetadataValue] | None = None,
    ) -> bool:
        """Have the evaluated answer rated as a LlamaIndex evaluator judged it; returns at once.

        The answer is known again by its text, among the calls that are recorded here. It is sent as automatic feedback
        is: sampled, in the background, and counted in `automatic_counts`.

        Args:
            evaluation: What an evaluator returned; one that is invalid, or says nothing, sends nothing.
            evaluator: The evaluator, or its name: the source in the metadata is `evaluator:<its name>`.
            max_score: The evaluator's best score; its worst is 0.
            metadata: Further entries, at most five with the comment and the source.

        Returns:
            Whether there is an answer of that text here, and something to say of it.

        Raises:
            ConfigurationError: The score is not between 0 and `max_score`, or a value is not allowed.
        """
        values = encode_evaluation(evaluation, max_score=max_score, metadata=metadata, evaluator=evaluator)
        calls = calls_of(answering_reports(self._ledger.items(), evaluation, is_strict=True))
        if not values or not calls:
            return False
        self._rater.send(calls[-1].logged, values)
        return True

    def _reports(self, span_id: str | None) -> list[CallReport]:
        if span_id is None:
            return self._ledger.items()
        if not isinstance(span_id, str):
            raise ConfigurationError(f"span_id cannot be {shown(span_id)}: it is the id of a span or a workflow run")
        return self._ledger.find(span_id)
