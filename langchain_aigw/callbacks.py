"""The callback handler: the log ids of every run, and feedback to the right log.

What it hears of runs is in `_run_recorder`; here is what a user does with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from langchain_core.tracers.context import register_configure_hook
from typing_extensions import override

from aigw import UNSET, ConfigurationError, LogResolver, ResponseInfo, SharedLogs, UnknownTargetError
from aigw.integration import Bookkeeping, Rater, SharedWriter, leave, shown
from langchain_aigw._decode import GATEWAY_KEY
from langchain_aigw._occasions import Occasions
from langchain_aigw._recorded import Caller, RecordedCall
from langchain_aigw._run_recorder import RunRecorder
from langchain_aigw._runs import facts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import LLMResult
    from langchain_core.stores import BaseStore

    from aigw import (
        AIGateway,
        AsyncAIGateway,
        AutomaticFeedback,
        Costs,
        Feedback,
        MetadataValue,
        Unset,
        Which,
    )
    from aigw.integration import FeedbackTaker, Verdict
    from langchain_aigw._run_tree import Entry

    Judge = Callable[[BaseMessage, RecordedCall], Verdict | Awaitable[Verdict]]


class AIGatewayCallbackHandler(RunRecorder, Bookkeeping[UUID | str, RecordedCall]):
    """Records the gateway's log ids for every run, and sends feedback to the right log.

    Feedback:
        ```python
        from uuid import uuid4

        from langchain_aigw import AIGatewayCallbackHandler, ChatCloudflareAIGateway

        handler = AIGatewayCallbackHandler()
        model = ChatCloudflareAIGateway(model="openai/gpt-5-mini")  # or a chain, an agent, a graph
        run_id = uuid4()
        model.invoke("Tell me a joke", config={"callbacks": [handler], "run_id": run_id})
        handler.log_ids(run_id)  # of every call beneath that run, in order
        handler.feedback(run_id, 1, score=90)
        ```

    What is rated automatically is sent by a thread of the handler's own, or by the queue; a run never waits for it, and
    what goes wrong there is counted in `automatic_counts` and logged.

    A run's calls are found by its own id and by that of every run above it: chain, agent, graph. One handler may serve
    a whole program, threads and tasks at once. Calls are recorded of this package's models, whichever way they are
    called; what LangChain's own cache replays is no call.

    Args:
        client: An `aigw.AIGateway` to reach the logs through; else the client of the model that was called. Give one to
            rate runs of other processes, or where the model's token may not edit logs.
        async_client: The same for `afeedback`, an `aigw.AsyncAIGateway`.
        store: A store that processes share, LangChain's own `BaseStore` (or an `aigw.SharedLogs` around one): the log
            ids beneath every run and thread are written to it, in a thread of the handler's own, and runs that are not
            known here are looked up in it.
        queue: An `aigw.feedback.FeedbackQueue` that all feedback goes through: `feedback` then returns at once. An
            `AsyncFeedbackQueue` serves `afeedback`.
        automatic: What is rated without anybody asking, off when left out: `{"output_parser": -1, "tool": -1}`, or
            `True` for everything; see `aigw.AutomaticFeedback`.
        judge: Rates each answer: gets the message and its `RecordedCall`, gives `None`, a score (a number or a bool),
            or a dict of `feedback`, `score`, `metadata`; sync or async. Its feedback has the source `judge:<its name>`.
        sample: The share of the calls that `automatic` and `judge` rate, decided by the event id of the call, so that
            all processes agree.
        max_runs: Runs of models that are kept, the least recently used being forgotten.
        max_age: Seconds a run is kept after it was last used.
    """

    def __init__(
        self,
        *,
        client: AIGateway | None = None,
        async_client: AsyncAIGateway | None = None,
        store: BaseStore[str, Any] | SharedLogs | None = None,
        queue: FeedbackTaker | None = None,
        automatic: AutomaticFeedback | bool | None = None,
        judge: Judge | None = None,
        sample: float = 1.0,
        max_runs: int = 10_000,
        max_age: float = 86_400,
    ) -> None:
        _check_bounds(max_runs, max_age)
        super().__init__(max_runs, max_age)
        self._empty = partial(
            type(self), automatic=automatic, judge=judge, sample=sample, max_runs=max_runs, max_age=max_age
        )
        shared = store if store is None or isinstance(store, SharedLogs) else SharedLogs(store)
        self._writer = None if shared is None else SharedWriter(shared)
        self._resolver = LogResolver(client, async_client, store=shared, memory=self._memory, queue=queue)
        self._rater = Rater(self._resolver, automatic=automatic, judge=judge, sample=sample, queue=queue)
        self._occasions = Occasions(self._runs, self._rater) if self._rater.occasions else None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Stay one: the copy of a model tells the same handler."""
        return self

    def __reduce__(self) -> tuple[Callable[[], AIGatewayCallbackHandler], tuple[()]]:
        """Pickle to a handler of the same settings that knows no runs and has neither client, store nor queue."""
        return self._empty, ()

    @contextmanager
    def attached(self) -> Iterator[Self]:
        """Hear of every run that begins inside the `with` block, where a config cannot be passed.

        Blocks nest; the innermost handler hears.
        """
        token = _ATTACHED.set(self)
        try:
            yield self
        finally:
            leave(_ATTACHED, token)

    def feedback(
        self,
        run: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        node: str | None = None,
        wait: float = 5.0,
    ) -> list[str]:
        """Rate the calls of a run: one request per log; with a queue, at once and in the background.

        Args:
            run: The id of any run or thread, an answer, a `RecordedCall`, or anything else that `aigw.LogResolver`
                takes; `None` for the latest outermost run. A run that is not known here is looked up in the shared
                store and at the gateway, as `LogResolver` says; the latter needs a client.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last call of the run, `all` every one.
            node: Only calls made in this node of a graph, of a run that is known here.
            wait: Seconds a log that is not there yet is waited for.

        Returns:
            The ids of the rated logs, in the order of the calls; with a queue, those that are known by now.

        Raises:
            UnknownTargetError: The run is not known here, nor in the store, nor at the gateway; with `node`, not here.
            ConfigurationError: A value is not allowed, or no call has a log; nothing was sent.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        target = self._in_node(run, node)
        return self._resolver.feedback(target, feedback, score=score, metadata=metadata, which=which, wait=wait)

    async def afeedback(
        self,
        run: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        node: str | None = None,
        wait: float = 5.0,
    ) -> list[str]:
        """As `feedback`, with `await`."""
        target = self._in_node(run, node)
        return await self._resolver.afeedback(target, feedback, score=score, metadata=metadata, which=which, wait=wait)

    @override
    def reconcile(self, run_id: UUID | str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        return super().reconcile(run_id, wait=wait)

    @override
    async def areconcile(self, run_id: UUID | str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        return await super().areconcile(run_id, wait=wait)

    @override
    def costs(self, run_id: UUID | str | None = None, *, by: str = "model", wait: float = 0) -> Costs:
        return super().costs(run_id, by=by, wait=wait)

    @override
    async def acosts(self, run_id: UUID | str | None = None, *, by: str = "model", wait: float = 0) -> Costs:
        return await super().acosts(run_id, by=by, wait=wait)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Note what LangChain's cache replayed; have an answer judged."""
        del kwargs
        entry = self._runs.entry(run_id)
        message = _first_message(response)
        if entry is not None and message is not None:
            self._answered(entry, message)
        self._end_model(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget a run that failed before it called anything; rate a call that the gateway blocked."""
        del kwargs
        entry = self._runs.entry(run_id)
        if self._occasions is not None and entry is not None:
            self._occasions.model_failed(entry, error)
        self._end_model(run_id)

    def _end_model(self, run_id: UUID) -> None:
        entry = self._runs.end_model(run_id)
        if entry is None or not entry.run.reports:
            return
        self._memory.note_end(entry)
        if self._writer is not None:
            self._writer.submit(self._memory.ids_of(entry))

    def _answered(self, entry: Entry, message: BaseMessage) -> None:
        facts = message.response_metadata.get(GATEWAY_KEY)
        if facts and facts.get("replayed"):
            caller = Caller("chat", str(message.response_metadata.get("model_name", "")), **facts_of(entry.run))
            entry.replays.append(RecordedCall(ResponseInfo(**facts), caller, is_replayed=True))
        elif self._rater.is_needed:
            self._rated(entry, message)

    def _rated(self, entry: Entry, message: BaseMessage) -> None:
        if self._occasions is not None:
            self._occasions.model_ended(entry, message)
        if self._rater.judge is not None and (calls := entry.run.calls()):
            self._rater.answered(message, calls[-1])

    def _in_node(self, run: Any, node: str | None) -> Any:
        """Give the calls that a node of a known run made, in place of the run."""
        if node is None:
            return run
        entries = self._entries(run) if isinstance(run, UUID | str) else []
        if run is None:
            entries = self._memory.latest()
        if not entries:
            name = shown(str(run)) if isinstance(run, UUID | str) else f"a {type(run).__name__}"
            raise UnknownTargetError(f"a node is looked for in a run or thread that is known here, and {name} is none")
        return [call for entry in entries for call in entry.calls() if call.node == node]


def _check_bounds(max_runs: int, max_age: float) -> None:
    if isinstance(max_runs, bool) or not isinstance(max_runs, int) or max_runs < 1:
        raise ConfigurationError(f"max_runs cannot be {shown(max_runs)}: it is a whole number, 1 or more")
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not max_age > 0:
        raise ConfigurationError(f"max_age cannot be {shown(max_age)}: it is a number of seconds above 0")


_ATTACHED: Final[ContextVar[AIGatewayCallbackHandler | None]] = ContextVar("langchain_aigw.attached", default=None)
register_configure_hook(_ATTACHED, inheritable=True)


def _first_message(response: LLMResult) -> BaseMessage | None:
    generations = response.generations[0] if response.generations else []
    return getattr(generations[0], "message", None) if generations else None
